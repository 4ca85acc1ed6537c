//! A consumer that nobody of ours knows and that has nothing of ours: a plain HTTP app beside a daprd of its own, which
//! writes down every envelope and asks the schema of CloudEvents what it thinks of it.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    routing::{get, post},
};
use jsonschema::Validator;
use serde_json::{Value, json};
use todo_tests::{
    cluster::{Cluster, Daprd, START, shipped},
    eventually,
};
use tokio::{net::TcpListener, task::AbortHandle};

use super::{PATIENCE, text};

/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/cloudevents.json>
const SCHEMA: &str = include_str!("cloudevents.json");

pub(super) struct Auditor {
    received: Arc<Mutex<Vec<Value>>>,
    schema: Validator,
    _daprd: Daprd,
    app: AbortHandle,
}

/// The broker as shipped, but for the line that names who may use it.
pub(super) fn open_components(cluster: &Cluster) -> PathBuf {
    let components = cluster.scratch().join("open");
    fs::create_dir_all(&components).expect("a directory");
    let shipped = shipped().join("components");
    let pubsub = fs::read_to_string(shipped.join("pubsub.yaml")).expect("the component that is shipped");
    let open: Vec<_> = pubsub.lines().filter(|line| !line.starts_with("scopes:")).collect();
    fs::write(components.join("pubsub.yaml"), open.join("\n")).expect("it is written");
    fs::copy(shipped.join("resiliency.yaml"), components.join("resiliency.yaml")).expect("it is written");
    components
}

impl Auditor {
    /// Listens to every topic from the oldest event that is retained.
    pub(super) async fn start(cluster: &Cluster) -> Self {
        let mut daprd = cluster.daprd("auditor", 0, &open_components(cluster));
        daprd.protocol = "http";
        let listener =
            TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], daprd.app_port))).await.expect("a free port");
        let received = Arc::default();
        let routes = routes(&received);
        let app = tokio::spawn(async move { axum::serve(listener, routes).await }).abort_handle();
        daprd.start();
        // A daprd that does not find Redis when it starts ends.
        for topic in ["tasks", "notifications"] {
            eventually("it is subscribed", START, || async {
                let groups = cluster.ask_redis(&["XINFO", "GROUPS", topic]).to_string();
                groups.contains("\"auditor\"").then_some(())
            })
            .await;
        }
        let schema = serde_json::from_str(SCHEMA).expect("JSON");
        let schema = jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
        Self { received, schema, _daprd: daprd, app }
    }

    /// Waits until everything that was ever published has come, and checks that nothing else did.
    pub(super) async fn has_all(&self, cluster: &Cluster) -> usize {
        let ids = |envelopes: Vec<Value>| -> BTreeSet<String> {
            envelopes.iter().map(|envelope| text(&envelope["id"]).to_owned()).collect()
        };
        let published = || ids(["tasks", "notifications"].iter().flat_map(|topic| cluster.stream(topic)).collect());
        let before = published();
        eventually("every event that was published has come", PATIENCE, || async {
            before.is_subset(&ids(self.received())).then_some(())
        })
        .await;
        let received = self.received();
        for envelope in &received {
            let wrong: Vec<_> = self.schema.iter_errors(envelope).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{}: {envelope}", wrong.join("; "));
        }
        let unknown: Vec<_> = ids(received.clone()).difference(&published()).cloned().collect();
        assert!(unknown.is_empty(), "on no topic: {unknown:?}");
        received.len()
    }

    fn received(&self) -> Vec<Value> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Auditor {
    fn drop(&mut self) {
        self.app.abort();
    }
}

/// What daprd asks of an app
/// (<https://docs.dapr.io/developing-applications/building-blocks/pubsub/subscription-methods/#programmatic-subscriptions>).
fn routes(received: &Arc<Mutex<Vec<Value>>>) -> Router {
    let subscriptions =
        ["tasks", "notifications"].map(|topic| json!({ "pubsubname": "pubsub", "topic": topic, "route": "/events" }));
    let subscriptions = json!(subscriptions);
    let received = Arc::clone(received);
    let take = async move |body: String| {
        let envelope = serde_json::from_str(&body).expect("an envelope is JSON");
        received.lock().unwrap_or_else(PoisonError::into_inner).push(envelope);
        Json(json!({ "status": "SUCCESS" }))
    };
    Router::new()
        .route("/healthz", get(async || ()))
        .route("/dapr/subscribe", get(async move || Json(subscriptions)))
        .route("/events", post(take))
}
