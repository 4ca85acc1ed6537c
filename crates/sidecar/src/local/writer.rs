//! The only task that writes: whatever waits is committed together, so that many callers share one fsync.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use sqlx::{Connection, QueryBuilder, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::registry::Registry;
use super::settle::{End, Settlement};
use super::store::{Heads, closed, json, unavailable};
use crate::{Error, Match};

/// Commands committed together at most, so that nobody waits long behind others.
const TOGETHER: usize = 256;
/// Rows of one INSERT. Few sizes, so that each statement is prepared once.
const CHUNKS: [usize; 3] = [64, 8, 1];
/// Messages removed by one command at most.
const TRIM: i64 = 1000;

type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// A message to store.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) type_: String,
    pub(super) body: Vec<u8>,
}

/// A state key to write.
pub(super) struct Put {
    pub(super) key: String,
    pub(super) value: Bytes,
    pub(super) expect: Match,
    pub(super) expires_at: Option<i64>,
    pub(super) now: i64,
}

pub(super) enum Command {
    Publish { topic: String, rows: Vec<Row>, now: i64, reply: Reply<()> },
    Put { put: Put, reply: Reply<()> },
    Settle { settlement: Arc<Settlement>, now: i64, reply: Reply<()> },
    Join { app: String, topics: Vec<String>, now: i64, reply: Reply<Vec<i64>> },
    Expire { live: Vec<String>, now: i64, unseen_since: i64, reply: Reply<()> },
    Trim { topic: String, older_than: i64, keep: u32, reply: Reply<u64> },
    Close { reply: Reply<()> },
}

/// What a command did within its transaction.
enum Done {
    Written,
    Conflict,
    Cursors(Vec<i64>),
    Removed(u64),
}

/// Why a transaction was not committed.
enum Failure {
    /// One of its commands failed.
    OfOne(sqlx::Error),
    /// It could not be begun or ended.
    OfAll(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::OfAll(error)
    }
}

impl From<Failure> for sqlx::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::OfOne(error) | Failure::OfAll(error) => error,
        }
    }
}

pub(super) struct Writer {
    connection: SqliteConnection,
    /// Whether publishing forces to disk, and whether the connection does so now.
    durable: bool,
    forcing: bool,
    heads: Arc<Heads>,
    registry: Weak<Registry>,
}

impl Writer {
    pub(super) fn new(
        connection: SqliteConnection,
        durable: bool,
        heads: Arc<Heads>,
        registry: Weak<Registry>,
    ) -> Self {
        Self { connection, durable, forcing: durable, heads, registry }
    }

    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut batch = Vec::with_capacity(TOGETHER);
        let mut close = None;
        while close.is_none() && commands.recv_many(&mut batch, TOGETHER).await > 0 {
            if let Some(at) = batch.iter().position(|command| matches!(command, Command::Close { .. })) {
                // What came after it is refused.
                for command in batch.drain(at..) {
                    match command {
                        Command::Close { reply } if close.is_none() => close = Some(reply),
                        other => other.reply(Err(closed())),
                    }
                }
            }
            if !batch.is_empty() {
                self.carry_out(std::mem::take(&mut batch)).await;
            }
        }
        drop(self.connection.close().await);
        if let Some(reply) = close {
            drop(reply.send(Ok(())));
        }
    }

    /// Carries the commands out together. When one of them fails, each is tried for itself: what is wrong with one must
    /// not be its neighbours' error.
    async fn carry_out(&mut self, commands: Vec<Command>) {
        match self.commit(&commands).await {
            Ok(done) => {
                for (command, done) in commands.into_iter().zip(done) {
                    command.reply(Ok(done));
                }
            }
            Err(Failure::OfOne(_)) if commands.len() > 1 => {
                for command in commands {
                    let result = self.commit(std::slice::from_ref(&command)).await;
                    let done = result.map(|mut done| done.pop().unwrap_or(Done::Written));
                    command.reply(done.map_err(|failure| unavailable(failure.into())));
                }
            }
            Err(failure) => {
                let error = unavailable(failure.into());
                for command in commands {
                    command.reply(Err(error.clone()));
                }
            }
        }
    }

    async fn commit(&mut self, commands: &[Command]) -> Result<Vec<Done>, Failure> {
        let force = self.durable && commands.iter().any(|command| matches!(command, Command::Publish { .. }));
        if self.durable && self.forcing != force {
            let pragma = if force { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
            sqlx::query(pragma).execute(&mut self.connection).await?;
            self.forcing = force;
        }
        let mut raised = Vec::new();
        let done = match transact(&mut self.connection, commands, &mut raised).await {
            Ok(done) => done,
            Err(failure) => {
                // After some errors, such as a full disk, SQLite has rolled back already, and says so. By sqlx's own
                // transactions the connection would be lost then: it would count one as open for ever.
                drop(sqlx::query("ROLLBACK").execute(&mut self.connection).await);
                return Err(failure);
            }
        };
        if !raised.is_empty() {
            for (topic, seq) in raised {
                self.heads.raise(&topic, seq);
            }
            if let Some(registry) = self.registry.upgrade() {
                registry.wake_apps();
            }
        }
        Ok(done)
    }
}

