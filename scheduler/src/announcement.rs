//! Announcing what was decided: events that are published until the broker has them. What this process does not get
//! rid of, the backend hands out again ([`ListDue`'s `unseen`](todo_proto::v1::ListDueResponse::unseen)), under the
//! same id, with the same bytes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prost::{Message, Name};
use serde::Deserialize;
use serde_json::Value;
use todo_domain::{Clock, Ids, Timestamp};
use todo_proto::v1::{self, announcement::Payload};
use todo_sidecar::{CloudEvent, Error, Sidecar};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::condition::{Condition, Way};
use crate::due::instant;
use crate::event::SCHEDULED;
use crate::records::Records;
use crate::state::Fact;
use crate::wake::{Backoff, Wake};
use crate::{Options, locked};

/// How many calls to the broker are under way at once.
const LANES: usize = 4;
/// The longest one call may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// After this time an event that its consumer has not seen may have been lost by the broker. The same as the backend's.
pub(crate) const UNSEEN: Duration = Duration::from_secs(10);
/// How many facts wait for the end of what is to be published, before they are written all the same.
const FACTS: usize = 2_000;
/// How often the wait for a slow consumer doubles at most: up to 5 minutes.
const PATIENCE: u32 = 5;

pub(crate) const REMINDER_TRIGGERED: &str = "com.todo.reminder.triggered";

/// An event and what it says for the state store.
#[derive(Clone, Debug)]
struct Announcement {
    topic: &'static str,
    event: CloudEvent,
    /// Whether its series is known to end with it.
    ends: bool,
}

struct Waiting {
    announcement: Announcement,
    tries: u32,
}

/// An event this process published.
struct Sent {
    at: Timestamp,
    times: u32,
}

#[derive(Default)]
struct Queue {
    /// By the moment of the next try, then by age.
    waiting: BTreeMap<(Timestamp, u64), Waiting>,
    age: u64,
    /// Ids of what waits or is on its way.
    known: HashSet<String>,
    sent: HashMap<String, Sent>,
    /// What the state store is to know, when nothing more urgent is left.
    facts: Vec<Fact>,
}

pub(crate) struct Announcements {
    sidecar: Arc<dyn Sidecar>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    condition: Arc<Condition>,
    records: Arc<Records>,
    backoff: Backoff,
    batch: usize,
    queue: Mutex<Queue>,
    pub(crate) wake: Wake,
}

impl Announcements {
    pub(crate) fn new(
        sidecar: Arc<dyn Sidecar>,
        (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>),
        records: Arc<Records>,
        condition: Arc<Condition>,
        options: Options,
    ) -> Self {
        let wake = Wake::new(Arc::clone(&clock), options.look);
        let (backoff, batch) = (options.backoff(), options.batch);
        let queue = Mutex::default();
        Self { sidecar, clock, ids, condition, records, backoff, batch, queue, wake }
    }

    /// Events that wait to be published or are on their way.
    pub(crate) fn unpublished(&self) -> usize {
        locked(&self.queue).known.len()
    }

    /// Whether something was published of which no listing has shown yet that it arrived.
    pub(crate) fn are_in_doubt(&self) -> bool {
        !locked(&self.queue).sent.is_empty()
    }

    /// Announces what this process has just decided; a series may be known to end with it.
    pub(crate) fn decided(&self, announcements: Vec<v1::Announcement>, ends: bool) {
        let now = self.clock.now();
        let mut queue = locked(&self.queue);
        for announcement in announcements.into_iter().filter_map(|announcement| read(announcement, ends)) {
            queue.push(announcement, now);
        }
        drop(queue);
        self.wake.wake();
    }

    /// Announces again what the backend has not seen back. All of it: what is not named here and was published a while
    /// ago has arrived.
    ///
    /// What this process published itself it gives 10 seconds, then 20, 40 ...: a consumer that is merely behind must
    /// not be buried under repetitions.
    pub(crate) fn unseen(&self, announcements: Vec<v1::Announcement>) {
        let now = self.clock.now();
        let listed: HashSet<&str> = announcements.iter().map(|announcement| announcement.event_id.as_str()).collect();
        let mut queue = locked(&self.queue);
        queue.sent.retain(|id, sent| now < sent.at + UNSEEN || listed.contains(id.as_str()));
        drop(listed);
        for announcement in announcements {
            let patience = queue
                .sent
                .get(&announcement.event_id)
                .map(|sent| sent.at + UNSEEN * 2_u32.pow(sent.times.saturating_sub(1).min(PATIENCE)));
            // After `now` it was published by a clock that ran ahead.
            let sent_later = queue.sent.get(&announcement.event_id).is_some_and(|sent| sent.at > now);
            if (sent_later || patience.is_none_or(|patience| patience <= now))
                && let Some(announcement) = read(announcement, false)
            {
                queue.push(announcement, now);
            }
        }
        drop(queue);
        self.wake.wake();
    }

    /// Publishes until told that nothing more will be decided, and then until nothing is left.
    pub(crate) async fn run(self: Arc<Self>, last: CancellationToken) {
        let mut flights = JoinSet::new();
        loop {
            while flights.len() < LANES {
                let batch = self.take();
                if batch.is_empty() {
                    break;
                }
                let this = Arc::clone(&self);
                flights.spawn(async move { this.publish(batch).await });
            }
            if last.is_cancelled() && self.unpublished() == 0 {
                return;
            }
            let moment = if flights.len() < LANES { self.next() } else { None };
            tokio::select! {
                () = last.cancelled(), if !last.is_cancelled() => {}
                Some(landed) = flights.join_next() => crate::resume(landed),
                () = self.wake.until(moment) => {}
            }
        }
    }

