//! What comes again: a rule, its RFC 5545 text, its words, and the first day it has.

use std::fmt::Write as _;

use chrono::{Datelike as _, NaiveDate, NaiveTime, Timelike as _, Weekday};

use crate::number::add_days;

/// How often a rule turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Freq {
    Minutely,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

impl Freq {
    const fn rfc(self) -> &'static str {
        match self {
            Self::Minutely => "MINUTELY",
            Self::Hourly => "HOURLY",
            Self::Daily => "DAILY",
            Self::Weekly => "WEEKLY",
            Self::Monthly => "MONTHLY",
            Self::Yearly => "YEARLY",
        }
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::Minutely => "minute",
            Self::Hourly => "hour",
            Self::Daily => "day",
            Self::Weekly => "week",
            Self::Monthly => "month",
            Self::Yearly => "year",
        }
    }
}

/// A rule of RFC 5545, as far as English speaks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) freq: Freq,
    pub(crate) interval: u32,
    /// Weekdays, with a place in the month (-1 for the last) or 0.
    pub(crate) weekdays: Vec<(i32, Weekday)>,
    /// Days of the month, -1 for the last.
    pub(crate) month_days: Vec<i32>,
    pub(crate) months: Vec<u32>,
    /// Which one of the days of a month is meant.
    pub(crate) position: Option<i32>,
    /// Times of day when there are several, all at the same minute.
    pub(crate) times: Vec<NaiveTime>,
    /// Counted from the completion of the one before.
    pub(crate) completion: bool,
}

pub(crate) const BUSINESS_DAYS: [Weekday; 5] = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];

impl Rule {
    pub(crate) const fn every(interval: u32, freq: Freq) -> Self {
        Self {
            freq,
            interval,
            weekdays: Vec::new(),
            month_days: Vec::new(),
            months: Vec::new(),
            position: None,
            times: Vec::new(),
            completion: false,
        }
    }

    pub(crate) fn on(mut self, weekdays: impl IntoIterator<Item = Weekday>) -> Self {
        for weekday in weekdays {
            if !self.weekdays.contains(&(0, weekday)) {
                self.weekdays.push((0, weekday));
            }
        }
        self.weekdays.sort_by_key(|(place, weekday)| (weekday.num_days_from_monday(), *place));
        self
    }

    /// Whether nothing is said but how often.
    pub(crate) fn is_plain(&self) -> bool {
        self.weekdays.is_empty() && self.month_days.is_empty() && self.months.is_empty() && self.times.is_empty()
    }

    /// The one weekday of a rule that is weekly and nothing else.
    pub(crate) fn is_weekly(&self) -> bool {
        let one = self.weekdays.is_empty() || matches!(self.weekdays[..], [(0, _)]);
        self.freq == Freq::Weekly && self.interval == 1 && one && self.times.is_empty()
    }

    pub(crate) fn is_daily(&self) -> bool {
        self.freq == Freq::Daily && self.interval == 1 && self.is_plain()
    }

    /// The rule as RFC 5545 writes it; weeks begin on `week_start`.
    pub(crate) fn rfc(&self, week_start: Weekday) -> String {
        let mut text = format!("FREQ={}", self.freq.rfc());
        // Writing to a string cannot fail.
        let mut part = |name: &str, value: &str| {
            let _ = write!(text, ";{name}={value}");
        };
        let list = |numbers: &mut dyn Iterator<Item = String>| numbers.collect::<Vec<_>>().join(",");
        if self.interval > 1 {
            part("INTERVAL", &self.interval.to_string());
        }
        if !self.months.is_empty() {
            part("BYMONTH", &list(&mut self.months.iter().map(ToString::to_string)));
        }
        if !self.month_days.is_empty() {
            part("BYMONTHDAY", &list(&mut self.month_days.iter().map(ToString::to_string)));
        }
        if !self.weekdays.is_empty() {
            let name = |(place, weekday): &(i32, Weekday)| {
                let place = if *place == 0 { String::new() } else { place.to_string() };
                format!("{place}{}", weekday.to_string()[..2].to_uppercase())
            };
            part("BYDAY", &list(&mut self.weekdays.iter().map(name)));
        }
        if let Some(position) = self.position {
            part("BYSETPOS", &position.to_string());
        }
        if let Some(first) = self.times.first() {
            part("BYHOUR", &list(&mut self.times.iter().map(|time| time.hour().to_string())));
            part("BYMINUTE", &first.minute().to_string());
        }
        if self.freq == Freq::Weekly && self.interval > 1 && !self.weekdays.is_empty() && week_start != Weekday::Mon {
            part("WKST", &week_start.to_string()[..2].to_uppercase());
        }
        text
    }

    /// The first day of the rule from `start` on, for rules of days; rules without days begin on `start`.
    pub(crate) fn first_day(&self, start: NaiveDate) -> Option<NaiveDate> {
        // The longest gap of a rule that can be said is that between leap days, eight years at most.
        start.iter_days().take(366 * 8 + 2).find(|day| self.has_day(*day))
    }

