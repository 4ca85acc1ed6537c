//! The window: what is due in the next minutes, asked of the backend again and again. A hint (a cron tick, an event)
//! only asks sooner; one listing runs at a time.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::TimeDelta;
use todo_domain::{Clock, Ids, Timestamp};
use todo_proto::v1::{ListDueRequest, ListDueResponse, due_service_client::DueServiceClient};
use todo_sidecar::ApiChannel;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};

use crate::announcement::{Announcements, UNSEEN};
use crate::condition::{Condition, Way};
use crate::due::{Due, instant, timestamp};
use crate::timers::Timers;
use crate::wake::Wake;
use crate::{Options, locked};

/// The longest one call may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many lines a page has.
const PAGE: i32 = 1_000;
/// Hints that come this close together are one.
const COALESCED: TimeDelta = TimeDelta::milliseconds(50);
/// At most every fifth moment goes into listing, however many hints there are.
const REST: i32 = 4;

pub(crate) struct Window {
    backend: DueServiceClient<ApiChannel>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    timers: Arc<Mutex<Timers>>,
    announcements: Arc<Announcements>,
    condition: Arc<Condition>,
    options: Options,
    plan: Mutex<Plan>,
    ringing: Arc<Wake>,
    pub(crate) wake: Wake,
}

/// When the next listing is.
#[derive(Default)]
struct Plan {
    /// The last one began then; `None` before the first.
    begun: Option<Timestamp>,
    /// The next one, at the latest.
    at: Option<Timestamp>,
    /// Not sooner, after a failure or a long listing.
    not_before: Option<Timestamp>,
    failures: u32,
    /// The window is known up to here.
    until: Option<Timestamp>,
}

impl Plan {
    fn moment(&self) -> Option<Timestamp> {
        self.at.max(self.not_before)
    }

    /// Whether it is time. Before the last beginning it always is: the clock was set back.
    fn is_due(&self, now: Timestamp) -> bool {
        self.moment().is_none_or(|moment| moment <= now) || self.begun.is_some_and(|begun| now < begun)
    }
}

impl Window {
    pub(crate) fn new(
        backend: ApiChannel,
        (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>),
        timers: Arc<Mutex<Timers>>,
        announcements: Arc<Announcements>,
        condition: Arc<Condition>,
        (options, ringing): (Options, Arc<Wake>),
    ) -> Self {
        let backend = DueServiceClient::new(backend).max_decoding_message_size(crate::MESSAGE);
        let wake = Wake::new(Arc::clone(&clock), options.look);
        let plan = Mutex::default();
        Self { backend, clock, ids, timers, announcements, condition, options, plan, ringing, wake }
    }

    /// Up to which moment what is due is known; `None` before the first listing.
    pub(crate) fn known_until(&self) -> Option<Timestamp> {
        locked(&self.plan).until
    }

    /// Where the window ends now.
    pub(crate) fn end(&self) -> Timestamp {
        self.clock.now() + delta(self.options.window)
    }

    /// What was due before then, a listing has shown, unless the backend is away and could decide nothing either.
    pub(crate) fn listed_since(&self) -> Timestamp {
        self.clock.now() - delta(self.options.refill)
    }

    /// Asks for a listing soon.
    pub(crate) fn hint(&self) {
        let soon = self.clock.now() + COALESCED;
        let mut plan = locked(&self.plan);
        plan.at = plan.at.map(|at| at.min(soon));
        drop(plan);
        self.wake.wake();
    }

    /// Lists until the shutdown.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let now = self.clock.now();
            let (due, moment) = {
                let plan = self.plan();
                (plan.is_due(now), plan.moment())
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.refill(now), if due => {}
                () = self.wake.until(moment), if !due => {}
            }
        }
    }

    /// Lists once, if it is time.
    pub(crate) async fn step(&self) -> bool {
        let now = self.clock.now();
        let due = self.plan().is_due(now);
        if due {
            self.refill(now).await;
        }
        due
    }

    /// When the next listing is: sooner while it has to be seen whether what was published arrives.
    fn plan(&self) -> MutexGuard<'_, Plan> {
        let doubt = self.announcements.are_in_doubt();
        let mut plan = locked(&self.plan);
        if doubt && let Some(begun) = plan.begun {
            plan.at = plan.at.map(|at| at.min(begun + delta(UNSEEN)));
        }
        plan
    }

    async fn refill(&self, begun: Timestamp) {
        {
            let mut plan = locked(&self.plan);
            plan.begun = Some(begun);
            // What is hinted from now on comes after this listing.
            plan.at = Some(begun + delta(self.options.refill));
            plan.not_before = None;
        }
        let started = Instant::now();
        let listed = self.list(begun + delta(self.options.window)).await;
        let now = self.clock.now();
        let mut plan = locked(&self.plan);
        match listed {
            Ok(until) => {
                self.condition.well(Way::ListDue);
                plan.failures = 0;
                plan.until = Some(until);
                // Not by the clock, which may have been set, or have slept, meanwhile: what that made due cannot wait.
                let took = delta(started.elapsed()).min(delta(self.options.refill) / REST);
                plan.not_before = Some(now + took * REST);
            }
            Err(status) => {
                self.condition.fault(Way::ListDue, &crate::Reason(&status), now);
                plan.failures = plan.failures.saturating_add(1);
                let again = now + self.options.backoff().after(plan.failures, self.ids.as_ref());
                (plan.at, plan.not_before) = (Some(again), Some(again));
            }
        }
    }

    /// Pages through everything due by `until`; says up to where.
    async fn list(&self, until: Timestamp) -> Result<Timestamp, Status> {
        let first = locked(&self.timers).begin_listing();
        let listed = self.pages(until, first).await;
        let complete = listed.as_ref().ok().filter(|listed| **listed == until).copied();
        locked(&self.timers).end_listing(first, complete);
        listed
    }

    async fn pages(&self, until: Timestamp, first: u64) -> Result<Timestamp, Status> {
        let mut mark = first;
        let mut page_token = String::new();
        loop {
            let is_first = page_token.is_empty();
            let page = self.page(until, page_token).await?;
            let last = page.due.last().and_then(|due| due.due_at.as_ref()).and_then(instant);
            let never_after = self.clock.now() + self.options.retry_cap;
            let held = {
                let mut timers = locked(&self.timers);
                for due in &page.due {
                    let Some(due) = Due::from_proto(due) else {
                        tracing::error!(due.id, "line of ListDue not understood");
                        continue;
                    };
                    timers.listed(due, due.at + self.options.stagger, mark, never_after);
                }
                mark = timers.mark();
                timers.len()
            };
            self.ringing.wake();
            if is_first {
                self.announcements.unseen(page.unseen);
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(until);
            }
            if held >= self.options.capacity {
                // After a long outage everything is due. What comes first is here; the rest is asked for as this goes.
                let mut plan = locked(&self.plan);
                plan.at = Some(self.clock.now() + TimeDelta::seconds(1));
                return Ok(last.unwrap_or(until).min(until - TimeDelta::microseconds(1)));
            }
        }
    }

    async fn page(&self, until: Timestamp, page_token: String) -> Result<ListDueResponse, Status> {
        let until = Some(timestamp(until));
        let mut request = Request::new(ListDueRequest { until, limit: Some(PAGE), page_token });
        request.set_timeout(TIMEOUT);
        Ok(self.backend.clone().list_due(request).await?.into_inner())
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
