//! What the tests share.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use todo_domain::Clock;
use todo_sidecar::CloudEvent;
use todo_sidecar::local::{LocalSidecar, Location, Mode, Options, RetryPolicy};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Stands still until it is moved.
pub(crate) struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

impl ManualClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_772_000_000_000_000)))
    }

    pub(crate) fn forward(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn back(&self, time: Duration) {
        self.0.fetch_sub(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

/// A file in `dir`, by the clock.
pub(crate) fn options(dir: &Path, clock: &Arc<ManualClock>, mode: Mode) -> Options {
    let mut options = Options::new(Location::File(dir.join("sidecar.db")), clock.clone());
    options.mode = mode;
    options.retry = RetryPolicy { max_retries: 3, ..RetryPolicy::default() };
    options
}

pub(crate) fn event(id: &str) -> CloudEvent {
    CloudEvent {
        id: id.to_owned(),
        type_: "com.todo.test".into(),
        source: "/sidecar/tests".into(),
        subject: None,
        time: DateTime::UNIX_EPOCH,
        data: json!({"id": id}),
        extensions: BTreeMap::new(),
    }
}

/// A sidecar that runs until it is stopped.
pub(crate) struct Running {
    pub(crate) sidecar: LocalSidecar,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(sidecar: LocalSidecar) -> Self {
        let shutdown = CancellationToken::new();
        let (running, token) = (sidecar.clone(), shutdown.clone());
        let task = tokio::spawn(async move { running.run(token).await });
        Self { sidecar, shutdown, task }
    }

    /// Asks it to stop.
    pub(crate) fn shut_down(&self) {
        self.shutdown.cancel();
    }

    /// Waits until it has drained, and closes the store.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("drains in time").unwrap();
        self.sidecar.close().await;
    }
}
