//! A database of a test's own.

use std::sync::Arc;

use chrono::Weekday;
use tempfile::TempDir;
use todo_backend::store::{Profile, Store, Tx, postgres, sqlite};
use todo_test_postgres::Postgres;
use uuid::Uuid;

use crate::make::at;

/// Enough for writers that wait for one another beside others that do not.
const CONNECTIONS: u32 = 16;

/// A database, empty, with its schema.
pub(crate) struct Db {
    pub(crate) store: Arc<dyn Store>,
    /// Where it is, for whoever looks past the store.
    pub(crate) url: String,
    _place: Place,
}

/// Ends the database when it is dropped.
enum Place {
    Directory(#[expect(dead_code, reason = "held")] TempDir),
    Server(#[expect(dead_code, reason = "held")] Postgres),
}

impl Db {
    /// Always there: the other one may not be.
    pub(crate) async fn sqlite() -> Option<Self> {
        crate::plans::record_statements();
        let directory = tempfile::Builder::new().prefix("todo-store-").tempdir().expect("a scratch directory");
        let path = directory.path().join("todo.db");
        let store = sqlite::Store::open(&path).await.expect("a new file");
        let url = format!("sqlite://{}", path.display());
        Some(Self { store: Arc::new(store), url, _place: Place::Directory(directory) })
    }

    /// Nothing, said aloud, where no Postgres is installed.
    pub(crate) async fn postgres() -> Option<Self> {
        crate::plans::record_statements();
        let server = tokio::task::spawn_blocking(Postgres::start).await.expect("it starts or is missing")?;
        let store = postgres::Store::open(&server.url(), CONNECTIONS).await.expect("a new database");
        store.migrate().await.expect("a new schema");
        Some(Self { store: Arc::new(store), url: server.url(), _place: Place::Server(server) })
    }

    pub(crate) async fn begin(&self) -> Box<dyn Tx> {
        self.store.begin().await.expect("a transaction")
    }

    pub(crate) async fn read(&self) -> Box<dyn Tx> {
        self.store.read().await.expect("a transaction")
    }

    /// An account.
    pub(crate) async fn owner(&self, name: &str) -> Uuid {
        let profile = profile(name);
        let mut tx = self.begin().await;
        assert!(tx.add_profile(&profile).await.unwrap());
        tx.commit().await.unwrap();
        profile.id
    }

    /// Stores tasks with their series, in one transaction.
    pub(crate) async fn insert(&self, tasks: &[todo_domain::task::Task]) {
        let mut tx = self.begin().await;
        for task in tasks {
            assert!(tx.insert_task(task, None).await.unwrap());
            if let Some(recurrence) = &task.recurrence {
                tx.put_series(&crate::make::series(task, recurrence)).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
    }
}

/// An account of this name, always the same.
pub(crate) fn profile(name: &str) -> Profile {
    Profile {
        id: todo_domain::ids::derived("user", name),
        email: format!("{name}@example.com"),
        password_hash: "$argon2id$v=19$m=16,t=1,p=1$c2FsdHNhbHQ$aGFzaA".into(),
        display_name: name.into(),
        time_zone: "Europe/Berlin".into(),
        week_start: Weekday::Mon,
        created_at: at("2026-01-01T00:00:00Z"),
        disabled_at: None,
    }
}
