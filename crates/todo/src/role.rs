//! Roles of their own, each beside its daprd: `todo backend`, `todo scheduler`, `todo gateway`.
//!
//! A role listens at once, says by `/ready` what it waits for, and serves when it has that: no start needs an order. On
//! a second listener it takes the calls of its daprd: callbacks, its internal services and, behind a user's token, its
//! public ones.

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
use todo_backend::store::Store;
use todo_domain::{Clock, Ids};
use todo_proto::v1::{GetStatusRequest, scheduler_service_client::SchedulerServiceClient};
use todo_runtime::{
    access::Keys,
    health::{Check, Health},
    serve::serve,
};
use todo_sidecar::{
    ApiChannel, DaprSidecar, Delivery, Sidecar, Subscriber, Subscription,
    dapr::{CallbackOptions, callback},
    local::Lookup,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, body::Body, service::Routes, transport::Endpoint};
use tower::ServiceExt as _;

use crate::{
    all::{HANDLERS, patrol},
    database::Database,
    secrets::Secrets,
    trust::{InternalToken, Trusted},
};

/// How long after a failure the database is tried again.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the sidecar and the scheduler are asked whether they are there.
const PATROL: Duration = Duration::from_secs(5);

/// What every role needs.
#[derive(Clone)]
pub struct Options {
    /// How the sidecar is reached.
    pub sidecar: todo_sidecar::dapr::Options,
    /// What the sidecar's calls look like.
    pub callback: CallbackOptions,
    /// Where secrets are looked up while the secret store does not answer.
    pub environment: Lookup,
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
    /// For the role's own sidecar; a role that takes nothing from it can do without.
    pub callback: Option<TcpListener>,
}

/// What the roles share: the sidecar, and how this one is doing.
struct Role {
    options: Options,
    dapr: DaprSidecar,
    health: Health,
    secrets: Secrets,
    shutdown: CancellationToken,
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
        let Some(secret) = role.secrets.first("jwt-secret", &role.shutdown).await? else { return Ok(()) };
        let keys = Arc::new(Keys::parse(secret.expose())?);
        let Some(token) = role.internal_token().await? else { return Ok(()) };
        let Some(secret) = role.secrets.first("database-url", &role.shutdown).await? else { return Ok(()) };
        let database: Database = secret.expose().parse().map_err(|error| format!("database-url {error}"))?;
        let Some(store) = role.database(&database).await else { return Ok(()) };
        role.secrets.keep("jwt-secret", {
            let keys = Arc::clone(&keys);
            move |secret| keys.replace(secret.expose()).map(drop)
        });
        role.secrets.keep("database-url", {
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
                health: role.health.clone(),
            },
            role.shutdown.clone(),
        );
        let public = renewing(router(backend.public.clone()), &keys, &role.secrets);
        late.open(public.clone());
        let internal = token.guard(router(backend.internal.clone())).merge(public.reset_fallback());
        let subscriber = Arc::clone(&backend.subscriber);
        tokio::join!(
            role.callbacks(listeners.callback, subscriber, internal.into()),
            backend.run(),
            patrol(store.as_ref(), &role.health, &role.shutdown),
            role.watch(),
            role.ask_scheduler(sidecar.as_ref()),
        );
        store.close().await;
        Ok(())
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
        let internal = token.guard(router(scheduler.routes.clone()));
        let subscriber = Arc::clone(&scheduler.subscriber);
        tokio::join!(
            role.callbacks(listeners.callback, subscriber, internal.into()),
            scheduler.run(role.shutdown.clone()),
            role.watch(),
        );
        Ok(())
    };
    role.run(listeners.public, public, Box::pin(work)).await
}

/// Runs the gateway until the shutdown. It reaches the backend at `backend`, or else through the sidecar.
///
/// # Errors
/// A sentence for the operator.
pub async fn gateway(
    options: Options,
    own: todo_gateway::Options,
    backend: Option<Uri>,
    listeners: Listeners,
    shutdown: CancellationToken,
) -> Result<(), String> {
    let role = Role::new(options, shutdown)?;
    let channel = match backend {
        Some(uri) => {
            // A peer that is gone without a word is found out, and the next call goes over a new connection.
            let endpoint = Endpoint::from(uri).connect_timeout(PATROL).http2_keep_alive_interval(PATROL);
            ApiChannel::from_channel(endpoint.keep_alive_timeout(PATROL).connect_lazy())
        }
        None => role.dapr.app("backend"),
    };
    let own = todo_gateway::Options { health: role.health.clone(), shutdown: role.shutdown.clone(), ..own };
    let public = todo_gateway::build(own, breakable(channel));
    let work = async {
        tokio::join!(role.callbacks(listeners.callback, Arc::new(Nothing), Routes::default()), role.watch());
        Ok(())
    };
    role.run(listeners.public, public, Box::pin(work)).await
}

