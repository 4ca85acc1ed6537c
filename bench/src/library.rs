//! A running system with a small and a large collection of tasks, for reading.

use todo_domain::Clock;
use todo_runtime::system::SystemClock;
use todo_tests::rest::Rest;

use crate::{
    Plan, Result, seed,
    stage::{Running, Stage},
};

/// Tasks of one person.
pub(crate) struct Collection {
    /// How many there are.
    pub(crate) size: i64,
    /// How many of them hold [`seed::MARK`].
    pub(crate) marked: i64,
    /// Their owner.
    pub(crate) rest: Rest,
}

/// A system and its collections.
pub(crate) struct Library {
    running: Running,
    /// 1,000 and 100,000 tasks.
    pub(crate) collections: [Collection; 2],
    _stage: Stage,
}

impl Library {
    /// Fills a database and starts a system on it.
    pub(crate) async fn open(plan: Plan, stage: Stage) -> Result<Self> {
        let sizes = plan.pick([(1_000, 1_000), (100_000, 1_000)], [(200, 200), (2_000, 200)]);
        stage.people(2).await?;
        let mut connection = stage.connect().await?;
        let now = SystemClock.now().timestamp_micros();
        for (owner, (size, marked)) in (0..).zip(sizes) {
            seed::tasks(&mut connection, owner, owner * 1_000_000, size, marked, now).await?;
        }
        connection.tidy().await?;
        drop(connection);
        let running = stage.start().await?;
        let [(small, marked), (large, still_marked)] = sizes;
        let collections = [
            Collection { size: small, marked, rest: running.rest(0) },
            Collection { size: large, marked: still_marked, rest: running.rest(1) },
        ];
        Ok(Self { running, collections, _stage: stage })
    }

    /// Stops the system.
    pub(crate) async fn close(self) {
        self.running.system.stop().await;
    }
}

/// Reads a path and everything that comes back.
pub(crate) async fn get(rest: &Rest, path: &str) -> Result<bytes::Bytes> {
    let response = rest.request(reqwest::Method::GET, path).send().await?;
    let status = response.status();
    let bytes = response.bytes().await?;
    if status.is_success() { Ok(bytes) } else { Err(format!("{status}: {}", String::from_utf8_lossy(&bytes)).into()) }
}
