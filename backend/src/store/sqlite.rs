//! SQLite: WAL, every commit on disk (`synchronous=FULL`), one writer, several readers.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use sqlx::{
    Connection as _, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Error, Inspection, Tx};

pub mod backup;

#[path = "sql/mod.rs"]
#[expect(clippy::duplicate_mod, reason = "the SQL is written once and compiled for each database")]
mod sql;

type Db = sqlx::Sqlite;
type Opened = sqlx::Transaction<'static, Db>;
type Row = sqlx::sqlite::SqliteRow;

mod dialect {
    //! Where SQLite's SQL must differ.

    /// Locks the owner's row; a SQLite write transaction is alone anyway.
    pub(super) const LOCK_OWNER: &str = "";
    /// Locks the key `$1` until the transaction ends; a SQLite write transaction is alone anyway.
    pub(super) const LOCK_KEY: Option<&str> = None;
    /// Skips rows that others hold.
    pub(super) const SKIP_LOCKED: &str = "";
    /// One process owns the file, so leasing what to publish would only cost a commit.
    pub(super) const LEASES: bool = false;
    /// A text condition for terms the index can serve (three characters and more); `?` is the bound expression.
    pub(super) const SEARCH: (&str, &str) = ("n IN (SELECT rowid FROM tasks_search WHERE tasks_search MATCH ", ")");
    /// A text condition for shorter terms.
    pub(super) const SEARCH_SHORT: (&str, &str) = ("instr(search, ", ") > 0");
    /// The owner's condition where the index of texts or tags finds the rows; the plus keeps SQLite, which cannot know
    /// how few those are, from reading all of the owner's.
    pub(super) const OWNER_BY_OTHERS: &str = "+user_id = ";
    /// How many rows the text index finds for `$1`, counted up to `$2`.
    pub(super) const COUNT_BY_TEXT: Option<&str> =
        Some("SELECT count(*) FROM (SELECT 1 FROM tasks_search WHERE tasks_search MATCH $1 LIMIT $2)");
    /// Up to so many rows are found by their text or a tag and then sorted, rather than in order until a page is full.
    pub(super) const FEW: i64 = 1_000;

    /// The bound value of [`SEARCH`]: an FTS5 string, in which only the quote is special.
    pub(super) fn search_term(term: &str) -> String {
        format!("\"{}\"", term.replace('"', "\"\""))
    }
}

/// How long a statement waits for another process (a backup, a migration) to release the file.
const BUSY: Duration = Duration::from_secs(10);
/// How long a request waits for a connection before it is told that the database is not available.
const ACQUIRE: Duration = Duration::from_secs(10);

/// A database file.
#[derive(Debug)]
pub struct Store {
    writer: sqlx::SqlitePool,
    readers: sqlx::SqlitePool,
}

impl Store {
    /// Opens the file, made if missing, and brings its schema up to date.
    ///
    /// # Errors
    /// When the file cannot be opened, or holds a newer schema than this program knows.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("cache_size", "-8192")
            .pragma("temp_store", "memory")
            .statement_cache_capacity(256);
        let writer = pool(1).connect_with(options.clone()).await?;
        // The schema only expands: after a rollback it is newer than we know, and serves all the same.
        migrations().set_ignore_missing(true).run(&writer).await.map_err(Error::Migration)?;
        // A transaction that only reads begins DEFERRED and sees the snapshot of its first statement.
        let readers = options.pragma("query_only", "on").pragma("cache_size", "-4096");
        let readers = pool(4).connect_with(readers).await?;
        Ok(Self { writer, readers })
    }
}

fn migrations() -> Migrator {
    sqlx::migrate!("../migrations/sqlite")
}

/// Looks at a file without changing it.
///
/// # Errors
/// When there is none, or it is no database.
pub async fn inspect(path: &Path) -> Result<Inspection, Error> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY);
    let mut database = SqliteConnection::connect_with(&options).await?;
    let migrated = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')";
    let schema = if sqlx::query_scalar(migrated).fetch_one(&mut database).await? {
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success").fetch_one(&mut database).await?
    } else {
        None
    };
    let writable = match database.begin_with("BEGIN IMMEDIATE").await {
        Ok(transaction) => transaction.rollback().await,
        Err(error) => Err(error),
    };
    database.close().await?;
    Ok(Inspection { schema, known: super::newest(&migrations()), writable: writable.map_err(Error::from), now: None })
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        // After some errors, such as a full disk, SQLite rolls back by itself, and sqlx goes on counting the transaction
        // as open: then no other could begin on that connection ever again.
        .before_acquire(|connection, _| Box::pin(std::future::ready(Ok(!connection.is_in_transaction()))))
        .idle_timeout(None)
        .max_lifetime(None)
}

#[async_trait]
impl super::Store for Store {
    async fn begin(&self) -> Result<Box<dyn Tx>, Error> {
        Ok(Box::new(sql::Transaction::new(self.writer.begin_with("BEGIN IMMEDIATE").await?)))
    }

    async fn read(&self) -> Result<Box<dyn Tx>, Error> {
        Ok(Box::new(sql::Transaction::new(self.readers.begin().await?)))
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
