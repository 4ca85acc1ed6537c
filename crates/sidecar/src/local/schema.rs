//! The store's tables.

/// The layout below. A file with a higher one was made by a newer version of this program.
pub(super) const VERSION: i64 = 1;

/// Times are microseconds since 1970.
///
/// `consumer.cursor`: every message of the topic up to it is either handled by the app or in its `pending` rows.
/// `pending`: what was read before the cursor and is not handled: retries that wait, and what was being handled when a
/// later message was acknowledged. In the good case no row is ever written there.
/// `state.version` is the `ETag`: `AUTOINCREMENT` makes sure that no number comes twice, not even for another key.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    body BLOB NOT NULL,
    published_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS message_topic ON message (topic, seq);
CREATE TABLE IF NOT EXISTS consumer (
    app TEXT NOT NULL,
    topic TEXT NOT NULL,
    cursor INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (app, topic)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (
    app TEXT NOT NULL,
    seq INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (app, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pending_due ON pending (app, due_at);
CREATE INDEX IF NOT EXISTS pending_seq ON pending (seq);
CREATE TABLE IF NOT EXISTS state (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    value BLOB NOT NULL,
    expires_at INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS state_expires ON state (expires_at) WHERE expires_at IS NOT NULL;
PRAGMA user_version = 1;
";
