//! Days by their place: "first monday of next month", "last day of february", "second to last friday".

use chrono::{Datelike as _, NaiveDate, Weekday};

use crate::{
    date::{Days, Kind},
    lexicon::{self, Unit},
    relative::one,
    scan::{Parsed, Scan},
};

/// A choice of days within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DaySet {
    On(Weekday),
    Any,
    Business,
}

impl DaySet {
    pub(crate) fn has(self, day: NaiveDate) -> bool {
        match self {
            Self::On(weekday) => day.weekday() == weekday,
            Self::Any => true,
            Self::Business => !matches!(day.weekday(), Weekday::Sat | Weekday::Sun),
        }
    }
}

impl Scan<'_> {
    /// "first monday of next month", "last day of february", "third thursday in november".
    pub(crate) fn nth_of(&self, i: usize) -> Parsed<Days> {
        let start = self.skip_word(i, &["the"]);
        let (place, next) = self.place_in(start)?;
        let Some((set, end)) = self.day_set(next) else {
            let place = u32::try_from(place).ok()?;
            // "the 5th of next month".
            let of = self.skip_word(self.skip_word(next, &["day"]), &["of", "in"]);
            let (mut month, end) = self.whole(of, of > next).filter(|(days, _)| days.kind == Kind::Month)?;
            if self.words(of, &["the", "month"]) || lexicon::month(self.word(of)).is_some() {
                let day = Days::day_of_month(month, place).map(|days| days.first);
                if day.is_none_or(|day| day < self.today) {
                    let later = month.last.succ_opt()?;
                    month = Days::month(later.year(), later.month())?;
                }
            }
            return Some((Days::day_of_month(month, place)?, end));
        };
        let of = self.skip_word(end, &["of", "in"]);
        let (days, end) = self.whole(of, of > end)?;
        let day = nth_in(days, set, place)?;
        let yearless = lexicon::month(self.word(of)).is_some() && days.kind == Kind::Month;
        if day < self.today && (yearless || self.words(of, &["the", "month"])) {
            let later = if yearless {
                Days::month(days.first.year() + 1, days.first.month())?
            } else {
                self.period_at(1, Unit::Month)?
            };
            return one(nth_in(later, set, place), end);
        }
        one(Some(day), end)
    }

    /// "3rd", "last", "second to last": a place from the start, or below zero from the end.
    pub(crate) fn place_in(&self, i: usize) -> Parsed<i32> {
        if self.word(i) == "last" {
            return Some((-1, i + 1));
        }
        if self.words(i, &["next", "to", "last"]) {
            return Some((-2, i + 3));
        }
        let (place, next) = self.ordinal(i)?;
        let place = i32::try_from(place).ok()?;
        let dash = |i: usize| if self.glued_sign(i) == Some('-') { i + 1 } else { i };
        let to = dash(next);
        let last = self.skip_word(dash(to + 1), &["the"]);
        if self.word(to) == "to" && self.word(last) == "last" {
            return Some((-place, last + 1));
        }
        Some((place, next))
    }

    /// What is counted in a period: a weekday, any day, or the days from Monday to Friday.
    pub(crate) fn day_set(&self, i: usize) -> Parsed<DaySet> {
        let word = self.word(i);
        if let Some(weekday) = lexicon::weekday(word).map(|(day, _)| day).or_else(|| lexicon::weekdays(word)) {
            return Some((DaySet::On(weekday), self.skip_stop(i + 1)));
        }
        match word {
            "day" => Some((DaySet::Any, i + 1)),
            "weekday" | "workday" => Some((DaySet::Business, i + 1)),
            "business" | "working" | "work" if self.word(i + 1) == "day" => Some((DaySet::Business, i + 2)),
            _ => None,
        }
    }
}

/// The `place`th day of a set in a period, from its end if below zero.
pub(crate) fn nth_in(days: Days, set: DaySet, place: i32) -> Option<NaiveDate> {
    let skipped = usize::try_from(place.unsigned_abs().checked_sub(1)?).ok()?;
    let within = |day: &NaiveDate| (days.first..=days.last).contains(day);
    if place < 0 {
        let back = std::iter::successors(Some(days.last), NaiveDate::pred_opt);
        return back.take_while(within).filter(|day| set.has(*day)).nth(skipped);
    }
    days.first.iter_days().take_while(within).filter(|day| set.has(*day)).nth(skipped)
}
