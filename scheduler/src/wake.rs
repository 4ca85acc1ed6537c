//! How the loops wait: for a moment by [`Clock`], never long before they look at it again, or until they are woken.

use std::sync::Arc;
use std::time::Duration;

use todo_domain::{Clock, Ids, Timestamp};
use tokio::sync::Notify;

/// One loop's alarm.
pub(crate) struct Wake {
    clock: Arc<dyn Clock>,
    look: Duration,
    notify: Notify,
}

impl Wake {
    pub(crate) fn new(clock: Arc<dyn Clock>, look: Duration) -> Self {
        Self { clock, look, notify: Notify::new() }
    }

    /// Ends the present wait of the loop, or the next one.
    pub(crate) fn wake(&self) {
        self.notify.notify_one();
    }

    /// Returns at that moment, when it is time to look at the clock again, or when woken, whichever is first.
    pub(crate) async fn until(&self, moment: Option<Timestamp>) {
        let wait = moment.map_or(self.look, |moment| {
            // In the past: no wait.
            (moment - self.clock.now()).to_std().unwrap_or_default().min(self.look)
        });
        tokio::select! {
            () = self.notify.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// How long to wait after a failure: doubling from `first` to `cap`, less up to half of it by chance, so that replicas
/// which failed together do not come back together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub(crate) first: Duration,
    pub(crate) cap: Duration,
}

impl Backoff {
    /// Whether a wait until `moment` is over. One that is longer than any began by a clock that ran ahead.
    pub(crate) fn is_over(self, moment: Timestamp, now: Timestamp) -> bool {
        moment <= now || moment > now + self.cap
    }

    /// The wait after `failures` failures in a row (1 or more).
    pub(crate) fn after(self, failures: u32, ids: &dyn Ids) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let full = self.first.saturating_mul(1 << doublings).min(self.cap);
        // The last byte of a UUID v4 is random.
        let chance = u32::from(ids.random().as_bytes()[15]);
        full.saturating_sub(full / 2 * chance / 255)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::CountingIds;

    #[test]
    fn waits_double_up_to_the_cap_and_never_vanish() {
        let backoff = Backoff { first: Duration::from_millis(50), cap: Duration::from_secs(2) };
        let ids = CountingIds::default();
        for (failures, full) in [(1, 50), (2, 100), (3, 200), (7, 2000), (u32::MAX, 2000)] {
            let wait = backoff.after(failures, &ids);
            let full = Duration::from_millis(full);
            assert!(wait <= full && wait >= full / 2, "{failures}: {wait:?}");
        }
    }
}
