//! Roles of their own, each beside its daprd: `todo backend`, `todo scheduler`, `todo gateway`, `todo assistant`.
//!
//! A role listens at once, says by `/ready` what it waits for, and serves when it has that: no start needs an order. On
//! a second port it takes the calls of its daprd: callbacks, its internal services and, behind a user's token, its public
//! ones. It listens there only when it serves, because daprd waits for that, and would hang on calls that nobody takes.
//!
//! It stops in this order: `/ready` says so while everything goes on; then nothing new is accepted and requests end;
//! then daprd is not served any more, and what it brought is done; then what all that left is published.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use http::Uri;
use http_body_util::BodyExt as _;
use todo_assistant::{chat, model};
use todo_backend::store::Store;
use todo_domain::{Clock, Ids};
use todo_gateway::Channel;
use todo_proto::v1::{GetStatusRequest, scheduler_service_client::SchedulerServiceClient};
use todo_runtime::{
    access::Keys,
    health::{Check, Health},
    serve::{AGE, DRAIN, serve, serve_for},
};
use todo_sidecar::{
    ApiChannel, DaprSidecar, Delivery, Sidecar, Subscriber, Subscription,
    dapr::{CallbackOptions, callback},
    local::Lookup,
};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, body::Body, metadata::MetadataValue, service::Routes, transport::Endpoint};
use tower::ServiceExt as _;

use crate::{
    all::{HANDLERS, patrol},
    database::Database,
    engine, mcp,
    secrets::{DATABASE, INTERNAL, JWT, Secrets},
    trust::{InternalToken, Trusted},
};

/// How long after a failure the database is tried again.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the sidecar and the scheduler are asked whether they are there.
const PATROL: Duration = Duration::from_secs(5);
/// Connections of a gateway to a Service, which leads each to some replica behind it.
const CONNECTIONS: usize = 8;
/// Connections that daprd may have waiting.
const BACKLOG: u32 = 1_024;

/// What every role needs.
#[derive(Clone)]
pub struct Options {
    /// How the sidecar is reached.
    pub sidecar: todo_sidecar::dapr::Options,
    /// What the sidecar's calls look like.
    pub callback: CallbackOptions,
    /// Where secrets are looked up while the secret store does not answer.
    pub environment: Lookup,
    /// How long the role goes on when it was told to stop, while `/ready` says so: whoever sends it requests finds out.
    pub shutdown_delay: Duration,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("sidecar", &self.sidecar).finish_non_exhaustive()
    }
}

/// Where a role listens.
#[derive(Debug)]
pub struct Listeners {
    /// For everyone.
    pub public: TcpListener,
    /// A port for the role's own sidecar, on which nothing listens yet; a role that takes nothing from it can do without.
    pub callback: Option<TcpSocket>,
}

/// What the roles share: the sidecar, how this one is doing, and how far it is with stopping.
struct Role {
    options: Options,
    dapr: DaprSidecar,
    health: Health,
    secrets: Secrets,
    /// It was told to stop.
    told: CancellationToken,
    /// Nothing new is accepted.
    shutdown: CancellationToken,
    /// All requests have ended.
    quiet: CancellationToken,
    /// And all that the sidecar brought.
    silent: CancellationToken,
}

/// Runs the backend until the shutdown.
///
/// # Errors
/// A sentence for the operator: a secret is missing or cannot be used.
pub async fn backend(
    options: Options,
    own: todo_backend::Options,
    (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>),
    listeners: Listeners,
    shutdown: CancellationToken,
) -> Result<(), String> {
    let role = Role::new(options, shutdown)?;
    let late = Late::default();
    let public = role.health.router().fallback_service(late.router());
    let work = async {
        let Some(secret) = role.secrets.first(JWT, &role.told).await? else { return Ok(()) };
        let keys = Arc::new(Keys::parse(secret.expose())?);
        let Some(token) = role.internal_token().await? else { return Ok(()) };
        let vapid = role.secrets.vapid().await?;
        let Some(store) = role.database().await? else { return Ok(()) };
        role.secrets.keep(JWT, {
            let keys = Arc::clone(&keys);
            move |secret| keys.replace(secret.expose()).map(drop)
        });
        role.secrets.keep(DATABASE, {
            let store = Arc::clone(&store);
            move |secret| store.point_to(secret.expose()).map_err(|error| error.to_string())
        });
        let sidecar: Arc<dyn Sidecar> =
            Arc::new(Trusted { sidecar: Arc::new(role.dapr.clone()), token: token.clone() });
        let backend = todo_backend::build(
            own,
            todo_backend::Ports {
                store: Arc::clone(&store),
                sidecar: Arc::clone(&sidecar),
                clock,
                ids,
                keys: Arc::clone(&keys),
                vapid,
                health: role.health.clone(),
            },
            role.shutdown.clone(),
        );
        let public = renewing(router(backend.public.clone()), &keys, &role.secrets);
        late.open(public.clone());
        let internal = token.guard(router(backend.internal.clone()), &role.secrets).merge(public.reset_fallback());
        let subscriber = Arc::clone(&backend.subscriber);
        let (done, ..) = tokio::join!(
            role.callbacks(listeners.callback, subscriber, internal.into()),
            backend.run(role.silent.clone()),
            patrol(store.as_ref(), &role.health, &role.shutdown),
            role.renew_database(),
            role.watch(true),
            role.ask_scheduler(sidecar.as_ref()),
        );
        // Only handlers that were cut off still use it.
        let _ = tokio::time::timeout(PATIENCE, store.close()).await;
        done
    };
    role.run(listeners.public, public, Box::pin(work)).await
}

