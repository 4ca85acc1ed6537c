//! The storage edge: [`Store`] opens transactions, [`Tx`] is one. Dropping a transaction rolls it back.
//!
//! There are two adapters, [`sqlite`] and [`postgres`]. The SQL in `sql/` is written once and compiled for both; what
//! must differ is in each adapter's `dialect`.
//!
//! Isolation: a write begins by locking its owner's row ([`Log::lock_owner`]), which orders the writes of one owner;
//! SQLite has one writer anyway. A read sees one snapshot. Every query names the owner whose rows it may touch, except
//! those that serve time and the outbox, which work for all.

pub mod postgres;
pub mod sqlite;

mod accounts;
mod inbox;
mod log;
mod outbox;
mod push;
mod talk;
mod tasks;
mod time;

use async_trait::async_trait;
use chrono::{DateTime, Utc, Weekday};
use sqlx::migrate::Migrator;
use tokio::sync::mpsc;
use uuid::Uuid;

pub use self::{
    accounts::{AccessToken, Accounts, Profile, RefreshToken},
    inbox::{Inbox, Notification},
    log::{Change, ChangeKind, Log, Owner, Reply},
    outbox::{DeadLetter, Outbox, Outgoing},
    push::{Push, Subscription},
    talk::{Conversation, Decision, DecisionFilter, Lease, Message, Talk, Tally, ToolCall},
    tasks::{Counts, Tasks},
    time::{DueKind, DueRow, Firing, Outline, ReminderRow, Series, Slot, SlotState, Time},
};

/// What the database answered that is not an answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away or too busy: the same call may succeed later.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// A bug of ours, or a database that others have changed.
    #[error("the database refused a statement")]
    Failed(#[source] sqlx::Error),
    /// A row holds what we would never write.
    #[error("a stored {0} cannot be read")]
    Corrupt(&'static str),
    /// The schema could not be brought up to date.
    #[error("the schema could not be migrated")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let passing = match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(database) => database.code().is_some_and(|code| is_passing(&code)),
            _ => false,
        };
        if passing { Self::Unavailable(error) } else { Self::Failed(error) }
    }
}

/// Postgres: connection exceptions (08), a login that is refused because its password is being changed (28), transaction
/// rollback such as deadlock (40), resources (53), operator intervention such as shutdown (57), system errors (58).
/// SQLite: busy (5), locked (6), full (13), cannot open (14) and input/output (10), the primary code being the low byte.
fn is_passing(code: &str) -> bool {
    // A SQLSTATE has five characters, many of them digits only; SQLite's numbers are shorter.
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 6 | 10 | 13 | 14),
        _ => ["08", "28", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class)),
    }
}

impl From<Error> for todo_domain::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(_) => Self::unavailable(error),
            Error::Failed(_) | Error::Corrupt(_) | Error::Migration(_) => Self::internal(error),
        }
    }
}

/// What a database looks like from outside.
#[derive(Debug)]
pub struct Inspection {
    /// The newest migration that it has had; none when it is empty.
    pub schema: Option<i64>,
    /// The newest migration that this program knows.
    pub known: i64,
    /// Whether it can be written.
    pub writable: Result<(), Error>,
    /// Its clock, if it has one of its own.
    pub now: Option<DateTime<Utc>>,
}

fn newest(migrations: &Migrator) -> i64 {
    migrations.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// Who is told of the owners that another replica has changed.
pub type Heard = dyn Fn(Option<Uuid>) + Send + Sync;

/// Opens transactions.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Opens a transaction that may write.
    async fn begin(&self) -> Result<Box<dyn Tx>, Error>;
    /// Begins a transaction whose commit a crash of the database may forget, because whoever makes it will do it again.
    async fn begin_repeatable(&self) -> Result<Box<dyn Tx>, Error> {
        self.begin().await
    }

    /// Opens a transaction that reads one snapshot.
    async fn read(&self) -> Result<Box<dyn Tx>, Error>;

    /// Tells other replicas of the owners that come out of `changed`, and `heard` of those that other replicas tell of:
    /// `None` when anyone may have changed, because for a while nothing was heard. Runs until it is dropped and retries
    /// whatever fails. It is a hint that only saves time: nothing may rely on it.
    ///
    /// Where one process owns the database there is nobody to tell.
    async fn share(&self, changed: mpsc::Receiver<Uuid>, heard: &Heard) {
        let _ = (changed, heard);
    }

    /// Takes another URL of the same database, with another user or password for example. Connections made by the former
    /// are not used again.
    ///
    /// # Errors
    /// When it is none.
    fn point_to(&self, url: &str) -> Result<(), Error> {
        let _ = url;
        Ok(())
    }

    /// Closes all connections once they are idle.
    async fn close(&self);
}

/// A transaction. Its methods are grouped by what they are about; dropping it rolls it back.
#[async_trait]
pub trait Tx: Accounts + Tasks + Log + Outbox + Time + Inbox + Talk + Push + Send {
    /// Makes what was written durable: when this returns, it is on disk.
    async fn commit(self: Box<Self>) -> Result<(), Error>;
}

/// An instant as it is stored.
fn micros(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}

/// A stored instant.
fn time(micros: i64) -> Result<DateTime<Utc>, Error> {
    DateTime::from_timestamp_micros(micros).ok_or(Error::Corrupt("time"))
}

/// A stored day of the week: from 1 for Monday, as in the proto.
fn weekday(number: i64) -> Result<Weekday, Error> {
    u8::try_from(number - 1).ok().and_then(|days| Weekday::try_from(days).ok()).ok_or(Error::Corrupt("weekday"))
}

#[cfg(test)]
mod tests {
    use super::is_passing;

    #[test]
    fn what_may_go_better_next_time_is_told_by_its_code() {
        // Connection exceptions, a deadlock, too many connections, a shutdown; SQLite busy, busy snapshot, full.
        for passing in ["08000", "08006", "08P01", "40001", "40P01", "53300", "57P01", "58030", "5", "517", "13"] {
            assert!(is_passing(passing), "{passing}");
        }
        // A division by zero, two broken constraints, a missing table; SQLite constraint, corrupt, read-only.
        for lasting in ["22012", "23505", "23503", "42P01", "00005", "02000", "19", "2067", "11", "8", ""] {
            assert!(!is_passing(lasting), "{lasting}");
        }
    }
}
