//! Times of day: "5pm", "17:30", "half past 5", "noon", "at 8 in the evening".

use chrono::{FixedOffset, NaiveDateTime, NaiveTime, Timelike as _};
use chrono_tz::Tz;
use todo_domain::{Timestamp, zone};

use crate::{
    lexicon::{self, Part},
    scan::{Cue, Parsed, Scan},
};

/// A time of day as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    time: NaiveTime,
    /// Of the twelve-hour clock, and which half of the day was not said.
    loose: bool,
    /// Written as the end of its day: "24:00".
    next_day: bool,
    place: Option<Place>,
}

/// Where the clock hangs, if not with the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Offset(FixedOffset),
    Zone(Tz),
}

impl Clock {
    pub(crate) fn exact(hour: u32, minute: u32) -> Option<Self> {
        Self::new(hour, minute, 0, false)
    }

    fn new(hour: u32, minute: u32, second: u32, loose: bool) -> Option<Self> {
        let next_day = hour == 24 && minute == 0 && second == 0;
        let time = NaiveTime::from_hms_opt(if next_day { 0 } else { hour }, minute, second)?;
        Some(Self { time, loose: loose && (1..=12).contains(&hour), next_day, place: None })
    }

    /// The time of day, and whether it is that of the next day. Without a half of the day said, 7 to 11 are in the
    /// morning, 12 is noon and 1 to 6 are after it.
    pub(crate) fn settle(self, part: Option<Part>) -> (NaiveTime, bool) {
        let hour = self.time.hour();
        if !self.loose {
            let midnight = part == Some(Part::Night) && hour == 0;
            return (self.time, self.next_day || midnight);
        }
        let twelve = hour % 12;
        let (hour, next_day) = match part {
            Some(Part::Morning) => (twelve, false),
            Some(Part::Noon) => (if twelve == 11 { 11 } else { twelve + 12 }, false),

            Some(Part::Evening) if twelve == 0 => (0, true),
            Some(Part::Night) if twelve < 5 => (twelve, true),
            Some(Part::Afternoon | Part::Evening | Part::Night) => (twelve + 12, false),
            None => (if twelve < 7 { twelve + 12 } else { twelve }, false),
        };
        (self.time.with_hour(hour).unwrap_or(self.time), next_day)
    }

    /// The later half of the day, for a time that is open and has passed.
    pub(crate) fn later(self) -> Option<Self> {
        let (time, _) = self.settle(None);
        (self.loose && time.hour() < 12).then(|| Self { time, ..self }.in_half(true))
    }

    pub(crate) const fn is_loose(self) -> bool {
        self.loose
    }

    /// The same time in the half of the day that is named.
    pub(crate) fn in_half(self, after_noon: bool) -> Self {
        let hour = self.time.hour() % 12 + if after_noon { 12 } else { 0 };
        Self { time: self.time.with_hour(hour).unwrap_or(self.time), loose: false, ..self }
    }

    pub(crate) const fn loosened(self) -> Self {
        Self { loose: true, ..self }
    }

    /// This loose time in the half of the day that puts it shortly before another: "11" of "11-1pm".
    pub(crate) fn before(self, to: Self) -> Self {
        let same = self.in_half(to.time.hour() >= 12);
        if same.time < to.time { same } else { self.in_half(to.time.hour() < 12) }
    }

    /// This loose time in the half of the day that puts it shortly after another: "5" of "9am-5".
    pub(crate) fn after(self, from: Self) -> Self {
        let same = self.in_half(from.time.hour() >= 12);
        if same.time > from.time { same } else { self.in_half(from.time.hour() < 12) }
    }

    /// The instant at which these clocks show a local time.
    pub(crate) fn instant(self, local: NaiveDateTime, home: Tz) -> Option<Timestamp> {
        match self.place {
            None => Some(zone::resolve(home, local)),
            Some(Place::Zone(tz)) => Some(zone::resolve(tz, local)),
            Some(Place::Offset(offset)) => local.checked_sub_offset(offset).map(|utc| utc.and_utc()),
        }
    }
}

