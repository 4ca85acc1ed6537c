//! A whole system in this process: all roles, real listeners, and a sidecar in the process or real daprds.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tempfile::TempDir;
use todo::{
    all::{self, Options},
    cli::Llm,
    database::Database,
    engine,
};
use todo_backend::store::Store;
use todo_domain::{Clock, Ids};
use todo_proto::v1::{
    conversation_store_client::ConversationStoreClient, scheduler_service_client::SchedulerServiceClient,
};
use todo_push::Outside;
use todo_runtime::{
    system::{SystemClock, SystemIds},
    telemetry,
};
use todo_sidecar::{ApiChannel, CloudEvent, LocalSidecar, Sidecar as _};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use crate::{
    Postgres, clock::TestClock, cluster::Role, dice::Dice, distributed::Turn, observer::Observer, provider::Provider,
    push_service::PushService, rest::Rest,
};

/// How long a system may take to drain.
const STOP: Duration = Duration::from_secs(20);

/// On what a system runs.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "services have nothing to show")]
pub enum Ground {
    /// All in one process, over a SQLite file in the system's directory.
    Sqlite,
    /// All in one process, over a Postgres database.
    Postgres(Arc<Postgres>),
    /// Four roles, each beside a daprd.
    Distributed(Arc<Turn>),
}