async fn transact(
    connection: &mut SqliteConnection,
    commands: &[Command],
    raised: &mut Vec<(String, i64)>,
) -> Result<Vec<Done>, Failure> {
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let mut done = Vec::with_capacity(commands.len());
    for command in commands {
        done.push(command.apply(connection, raised).await.map_err(Failure::OfOne)?);
    }
    sqlx::query("COMMIT").execute(connection).await?;
    Ok(done)
}

impl Command {
    fn reply(self, result: Result<Done, Error>) {
        // Whoever asked may have stopped waiting.
        match self {
            Self::Publish { reply, .. }
            | Self::Put { reply, .. }
            | Self::Settle { reply, .. }
            | Self::Expire { reply, .. }
            | Self::Close { reply } => drop(reply.send(match result {
                Ok(Done::Conflict) => Err(Error::Conflict),
                other => other.map(|_| ()),
            })),
            Self::Join { reply, .. } => drop(reply.send(result.map(|done| match done {
                Done::Cursors(cursors) => cursors,
                _ => Vec::new(),
            }))),
            Self::Trim { reply, .. } => drop(reply.send(result.map(|done| match done {
                Done::Removed(count) => count,
                _ => 0,
            }))),
        }
    }

    async fn apply(&self, tx: &mut SqliteConnection, raised: &mut Vec<(String, i64)>) -> Result<Done, sqlx::Error> {
        match self {
            Self::Publish { topic, rows, now, .. } => {
                let seq = insert_messages(tx, topic, rows, *now).await?;
                raised.push((topic.clone(), seq));
                Ok(Done::Written)
            }
            Self::Put { put, .. } => Ok(if write_state(tx, put).await? { Done::Written } else { Done::Conflict }),
            Self::Settle { settlement, now, .. } => {
                settle(tx, settlement, *now, raised).await?;
                Ok(Done::Written)
            }
            Self::Join { app, topics, now, .. } => Ok(Done::Cursors(join(tx, app, topics, *now).await?)),
            Self::Expire { live, now, unseen_since, .. } => {
                expire(tx, live, *now, *unseen_since).await?;
                Ok(Done::Written)
            }
            Self::Trim { topic, older_than, keep, .. } => Ok(Done::Removed(trim(tx, topic, *older_than, *keep).await?)),
            Self::Close { .. } => Ok(Done::Written),
        }
    }
}

async fn insert_messages(tx: &mut SqliteConnection, topic: &str, rows: &[Row], now: i64) -> Result<i64, sqlx::Error> {
    let mut last = 0;
    let mut rest = rows;
    for size in CHUNKS {
        while rest.len() >= size {
            let (chunk, more) = rest.split_at(size);
            rest = more;
            let mut insert = QueryBuilder::new("INSERT INTO message (topic, id, type, body, published_at) ");
            insert.push_values(chunk, |mut values, row| {
                values
                    .push_bind(topic)
                    .push_bind(&row.id)
                    .push_bind(&row.type_)
                    .push_bind(&row.body[..])
                    .push_bind(now);
            });
            last = insert.build().execute(&mut *tx).await?.last_insert_rowid();
        }
    }
    Ok(last)
}

