//! The `SQLite` file: one writer task, two connections that read.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::lock;
use super::registry::Registry;
use super::schema::{SCHEMA, VERSION};
use super::settle::Settlement;
use super::writer::{Command, Put, Row, Writer};
use crate::{Entry, Error};

/// Writes that wait for the writer before callers have to wait for a place.
const QUEUE: usize = 1024;
/// Another program that looks into the file may hold its lock for a moment.
const BUSY: Duration = Duration::from_secs(5);

pub(super) struct Store {
    writer: mpsc::Sender<Command>,
    heads: Arc<Heads>,
    /// For deliveries.
    feed: Reader,
    /// For state, so that a read of one key does not wait for a page of messages.
    state: Reader,
}

/// `None` once closed.
type Reader = Mutex<Option<SqliteConnection>>;

/// The number of the last message of each topic, so that nobody asks the file whether there is something new.
#[derive(Default)]
pub(super) struct Heads(std::sync::Mutex<HashMap<String, i64>>);

impl Heads {
    pub(super) fn raise(&self, topic: &str, seq: i64) {
        let mut heads = lock(&self.0);
        match heads.get_mut(topic) {
            Some(head) => *head = seq.max(*head),
            None => drop(heads.insert(topic.to_owned(), seq)),
        }
    }

    pub(super) fn of(&self, topic: &str) -> i64 {
        lock(&self.0).get(topic).copied().unwrap_or(0)
    }

    pub(super) fn topics(&self) -> Vec<String> {
        lock(&self.0).keys().cloned().collect()
    }
}

/// A message as a consumer reads it.
pub(super) struct Message {
    pub(super) seq: i64,
    pub(super) topic: String,
    pub(super) retries: u32,
    pub(super) id: String,
    pub(super) type_: String,
    pub(super) body: Vec<u8>,
}

type Columns = (i64, String, u32, String, String, Vec<u8>);

impl Message {
    fn of((seq, topic, retries, id, type_, body): Columns) -> Self {
        Self { seq, topic, retries, id, type_, body }
    }
}

