//! Retention: removes what nobody needs any more, a bounded batch a transaction, so that requests are not held up.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use todo_domain::Error;
use tokio_util::sync::CancellationToken;

use crate::core::Core;

/// How often.
const EVERY: Duration = Duration::from_mins(15);
/// Rows of a kind in one transaction.
const BATCH: i64 = 1_000;

pub(crate) async fn run(core: Arc<Core>, shutdown: CancellationToken) {
    loop {
        match purge(&core).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "purged what is past its retention"),
            Err(error) => tracing::warn!(error = ?error.source, "could not purge"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Purges until nothing is left to purge; answers how many rows that were.
pub(crate) async fn purge(core: &Core) -> Result<u64, Error> {
    let now = core.clock.now();
    let mut rows = 0;
    loop {
        let mut tx = core.store.begin().await?;
        let ago = |age| now - age;
        let purged =
            tx.purge(now, ago(TimeDelta::hours(1)), ago(TimeDelta::days(1)), ago(TimeDelta::days(7)), BATCH).await?;
        tx.commit().await?;
        rows += purged;
        if purged == 0 {
            return Ok(rows);
        }
    }
}