/// Whether the expectation held and the value was written.
async fn write_state(tx: &mut SqliteConnection, put: &Put) -> Result<bool, sqlx::Error> {
    let removed = match &put.expect {
        Match::Any => sqlx::query("DELETE FROM state WHERE key = ?1").bind(&put.key).execute(&mut *tx).await?,
        Match::Absent => {
            // What has expired is absent.
            sqlx::query("DELETE FROM state WHERE key = ?1 AND expires_at <= ?2")
                .bind(&put.key)
                .bind(put.now)
                .execute(&mut *tx)
                .await?
        }
        Match::Etag(etag) => {
            sqlx::query("DELETE FROM state WHERE key = ?1 AND version = ?2 AND (expires_at IS NULL OR expires_at > ?3)")
                .bind(&put.key)
                .bind(etag.parse().unwrap_or(0_i64))
                .bind(put.now)
                .execute(&mut *tx)
                .await?
        }
    };
    if matches!(put.expect, Match::Etag(_)) && removed.rows_affected() == 0 {
        return Ok(false);
    }
    let inserted =
        sqlx::query("INSERT INTO state (key, value, expires_at) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING")
            .bind(&put.key)
            .bind(&put.value[..])
            .bind(put.expires_at)
            .execute(&mut *tx)
            .await?;
    Ok(inserted.rows_affected() == 1)
}

async fn settle(
    tx: &mut SqliteConnection,
    settlement: &Settlement,
    now: i64,
    raised: &mut Vec<(String, i64)>,
) -> Result<(), sqlx::Error> {
    let app = &settlement.app;
    for (topic, cursor) in &settlement.cursors {
        sqlx::query("UPDATE consumer SET cursor = max(cursor, ?3) WHERE app = ?1 AND topic = ?2")
            .bind(app)
            .bind(topic)
            .bind(cursor)
            .execute(&mut *tx)
            .await?;
    }
    if !settlement.finished.is_empty() {
        sqlx::query("DELETE FROM pending WHERE app = ?1 AND seq IN (SELECT value FROM json_each(?2))")
            .bind(app)
            .bind(json(&settlement.finished))
            .execute(&mut *tx)
            .await?;
    }
    if !settlement.pending.is_empty() {
        sqlx::query(
            "INSERT INTO pending (app, seq, retries, due_at)
             SELECT ?1, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?2) WHERE true
             ON CONFLICT (app, seq) DO UPDATE SET retries = excluded.retries, due_at = excluded.due_at",
        )
        .bind(app)
        .bind(json(&settlement.pending))
        .execute(&mut *tx)
        .await?;
    }
    for (_, end) in &settlement.ends {
        if let End::Dead { topic, row } = end {
            let seq = insert_messages(tx, topic, std::slice::from_ref(row), now).await?;
            raised.push((topic.clone(), seq));
        }
    }
    Ok(())
}

async fn join(tx: &mut SqliteConnection, app: &str, topics: &[String], now: i64) -> Result<Vec<i64>, sqlx::Error> {
    let mut cursors = Vec::with_capacity(topics.len());
    for topic in topics {
        let cursor = sqlx::query_scalar(
            "INSERT INTO consumer (app, topic, cursor, seen_at) VALUES (?1, ?2, 0, ?3)
             ON CONFLICT (app, topic) DO UPDATE SET seen_at = excluded.seen_at RETURNING cursor",
        )
        .bind(app)
        .bind(topic)
        .bind(now)
        .fetch_one(&mut *tx)
        .await?;
        cursors.push(cursor);
    }
    Ok(cursors)
}

/// Marks the groups of live apps as seen, forgets groups unseen for too long, and removes expired state.
async fn expire(tx: &mut SqliteConnection, live: &[String], now: i64, unseen_since: i64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE consumer SET seen_at = ?2 WHERE app IN (SELECT value FROM json_each(?1))")
        .bind(json(&live))
        .bind(now)
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM consumer WHERE seen_at < ?1").bind(unseen_since).execute(&mut *tx).await?;
    sqlx::query(
        "DELETE FROM pending WHERE NOT EXISTS (SELECT 1 FROM consumer c JOIN message m ON m.topic = c.topic
         WHERE c.app = pending.app AND m.seq = pending.seq)",
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM state WHERE expires_at <= ?1").bind(now).execute(&mut *tx).await?;
    Ok(())
}

async fn trim(tx: &mut SqliteConnection, topic: &str, older_than: i64, keep: u32) -> Result<u64, sqlx::Error> {
    let removed = sqlx::query(
        "DELETE FROM message WHERE seq IN (
           SELECT seq FROM message m WHERE topic = ?1
             AND seq <= coalesce((SELECT min(cursor) FROM consumer WHERE topic = ?1), 9223372036854775807)
             AND (published_at < ?2
                  OR seq <= (SELECT seq FROM message WHERE topic = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?3))
             AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.seq = m.seq)
           ORDER BY seq LIMIT ?4)",
    )
    .bind(topic)
    .bind(older_than)
    .bind(keep)
    .bind(TRIM)
    .execute(&mut *tx)
    .await?;
    Ok(removed.rows_affected())
}
