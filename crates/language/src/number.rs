//! Numbers in digits and words, places in a row, and lengths of time.

use chrono::{Datelike as _, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, Weekday};
use todo_domain::{Timestamp, limits, zone};

use crate::{
    Context,
    lexicon::{self, Unit},
    scan::{Parsed, Scan},
};

/// A length of time: calendar parts first, then what elapses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Length {
    pub(crate) months: i64,
    pub(crate) days: i64,
    pub(crate) business_days: i64,
    pub(crate) seconds: i64,
}

impl Length {
    pub(crate) const fn days(days: i64) -> Self {
        Self { months: 0, days, business_days: 0, seconds: 0 }
    }

    /// `thousandths` of a unit, if that is a whole number of what the unit is made of.
    pub(crate) fn of(thousandths: i64, unit: Unit) -> Option<Self> {
        let whole = |per_unit: i64| {
            let total = thousandths.checked_mul(per_unit)?;
            (total % 1000 == 0).then_some(total / 1000)
        };
        let part = |per_unit: i64| thousandths.checked_mul(per_unit).map(|total| total / 1000);
        let none = Self::default();
        Some(match unit {
            Unit::Second => Self { seconds: part(1)?, ..none },
            Unit::Minute => Self { seconds: part(60)?, ..none },
            Unit::Hour => Self { seconds: part(3_600)?, ..none },
            Unit::Day => match whole(1) {
                Some(days) => Self { days, ..none },
                None => Self { seconds: part(86_400)?, ..none },
            },
            Unit::BusinessDay => Self { business_days: whole(1)?, ..none },
            Unit::Week => Self { days: whole(7).or_else(|| whole(2).map(|halves| halves * 7 / 2))?, ..none },
            Unit::Fortnight => Self { days: whole(14)?, ..none },
            Unit::Month => match whole(1) {
                Some(months) => Self { months, ..none },
                None => Self { months: thousandths / 1000, days: (thousandths % 1000) * 30 / 1000, ..none },
            },
            Unit::Quarter => Self { months: whole(3)?, ..none },
            Unit::Year => Self { months: whole(12)?, ..none },
            Unit::Decade => Self { months: whole(120)?, ..none },
        })
    }

    fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_add(other.months)?,
            days: self.days.checked_add(other.days)?,
            business_days: self.business_days.checked_add(other.business_days)?,
            seconds: self.seconds.checked_add(other.seconds)?,
        })
    }

    pub(crate) const fn negated(self) -> Self {
        Self { months: -self.months, days: -self.days, business_days: -self.business_days, seconds: -self.seconds }
    }

    /// Whether it is made of whole days and more.
    pub(crate) const fn is_whole_days(self) -> bool {
        self.seconds == 0
    }

    /// The day this long after `day`, `seconds` left out. The 31st of a shorter month is its last day.
    pub(crate) fn day_after(self, day: NaiveDate) -> Option<NaiveDate> {
        let months = Months::new(u32::try_from(self.months.unsigned_abs()).ok()?);
        let day = if self.months < 0 { day.checked_sub_months(months) } else { day.checked_add_months(months) }?;
        add_business_days(add_days(day, self.days)?, self.business_days)
    }

    /// The instant this long after a local time: the calendar parts on the clock face, the rest elapsed.
    pub(crate) fn instant_after(self, local: NaiveDateTime, context: &Context) -> Option<Timestamp> {
        let day = self.day_after(local.date())?;
        let start = in_range(day.and_time(local.time()), context)?;
        start.checked_add_signed(TimeDelta::try_seconds(self.seconds)?)
    }

    /// In seconds, days as 24 hours; nothing if months are in it.
    pub(crate) fn fixed_seconds(self) -> Option<i64> {
        if self.months != 0 || self.business_days != 0 {
            return None;
        }
        self.days.checked_mul(86_400)?.checked_add(self.seconds)
    }
}

/// The instant of a local time in the years that dates may have.
pub(crate) fn in_range(local: NaiveDateTime, context: &Context) -> Option<Timestamp> {
    is_in_range(local.date()).then(|| zone::resolve(context.zone, local))
}

/// Whether a day is in the years that a task may carry, less the last, so that neither a zone nor a day more leaves them.
pub(crate) fn is_in_range(day: NaiveDate) -> bool {
    (limits::YEAR_MIN..limits::YEAR_MAX).contains(&day.year())
}

