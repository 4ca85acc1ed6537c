//! The books of a distributed system: its Postgres, and what Redis holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;
use sqlx::{
    ConnectOptions as _, Executor as _, PgConnection,
    postgres::{PgConnectOptions, PgRow},
};
use todo_domain::Clock as _;
use todo_runtime::system::SystemClock;
use tokio::sync::Mutex;

use super::{Books, Broker};

#[path = "rows.rs"]
#[expect(clippy::duplicate_mod, reason = "the SQL is written once and compiled for each database")]
mod rows;

type Connection = PgConnection;
type DbRow = PgRow;

/// Between two looks, so that looking takes nothing from what is looked at.
const BETWEEN: Duration = Duration::from_millis(20);

/// A connection to the database.
#[derive(Debug)]
pub struct Reader(Mutex<PgConnection>);

impl Reader {
    /// Opens it.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn open(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().expect("an address");
        Self(Mutex::new(options.disable_statement_logging().connect().await.expect("the database answers")))
    }

    /// Reads the database as it is at one moment, beside the events that the topics hold.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn read(&self, events: Vec<(String, Value)>) -> Books {
        let mut topics: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (topic, event) in &events {
            topics.entry(topic.clone()).or_default().insert(event["id"].as_str().unwrap_or_default().to_owned());
        }
        // What daprd has read and not acknowledged is found again within its own time, and nothing depends on it.
        let broker = Broker { topics, events, waiting: 0, behind: Vec::new() };
        let mut connection = self.0.lock().await;
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.expect("a transaction");
        let books = rows::read(&mut connection, broker).await;
        connection.execute("COMMIT").await.expect("its end");
        books
    }

    /// What still has to happen by a moment (microseconds since 1970), and how much of it: events to publish, decisions to
    /// make, effects to come.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn left_to_do(&self, now: i64) -> Vec<(String, i64)> {
        let mut left = rows::left_to_do(&mut *self.0.lock().await, now).await;
        left.retain(|(_, count)| *count > 0);
        left
    }

    /// Waits until nothing has to happen within some microseconds.
    ///
    /// # Panics
    /// When there is always more.
    pub async fn settled(&self, deadline: Duration, ahead: i64) {
        let look = async || self.left_to_do(SystemClock.now().timestamp_micros() + ahead).await;
        let looking = async {
            while !look().await.is_empty() {
                tokio::time::sleep(BETWEEN).await;
            }
        };
        let settled = tokio::time::timeout(deadline, looking).await.is_ok();
        assert!(settled, "not within {deadline:?}: nothing is left to do; there are {:?}", look().await);
    }
}
