//! Days and instants counted from now or from another day: "tomorrow", "next friday", "in 3 days", "end of month",
//! "first monday of june", "a week from tuesday".

use chrono::{Datelike as _, Months, NaiveDate, Weekday};
use todo_domain::Timestamp;

use crate::{
    date::{Days, Kind, first_of},
    lexicon::{self, Unit, Which},
    nth::{DaySet, nth_in},
    number::{Length, add_days},
    scan::{Cue, Parsed, Scan},
};

/// Days, or an instant that a length of time leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    Days(Days),
    At(Timestamp),
    Between(Timestamp, Timestamp),
}

impl Scan<'_> {
    /// Days in any way they can be named.
    pub(crate) fn point(&self, i: usize, cue: Cue) -> Parsed<Point> {
        self.counted(i).or_else(|| {
            let (days, next) = self.days(i, cue)?;
            Some((Point::Days(days), next))
        })
    }

    /// Days that are not counted from other days.
    pub(crate) fn days(&self, i: usize, cue: Cue) -> Parsed<Days> {
        self.date(i, cue)
            .or_else(|| self.nth_of(i))
            .or_else(|| self.edge_of(i))
            .or_else(|| self.near(i))
            .or_else(|| self.pointed(i, cue))
            .or_else(|| self.weekday(i, cue))
            .or_else(|| self.holiday(i, cue))
    }

    /// "today", "tomorrow", "day after tomorrow".
    pub(crate) fn near(&self, i: usize) -> Parsed<Days> {
        let start = self.skip_word(i, &["the"]);
        if self.word(start) == "day" {
            let sign = match self.word(start + 1) {
                "after" => 1,
                "before" => -1,
                _ => return None,
            };
            let day = lexicon::near_day(self.word(start + 2)).filter(|day| *day == sign)?;
            return one(add_days(self.today, day + sign), start + 3);
        }
        let day = lexicon::near_day(self.word(i))?;
        let weeks = i64::from(self.word(i + 1) == "week" && self.closes(i + 2));
        let next = if weeks == 1 { i + 2 } else { i + 1 };
        one(add_days(self.today, day + 7 * weeks), next)
    }

    /// "this week", "next friday", "last month", "coming weekend", "next 3 days", "the week after next".
    fn pointed(&self, i: usize, cue: Cue) -> Parsed<Days> {
        let start = self.skip_word(i, &["the"]);
        if let Some((days, next)) = self.after_next(start) {
            return Some((days, next));
        }
        if cue.name && start > i && self.word(start) == "weekend" && self.closes(start + 1) {
            return Some((self.period(Which::This, Unit::Week, true)?, start + 1));
        }
        if self.words(start, &["week", "of"]) || self.words(start, &["week", "beginning"]) {
            let (day, next) = self.date(start + 2, Cue::BOTH).or_else(|| self.weekday(start + 2, Cue::BOTH))?;
            return Some((self.week_of(day.first)?, next));
        }
        let mut which = lexicon::which(self.word(start))?;
        let mut next = start + 1;
        // "this past friday", "this coming week".
        if let (Which::This, Some(second)) = (which, lexicon::which(self.word(next))) {
            (which, next) = (second, next + 1);
            if self.word(next - 1) == "next" || self.word(next - 1) == "following" {
                which = Which::This;
            }
        }
        let word = self.word(next);
        if let Some((weekday, _)) = lexicon::weekday(word) {
            return one(self.which_weekday(which, weekday), self.skip_stop(next + 1));
        }
        if matches!(word, "weekend" | "wknd" | "wkend") {
            return Some((self.period(which, Unit::Week, true)?, next + 1));
        }
        if let Some((days, end)) = self.month_day(next).filter(|_| which != Which::Last) {
            return Some((days, end));
        }
        if let Some((month, _)) = lexicon::month(word) {
            // "this may change".
            let verb = matches!(word, "may" | "march" | "mar");
            let fits = if which == Which::This { self.is_end(next + 1) } else { self.closes(next + 1) };
            if verb && !fits {
                return None;
            }
            return Some((self.which_month(which, month)?, next + 1));
        }
        let unit = lexicon::unit(word)?;
        // "last week of september" is counted there, not from now.
        if self.word(next + 1) == "of" {
            return None;
        }
        let days = self.period(which, unit, false)?;
        let on = self.skip_word(self.skip_word(next + 1, &["on"]), &["the"]);
        if days.kind == Kind::Month
            && on > next + 1
            && let Some((day, end)) = self.ordinal(on)
        {
            return Some((Days::day_of_month(days, day)?, end));
        }
        Some((days, next + 1))
    }

    /// "week after next", "month after next".
    fn after_next(&self, i: usize) -> Parsed<Days> {
        if !self.words(i + 1, &["after", "next"]) {
            return None;
        }
        let word = self.word(i);
        if let Some((weekday, _)) = lexicon::weekday(word) {
            let coming = self.which_weekday(Which::This, weekday)?;
            return one(add_days(coming, if coming == self.today { 14 } else { 7 }), i + 3);
        }
        if word == "weekend" {
            let next = self.period(Which::Next, Unit::Week, true)?;
            return Some((Days::new(add_days(next.first, 7)?, add_days(next.last, 7)?), i + 3));
        }
        Some((self.period_at(2, lexicon::unit(word)?)?, i + 3))
    }

    /// A weekday with "this" (the coming one, today included), "next" (that of next week) or "last" (before today).
    pub(crate) fn which_weekday(&self, which: Which, weekday: Weekday) -> Option<NaiveDate> {
        let ahead = i64::from(weekday.days_since(self.today.weekday()));
        match which {
            Which::This => add_days(self.today, ahead),
            Which::Last => add_days(self.today, if ahead == 0 { -7 } else { ahead - 7 }),
            Which::Next => {
                let week = self.period_at(1, Unit::Week)?;
                week.first.iter_days().take(7).find(|day| day.weekday() == weekday)
            }
        }
    }

    fn which_month(&self, which: Which, month: u32) -> Option<Days> {
        let (year, now) = (self.today.year(), self.today.month());
        let year = match which {
            Which::This => return self.coming_month(month),
            Which::Next => year + i32::from(month <= now),
            Which::Last => year - i32::from(month >= now),
        };
        Days::month(year, month)
    }

    /// The present, next or last week, weekend, month, quarter or year; of smaller units there is none.
    fn period(&self, which: Which, unit: Unit, weekend: bool) -> Option<Days> {
        let ahead = match which {
            Which::This => 0,
            Which::Next => 1,
            Which::Last => -1,
        };
        if !weekend {
            return self.period_at(ahead, unit);
        }
        let saturday = match self.today.weekday() {
            Weekday::Sun => self.today.pred_opt()?,
            today => add_days(self.today, i64::from(Weekday::Sat.days_since(today)))?,
        };
        let saturday = add_days(saturday, 7 * ahead)?;
        let first = if ahead == 0 { saturday.max(self.today) } else { saturday };
        Some(Days::new(first, saturday.succ_opt()?))
    }

    pub(crate) fn period_at(&self, ahead: i64, unit: Unit) -> Option<Days> {
        let shifted = |months: i64| {
            Length { months: ahead.checked_mul(months)?, ..Length::default() }.day_after(first_of(self.today)?)
        };
        match unit {
            Unit::Week => self.week_of(add_days(self.today, ahead.checked_mul(7)?)?),
            Unit::Month => {
                let first = shifted(1)?;
                Days::month(first.year(), first.month())
            }
            Unit::Quarter => {
                let into = self.today.month0() % 3;
                let first = shifted(3)?.checked_sub_months(Months::new(into))?;
                Some(Days::new(first, first.checked_add_months(Months::new(3))?.pred_opt()?))
            }
            Unit::Year => {
                let year = shifted(12)?.year();
                Some(Days::new(NaiveDate::from_ymd_opt(year, 1, 1)?, NaiveDate::from_ymd_opt(year, 12, 31)?))
            }
            _ => None,
        }
    }

    /// A weekday alone: the next one, never today.
    fn weekday(&self, i: usize, cue: Cue) -> Parsed<Days> {
        let start = if cue.name { self.skip_word(i, &["the"]) } else { i };
        let (weekday, weak) = lexicon::weekday(self.word(start))?;
        let next = self.skip_stop(start + 1);
        if weak && !cue.name && !self.alone && !self.is_weekday_here(start, next) {
            return None;
        }
        if i.checked_sub(1).is_some_and(|before| {
            matches!(
                self.word(before),
                "black"
                    | "good"
                    | "cyber"
                    | "ash"
                    | "palm"
                    | "shrove"
                    | "freaky"
                    | "ruby"
                    | "casual"
                    | "the"
                    | "a"
                    | "super"
                    | "bloody"
                    | "giving"
            ) && !(cue.name && self.word(before) == "the")
        }) {
            return None;
        }
        let ahead = match i64::from(weekday.days_since(self.today.weekday())) {
            0 => 7,
            ahead => ahead,
        };
        // "friday week" is a week later than friday.
        if self.word(next) == "week" {
            return one(add_days(self.today, ahead + 7).filter(|_| self.closes(next + 1)), next + 1);
        }
        Some((Days::one(add_days(self.today, ahead)?, Kind::Weekday), next))
    }

    /// Whether "sat" or "sun" is a day: at the end, or before more of a date.
    fn is_weekday_here(&self, i: usize, next: usize) -> bool {
        let before = i.checked_sub(1).map_or("", |before| self.word(before));
        let named = matches!(
            before,
            "the"
                | "a"
                | "an"
                | "my"
                | "his"
                | "her"
                | "he"
                | "she"
                | "it"
                | "they"
                | "we"
                | "who"
                | "in"
                | "i"
                | "and"
                | "get"
                | "newly"
                | "cat"
                | "dog"
                | "of"
        );
        let joint = self.skip_comma(next);
        let joint = self.skip_word(joint, &["at"]);
        let timed = || {
            self.clock(joint, Cue::NONE).is_some()
                || self.sign(joint) == Some('@')
                || lexicon::part(self.word(next)).is_some_and(|_| self.closes(next + 1))
                || self.date(self.skip_comma(next), Cue::NAME).is_some()
                || matches!(self.sign(next), Some(',' | ':' | '-'))
        };
        timed() || !named && self.is_end(next)
    }

    /// A period as such: "next month", "the month", "june 2027"; "june" alone where something says it is a month.
    pub(crate) fn whole(&self, i: usize, named: bool) -> Parsed<Days> {
        let start = self.skip_word(i, &["the"]);
        if let Some(unit) = lexicon::unit(self.word(start)).filter(|_| named) {
            if self.words(start + 1, &["after", "next"]) {
                return self.after_next(start);
            }
            return Some((self.period_at(0, unit)?, start + 1));
        }
        if let Some(found) = self.month_of_year(i).filter(|_| named) {
            return Some(found);
        }
        let (days, next) = self.pointed(i, Cue::NONE)?;
        (!days.is_one()).then_some((days, next))
    }

    /// "june", "june 2027", "2027".
    fn month_of_year(&self, i: usize) -> Parsed<Days> {
        if let Some(year) = self.year(i) {
            let year = i32::try_from(year).ok()?;
            return Some((
                Days::new(NaiveDate::from_ymd_opt(year, 1, 1)?, NaiveDate::from_ymd_opt(year, 12, 31)?),
                i + 1,
            ));
        }
        let (month, _) = lexicon::month(self.word(i))?;
        let next = self.skip_stop(i + 1);
        let after = self.skip_word(self.skip_comma(next), &["of", "in"]);
        match self.year(after).and_then(|year| i32::try_from(year).ok()) {
            Some(year) => Some((Days { kind: Kind::Other, ..Days::month(year, month)? }, after + 1)),
            None => Some((self.coming_month(month)?, next)),
        }
    }

    /// A month by its name, where a word before says that it is one.
    pub(crate) fn named_month(&self, i: usize) -> Parsed<Days> {
        lexicon::month(self.word(i))?;
        let (days, next) = self.month_of_year(i)?;
        self.closes(next).then_some((days, next))
    }

    /// "end of month", "eom", "beginning of next week", "mid june".
    fn edge_of(&self, i: usize) -> Parsed<Days> {
        let start = self.skip_word(i, &["the"]);
        let short = match self.word(start) {
            "eod" | "cob" | "eob" => {
                let day = self.days_after_edge(start + 1);
                let (day, next) = day.unwrap_or((self.today, start + 1));
                return one(Some(day), next);
            }
            "eow" => Some(Unit::Week),
            "eom" => Some(Unit::Month),
            "eoq" => Some(Unit::Quarter),
            "eoy" => Some(Unit::Year),
            _ => None,
        };
        if let Some(unit) = short {
            return one(Some(self.period_at(0, unit)?.last), start + 1);
        }
        let edge = self.word(start);
        let next = self.skip_word(start + 1, &["of"]);
        let said = next > start + 1;
        match edge {
            "end" | "close" if said || lexicon::which(self.word(next)).is_some() => {
                let business = self.words(next, &["business"]);
                let day = self.skip_word(next, &["the"]);
                if business || self.word(day) == "day" && !self.glued(day + 1) {
                    let end = if business { next + 1 } else { day + 1 };
                    let (day, end) = self.days_after_edge(end).unwrap_or((self.today, end));
                    return one(Some(day), end);
                }
                if let Some((near, end)) = self.near(next) {
                    return Some((near, end));
                }
                let (days, end) = self.whole(next, true)?;
                one(Some(days.last), end)
            }
            "month" if self.word(start + 1) == "end" && self.closes(start + 2) => {
                one(Some(self.period_at(0, Unit::Month)?.last), start + 2)
            }
            "year" if self.word(start + 1) == "end" && self.closes(start + 2) => {
                one(Some(self.period_at(0, Unit::Year)?.last), start + 2)
            }
            "beginning" | "start" if said => {
                let (days, end) = self.whole(next, true)?;
                one(Some(days.first), end)
            }
            "middle" | "mid" => {
                let next = if self.glued_sign(start + 1) == Some('-') { start + 2 } else { next };
                let (days, end) = self.whole(next, true)?;
                let month = days.first.day() == 1 && (days.last - days.first).num_days() <= 30;
                one(days.first.with_day(15).filter(|_| month), end)
            }
            _ => None,
        }
    }

    /// The day that "end of day" is followed by.
    fn days_after_edge(&self, i: usize) -> Parsed<NaiveDate> {
        let next = self.skip_word(i, &["on"]);
        let (days, end) =
            self.near(next).or_else(|| self.pointed(next, Cue::NAME)).or_else(|| self.weekday(next, Cue::NAME))?;
        days.is_one().then_some((days.first, end))
    }

    /// The few days that are known by name, where a word before says that the day is meant.
    fn holiday(&self, i: usize, cue: Cue) -> Parsed<Days> {
        let (month, day, next) = match self.word(i) {
            "christmas" | "xmas" => match self.word(i + 1) {
                "eve" => (12, 24, i + 2),
                "day" => (12, 25, i + 2),
                _ => (12, 25, i + 1),
            },
            "halloween" => (10, 31, i + 1),
            "thanksgiving" => (11, 0, self.skip_word(i + 1, &["day"])),
            "valentine's" | "valentines" if self.word(i + 1) == "day" => (2, 14, i + 2),
            "new" if matches!(self.word(i + 1), "year's" | "years" | "year") => match self.word(i + 2) {
                "eve" => (12, 31, i + 3),
                "day" => (1, 1, i + 3),
                _ => return None,
            },
            _ => return None,
        };
        if !(cue.name && self.closes(next) || self.alone) {
            return None;
        }
        if day > 0 {
            return Some((self.coming(month, day)?, next));
        }
        // Thanksgiving: the fourth Thursday of November.
        let year = self.today.year();
        let day = (year..=year + 1)
            .filter_map(|year| nth_in(Days::month(year, 11)?, DaySet::On(Weekday::Thu), 4))
            .find(|day| *day >= self.today);
        one(day, next)
    }

    /// The time of the present moment, for "now".
    pub(crate) fn now_at(&self, i: usize) -> Parsed<Timestamp> {
        let start = self.skip_word(i, &["right", "just"]);
        (self.word(start) == "now" && (self.is_end(start + 1)) && (self.alone || i == 0 || start > i))
            .then_some((self.context.now, start + 1))
    }
}

pub(crate) fn one(day: Option<NaiveDate>, next: usize) -> Parsed<Days> {
    Some((Days::one(day?, Kind::Other), next))
}
