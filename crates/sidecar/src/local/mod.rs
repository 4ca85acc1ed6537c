//! [`LocalSidecar`]: the building blocks inside one process, durable in one `SQLite` file.
//!
//! It behaves as daprd does where apps could notice, so that what works here works there: an app id is one consumer
//! group a topic, delivery is at least once and in no order, a new group gets all that is retained, a retry backs off
//! and ends in the dead letter, cron ticks are hints.
//!
//! How durable: `publish` answers after an fsync, because the outbox forgets an event once it is published.
//! Acknowledgements and state survive a killed process but the last of them may be lost with the machine's power; then
//! events come again and state is a little older, which apps must bear anyway.

mod consumer;
mod cron;
mod dispatch;
mod faults;
mod handle;
mod registry;
mod retry;
mod schema;
mod secrets;
mod settle;
mod stepped;
mod store;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tempfile::TempDir;
use todo_domain::Clock;
use tokio::sync::Mutex;

use crate::{ApiChannel, Error, Sidecar, Subscriber};

pub use faults::Faults;
pub use registry::Replica;
pub use retry::RetryPolicy;
pub use secrets::{Lookup, Secrets};
pub use stepped::{Outcome, Pending, Stepped};

use faults::Injector;
use handle::Handle;
use registry::Registry;
use store::Store;

/// Timers look at the clock at least this often, so that a clock step or a resumed machine acts at once.
const TICK: Duration = Duration::from_secs(1);

/// Where the data is.
#[derive(Debug, Clone)]
pub enum Location {
    /// A file, made if missing; its directory must exist. `SQLite` puts two more beside it.
    File(PathBuf),
    /// A file of its own that is removed with the sidecar; nothing is forced to disk.
    Temporary,
}

/// Who starts deliveries and ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// [`LocalSidecar::run`] does.
    Running,
    /// Only the caller does, one at a time, by [`LocalSidecar::step`] and [`LocalSidecar::fire_cron`]. Nothing is forced
    /// to disk: for simulations.
    Stepped,
}

/// A cron binding: a name and how often it ticks. The first tick comes one interval after the sidecar was opened;
/// missed ticks are not made up for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    /// The binding's name, such as `reminder-check-trigger`.
    pub name: String,
    /// The time between two ticks (Dapr's `@every 1m`).
    pub every: Duration,
}

/// How long messages are kept once every consumer group has them: for groups that come later.
///
/// What a group still has to handle is never trimmed; a group that no app has joined for `age` no longer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Older ones go.
    pub age: Duration,
    /// At most so many a topic stay.
    pub count: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { age: Duration::from_hours(24), count: 10_000 }
    }
}

/// How a [`LocalSidecar`] is made.
#[derive(Clone)]
pub struct Options {
    /// Where the data is.
    pub location: Location,
    /// The time for retries, TTLs, cron and retention.
    pub clock: Arc<dyn Clock>,
    /// Where secrets come from.
    pub secrets: Secrets,
    /// The cron bindings; each ticks at the apps that name it in [`Subscriber::bindings`].
    pub bindings: Vec<Cron>,
    /// When a failed delivery is tried again.
    pub retry: RetryPolicy,
    /// How long delivered messages are kept.
    pub retention: Retention,
    /// How many handlers of one app run at once; 16 by default, at least 1.
    pub concurrency: usize,
    /// Faults for tests.
    pub faults: Option<Faults>,
    /// Who starts deliveries.
    pub mode: Mode,
}

impl Options {
    /// The defaults: no secrets, no bindings, no faults, running.
    #[must_use]
    pub fn new(location: Location, clock: Arc<dyn Clock>) -> Self {
        Self {
            location,
            clock,
            secrets: Secrets::default(),
            bindings: Vec::new(),
            retry: RetryPolicy::default(),
            retention: Retention::default(),
            concurrency: 16,
            faults: None,
            mode: Mode::Running,
        }
    }
}

