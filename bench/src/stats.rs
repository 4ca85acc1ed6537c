//! What many measured durations say.

use std::time::Duration;

/// Durations, sorted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Sorts them.
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The one below which so many of a hundred lie, by the nearest rank; zero if there are none.
    pub(crate) fn percentile(&self, of_hundred: usize) -> Duration {
        let rank = (self.0.len() * of_hundred).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// The middle one.
    pub(crate) fn p50(&self) -> Duration {
        self.percentile(50)
    }

    /// The one that one in a hundred exceeds.
    pub(crate) fn p99(&self) -> Duration {
        self.percentile(99)
    }

    /// The longest.
    pub(crate) fn max(&self) -> Duration {
        self.percentile(100)
    }

    /// `p50 1.2 ms, p99 3.4 ms`.
    pub(crate) fn shown(&self) -> String {
        format!("p50 {}, p99 {}", ms(self.p50()), ms(self.p99()))
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        Self::new(times.into_iter().collect())
    }
}

/// A duration in milliseconds, with three digits that mean something.
pub(crate) fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    match ms {
        ..10.0 => format!("{ms:.2} ms"),
        ..100.0 => format!("{ms:.1} ms"),
        _ => format!("{ms:.0} ms"),
    }
}

/// How many times `b` goes into `a`.
pub(crate) fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { f64::NAN }
}

/// `2.5 x`.
pub(crate) fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2} x") } else { format!("{ratio:.0} x") }
}

/// A count a second.
pub(crate) fn rate(count: usize, took: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are small")]
    let count = count as f64;
    ratio(count, took.as_secs_f64())
}

/// Bytes as megabytes (10^6).
pub(crate) fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let bytes = bytes as f64;
    bytes / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_nearest_ranks() {
        let times: Times = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(times.p50(), Duration::from_millis(100));
        assert_eq!(times.p99(), Duration::from_millis(198));
        assert_eq!(times.max(), Duration::from_millis(200));
        assert_eq!(Times::default().p99(), Duration::ZERO);
    }
}
