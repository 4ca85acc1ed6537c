//! Ringing: what has come due is decided by the backend, in batches, several at once. The decision is the backend's
//! commit; here it is asked for until there is an answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use metrics::{gauge, histogram};
use todo_domain::{Clock, Ids, Timestamp};
use todo_proto::v1::{self, DecideFireRequest, Outcome, due_service_client::DueServiceClient};
use todo_sidecar::ApiChannel;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status};

use crate::announcement::Announcements;
use crate::condition::{Condition, Way};
use crate::due::{Due, Kind};
use crate::timers::{Timer, Timers};
use crate::wake::{Backoff, Wake};
use crate::{Options, locked};

/// How many batches are decided at once.
const LANES: usize = 4;
/// The longest one call may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The backend's clock may be a little behind; much more than a little is waited for in longer steps.
const NOT_YET: Backoff = Backoff { first: Duration::from_millis(4), cap: Duration::from_secs(1) };

pub(crate) struct Decisions {
    backend: DueServiceClient<ApiChannel>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    timers: Arc<Mutex<Timers>>,
    announcements: Arc<Announcements>,
    condition: Arc<Condition>,
    options: Options,
    pub(crate) wake: Arc<Wake>,
}

impl Decisions {
    pub(crate) fn new(
        backend: ApiChannel,
        (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>),
        timers: Arc<Mutex<Timers>>,
        announcements: Arc<Announcements>,
        condition: Arc<Condition>,
        (options, wake): (Options, Arc<Wake>),
    ) -> Self {
        let backend = DueServiceClient::new(backend).max_decoding_message_size(crate::MESSAGE);
        Self { backend, clock, ids, timers, announcements, condition, options, wake }
    }

    /// Rings until the shutdown, then waits for what was asked.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let mut flights = JoinSet::new();
        while !shutdown.is_cancelled() {
            while flights.len() < LANES {
                let batch = locked(&self.timers).take(self.clock.now(), self.options.batch);
                if batch.is_empty() {
                    break;
                }
                let this = Arc::clone(&self);
                flights.spawn(async move { this.decide(batch).await });
            }
            gauge!("todo_timers").set(f64::from(u32::try_from(locked(&self.timers).len()).unwrap_or(u32::MAX)));
            let moment = if flights.len() < LANES { locked(&self.timers).next() } else { None };
            tokio::select! {
                () = shutdown.cancelled() => {}
                Some(landed) = flights.join_next() => crate::resume(landed),
                () = self.wake.until(moment) => {}
            }
        }
        while let Some(landed) = flights.join_next().await {
            crate::resume(landed);
        }
    }

    /// Has one batch decided, if anything rings.
    pub(crate) async fn step(&self) -> bool {
        let batch = locked(&self.timers).take(self.clock.now(), self.options.batch);
        let any = !batch.is_empty();
        if any {
            self.decide(batch).await;
        }
        any
    }

    async fn decide(&self, batch: Vec<Timer>) {
        match self.ask(&batch).await {
            Ok(decisions) => {
                self.condition.well(Way::DecideFire);
                for (timer, decision) in batch.into_iter().zip(decisions) {
                    self.settle(timer, decision);
                }
            }
            Err(status) => {
                self.condition.fault(Way::DecideFire, &crate::Reason(&status), self.clock.now());
                // One thing that the backend chokes on must not hold up its neighbours for ever: ask in halves.
                let crowd = if is_passing(status.code()) { usize::MAX } else { batch.len().div_ceil(2) };
                for mut timer in batch {
                    timer.crowd = timer.crowd.min(crowd);
                    self.retry(timer, self.options.backoff());
                }
            }
        }
    }

    async fn ask(&self, batch: &[Timer]) -> Result<Vec<v1::Decision>, Status> {
        let due = batch.iter().map(|timer| timer.due.to_proto()).collect();
        let mut request = Request::new(DecideFireRequest { due });
        request.set_timeout(TIMEOUT);
        let decisions = self.backend.clone().decide_fire(request).await?.into_inner().decisions;
        if decisions.len() != batch.len() {
            return Err(Status::internal("an answer for each thing was expected"));
        }
        Ok(decisions)
    }

    fn settle(&self, mut timer: Timer, decision: v1::Decision) {
        let next = decision.next.as_ref().and_then(Due::from_proto);
        match decision.outcome() {
            Outcome::Fired => {
                let late = (self.clock.now() - timer.due.at).to_std().unwrap_or_default();
                histogram!("todo_fire_lateness_seconds", "kind" => timer.due.thing.kind.name()).record(late);
                // Announce first: once the timer is gone, this process knows of it by the announcement alone.
                self.announcements.decided(decision.announcements, next.is_none());
                let mut timers = locked(&self.timers);
                timers.forget(timer.due);
                self.follow(&mut timers, next);
            }
            Outcome::Stale => {
                let mut timers = locked(&self.timers);
                timers.forget(timer.due);
                self.follow(&mut timers, next);
            }
            Outcome::NotYet => {
                let due = next.filter(|next| next.thing == timer.due.thing).unwrap_or(timer.due);
                // A moment in the far future is for the window to find again.
                if due.at > self.until() {
                    locked(&self.timers).forget(timer.due);
                } else {
                    timer.due = due;
                    self.retry(timer, NOT_YET);
                }
            }
            Outcome::Unspecified => {
                tracing::error!(due.id = %timer.due.thing.id, "decision without outcome");
                self.retry(timer, self.options.backoff());
            }
        }
    }

    fn retry(&self, mut timer: Timer, backoff: Backoff) {
        timer.tries = timer.tries.saturating_add(1);
        let wait = self.clock.now() + backoff.after(timer.tries, self.ids.as_ref());
        timer.rings_at = wait.max(timer.due.at);
        locked(&self.timers).again(timer);
    }

    /// What comes next of a series, if it comes soon.
    fn follow(&self, timers: &mut Timers, next: Option<Due>) {
        if let Some(next) = next.filter(|next| next.thing.kind == Kind::Series && next.at <= self.until()) {
            timers.set(next, next.at + self.options.stagger);
        }
    }

    fn until(&self) -> Timestamp {
        self.clock.now() + TimeDelta::from_std(self.options.window).unwrap_or(TimeDelta::MAX)
    }
}

/// Whether the backend may answer the same question later, as far as its code tells.
fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted | Code::Aborted
    )
}