    /// Publishes one batch, if any waits.
    pub(crate) async fn step(&self) -> bool {
        let batch = self.take();
        let any = !batch.is_empty();
        if any {
            self.publish(batch).await;
        }
        any
    }

    fn next(&self) -> Option<Timestamp> {
        locked(&self.queue).waiting.keys().next().map(|(moment, _)| *moment)
    }

    fn take(&self) -> Vec<Waiting> {
        let now = self.clock.now();
        let mut queue = locked(&self.queue);
        let mut batch = Vec::new();
        while batch.len() < self.batch
            && let Some(first) = queue.waiting.first_entry()
            && self.backoff.is_over(first.key().0, now)
        {
            batch.push(first.remove());
        }
        batch
    }

    /// One call a topic. Topics do not wait for each other.
    async fn publish(&self, batch: Vec<Waiting>) {
        let mut by_topic: BTreeMap<&'static str, Vec<Waiting>> = BTreeMap::new();
        for waiting in batch {
            by_topic.entry(waiting.announcement.topic).or_default().push(waiting);
        }
        futures::future::join_all(by_topic.into_iter().map(|(topic, batch)| self.publish_to(topic, batch))).await;
    }

    async fn publish_to(&self, topic: &'static str, batch: Vec<Waiting>) {
        let events: Vec<CloudEvent> = batch.iter().map(|waiting| waiting.announcement.event.clone()).collect();
        let results = tokio::time::timeout(TIMEOUT, self.sidecar.publish_many(topic, &events)).await;
        let mut results = results.unwrap_or_default().into_iter();
        let now = self.clock.now();
        let mut published = 0;
        let mut failure = None;
        let mut queue = locked(&self.queue);
        for mut waiting in batch {
            match results.next().unwrap_or(Err(Error::Timeout)) {
                Ok(()) => {
                    queue.sent(&waiting.announcement.event.id, now);
                    queue.facts.extend(waiting.announcement.fact());
                    published += 1;
                }
                Err(error @ (Error::Refused(_) | Error::NotFound)) => {
                    // The same event would be refused again; the backend hands it out until somebody looks.
                    tracing::error!(event.id = waiting.announcement.event.id, topic, %error, "event refused");
                    queue.sent(&waiting.announcement.event.id, now);
                }
                Err(error) => {
                    failure = Some(error);
                    waiting.tries = waiting.tries.saturating_add(1);
                    let moment = now + self.backoff.after(waiting.tries, self.ids.as_ref());
                    queue.wait(waiting, moment);
                }
            }
        }
        let done = queue.known.is_empty() || queue.facts.len() >= FACTS;
        let facts = if done { std::mem::take(&mut queue.facts) } else { Vec::new() };
        drop(queue);
        match &failure {
            Some(error) => self.condition.fault(Way::Publish, error, now),
            None => self.condition.well(Way::Publish),
        }
        self.condition.count_published(published);
        self.records.postpone(facts);
    }
}

impl Queue {
    fn push(&mut self, announcement: Announcement, now: Timestamp) {
        if self.known.insert(announcement.event.id.clone()) {
            self.wait(Waiting { announcement, tries: 0 }, now);
        }
    }

    fn wait(&mut self, waiting: Waiting, moment: Timestamp) {
        self.age += 1;
        self.waiting.insert((moment, self.age), waiting);
    }

    fn sent(&mut self, id: &str, now: Timestamp) {
        if let Some(id) = self.known.take(id) {
            let sent = self.sent.entry(id).or_insert(Sent { at: now, times: 0 });
            *sent = Sent { at: now, times: sent.times + 1 };
        }
    }
}

impl Announcement {
    /// What the state store is to know of it.
    fn fact(self) -> Option<Fact> {
        let fact = match self.event.type_.as_str() {
            REMINDER_TRIGGERED => Deserialize::deserialize(self.event.data).map(Fact::Fired),
            _ => Deserialize::deserialize(self.event.data).map(|slot| Fact::Scheduled(slot, self.ends)),
        };
        fact.inspect_err(|error| tracing::error!(event.id = self.event.id, %error, "state not written")).ok()
    }
}

/// The event of an announcement. One that is not whole says so in the log: it is the backend's fault, and others must
/// not wait for it.
fn read(announcement: v1::Announcement, ends: bool) -> Option<Announcement> {
    let v1::Announcement { event_id, time, payload, traceparent } = announcement;
    let (Some(time), Some(payload)) = (time.as_ref().and_then(instant), payload) else {
        tracing::error!(event.id = event_id, "announcement without time or payload");
        return None;
    };
    let (topic, type_, source, subject, user, data) = match &payload {
        Payload::ReminderTriggered(fired) => {
            let (task, user) = (&fired.task_id, &fired.user_id);
            ("notifications", REMINDER_TRIGGERED, "/scheduler/reminders", task, user, json(fired))
        }
        Payload::RecurringScheduled(slot) => {
            let (task, user) = (&slot.new_task_id, &slot.user_id);
            ("tasks", SCHEDULED, "/scheduler/recurring", task, user, json(slot))
        }
    };
    let trace = traceparent.map(|trace| ("traceparent".to_owned(), trace));
    let event = CloudEvent {
        id: event_id,
        type_: type_.to_owned(),
        source: source.to_owned(),
        subject: Some(subject.clone()),
        time,
        data,
        extensions: [("partitionkey".to_owned(), user.clone())].into_iter().chain(trace).collect(),
    };
    Some(Announcement { topic, event, ends })
}

fn json<M: Message + Name>(message: &M) -> Value {
    todo_proto::json::of(message)
}
