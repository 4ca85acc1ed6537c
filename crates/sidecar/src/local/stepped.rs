//! Single-stepping: the caller chooses what is delivered next, one delivery at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::consumer::{Consumer, deliver};
use super::registry::Serving;
use super::{LocalSidecar, Mode};
use crate::{Ack, Error};

/// The consumers of a stepped sidecar, by app id.
#[derive(Default)]
pub(super) struct Stepper {
    consumers: BTreeMap<String, Consumer>,
}

/// A delivery that could be made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The app that would get it.
    pub app: String,
    /// The topic it comes by.
    pub topic: String,
    /// The event's id; several deliveries of one event may be pending.
    pub event_id: String,
    /// The event's type.
    pub event_type: String,
    /// How often the app asked for a retry before.
    pub retries: u32,
}

/// A delivery that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// What it was.
    pub delivery: Pending,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a stepped delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What the handler said; a panic is a retry.
    Handled(Ack),
    /// The handler did its work, but the store could not note it: the event comes again.
    Unnoted,
}

impl LocalSidecar {
    /// What could be delivered now, by the clock: always in the same order after the same calls. Apps that do not serve
    /// get nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the store cannot be read, [`Error::Refused`] unless the mode is [`Mode::Stepped`].
    pub async fn pending(&self) -> Result<Vec<Pending>, Error> {
        let mut stepper = self.stepper.lock().await;
        self.refresh(&mut stepper).await?;
        let consumers = stepper.consumers.values();
        Ok(consumers.flat_map(|consumer| (0..available(consumer)).map(|index| describe(consumer, index))).collect())
    }

    /// Makes one delivery, number `choice` (modulo their count) of [`pending`](Self::pending), and waits until its
    /// handler ends; `None` when there is none. Dropping the future drops the handler, and the event comes again. A
    /// handler must not call this or `pending`.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn step(&self, choice: usize) -> Result<Option<Stepped>, Error> {
        let mut stepper = self.stepper.lock().await;
        self.refresh(&mut stepper).await?;
        let count: usize = stepper.consumers.values().map(available).sum();
        if count == 0 {
            return Ok(None);
        }
        let mut index = choice % count;
        for consumer in stepper.consumers.values_mut() {
            let available = available(consumer);
            if index >= available {
                index -= available;
                continue;
            }
            let Some(subscriber) = consumer.app().subscriber() else { return Ok(None) };
            let delivery = describe(consumer, index);
            // It stays in its place until its handler has ended: this future may be dropped before.
            let message = Arc::clone(&consumer.ready[index]);
            let ack = deliver(subscriber, &message).await;
            consumer.ready.remove(index);
            consumer.end(&message, ack.clone());
            let outcome = match self.settle(consumer).await {
                Ok(()) => Outcome::Handled(ack),
                Err(_) => Outcome::Unnoted,
            };
            return Ok(Some(Stepped { delivery, outcome }));
        }
        Ok(None)
    }

    /// When the next delivery that waits for its time is due, if any does.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn next_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let mut stepper = self.stepper.lock().await;
        self.refresh(&mut stepper).await?;
        let next = stepper.consumers.values().filter_map(Consumer::next_due).min();
        Ok(next.and_then(DateTime::from_timestamp_micros))
    }

    async fn refresh(&self, stepper: &mut Stepper) -> Result<(), Error> {
        if self.core.mode != Mode::Stepped {
            return Err(Error::Refused("only a stepped sidecar can be stepped".into()));
        }
        for app in self.registry.apps() {
            let consumers = &mut stepper.consumers;
            let consumer = consumers
                .entry(app.id.clone())
                .or_insert_with(|| Consumer::new(Arc::clone(&self.core), Arc::clone(&app)));
            if consumer.is_stale() {
                consumer.join().await?;
            }
            if app.check_serving().await == Serving::None {
                continue;
            }
            while consumer.has_more() {
                consumer.load(usize::MAX / 4).await?;
                self.settle(consumer).await?;
            }
        }
        Ok(())
    }

    async fn settle(&self, consumer: &mut Consumer) -> Result<(), Error> {
        if !consumer.has_ended() {
            return Ok(());
        }
        let batch = Arc::new(consumer.settlement());
        let result = self.core.store.settle(Arc::clone(&batch), self.core.now()).await;
        match &result {
            Ok(()) => consumer.settled(&batch),
            Err(_) => consumer.failed(&batch),
        }
        result
    }
}

/// How many deliveries an app would take now.
fn available(consumer: &Consumer) -> usize {
    if consumer.app().serves() { consumer.ready.len() } else { 0 }
}

fn describe(consumer: &Consumer, index: usize) -> Pending {
    let message = &consumer.ready[index];
    Pending {
        app: consumer.app().id.clone(),
        topic: message.topic.clone(),
        event_id: message.id.clone(),
        event_type: message.type_.clone(),
        retries: message.retries,
    }
}
