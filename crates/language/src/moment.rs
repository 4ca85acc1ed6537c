//! Days and times of day put together ("friday at 5", "5pm on the 3rd", "tomorrow morning"), ranges of them, and the
//! words that lead to them ("by", "until", "due on").

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, TimeDelta};
use todo_domain::Timestamp;

use crate::{
    Extent,
    clock::Clock,
    date::{Days, Kind},
    lexicon::{self, Part},
    number::{add_days, is_in_range},
    relative::Point,
    scan::{Cue, Parsed, Scan},
};

/// A day, a time of day, or both; or an instant that needs neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Moment {
    pub(crate) days: Option<Days>,
    pub(crate) clock: Option<Clock>,
    /// The end of a range of times of day.
    pub(crate) until: Option<Clock>,
    pub(crate) part: Option<Part>,
    /// From and to.
    pub(crate) at: Option<(Timestamp, Timestamp)>,
    /// Whether it names a weekday that its date does not have.
    pub(crate) conflict: bool,
}

impl Moment {
    pub(crate) const fn has_time(&self) -> bool {
        self.clock.is_some() || self.part.is_some()
    }

    /// A time of day whose day is not said.
    pub(crate) const fn is_time_only(&self) -> bool {
        self.has_time() && self.days.is_none() && self.at.is_none()
    }

    /// Days whose time is not said.
    pub(crate) const fn is_days_only(&self) -> bool {
        self.days.is_some() && !self.has_time() && self.at.is_none()
    }

    /// What is left open by one and said by the other; nothing if both say the same thing.
    pub(crate) fn merged(self, other: Self) -> Option<Self> {
        if self.is_days_only() && other.is_time_only() {
            return Some(Self { days: self.days, ..other });
        }
        if other.is_days_only() && self.is_time_only() {
            return Some(Self { days: other.days, ..self });
        }
        // "tomorrow evening ... at 8".
        let vague = |it: &Self| it.clock.is_none() && it.part.is_some() && it.at.is_none();
        let sharp = |it: &Self| it.is_time_only() && it.part.is_none();
        match (vague(&self) && sharp(&other), vague(&other) && sharp(&self)) {
            (true, _) => Some(Self { days: self.days, part: self.part, ..other }),
            (_, true) => Some(Self { days: other.days, part: other.part, ..self }),
            _ => None,
        }
    }
}

