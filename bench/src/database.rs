//! A connection of our own to a measured database, to fill it and to look into it.

use std::path::Path;

use sqlx::{
    AssertSqlSafe, ConnectOptions, Executor, PgConnection, SqliteConnection,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use todo::database::Database;
use uuid::Uuid;

use crate::Result;

/// A connection to either database.
pub(crate) enum Connection {
    /// To a SQLite file.
    Sqlite(SqliteConnection),
    /// To Postgres.
    Postgres(PgConnection),
}

/// Options for a SQLite file that work as the store's own: every commit on disk.
pub(crate) fn durable(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("cache_size", "-8192")
        .pragma("temp_store", "memory")
}

impl Connection {
    /// Opens one that checks no foreign keys and, on SQLite, forces nothing to disk: for filling.
    pub(crate) async fn open(database: &Database) -> Result<Self> {
        Ok(match database {
            Database::Sqlite(path) => {
                let options = durable(path).foreign_keys(false).synchronous(SqliteSynchronous::Off);
                Self::Sqlite(options.disable_statement_logging().connect().await?)
            }
            Database::Postgres(url) => {
                let options: PgConnectOptions = url.parse()?;
                let mut connection = options.disable_statement_logging().connect().await?;
                connection.execute("SET session_replication_role = replica; SET synchronous_commit = off").await?;
                Self::Postgres(connection)
            }
        })
    }

    /// Runs statements.
    pub(crate) async fn execute(&mut self, sql: &str) -> Result<()> {
        let statements = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Sqlite(connection) => _ = statements.execute(connection).await?,
            Self::Postgres(connection) => _ = statements.execute(connection).await?,
        }
        Ok(())
    }

    /// Asks for numbers.
    pub(crate) async fn numbers(&mut self, sql: &str) -> Result<Vec<i64>> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_all(connection).await?,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_all(connection).await?,
        })
    }

    /// Asks for pairs of numbers.
    pub(crate) async fn pairs(&mut self, sql: &str) -> Result<Vec<(i64, i64)>> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::Sqlite(connection) => sqlx::query_as(sql).fetch_all(connection).await?,
            Self::Postgres(connection) => sqlx::query_as(sql).fetch_all(connection).await?,
        })
    }

    /// Asks for one number.
    pub(crate) async fn number(&mut self, sql: &str) -> Result<i64> {
        Ok(self.numbers(sql).await?.first().copied().unwrap_or_default())
    }

    /// How many rows each table of the schema has.
    pub(crate) async fn sizes(&mut self) -> Result<Vec<(String, i64)>> {
        let sql = match self {
            Self::Sqlite(_) => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'tasks\\_search%' ESCAPE '\\'
                 AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY name"
            }
            Self::Postgres(_) => {
                "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_sqlx%'
                 ORDER BY tablename"
            }
        };
        let names: Vec<String> = match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_all(connection).await?,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_all(connection).await?,
        };
        let mut sizes = Vec::new();
        for name in names {
            let size = self.number(&format!("SELECT count(*) FROM {name}")).await?;
            sizes.push((name, size));
        }
        Ok(sizes)
    }

    /// Brings what was filled in to where it would be after a while: one file, and Postgres' statistics.
    pub(crate) async fn tidy(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(_) => self.execute("PRAGMA wal_checkpoint(TRUNCATE)").await,
            Self::Postgres(_) => {
                // Each by itself: VACUUM runs in no transaction.
                self.execute("VACUUM ANALYZE").await?;
                self.execute("CHECKPOINT").await
            }
        }
    }

    /// The rows `n(i)` from `first` to `last`.
    pub(crate) fn series(&self, first: i64, last: i64) -> String {
        match self {
            Self::Sqlite(_) => {
                format!("RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})")
            }
            Self::Postgres(_) => format!("n(i) AS (SELECT generate_series({first}::bigint, {last}::bigint))"),
        }
    }

    /// A UUID with a number in its last part, by an expression for the number.
    pub(crate) fn id(&self, kind: u16, expression: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("unhex('{kind:08x}000040008000' || printf('%012x', {expression}))"),
            Self::Postgres(_) => {
                format!("('{kind:08x}-0000-4000-8000-' || lpad(to_hex(({expression})::bigint), 12, '0'))::uuid")
            }
        }
    }

    /// A character by its number, as a function of this SQL.
    pub(crate) fn character(&self, number: u8) -> String {
        match self {
            Self::Sqlite(_) => format!("char({number})"),
            Self::Postgres(_) => format!("chr({number})"),
        }
    }
}

/// The id that [`Connection::id`] makes.
pub(crate) fn id(kind: u16, number: i64) -> Uuid {
    let number = u128::try_from(number).unwrap_or_default();
    Uuid::from_u128((u128::from(kind) << 96) | 0x4000_8000_0000_0000_0000 | number)
}
