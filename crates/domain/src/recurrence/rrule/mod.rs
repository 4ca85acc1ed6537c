//! Rules of RFC 5545, section 3.3.10: reading them and writing them. What their days are is in [`days`].
//!
//! All of the section is read but three things that no task needs: `SECONDLY`, several `BYSECOND`, and `BYSETPOS` with
//! steps below a day. `UNTIL` and `COUNT` are handed out, since they have fields of their own.

mod days;

use std::{fmt, fmt::Write as _, ops::RangeInclusive};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike as _, Weekday};

pub(super) use self::days::Days;
use crate::{
    clock::Timestamp,
    limits, text,
    zone::{self, Tz},
};

const FREQUENCIES: [&str; 6] = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"];
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Mon),
    ("TU", Weekday::Tue),
    ("WE", Weekday::Wed),
    ("TH", Weekday::Thu),
    ("FR", Weekday::Fri),
    ("SA", Weekday::Sat),
    ("SU", Weekday::Sun),
];

/// Longest first, as in [`FREQUENCIES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Frequency {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
    Minutely,
}

/// A rule that was read. Lists are ascending and without duplicates; an empty one was not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rrule {
    pub(super) frequency: Frequency,
    pub(super) interval: i64,
    pub(super) by_month: Vec<i32>,
    pub(super) by_week: Vec<i32>,
    pub(super) by_year_day: Vec<i32>,
    pub(super) by_month_day: Vec<i32>,
    /// The how manieth of its month or year, 0 for every, and the days since Monday.
    pub(super) by_day: Vec<(i32, u32)>,
    by_hour: Vec<i32>,
    by_minute: Vec<i32>,
    by_second: Vec<i32>,
    pub(super) by_position: Vec<i32>,
    pub(super) week_start: Weekday,
}

/// What a rule says of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct End {
    pub(super) until: Option<Until>,
    pub(super) count: Option<i64>,
}

/// The last moment of a rule, as `UNTIL` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    Utc(NaiveDateTime),
    Local(NaiveDateTime),
    Day(NaiveDate),
}

impl Until {
    /// The instant that is meant in a zone; of a day, its last microsecond.
    pub(super) fn at(self, zone: Tz) -> Timestamp {
        match self {
            Self::Utc(at) => at.and_utc(),
            Self::Local(at) => zone::resolve(zone, at),
            Self::Day(day) => {
                let next = day.succ_opt().unwrap_or(day);
                zone::start_of_day(zone, next) - TimeDelta::microseconds(1)
            }
        }
    }
}

impl Rrule {
    /// Reads a rule, with or without `RRULE:` before it.
    ///
    /// # Errors
    /// What the rule must be, to follow its field's name.
    pub(super) fn parse(rule: &str) -> Result<(Self, End), String> {
        let length = text::length(rule);
        if length > limits::RRULE_MAX {
            return Err(format!("must be at most {} characters, got {length}", limits::RRULE_MAX));
        }
        let upper = rule.trim().to_ascii_uppercase();
        let parts = upper.strip_prefix("RRULE:").unwrap_or(&upper);
        if parts.contains([':', '\n', '\r']) {
            return Err(
                "must be one rule, without DTSTART, RDATE, EXDATE or EXRULE: it begins with the task's due date"
                    .to_owned(),
            );
        }
        let mut read = Self {
            frequency: Frequency::Daily,
            interval: 1,
            by_month: Vec::new(),
            by_week: Vec::new(),
            by_year_day: Vec::new(),
            by_month_day: Vec::new(),
            by_day: Vec::new(),
            by_hour: Vec::new(),
            by_minute: Vec::new(),
            by_second: Vec::new(),
            by_position: Vec::new(),
            week_start: Weekday::Mon,
        };
        let mut end = End::default();
        let mut seen = Vec::new();
        for part in parts.split(';') {
            let Some((name, value)) = part.split_once('=') else {
                return Err(format!("must be parts such as FREQ=DAILY with ; between them, got {part:?}"));
            };
            if seen.contains(&name) {
                return Err(format!("must have each part once, got {name} twice"));
            }
            seen.push(name);
            read.read_part(name, value, &mut end)?;
        }
        if !seen.contains(&"FREQ") {
            return Err(format!("must have one of {} as FREQ", FREQUENCIES.join(", ")));
        }
        read.check()?;
        Ok((read, end))
    }

