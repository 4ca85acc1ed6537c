//! Calendar dates: "2026-12-01", "12/1/26", "jan 5 2027", "5th of january", "the 3rd".

use chrono::{Datelike as _, Months, NaiveDate, Weekday};

use crate::{
    DateOrder, lexicon,
    number::{add_days, is_in_range},
    scan::{Cue, Parsed, Scan},
};

/// Whole days, the last included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days {
    pub(crate) first: NaiveDate,
    pub(crate) last: NaiveDate,
    pub(crate) kind: Kind,
}

/// How days were named, which says what they may be joined with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By a weekday alone.
    Weekday,
    /// As a week, by a word that may have a weekday beside it.
    Week,
    /// As a month, by a word that may have a day beside it.
    Month,
    /// By a number of the month alone.
    DayOfMonth,
    /// By month and day without a year.
    Yearless,
    /// With its year.
    Full,
    /// As the last few days up to today.
    Past,
    /// In any other way.
    Other,
}

impl Days {
    pub(crate) const fn one(day: NaiveDate, kind: Kind) -> Self {
        Self { first: day, last: day, kind }
    }

    pub(crate) const fn new(first: NaiveDate, last: NaiveDate) -> Self {
        Self { first, last, kind: Kind::Other }
    }

    pub(crate) fn is_one(self) -> bool {
        self.first == self.last
    }

    /// A whole month.
    pub(crate) fn month(year: i32, month: u32) -> Option<Self> {
        let first = NaiveDate::from_ymd_opt(year, month, 1).filter(|first| is_in_range(*first))?;
        let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
        Some(Self { first, last, kind: Kind::Month })
    }

    /// What two names for days mean together ("friday, december 4"): the later name decides, and a weekday has to fit.
    pub(crate) fn joined(self, other: Self, today: NaiveDate) -> Option<Self> {
        let (weekday, dated) = match (self.kind, other.kind) {
            (Kind::Weekday, Kind::Week) => return Self::day_of_week(other, self.first.weekday()),
            (Kind::Week, Kind::Weekday) => return Self::day_of_week(self, other.first.weekday()),
            (Kind::Month, Kind::DayOfMonth) => return Self::day_of_month(self, other.first.day()),
            (Kind::DayOfMonth, Kind::Month) => return Self::day_of_month(other, self.first.day()),
            (Kind::Weekday, _) => (self.first.weekday(), other),
            (_, Kind::Weekday) => (other.first.weekday(), self),
            _ => return None,
        };
        if !dated.is_one() {
            return None;
        }
        let day = match dated.kind {
            Kind::DayOfMonth => {
                // "Friday the 13th": the next one.
                let day = dated.first.day();
                let month = |ahead| first_of(today)?.checked_add_months(Months::new(ahead))?.with_day(day);
                (0..60).filter_map(month).find(|it| *it >= today && it.weekday() == weekday)?
            }
            // A full date is surer than its weekday.
            Kind::Full => return Some(dated),
            _ => dated.first,
        };
        let kind = if dated.kind == Kind::Yearless { Kind::Yearless } else { Kind::Other };
        (day.weekday() == weekday).then_some(Self::one(day, kind))
    }

    fn day_of_week(week: Self, weekday: Weekday) -> Option<Self> {
        week.first.iter_days().take(7).find(|day| day.weekday() == weekday).map(|day| Self::one(day, Kind::Other))
    }

    pub(crate) fn day_of_month(month: Self, day: u32) -> Option<Self> {
        month.first.with_day(day).map(|day| Self::one(day, Kind::Other))
    }
}

pub(crate) fn first_of(day: NaiveDate) -> Option<NaiveDate> {
    day.with_day(1)
}

