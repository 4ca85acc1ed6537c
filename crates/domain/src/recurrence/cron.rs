//! Cron expressions of five fields. `croner` reads the fields; what lies between their matches and instants, that is
//! zones and changes of clocks, is ours (see [`super::calendar`]).

use chrono::{Datelike as _, NaiveDate, NaiveTime};
use croner::{CronPattern, Weekday, parser::CronParser};

use crate::{limits, text};

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const FIELDS: [&str; 5] = ["minute", "hour", "day of month", "month", "day of week"];

/// A cron expression that was read.
pub(crate) struct Cron {
    pattern: CronPattern,
    /// Whether the hour field has a `*`: it then counts elapsed hours, so both passes of a repeated hour count.
    pub(crate) every_hour: bool,
}

impl Cron {
    /// Reads an expression: five fields, ranges, lists, steps, names; `L`, `W` and `#` for days.
    ///
    /// # Errors
    /// What the expression must be, to follow its field's name.
    pub(crate) fn parse(expression: &str) -> Result<Self, String> {
        let length = text::length(expression);
        if length > limits::CRON_MAX {
            return Err(format!("must be at most {} characters, got {length}", limits::CRON_MAX));
        }
        let upper = expression.to_ascii_uppercase();
        let fields: Vec<_> = upper.split_whitespace().collect();
        if fields.len() != FIELDS.len() {
            return Err(format!(
                "must have 5 fields (minute, hour, day of month, month, day of week), got {}",
                fields.len()
            ));
        }
        for (index, field) in fields.iter().enumerate() {
            if !is_well_formed(index, field) {
                return Err(format!("must be a cron expression, got {field:?} as its {}", FIELDS[index]));
            }
        }
        let cron = CronParser::new()
            .parse(&fields.join(" "))
            .map_err(|error| format!("must be a cron expression ({})", error.to_string().trim_end_matches('.')))?;
        Ok(Self { pattern: cron.pattern, every_hour: fields[1].contains('*') })
    }

    pub(crate) fn has_month(&self, day: NaiveDate) -> bool {
        self.pattern.month_match(day.month()).unwrap_or(false)
    }

    pub(crate) fn has_day(&self, day: NaiveDate) -> bool {
        let weekday = Weekday::from_days_from_sunday(day.weekday().num_days_from_sunday());
        self.has_month(day) && self.pattern.day_match(day.year(), day.month(), day.day(), weekday).unwrap_or(false)
    }

    /// The times of day, ascending: at most 1,440.
    pub(crate) fn times(&self) -> Vec<NaiveTime> {
        let minutes: Vec<_> = (0..60).filter(|minute| self.pattern.minute_match(*minute).unwrap_or(false)).collect();
        (0..24)
            .filter(|hour| self.pattern.hour_match(*hour).unwrap_or(false))
            .flat_map(|hour| minutes.iter().filter_map(move |minute| NaiveTime::from_hms_opt(hour, *minute, 0)))
            .collect()
    }
}

/// Whether names and letters stand only where they mean something. `croner` replaces names wherever they occur, so
/// that it would read `FEB 0 * * *` as minute 2.
fn is_well_formed(index: usize, field: &str) -> bool {
    let field = if index == 4 { field.strip_prefix('+').unwrap_or(field) } else { field };
    field.split(',').all(|part| {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let mut bounds = range.split('-');
        step.is_none_or(is_number)
            && bounds.by_ref().take(2).all(|bound| is_bound(index, bound))
            && bounds.next().is_none()
    })
}

fn is_bound(index: usize, bound: &str) -> bool {
    let is_named = |names: &[&str]| names.contains(&bound);
    if is_number(bound) || bound == "*" {
        return true;
    }
    match index {
        2 => matches!(bound, "?" | "L" | "LW") || bound.strip_suffix('W').is_some_and(is_number),
        3 => is_named(&MONTHS),
        4 => {
            let is_day = |day: &str| is_number(day) || WEEKDAYS.contains(&day);
            bound == "?"
                || is_day(bound)
                || bound.strip_suffix('L').is_some_and(is_day)
                || bound.split_once('#').is_some_and(|(day, nth)| is_day(day) && (nth == "L" || is_number(nth)))
        }
        _ => false,
    }
}

fn is_number(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lists_steps_and_names_are_read() {
        for expression in [
            "0 9 * * *",
            "*/15 8-18 * * mon-fri",
            "0,30 9 1,15 * *",
            "5 4 * jan-MAR,DEC sun",
            "0 9 L * *",
            "0 9 1W * *",
            "0 9 * * fri#2",
            "0 9 * * 5L",
            "0 9 13 * +fri",
            "  0   9  *\t* * ",
            "0 0 * * 7",
        ] {
            assert!(Cron::parse(expression).is_ok(), "{expression}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_it_takes() {
        for expression in [
            "",
            "@daily",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "0 0 0 * *",
            "0 0 32 * *",
            "0 0 * 13 *",
            "0 0 * * 8",
            "a b c d e",
            "FEB 0 * * *",
            "0 0 * 1FEB *",
            "0 0 * * SATURDAY",
            "0 0 * * 1MON",
            "*/0 * * * *",
            "1-2-3 * * * *",
            "1, * * * *",
            "/5 * * * *",
            "- * * * *",
            "5-1 * * * *",
            "99999999999 * * * *",
            "* * * * é",
        ] {
            assert!(Cron::parse(expression).is_err(), "{expression}");
        }
        assert_eq!(
            Cron::parse("* * *").err().unwrap(),
            "must have 5 fields (minute, hour, day of month, month, day of week), got 3"
        );
        assert_eq!(Cron::parse(&" ".repeat(101)).err().unwrap(), "must be at most 100 characters, got 101");
    }

    #[test]
    fn an_hour_field_with_a_star_counts_elapsed_hours() {
        assert!(Cron::parse("0 */2 * * *").unwrap().every_hour);
        assert!(!Cron::parse("*/5 2 * * *").unwrap().every_hour);
    }
}
