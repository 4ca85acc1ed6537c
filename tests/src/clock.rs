//! A clock that stands still until the test moves it.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use todo_domain::Clock;

/// Microseconds since 1970, moved by hand.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// A clock that shows this time.
    ///
    /// # Panics
    /// When `time` is no RFC 3339 time.
    #[must_use]
    pub fn at(time: &str) -> Self {
        let time: DateTime<Utc> = time.parse().expect("an RFC 3339 time");
        Self(AtomicI64::new(time.timestamp_micros()))
    }

    /// Shows another time from now on.
    ///
    /// # Panics
    /// When `time` is no RFC 3339 time.
    pub fn set(&self, time: &str) {
        let time: DateTime<Utc> = time.parse().expect("an RFC 3339 time");
        self.0.store(time.timestamp_micros(), Ordering::SeqCst);
    }

    /// Moves it, back too.
    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_microseconds().unwrap_or_default(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}
