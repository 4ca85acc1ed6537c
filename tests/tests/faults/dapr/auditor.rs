//! A consumer that nobody of ours knows: an app of its own, beside a daprd of its own, that writes down every event.

use std::{collections::BTreeSet, fs, net::SocketAddr, sync::Arc};

use todo_sidecar::dapr::{CallbackOptions, callback};
use todo_tests::{
    cluster::{Cluster, Daprd, START, shipped},
    eventually,
    observer::Observer,
};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::service::Routes;

use super::envelope;

pub(super) struct Auditor {
    pub(super) observer: Arc<Observer>,
    _daprd: Daprd,
    _stop: DropGuard,
}

impl Auditor {
    /// Listens to every topic from the oldest event that is retained.
    pub(super) async fn start(cluster: &Cluster) -> Self {
        // As shipped, but for the line that names who may use the component.
        let components = cluster.scratch().join("auditor");
        fs::create_dir(&components).expect("a directory");
        let shipped = shipped().join("components");
        let pubsub = fs::read_to_string(shipped.join("pubsub.yaml")).expect("the component that is shipped");
        let open: Vec<_> = pubsub.lines().filter(|line| !line.starts_with("scopes:")).collect();
        fs::write(components.join("pubsub.yaml"), open.join("\n")).expect("it is written");
        fs::copy(shipped.join("resiliency.yaml"), components.join("resiliency.yaml")).expect("it is written");

        let observer = Arc::new(Observer::default());
        let mut daprd = cluster.daprd("auditor", 0, &components);
        let mut options = CallbackOptions::new("pubsub");
        options.app_token = Some(cluster.app_token());
        let listener =
            TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], daprd.app_port))).await.expect("a free port");
        let routes = callback(Arc::clone(&observer) as _, &options, Routes::default());
        let stop = CancellationToken::new();
        let serve = todo_runtime::serve::serve(routes.prepare().into_axum_router(), listener, stop.clone());
        tokio::spawn(serve);
        daprd.start();
        // A daprd that does not find Redis when it starts ends.
        for topic in ["tasks", "notifications"] {
            eventually("it is subscribed", START, || async {
                let groups = cluster.ask_redis(&["XINFO", "GROUPS", topic]).to_string();
                groups.contains("\"auditor\"").then_some(())
            })
            .await;
        }
        Self { observer, _daprd: daprd, _stop: stop.drop_guard() }
    }

    /// Waits until everything that was ever published has come, and checks that nothing else did.
    pub(super) async fn has_all(&self, cluster: &Cluster) -> usize {
        let id = |envelope: &serde_json::Value| super::text(&envelope["id"]).to_owned();
        let published = || -> BTreeSet<String> {
            ["tasks", "notifications"].iter().flat_map(|topic| cluster.stream(topic)).map(|it| id(&it)).collect()
        };
        let before = published();
        self.observer
            .until("every event that was published", |seen| {
                let seen: BTreeSet<_> = seen.iter().map(|delivery| delivery.event.id.as_str()).collect();
                before.iter().all(|id| seen.contains(id.as_str()))
            })
            .await;
        let deliveries = self.observer.deliveries();
        let after = published();
        for delivery in &deliveries {
            delivery.event.validate().expect("a valid event");
            envelope::is_valid(&serde_json::from_slice(&delivery.event.to_json()).expect("JSON"));
            assert!(after.contains(&delivery.event.id), "{:?} is on no topic", delivery.event);
        }
        deliveries.len()
    }
}
