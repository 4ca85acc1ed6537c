//! An app of our own beside the system's: it notes when events arrive.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use todo_sidecar::{Ack, CloudEvent, Delivery, LocalSidecar, Subscriber, Subscription};
use tokio::sync::mpsc;

use crate::Result;

/// An event and when it arrived.
pub(crate) struct Arrival {
    /// The event.
    pub(crate) event: CloudEvent,
    /// When.
    pub(crate) at: Instant,
}

/// What a topic delivers.
pub(crate) struct Probe(mpsc::UnboundedReceiver<Arrival>);

struct App {
    topic: &'static str,
    arrivals: mpsc::UnboundedSender<Arrival>,
}

#[async_trait]
impl Subscriber for App {
    fn subscriptions(&self) -> Vec<Subscription> {
        vec![Subscription { topic: self.topic.to_owned(), dead_letter_topic: None, types: Vec::new() }]
    }

    async fn on_event(&self, delivery: &Delivery) -> Ack {
        // Nobody listens any more at the end.
        let _ = self.arrivals.send(Arrival { event: delivery.event.clone(), at: Instant::now() });
        Ack::Success
    }
}

impl Probe {
    /// Joins a topic as an app of this name.
    pub(crate) fn join(sidecar: &LocalSidecar, app: &str, topic: &'static str) -> Self {
        let (arrivals, receiver) = mpsc::unbounded_channel();
        sidecar.register(app, Arc::new(App { topic, arrivals }), None);
        Self(receiver)
    }

    /// The next event.
    pub(crate) async fn next(&mut self, within: Duration) -> Result<Arrival> {
        let next = tokio::time::timeout(within, self.0.recv()).await;
        next.ok().flatten().ok_or_else(|| format!("no event within {within:?}").into())
    }
}
