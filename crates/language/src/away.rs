//! Lengths of time from now or from a day: "in 3 days", "2 hours ago", "a week from tuesday", "next 3 days".

use chrono::{Datelike as _, NaiveDate, NaiveTime, TimeDelta};

use crate::{
    date::{Days, Kind},
    lexicon::{self, Unit, Which},
    number::{Length, add_days, is_in_range},
    relative::Point,
    scan::{Cue, Parsed, Scan},
};

impl Scan<'_> {
    /// A length of time from now or from a day: "in 3 days", "2 hours ago", "a week from tuesday", "next 3 days".
    pub(crate) fn counted(&self, i: usize) -> Parsed<Point> {
        if let Some(found) = self.next_few(i) {
            return Some(found);
        }
        let word = self.word(i);
        if matches!(word, "in" | "after") || self.sign(i) == Some('+') {
            let start = self.skip_word(i + 1, &["about", "around", "exactly", "another"]);
            let (length, next) = self.length(start)?;
            let free = self.closes(next) || !self.glued(next);
            let vague = matches!(self.word(next), "or" | "of");
            return (free && !vague)
                .then(|| self.away(length))
                .flatten()
                .map(|point| (point, self.skip_from_now(next)));
        }
        if word == "within" {
            let start = self.skip_word(self.skip_word(i + 1, &["the"]), &["next"]);
            let (length, next) = self.length(start).or_else(|| {
                let unit = lexicon::unit(self.word(start))?;
                let one = matches!(unit, Unit::Hour | Unit::Day | Unit::Week | Unit::Month | Unit::Year);
                one.then_some((Length::of(1_000, unit)?, start + 1))
            })?;
            if self.word(next) == "of" {
                return None;
            }
            return Some((self.until_then(length)?, next));
        }
        // "a quarter past noon" is a time.
        if self.past_or_to(i, Cue::NONE).is_some() {
            return None;
        }
        if let Some((day, next)) = self.weekdays_away(i) {
            return Some((Point::Days(Days::one(day, Kind::Other)), next));
        }
        let (length, next) = self.length(i).or_else(|| {
            // "week from friday".
            let start = self.skip_word(i, &["the"]);
            let calendar = |unit: &Unit| matches!(unit, Unit::Day | Unit::Week | Unit::Month | Unit::Year);
            let unit = lexicon::unit(self.word(start)).filter(calendar)?;
            let anchored = matches!(self.word(start + 1), "from" | "before" | "after");
            anchored.then_some((Length::of(1_000, unit)?, start + 1))
        })?;
        match self.word(next) {
            "ago" | "back" if self.word(next) == "ago" || self.alone => Some((self.away(length.negated())?, next + 1)),
            "hence" | "later" => Some((self.away(length)?, next + 1)),
            "from" | "after" | "before" | "on" | "past" => self.anchored(length, next),
            _ => None,
        }
    }

    /// "two sundays from now", "3 fridays ago".
    fn weekdays_away(&self, i: usize) -> Parsed<NaiveDate> {
        let (count, next) = self.cardinal(i).filter(|(count, _)| (1..=1_000).contains(count))?;
        let weekday = lexicon::weekdays(self.word(next))?;
        let weeks = 7 * (i64::from(count) - 1);
        let from_now = self.skip_from_now(next + 1);
        if from_now > next + 1 {
            let first = match i64::from(weekday.days_since(self.today.weekday())) {
                0 => 7,
                ahead => ahead,
            };
            return Some((add_days(self.today, first + weeks)?, from_now));
        }
        let last =
            self.which_weekday(Which::Last, weekday).filter(|_| matches!(self.word(next + 1), "ago" | "back"))?;
        Some((add_days(last, -weeks)?, next + 2))
    }

    fn skip_from_now(&self, i: usize) -> usize {
        if self.words(i, &["from", "now"]) || self.words(i, &["from", "today"]) { i + 2 } else { i }
    }

    fn away(&self, length: Length) -> Option<Point> {
        if length.is_whole_days() {
            let day = length.day_after(self.today)?;
            return Some(Point::Days(Days::one(day, Kind::Other)));
        }
        let at = length.instant_after(self.now, self.context)?;
        is_in_range(at.date_naive()).then_some(Point::At(at))
    }

    fn until_then(&self, length: Length) -> Option<Point> {
        match self.away(length)? {
            Point::Days(days) if days.last < self.today => {
                Some(Point::Days(Days { first: days.last, last: self.today, kind: Kind::Past }))
            }
            Point::Days(days) => Some(Point::Days(Days::new(self.today, days.last))),
            Point::At(at) => Some(Point::Between(self.context.now.min(at), self.context.now.max(at))),
            between @ Point::Between(..) => Some(between),
        }
    }

    /// "from now", "from tuesday", "after tomorrow", "before noon tomorrow".
    fn anchored(&self, length: Length, i: usize) -> Parsed<Point> {
        if self.skip_from_now(i) > i {
            return Some((self.away(length)?, i + 2));
        }
        let length = if self.word(i) == "before" { length.negated() } else { length };
        let start = self.skip_word(i + 1, &["on"]);
        let (days, next) = match self.days(start, Cue::NAME) {
            Some((days, next)) => (Some(days), next),
            None => (None, start),
        };
        // "24 hours before dec 20" is a day before.
        let length = match days {
            Some(_) if length.seconds % 86_400 == 0 => {
                Length { days: length.days.checked_add(length.seconds / 86_400)?, seconds: 0, ..length }
            }
            _ => length,
        };
        let days_only = days.filter(|_| length.is_whole_days());
        if let Some(days) = days_only {
            let from = if length.days + length.months + length.business_days < 0 { days.first } else { days.last };
            let from = if days.is_one() { from } else { days.first };
            return Some((Point::Days(Days::one(length.day_after(from)?, Kind::Other)), next));
        }
        // Hours and minutes are counted from a time.
        let joint = self.skip_word(next, &["at"]);
        let Some((clock, end)) = self.clock(joint, Cue::HOUR) else {
            // "2 hours before dec 20" ends with the day before.
            let at = length.instant_after(days?.first.and_time(NaiveTime::MIN), self.context)?;
            return Some((Point::At(at), next));
        };
        let day = days.map_or(self.today, |days| days.first);
        let (time, next_day) = clock.settle(None);
        let day = add_days(day, i64::from(next_day))?;
        let mut base = day.and_time(time);
        if days.is_none() && base <= self.now {
            base = base.checked_add_signed(TimeDelta::days(1))?;
        }
        let at = length.instant_after(base, self.context)?;
        Some((Point::At(at), end))
    }

    /// "next 3 days", "the last two weeks", "the past few hours".
    fn next_few(&self, i: usize) -> Parsed<Point> {
        let start = self.skip_word(self.skip_word(i, &["in", "over", "during"]), &["the"]);
        let which = lexicon::which(self.word(start)).filter(|_| !matches!(self.word(start), "this" | "current"))?;
        let (length, next) = self.length(start + 1).filter(|_| !matches!(self.word(start + 1), "a" | "an" | "the"))?;
        let length = if which == Which::Last { length.negated() } else { length };
        Some((self.until_then(length)?, next))
    }
}
