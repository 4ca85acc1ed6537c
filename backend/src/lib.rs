//! The backend: tasks, accounts, notifications and the feed, the only owner of the database. Each write is one
//! transaction with its change-log row and its events, which the relay then publishes.

mod accounts;
mod batch;
mod bell;
mod bulk;
mod consumer;
mod conversations;
mod convert;
mod core;
pub mod dead_letters;
pub mod decisions;
mod due;
mod event;
mod hint;
mod hub;
mod notifications;
pub mod outbox;
mod purge;
mod push;
mod reading;
mod relay;
mod series;
pub mod store;
mod tasks;
mod watch;
mod write;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use todo_domain::{Clock, Ids};
use todo_proto::v1::{
    auth_service_server::AuthServiceServer, chat_service_server::ChatServiceServer,
    conversation_store_server::ConversationStoreServer, due_service_server::DueServiceServer,
    event_service_server::EventServiceServer, notification_service_server::NotificationServiceServer,
    observability_service_server::ObservabilityServiceServer, task_service_server::TaskServiceServer,
};
use todo_push::{Outside, Vapid};
use todo_runtime::{access::Keys, health::Health, observe::observed};
use todo_sidecar::{Sidecar, Subscriber};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use uuid::Uuid;

use crate::{core::Core, store::Store};

pub use accounts::operator;

/// What can be chosen.
#[derive(Clone, Debug)]
pub struct Options {
    /// Life of an access token.
    pub access_ttl: TimeDelta,
    /// Life of a refresh token, counted anew at each refresh.
    pub refresh_ttl: TimeDelta,
    /// Whether anyone may sign up.
    pub sign_up: bool,
    /// Failed sign-ins a minute for an account from one address.
    pub sign_ins_per_account: i64,
    /// Failed sign-ins a minute from one address.
    pub sign_ins_per_address: i64,
    /// Sign-ups a minute from one address.
    pub sign_ups_per_address: i64,
    /// Messages to the assistant a minute for an account.
    pub chats: i64,
    /// Where the people who run this server are found, for push services: an https or mailto URL.
    pub contact: Option<String>,
    /// How push services are reached: as public hosts of the internet. Only a test has others.
    pub outside: Option<Outside>,
    /// Whether anyone may ask what is counted: then what waits in the outbox is, again and again.
    pub measured: bool,
    /// How often streams look for what other replicas wrote, should nobody have told them.
    pub patrol: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            access_ttl: TimeDelta::hours(1),
            refresh_ttl: TimeDelta::days(30),
            sign_up: true,
            sign_ins_per_account: 10,
            sign_ins_per_address: 100,
            sign_ups_per_address: 60,
            chats: 30,
            contact: None,
            outside: None,
            measured: false,
            patrol: Duration::from_secs(1),
        }
    }
}

/// Owners that other replicas are still to be told of; beyond, they find out by themselves.
const UNTOLD: usize = 1_024;

/// What the backend needs of its surroundings.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have nothing to show")]
pub struct Ports {
    /// The database.
    pub store: Arc<dyn Store>,
    /// Where events go, and by which the scheduler is reached.
    pub sidecar: Arc<dyn Sidecar>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// The secrets that sign access tokens.
    pub keys: Arc<Keys>,
    /// The key that signs what is pushed to browsers; nothing is without.
    pub vapid: Option<Vapid>,
    /// Where it says how it is doing.
    pub health: Health,
}

/// The backend, built and not yet running.
#[expect(missing_debug_implementations, reason = "services have nothing to show")]
pub struct Service {
    /// The public services.
    pub public: Routes,
    /// The internal services, for the sidecar's listener.
    pub internal: Routes,
    /// What it takes from the sidecar.
    pub subscriber: Arc<dyn Subscriber>,
    core: Arc<Core>,
    changed: mpsc::Receiver<Uuid>,
    health: Health,
}

/// Builds the backend. Streams end when `shutdown` is cancelled.
#[must_use]
pub fn build(options: Options, ports: Ports, shutdown: CancellationToken) -> Service {
    let Ports { store, sidecar, clock, ids, keys, vapid, health } = ports;
    let (sender, changed) = mpsc::channel(UNTOLD);
    let pusher = vapid.and_then(|vapid| push::pusher(vapid, &options));
    let core = Arc::new(Core {
        options,
        store,
        clock,
        ids,
        keys,
        sidecar,
        hub: hub::Hub::default(),
        changed: sender,
        outgoing: Notify::new(),
        pusher,
        rung: Notify::new(),
    });
    let public = Routes::new(TaskServiceServer::new(tasks::Service { core: Arc::clone(&core) }))
        .add_service(AuthServiceServer::new(accounts::Service::new(Arc::clone(&core))))
        .add_service(ChatServiceServer::new(conversations::Service { core: Arc::clone(&core) }))
        .add_service(ObservabilityServiceServer::new(decisions::Service { core: Arc::clone(&core) }))
        .add_service(NotificationServiceServer::new(notifications::Service { core: Arc::clone(&core) }))
        .add_service(EventServiceServer::new(watch::Service { core: Arc::clone(&core), shutdown }));
    let internal = Routes::new(DueServiceServer::new(due::Service { core: Arc::clone(&core) }))
        .add_service(ConversationStoreServer::new(conversations::Service { core: Arc::clone(&core) }));
    let subscriber = Arc::new(consumer::Consumer::new(Arc::clone(&core)));
    Service { public: observed(public), internal: observed(internal), subscriber, core, changed, health }
}

impl Service {
    /// Publishes one batch of what the outbox holds; says whether there was one. For simulations, which choose what
    /// happens next instead of calling [`run`](Self::run).
    pub async fn publish(&self) -> bool {
        let relay = relay::Relay { core: Arc::clone(&self.core), health: self.health.clone() };
        relay.publish_batch().await.is_ok_and(|events| events > 0)
    }

    /// Does what is done in the background, until the shutdown: when nothing is written any more. Then publishes what is
    /// left.
    pub async fn run(self, shutdown: CancellationToken) {
        let relay = relay::Relay { core: Arc::clone(&self.core), health: self.health };
        let core = Arc::clone(&self.core);
        let heard = move |owner| match owner {
            Some(user_id) => core.hub.wake(user_id),
            None => core.hub.wake_all(),
        };
        let sharing = shutdown.run_until_cancelled(self.core.store.share(self.changed, &heard));
        let purging = purge::run(Arc::clone(&self.core), shutdown.clone());
        let measuring = outbox::measure(&self.core, shutdown.clone());
        let pushing = push::run(Arc::clone(&self.core), shutdown.clone());
        tokio::join!(relay.run(shutdown.clone()), purging, sharing, measuring, pushing);
    }
}
