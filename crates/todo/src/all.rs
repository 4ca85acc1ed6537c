//! `todo all`: every role in one process, over SQLite (or Postgres) and the in-process sidecar. It is built before
//! anything listens, and nothing in it is global, so that many systems can run in one process.

use std::{collections::BTreeMap, path::PathBuf, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use todo_assistant::{chat, model};
use todo_backend::store::Store;
use todo_domain::{Clock, Ids};
use todo_gateway::Channel;
use todo_runtime::{
    access::Keys,
    health::{Check, Health},
    serve::serve,
};
use todo_sidecar::{
    ApiChannel, LocalSidecar, Subscriber,
    local::{self, Cron, Faults, Location, Lookup, Secrets},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::{
    data::Directory,
    database::Database,
    engine, mcp,
    secrets::{self, JWT},
};

/// How often the cron bindings tick (Dapr's `@every 1m`).
const TICK: Duration = Duration::from_mins(1);
/// How often the database is asked whether it is there.
const PATROL: Duration = Duration::from_secs(2);

/// Handlers of one app that run at once: many reminders that ring together are written together.
pub(crate) const HANDLERS: usize = 64;
/// How long handlers of events may take to end once everything else has.
const DRAIN: Duration = Duration::from_secs(5);

/// What can be chosen.
#[derive(Clone)]
pub struct Options {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Which database; a SQLite file in the data directory unless said.
    pub database: Option<Database>,
    /// Where secrets are looked up before the file in the data directory.
    pub environment: Lookup,
    /// Of the backend.
    pub backend: todo_backend::Options,
    /// Of the scheduler.
    pub scheduler: todo_scheduler::Options,
    /// Of the gateway. Readiness and shutdown are filled in here.
    pub gateway: todo_gateway::Options,
    /// The language model that answers in the chat; without one, a grammar does.
    pub model: Option<model::Options>,
    /// Faults of the sidecar, for tests.
    pub faults: Option<Faults>,
    /// Who starts deliveries: tests may step them one by one.
    pub mode: local::Mode,
}

impl Options {
    /// The defaults, in a directory.
    #[must_use]
    pub fn new(data_dir: PathBuf, ids: Arc<dyn Ids>) -> Self {
        Self {
            data_dir,
            database: None,
            environment: Arc::new(|_| None),
            backend: todo_backend::Options::default(),
            scheduler: todo_scheduler::Options::default(),
            gateway: todo_gateway::Options::new(ids),
            model: None,
            faults: None,
            mode: local::Mode::Running,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("data_dir", &self.data_dir)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// The whole system, built and not yet running.
#[expect(missing_debug_implementations, reason = "services have nothing to show")]
pub struct System {
    /// Everything that is served on the public port.
    pub router: Router,
    /// The backend's internal services and the scheduler's, as they are reached through the sidecar.
    pub sidecar: LocalSidecar,
    /// The database.
    pub store: Arc<dyn Store>,
    /// Stepped by simulations.
    pub scheduler: todo_scheduler::Service,
    /// What the backend takes from the sidecar.
    pub consumer: Arc<dyn Subscriber>,
    backend: todo_backend::Service,
    assistant: chat::Service,
    health: Health,
    /// Ends requests and streams.
    shutdown: CancellationToken,
    _directory: Directory,
}

/// Builds it. Cancelling `shutdown` ends it once it runs.
///
/// # Errors
/// A sentence for the operator: the data directory, a secret or the database cannot be used.
pub async fn build(
    options: Options,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    shutdown: CancellationToken,
) -> Result<System, String> {
    let directory = Directory::open(&options.data_dir)?;
    let mut local = local::Options::new(Location::File(directory.file("sidecar.db")), Arc::clone(&clock));
    local.secrets = sources(options.environment, directory.secrets()?);
    local.bindings =
        todo_scheduler::BINDINGS.iter().map(|name| Cron { name: (*name).to_owned(), every: TICK }).collect();
    local.concurrency = HANDLERS;
    local.faults = options.faults;
    local.mode = options.mode;
    let sidecar =
        LocalSidecar::open(local).await.map_err(|error| format!("the sidecar's file cannot be used: {error}"))?;

    let health = Health::default();
    // The sidecar looks into the environment itself.
    let secrets = secrets::Secrets::new(sidecar.handle("backend"), Arc::new(|_| None), health.clone());
    let secret = secrets.look(JWT).await.map_err(|error| format!("the secret {JWT} cannot be read: {error}"))?;
    let keys = Arc::new(Keys::parse(secret.expose())?);
    let database = options.database.unwrap_or_else(|| Database::Sqlite(directory.file("todo.db")));
    let store = database.open().await?;

    let backend = todo_backend::build(
        options.backend,
        todo_backend::Ports {
            store: Arc::clone(&store),
            sidecar: sidecar.handle("backend"),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
            keys,
            vapid: secrets.vapid().await?,
            health: health.clone(),
        },
        shutdown.clone(),
    );
    let scheduler = todo_scheduler::build(
        options.scheduler,
        todo_scheduler::Ports {
            sidecar: sidecar.handle("scheduler"),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
            health: health.clone(),
        },
    );
    let consumer = Arc::clone(&backend.subscriber);
    let services = backend.internal.clone().prepare().into_axum_router();
    let services = services.merge(backend.public.clone().prepare().into_axum_router().reset_fallback());
    sidecar.register("backend", Arc::clone(&consumer), Some(ApiChannel::from_routes(services.into())));
    sidecar.register(
        "scheduler",
        Arc::clone(&scheduler.subscriber),
        Some(ApiChannel::from_routes(scheduler.routes.clone())),
    );
    let key = secrets.llm_key(options.model.is_some()).await?;
    let assistant = chat::build(chat::Ports {
        backend: sidecar.handle("assistant").app("backend"),
        engine: engine::build(options.model, key)?,
        clock,
        ids,
        patience: chat::PATIENCE,
    });
    let mut gateway = todo_gateway::Options { health: health.clone(), shutdown: shutdown.clone(), ..options.gateway };
    gateway.mcp = Some(mcp::service(&gateway));
    let channel = |routes: &Routes| Channel::new(ApiChannel::from_routes(routes.clone()));
    let router = todo_gateway::build(gateway, channel(&backend.public), channel(&assistant.routes));
    Ok(System {
        router,
        sidecar,
        store,
        scheduler,
        consumer,
        backend,
        assistant,
        health,
        shutdown,
        _directory: directory,
    })
}

/// Where secrets come from: the environment, then the file.
pub(crate) fn sources(environment: Lookup, file: PathBuf) -> Secrets {
    Secrets { map: BTreeMap::new(), environment: Some(environment), file: Some(file) }
}

impl System {
    /// Publishes one batch of what was committed; says whether there was one. For simulations.
    pub async fn publish(&self) -> bool {
        self.backend.publish().await
    }

    /// Serves `listener` until the shutdown, then drains: requests first, then what they left for the scheduler, the
    /// relay and the sidecar to do.
    pub async fn run(self, listener: TcpListener) {
        let Self { router, sidecar, store, scheduler, backend, assistant, health, shutdown, _directory, .. } = self;
        let (quiet, silent) = (CancellationToken::new(), CancellationToken::new());
        let serving = async {
            serve(router, listener, shutdown.clone()).await;
            // What is cut off here is taken up when its message is sent again.
            let _ = tokio::time::timeout(DRAIN, assistant.ended()).await;
            quiet.cancel();
        };
        let working = async {
            tokio::join!(
                scheduler.run(quiet.clone()),
                backend.run(quiet.clone()),
                patrol(store.as_ref(), &health, &quiet)
            );
            silent.cancel();
        };
        let delivering = async {
            let mut delivery = pin!(sidecar.run(silent.clone()));
            tokio::select! {
                () = &mut delivery => return,
                () = silent.cancelled() => {}
            }
            // A handler that hangs must not hold up the stop; its event comes again.
            if tokio::time::timeout(DRAIN, delivery).await.is_err() {
                tracing::warn!("handlers did not end within {} s and were cut off", DRAIN.as_secs());
            }
        };
        tokio::join!(serving, working, delivering);
        sidecar.close().await;
        store.close().await;
    }
}

/// Notes again and again whether the database is there.
pub(crate) async fn patrol(store: &dyn Store, health: &Health, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        let check = match store.read().await {
            Ok(_) => Check::Ok,
            Err(error) => Check::Failing(error.to_string()),
        };
        health.set("database", check);
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(PATROL) => {}
        }
    }
}