/// What handles, consumers and timers share. It must not lead to the registered apps: they hold handles, and a ring of
/// them would never be freed.
struct Core {
    store: Store,
    clock: Arc<dyn Clock>,
    secrets: Secrets,
    bindings: Vec<Cron>,
    retry: RetryPolicy,
    retention: Retention,
    concurrency: usize,
    mode: Mode,
    faults: Injector,
    /// When it was opened: cron intervals count from then.
    opened: i64,
    _temporary: Option<TempDir>,
}

impl Core {
    fn now(&self) -> i64 {
        micros(self.clock.now())
    }
}

/// Pub/sub, state, secrets, cron and invocation for all apps of a process. Clones are the same sidecar.
#[derive(Clone)]
pub struct LocalSidecar {
    core: Arc<Core>,
    registry: Arc<Registry>,
    stepper: Arc<Mutex<stepped::Stepper>>,
    running: Arc<Mutex<()>>,
}

impl LocalSidecar {
    /// Opens the store, making it if there is none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the file cannot be opened or written, [`Error::Refused`] when a newer version made it
    /// or an option is out of range.
    pub async fn open(options: Options) -> Result<Self, Error> {
        if let Some(cron) = options.bindings.iter().find(|cron| cron.every < Duration::from_millis(1)) {
            return Err(Error::Refused(format!("binding `{}` must not tick more than once a millisecond", cron.name)));
        }
        let (path, temporary) = match options.location {
            Location::File(path) => (path, None),
            Location::Temporary => {
                let dir = TempDir::new().map_err(|e| Error::Unavailable(format!("no temporary directory: {e}")))?;
                (dir.path().join("sidecar.db"), Some(dir))
            }
        };
        let durable = temporary.is_none() && options.mode == Mode::Running;
        let registry = Arc::new(Registry::default());
        let store = Store::open(&path, durable, Arc::downgrade(&registry)).await?;
        let core = Arc::new(Core {
            store,
            opened: micros(options.clock.now()),
            clock: options.clock,
            secrets: options.secrets,
            bindings: options.bindings,
            retry: options.retry,
            retention: options.retention,
            concurrency: options.concurrency.max(1),
            mode: options.mode,
            faults: Injector::new(options.faults),
            _temporary: temporary,
        });
        Ok(Self { core, registry, stepper: Arc::default(), running: Arc::default() })
    }

    /// Makes an app known: its events and ticks go to `subscriber`, calls to its services to `services`. May be called
    /// before or after [`run`](Self::run). The same id again is one more replica: replicas share events and calls, and
    /// each gets every tick.
    pub fn register(&self, app_id: &str, subscriber: Arc<dyn Subscriber>, services: Option<ApiChannel>) -> Replica {
        self.registry.add(app_id, subscriber, services)
    }

    /// Forgets a replica: nothing new goes to it. Handlers that run go on.
    pub fn unregister(&self, replica: &Replica) {
        self.registry.remove(replica);
    }

    /// The port of one app. State keys belong to the app, as with Dapr.
    #[must_use]
    pub fn handle(&self, app_id: &str) -> Arc<dyn Sidecar> {
        Arc::new(Handle::new(app_id, Arc::clone(&self.core), Arc::downgrade(&self.registry)))
    }

    /// Changes the faults from now on; `None` ends them.
    pub fn set_faults(&self, faults: Option<Faults>) {
        self.core.faults.set(faults);
    }

    /// Makes all timers look at the clock now instead of within a second: after a test has moved it.
    pub fn wake(&self) {
        self.registry.wake_all();
    }

    /// Removes messages and state that nobody needs any more. [`run`](Self::run) does it each minute; a simulation may.
    /// Answers how many messages went.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the store cannot be written.
    pub async fn trim(&self) -> Result<u64, Error> {
        cron::trim(&self.core, &self.registry).await
    }

    /// Closes the store and forgets all apps. From then on every call fails with [`Error::Unavailable`]; the file can be
    /// opened again.
    pub async fn close(&self) {
        self.registry.clear();
        *self.stepper.lock().await = stepped::Stepper::default();
        self.core.store.close().await;
    }
}

/// Times are kept as microseconds since 1970.
fn micros(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}

fn micros_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

/// What a poisoned lock holds is still whole: no code panics while it changes it.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
