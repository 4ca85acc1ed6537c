//! The schema itself.

use sqlx::{Connection as _, Executor as _};
use todo_backend::store::{Store as _, postgres, sqlite};

use crate::db::Db;

/// As after a rollback: what the later release brought is there.
const LATER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
     SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";

pub(crate) async fn a_schema_that_is_newer_serves(db: &Db) {
    if let Some(path) = db.url.strip_prefix("sqlite://") {
        let mut connection = sqlx::SqliteConnection::connect(&db.url).await.expect("the database");
        connection.execute(LATER).await.expect("a migration");
        sqlite::Store::open(path.as_ref()).await.expect("a newer schema").close().await;
    } else {
        let mut connection = sqlx::PgConnection::connect(&db.url).await.expect("the database");
        connection.execute(LATER).await.expect("a migration");
        let store = postgres::Store::open(&db.url, 1).await.expect("the database");
        store.migrate().await.expect("a newer schema");
        store.close().await;
    }
}