    fn has_day(&self, day: NaiveDate) -> bool {
        let in_month = self.months.is_empty() || self.months.contains(&day.month());
        let numbered = |wanted: &i32| match *wanted {
            wanted if wanted < 0 => from_end(day, 1) == wanted,
            wanted => i64::from(wanted) == i64::from(day.day()),
        };
        let on_number = self.month_days.is_empty() || self.month_days.iter().any(numbered);
        in_month && on_number && self.on_weekday(day)
    }

    fn on_weekday(&self, day: NaiveDate) -> bool {
        if self.weekdays.is_empty() {
            return true;
        }
        let placed = |(place, weekday): &(i32, Weekday)| {
            *weekday == day.weekday()
                && match *place {
                    0 => true,
                    nth if nth < 0 => from_end(day, 7) == nth,
                    nth => i64::from(nth) == i64::from(day.day0() / 7 + 1),
                }
        };
        if !self.weekdays.iter().any(placed) {
            return false;
        }
        // The first or the last of several weekdays in the month.
        let among = |step: i64| {
            let mut other = add_days(day, step);
            while let Some(it) = other.filter(|it| it.month() == day.month()) {
                if self.weekdays.iter().any(|(_, weekday)| *weekday == it.weekday()) {
                    return true;
                }
                other = add_days(it, step);
            }
            false
        };
        match self.position {
            None => true,
            Some(-1) => !among(1),
            Some(_) => !among(-1),
        }
    }

    /// The rule in words: "every 2 weeks on Tuesday"; times of day are written by `clock`.
    pub(crate) fn words(&self, clock: fn(NaiveTime) -> String) -> String {
        let mut words = match (self.interval, self.freq) {
            (1, Freq::Weekly) if self.has_business_days() => return self.ended("every weekday".to_owned(), clock),
            (1, freq) => format!("every {}", freq.unit()),
            (interval, freq) => format!("every {interval} {}s", freq.unit()),
        };
        if !self.months.is_empty() {
            let months = self.months.iter().map(|month| month_name(*month).to_owned()).collect();
            let _ = write!(words, " in {}", and(months));
        }
        if !self.month_days.is_empty() {
            let name = |day: &i32| if *day < 0 { format!("{} day", nth(*day)) } else { nth(*day) };
            let _ = write!(words, " on the {}", and(self.month_days.iter().map(name).collect()));
        }
        if self.has_business_days() && self.position.is_some() {
            let _ = write!(words, " on the {} working day", if self.position == Some(-1) { "last" } else { "first" });
        } else if !self.weekdays.is_empty() {
            let name = |(place, weekday): &(i32, Weekday)| match *place {
                0 => weekday_name(*weekday).to_owned(),
                place => format!("the {} {}", nth(place), weekday_name(*weekday)),
            };
            let _ = write!(words, " on {}", and(self.weekdays.iter().map(name).collect()));
        }
        self.ended(words, clock)
    }

    fn ended(&self, mut words: String, clock: fn(NaiveTime) -> String) -> String {
        if !self.times.is_empty() {
            let times = self.times.iter().map(|time| clock(*time)).collect();
            let _ = write!(words, " at {}", and(times));
        }
        if self.completion {
            words.push_str(" after it was done");
        }
        words
    }

    pub(crate) fn has_business_days(&self) -> bool {
        self.has_all(&BUSINESS_DAYS)
    }

    fn has_all(&self, weekdays: &[Weekday]) -> bool {
        self.weekdays.len() == weekdays.len() && weekdays.iter().all(|weekday| self.weekdays.contains(&(0, *weekday)))
    }
}

/// The place of a day counted back from the end of its month in steps of so many days, -1 for the last, to -5.
fn from_end(day: NaiveDate, step: i64) -> i32 {
    let leaves = |steps: &i32| add_days(day, step * i64::from(*steps)).is_none_or(|other| other.month() != day.month());
    -(1..5).find(leaves).unwrap_or(5)
}

/// "a, b and c".
pub(crate) fn and(mut words: Vec<String>) -> String {
    match words.pop() {
        Some(last) if !words.is_empty() => format!("{} and {last}", words.join(", ")),
        Some(last) => last,
        None => String::new(),
    }
}

/// "3rd", "last", "2nd to last".
fn nth(number: i32) -> String {
    if number == -1 {
        return "last".to_owned();
    }
    if number < 0 {
        return format!("{} to last", nth(-number));
    }
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

pub(crate) const fn weekday_name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}

const fn month_name(month: u32) -> &'static str {
    match month {
        1 => "January",
        2 => "February",
        3 => "March",
        4 => "April",
        5 => "May",
        6 => "June",
        7 => "July",
        8 => "August",
        9 => "September",
        10 => "October",
        11 => "November",
        _ => "December",
    }
}
