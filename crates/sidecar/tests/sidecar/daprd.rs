//! The conformance suite on `DaprSidecar`, with real daprds on a real Redis.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use todo_sidecar::conformance::{self, App, BINDING, Fixture, SECRET, SECRET_VALUE};
use todo_sidecar::dapr::{CallbackOptions, Options, callback};
use todo_sidecar::{DaprSidecar, Secret, Sidecar};
use todo_test_dapr::{Components, Cron, Daprd, Redis, Resources, STORE_OF_SECRETS};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, oneshot};
use tokio::task::spawn_blocking;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// What daprd wants to be shown.
pub(crate) const API_TOKEN: &str = "what the app shows";
/// What daprd shows.
pub(crate) const APP_TOKEN: &str = "what daprd shows";

/// After which time a delivery without an answer is made again.
pub(crate) const PROCESSING: Duration = Duration::from_secs(10);

/// Apps, each with a daprd of its own, on one Redis.
pub(crate) struct Daprds {
    redis: Mutex<Redis>,
    resources: Resources,
    /// By app id; one of several replicas each.
    apps: Mutex<Vec<(String, Running)>>,
}

struct Running {
    sidecar: DaprSidecar,
    daprd: Daprd,
    app: Listening,
}

/// An app's listener; it goes when this is dropped.
struct Listening {
    port: u16,
    _stop: oneshot::Sender<()>,
}

impl Listening {
    async fn start(port: u16, routes: Routes) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let server = Server::builder().add_routes(routes).serve_with_incoming_shutdown(incoming, stopped);
        tokio::spawn(async move { server.await.unwrap() });
        Self { port, _stop: stop }
    }
}

impl Daprds {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Components)) -> Self {
        let redis = spawn_blocking(Redis::start).await.unwrap();
        let mut components = Components::new(redis.port());
        components.secrets.insert(SECRET.into(), SECRET_VALUE.into());
        components.bindings.push(Cron { name: BINDING.into(), schedule: "@every 2s".into() });
        components.processing_seconds = u32::try_from(PROCESSING.as_secs()).unwrap();
        change(&mut components);
        Self { redis: Mutex::new(redis), resources: components.write(), apps: Mutex::default() }
    }

    /// What an app serves to its daprd.
    pub(crate) fn routes(app: App) -> Routes {
        let options = CallbackOptions { app_token: Some(Secret::new(APP_TOKEN)), ..CallbackOptions::new("pubsub") };
        callback(app.subscriber, &options, app.services.unwrap_or_default())
    }

    /// Starts an app; answers with how its sidecar is reached.
    pub(crate) async fn run(&self, app: App) -> Options {
        let id = app.id.clone();
        self.serve(&id, Self::routes(app)).await
    }

    /// Serves what daprd calls; answers with how the app's sidecar is reached.
    pub(crate) async fn serve(&self, app_id: &str, routes: Routes) -> Options {
        let app = Listening::start(todo_test_dapr::free_port(), routes).await;
        let mut options = todo_test_dapr::Options::new(app_id);
        options.app_port = Some(app.port);
        options.api_token = Some(API_TOKEN.into());
        options.app_token = Some(APP_TOKEN.into());
        let resources = self.resources.clone();
        let daprd = spawn_blocking(move || Daprd::start(&resources, options)).await.unwrap();
        let options = Options {
            secret_store: STORE_OF_SECRETS.into(),
            api_token: Some(Secret::new(API_TOKEN)),
            ..Options::new(daprd.grpc_port().to_string())
        };
        let sidecar = DaprSidecar::new(options.clone()).unwrap();
        self.apps.lock().await.push((app_id.to_owned(), Running { sidecar, daprd, app }));
        options
    }

    /// Takes an app away from its daprd for a while, and starts it anew.
    pub(crate) async fn interrupt(&self, app: App, outage: Duration) {
        let mut apps = self.apps.lock().await;
        let (_, running) = apps.iter_mut().find(|(id, _)| *id == app.id).unwrap();
        let port = running.app.port;
        let nobody = Listening::start(todo_test_dapr::free_port(), Routes::default()).await;
        drop(std::mem::replace(&mut running.app, nobody));
        tokio::time::sleep(outage).await;
        running.app = Listening::start(port, Self::routes(app)).await;
    }

    /// Takes an app away from its daprd, for good.
    pub(crate) async fn take_away(&self, app_id: &str) {
        let nobody = Listening::start(todo_test_dapr::free_port(), Routes::default()).await;
        let mut apps = self.apps.lock().await;
        let (_, running) = apps.iter_mut().find(|(id, _)| id == app_id).unwrap();
        running.app = nobody;
    }

    /// Does something to an app's daprd that takes its time.
    pub(crate) async fn change(&self, app_id: &str, change: fn(&mut Daprd)) -> DaprSidecar {
        let mut apps = self.apps.lock().await;
        let place = apps.iter().position(|(id, _)| id == app_id).unwrap();
        let (id, mut app) = apps.remove(place);
        let app = spawn_blocking(move || {
            change(&mut app.daprd);
            app
        });
        let app = app.await.unwrap();
        let sidecar = app.sidecar.clone();
        apps.push((id, app));
        sidecar
    }

    /// The broker and the state store.
    pub(crate) async fn redis(&self) -> tokio::sync::MutexGuard<'_, Redis> {
        self.redis.lock().await
    }
}

#[async_trait]
impl Fixture for Daprds {
    async fn start(&self, app: App) -> Arc<dyn Sidecar> {
        let options = self.run(app).await;
        Arc::new(DaprSidecar::new(options).unwrap())
    }

    async fn restart(&self, app_id: &str) -> Arc<dyn Sidecar> {
        // The same handle as before: its connection comes back.
        Arc::new(self.change(app_id, Daprd::restart).await)
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn cut_off(&self) {
        self.redis().await.kill();
    }

    fn max_retries(&self) -> usize {
        3
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(40)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daprd_conforms() {
    if !todo_test_dapr::installed() {
        return;
    }
    // Most of a case is waiting: for processes to start, for retries and redelivery, for TTLs.
    let report = conformance::run("daprd", 6, Daprds::new).await;
    println!("{report}");
    report.check();
}