impl Scan<'_> {
    /// A date of the calendar.
    pub(crate) fn date(&self, i: usize, cue: Cue) -> Parsed<Days> {
        let numbers = self.skip_word(i, &["the"]);
        self.iso(numbers, cue)
            .or_else(|| self.numeric(numbers, cue))
            .or_else(|| self.year_first(i))
            .or_else(|| self.month_day(i))
            .or_else(|| self.day_month(i))
            .or_else(|| self.month_year(i))
            .or_else(|| self.day_of_this_month(i, cue))
    }

    /// "2026-12-01", "2026/12/1", "20261201".
    fn iso(&self, i: usize, cue: Cue) -> Parsed<Days> {
        let digits = self.digits(i)?;
        if digits.len() == 8 && (cue.name || self.alone || self.glued_word(i + 1) == "t") {
            let number = self.number(i)?;
            return Some((ymd(number / 10_000, number / 100 % 100, number % 100)?, i + 1));
        }
        let sign = self.glued_sign(i + 1).filter(|sign| matches!(sign, '-' | '/' | '.'))?;
        if digits.len() != 4 || self.glued_sign(i + 3) != Some(sign) {
            return None;
        }
        let month =
            self.glued_number(i + 2).or_else(|| lexicon::month(self.glued_word(i + 2)).map(|(month, _)| month))?;
        Some((ymd(self.number(i)?, month, self.glued_number(i + 4)?)?, i + 5))
    }

    /// "12/25", "12/25/26", "25.12.2026": month first by default, day first where points part them or nothing else is
    /// possible.
    fn numeric(&self, i: usize, cue: Cue) -> Parsed<Days> {
        let two = |i: usize| self.digits(i).filter(|digits| digits.len() <= 2).and_then(|_| self.number(i));
        let sign = self.glued_sign(i + 1).filter(|sign| matches!(sign, '-' | '/' | '.'))?;
        if sign == '/'
            && self.glued(i + 2)
            && let (Some(month), Some(year)) = (two(i), self.year(i + 2).and_then(|year| i32::try_from(year).ok()))
        {
            return Some((Days { kind: Kind::Other, ..Days::month(year, month)? }, i + 3));
        }
        let (a, b) = (two(i)?, two(i + 2).filter(|_| self.glued(i + 2))?);
        let day_first = sign == '.' || self.context.date_order == DateOrder::DayFirst;
        let (month, day) = match (a, b) {
            (1..=12, 13..=31) => (a, b),
            (13..=31, 1..=12) => (b, a),
            _ if day_first => (b, a),
            _ => (a, b),
        };
        if self.glued_sign(i + 3) == Some(sign) && self.glued(i + 4) {
            let year = self.year_digits(i + 4).filter(|_| sign == '/' || self.is_padded(i))?;
            return Some((ymd(year, month, day)?, i + 5));
        }
        // "25.12."
        let stopped = sign == '.' && self.glued_sign(i + 3) == Some('.') && !self.glued(i + 4);
        if stopped && (cue.name || self.alone) {
            return Some((self.coming(month, day)?, i + 4));
        }
        // "1/2 cup" and "24/7" are no dates.
        let fraction =
            a < b && matches!(b, 2 | 3 | 4 | 5 | 8 | 16) && !self.digits(i + 2).is_some_and(|it| it.starts_with('0'));
        let next_is_time = || self.clock(self.skip_word(self.skip_comma(i + 3), &["at"]), Cue::NONE).is_some();
        let fits = sign == '/'
            && (a, b) != (24, 7)
            && (cue.name || cue.hour || self.alone || next_is_time() || !fraction && (i == 0 || self.closes(i + 3)));
        fits.then(|| self.coming(month, day)).flatten().map(|days| (days, i + 3))
    }

    /// Whether a date in numbers is too careful to be a version number: two digits each, or a year of four.
    fn is_padded(&self, i: usize) -> bool {
        let length = |i: usize| self.digits(i).map_or(0, str::len);
        length(i + 4) == 4 || length(i) == 2 && length(i + 2) == 2
    }

    /// "2009 May 22nd".
    fn year_first(&self, i: usize) -> Parsed<Days> {
        let (year, (month, _)) = (self.year(i)?, lexicon::month(self.word(i + 1))?);
        let (day, next) = self.day_number(i + 2)?;
        Some((ymd(year, month, day)?, next))
    }

    /// "jan 5", "January 5th, 2027", "march the third".
    pub(crate) fn month_day(&self, i: usize) -> Parsed<Days> {
        let (month, _) = lexicon::month(self.word(i))?;
        let mut next = self.skip_stop(i + 1);
        if self.glued_sign(next) == Some('-') || self.glued_sign(next) == Some('/') {
            next += 1;
        }
        let next = self.skip_word(self.skip_comma(next), &["the"]);
        let (day, end) = self.day_number(next)?;
        self.with_year(month, day, end)
    }

    /// "5 jan", "the 5th of January 2027", "5-jan-2027".
    fn day_month(&self, i: usize) -> Parsed<Days> {
        let start = self.skip_word(i, &["the"]);
        let (day, mut next) = self.day_number(start)?;
        if matches!(self.glued_sign(next), Some('-' | '/' | '.')) {
            next += 1;
        }
        let next = self.skip_word(next, &["of", "day"]);
        let next = self.skip_word(next, &["of"]);
        let (month, _) = lexicon::month(self.word(next))?;
        let end = self.skip_stop(next + 1);
        if let Some(sign @ ('-' | '/' | '.')) = self.glued_sign(end)
            && let Some(year) = self.year_digits(end + 1).filter(|_| self.glued(end + 1) && sign != '.')
        {
            return Some((ymd(year, month, day)?, end + 2));
        }
        self.with_year(month, day, end)
    }

    /// A day of a month, in digits or as a place in a row; not the hour of a time.
    fn day_number(&self, i: usize) -> Parsed<u32> {
        if let Some((day, next)) = self.ordinal(i) {
            return (1..=31).contains(&day).then_some((day, next));
        }
        let day =
            self.number(i).filter(|day| (1..=31).contains(day) && self.digits(i).is_some_and(|it| it.len() <= 2))?;
        let is_time = self.half(i + 1).is_some()
            || self.glued_sign(i + 1) == Some(':')
            || matches!(self.glued_word(i + 1), "h")
            || matches!(self.word(i + 1), "o'clock" | "oclock");
        let apart = !self.glued(i + 1) || self.sign(i + 1).is_some() || lexicon::month(self.word(i + 1)).is_some();
        (!is_time && apart).then_some((day, i + 1))
    }

    /// A year after a month and a day, or the next time they come.
    fn with_year(&self, month: u32, day: u32, next: usize) -> Parsed<Days> {
        let after = self.skip_word(self.skip_comma(next), &["of", "in"]);
        if let Some(year) = self.year(after) {
            return Some((ymd(year, month, day)?, after + 1));
        }
        let short = self.digits(after + 1).is_some_and(|digits| digits.len() == 2) && self.glued(after + 1);
        if matches!(self.sign(after), Some('\'' | '’')) && short {
            return Some((ymd(self.year_digits(after + 1)?, month, day)?, after + 2));
        }
        Some((self.coming(month, day)?, next))
    }

    /// "june 2027".
    fn month_year(&self, i: usize) -> Parsed<Days> {
        let (month, _) = lexicon::month(self.word(i))?;
        let next = self.skip_word(self.skip_comma(self.skip_stop(i + 1)), &["of"]);
        let year = self.year(next)?;
        Some((Days { kind: Kind::Other, ..Days::month(i32::try_from(year).ok()?, month)? }, next + 1))
    }

    /// Four digits that are a year rather than a time or a count.
    pub(crate) fn year(&self, i: usize) -> Option<u32> {
        let year = self.number(i).filter(|_| self.digits(i).is_some_and(|digits| digits.len() == 4))?;
        let counted = matches!(self.word(i + 1), "hours" | "hrs")
            || self.half(i + 1).is_some()
            || self.glued_sign(i + 1) == Some(':');
        ((1_900..2_200).contains(&year) && !counted).then_some(year)
    }

    /// A year of two digits (69 and below are of this century) or four.
    fn year_digits(&self, i: usize) -> Option<u32> {
        let number = self.number(i)?;
        match self.digits(i)?.len() {
            4 => Some(number),
            2 if number < 70 => Some(number + 2_000),
            2 => Some(number + 1_900),
            _ => None,
        }
    }

    /// "the 3rd", "on 15th": the next day with that number, today included.
    fn day_of_this_month(&self, i: usize, cue: Cue) -> Parsed<Days> {
        let start = self.skip_word(i, &["the"]);
        let (day, next) = match self.ordinal_digits(start) {
            Some(digits) => digits,
            None if cue.name && start > i => self.ordinal(start)?,
            None => return None,
        };
        let next = self.skip_word(next, &["day"]);
        let terminal = self.is_end(next) || self.sign(next).is_some_and(|sign| matches!(sign, ',' | ';' | ')' | ':'));
        let timed = || {
            let at = matches!(self.word(next), "at" | "from" | "by") || self.sign(next) == Some('@');
            at || self.clock(next, Cue::NONE).is_some()
        };
        let counts = matches!(self.word(next), "of" | "and" | "or" | "in" | "time" | "is" | "as");
        let in_words = self.digits(start).is_none();
        let fits = self.alone
            || cue.sure
            || cue.name && self.closes(next) && !counts && !in_words
            || cue.name && terminal
            || start > i && (terminal || timed());
        if !fits {
            return None;
        }
        let month = |ahead| first_of(self.today)?.checked_add_months(Months::new(ahead))?.with_day(day);
        let date = (0..12).filter_map(month).find(|date| *date >= self.today)?;
        Some((Days::one(date, Kind::DayOfMonth), next))
    }

    /// The next such day of the year, today included.
    pub(crate) fn coming(&self, month: u32, day: u32) -> Option<Days> {
        let year = self.today.year();
        // Leap days are at most eight years apart.
        let date = (year..=year + 8)
            .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
            .find(|date| *date >= self.today)?;
        is_in_range(date).then_some(Days::one(date, Kind::Yearless))
    }

    /// A month by its name alone: the present one if it is that, else the next.
    pub(crate) fn coming_month(&self, month: u32) -> Option<Days> {
        let year = self.today.year();
        Days::month(if month < self.today.month() { year + 1 } else { year }, month)
    }

    /// The week with `day` in it.
    pub(crate) fn week_of(&self, day: NaiveDate) -> Option<Days> {
        let into = day.weekday().days_since(self.context.week_start);
        let first = add_days(day, -i64::from(into))?;
        Some(Days { first, last: add_days(first, 6)?, kind: Kind::Week })
    }
}

fn ymd(year: u32, month: u32, day: u32) -> Option<Days> {
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    is_in_range(date).then_some(Days::one(date, Kind::Full))
}
