//! Which database, by its URL.

use std::{path::PathBuf, str::FromStr, sync::Arc};

use todo_backend::store::{self, Inspection, Store};
use todo_runtime::status::Chain;
use todo_sidecar::Secret;

/// A database that can be opened.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A Postgres URL.
    Postgres(String),
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::fmt::Display for Database {
    /// Where it is, without user and password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => {
                let place = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
                write!(f, "postgres://{}", place.split('?').next().unwrap_or_default())
            }
        }
    }
}

impl FromStr for Database {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => Ok(Self::Postgres(url.to_owned())),
            _ => Err("takes postgres://USER:PASSWORD@HOST/NAME or sqlite://FILE".to_owned()),
        }
    }
}

/// Connections to Postgres a process holds at most.
const CONNECTIONS: u32 = 16;

impl Database {
    /// The URL, with user and password.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// Reads the secret `database-url`.
    pub(crate) fn of(secret: &Secret) -> Result<Self, String> {
        secret.expose().parse().map_err(|error| format!("database-url {error}"))
    }

    /// Looks at it without changing it.
    pub(crate) async fn inspect(&self) -> Result<Inspection, store::Error> {
        match self {
            Self::Sqlite(path) => store::sqlite::inspect(path).await,
            Self::Postgres(url) => store::postgres::inspect(url).await,
        }
    }

    /// Opens it and brings its schema up to date.
    ///
    /// # Errors
    /// A sentence when it cannot be reached, or holds a newer schema than this program knows.
    pub async fn open(&self) -> Result<Arc<dyn Store>, String> {
        let fail = |error: store::Error| format!("the database {self} cannot be used: {}", Chain(&error));
        Ok(match self {
            Self::Sqlite(path) => Arc::new(store::sqlite::Store::open(path).await.map_err(fail)?),
            Self::Postgres(url) => {
                let store = store::postgres::Store::open(url, CONNECTIONS).await.map_err(fail)?;
                store.migrate().await.map_err(fail)?;
                Arc::new(store)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_shown_without_secrets() {
        let shown = |url: &str| url.parse::<Database>().map(|database| database.to_string());
        assert_eq!(shown("sqlite:///var/lib/todo.db").unwrap(), "/var/lib/todo.db");
        assert_eq!(shown("postgres://me:pa@ss@db.example:5432/todo?x=y").unwrap(), "postgres://db.example:5432/todo");
        assert!(shown("mysql://x").unwrap_err().contains("sqlite://FILE"));
        assert!(shown("sqlite://").is_err());
    }
}