    fn read_part(&mut self, name: &str, value: &str, end: &mut End) -> Result<(), String> {
        let wrong = |takes: &str| format!("must have {takes} as {name}, got {value:?}");
        match name {
            "FREQ" => {
                self.frequency = match value {
                    "YEARLY" => Frequency::Yearly,
                    "MONTHLY" => Frequency::Monthly,
                    "WEEKLY" => Frequency::Weekly,
                    "DAILY" => Frequency::Daily,
                    "HOURLY" => Frequency::Hourly,
                    "MINUTELY" => Frequency::Minutely,
                    _ => return Err(wrong(&format!("one of {}", FREQUENCIES.join(", ")))),
                }
            }
            "INTERVAL" => {
                self.interval = number(value)
                    .filter(|number| (1..=limits::INTERVAL_MAX).contains(number))
                    .ok_or_else(|| wrong(&format!("1 to {}", limits::INTERVAL_MAX)))?;
            }
            "COUNT" => end.count = Some(number(value).ok_or_else(|| wrong("a number"))?),
            "UNTIL" => end.until = Some(until(value).ok_or_else(|| wrong("20261231, 20261231T090000 or ...Z"))?),
            "WKST" => self.week_start = weekday(value).ok_or_else(|| wrong("one of MO, TU, WE, TH, FR, SA, SU"))?,
            "BYDAY" => {
                let days: Option<Vec<_>> = value.split(',').map(ordinal_day).collect();
                self.by_day = sorted(days.ok_or_else(|| wrong("weekdays such as MO, 2TU or -1FR"))?);
            }
            _ => {
                let (list, range, signed) = match name {
                    "BYMONTH" => (&mut self.by_month, 1..=12, false),
                    "BYWEEKNO" => (&mut self.by_week, 1..=53, true),
                    "BYYEARDAY" => (&mut self.by_year_day, 1..=366, true),
                    "BYMONTHDAY" => (&mut self.by_month_day, 1..=31, true),
                    "BYHOUR" => (&mut self.by_hour, 0..=23, false),
                    "BYMINUTE" => (&mut self.by_minute, 0..=59, false),
                    "BYSECOND" => (&mut self.by_second, 0..=59, false),
                    "BYSETPOS" => (&mut self.by_position, 1..=366, true),
                    "DTSTART" | "RDATE" | "EXDATE" | "EXRULE" => {
                        return Err(format!("must not have {name}: a rule begins with the task's due date"));
                    }
                    _ => return Err(format!("must have parts of RFC 5545, section 3.3.10, got {name:?}")),
                };
                let numbers: Option<Vec<_>> = value.split(',').map(|item| ranged(item, &range, signed)).collect();
                let sign = if signed { " (or from the end, with a minus)" } else { "" };
                let takes = || wrong(&format!("numbers from {} to {}{sign}", range.start(), range.end()));
                *list = sorted(numbers.ok_or_else(takes)?);
            }
        }
        Ok(())
    }

    /// What section 3.3.10 forbids, and what we do not have.
    fn check(&self) -> Result<(), String> {
        use Frequency::{Daily, Hourly, Monthly, Weekly, Yearly};
        let frequency = self.frequency;
        let nth = self.by_day.iter().any(|(nth, _)| *nth != 0);
        let is_positioned = [&self.by_month, &self.by_week, &self.by_year_day, &self.by_month_day, &self.by_hour]
            .into_iter()
            .chain([&self.by_minute, &self.by_second])
            .any(|list| !list.is_empty())
            || !self.by_day.is_empty();
        let forbidden = [
            (!self.by_week.is_empty() && frequency != Yearly, "must have BYWEEKNO only with FREQ=YEARLY"),
            (
                !self.by_year_day.is_empty() && matches!(frequency, Monthly | Weekly | Daily),
                "must not have BYYEARDAY with FREQ=MONTHLY, WEEKLY or DAILY",
            ),
            (!self.by_month_day.is_empty() && frequency == Weekly, "must not have BYMONTHDAY with FREQ=WEEKLY"),
            (
                nth && (frequency > Monthly || !self.by_week.is_empty()),
                "must number weekdays in BYDAY only with FREQ=MONTHLY or YEARLY, and without BYWEEKNO",
            ),
            (!self.by_position.is_empty() && !is_positioned, "must have another BY part with BYSETPOS"),
            (
                !self.by_position.is_empty() && frequency >= Hourly,
                "must not have BYSETPOS with FREQ=HOURLY or MINUTELY: that is not supported",
            ),
            (self.by_second.len() > 1, "must have one BYSECOND at most: more are not supported"),
        ];
        forbidden.iter().find(|(is_so, _)| *is_so).map_or(Ok(()), |(_, message)| Err((*message).to_owned()))
    }

