//! What is kept of a task, in words.

use chrono::{NaiveTime, Weekday};

use crate::rule::{Freq, Rule};

/// An RFC 5545 rule in words: "every month on the 1st"; times of day are written by `clock`. Nothing if it is one that
/// cannot be said in plain English.
#[must_use]
pub fn rule_in_words(rrule: &str, clock: fn(NaiveTime) -> String) -> Option<String> {
    Some(read(rrule)?.words(clock))
}

/// Seconds in words: "1 day 2 hours".
#[must_use]
pub fn length_in_words(seconds: i64) -> String {
    let mut left = seconds;
    let mut words = Vec::new();
    for (size, unit) in [(604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")] {
        // "2 weeks", but "10 days".
        if unit == "week" && left % size != 0 {
            continue;
        }
        let count = left / size;
        left %= size;
        if count > 0 {
            words.push(format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
        }
    }
    words.join(" ")
}

/// A rule as [`Rule::rfc`] writes it.
fn read(text: &str) -> Option<Rule> {
    let mut rule = Rule::every(1, Freq::Daily);
    let (mut hours, mut minute) = (Vec::new(), 0);
    for part in text.split(';') {
        let (name, value) = part.split_once('=')?;
        let numbers = || value.split(',').map(str::parse).collect::<Result<Vec<i32>, _>>().ok();
        match name {
            "FREQ" => rule.freq = frequency(value)?,
            "INTERVAL" => rule.interval = value.parse().ok()?,
            "BYMONTH" => {
                rule.months = value.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
            }
            "BYMONTHDAY" => rule.month_days = numbers()?,
            "BYDAY" => rule.weekdays = value.split(',').map(weekday).collect::<Option<_>>()?,
            "BYSETPOS" => rule.position = Some(value.parse().ok()?),
            "BYHOUR" => hours = value.split(',').map(str::parse::<u32>).collect::<Result<_, _>>().ok()?,
            "BYMINUTE" => minute = value.parse().ok()?,
            "WKST" => {}
            _ => return None,
        }
    }
    rule.times = hours.into_iter().map(|hour| NaiveTime::from_hms_opt(hour, minute, 0)).collect::<Option<_>>()?;
    is_sayable(&rule, text).then_some(rule)
}

/// Whether [`Rule::words`] says all of a rule.
fn is_sayable(rule: &Rule, text: &str) -> bool {
    let placed = rule.position.is_none()
        || matches!(rule.position, Some(1 | -1)) && rule.freq == Freq::Monthly && rule.has_business_days();
    let timed = !text.contains("BYMINUTE") || !rule.times.is_empty();
    let by_day = rule.freq >= Freq::Daily || rule.times.is_empty();
    placed && timed && by_day
}

fn frequency(name: &str) -> Option<Freq> {
    Some(match name {
        "MINUTELY" => Freq::Minutely,
        "HOURLY" => Freq::Hourly,
        "DAILY" => Freq::Daily,
        "WEEKLY" => Freq::Weekly,
        "MONTHLY" => Freq::Monthly,
        "YEARLY" => Freq::Yearly,
        _ => return None,
    })
}

/// "TU", "-1FR".
fn weekday(day: &str) -> Option<(i32, Weekday)> {
    let (place, name) = day.split_at_checked(day.len().checked_sub(2)?)?;
    let weekday = match name {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    };
    Some((if place.is_empty() { 0 } else { place.parse().ok()? }, weekday))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(rrule: &str) -> Option<String> {
        rule_in_words(rrule, |time| time.format("%-I:%M %p").to_string())
    }

    #[test]
    fn what_can_be_said_is_said() {
        for (rrule, said) in [
            ("FREQ=MONTHLY;BYMONTHDAY=1", "every month on the 1st"),
            ("FREQ=MONTHLY;BYMONTHDAY=1,15", "every month on the 1st and 15th"),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day"),
            ("FREQ=MONTHLY;BYDAY=-1FR", "every month on the last Friday"),
            ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", "every month on the first working day"),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;WKST=SU", "every 2 weeks on Tuesday"),
            ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
            ("FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=4", "every year in May on the 4th"),
            ("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0", "every day at 9:00 AM and 5:00 PM"),
            ("FREQ=HOURLY;INTERVAL=2", "every 2 hours"),
        ] {
            assert_eq!(words(rrule).as_deref(), Some(said), "{rrule}");
        }
    }

    #[test]
    fn what_the_words_would_leave_out_is_not_said() {
        for rrule in [
            "FREQ=YEARLY;BYWEEKNO=20",
            "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=2",
            "FREQ=DAILY;BYMINUTE=30",
            "FREQ=HOURLY;BYHOUR=9,10",
            "FREQ=DAILY;BYHOUR=9;BYMINUTE=0,30",
            "BYDAY=XX",
            "daily",
            "",
        ] {
            assert_eq!(words(rrule), None, "{rrule}");
        }
    }
}