/// How a system is started.
pub struct Setup {
    /// Where its data is.
    pub directory: Arc<TempDir>,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// How often it looks whether the clock was moved.
    pub look: Duration,
    /// On what it runs.
    pub ground: Ground,
    /// The language model that answers in the chat, if there is one.
    pub llm: Option<Llm>,
    /// How push services are reached.
    pub outside: Option<Outside>,
    /// Changes what else can be chosen, as far as the ground has it.
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
        let look = todo_scheduler::Options::default().look;
        Self {
            directory: Arc::new(directory),
            clock: Arc::new(SystemClock),
            look,
            ground: Ground::Sqlite,
            llm: None,
            outside: None,
            adjust: |_| {},
        }
    }

    /// With a clock in the test's hand.
    #[must_use]
    pub fn with_clock(clock: &Arc<TestClock>) -> Self {
        Self { clock: Arc::clone(clock) as Arc<dyn Clock>, look: Duration::from_millis(10), ..Self::new() }
    }

    /// With a clock in the test's hand that begins at a time, and access tokens that outlive every story.
    #[must_use]
    pub fn at(time: &str) -> (Self, Arc<TestClock>) {
        let clock = Arc::new(TestClock::at(time));
        let adjust = |options: &mut Options| options.backend.access_ttl = TimeDelta::days(36_500);
        (Self { adjust, ..Self::with_clock(&clock) }, clock)
    }

    /// The same, with a language model of this provider.
    ///
    /// # Panics
    /// Never: the address is one.
    #[must_use]
    pub fn with_model(self, provider: &Provider) -> Self {
        let llm = Llm {
            llm_model: Some("scripted".to_owned()),
            llm_base_url: Some(format!("http://{}/v1", provider.address).parse().expect("an address")),
            llm_timeout: crate::SOON,
            llm_temperature: 0.0,
            llm_max_tokens: 1_024,
            max_tool_iterations: 5,
        };
        Self { llm: Some(llm), ..self }
    }

    /// The same, with this push service as the only one there is.
    #[must_use]
    pub fn with_push_service(self, service: &PushService) -> Self {
        Self { outside: Some(service.outside()), ..self }
    }

    /// The same, on another ground.
    #[must_use]
    pub fn on(self, ground: Ground) -> Self {
        Self { ground, ..self }
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(&self) -> System {
        // What goes wrong inside is never sent to a client; here it has to be seen.
        let _ = telemetry::init("error", telemetry::Format::Text, None);
        let shutdown = CancellationToken::new();
        let ids: Arc<dyn Ids> = Arc::new(SystemIds);
        let mut options = Options::new(self.directory.path().to_owned(), Arc::clone(&ids));
        options.backend.sign_ups_per_address = 100_000;
        options.scheduler.look = self.look;
        options.model = self.llm.as_ref().and_then(|llm| engine::options(llm).expect("a model that can be asked"));
        options.backend.outside.clone_from(&self.outside);
        (self.adjust)(&mut options);
        match &self.ground {
            Ground::Distributed(turn) => self.start_roles(turn, options, ids, shutdown).await,
            Ground::Sqlite => self.start_all(options, ids, shutdown).await,
            Ground::Postgres(postgres) => {
                options.database = Some(Database::Postgres(postgres.url()));
                self.start_all(options, ids, shutdown).await
            }
        }
    }

    async fn start_all(&self, options: Options, ids: Arc<dyn Ids>, shutdown: CancellationToken) -> System {
        let system = all::build(options, Arc::clone(&self.clock), ids, shutdown.clone()).await.expect("it is built");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let around = Around::Local {
            sidecar: system.sidecar.clone(),
            _directory: Arc::clone(&self.directory),
            _ground: self.ground.clone(),
        };
        System {
            address: listener.local_addr().expect("an address"),
            store: Arc::clone(&system.store),
            around,
            clock: Arc::clone(&self.clock),
            shutdown,
            running: vec![tokio::spawn(system.run(listener))],
        }
    }

    async fn start_roles(
        &self,
        turn: &Arc<Turn>,
        options: Options,
        ids: Arc<dyn Ids>,
        shutdown: CancellationToken,
    ) -> System {
        // As an operator's command has it beside the backend.
        let store = turn.database().open().await.expect("the database answers");
        let (address, running) = turn.start(options, (Arc::clone(&self.clock), ids), &shutdown).await;
        let around = Around::Daprds(Arc::clone(turn));
        System { address, store, around, clock: Arc::clone(&self.clock), shutdown, running }
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
    /// Its database.
    pub store: Arc<dyn Store>,
    around: Around,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    running: Vec<JoinHandle<()>>,
}

/// What a system's apps talk to each other by.
enum Around {
    Local { sidecar: LocalSidecar, _directory: Arc<TempDir>, _ground: Ground },
    Daprds(Arc<Turn>),
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

    /// The sidecar in the process.
    ///
    /// # Panics
    /// When the system runs beside daprds.
    #[must_use]
    pub fn local(&self) -> &LocalSidecar {
        match &self.around {
            Around::Local { sidecar, .. } => sidecar,
            Around::Daprds(_) => panic!("a story of the sidecar in the process"),
        }
    }

    /// Remembers every event from now on, and those before that are retained.
    #[must_use]
    pub fn observe(&self) -> Arc<Observer> {
        match &self.around {
            Around::Local { sidecar, .. } => Observer::of(sidecar),
            Around::Daprds(turn) => turn.observe(),
        }
    }

    /// Publishes an event as an app that is none of ours.
    ///
    /// # Panics
    /// When the broker does not take it.
    pub async fn publish(&self, topic: &str, event: &CloudEvent) {
        let published = match &self.around {
            Around::Local { sidecar, .. } => sidecar.handle("stranger").publish(topic, event).await,
            Around::Daprds(turn) => turn.stranger().publish(topic, event).await,
        };
        published.expect("the broker takes it");
    }

    /// The backend as the assistant reaches it, its internal services included.
    #[must_use]
    pub fn backend(&self) -> ApiChannel {
        match &self.around {
            Around::Local { sidecar, .. } => sidecar.handle("assistant").app("backend"),
            Around::Daprds(turn) => turn.app(Role::Assistant, "backend"),
        }
    }

    /// Where the assistant keeps its turns, which only other apps reach.
    #[must_use]
    pub fn conversations(&self) -> ConversationStoreClient<ApiChannel> {
        ConversationStoreClient::new(self.backend())
    }

    /// The scheduler's own service, which only other apps reach.
    #[must_use]
    pub fn scheduler(&self) -> SchedulerServiceClient<ApiChannel> {
        SchedulerServiceClient::new(match &self.around {
            Around::Local { sidecar, .. } => sidecar.handle("backend").app("scheduler"),
            Around::Daprds(turn) => turn.app(Role::Backend, "scheduler"),
        })
    }

    /// What the scheduler keeps under a key of the state store.
    ///
    /// # Panics
    /// When the store fails, or what it holds is no JSON.
    pub async fn state(&self, key: &str) -> Option<Value> {
        let entry = match &self.around {
            Around::Local { sidecar, .. } => sidecar.handle("scheduler").get(key).await,
            Around::Daprds(turn) => turn.sidecar(Role::Scheduler).get(key).await,
        };
        let entry = entry.expect("the state store answers");
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

    /// Makes one delivery, which the dice choose, and says whether there was one. daprds make theirs by themselves.
    ///
    /// # Panics
    /// When the sidecar fails.
    pub async fn step(&self, dice: &mut Dice) -> bool {
        match &self.around {
            Around::Local { sidecar, .. } => sidecar.step(dice.place(1_000_000)).await.expect("a step").is_some(),
            Around::Daprds(_) => false,
        }
    }

    /// Whether all that was published was delivered and handled.
    ///
    /// # Panics
    /// When the broker does not answer.
    pub async fn is_delivered(&self) -> bool {
        match &self.around {
            Around::Local { sidecar, .. } => sidecar.pending().await.expect("a list").is_empty(),
            Around::Daprds(turn) => turn.is_delivered(),
        }
    }

    /// Moves the clock and tells everyone who waits for it.
    pub fn advance(&self, clock: &TestClock, by: TimeDelta) {
        clock.advance(by);
        if let Around::Local { sidecar, .. } = &self.around {
            sidecar.wake();
        }
    }

    /// Stops it as SIGTERM does.
    ///
    /// # Panics
    /// When it does not drain.
    pub async fn stop(self) {
        if let Around::Daprds(turn) = &self.around {
            // What it does not handle now, the next story's system would.
            let delivered = async || turn.is_delivered().then_some(());
            crate::eventually("all that was published is handled", crate::SOON, delivered).await;
        }
        self.shutdown.cancel();
        for running in self.running {
            tokio::time::timeout(STOP, running).await.expect("it drains in time").expect("it ends well");
        }
        if let Around::Daprds(_) = &self.around {
            self.store.close().await;
        }
    }
}
