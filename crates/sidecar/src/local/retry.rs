//! When a failed delivery is tried again.

use std::time::Duration;

use super::faults::mix;
use super::micros_of;

/// Exponential backoff: `first`, then twice as long each time up to `longest`, each shortened at random by up to half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The wait before the first retry.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
    /// So many retries after the first delivery, then the dead letter.
    pub max_retries: u32,
}

impl Default for RetryPolicy {
    /// 100 ms doubling up to 30 s, 10 times: about a minute before an event is given up.
    fn default() -> Self {
        Self { first: Duration::from_millis(100), longest: Duration::from_secs(30), max_retries: 10 }
    }
}

impl RetryPolicy {
    /// Microseconds before retry number `retry` (from 1). The jitter follows from `salt`, so that equal runs are equal.
    pub(super) fn wait(&self, retry: u32, salt: u64) -> i64 {
        let doubled = self.first.saturating_mul(1 << retry.saturating_sub(1).min(20));
        let whole = micros_of(doubled.min(self.longest));
        let jitter = mix(salt ^ u64::from(retry)) % u64::try_from(whole / 2 + 1).unwrap_or(1);
        whole - i64::try_from(jitter).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_vary_by_half_at_most() {
        let policy = RetryPolicy::default();
        for (retry, whole) in [(1, 100_000), (2, 200_000), (5, 1_600_000), (10, 30_000_000), (1000, 30_000_000)] {
            let waits: Vec<i64> = (0..200).map(|salt| policy.wait(retry, salt)).collect();
            assert!(waits.iter().all(|w| (whole / 2..=whole).contains(w)), "{retry}");
            assert!(waits.iter().any(|w| *w < whole * 6 / 10) && waits.iter().any(|w| *w > whole * 9 / 10), "{retry}");
        }
        assert_eq!(policy.wait(3, 7), policy.wait(3, 7));
    }

    #[test]
    fn a_policy_without_waits_is_possible() {
        let policy = RetryPolicy { first: Duration::ZERO, ..RetryPolicy::default() };
        assert_eq!(policy.wait(4, 9), 0);
    }
}
