//! Writing [`state`](crate::state) through the sidecar. A state store that is away holds nothing up: facts wait in
//! memory, the newest of them, and are written when it is back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures::{StreamExt, stream};
use todo_domain::{Clock, Ids, Timestamp};
use todo_sidecar::{Entry, Error, Match, Sidecar};
use tokio_util::sync::CancellationToken;

use crate::condition::{Condition, Way};
use crate::state::Fact;
use crate::wake::{Backoff, Wake};
use crate::{Options, locked};

/// How many facts wait at most; the oldest go first, since later events say more.
const WAITING: usize = 20_000;
/// How many are written at once, so that a burst of reminders does not crowd out the sidecar's other work.
const LANES: usize = 8;
/// How many are read at once, and taken between two looks at the shutdown.
const ROUND: usize = 64;
/// How often a write that lost the race for its key starts again. Each loss is another's success.
const RACES: usize = 16;

pub(crate) struct Records {
    sidecar: Arc<dyn Sidecar>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    condition: Arc<Condition>,
    backoff: Backoff,
    queue: Mutex<Queue>,
    pub(crate) wake: Wake,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Fact>,
    failures: u32,
    /// After a failure: when the store is tried again.
    not_before: Option<Timestamp>,
}

impl Records {
    pub(crate) fn new(
        sidecar: Arc<dyn Sidecar>,
        (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>),
        condition: Arc<Condition>,
        options: Options,
    ) -> Self {
        let (wake, backoff) = (Wake::new(Arc::clone(&clock), options.look), options.backoff());
        Self { sidecar, clock, ids, condition, backoff, queue: Mutex::default(), wake }
    }

    /// Writes facts now, or keeps them for later if the store is away.
    pub(crate) async fn write(&self, facts: Vec<Fact>) {
        if locked(&self.queue).failures > 0 {
            // Known to be away: whoever waits for this must not wait for timeouts.
            self.postpone(facts);
        } else {
            self.attempt(facts).await;
        }
    }

    /// Keeps facts to be written in the background.
    pub(crate) fn postpone(&self, facts: impl IntoIterator<Item = Fact>) {
        let mut queue = locked(&self.queue);
        queue.waiting.extend(facts);
        let excess = queue.waiting.len().saturating_sub(WAITING);
        queue.waiting.drain(..excess);
        drop(queue);
        self.wake.wake();
    }

    /// Writes one round, if any waits.
    pub(crate) async fn step(&self) -> bool {
        let round = self.take();
        let any = !round.is_empty();
        if any {
            self.attempt(round).await;
        }
        any
    }

    /// Writes what waits, until told that there will be no more; then what is left, if the store is there.
    pub(crate) async fn run(self: Arc<Self>, last: CancellationToken) {
        loop {
            if self.step().await {
                continue;
            }
            if last.is_cancelled() {
                return;
            }
            let moment = locked(&self.queue).not_before;
            tokio::select! {
                () = last.cancelled() => {}
                () = self.wake.until(moment) => {}
            }
        }
    }

    fn take(&self) -> Vec<Fact> {
        let now = self.clock.now();
        let mut queue = locked(&self.queue);
        if queue.not_before.is_some_and(|moment| !self.backoff.is_over(moment, now)) {
            return Vec::new();
        }
        let round = queue.waiting.len().min(ROUND);
        queue.waiting.drain(..round).collect()
    }

    async fn attempt(&self, facts: Vec<Fact>) {
        let keys: Vec<_> = facts.iter().map(Fact::key).collect();
        let results: Vec<_> = match self.sidecar.get_many(&keys).await {
            Ok(stored) => {
                stream::iter(facts.into_iter().zip(stored))
                    .map(|(fact, stored)| async move {
                        let result = self.put(&fact, stored).await;
                        (fact, result)
                    })
                    .buffer_unordered(LANES)
                    .collect()
                    .await
            }
            Err(error) => facts.into_iter().map(|fact| (fact, Err(error.clone()))).collect(),
        };
        let mut again = Vec::new();
        let mut failure = None;
        for (fact, result) in results {
            match result {
                Ok(()) => {}
                Err(error) if error.is_passing() => {
                    again.push(fact);
                    failure = Some(error);
                }
                Err(error) => tracing::error!(key = fact.key(), %error, "state not written"),
            }
        }
        let now = self.clock.now();
        let mut queue = locked(&self.queue);
        if let Some(error) = failure {
            queue.failures = queue.failures.saturating_add(1);
            queue.not_before = Some(now + self.backoff.after(queue.failures, self.ids.as_ref()));
            drop(queue);
            self.condition.fault(Way::State, &error, now);
            self.postpone(again);
        } else {
            (queue.failures, queue.not_before) = (0, None);
            drop(queue);
            self.condition.well(Way::State);
        }
    }

    /// Merges with what was read, and writes if nobody did meanwhile.
    async fn put(&self, fact: &Fact, mut stored: Option<Entry>) -> Result<(), Error> {
        let key = fact.key();
        for _ in 0..RACES {
            let (bytes, expect) = match &stored {
                Some(entry) => (Some(entry.value.as_ref()), Match::Etag(entry.etag.clone())),
                None => (None, Match::Absent),
            };
            let Some(value) = fact.merge(bytes, self.clock.now()) else {
                return Ok(());
            };
            match self.sidecar.put(&key, value.json.into(), expect, value.ttl).await {
                Err(Error::Conflict) => stored = self.sidecar.get(&key).await?,
                result => return result,
            }
        }
        Err(Error::Unavailable(format!("too many writers of {key}")))
    }
}