/// Runs the scheduler until the shutdown.
///
/// # Errors
/// As [`backend`].
pub async fn scheduler(
    options: Options,
    own: todo_scheduler::Options,
    (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>),
    listeners: Listeners,
    shutdown: CancellationToken,
) -> Result<(), String> {
    let role = Role::new(options, shutdown)?;
    let public = role.health.router();
    let work = async {
        let Some(token) = role.internal_token().await? else { return Ok(()) };
        let sidecar = Arc::new(Trusted { sidecar: Arc::new(role.dapr.clone()), token: token.clone() });
        let ports = todo_scheduler::Ports { sidecar, clock, ids, health: role.health.clone() };
        let scheduler = todo_scheduler::build(own, ports);
        let internal = token.guard(router(scheduler.routes.clone()), &role.secrets);
        let subscriber = Arc::clone(&scheduler.subscriber);
        let (done, ..) = tokio::join!(
            role.callbacks(listeners.callback, subscriber, internal.into()),
            scheduler.run(role.silent.clone()),
            role.watch(true),
        );
        done
    };
    role.run(listeners.public, public, Box::pin(work)).await
}

/// Runs the assistant until the shutdown. It has no database: what it keeps, the backend keeps.
///
/// # Errors
/// As [`backend`].
pub async fn assistant(
    options: Options,
    llm: Option<model::Options>,
    (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>),
    listeners: Listeners,
    shutdown: CancellationToken,
) -> Result<(), String> {
    let role = Role::new(options, shutdown)?;
    let late = Late::default();
    let public = role.health.router().fallback_service(late.router());
    let work = async {
        let Some(token) = role.internal_token().await? else { return Ok(()) };
        let sidecar = Trusted { sidecar: Arc::new(role.dapr.clone()), token };
        let engine = engine::build(llm.clone(), role.secrets.llm_key(llm.is_some()).await?)?;
        let chat =
            chat::build(chat::Ports { backend: sidecar.app("backend"), engine, clock, ids, patience: chat::PATIENCE });
        late.open(router(chat.routes.clone()));
        let turns = async {
            role.quiet.cancelled().await;
            // What is cut off here is taken up when its message is sent again.
            let _ = tokio::time::timeout(DRAIN, chat.ended()).await;
        };
        let callbacks = role.callbacks(listeners.callback, Arc::new(Nothing), chat.routes.clone());
        tokio::join!(callbacks, turns, role.watch(true)).0
    };
    role.run(listeners.public, public, Box::pin(work)).await
}

/// Where a gateway finds the others; through the sidecar unless said.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    /// The backend.
    pub backend: Option<Uri>,
    /// The assistant.
    pub assistant: Option<Uri>,
}

impl Peers {
    /// The ways to the backend and to the assistant.
    pub(crate) fn channels(self, dapr: &DaprSidecar) -> [ApiChannel; 2] {
        [(self.backend, "backend"), (self.assistant, "assistant")].map(|(url, app)| match url {
            Some(url) => {
                // A peer that is gone without a word is found out, and the next call goes over a new connection.
                let endpoint = Endpoint::from(url).connect_timeout(PATROL).http2_keep_alive_interval(PATROL);
                ApiChannel::spread(&endpoint.keep_alive_timeout(PATROL), CONNECTIONS)
            }
            None => dapr.app(app),
        })
    }
}

