//! The system as four roles, each beside a real daprd, with a real Redis and Postgres. The roles run in this process, by
//! the clock of the test. What is around them takes seconds to start, so it is started once, and stories take turns.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use axum::http::Request;
use prost_types::Timestamp;
use reqwest::Method;
use serde_json::json;
use todo::{all, database::Database, role};
use todo_domain::{Clock, Ids};
use todo_proto::v1::{
    GetStatusRequest, ListDueRequest, due_service_client::DueServiceClient,
    scheduler_service_client::SchedulerServiceClient,
};
use todo_runtime::serve::serve;
use todo_sidecar::{
    ApiChannel, DaprSidecar, Sidecar as _,
    dapr::{CallbackOptions, callback},
};
use tokio::{net::TcpSocket, sync::OwnedMutexGuard, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{body::Body, service::Routes};
use tower::ServiceExt as _;

use crate::{
    cluster::{Cluster, Daprd, Role, START, shipped},
    eventually,
    observer::Observer,
    rest::Rest,
};

/// Forgets what was published and kept. Consumer groups stay: daprds that read would else find none.
const FORGET: &str = "for _, key in ipairs(redis.call('KEYS', '*')) do \
                        if redis.call('TYPE', key).ok == 'stream' then redis.call('XTRIM', key, 'MAXLEN', 0) \
                        else redis.call('DEL', key) end \
                      end return 0";
/// How many events were not handled, and how many consumer groups are missing: the backend and the stranger read four
/// topics, the scheduler one.
const UNHANDLED: &str = "local left = 9 for _, key in ipairs(redis.call('KEYS', '*')) do \
                           if redis.call('TYPE', key).ok == 'stream' then \
                             for _, group in ipairs(redis.call('XINFO', 'GROUPS', key)) do \
                               left = left - 1 + group[6] + group[12] \
                             end \
                           end \
                         end return left";
const ZERO: &str = ":0\r\n";

type Slot = tokio::sync::Mutex<Option<Parts>>;

/// What the stories of this process share; it ends with the last of them.
static SHARED: Mutex<Weak<Slot>> = Mutex::new(Weak::new());

/// What is around the roles.
struct Parts {
    // In this order, so that what others lean on ends last.
    daprds: [Daemon; 4],
    stranger: Daemon,
    cluster: Cluster,
}

/// A daprd, and where it finds its app, which is another one in each story. While there is none, a connection waits for
/// the next: were it refused, daprd would try again after a second, then two, then four.
struct Daemon {
    daprd: Daprd,
    listener: TcpListener,
}

impl Daemon {
    fn start(mut daprd: Daprd) -> Self {
        let listener = bind(daprd.app_port);
        // It never forgets a probe that failed, and at the third it hears its app no more for a while: between stories
        // some would fail.
        daprd.flags.push("--enable-app-health-check=false");
        daprd.start();
        Self { daprd, listener }
    }

    /// Where the next app listens: a socket that does so already may be told to again.
    fn socket(&self) -> TcpSocket {
        let listener = self.listener.try_clone().expect("a second handle of the listener");
        listener.set_nonblocking(true).expect("a listener");
        TcpSocket::from_std_stream(TcpStream::from(OwnedFd::from(listener)))
    }
}

impl Parts {
    /// `None`, said aloud, when something is not installed; see [`Cluster::empty`].
    fn start() -> Option<Self> {
        let cluster = Cluster::empty()?;
        // None goes away.
        cluster.write_configuration(3_600);
        let shipped = shipped().join("components");
        // As shipped, but for the line that names who may use the component.
        let own = cluster.scratch().join("stranger");
        fs::create_dir(&own).expect("a directory");
        let pubsub = fs::read_to_string(shipped.join("pubsub.yaml")).expect("the component that is shipped");
        let open: Vec<_> = pubsub.lines().filter(|line| !line.starts_with("scopes:")).collect();
        fs::write(own.join("pubsub.yaml"), open.join("\n")).expect("it is written");
        fs::copy(shipped.join("resiliency.yaml"), own.join("resiliency.yaml")).expect("it is written");

        let daprds = Role::ALL.map(|role| Daemon::start(cluster.daprd(role.id(), 0, &shipped)));
        let stranger = Daemon::start(cluster.daprd("stranger", 0, &own));
        Some(Self { daprds, stranger, cluster })
    }

    /// Forgets all that was.
    fn clear(&self) {
        let schema = "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public";
        self.cluster.postgres.sql(schema);
        assert_eq!(self.ask_redis(FORGET), ZERO);
    }

    fn ask_redis(&self, script: &str) -> String {
        self.cluster.redis.ask(&format!("EVAL \"{script}\" 0"))
    }
}

/// A story's turn: what is around the roles is its own, and empty at first, until this is dropped.
#[expect(missing_debug_implementations, reason = "services have nothing to show")]
pub struct Turn {
    observer: Arc<Observer>,
    _ear: DropGuard,
    parts: OwnedMutexGuard<Option<Parts>>,
}

impl Turn {
    /// Waits for it. `None`, said aloud, when Postgres, Redis or daprd is not installed; with the environment variable
    /// `CI` set that is a failure.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn begin() -> Option<Arc<Self>> {
        let slot = {
            let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
            shared.upgrade().unwrap_or_else(|| {
                let slot = Arc::default();
                *shared = Arc::downgrade(&slot);
                slot
            })
        };
        let mut parts = slot.lock_owned().await;
        if parts.is_none() {
            *parts = Some(Parts::start()?);
        }
        let Parts { cluster, stranger, .. } = parts.as_ref()?;
        parts.as_ref()?.clear();
        let (observer, end) = (Arc::<Observer>::default(), CancellationToken::new());
        let ear = callback(Arc::clone(&observer) as _, &callback_options(cluster), Routes::default());
        let listener = stranger.socket().listen(1_024).expect("a listener");
        tokio::spawn(serve(ear.prepare().into_axum_router(), listener, end.clone()));
        Some(Arc::new(Self { observer, _ear: end.drop_guard(), parts }))
    }

    fn parts(&self) -> &Parts {
        self.parts.as_ref().expect("they are there as long as the turn")
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> Database {
        Database::Postgres(self.parts().cluster.postgres.url())
    }

    /// Starts the roles, and waits until each finds what it needs; answers with the gateway's address.
    pub(crate) async fn start(
        &self,
        options: all::Options,
        (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>),
        shutdown: &CancellationToken,
    ) -> (SocketAddr, Vec<JoinHandle<()>>) {
        let time = || (Arc::clone(&clock), Arc::clone(&ids));
        let (own, listeners) = self.place(Role::Backend);
        let backend = role::backend(own, options.backend, time(), listeners, shutdown.clone());
        let mut running = vec![tokio::spawn(async { backend.await.expect("the backend runs") })];
        // Before the scheduler asks: by a clock that stands still, what fails once is not tried again.
        let due = DueServiceClient::new(self.app(Role::Scheduler, "backend"));
        eventually("the backend is there", START, || async {
            let request = ListDueRequest { until: Some(Timestamp::default()), ..ListDueRequest::default() };
            due.clone().list_due(request).await.ok()
        })
        .await;

        let (own, listeners) = self.place(Role::Scheduler);
        let scheduler = role::scheduler(own, options.scheduler, time(), listeners, shutdown.clone());
        running.push(tokio::spawn(async { scheduler.await.expect("the scheduler runs") }));
        let (own, listeners) = self.place(Role::Assistant);
        let assistant = role::assistant(own, options.model, time(), listeners, shutdown.clone());
        running.push(tokio::spawn(async { assistant.await.expect("the assistant runs") }));
        let (own, listeners) = self.place(Role::Gateway);
        let address = listeners.public.local_addr().expect("an address");
        let gateway = role::gateway(own, options.gateway, role::Peers::default(), listeners, shutdown.clone());
        running.push(tokio::spawn(async { gateway.await.expect("the gateway runs") }));

        let scheduler = SchedulerServiceClient::new(self.app(Role::Backend, "scheduler"));
        eventually("the scheduler knows what is due", START, || async {
            scheduler.clone().get_status(GetStatusRequest {}).await.ok()?.into_inner().window_until
        })
        .await;
        let rest = Rest::new(format!("http://{address}"));
        eventually("the gateway finds the backend", START, || async {
            (rest.get("/api/tasks").await.status == 401).then_some(())
        })
        .await;
        eventually("the gateway finds the assistant", START, || async {
            (rest.try_send(Method::POST, "/api/chat", &[], Some(&json!({ "content": "hi" }))).await.ok()?.status == 401)
                .then_some(())
        })
        .await;
        eventually("all are subscribed", START, || async { self.is_delivered().then_some(()) }).await;
        (address, running)
    }

    /// How a role of this turn reaches its daprd, and where it listens.
    fn place(&self, role: Role) -> (role::Options, role::Listeners) {
        let parts = self.parts();
        let daemon = &parts.daprds[role as usize];
        let mut sidecar = parts.cluster.sidecar_options(&daemon.daprd);
        sidecar.secret_group = Some("app-secrets".to_owned());
        let callback = callback_options(&parts.cluster);
        let listeners = role::Listeners { public: listen(bind(0)), callback: Some(daemon.socket()) };
        let (environment, shutdown_delay) = (Arc::new(|_: &str| None), Duration::ZERO);
        (role::Options { sidecar, callback, environment, shutdown_delay }, listeners)
    }

    /// Whether all that was published was delivered and handled.
    pub(crate) fn is_delivered(&self) -> bool {
        self.parts().ask_redis(UNHANDLED) == ZERO
    }

    /// What was published since the turn began.
    pub(crate) fn observe(&self) -> Arc<Observer> {
        Arc::clone(&self.observer)
    }

    /// What an app that is none of ours may do.
    pub(crate) fn stranger(&self) -> DaprSidecar {
        let parts = self.parts();
        parts.cluster.sidecar(&parts.stranger.daprd)
    }

    /// What a role may do.
    pub(crate) fn sidecar(&self, role: Role) -> DaprSidecar {
        let parts = self.parts();
        parts.cluster.sidecar(&parts.daprds[role as usize].daprd)
    }

    /// An app as a role reaches it, with the token of internal calls.
    pub(crate) fn app(&self, role: Role, app: &str) -> ApiChannel {
        let token = self.parts().cluster.internal(()).metadata().clone().into_headers();
        ApiChannel::new(self.sidecar(role).app(app).map_request(move |mut request: Request<Body>| {
            request.headers_mut().extend(token.clone());
            request
        }))
    }
}

impl Drop for Turn {
    /// A story that failed may have left anything behind: the next one begins with other parts.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.parts.take();
        }
    }
}

fn callback_options(cluster: &Cluster) -> CallbackOptions {
    let mut options = CallbackOptions::new("pubsub");
    options.app_token = Some(cluster.app_token());
    options
}

/// Listens on a port of loopback, or on any that is free.
fn bind(port: u16) -> TcpListener {
    TcpListener::bind(("127.0.0.1", port)).expect("a free port")
}

fn listen(listener: TcpListener) -> tokio::net::TcpListener {
    listener.set_nonblocking(true).expect("a listener");
    tokio::net::TcpListener::from_std(listener).expect("a listener")
}