impl Scan<'_> {
    /// A time of day. A bare hour only where `cue` allows it and what follows cannot be counted by it.
    pub(crate) fn clock(&self, i: usize, cue: Cue) -> Parsed<Clock> {
        self.clock_open(i, cue).filter(|(_, next)| self.ends(*next))
    }

    /// The same, without asking what follows.
    pub(crate) fn clock_open(&self, i: usize, cue: Cue) -> Parsed<Clock> {
        let (mut clock, next) =
            self.past_or_to(i, cue).or_else(|| self.digital(i, cue)).or_else(|| self.spoken(i, cue))?;
        let mut next = self.skip_word(next, &["sharp"]);
        let iso = self.glued(i) && i > 0 && self.word(i - 1) == "t";
        if let Some((place, end)) = self.place(next, iso) {
            (clock.place, clock.loose, next) = (Some(place), false, end);
        }
        Some((clock, next))
    }

    fn digital(&self, i: usize, cue: Cue) -> Parsed<Clock> {
        // A number alone is no time, unless it is all there is and no year.
        let whole = self.alone && self.tokens.len() == 1 && self.digits(i).is_some_and(|digits| digits.len() == 4);
        let cue = match i {
            0 if whole && self.year(i).is_none() => Cue::HOUR,
            0 => Cue::NONE,
            _ => cue,
        };
        let digits = self.digits(i)?;
        let number = self.number(i)?;
        let two = |i: usize| self.glued_number(i).filter(|_| self.digits(i).is_some_and(|digits| digits.len() == 2));
        let padded = digits.starts_with('0');
        if digits.len() <= 2 {
            let sign = self.glued_sign(i + 1);
            if let (Some(':'), Some(minute)) = (sign, two(i + 2)) {
                return self.with_seconds(number, minute, i + 3, padded);
            }
            if let (Some('.'), Some(minute)) = (sign, two(i + 2)) {
                if let Some((after_noon, next)) = self.half(i + 3) {
                    return Some((twelve(number, minute, 0, after_noon)?, next));
                }
                // "from 1.51 on" is a version.
                let fits = cue.sure || i > 0 && self.word(i - 1) == "at";
                let fits = fits && self.frees_hour(i + 3, cue);
                return fits.then(|| Clock::new(number, minute, 0, !padded)).flatten().map(|clock| (clock, i + 3));
            }
            if self.glued_word(i + 1) == "h" {
                return match two(i + 2) {
                    Some(minute) => Some((Clock::exact(number, minute)?, i + 3)),
                    None if self.frees_hour(i + 2, cue) => Some((Clock::exact(number, 0)?, i + 2)),
                    None => None,
                };
            }
            if let Some(spoken) = self.after_hour(number, padded, i + 1, cue) {
                return Some(spoken);
            }
        }
        // "530pm", "at 1730", "0900 hours".
        if !matches!(digits.len(), 3 | 4) {
            return None;
        }
        let (hour, minute) = (number / 100, number % 100);
        if let Some((after_noon, next)) = self.half(i + 1) {
            return Some((twelve(hour, minute, 0, after_noon)?, next));
        }
        let four = digits.len() == 4;
        if four && matches!(self.word(i + 1), "hours" | "hrs" | "h") {
            return Some((Clock::exact(hour, minute)?, i + 2));
        }
        let fits = self.frees_hour(i + 1, cue) && (four || minute.is_multiple_of(5));
        fits.then(|| Clock::new(hour, minute, 0, !four)).flatten().map(|clock| (clock, i + 1))
    }

    /// After "5:30".
    fn with_seconds(&self, hour: u32, minute: u32, next: usize, padded: bool) -> Parsed<Clock> {
        let mut next = next;
        let mut second = 0;
        let mut loose = !padded;
        if self.glued_sign(next) == Some(':')
            && let Some(number) = self.glued_number(next + 1)
        {
            (second, next, loose) = (number, next + 2, false);
            if self.glued_sign(next) == Some('.') && self.glued_number(next + 1).is_some() {
                next += 2;
            }
        }
        if let Some((after_noon, end)) = self.half(next) {
            return Some((twelve(hour, minute, second, after_noon)?, end));
        }
        Some((Clock::new(hour, minute, second, loose)?, self.skip_word(next, &["hours", "hrs", "o'clock"])))
    }

    /// After an hour alone: "5pm", "5 o'clock", "5 in the morning", and "at 5".
    fn after_hour(&self, hour: u32, padded: bool, next: usize, cue: Cue) -> Parsed<Clock> {
        // "3ish".
        let ish = self.glued_word(next) == "ish";
        let next = if ish { next + 1 } else { next };
        if let Some((after_noon, end)) = self.half(next) {
            return Some((twelve(hour, 0, 0, after_noon)?, end));
        }
        let loose = !padded;
        if ish {
            return Some((Clock::new(hour, 0, 0, loose)?, next));
        }
        if matches!(self.word(next), "o'clock" | "oclock") {
            // "the 9 o'clock news" is a name.
            let article = next.checked_sub(2).is_some_and(|before| self.word(before) == "the");
            if article && !self.closes(next + 1) {
                return None;
            }
            let clock = Clock::new(hour, 0, 0, loose)?;
            return Some(self.half(next + 1).map_or((clock, next + 1), |(half, end)| (clock.in_half(half), end)));
        }
        if hour == 12 && matches!(self.word(next), "noon" | "midday" | "midnight") {
            return Some((Clock::exact(if self.word(next) == "midnight" { 0 } else { 12 }, 0)?, next + 1));
        }
        let in_part = self.words(next, &["in", "the"]) && lexicon::part(self.word(next + 2)).is_some()
            || self.words(next, &["at", "night"])
            || matches!(self.word(next), "tonight" | "tonite")
            || self.word(next) == "this" && lexicon::part(self.word(next + 1)).is_some();
        let fits = hour <= 24 && (in_part && !self.glued(next) || self.frees_hour(next, cue));
        fits.then(|| Clock::new(hour, 0, 0, loose)).flatten().map(|clock| (clock, next))
    }

    /// "am" or "pm", in its many spellings: whether it is after noon.
    pub(crate) fn half(&self, i: usize) -> Parsed<bool> {
        let i = if self.words(i, &["in", "the"]) && matches!(self.word(i + 2), "am" | "pm") { i + 2 } else { i };
        let word = self.word(i);
        let after_noon = match word {
            "am" | "a" => false,
            "pm" | "p" => true,
            _ => return None,
        };
        if word.len() == 2 {
            return Some((after_noon, i + 1));
        }
        if self.glued_sign(i + 1) == Some('.') && self.glued_word(i + 2) == "m" {
            let end = if self.glued_sign(i + 3) == Some('.') { i + 4 } else { i + 3 };
            return Some((after_noon, end));
        }
        if self.word(i + 1) == "m" && self.glued(i) {
            return Some((after_noon, i + 2));
        }
        (self.glued(i) && self.ends(i + 1)).then_some((after_noon, i + 1))
    }

    /// "half past 5", "quarter to nine", "20 to 7", "10 minutes past noon".
    pub(crate) fn past_or_to(&self, i: usize, cue: Cue) -> Parsed<Clock> {
        let start = self.skip_word(i, &["a"]);
        let (minutes, mut next, sure) = match self.word(start) {
            "half" if start == i => (30, i + 1, true),
            "quarter" => (15, start + 1, true),
            _ => {
                let (minutes, next) = self.cardinal(i).filter(|(minutes, _)| (1..60).contains(minutes))?;
                let end = self.skip_word(next, &["minutes", "minute", "mins", "min"]);
                (minutes, end, end > next)
            }
        };
        let past = match self.word(next) {
            "past" => true,
            "after" if sure => true,
            "to" | "till" | "til" if sure || self.named_time(next + 1).is_some() => false,
            "to" | "till" | "til" if cue.hour && matches!(minutes, 5 | 10 | 20 | 25) => false,
            "before" | "of" if sure && minutes != 30 => false,
            _ => return None,
        };
        next += 1;
        let (clock, end) = self.named_time(next).or_else(|| {
            let (hour, end) = self.cardinal(next).filter(|(hour, _)| (1..=23).contains(hour))?;
            let bare = || Some((Clock::new(hour, 0, 0, true)?, end));
            self.after_hour(hour, false, end, Cue::HOUR).or_else(bare)
        })?;
        let hour = clock.time.hour();
        let minute_of_day = hour * 60 + clock.time.minute() + if past { minutes } else { 24 * 60 - minutes };
        let time = NaiveTime::from_hms_opt(minute_of_day / 60 % 24, minute_of_day % 60, 0)?;
        // "quarter to one" in the afternoon is 12:45.
        Some((Clock { time, ..clock }, end))
    }

    /// "noon", "midnight".
    fn named_time(&self, i: usize) -> Parsed<Clock> {
        match self.word(i) {
            "noon" | "midday" | "noontime" => Some((Clock::exact(12, 0)?, i + 1)),
            "midnight" | "midnite" => Some((Clock::exact(0, 0)?, i + 1)),
            _ => None,
        }
    }

    /// In words: "noon", "five pm", "at six", "five thirty".
    fn spoken(&self, i: usize, cue: Cue) -> Parsed<Clock> {
        if let Some((clock, next)) = self.named_time(i) {
            // "noon" may be a name ("High Noon"), unless something says it is a time.
            let fits = cue.hour || cue.name || self.alone || self.is_end(next) || self.closes(next) && i == 0;
            return fits.then_some((clock, next));
        }
        let (hour, next) =
            self.cardinal(i).filter(|(hour, next)| (1..=12).contains(hour) && self.digits(next - 1).is_none())?;
        let minutes = match self.word(next) {
            "oh" | "o" => self.cardinal(next + 1).filter(|(minute, _)| *minute < 10),
            _ => {
                self.cardinal(next).filter(|(minute, end)| (10..60).contains(minute) && self.digits(end - 1).is_none())
            }
        };
        if let Some((minute, end)) = minutes {
            if let Some((after_noon, end)) = self.half(end) {
                return Some((twelve(hour, minute, 0, after_noon)?, end));
            }
            return (self.frees_hour(end, cue))
                .then(|| Clock::new(hour, minute, 0, true))
                .flatten()
                .map(|it| (it, end));
        }
        self.after_hour(hour, false, next, cue)
    }

    /// The zone a time is followed by: "UTC", "Z", "+02:00", "EST".
    fn place(&self, i: usize, iso: bool) -> Parsed<Place> {
        let east = |seconds: i32| FixedOffset::east_opt(seconds).map(Place::Offset);
        let word = self.word(i);
        let next = i + 1;
        match word {
            "utc" | "gmt" => Some(self.offset(next).unwrap_or((east(0)?, next))),
            "z" if self.glued(i) => Some((east(0)?, next)),
            // "10:00-11:30" is a range.
            "" if iso || self.sign(i) == Some('+') => self.offset(i).filter(|_| self.glued(i)),
            _ => {
                let hours = match word {
                    "pst" => -8,
                    "mst" | "pdt" => -7,
                    "cst" | "mdt" => -6,
                    "est" | "cdt" => -5,
                    "edt" | "ast" => -4,
                    "wet" => 0,
                    "cet" | "bst" | "west" => 1,
                    "cest" | "eet" => 2,
                    "eest" | "msk" => 3,
                    "jst" => 9,
                    "aest" => 10,
                    "et" => return Some((Place::Zone(Tz::America__New_York), next)),
                    "ct" => return Some((Place::Zone(Tz::America__Chicago), next)),
                    "mt" => return Some((Place::Zone(Tz::America__Denver), next)),
                    "pt" => return Some((Place::Zone(Tz::America__Los_Angeles), next)),
                    _ => return None,
                };
                Some((east(hours * 3_600)?, next))
            }
        }
    }

    /// "+02:00", "-5", "+0530".
    fn offset(&self, i: usize) -> Parsed<Place> {
        let sign = match self.sign(i)? {
            '+' => 1,
            '-' | '−' => -1,
            _ => return None,
        };
        let digits = self.digits(i + 1).filter(|_| self.glued(i + 1))?;
        let number = self.number(i + 1)?;
        let (hours, minutes, next) = match digits.len() {
            4 => (number / 100, number % 100, i + 2),
            1 | 2 if self.glued_sign(i + 2) == Some(':') => (number, self.glued_number(i + 3)?, i + 4),
            1 | 2 => (number, 0, i + 2),
            _ => return None,
        };
        if hours > 14 || minutes >= 60 {
            return None;
        }
        let seconds = i32::try_from(hours * 3_600 + minutes * 60).ok()?;
        Some((Place::Offset(FixedOffset::east_opt(sign * seconds)?), next))
    }
}

/// A time of the twelve-hour clock; hours beyond twelve are taken as they are ("17:30 pm").
fn twelve(hour: u32, minute: u32, second: u32, after_noon: bool) -> Option<Clock> {
    let hour = match hour {
        12 if !after_noon => 0,
        1..=11 if after_noon => hour + 12,
        0..=12 => hour,
        13..=23 if after_noon => hour,
        _ => return None,
    };
    Clock::new(hour, minute, second, false)
}