    /// The times of day, ascending: at most 1,440. What the rule does not say is as at the first slot.
    pub(super) fn times(&self, first: NaiveTime) -> Vec<NaiveTime> {
        let given = |list: &[i32], otherwise: RangeInclusive<u32>| -> Vec<u32> {
            if list.is_empty() {
                otherwise.collect()
            } else {
                list.iter().map(|number| number.unsigned_abs()).collect()
            }
        };
        let (hour, minute) = (first.hour(), first.minute());
        let hours = given(&self.by_hour, if self.frequency >= Frequency::Hourly { 0..=23 } else { hour..=hour });
        let all = self.frequency == Frequency::Minutely;
        let minutes = given(&self.by_minute, if all { 0..=59 } else { minute..=minute });
        let second = first - NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
        let second = self.by_second.first().map_or(second, |second| TimeDelta::seconds(i64::from(*second)));
        hours
            .iter()
            .flat_map(|hour| minutes.iter().filter_map(|minute| NaiveTime::from_hms_opt(*hour, *minute, 0)))
            .map(|time| time + second)
            .collect()
    }
}

impl fmt::Display for Rrule {
    /// Always the same for the same rule: parts in one order, defaults left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FREQ={}", FREQUENCIES[self.frequency as usize])?;
        if self.interval != 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        let list = |f: &mut fmt::Formatter<'_>, name: &str, items: &[i32]| {
            if items.is_empty() { Ok(()) } else { write!(f, ";{name}={}", joined(items.iter())) }
        };
        list(f, "BYMONTH", &self.by_month)?;
        list(f, "BYWEEKNO", &self.by_week)?;
        list(f, "BYYEARDAY", &self.by_year_day)?;
        list(f, "BYMONTHDAY", &self.by_month_day)?;
        if !self.by_day.is_empty() {
            let days = self.by_day.iter().map(|(nth, day)| {
                let name = WEEKDAYS[*day as usize].0;
                if *nth == 0 { name.to_owned() } else { format!("{nth}{name}") }
            });
            write!(f, ";BYDAY={}", joined(days))?;
        }
        list(f, "BYHOUR", &self.by_hour)?;
        list(f, "BYMINUTE", &self.by_minute)?;
        list(f, "BYSECOND", &self.by_second)?;
        list(f, "BYSETPOS", &self.by_position)?;
        if self.week_start != Weekday::Mon {
            write!(f, ";WKST={}", WEEKDAYS[self.week_start.num_days_from_monday() as usize].0)?;
        }
        Ok(())
    }
}

fn joined<T: fmt::Display>(items: impl Iterator<Item = T>) -> String {
    let mut joined = String::new();
    for (index, item) in items.enumerate() {
        let comma = if index > 0 { "," } else { "" };
        // Writing to a string does not fail.
        let _ = write!(joined, "{comma}{item}");
    }
    joined
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items.dedup();
    items
}

/// Digits, and not so many that they could overflow.
fn number(text: &str) -> Option<i64> {
    let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

fn ranged(text: &str, range: &RangeInclusive<i32>, signed: bool) -> Option<i32> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' if signed => (-1, &text[1..]),
        b'+' if signed => (1, &text[1..]),
        _ => (1, text),
    };
    number(digits)
        .and_then(|number| i32::try_from(number).ok())
        .filter(|number| range.contains(number))
        .map(|it| sign * it)
}

fn weekday(text: &str) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(name, _)| *name == text).map(|(_, day)| *day)
}

fn ordinal_day(text: &str) -> Option<(i32, u32)> {
    let split = text.len().checked_sub(2).filter(|split| text.is_char_boundary(*split))?;
    let day = weekday(&text[split..])?.num_days_from_monday();
    Some((if split == 0 { 0 } else { ranged(&text[..split], &(1..=53), true)? }, day))
}

fn until(text: &str) -> Option<Until> {
    let local = |text: &str| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok();
    match (text.len(), text.strip_suffix('Z')) {
        (16, Some(text)) => local(text).map(Until::Utc),
        (15, None) => local(text).map(Until::Local),
        (8, None) => NaiveDate::parse_from_str(text, "%Y%m%d").ok().map(Until::Day),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
