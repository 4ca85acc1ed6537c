//! What a consumer writes back after deliveries, as one batch.

use super::writer::Row;

/// How one delivery ended.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// Handled, dropped without a dead letter, or not for this app.
    Done,
    /// Again at `due_at`, after so many retries.
    Again { retries: u32, due_at: i64 },
    /// To the dead-letter topic.
    Dead { topic: String, row: Row },
}

/// A batch of ends of one app. It is committed as a whole, so a dead letter exists exactly when its delivery is over.
#[derive(Debug, Default)]
pub(super) struct Settlement {
    pub(super) app: String,
    /// What ended, to put back if the commit fails.
    pub(super) ends: Vec<(i64, End)>,
    /// The new cursors.
    pub(super) cursors: Vec<(String, i64)>,
    /// Rows to write: number, retries, due time. Those still being handled behind a new cursor are among them.
    pub(super) pending: Vec<(i64, u32, i64)>,
    /// Rows to delete.
    pub(super) finished: Vec<i64>,
    /// Numbers of `pending` that are still being handled.
    pub(super) parked: Vec<i64>,
}
