//! A whole system in this process: all roles, a real listener, a scratch directory.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tempfile::TempDir;
use todo::{
    all::{self, Options},
    database::Database,
};
use todo_backend::store::Store;
use todo_domain::{Clock, Ids};
use todo_proto::v1::scheduler_service_client::SchedulerServiceClient;
use todo_runtime::{
    system::{SystemClock, SystemIds},
    telemetry,
};
use todo_sidecar::{ApiChannel, LocalSidecar};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use crate::{clock::TestClock, observer::Observer, rest::Rest};

/// How long a system may take to drain.
const STOP: Duration = Duration::from_secs(20);

/// How a system is started.
pub struct Setup {
    /// Where its data is.
    pub directory: Arc<TempDir>,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Its database; SQLite in the directory unless said.
    pub database: Option<Database>,
    /// Changes what else can be chosen.
    pub adjust: fn(&mut Options),
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Setup {
    /// SQLite, the real clock, rate limits that no test reaches by accident.
    ///
    /// # Panics
    /// When there is no scratch directory.
    #[must_use]
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("todo-").tempdir().expect("a scratch directory");
        Self { directory: Arc::new(directory), clock: Arc::new(SystemClock), database: None, adjust: |_| {} }
    }

    /// With a clock in the test's hand.
    #[must_use]
    pub fn with_clock(clock: &Arc<TestClock>) -> Self {
        Self { clock: Arc::clone(clock) as Arc<dyn Clock>, ..Self::new() }
    }

    /// With a clock in the test's hand that begins at a time, and access tokens that outlive every story.
    #[must_use]
    pub fn at(time: &str) -> (Self, Arc<TestClock>) {
        let clock = Arc::new(TestClock::at(time));
        let adjust = |options: &mut Options| options.backend.access_ttl = TimeDelta::days(36_500);
        (Self { adjust, ..Self::with_clock(&clock) }, clock)
    }

    /// The same, over another database.
    #[must_use]
    pub fn over(self, database: Database) -> Self {
        Self { database: Some(database), ..self }
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(&self) -> System {
        // What goes wrong inside is never sent to a client; here it has to be seen.
        let _ = telemetry::init("error", telemetry::Format::Text);
        let shutdown = CancellationToken::new();
        let ids: Arc<dyn Ids> = Arc::new(SystemIds);
        let mut options = Options::new(self.directory.path().to_owned(), Arc::clone(&ids));
        options.database.clone_from(&self.database);
        options.backend.sign_ups_per_address = 100_000;
        (self.adjust)(&mut options);
        let system = all::build(options, Arc::clone(&self.clock), ids, shutdown.clone()).await.expect("it is built");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        System {
            address,
            sidecar: system.sidecar.clone(),
            store: Arc::clone(&system.store),
            scheduler: system.scheduler.clone(),
            shutdown,
            clock: Arc::clone(&self.clock),
            running: tokio::spawn(system.run(listener)),
            _directory: Arc::clone(&self.directory),
        }
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

/// A running system.
#[expect(missing_debug_implementations, reason = "services have nothing to show")]
pub struct System {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its sidecar.
    pub sidecar: LocalSidecar,
    /// Its database.
    pub store: Arc<dyn Store>,
    scheduler: todo_scheduler::Service,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
    _directory: Arc<TempDir>,
}

impl System {
    /// Its REST surface, for nobody yet.
    #[must_use]
    pub fn rest(&self) -> Rest {
        Rest::new(format!("http://{}", self.address))
    }

    /// A new user's REST surface.
    pub async fn user(&self, name: &str) -> Rest {
        let mut rest = self.rest();
        rest.sign_up(name).await;
        rest
    }

    /// The REST surface of a user that an earlier run knew.
    #[must_use]
    pub fn back(&self, user: &Rest) -> Rest {
        let mut rest = self.rest();
        rest.token.clone_from(&user.token);
        rest.user_id.clone_from(&user.user_id);
        rest
    }

    /// Its gRPC surface.
    ///
    /// # Panics
    /// Never: the address is one.
    #[must_use]
    pub fn grpc(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).expect("an address").connect_lazy()
    }

    /// Remembers every event from now on, and those before that are retained.
    #[must_use]
    pub fn observe(&self) -> Arc<Observer> {
        Observer::of(&self.sidecar)
    }

    /// The scheduler's own service, which only other apps reach.
    #[must_use]
    pub fn scheduler(&self) -> SchedulerServiceClient<ApiChannel> {
        SchedulerServiceClient::new(self.sidecar.handle("backend").app("scheduler"))
    }

    /// What the scheduler keeps under a key of the state store.
    ///
    /// # Panics
    /// When the store fails, or what it holds is no JSON.
    pub async fn state(&self, key: &str) -> Option<Value> {
        let entry = self.sidecar.handle("scheduler").get(key).await.expect("the state store answers");
        entry.map(|entry| serde_json::from_slice(&entry.value).expect("JSON"))
    }

    /// Waits until all that is due was decided, all that was decided has had its effect, and all that was committed is
    /// published: nothing more happens until somebody asks or time goes on.
    ///
    /// # Panics
    /// When there is always more.
    pub async fn settled(&self) {
        crate::eventually("nothing is left to do", crate::SOON, || async { self.is_settled().await.then_some(()) })
            .await;
    }

    /// Whether it is so now.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn is_settled(&self) -> bool {
        let mut tx = self.store.read().await.expect("the database answers");
        let due = tx.due(self.clock.now(), None, 1).await.expect("the database answers");
        let (firings, slots) = tx.unseen(DateTime::<Utc>::MAX_UTC, 1).await.expect("the database answers");
        let (waiting, _) = tx.outgoing_backlog().await.expect("the database answers");
        due.is_empty() && firings.is_empty() && slots.is_empty() && waiting == 0
    }

    /// Moves the clock and waits until what that brings is done. Where it is not done for long, the clock runs on: hints
    /// that come close together wait for each other, by the clock.
    ///
    /// # Panics
    /// When there is always more.
    pub async fn pass(&self, clock: &TestClock, by: TimeDelta) {
        self.advance(clock, by);
        let mut looks = 0;
        crate::eventually("nothing is left to do", crate::SOON, || {
            looks += 1;
            if looks % 50 == 0 {
                self.advance(clock, TimeDelta::milliseconds(50));
            }
            async { self.is_settled().await.then_some(()) }
        })
        .await;
    }

    /// Moves the clock and tells everyone who waits for it.
    pub fn advance(&self, clock: &TestClock, by: TimeDelta) {
        clock.advance(by);
        self.sidecar.wake();
        self.scheduler.poke();
    }

    /// Stops it as SIGTERM does.
    ///
    /// # Panics
    /// When it does not drain.
    pub async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(STOP, self.running).await.expect("it drains in time").expect("it ends well");
    }
}
