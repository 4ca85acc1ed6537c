//! What whoever runs the server may do with the outbox: `todo outbox status|replay`.

use todo_domain::{Clock, Error, Timestamp};

use crate::store::Store;

/// Events in one transaction, so that requests are not held up.
const BATCH: usize = 500;

/// What the outbox holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Events that wait to be published.
    pub unpublished: i64,
    /// When the oldest of them was committed.
    pub oldest_unpublished: Option<Timestamp>,
    /// Published events that are kept.
    pub published: i64,
    /// When the oldest of them was published.
    pub oldest_published: Option<Timestamp>,
}

/// How the outbox is doing.
///
/// # Errors
/// When the database is away.
pub async fn status(store: &dyn Store) -> Result<Status, Error> {
    let mut tx = store.read().await?;
    let (unpublished, oldest_unpublished) = tx.outgoing_backlog().await?;
    let (published, oldest_published) = tx.outgoing_kept().await?;
    Ok(Status { unpublished, oldest_unpublished, published, oldest_published })
}

/// Makes what was published at or after `since` wait to be published again, each event as it was; answers how many
/// there are.
///
/// # Errors
/// When the database is away: then some may have been done.
pub async fn replay(store: &dyn Store, clock: &dyn Clock, since: Timestamp) -> Result<u64, Error> {
    // All are known before the first is published again, which would count as published since then.
    let ids = store.read().await?.published_since(since).await?;
    let mut events = 0;
    for ids in ids.chunks(BATCH) {
        let mut tx = store.begin().await?;
        events += tx.publish_again(ids, clock.now()).await?;
        tx.commit().await?;
    }
    tracing::info!(events, "an operator replayed the outbox");
    Ok(events)
}
