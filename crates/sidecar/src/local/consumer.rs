//! One app's consumer groups: what is read from the store, what is being handled, what is to be written back.
//!
//! A group reads its topic once, in order, by a cursor; what it cannot finish in order is parked in `pending` rows, so
//! the cursor never waits for a slow or failing event. In the good case a delivery writes nothing of its own: a whole
//! batch is one UPDATE of the cursor.

use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;

use super::registry::App;
use super::settle::{End, Settlement};
use super::store::{Message, json};
use super::writer::Row;
use super::{Core, micros_of};
use crate::{
    Ack, CloudEvent, DEAD_LETTER_APP, DEAD_LETTER_REASON, Delivery, Error, Subscriber, Subscription, TOPIC,
    port::handle,
};

/// A reason longer than this (characters) is cut.
const REASON: usize = 300;

pub(super) struct Consumer {
    core: Arc<Core>,
    app: Arc<App>,
    generation: Option<u64>,
    groups: BTreeMap<String, Group>,
    /// Read and not yet given to a handler.
    pub(super) ready: VecDeque<Arc<Message>>,
    /// All that was read and is not yet settled in the store, by number.
    held: BTreeMap<i64, Held>,
    /// Ended and not yet written.
    ended: Vec<(i64, End)>,
    /// When to look for pending rows again; at first at once.
    next_due: Option<i64>,
}

struct Group {
    subscription: Subscription,
    read: i64,
}

struct Held {
    topic: String,
    retries: u32,
    /// It has a `pending` row.
    parked: bool,
}

impl Consumer {
    pub(super) fn new(core: Arc<Core>, app: Arc<App>) -> Self {
        Self {
            core,
            app,
            generation: None,
            groups: BTreeMap::new(),
            ready: VecDeque::new(),
            held: BTreeMap::new(),
            ended: Vec::new(),
            next_due: Some(i64::MIN),
        }
    }

    pub(super) fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Whether replicas came or went since the last [`Self::join`].
    pub(super) fn is_stale(&self) -> bool {
        self.generation != Some(self.app.generation())
    }

    /// Takes over what the replicas subscribe to; a topic that is new to the app is read from its beginning.
    pub(super) async fn join(&mut self) -> Result<(), Error> {
        let generation = self.app.generation();
        let mut wanted = self.app.subscriptions();
        let topics: Vec<String> = wanted.keys().cloned().collect();
        let cursors = self.core.store.join(&self.app.id, topics.clone(), self.core.now()).await?;
        for (topic, cursor) in topics.into_iter().zip(cursors) {
            let Some(subscription) = wanted.remove(&topic) else { continue };
            match self.groups.get_mut(&topic) {
                Some(group) => group.subscription = subscription,
                None => drop(self.groups.insert(topic, Group { subscription, read: cursor })),
            }
        }
        // A topic given up while the process runs keeps its place until the next start.
        self.generation = Some(generation);
        self.next_due = Some(i64::MIN);
        Ok(())
    }

    /// The earliest time at which a pending row is due.
    pub(super) fn next_due(&self) -> Option<i64> {
        self.next_due
    }

    /// Whether the store has something that could be read now.
    pub(super) fn has_more(&self) -> bool {
        let heads = self.core.store.heads();
        self.is_due() || self.groups.iter().any(|(topic, group)| heads.of(topic) > group.read)
    }

    fn is_due(&self) -> bool {
        let now = self.core.now();
        self.next_due.is_some_and(|due| due <= now || due > self.never_after(now))
    }

    /// No row is put off longer than this; one that is was written before the clock was set back.
    fn never_after(&self, now: i64) -> i64 {
        let longest = micros_of(self.core.retry.longest).max(self.core.faults.longest_delay());
        now.saturating_add(longest).saturating_add(1)
    }

    /// Reads up to about `room` deliveries into [`Self::ready`].
    pub(super) async fn load(&mut self, room: usize) -> Result<(), Error> {
        if self.is_due() {
            let now = self.core.now();
            let topics = json(&self.groups.keys().collect::<Vec<_>>());
            // Rows of what is being handled right now are found, too.
            let limit = room.saturating_add(self.held.len());
            let store = &self.core.store;
            let (due, next) = store.due(&self.app.id, &topics, now, self.never_after(now), limit).await?;
            self.next_due = next;
            for message in due {
                if !self.held.contains_key(&message.seq) {
                    self.hold(&message, true);
                    self.ready.push_back(Arc::new(message));
                }
            }
        }
        let topics: Vec<(String, i64)> = self.groups.iter().map(|(topic, group)| (topic.clone(), group.read)).collect();
        for (topic, read) in topics {
            if self.core.store.heads().of(&topic) > read {
                let messages = self.core.store.messages(&topic, read, room).await?;
                self.admit(&topic, messages);
            }
        }
        Ok(())
    }

    fn admit(&mut self, topic: &str, messages: Vec<Message>) {
        let Some(group) = self.groups.get_mut(topic) else { return };
        let Some(last) = messages.last() else {
            // Everything up to the head was trimmed.
            group.read = self.core.store.heads().of(topic).max(group.read);
            return;
        };
        group.read = last.seq;
        let subscription = group.subscription.clone();
        for message in messages {
            self.hold(&message, false);
            if !subscription.takes(&message.type_) {
                self.ended.push((message.seq, End::Done));
            } else if let Some(delay) = self.core.faults.delay() {
                self.ended.push((message.seq, End::Again { retries: 0, due_at: self.core.now() + delay }));
            } else {
                self.ready.push_back(Arc::new(message));
            }
        }
    }

