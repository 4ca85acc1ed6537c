//! The scheduler turns time into events. It has no database: the backend's is the only index of what is due.
//!
//! ```text
//!            ListDue                     rings                 DecideFire              FIRED
//!  backend ──────────▶ window ──▶ timers ──────▶ decisions ◀────────────▶ backend ──────────▶ announcements ──▶ sidecar
//!                        ▲ hint      ▲                                                             │
//!  cron ticks ───────────┤           │ soon due                                                    ▼
//!  task events ──────────┴───────────┴──────────────────────────────────────────────────────▶ records (state)
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | `window` | asks the backend what is due in the next minutes, again and again |
//! | `timers` | what rings when, in memory |
//! | `decision` | asks the backend to decide what rang |
//! | `announcement` | publishes what was decided, until the broker has it |
//! | `event`, `subscriber` | task events set and remove timers at once |
//! | `state`, `records` | `reminder:{id}` and `recurring:{task_id}` in the state store, by revision |
//! | `condition`, `rpc` | health, and `SchedulerService` |
//!
//! # Invariants kept here
//!
//! * Nothing fires because of this crate: only the backend's commit decides, so timers may be wrong, doubled or lost.
//! * What was decided is published under the id and with the bytes that the backend gave, until the broker has it; what
//!   this process could not publish, `ListDue` hands out again.
//! * No failure of the backend, the broker or the state store stops a timer or another loop.
//! * The work of a moment follows what is due then; memory holds the window alone.

mod announcement;
mod condition;
mod decision;
mod due;
mod event;
mod records;
mod rpc;
mod state;
mod subscriber;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod timers;
mod wake;
mod window;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use todo_domain::{Clock, Ids};
use todo_proto::v1::scheduler_service_server::SchedulerServiceServer;
use todo_runtime::{health::Health, observe::observed};
use todo_sidecar::{Sidecar, Subscriber};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::announcement::Announcements;
use crate::condition::Condition;
use crate::decision::Decisions;
use crate::records::Records;
use crate::rpc::Rpc;
use crate::subscriber::Ears;
use crate::timers::Timers;
use crate::wake::{Backoff, Wake};
use crate::window::Window;

/// The cron bindings whose ticks are hints to look what is due.
pub const BINDINGS: [&str; 2] = ["reminder-check-trigger", "recurring-task-trigger"];

/// The app id of the backend.
const BACKEND: &str = "backend";
/// How long the shutdown waits for what was asked and decided.
const DRAIN: Duration = Duration::from_secs(5);
/// The largest answer of the backend: a page and all that is unseen.
const MESSAGE: usize = 64 * 1024 * 1024;

/// How the scheduler works. The defaults are meant for production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How far ahead timers are set.
    pub window: Duration,
    /// How often the backend is asked what is due when nothing asks sooner; well below `window`.
    pub refill: Duration,
    /// How many things are decided by one call, and how many events are published by one.
    pub batch: usize,
    /// How many timers are held before the rest of a long list of overdue things waits for them to go.
    pub capacity: usize,
    /// How late this replica rings. Where there are several, all but one may ring a little later (50 ms) and find most
    /// things decided; it saves work and decides nothing.
    pub stagger: Duration,
    /// The wait after a first failure; it doubles with each further one.
    pub retry_first: Duration,
    /// The longest wait between two attempts.
    pub retry_cap: Duration,
    /// The longest a loop sleeps before it looks at the clock again: this is what makes a resumed laptop or a clock step
    /// take effect soon, since neither shortens a sleep.
    pub look: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window: Duration::from_mins(3),
            refill: Duration::from_secs(30),
            batch: 500,
            capacity: 50_000,
            stagger: Duration::ZERO,
            retry_first: Duration::from_millis(50),
            retry_cap: Duration::from_secs(2),
            look: Duration::from_secs(1),
        }
    }
}

impl Options {
    fn backoff(&self) -> Backoff {
        Backoff { first: self.retry_first, cap: self.retry_cap }
    }
}

/// What the scheduler reaches the world by.
#[derive(Clone)]
pub struct Ports {
    /// Topics, state, and the backend (by its app id).
    pub sidecar: Arc<dyn Sidecar>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for jitter.
    pub ids: Arc<dyn Ids>,
    /// Where it says how the backend (`backend`), the broker (`pubsub`) and the state store (`statestore`) are; none
    /// of them is more than degraded, since it serves without.
    pub health: Health,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ports")
    }
}

/// A scheduler, ready to run.
#[derive(Clone)]
pub struct Service {
    /// `SchedulerService`; internal, for the sidecar's listener only.
    pub routes: Routes,
    /// Task events and cron ticks.
    pub subscriber: Arc<dyn Subscriber>,
    /// What [`run`](Self::run) runs.
    loops: Loops,
}