/// Runs the gateway until the shutdown.
///
/// # Errors
/// A sentence for the operator.
pub async fn gateway(
    options: Options,
    own: todo_gateway::Options,
    peers: Peers,
    listeners: Listeners,
    shutdown: CancellationToken,
) -> Result<(), String> {
    let role = Role::new(options, shutdown)?;
    let mut own = todo_gateway::Options { health: role.health.clone(), shutdown: role.shutdown.clone(), ..own };
    own.mcp = Some(mcp::service(&own));
    let [backend, assistant] = peers.channels(&role.dapr).map(|channel| Channel::new(breakable(channel)));
    let public = todo_gateway::build(own, backend, assistant);
    let called = listeners.callback.is_some();
    let work = async {
        let callbacks = role.callbacks(listeners.callback, Arc::new(Nothing), Routes::default());
        tokio::join!(callbacks, role.watch(called)).0
    };
    role.run(listeners.public, public, Box::pin(work)).await
}

impl Role {
    fn new(options: Options, told: CancellationToken) -> Result<Self, String> {
        let dapr = DaprSidecar::new(options.sidecar.clone()).map_err(|error| format!("the sidecar: {error}"))?;
        let health = Health::default();
        let secrets = Secrets::new(Arc::new(dapr.clone()), Arc::clone(&options.environment), health.clone());
        let [shutdown, quiet, silent] = std::array::from_fn(|_| CancellationToken::new());
        Ok(Self { options, dapr, health, secrets, told, shutdown, quiet, silent })
    }

    /// Serves everyone while the role works; if it cannot work, that ends too.
    async fn run(
        &self,
        listener: TcpListener,
        public: Router,
        work: impl Future<Output = Result<(), String>>,
    ) -> Result<(), String> {
        let serving = async {
            serve_for(AGE, self.health.closing(public), listener, self.shutdown.clone()).await;
            self.quiet.cancel();
        };
        let work = async {
            let done = work.await;
            self.shutdown.cancel();
            done
        };
        tokio::join!(self.stop(), serving, work).2
    }

    /// Begins the shutdown some time after it was asked for.
    async fn stop(&self) {
        let begin = async {
            self.told.cancelled().await;
            self.health.stop();
            tokio::time::sleep(self.options.shutdown_delay).await;
        };
        self.shutdown.run_until_cancelled(begin).await;
        self.shutdown.cancel();
    }

    /// Serves the role's own sidecar until there are no requests, and waits for what it brought.
    async fn callbacks(
        &self,
        socket: Option<TcpSocket>,
        subscriber: Arc<dyn Subscriber>,
        services: Routes,
    ) -> Result<(), String> {
        let options = CallbackOptions { concurrency: HANDLERS, ..self.options.callback.clone() };
        let served = match socket.map(|socket| socket.listen(BACKLOG)).transpose() {
            Ok(Some(listener)) => {
                serve(router(callback(subscriber, &options, services)), listener, self.quiet.clone()).await;
                if tokio::time::timeout(DRAIN, options.activity.ended()).await.is_err() {
                    tracing::warn!("handlers did not end within {} s and were cut off", DRAIN.as_secs());
                }
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error) => {
                self.shutdown.cancel();
                Err(format!("cannot listen for daprd (--app-port, APP_PORT): {error}"))
            }
        };
        self.quiet.cancelled().await;
        self.silent.cancel();
        served
    }

    async fn internal_token(&self) -> Result<Option<InternalToken>, String> {
        let Some(secret) = self.secrets.first(INTERNAL, &self.told).await? else { return Ok(None) };
        let token = InternalToken::parse(secret.expose())?;
        let kept = token.clone();
        self.secrets.keep(INTERNAL, move |secret| kept.replace(secret.expose()));
        Ok(Some(token))
    }

    /// Opens the database as soon as it is there; `None` at the shutdown.
    async fn database(&self) -> Result<Option<Arc<dyn Store>>, String> {
        loop {
            // Read each time: it may be what is wrong.
            let Some(secret) = self.secrets.first(DATABASE, &self.told).await? else { return Ok(None) };
            match Database::of(&secret)?.open().await {
                Ok(store) => return Ok(Some(store)),
                Err(error) => self.health.set("database", Check::Failing(error)),
            }
            tokio::select! {
                () = self.told.cancelled() => return Ok(None),
                () = tokio::time::sleep(PATIENCE) => {}
            }
        }
    }

    /// While the database cannot be used, reads the secrets: its password may have been changed.
    async fn renew_database(&self) {
        every(PATIENCE, &self.shutdown, || async {
            if !self.health.is_serving() {
                self.secrets.refresh().await;
            }
        })
        .await;
    }

