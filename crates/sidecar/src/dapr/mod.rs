//! [`DaprSidecar`]: the building blocks of a real daprd, and the callbacks that daprd makes.
//!
//! Everything goes over daprd's gRPC port by the client generated from Dapr's protos (the crate `dapr`, of which nothing
//! else is used). What daprd does that its documentation does not say is measured in `tests/sidecar/daprd_facts.rs`.
//!
//! How daprd must be set up for the promises of the ports to hold (<https://docs.dapr.io/operations/resiliency/>):
//! - `pubsub.redis` needs a Resiliency policy with a finite inbound retry: without one, an event whose handler fails is
//!   lost, or is a dead letter, at its first failure.
//! - `--enable-app-health-check`, so that nothing is delivered while [`Subscriber::serving`](crate::Subscriber::serving)
//!   is `false`.
//! - No outbound retries on the state store: the second try of a write that took effect would be a conflict with itself.

mod callback;
mod client;
mod envelope;
mod gate;
mod invocation;
mod metadata;
mod publish;
mod secret;
mod state;
mod token;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::port::send;
use crate::{ApiChannel, CloudEvent, Entry, Error, Match, Secret, Sidecar};

pub use callback::{Activity, CallbackOptions, callback};
pub use metadata::{Component, Metadata};
pub use token::{AppToken, Guarded};

use client::Client;

/// How a [`DaprSidecar`] is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where daprd listens for gRPC: a port of this machine (`50001`), `host:port`, or an `http://` URL.
    pub address: String,
    /// The name of the pub/sub component.
    pub pubsub: String,
    /// The name of the state store component.
    pub state_store: String,
    /// The name of the secret store component.
    pub secret_store: String,
    /// Where the store groups secrets, the name of the group that holds ours: the Kubernetes Secret `app-secrets`, whose
    /// keys are `jwt-secret` and so on. `None` where each secret is an entry of the store (a local file, the
    /// environment).
    pub secret_group: Option<String>,
    /// What daprd wants to be shown with each call (its `DAPR_API_TOKEN`).
    pub api_token: Option<Secret>,
    /// How long calls may take.
    pub timeouts: Timeouts,
}

impl Options {
    /// The defaults: components `pubsub`, `statestore` and `kubernetes-secrets`, no group, no token.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            pubsub: "pubsub".to_owned(),
            state_store: "statestore".to_owned(),
            secret_store: "kubernetes-secrets".to_owned(),
            secret_group: None,
            api_token: None,
            timeouts: Timeouts::default(),
        }
    }
}

/// How long one call to daprd may take before it ends with [`Error::Timeout`]. Calls to other apps have the deadline that
/// their caller gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Publishing, one event or a batch; 10 s by default.
    pub publish: Duration,
    /// Reading or writing state; 5 s by default.
    pub state: Duration,
    /// Reading a secret; 10 s by default.
    pub secret: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { publish: Duration::from_secs(10), state: Duration::from_secs(5), secret: Duration::from_secs(10) }
    }
}

/// The port of this app on a real daprd.
///
/// It connects at the first call and again whenever the connection is gone, so that daprd may start later than the app
/// and may be replaced under it. Clones share the connection.
#[derive(Debug, Clone)]
pub struct DaprSidecar {
    client: Client,
    pubsub: String,
    state_store: String,
    secret_store: String,
    secret_group: Option<String>,
    timeouts: Timeouts,
}

impl DaprSidecar {
    /// Prepares the connection; must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Refused`] when the address or the token cannot be used.
    pub fn new(options: Options) -> Result<Self, Error> {
        Ok(Self {
            client: Client::new(&options.address, options.api_token.as_ref())?,
            pubsub: options.pubsub,
            state_store: options.state_store,
            secret_store: options.secret_store,
            secret_group: options.secret_group,
            timeouts: options.timeouts,
        })
    }
}

#[async_trait]
impl Sidecar for DaprSidecar {
    async fn publish(&self, topic: &str, event: &CloudEvent) -> Result<(), Error> {
        let body = publish::body(topic, event)?;
        send(topic, std::slice::from_ref(event), self.publish_one(topic, body)).await
    }

    async fn publish_many(&self, topic: &str, events: &[CloudEvent]) -> Vec<Result<(), Error>> {
        send(topic, events, self.publish_all(topic, events)).await
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        self.read(key).await
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, Error> {
        self.read_many(keys).await
    }

    async fn put(&self, key: &str, value: Bytes, expect: Match, ttl: Option<Duration>) -> Result<(), Error> {
        self.write(key, value, expect, ttl).await
    }

    async fn secret(&self, name: &str) -> Result<Secret, Error> {
        self.find_secret(name).await
    }

    fn app(&self, id: &str) -> ApiChannel {
        self.client.app(id)
    }
}
