//! Timers: cron bindings and housekeeping.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::registry::Registry;
use super::{Core, LocalSidecar, TICK, micros_of};
use crate::{Error, Subscriber};

const TRIM_EVERY: Duration = Duration::from_mins(1);

impl LocalSidecar {
    /// Lets a binding tick now and waits for its handlers; answers how many replicas were told.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the options have no binding of that name.
    pub async fn fire_cron(&self, name: &str) -> Result<usize, Error> {
        if !self.core.bindings.iter().any(|cron| cron.name == name) {
            return Err(Error::NotFound);
        }
        let mut ticks = JoinSet::new();
        let told = tick(&self.registry, name, &mut ticks);
        while ticks.join_next().await.is_some() {}
        Ok(told)
    }
}

/// When something happens next that happens at intervals. Only the clock decides: what was missed is not made up for,
/// and a clock set back does not stop it.
struct Interval {
    every: i64,
    next: i64,
}

impl Interval {
    fn new(every: Duration, now: i64) -> Self {
        let every = micros_of(every);
        Self { every, next: now.saturating_add(every) }
    }

    fn is_due(&mut self, now: i64) -> bool {
        let due = now >= self.next;
        if due || self.next > now.saturating_add(self.every) {
            self.next = now.saturating_add(self.every);
        }
        due
    }
}

/// Ticks and trims until `shutdown`, then waits for the ticks' handlers.
pub(super) async fn timers(core: Arc<Core>, registry: Arc<Registry>, shutdown: CancellationToken) {
    let start = core.opened;
    let mut bindings: Vec<_> =
        core.bindings.iter().map(|cron| (cron.name.as_str(), Interval::new(cron.every, start))).collect();
    let mut trimming = Interval::new(TRIM_EVERY, start);
    let mut ticks = JoinSet::new();
    while !shutdown.is_cancelled() {
        let now = core.now();
        for (name, interval) in &mut bindings {
            if interval.is_due(now) {
                tick(&registry, name, &mut ticks);
            }
        }
        if trimming.is_due(now)
            && let Err(error) = trim(&core, &registry).await
        {
            tracing::warn!(%error, "the local store could not be trimmed");
        }
        while ticks.try_join_next().is_some() {}
        let next = bindings.iter().map(|(_, interval)| interval.next).fold(trimming.next, i64::min);
        let left = Duration::from_micros(u64::try_from(next.saturating_sub(core.now())).unwrap_or(0));
        tokio::select! {
            () = tokio::time::sleep(left.min(TICK)) => {}
            () = registry.timers.notified() => {}
            () = shutdown.cancelled() => {}
        }
    }
    while ticks.join_next().await.is_some() {}
}

/// Tells every replica that handles the binding. A slow handler does not hold up the next tick: as with Dapr, they
/// overlap.
fn tick(registry: &Registry, name: &str, ticks: &mut JoinSet<()>) -> usize {
    let handlers: Vec<Arc<dyn Subscriber>> = registry.apps().iter().flat_map(|app| app.handlers_of(name)).collect();
    let told = handlers.len();
    for handler in handlers {
        let binding = name.to_owned();
        ticks.spawn(async move {
            let work = async {
                if handler.serving().await {
                    handler.on_trigger(&binding).await;
                }
            };
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!(binding, "a binding's handler panicked");
            }
        });
    }
    told
}

pub(super) async fn trim(core: &Core, registry: &Registry) -> Result<u64, Error> {
    let now = core.now();
    let before = now.saturating_sub(micros_of(core.retention.age));
    let live = registry.apps().iter().map(|app| app.id.clone()).collect();
    core.store.expire(live, now, before).await?;
    let mut removed = 0;
    for topic in core.store.heads().topics() {
        // In parts, so that publishing gets its turn in between.
        loop {
            let part = core.store.trim(&topic, before, core.retention.count).await?;
            removed += part;
            if part == 0 {
                break;
            }
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_starts_late_skips_what_was_missed_and_survives_a_clock_set_back() {
        let mut interval = Interval::new(Duration::from_micros(60), 1000);
        assert!(!interval.is_due(1000));
        assert!(!interval.is_due(1059));
        assert!(interval.is_due(1060));
        assert!(!interval.is_due(1061));
        assert!(interval.is_due(9000), "one tick for ten days");
        assert!(!interval.is_due(9001));
        assert!(!interval.is_due(100), "set back");
        assert!(interval.is_due(160));
    }
}