/// The day so many days later, or earlier.
pub(crate) fn add_days(day: NaiveDate, days: i64) -> Option<NaiveDate> {
    let count = Days::new(days.unsigned_abs());
    let day = if days < 0 { day.checked_sub_days(count) } else { day.checked_add_days(count) };
    day.filter(|day| is_in_range(*day))
}

fn add_business_days(day: NaiveDate, count: i64) -> Option<NaiveDate> {
    let step = count.signum();
    // Whole weeks at once, the rest day by day.
    let mut day = add_days(day, (count / 5).checked_mul(7)?)?;
    let mut left = (count % 5).abs();
    while left > 0 {
        day = add_days(day, step)?;
        if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            left -= 1;
        }
    }
    // From a weekend whole weeks end on one.
    while count != 0 && matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
        day = add_days(day, step)?;
    }
    Some(day)
}

impl Scan<'_> {
    /// "12", "twenty-one", "a hundred and five".
    pub(crate) fn cardinal(&self, i: usize) -> Parsed<u32> {
        if let Some(number) = self.number(i) {
            return Some((number, i + 1));
        }
        let (hundreds, mut next) = match self.below_hundred(i) {
            Some((count, next)) if self.word(next) == "hundred" => (count * 100, next + 1),
            Some(small) => return Some(small),
            None if self.words(i, &["a", "hundred"]) => (100, i + 2),
            None if self.word(i) == "dozen" => return Some((12, i + 1)),
            None if self.words(i, &["a", "dozen"]) => return Some((12, i + 2)),
            None => return None,
        };
        let tail = self.skip_word(next, &["and"]);
        let mut number = hundreds;
        if let Some((rest, end)) = self.below_hundred(tail) {
            number += rest;
            next = end;
        }
        Some((number, next))
    }

    fn below_hundred(&self, i: usize) -> Parsed<u32> {
        if let Some(small) = lexicon::small(self.word(i)) {
            return Some((small, i + 1));
        }
        let tens = lexicon::tens(self.word(i))?;
        let ones = if self.glued_sign(i + 1) == Some('-') { i + 2 } else { i + 1 };
        match lexicon::small(self.word(ones)).filter(|ones| (1..10).contains(ones)) {
            Some(small) => Some((tens + small, ones + 1)),
            None => Some((tens, i + 1)),
        }
    }

    /// "3rd", "third", "twenty-first".
    pub(crate) fn ordinal(&self, i: usize) -> Parsed<u32> {
        self.ordinal_digits(i).or_else(|| {
            if let Some(nth) = lexicon::nth(self.word(i)) {
                return Some((nth, i + 1));
            }
            let tens = lexicon::tens(self.word(i))?;
            let ones = if self.glued_sign(i + 1) == Some('-') { i + 2 } else { i + 1 };
            let nth = lexicon::nth(self.word(ones)).filter(|nth| *nth < 10)?;
            Some((tens + nth, ones + 1))
        })
    }

    /// "3rd".
    pub(crate) fn ordinal_digits(&self, i: usize) -> Parsed<u32> {
        let number = self.number(i)?;
        matches!(self.glued_word(i + 1), "st" | "nd" | "rd" | "th").then_some((number, i + 2))
    }

    /// How much of a unit, in thousandths: "2", "1.5", "half an", "a couple of", "one and a half".
    fn quantity(&self, i: usize) -> Parsed<i64> {
        let word = self.word(i);
        match word {
            "half" => return Some((500, self.skip_word(i + 1, &["a", "an"]))),
            "quarter" if self.word(i + 1) == "of" => return Some((250, self.skip_word(i + 2, &["a", "an"]))),
            "couple" => return Some((2_000, self.skip_word(i + 1, &["of"]))),
            "few" => return Some((3_000, i + 1)),
            "a" | "an" | "the" => match self.word(i + 1) {
                "couple" | "few" => return self.quantity(i + 1),
                "half" if self.word(i + 2) != "an" => return Some((500, i + 2)),
                "hundred" | "dozen" => {}
                "quarter" if self.word(i + 2) == "of" => return self.quantity(i + 1),
                _ => return (word != "the").then_some((1_000, i + 1)),
            },
            _ => {}
        }
        if let Some(part) = self.half_or_quarter(i) {
            return Some((part, i + 3));
        }
        let (whole, next) = self.cardinal(i)?;
        let whole = i64::from(whole).checked_mul(1_000)?;
        if let Some((fraction, end)) = self.fraction(next) {
            return Some((whole + fraction, end));
        }
        let quarters = if self.glued_sign(next) == Some('-') { next + 1 } else { next };
        if whole == 3_000 && self.words(quarters, &["quarters", "of"]) {
            return Some((750, self.skip_word(quarters + 2, &["a", "an"])));
        }
        Some((whole, next))
    }

    /// What follows a whole number: ".5", "and a half", "1/2".
    fn fraction(&self, i: usize) -> Parsed<i64> {
        if matches!(self.glued_sign(i), Some('.' | ',')) {
            let digits = self.digits(i + 1).filter(|digits| digits.len() <= 3 && self.glued(i + 1))?;
            let scale = 10_i64.pow(3 - u32::try_from(digits.len()).ok()?);
            return Some((digits.parse::<i64>().ok()? * scale, i + 2));
        }
        if let Some(half) = self.half_or_quarter(i) {
            return Some((half, i + 3));
        }
        self.and_a_half(i)
    }

    /// "1/2", "1/4", "3/4".
    fn half_or_quarter(&self, i: usize) -> Option<i64> {
        let under = self.glued_number(i + 2).filter(|_| self.glued_sign(i + 1) == Some('/'))?;
        match (self.number(i)?, under) {
            (1, 2) => Some(500),
            (1, 4) => Some(250),
            (3, 4) => Some(750),
            _ => None,
        }
    }

    fn and_a_half(&self, i: usize) -> Parsed<i64> {
        let article = matches!(self.word(i + 1), "a" | "an");
        let part = match self.word(i + 2) {
            "half" => 500,
            "quarter" => 250,
            _ => return None,
        };
        (self.word(i) == "and" && article).then_some((part, i + 3))
    }

    /// A unit after its number; letters alone only when glued to it.
    fn unit_at(&self, i: usize) -> Parsed<Unit> {
        let word = self.word(i);
        if matches!(word, "business" | "working" | "work" | "week") && matches!(self.word(i + 1), "day" | "days") {
            return Some((Unit::BusinessDay, i + 2));
        }
        if self.word(i + 1) == "time" && word.ends_with("'s") {
            return Some((lexicon::unit(word.trim_end_matches("'s"))?, i + 2));
        }
        let unit = if self.glued(i) { lexicon::short_unit(word) } else { lexicon::unit(word) }?;
        if matches!(self.glued_sign(i + 1), Some('\'' | '’')) && self.word(i + 2) == "time" {
            return Some((unit, i + 3));
        }
        Some((unit, self.skip_stop(i + 1)))
    }

    /// "2 hours", "an hour and a half", "1 day, 2 hours and 5 min", "1h30".
    pub(crate) fn length(&self, i: usize) -> Parsed<Length> {
        self.length_until(i, self.tokens.len())
    }

    /// The same, of no unit that begins at `end` or later.
    pub(crate) fn length_until(&self, i: usize, end: usize) -> Parsed<Length> {
        let (mut total, mut last, mut next) = self.length_of_one(i)?;
        while next < end {
            let joint = self.skip_comma(next);
            let joint = self.skip_word(joint, &["and"]);
            let joint = if matches!(self.sign(joint), Some('+' | '&')) { joint + 1 } else { joint };
            let Some((more, unit, after)) = self.length_of_one(joint) else { break };
            // "2 days 3 days" is no length.
            if unit >= last || (joint == next && self.word(next) == "a") {
                break;
            }
            (total, last, next) = (total.plus(more)?, unit, after);
        }
        if last == Unit::Hour
            && self.glued(next)
            && let Some(minutes) = self.number(next).filter(|minutes| *minutes < 60)
        {
            total = total.plus(Length::of(i64::from(minutes) * 1_000, Unit::Minute)?)?;
            next += 1;
        }
        self.ends(next).then_some((total, next))
    }

    fn length_of_one(&self, i: usize) -> Option<(Length, Unit, usize)> {
        if i >= self.tokens.len() {
            return None;
        }
        let (mut thousandths, next) = self.quantity(i)?;
        let (unit, mut next) = self.unit_at(next)?;
        if thousandths == 1_000
            && self.digits(i).is_none()
            && let Some((more, end)) = self.and_a_half(next)
        {
            (thousandths, next) = (thousandths + more, end);
        }
        Some((Length::of(thousandths, unit)?, unit, next))
    }
}
