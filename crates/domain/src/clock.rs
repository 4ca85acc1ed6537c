//! Time as an argument.

use chrono::{DateTime, SubsecRound as _, Utc};

use crate::{error::Violations, limits};

/// An instant in UTC, always truncated to microseconds (what both databases keep).
pub type Timestamp = DateTime<Utc>;

/// Where the present moment comes from. The system clock lives in the runtime crate; tests bring their own.
pub trait Clock: Send + Sync {
    /// The present moment, truncated to microseconds.
    fn now(&self) -> Timestamp;
}

/// Drops what is finer than a microsecond.
#[must_use]
pub fn micros(instant: Timestamp) -> Timestamp {
    instant.trunc_subsecs(6)
}

/// The instant's name: RFC 3339 in UTC with six decimals and a `Z`, as in `2026-03-01T09:00:00.000000Z`.
///
/// One instant has exactly one name, so it can be part of a derived id.
#[must_use]
pub fn name(instant: Timestamp) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// An instant from outside, truncated; a violation of `field` for one that not every surface and database can carry.
pub fn check(instant: Timestamp, field: &str, violations: &mut Violations) -> Timestamp {
    use chrono::Datelike as _;
    violations.check((limits::YEAR_MIN..=limits::YEAR_MAX).contains(&instant.year()), field, || {
        format!("must be in the years {} to {}", limits::YEAR_MIN, limits::YEAR_MAX)
    });
    micros(instant)
}
