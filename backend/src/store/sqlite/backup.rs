//! Copies of a database file, and whether a file can be one.

use std::path::Path;

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{BUSY, inspect};
use crate::store::Error;

/// Why a file cannot be taken for a database.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// It holds something else.
    #[error("it holds no tasks of this program")]
    Foreign,
    /// SQLite finds faults in it.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// Its schema is newer than this program's.
    #[error("a newer release made it (its schema is {0}, this release knows {1}): restore it with that one")]
    Newer(i64, i64),
}

/// Copies a database as it is at one moment, while others read and write it, into a file that is empty. The copy is on
/// disk only once the caller has synced it.
///
/// # Errors
/// When there is no database, or the copy cannot be written.
pub async fn copy(from: &Path, to: &str) -> Result<(), Error> {
    let mut database = open(from).await?;
    sqlx::query("VACUUM INTO $1").bind(to).execute(&mut database).await?;
    Ok(database.close().await?)
}

/// Looks whether a file is a whole database that [`Store::open`](super::Store::open) would take.
///
/// # Errors
/// When it is not.
pub async fn check(path: &Path) -> Result<(), Unfit> {
    let found = inspect(path).await.map_err(|error| match error {
        Error::Failed(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code == NOT_A_DATABASE) => {
            Unfit::Foreign
        }
        error => damaged(&error),
    })?;
    match found.schema {
        None => return Err(Unfit::Foreign),
        Some(schema) if schema > found.known => return Err(Unfit::Newer(schema, found.known)),
        Some(_) => {}
    }
    let faults = faults(path).await.map_err(|error| damaged(&error))?;
    if faults == ["ok"] { Ok(()) } else { Err(Unfit::Damaged(faults.join("; "))) }
}

async fn faults(path: &Path) -> Result<Vec<String>, sqlx::Error> {
    let mut database = open(path).await?;
    let faults = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_all(&mut database).await?;
    database.close().await?;
    Ok(faults)
}

/// `SQLITE_NOTADB`
const NOT_A_DATABASE: &str = "26";

fn damaged(error: &dyn std::error::Error) -> Unfit {
    Unfit::Damaged(error.source().map_or_else(|| error.to_string(), ToString::to_string))
}

async fn open(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path).busy_timeout(BUSY)).await
}
