//! The two ports: [`Sidecar`] is what an app asks for, [`Subscriber`] is what an app is told.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use todo_trace::{Operation, TRACEPARENT};
use tracing::{Instrument as _, Span};

use crate::{ApiChannel, CloudEvent, Error};

/// Dapr's building blocks as one app sees them.
///
/// What it does not offer is left out on purpose because Dapr does not have it either: no order of events, no
/// exactly-once delivery, no transaction over several keys (daprd's applies half of a failed one), no deletion (a stale
/// `ETag` on a deleted key would succeed and resurrect it; write a value with a TTL instead).
#[async_trait]
pub trait Sidecar: Send + Sync {
    /// Publishes one event. `Ok` means that the broker has it and will give it to every app that subscribes to `topic`,
    /// at least once. After an error it may or may not have been published; publish it again under the same id.
    ///
    /// The extension `topic` belongs to the sidecar and is not kept.
    ///
    /// # Errors
    /// [`Error::Refused`] for an empty topic or an invalid event, else [`Error::Unavailable`] or [`Error::Timeout`].
    async fn publish(&self, topic: &str, event: &CloudEvent) -> Result<(), Error>;

    /// Publishes many events at once, which costs far less than as many calls. The answer has one result for each
    /// event, in their order; an event that fails does not hold up the others.
    async fn publish_many(&self, topic: &str, events: &[CloudEvent]) -> Vec<Result<(), Error>>;

    /// Reads a key of this app; `None` when it is missing or its time is over.
    ///
    /// # Errors
    /// [`Error::Refused`] for a key that is empty or contains `||`, else [`Error::Unavailable`] or [`Error::Timeout`].
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error>;

    /// Reads many keys; the answer has one place for each key, in their order.
    ///
    /// # Errors
    /// As [`get`](Self::get), for all of them.
    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, Error>;

    /// Writes a key of this app when `expect` holds for what is stored now: a compare-and-swap of this one key.
    ///
    /// With a `ttl` (rounded up to whole seconds, Dapr's unit) the key is missing once that time is over; without one it
    /// stays, also when it had a TTL before. (daprd needs `ttlInSeconds: -1` for that.) The state store may be empty at
    /// any moment: keep in it only what can be rebuilt.
    ///
    /// # Errors
    /// [`Error::Conflict`] when `expect` does not hold, [`Error::Refused`] for a key that is empty or contains `||` or a
    /// TTL of zero, else [`Error::Unavailable`] or [`Error::Timeout`].
    async fn put(&self, key: &str, value: Bytes, expect: Match, ttl: Option<Duration>) -> Result<(), Error>;

    /// Reads a secret by its name, such as `jwt-secret`. Read it again from time to time: it may change.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the store answers that there is no such secret, the only answer that should stop a
    /// start; [`Error::Unavailable`] or [`Error::Timeout`] when it does not answer.
    async fn secret(&self, name: &str) -> Result<Secret, Error>;

    /// A channel to another app's gRPC services, good before that app has started. A call to an app that is not there
    /// ends with status `UNAVAILABLE`.
    fn app(&self, id: &str) -> ApiChannel;
}

/// A stored value and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The bytes that were put.
    pub value: Bytes,
    /// Names this version of the value; opaque.
    pub etag: String,
}

/// What must be stored for a [`put`](Sidecar::put) to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// Anything or nothing: the last writer wins.
    Any,
    /// Nothing: create only.
    Absent,
    /// The version with this [`Entry::etag`].
    Etag(String),
}

/// A secret's value, kept out of `Debug` output.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What an app takes from its sidecar: events of topics and ticks of bindings.
///
/// Handlers run concurrently, several for one app, in any order, and must be idempotent: the same event may come again
/// at any time, also while its first delivery still runs.
#[async_trait]
pub trait Subscriber: Send + Sync {
    /// The topics, asked once when the app starts. An app id is one consumer group: its replicas share the events.
    fn subscriptions(&self) -> Vec<Subscription>;