    fn hold(&mut self, message: &Message, parked: bool) {
        let held = Held { topic: message.topic.clone(), retries: message.retries, parked };
        self.held.insert(message.seq, held);
    }

    /// Notes how a delivery ended, as its handler said.
    pub(super) fn end(&mut self, message: &Message, ack: Ack) {
        let end = match ack {
            Ack::Success => End::Done,
            Ack::Drop(reason) => self.bury(message, &reason),
            Ack::Retry(reason) if message.retries >= self.core.retry.max_retries => {
                self.bury(message, &format!("retries used up: {reason}"))
            }
            Ack::Retry(reason) => {
                let retries = message.retries + 1;
                let salt = message.seq.unsigned_abs() ^ hash(&self.app.id);
                let due_at = self.core.now() + self.core.retry.wait(retries, salt);
                tracing::debug!(event.id = %message.id, topic = %message.topic, app = %self.app.id, retries, %reason,
                    "an event will be delivered again");
                End::Again { retries, due_at }
            }
        };
        self.ended.push((message.seq, end));
    }

    fn bury(&self, message: &Message, reason: &str) -> End {
        let reason: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON).collect();
        let group = self.groups.get(&message.topic);
        let Some(topic) = group.and_then(|group| group.subscription.dead_letter_topic.clone()) else {
            tracing::warn!(event.id = %message.id, topic = %message.topic, app = %self.app.id, %reason,
                "an event was given up; there is no dead-letter topic");
            return End::Done;
        };
        tracing::warn!(event.id = %message.id, topic = %message.topic, app = %self.app.id, %reason,
            "an event went to the dead letter");
        let body = match CloudEvent::from_json(&message.body) {
            Ok(mut event) => {
                event.extensions.entry(TOPIC.into()).or_insert_with(|| message.topic.clone());
                event.extensions.insert(DEAD_LETTER_REASON.into(), reason);
                event.extensions.insert(DEAD_LETTER_APP.into(), self.app.id.clone());
                event.to_json()
            }
            Err(_) => message.body.clone(),
        };
        End::Dead { topic, row: Row { id: message.id.clone(), type_: message.type_.clone(), body } }
    }

    /// Whether there is something to write back.
    pub(super) fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Gathers what ended into one batch. The next may be gathered once this one is
    /// [`settled`](Self::settled) or [`failed`](Self::failed).
    pub(super) fn settlement(&mut self) -> Settlement {
        let mut batch =
            Settlement { app: self.app.id.clone(), ends: std::mem::take(&mut self.ended), ..Settlement::default() };
        let mut cursors = BTreeMap::<&str, i64>::new();
        for (seq, end) in &batch.ends {
            let Some(held) = self.held.get(seq) else { continue };
            if !held.parked {
                let cursor = cursors.entry(&held.topic).or_insert(*seq);
                *cursor = (*cursor).max(*seq);
            }
            match end {
                End::Again { retries, due_at } => batch.pending.push((*seq, *retries, *due_at)),
                End::Done | End::Dead { .. } if held.parked => batch.finished.push(*seq),
                End::Done | End::Dead { .. } => {}
            }
        }
        // The cursors move past what is still being handled: it is parked, due at once should the process die.
        let ending: std::collections::BTreeSet<i64> = batch.ends.iter().map(|(seq, _)| *seq).collect();
        for (seq, held) in &self.held {
            let passed = cursors.get(held.topic.as_str()).is_some_and(|cursor| seq < cursor);
            if passed && !held.parked && !ending.contains(seq) {
                batch.pending.push((*seq, held.retries, 0));
                batch.parked.push(*seq);
            }
        }
        batch.cursors = cursors.into_iter().map(|(topic, cursor)| (topic.to_owned(), cursor)).collect();
        batch
    }

    /// The batch is committed.
    pub(super) fn settled(&mut self, batch: &Settlement) {
        for (seq, end) in &batch.ends {
            self.held.remove(seq);
            if let End::Again { due_at, .. } = end {
                self.next_due = Some(self.next_due.map_or(*due_at, |next| next.min(*due_at)));
            }
        }
        for seq in &batch.parked {
            if let Some(held) = self.held.get_mut(seq) {
                held.parked = true;
            }
        }
    }

    /// The batch was not committed: it is tried again with what ends meanwhile.
    pub(super) fn failed(&mut self, batch: &Settlement) {
        self.ended.extend(batch.ends.iter().cloned());
    }
}

/// Lets a subscriber handle a message. A panic is a retry.
pub(super) async fn deliver(subscriber: Arc<dyn Subscriber>, message: &Message) -> Ack {
    let event = match CloudEvent::from_json(&message.body) {
        Ok(event) => event,
        Err(invalid) => return Ack::Drop(format!("the stored event cannot be read: {invalid}")),
    };
    let delivery = Delivery { topic: message.topic.clone(), event, retries: message.retries };
    match AssertUnwindSafe(handle(subscriber.as_ref(), &delivery)).catch_unwind().await {
        Ok(ack) => ack,
        Err(_panic) => {
            tracing::error!(event.id = %message.id, topic = %message.topic, "a handler panicked");
            Ack::Retry("the handler panicked".into())
        }
    }
}

/// FNV-1a: so that two apps that retry the same event do not do so at the same moment.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
