//! Time zones (IANA names) and the one rule for local times that a change of clocks makes odd.
//!
//! A local time in a gap moves by the gap's length (02:30 becomes 03:30); of a local time that comes twice the first
//! is meant. Both say the same: the offset before the change counts, as in RFC 5545, section 3.3.5.

use chrono::{MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeDelta, TimeZone as _};
use chrono_tz::GapInfo;
pub use chrono_tz::Tz;

use crate::{clock::Timestamp, error::Violation};

/// Reads an IANA zone name (`Europe/Berlin`).
///
/// # Errors
/// A violation of `field` for an unknown name.
pub fn parse(name: &str, field: &str) -> Result<Tz, Violation> {
    name.trim().parse().map_err(|_| Violation::new(field, "must be an IANA time zone such as Europe/Berlin or UTC"))
}

/// What the clocks in `zone` show at `instant`.
#[must_use]
pub fn local(zone: Tz, instant: Timestamp) -> NaiveDateTime {
    instant.with_timezone(&zone).naive_local()
}

/// The instant that a local time means: see the rule at the [module](self).
#[must_use]
pub fn resolve(zone: Tz, local: NaiveDateTime) -> Timestamp {
    passes(zone, local).0
}

/// The instant that a local time means, and its second pass when the clocks show it twice.
#[must_use]
pub fn passes(zone: Tz, local: NaiveDateTime) -> (Timestamp, Option<Timestamp>) {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(only) => (only.to_utc(), None),
        MappedLocalTime::Ambiguous(first, second) => (first.to_utc(), Some(second.to_utc())),
        MappedLocalTime::None => {
            let before = GapInfo::new(&local, &zone).and_then(|gap| gap.begin);
            // A gap has a time before it; the default is never used.
            let offset = before.map_or_else(TimeDelta::zero, |(_, offset)| {
                TimeDelta::seconds(i64::from(offset.fix().local_minus_utc()))
            });
            ((local - offset).and_utc(), None)
        }
    }
}

/// The first instant of a local day.
#[must_use]
pub fn start_of_day(zone: Tz, day: NaiveDate) -> Timestamp {
    resolve(zone, day.and_time(NaiveTime::MIN))
}

/// The offset from UTC at the midnight with which a local day begins, or nothing if clocks change just then.
#[must_use]
pub(crate) fn midnight_offset(zone: Tz, day: NaiveDate) -> Option<TimeDelta> {
    match zone.from_local_datetime(&day.and_time(NaiveTime::MIN)) {
        MappedLocalTime::Single(midnight) => {
            Some(TimeDelta::seconds(i64::from(midnight.offset().fix().local_minus_utc())))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    fn berlin(local: &str) -> Timestamp {
        resolve(Tz::Europe__Berlin, local.parse().unwrap())
    }

    #[test]
    fn a_time_in_the_gap_moves_by_the_gap() {
        assert_eq!(berlin("2026-03-29T02:30:00"), at("2026-03-29T03:30:00+02:00"));
        assert_eq!(
            resolve(Tz::Australia__Lord_Howe, "2026-10-04T02:10:00".parse().unwrap()),
            at("2026-10-04T02:40:00+11:00")
        );
        // A day that never was: Samoa went over the date line.
        assert_eq!(resolve(Tz::Pacific__Apia, "2011-12-30T12:00:00".parse().unwrap()), at("2011-12-31T12:00:00+14:00"));
    }

    #[test]
    fn of_a_time_that_comes_twice_the_first_is_meant() {
        assert_eq!(berlin("2026-10-25T02:30:00"), at("2026-10-25T02:30:00+02:00"));
    }

    #[test]
    fn a_day_begins_when_its_clocks_do() {
        // In Cairo the clocks go from 00:00 to 01:00.
        let day = NaiveDate::from_ymd_opt(2026, 4, 24).unwrap();
        assert_eq!(start_of_day(Tz::Africa__Cairo, day), at("2026-04-24T01:00:00+03:00"));
        assert_eq!(midnight_offset(Tz::Africa__Cairo, day), None);
    }

    #[test]
    fn only_iana_names_are_zones() {
        assert_eq!(parse("Europe/Berlin", "time_zone"), Ok(Tz::Europe__Berlin));
        assert_eq!(parse("Mars/Olympus", "time_zone").unwrap_err().field, "time_zone");
    }
}