    /// The names of the input bindings (cron) that the app handles, asked once when the app starts.
    fn bindings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether the app can do its work now. While `false` nothing is delivered, so that an outage of the app's database
    /// sends no event to the dead letter. Asked at the start, after a retry, and then each second until `true`. (Dapr:
    /// the callback health check.)
    async fn serving(&self) -> bool {
        true
    }

    /// Handles one delivery. A panic counts as [`Ack::Retry`].
    async fn on_event(&self, delivery: &Delivery) -> Ack;

    /// A tick of a binding: a hint that time has passed. Ticks are lost, doubled and overlap; every replica gets them.
    /// Errors and panics are nobody's business but the handler's.
    async fn on_trigger(&self, binding: &str) {
        let _ = binding;
    }
}

/// A topic that an app takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The topic's name.
    pub topic: String,
    /// Where events go that were dropped or whose retries are used up. Without one they are gone (and logged).
    pub dead_letter_topic: Option<String>,
    /// The event types that are handled; empty means every type. Events of other types are acknowledged unseen, as
    /// Dapr does where no routing rule matches and there is no default.
    pub types: Vec<String>,
}

impl Subscription {
    /// Every event of a topic, with dead letters in `<topic>-dead-letter`.
    #[must_use]
    pub fn new(topic: impl Into<String>) -> Self {
        let topic = topic.into();
        Self { dead_letter_topic: Some(format!("{topic}-dead-letter")), topic, types: Vec::new() }
    }

    /// Whether events of this type are handled.
    #[must_use]
    pub fn takes(&self, type_: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|t| t == type_)
    }
}

/// One event, delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The topic it came by. On a dead-letter topic this is that topic, and the event's extension [`TOPIC`] is the
    /// original one.
    pub topic: String,
    /// The event; its id is the same at every delivery.
    pub event: CloudEvent,
    /// How often this app asked for a retry of it before, as far as the sidecar knows: daprd does not tell (always 0).
    /// For logs and tests, not for decisions.
    pub retries: u32,
}

/// The extension of an event on a dead-letter topic that holds its original topic.
pub const TOPIC: &str = "topic";
/// The extension of an event on a dead-letter topic that says why, where the sidecar knows: daprd does not tell.
pub const DEAD_LETTER_REASON: &str = "deadletterreason";
/// The extension of an event on a dead-letter topic with the app that could not handle it, where known.
pub const DEAD_LETTER_APP: &str = "deadletterapp";

/// Has one delivery handled, counts it, and lets it be part of what its event came of.
pub(crate) async fn handle(subscriber: &dyn Subscriber, delivery: &Delivery) -> Ack {
    let span = span(Operation::Process, &delivery.topic, &delivery.event);
    let ack = subscriber.on_event(delivery).instrument(span).await;
    let outcome = match ack {
        Ack::Success => "done",
        Ack::Retry(_) => "retry",
        Ack::Drop(_) => "drop",
    };
    metrics::counter!("todo_events_total", "topic" => delivery.topic.clone(), "outcome" => outcome).increment(1);
    ack
}

/// Publishes, and lets that be part of what the events came of; daprd can be told that of one alone.
pub(crate) async fn send<T>(topic: &str, events: &[CloudEvent], publishing: impl Future<Output = T>) -> T {
    let spans: Vec<_> = events.iter().map(|event| span(Operation::Send, topic, event)).collect();
    let whole = if let [only] = spans.as_slice() { only.clone() } else { Span::none() };
    publishing.instrument(whole).await
}

fn span(operation: Operation, topic: &str, event: &CloudEvent) -> Span {
    todo_trace::event(operation, topic, &event.id, event.extensions.get(TRACEPARENT))
}

/// A handler's answer. Reasons are logged and go with a dead letter, so they hold no payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ack {
    /// Done; never deliver it to this app again, if possible.
    Success,
    /// A passing fault: deliver it again after a while; after the last retry it becomes a dead letter.
    Retry(String),
    /// It can never be handled: a dead letter at once.
    Drop(String),
}