impl Role {
    fn new(options: Options, shutdown: CancellationToken) -> Result<Self, String> {
        let dapr = DaprSidecar::new(options.sidecar.clone()).map_err(|error| format!("the sidecar: {error}"))?;
        let health = Health::default();
        let secrets = Secrets::new(Arc::new(dapr.clone()), Arc::clone(&options.environment), health.clone());
        Ok(Self { options, dapr, health, secrets, shutdown })
    }

    /// Serves everyone while the role works; if it cannot work, that ends too.
    async fn run(
        &self,
        listener: TcpListener,
        public: Router,
        work: impl Future<Output = Result<(), String>>,
    ) -> Result<(), String> {
        let work = async {
            let done = work.await;
            self.shutdown.cancel();
            done
        };
        tokio::join!(serve(public, listener, self.shutdown.clone()), work).1
    }

    /// Serves the role's own sidecar.
    async fn callbacks(&self, listener: Option<TcpListener>, subscriber: Arc<dyn Subscriber>, services: Routes) {
        let Some(listener) = listener else { return };
        let options = CallbackOptions { concurrency: HANDLERS, ..self.options.callback.clone() };
        serve(router(callback(subscriber, &options, services)), listener, self.shutdown.clone()).await;
    }

    async fn internal_token(&self) -> Result<Option<InternalToken>, String> {
        let Some(secret) = self.secrets.first("internal-token", &self.shutdown).await? else { return Ok(None) };
        let token = InternalToken::parse(secret.expose())?;
        let kept = token.clone();
        self.secrets.keep("internal-token", move |secret| kept.replace(secret.expose()));
        Ok(Some(token))
    }

    /// Opens the database as soon as it is there; `None` at the shutdown.
    async fn database(&self, database: &Database) -> Option<Arc<dyn Store>> {
        loop {
            match database.open().await {
                Ok(store) => return Some(store),
                Err(error) => self.health.set("database", Check::Failing(error)),
            }
            tokio::select! {
                () = self.shutdown.cancelled() => return None,
                () = tokio::time::sleep(PATIENCE) => {}
            }
        }
    }

    /// Notes whether the sidecar is there, and reads secrets anew, until the shutdown.
    async fn watch(&self) {
        let ask = every(&self.shutdown, || async {
            let check = match self.dapr.ping().await {
                Ok(()) => Check::Ok,
                Err(error) => Check::Degraded(format!("the sidecar does not answer: {error}")),
            };
            self.health.set("sidecar", check);
        });
        tokio::join!(ask, self.secrets.watch(&self.shutdown));
    }

    /// Notes whether there is a scheduler, until the shutdown.
    async fn ask_scheduler(&self, sidecar: &dyn Sidecar) {
        let scheduler = SchedulerServiceClient::new(sidecar.app("scheduler"));
        every(&self.shutdown, || async {
            let mut request = tonic::Request::new(GetStatusRequest::default());
            request.set_timeout(PATROL);
            let check = match scheduler.clone().get_status(request).await {
                Ok(_) => Check::Ok,
                Err(status) => Check::Degraded(format!("the scheduler does not answer: {}", status.message())),
            };
            self.health.set("scheduler", check);
        })
        .await;
    }
}

/// Does something now and again and again, until the shutdown.
async fn every<F: Future<Output = ()>>(shutdown: &CancellationToken, what: impl Fn() -> F) {
    let again = async {
        loop {
            what().await;
            tokio::time::sleep(PATROL).await;
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
    let channel = channel.map_response(move |response| response.map(|body| Body::new(body.map_err(broken))));
    ApiChannel::new(channel.map_err(move |error| broken(Status::from_error(error))))
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
            match late.0.get() {
                Some(router) => router.clone().oneshot(request).await,
                None => Ok(Status::unavailable("not ready yet; /ready says why").into_http()),
            }
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
