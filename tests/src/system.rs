//! A whole system in this process: all roles, a real listener, a scratch directory.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chrono::TimeDelta;
use tempfile::TempDir;
use todo::{
    all::{self, Options},
    database::Database,
};
use todo_backend::store::Store;
use todo_domain::{Clock, Ids};
use todo_runtime::system::{SystemClock, SystemIds};
use todo_sidecar::LocalSidecar;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use crate::{clock::TestClock, rest::Rest};

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

    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(&self) -> System {
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

    /// Its gRPC surface.
    ///
    /// # Panics
    /// Never: the address is one.
    #[must_use]
    pub fn grpc(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).expect("an address").connect_lazy()
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
