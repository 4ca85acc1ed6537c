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

struct App(Vec<(&'static str, mpsc::UnboundedSender<Arrival>)>);

#[async_trait]
impl Subscriber for App {
    fn subscriptions(&self) -> Vec<Subscription> {
        let all = |topic: &str| Subscription { topic: topic.to_owned(), dead_letter_topic: None, types: Vec::new() };
        self.0.iter().map(|(topic, _)| all(topic)).collect()
    }

    async fn on_event(&self, delivery: &Delivery) -> Ack {
        let at = Instant::now();
        for (_, arrivals) in self.0.iter().filter(|(topic, _)| *topic == delivery.topic) {
            // Nobody listens any more at the end.
            let _ = arrivals.send(Arrival { event: delivery.event.clone(), at });
        }
        Ack::Success
    }
}

impl Probe {
    /// Joins a topic as an app of this name.
    pub(crate) fn join(sidecar: &LocalSidecar, app: &str, topic: &'static str) -> Self {
        let ([probe], subscriber) = Self::of([topic]);
        sidecar.register(app, subscriber, None);
        probe
    }

    /// An app for any sidecar, and what each of its topics delivers.
    pub(crate) fn of<const N: usize>(topics: [&'static str; N]) -> ([Self; N], Arc<dyn Subscriber>) {
        let mut app = App(Vec::new());
        let probes = topics.map(|topic| {
            let (arrivals, receiver) = mpsc::unbounded_channel();
            app.0.push((topic, arrivals));
            Self(receiver)
        });
        (probes, Arc::new(app))
    }

    /// The next event.
    pub(crate) async fn next(&mut self, within: Duration) -> Result<Arrival> {
        let next = tokio::time::timeout(within, self.0.recv()).await;
        next.ok().flatten().ok_or_else(|| format!("no event within {within:?}").into())
    }
}