    /// Notes whether the sidecar is there and, where the role is `called` by it, has found the role; and reads secrets
    /// anew, until the shutdown.
    async fn watch(&self, called: bool) {
        let activity = &self.options.callback.activity;
        let ask = every(PATIENCE, &self.shutdown, || async {
            let check = match self.dapr.metadata().await {
                Err(error) => {
                    Check::Degraded(format!("the sidecar does not answer (DAPR_GRPC_PORT, DAPR_API_TOKEN): {error}"))
                }
                Ok(_) if called && !activity.has_begun() => {
                    let why = "the sidecar has not asked for this app's health (--app-port, --enable-app-health-check; \
                               APP_PORT, APP_API_TOKEN)";
                    Check::Degraded(why.to_owned())
                }
                Ok(_) => Check::Ok,
            };
            self.health.set("sidecar", check);
        });
        tokio::join!(ask, self.secrets.watch(&self.shutdown));
    }

    /// Notes whether there is a scheduler, until the shutdown.
    async fn ask_scheduler(&self, sidecar: &dyn Sidecar) {
        every(PATROL, &self.shutdown, || async {
            self.health.set("scheduler", scheduler_answers(sidecar).await.map_or_else(Check::Degraded, |()| Check::Ok));
        })
        .await;
    }
}

/// Asks whether there is a scheduler that believes us.
pub(crate) async fn scheduler_answers(sidecar: &dyn Sidecar) -> Result<(), String> {
    let mut request = tonic::Request::new(GetStatusRequest::default());
    request.set_timeout(PATROL);
    let answer = SchedulerServiceClient::new(sidecar.app("scheduler")).get_status(request).await;
    answer.map(drop).map_err(|status| format!("the scheduler does not answer: {}", status.message()))
}

/// Does something now and again after each pause, until the shutdown.
async fn every<F: Future<Output = ()>>(pause: Duration, shutdown: &CancellationToken, what: impl Fn() -> F) {
    let again = async {
        loop {
            what().await;
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = again => {}
    }
}

/// A channel on which a connection that breaks in the middle of an answer is `UNAVAILABLE`, as one is that cannot be made:
/// tonic makes it `UNKNOWN`.
fn breakable(channel: ApiChannel) -> ApiChannel {
    // What the other side says comes in headers and trailers; a body fails only when its connection does.
    let broken = |status: Status| match status.code() {
        Code::Unknown => Status::unavailable(status.message()),
        _ => status,
    };
    ApiChannel::new(channel.map_response(move |response| response.map(|body| Body::new(body.map_err(broken)))))
}

fn router(routes: Routes) -> Router {
    routes.prepare().into_axum_router()
}

/// Before a call whose token names a secret that is not known, the secrets are read anew: whoever rotates them should
/// not see tokens refused by the replicas that have not heard of it yet.
fn renewing(services: Router, keys: &Arc<Keys>, secrets: &Secrets) -> Router {
    async fn renew(State((keys, secrets)): State<(Arc<Keys>, Secrets)>, request: Request, next: Next) -> Response {
        if keys.misses(request.headers()) {
            secrets.refresh().await;
        }
        next.run(request).await
    }
    services.layer(middleware::from_fn_with_state((Arc::clone(keys), secrets.clone()), renew))
}

/// Services that come later.
#[derive(Clone, Default)]
struct Late(Arc<OnceLock<Router>>);

impl Late {
    fn open(&self, router: Router) {
        let _ = self.0.set(router);
    }

    fn router(&self) -> Router {
        async fn wait(State(late): State<Late>, request: Request) -> Result<Response, Infallible> {
            if let Some(router) = late.0.get() {
                return router.clone().oneshot(request).await;
            }
            let mut status = Status::unavailable("not ready yet; /ready says why");
            // Nothing was done: whoever asks may ask again at once (gRFC A6).
            status.metadata_mut().insert("grpc-retry-pushback-ms", MetadataValue::from_static("0"));
            Ok(status.into_http())
        }
        Router::new().fallback(wait).with_state(self.clone())
    }
}

/// Takes nothing.
struct Nothing;

#[async_trait::async_trait]
impl Subscriber for Nothing {
    fn subscriptions(&self) -> Vec<Subscription> {
        Vec::new()
    }

    async fn on_event(&self, _: &Delivery) -> todo_sidecar::Ack {
        todo_sidecar::Ack::Success
    }
}