impl Store {
    pub(super) async fn open(path: &Path, durable: bool, registry: Weak<Registry>) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(if durable { SqliteSynchronous::Full } else { SqliteSynchronous::Off })
            .busy_timeout(BUSY)
            .disable_statement_logging();
        let mut writer = options.connect().await.map_err(unavailable)?;
        let version: i64 =
            sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut writer).await.map_err(unavailable)?;
        if version > VERSION {
            return Err(Error::Refused("the sidecar's file was made by a newer version of this program".into()));
        }
        if version < VERSION {
            sqlx::raw_sql(SCHEMA).execute(&mut writer).await.map_err(unavailable)?;
        }
        let heads = Arc::new(Heads::default());
        let last: Vec<(String, i64)> = sqlx::query_as("SELECT topic, max(seq) FROM message GROUP BY topic")
            .fetch_all(&mut writer)
            .await
            .map_err(unavailable)?;
        for (topic, seq) in last {
            heads.raise(&topic, seq);
        }
        let reading = options.read_only(true).create_if_missing(false);
        let feed = reading.connect().await.map_err(unavailable)?;
        let state = reading.connect().await.map_err(unavailable)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(Writer::new(writer, durable, Arc::clone(&heads), registry).run(receiver));
        Ok(Self { writer: sender, heads, feed: Mutex::new(Some(feed)), state: Mutex::new(Some(state)) })
    }

    pub(super) fn heads(&self) -> &Heads {
        &self.heads
    }

    /// Hands a command to the writer. It is carried out even if the caller stops waiting.
    async fn write<T>(&self, command: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Command) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.writer.send(command(reply)).await.map_err(|_| closed())?;
        // Dropped unanswered: the writer has ended.
        answer.await.map_err(|_| closed())?
    }

    pub(super) async fn publish(&self, topic: &str, rows: Vec<Row>, now: i64) -> Result<(), Error> {
        let topic = topic.to_owned();
        self.write(|reply| Command::Publish { topic, rows, now, reply }).await
    }

    pub(super) async fn put(&self, put: Put) -> Result<(), Error> {
        self.write(|reply| Command::Put { put, reply }).await
    }

    pub(super) async fn settle(&self, settlement: Arc<Settlement>, now: i64) -> Result<(), Error> {
        self.write(|reply| Command::Settle { settlement, now, reply }).await
    }

    /// Makes sure that the groups exist; answers their cursors, in the topics' order.
    pub(super) async fn join(&self, app: &str, topics: Vec<String>, now: i64) -> Result<Vec<i64>, Error> {
        let app = app.to_owned();
        self.write(|reply| Command::Join { app, topics, now, reply }).await
    }

    pub(super) async fn expire(&self, live: Vec<String>, now: i64, unseen_since: i64) -> Result<(), Error> {
        self.write(|reply| Command::Expire { live, now, unseen_since, reply }).await
    }

    /// Removes a limited number of a topic's messages; answers how many went.
    pub(super) async fn trim(&self, topic: &str, older_than: i64, keep: u32) -> Result<u64, Error> {
        let topic = topic.to_owned();
        self.write(|reply| Command::Trim { topic, older_than, keep, reply }).await
    }

    pub(super) async fn close(&self) {
        let closed: Result<(), Error> = self.write(|reply| Command::Close { reply }).await;
        // An error means that it was closed before.
        drop(closed);
        for reader in [&self.feed, &self.state] {
            if let Some(connection) = reader.lock().await.take() {
                drop(connection.close().await);
            }
        }
    }

    /// Messages of a topic after number `after`, oldest first.
    pub(super) async fn messages(&self, topic: &str, after: i64, limit: usize) -> Result<Vec<Message>, Error> {
        let mut guard = self.feed.lock().await;
        let connection = guard.as_mut().ok_or_else(closed)?;
        let rows: Vec<Columns> = sqlx::query_as(
            "SELECT seq, topic, 0, id, type, body FROM message WHERE topic = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        )
        .bind(topic)
        .bind(after)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await
        .map_err(unavailable)?;
        Ok(rows.into_iter().map(Message::of).collect())
    }

    /// Pending messages whose time has come, in the order of their times, and the time of the next one after them.
    /// What is due later than `never_after` was put off by a clock that ran ahead: it is due now.
    pub(super) async fn due(
        &self,
        app: &str,
        topics: &str,
        now: i64,
        never_after: i64,
        limit: usize,
    ) -> Result<(Vec<Message>, Option<i64>), Error> {
        let mut guard = self.feed.lock().await;
        let connection = guard.as_mut().ok_or_else(closed)?;
        let rows: Vec<Columns> = sqlx::query_as(
            "SELECT p.seq, m.topic, p.retries, m.id, m.type, m.body FROM pending p JOIN message m ON m.seq = p.seq
             WHERE p.app = ?1 AND (p.due_at <= ?2 OR p.due_at > ?3)
               AND m.topic IN (SELECT value FROM json_each(?4)) ORDER BY p.due_at, p.seq LIMIT ?5",
        )
        .bind(app)
        .bind(now)
        .bind(never_after)
        .bind(topics)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await
        .map_err(unavailable)?;
        let next = if rows.len() == limit {
            Some(now)
        } else {
            sqlx::query_scalar("SELECT min(due_at) FROM pending WHERE app = ?1 AND due_at > ?2 AND due_at <= ?3")
                .bind(app)
                .bind(now)
                .bind(never_after)
                .fetch_one(connection)
                .await
                .map_err(unavailable)?
        };
        Ok((rows.into_iter().map(Message::of).collect(), next))
    }

    /// The entries of those keys that are there and not expired.
    pub(super) async fn entries(&self, keys: &[String], now: i64) -> Result<BTreeMap<String, Entry>, Error> {
        let mut guard = self.state.lock().await;
        let connection = guard.as_mut().ok_or_else(closed)?;
        let rows: Vec<(String, i64, Vec<u8>)> = sqlx::query_as(
            "SELECT key, version, value FROM state
             WHERE key IN (SELECT value FROM json_each(?1)) AND (expires_at IS NULL OR expires_at > ?2)",
        )
        .bind(json(keys))
        .bind(now)
        .fetch_all(connection)
        .await
        .map_err(unavailable)?;
        let entry = |version: i64, value| Entry { value: Bytes::from(value), etag: version.to_string() };
        Ok(rows.into_iter().map(|(key, version, value)| (key, entry(version, value))).collect())
    }
}

/// A list as `json_each` takes it: one statement for lists of any length, prepared once.
pub(super) fn json<T: serde::Serialize + ?Sized>(list: &T) -> String {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".to_owned())
}

pub(super) fn closed() -> Error {
    Error::Unavailable("the store is closed".into())
}

/// The database's own words may hold SQL and paths: they go to the log, not to callers.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn unavailable(error: sqlx::Error) -> Error {
    tracing::warn!(error = %error, "the local sidecar's store failed");
    Error::Unavailable("the local store failed".into())
}