/// A kind of what [`Service::run`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Asking the backend what is due.
    List,
    /// Having decided what rings.
    Ring,
    /// Publishing what was decided.
    Announce,
    /// Writing to the state store.
    Record,
}

#[derive(Clone)]
struct Loops {
    window: Arc<Window>,
    decisions: Arc<Decisions>,
    announcements: Arc<Announcements>,
    records: Arc<Records>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

/// Builds a scheduler. Nothing runs and nothing is called before [`Service::run`].
#[must_use]
pub fn build(options: Options, ports: Ports) -> Service {
    let Ports { sidecar, clock, ids, health } = ports;
    // Zero of them would mean that nothing is ever done.
    let options = Options { batch: options.batch.clamp(1, 1_000), capacity: options.capacity.max(1), ..options };
    let time = || (Arc::clone(&clock), Arc::clone(&ids));
    let condition = Arc::new(Condition::new(health, clock.now()));
    let timers: Arc<Mutex<Timers>> = Arc::default();
    let ringing = Arc::new(Wake::new(Arc::clone(&clock), options.look));
    let backend = sidecar.app(BACKEND);

    let records = Arc::new(Records::new(Arc::clone(&sidecar), time(), Arc::clone(&condition), options));
    let announcements =
        Arc::new(Announcements::new(sidecar, time(), Arc::clone(&records), Arc::clone(&condition), options));
    let decisions = Arc::new(Decisions::new(
        backend.clone(),
        time(),
        Arc::clone(&timers),
        Arc::clone(&announcements),
        Arc::clone(&condition),
        (options, Arc::clone(&ringing)),
    ));
    let window = Arc::new(Window::new(
        backend,
        time(),
        Arc::clone(&timers),
        Arc::clone(&announcements),
        Arc::clone(&condition),
        (options, Arc::clone(&ringing)),
    ));
    let rpc = Rpc {
        clock: Arc::clone(&clock),
        timers: Arc::clone(&timers),
        window: Arc::clone(&window),
        announcements: Arc::clone(&announcements),
        condition,
        ringing: Arc::clone(&ringing),
        options,
    };
    let ears = Ears { timers, window: Arc::clone(&window), records: Arc::clone(&records), ringing, options };
    Service {
        routes: observed(Routes::new(SchedulerServiceServer::new(rpc))),
        subscriber: Arc::new(ears),
        loops: Loops { window, decisions, announcements, records },
    }
}

impl Service {
    /// Works until `shutdown`; then rings no more, and takes up to 5 seconds to hear what it asked and to publish what
    /// was decided. What is left then is published by the next start, or another replica.
    ///
    /// Call it once.
    pub async fn run(&self, shutdown: CancellationToken) {
        let Loops { window, decisions, announcements, records } = self.loops.clone();
        let (decided, published) = (CancellationToken::new(), CancellationToken::new());
        // Tasks of their own: a long page must not make a timer ring late.
        let mut loops = JoinSet::new();
        loops.spawn(window.run(shutdown.clone()));
        loops.spawn(decisions.run(shutdown.clone()).map({
            let decided = decided.clone();
            move |()| decided.cancel()
        }));
        loops.spawn(Arc::clone(&announcements).run(decided).map({
            let published = published.clone();
            move |()| published.cancel()
        }));
        loops.spawn(records.run(published));
        let ended = async {
            while let Some(ended) = loops.join_next().await {
                resume(ended);
            }
        };
        tokio::pin!(ended);
        tokio::select! {
            () = &mut ended => return,
            () = shutdown.cancelled() => {}
        }
        if tokio::time::timeout(DRAIN, ended).await.is_err() {
            let left = announcements.unpublished();
            tracing::warn!(
                unpublished = left,
                "stopped before everything was done; it is made good after the next start"
            );
        }
    }

    /// Does one piece of such work, if the clock says that there is one; says whether there was. For simulations, which
    /// choose what happens next instead of calling [`run`](Self::run).
    pub async fn step(&self, work: Work) -> bool {
        match work {
            Work::List => self.loops.window.step().await,
            Work::Ring => self.loops.decisions.step().await,
            Work::Announce => self.loops.announcements.step().await,
            Work::Record => self.loops.records.step().await,
        }
    }

    /// Makes every loop look at the clock now: for tests, which move it.
    #[cfg(test)]
    fn poke(&self) {
        let Loops { window, decisions, announcements, records } = &self.loops;
        for wake in [&window.wake, &*decisions.wake, &announcements.wake, &records.wake] {
            wake.wake();
        }
    }
}

/// Locks; a panic of another holder left nothing half-done that a further panic would mend.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A panic of a spawned task is a panic of the loop that spawned it: what it held would else be held for ever.
fn resume(landed: Result<(), JoinError>) {
    if let Err(error) = landed
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// A status as one line.
struct Reason<'a>(&'a tonic::Status);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.code(), self.0.message())
    }
}
