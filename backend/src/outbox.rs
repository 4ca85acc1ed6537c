//! What whoever runs the server sees of the outbox, and may do with it: `todo outbox status|replay`.

use std::time::Duration;

use metrics::gauge;
use todo_domain::{Clock, Error, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::{core::Core, store::Store};

/// How often what waits is measured.
const MEASURED: Duration = Duration::from_secs(10);

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

/// Measures what waits, again and again, until the shutdown, if anyone may ask.
pub(crate) async fn measure(core: &Core, shutdown: CancellationToken) {
    if !core.options.measured {
        return;
    }
    let measure = async {
        loop {
            // While the database is away, /ready says so.
            if let Ok(mut tx) = core.store.read().await
                && let Ok((waiting, since)) = tx.outgoing_backlog().await
            {
                let age = since.and_then(|since| (core.clock.now() - since).to_std().ok()).unwrap_or_default();
                gauge!("todo_outbox_events").set(f64::from(i32::try_from(waiting).unwrap_or(i32::MAX)));
                gauge!("todo_outbox_age_seconds").set(age.as_secs_f64());
            }
            tokio::time::sleep(MEASURED).await;
        }
    };
    shutdown.run_until_cancelled(measure).await;
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
