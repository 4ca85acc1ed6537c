//! Whether the app can take events now.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt;
use tokio::time::Instant;

use crate::Subscriber;

/// A subscriber that does not say within this time whether it serves does not.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often one that does not serve is asked again.
const TICK: Duration = Duration::from_secs(1);

/// Holds events back while the app does not serve.
///
/// daprd finds that out by its health checks, which take three times 5 seconds by default; until then each delivery
/// would use up a retry, and the first outage of the database would send events to the dead letter. So the subscriber is
/// asked before the first event and after each retry, and an event waits here meanwhile, which also keeps daprd from
/// reading more.
pub(super) struct Gate {
    subscriber: Arc<dyn Subscriber>,
    doubtful: AtomicBool,
    patience: Duration,
}

impl Gate {
    pub(super) fn new(subscriber: Arc<dyn Subscriber>, patience: Duration) -> Self {
        Self { subscriber, doubtful: AtomicBool::new(true), patience }
    }

    /// Perhaps the app has lost what it needs: it is asked before the next event.
    pub(super) fn doubt(&self) {
        self.doubtful.store(true, Ordering::SeqCst);
    }

    /// Waits until the app serves; `false` when it did not within the time that daprd can be kept waiting.
    pub(super) async fn pass(&self) -> bool {
        if !self.doubtful.load(Ordering::SeqCst) {
            return true;
        }
        let give_up = Instant::now() + self.patience;
        loop {
            if self.serving().await {
                self.doubtful.store(false, Ordering::SeqCst);
                return true;
            }
            if Instant::now() + TICK > give_up {
                return false;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Asks the subscriber.
    pub(super) async fn serving(&self) -> bool {
        let asked = AssertUnwindSafe(self.subscriber.serving()).catch_unwind();
        matches!(tokio::time::timeout(TIMEOUT, asked).await, Ok(Ok(true)))
    }
}
