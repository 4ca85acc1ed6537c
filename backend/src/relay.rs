//! The relay: publishes what the outbox holds, until the sidecar has it. Woken at each commit; it looks by itself each
//! second too, for what other replicas left. No transaction is open while it publishes; what a crash loses of its own
//! bookkeeping is published again, under the same id.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::TimeDelta;
use metrics::{counter, histogram};
use todo_domain::Error;
use todo_runtime::health::{Check, Health};
use todo_sidecar::CloudEvent;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{core::Core, store::Outgoing};

/// Events taken at once.
const BATCH: i64 = 200;
/// How long a replica may take to publish a batch before another tries.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// Nothing is put off, or leased, for longer.
const NEVER_AFTER: TimeDelta = TimeDelta::minutes(1);
/// How often it looks without being woken.
const PATROL: Duration = Duration::from_secs(1);
/// The longest wait between two tries.
const BACKOFF_MAX: TimeDelta = TimeDelta::seconds(30);

pub(crate) struct Relay {
    pub(crate) core: Arc<Core>,
    pub(crate) health: Health,
}

impl Relay {
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.core.outgoing.notified() => {}
                () = tokio::time::sleep(PATROL) => {}
            }
            self.drain().await;
        }
        // What the last requests committed.
        self.drain().await;
    }

    /// Publishes until nothing is due.
    async fn drain(&self) {
        loop {
            match self.publish_batch().await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = ?error.source, "the outbox cannot be read or written");
                    return;
                }
            }
        }
    }

    /// Publishes one batch; answers how many events it held.
    pub(crate) async fn publish_batch(&self) -> Result<usize, Error> {
        let now = self.core.clock.now();
        let mut tx = self.core.store.begin_repeatable().await?;
        let batch = tx.lease_outgoing(now, now + LEASE, BATCH).await?;
        if batch.is_empty() {
            let recalled = tx.recall_outgoing(now, now + NEVER_AFTER).await?;
            tx.commit().await?;
            return Ok(usize::try_from(recalled).unwrap_or_default());
        }
        tx.commit().await?;

        let taken = batch.len();
        let mut by_topic: BTreeMap<String, Vec<Outgoing>> = BTreeMap::new();
        for outgoing in batch {
            by_topic.entry(outgoing.topic.clone()).or_default().push(outgoing);
        }
        let mut published = Vec::new();
        let mut failed: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
        let mut reason = None;
        for (topic, batch) in by_topic {
            let mut failing = |outgoing: &Outgoing, why: String| {
                reason = Some(why);
                failed.entry(outgoing.attempts).or_default().push(outgoing.id);
            };
            let (mut readable, mut events) = (Vec::new(), Vec::new());
            for outgoing in batch {
                match CloudEvent::from_json(&outgoing.event) {
                    Ok(event) => {
                        readable.push(outgoing);
                        events.push(event);
                    }
                    // Its bytes were fixed by us at the commit. It waits where an operator can see it.
                    Err(invalid) => failing(&outgoing, format!("the event {} is none: {invalid}", outgoing.id)),
                }
            }
            let results = self.core.sidecar.publish_many(&topic, &events).await;
            for (outgoing, result) in readable.into_iter().zip(results) {
                match result {
                    Ok(()) => published.push(outgoing),
                    Err(error) => {
                        counter!("todo_outbox_failures_total").increment(1);
                        failing(&outgoing, error.to_string());
                    }
                }
            }
        }

        let now = self.core.clock.now();
        let mut tx = self.core.store.begin_repeatable().await?;
        let ids: Vec<_> = published.iter().map(|outgoing| outgoing.id).collect();
        tx.set_published(&ids, now).await?;
        for (attempts, ids) in failed {
            tx.postpone_outgoing(&ids, now + self.backoff(attempts)).await?;
        }
        tx.commit().await?;
        for outgoing in published {
            histogram!("todo_outbox_lag_seconds").record((now - outgoing.created_at).to_std().unwrap_or_default());
        }
        let waits = |why| Check::Degraded(format!("events wait, because the sidecar does not take them: {why}"));
        self.health.set("outbox", reason.map_or(Check::Ok, waits));
        Ok(taken)
    }

    /// 200 ms, doubled at each try, at most 30 s; a little less or more, so that replicas do not march in step.
    fn backoff(&self, attempts: i64) -> TimeDelta {
        let exponent = u32::try_from(attempts.clamp(0, 10)).unwrap_or_default();
        let millis = (100 * 2_i64.pow(exponent)).min(BACKOFF_MAX.num_milliseconds());
        // The last byte of a UUID v4 is random: up to two fifths.
        let chance = i64::from(self.core.ids.random().as_bytes()[15]);
        TimeDelta::milliseconds(millis - millis / 5 + chance * millis / 640)
    }
}