impl Scan<'_> {
    /// Days and times of day in any order, each at most once.
    pub(crate) fn moment(&self, i: usize, cue: Cue) -> Parsed<Moment> {
        self.moment_open(i, cue).filter(|(_, next)| self.ends(*next))
    }

    /// The same, without asking what follows.
    pub(crate) fn moment_open(&self, i: usize, cue: Cue) -> Parsed<Moment> {
        let (mut moment, mut next) = self.component(i, cue, Moment::default())?;
        loop {
            let (joint, cue) = self.joint(next, &moment);
            match self.component(joint, cue, moment) {
                Some((more, end)) => (moment, next) = (more, end),
                None => return Some((moment, next)),
            }
        }
    }

    /// Over what joins a day and a time.
    fn joint(&self, i: usize, moment: &Moment) -> (usize, Cue) {
        if self.glued_word(i) == "t" && self.glued(i + 1) && moment.days.is_some() {
            return (i + 1, Cue::HOUR);
        }
        let start = self.skip_comma(i);
        // "tomorrow @5", "2026-12-01 (fri)".
        let start = if self.sign(start) == Some('(') { start + 1 } else { start };
        match self.word(start) {
            "after" | "before" if moment.is_days_only() => (start + 1, Cue::HOUR),
            "at" | "around" | "about" | "by" | "from" => {
                let next = self.skip_word(start + 1, &["about", "around"]);
                match self.word(start) {
                    "by" => (next, Cue::BOTH),
                    "at" if moment.days.is_some() => (next, Cue::SURE),
                    _ => (next, Cue::HOUR),
                }
            }
            "on" => (start + 1, Cue::NAME),
            _ if self.sign(start) == Some('@') => {
                (start + 1, if moment.days.is_some() { Cue::SURE } else { Cue::HOUR })
            }
            "of" => (start + 1, Cue::NONE),
            "for" if moment.is_days_only() && self.clock(start + 1, Cue::NONE).is_some() => (start + 1, Cue::NONE),
            "the" => (start, Cue::NAME),
            _ if self.alone => (start, Cue::NAME),
            _ => (start, Cue::NONE),
        }
    }

    /// One more part of a moment at `i`.
    fn component(&self, i: usize, cue: Cue, moment: Moment) -> Parsed<Moment> {
        if i >= self.tokens.len() || moment.at.is_some() || moment.until.is_some() && moment.days.is_some() {
            return None;
        }
        if moment.part.is_none()
            && let Some(found) = self.part_of_day(i, cue, moment)
        {
            return Some(found);
        }
        if moment.clock.is_none()
            && let Some((from, to, next)) = self.hours(i, cue)
        {
            return Some((Moment { clock: Some(from), until: Some(to), ..moment }, next));
        }
        // "friday eod" is friday.
        if moment.days.is_some() && matches!(self.word(i), "eod" | "cob" | "eob") {
            return Some((moment, i + 1));
        }
        match moment.days {
            None => {
                if let Some((point, next)) = self.point(i, cue) {
                    return match point {
                        Point::Days(days) => Some((Moment { days: Some(days), ..moment }, next)),
                        _ if moment.has_time() => None,
                        Point::At(at) => Some((Moment { at: Some((at, at)), ..moment }, next)),
                        Point::Between(from, to) => Some((Moment { at: Some((from, to)), ..moment }, next)),
                    };
                }
            }
            Some(days) => {
                // "Aug 5 12:00 2015".
                if let (Kind::Yearless, true, Some(year)) = (days.kind, moment.clock.is_some(), self.year(i)) {
                    let day = days.first.with_year(i32::try_from(year).ok()?)?;
                    return Some((Moment { days: Some(Days::one(day, Kind::Full)), conflict: false, ..moment }, i + 1));
                }
                // "friday the 13th".
                let after_weekday = if days.kind == Kind::Weekday { Cue { name: true, ..Cue::SURE } } else { cue };
                let more = self.days(i, after_weekday);
                let joined = more.and_then(|(more, next)| Some((days.joined(more, self.today)?, next)));
                if let Some((days, next)) = joined {
                    let next = if self.glued_sign(next) == Some(')') { next + 1 } else { next };
                    return Some((Moment { days: Some(days), ..moment }, next));
                }
                let dated = |kind| matches!(kind, Kind::Yearless | Kind::Other | Kind::DayOfMonth);
                let conflict = |more: Days| {
                    let one = more.is_one() && days.is_one();
                    one && (days.kind == Kind::Weekday && dated(more.kind)
                        || dated(days.kind) && more.kind == Kind::Weekday)
                };
                if let Some((more, next)) = more.filter(|(more, _)| conflict(*more)) {
                    let days = if days.kind == Kind::Weekday { more } else { days };
                    return Some((Moment { days: Some(days), conflict: true, ..moment }, next));
                }
            }
        }
        if moment.clock.is_some() {
            return None;
        }
        // "friday 1300": after a day four digits are a time, unless they may be a year.
        let four = self.digits(i).is_some_and(|digits| digits.len() == 4);
        let dated = moment.days.is_some_and(|days| days.kind != Kind::Yearless && days.kind != Kind::Month);
        let pointed = moment.days.is_some_and(|days| days.kind == Kind::Full) && self.glued_sign(i + 1) == Some('.');
        let cue = match (pointed, four && dated) {
            (true, _) => Cue::SURE,
            (_, true) => Cue::HOUR,
            _ => cue,
        };
        let cue = if moment.part.is_some() { Cue { name: true, ..cue } } else { cue };
        let (clock, next) = self
            .clock(i, cue)
            .or_else(|| self.clock_open(i, cue).filter(|(_, next)| matches!(self.sign(*next), Some('-' | '–'))))?;
        Some((Moment { clock: Some(clock), ..moment }, next))
    }

    /// "tonight", "this morning", "in the evening", and after a day "morning" alone.
    fn part_of_day(&self, i: usize, cue: Cue, moment: Moment) -> Parsed<Moment> {
        let word = self.word(i);
        let today = |ahead| add_days(self.today, ahead).map(|day| Days::one(day, Kind::Other));
        let with = |days: Option<Days>, part: Part, next: usize| {
            Some((Moment { days: moment.days.or(days), part: Some(part), ..moment }, next))
        };
        if matches!(word, "tonight" | "tonite" | "2nite") {
            return moment.days.is_none().then(|| with(today(0), Part::Night, i + 1)).flatten();
        }
        if word == "last" && matches!(self.word(i + 1), "night" | "nite" | "evening") && moment.days.is_none() {
            return with(today(-1), lexicon::part(self.word(i + 1))?, i + 2);
        }
        if word == "this" {
            let part = lexicon::part(self.word(i + 1)).filter(|part| *part != Part::Noon)?;
            return moment.days.is_none().then(|| with(today(0), part, i + 2)).flatten();
        }
        let start = if self.words(i, &["in", "the"]) || self.words(i, &["during", "the"]) { i + 2 } else { i };
        let start = self.skip_word(start, &["early", "late", "mid"]);
        let part = lexicon::part(self.word(start))?;
        // "evening of the 25th".
        if moment == Moment::default() && self.word(start + 1) == "of" && start <= i + 1 {
            let sure = Cue { name: true, ..Cue::SURE };
            let (days, next) = self.days(start + 2, sure).filter(|(days, _)| days.is_one())?;
            return Some((Moment { days: Some(days), part: Some(part), ..moment }, next));
        }
        let led = self.word(i) == "in" || self.word(i) == "during";
        let follows = moment.days.is_some() || moment.clock.is_some();
        let at_night = part == Part::Night && i > 0 && self.word(i - 1) == "at" && follows;
        let at_lunch = part == Part::Noon && cue.hour && self.closes(start + 1);
        let after_day = moment.days.is_some() && !led && part != Part::Noon;
        if led && (self.alone || follows || self.closes(start + 1))
            || at_night
            || at_lunch
            || after_day
            || self.alone && i == 0 && self.is_end(start + 1) && part != Part::Noon
        {
            // "noon" is a time of its own.
            if part == Part::Noon && matches!(self.word(start), "noon" | "midday" | "noontime") {
                return None;
            }
            return with(None, part, start + 1);
        }
        None
    }

    /// "0930-1045", but not "2019-2020".
    fn military_hours(&self, i: usize) -> Option<(Clock, Clock, usize)> {
        let four = |i: usize| {
            let number = self.number(i).filter(|_| self.digits(i).is_some_and(|digits| digits.len() == 4))?;
            Clock::exact(number / 100, number % 100)
        };
        let dash = self.glued_sign(i + 1) == Some('-') && self.glued(i + 2) && self.ends(i + 3);
        let years = self.year(i).is_some() && self.year(i + 2).is_some();
        let (from, to) = (four(i)?, four(i + 2)?);
        (dash && !years && self.begins(i)).then_some((from, to, i + 3))
    }

    /// "3-5pm", "from 9 to 5", "10:00-11:30".
    fn hours(&self, i: usize, cue: Cue) -> Option<(Clock, Clock, usize)> {
        let bare = |i: usize| {
            let hour =
                self.number(i).filter(|hour| *hour <= 24 && self.digits(i).is_some_and(|digits| digits.len() <= 2))?;
            let clock = Clock::exact(hour, 0)?;
            Some((if (1..=12).contains(&hour) { clock.loosened() } else { clock }, i + 1))
        };
        let joint = |next: usize| {
            let dash = matches!(self.sign(next), Some('-' | '–' | '—'));
            let word = matches!(self.word(next), "to" | "until" | "till" | "til");
            let and = i > 0 && self.word(i - 1) == "between" && self.word(next) == "and";
            (dash || word || and).then_some(next + 1)
        };
        let led = i > 0 && matches!(self.word(i - 1), "between" | "from");
        if let Some(found) = self.military_hours(i) {
            return Some(found);
        }
        let (from, next) = self
            .clock_open(i, if led { Cue { name: true, ..Cue::SURE } } else { cue })
            .filter(|(_, next)| joint(*next).is_some())
            .or_else(|| bare(i).filter(|(_, next)| joint(*next).is_some()))?;
        let said = next > i + 1;
        // "20 to 7" is a time, "from 20 to 22" a range.
        if !led && self.clock_open(i, cue).is_some_and(|(_, end)| end > joint(next).unwrap_or(end)) {
            return None;
        }
        let right_cue = match (led, said || cue.hour) {
            (true, _) => Cue::SURE,
            (_, true) => Cue::HOUR,
            _ => Cue::NONE,
        };
        let (to, end) = self.clock(joint(next)?, right_cue)?;
        // "20-27 dec" is no range of hours, and "5 to 6" alone none either.
        if to.is_loose() && !said && !cue.hour {
            return None;
        }
        let (from, to) = match (from.is_loose(), to.is_loose()) {
            (true, false) => (from.before(to), to),
            (false, true) => (from, to.after(from)),
            _ => (from, to),
        };
        Some((from, to, end))
    }

    pub(crate) fn range_of(&self, moment: &Moment) -> Option<Extent> {
        if moment.conflict {
            return None;
        }
        if let Some((from, to)) = moment.at {
            return Some(Extent::Instants { from: Some(from), to: Some(to) });
        }
        if !moment.has_time() {
            let days = moment.days?;
            return Some(Extent::Days { first: Some(days.first), last: Some(days.last) });
        }
        let from = self.instant(moment)?;
        let to = match moment.until {
            None => from,
            Some(until) => {
                let day = todo_domain::zone::local(self.context.zone, from).date();
                let (time, next_day) = until.settle(moment.part.or(self.hint));
                let to = until.instant(add_days(day, i64::from(next_day))?.and_time(time), self.context.zone)?;
                let half = TimeDelta::hours(if until.is_loose() { 12 } else { 24 });
                if to > from { to } else { to.checked_add_signed(half).filter(|to| *to > from).unwrap_or(from) }
            }
        };
        Some(Extent::Instants { from: Some(from), to: Some(to) })
    }

    /// The instant of a time of day: without a day the next such time.
    fn instant(&self, moment: &Moment) -> Option<Timestamp> {
        let clock = match moment.clock {
            Some(clock) => clock,
            None => Clock::exact(moment.part?.hour(), 0)?,
        };
        let resolve = |clock: Clock, day: NaiveDate| -> Option<Timestamp> {
            let (time, next_day) = clock.settle(moment.part.or(self.hint));
            let local: NaiveDateTime = add_days(day, i64::from(next_day))?.and_time(time);
            let at = clock.instant(local, self.context.zone)?;
            is_in_range(at.date_naive()).then_some(at)
        };
        let Some(days) = moment.days else {
            let today = resolve(clock, self.today)?;
            return if today > self.context.now { Some(today) } else { resolve(clock, self.today.succ_opt()?) };
        };
        let at = resolve(clock, days.first)?;
        // "tonight" said at night is what is left of it.
        if at <= self.context.now
            && days.first == self.today
            && moment.clock.is_none()
            && moment.part == Some(Part::Night)
        {
            let late = resolve(Clock::exact(23, 59)?, days.first).filter(|late| *late > self.context.now);
            return late.or(Some(at));
        }
        if at <= self.context.now && days.first == self.today && moment.part.or(self.hint).is_none() {
            let later = clock.later().and_then(|later| resolve(later, days.first));
            return Some(later.filter(|later| *later > self.context.now).unwrap_or(at));
        }
        Some(at)
    }
}
