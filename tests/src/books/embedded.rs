//! The books of an embedded system: the two files in its data directory.

use std::path::Path;

use sqlx::{
    ConnectOptions as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use super::{Books, Broker};

#[path = "rows.rs"]
#[expect(clippy::duplicate_mod, reason = "the SQL is written once and compiled for each database")]
pub(super) mod rows;

type Connection = SqliteConnection;
type DbRow = SqliteRow;

impl Books {
    /// Reads the files in a data directory.
    ///
    /// # Panics
    /// When they cannot be read.
    pub async fn read(data_dir: &Path) -> Self {
        let mut file = open(&data_dir.join("todo.db")).await;
        let broker = Broker::read(&data_dir.join("sidecar.db")).await;
        rows::read(&mut file, broker).await
    }
}

/// What still has to happen by a moment (microseconds since 1970): events to publish and to deliver, decisions to make,
/// effects to come. Cheap enough to be asked again and again while the system runs.
///
/// # Panics
/// When the file cannot be read.
pub async fn left_to_do(data_dir: &Path, now: i64) -> i64 {
    let mut file = open(&data_dir.join("todo.db")).await;
    let left: i64 = rows::left_to_do(&mut file, now).await.into_iter().map(|(_, count)| count).sum();
    left + Broker::left_to_do(&data_dir.join("sidecar.db")).await
}

pub(super) async fn open(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging();
    options.connect().await.expect("the file is there")
}
