//! An extra app on the sidecar that remembers every event that it is given.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use todo_sidecar::{Ack, CloudEvent, Delivery, LocalSidecar, Subscriber, Subscription};
use tokio::sync::watch;

use crate::SOON;

/// The topics of the product.
pub const TOPICS: [&str; 2] = ["tasks", "notifications"];

/// What came over the topics.
#[derive(Debug, Default)]
pub struct Observer {
    seen: watch::Sender<Vec<Delivery>>,
    letters: watch::Sender<Vec<Delivery>>,
}

impl Observer {
    /// Listens to every topic, from the oldest event that is retained.
    #[must_use]
    pub fn of(sidecar: &LocalSidecar) -> Arc<Self> {
        let observer = Arc::new(Self::default());
        sidecar.register("observer", Arc::clone(&observer) as Arc<dyn Subscriber>, None);
        observer
    }

    /// What came so far, each event once, in the order of its first delivery.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        once(&self.seen.borrow())
    }

    /// The dead letters so far.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<Delivery> {
        once(&self.letters.borrow())
    }

    /// The events about a task so far.
    #[must_use]
    pub fn about(&self, task_id: &str) -> Vec<CloudEvent> {
        let of_task = |event: &CloudEvent| event.subject.as_deref() == Some(task_id);
        self.deliveries().into_iter().map(|delivery| delivery.event).filter(of_task).collect()
    }

    /// The event of a type about a task; waits for it.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn event(&self, type_: &str, task_id: &str) -> CloudEvent {
        self.nth(type_, task_id, 0).await
    }

    /// Event number `n` (from 0) of a type about a task, in the order in which they happened; waits until there are so
    /// many.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn nth(&self, type_: &str, task_id: &str, n: usize) -> CloudEvent {
        let find = |seen: &Vec<Delivery>| {
            let mut events: Vec<_> = once(seen).into_iter().map(|delivery| delivery.event).collect();
            events.retain(|event| event.type_ == type_ && event.subject.as_deref() == Some(task_id));
            events.sort_by_key(|event| (event.data["revision"].as_i64(), event.time));
            events.into_iter().nth(n)
        };
        let seen = self.until(&format!("{type_} {n} about {task_id}"), |seen| find(seen).is_some()).await;
        find(&seen).expect("it was there a moment ago")
    }

    /// Waits until what came fulfils a condition; answers with every delivery.
    ///
    /// # Panics
    /// When it does not.
    pub async fn until(&self, what: &str, fulfilled: impl FnMut(&Vec<Delivery>) -> bool) -> Vec<Delivery> {
        let mut seen = self.seen.subscribe();
        let waited = tokio::time::timeout(SOON, seen.wait_for(fulfilled)).await.is_ok();
        let types = |seen: &[Delivery]| seen.iter().map(|it| it.event.type_.clone()).collect::<Vec<_>>();
        assert!(waited, "did not come: {what}; what came: {:?}", types(&self.seen.borrow()));
        self.seen.borrow().clone()
    }
}

fn once(seen: &[Delivery]) -> Vec<Delivery> {
    let mut ids = HashSet::new();
    seen.iter().filter(|delivery| ids.insert(delivery.event.id.clone())).cloned().collect()
}

#[async_trait]
impl Subscriber for Observer {
    fn subscriptions(&self) -> Vec<Subscription> {
        let letters =
            |topic| Subscription { topic: format!("{topic}-dead-letter"), dead_letter_topic: None, types: Vec::new() };
        TOPICS.into_iter().flat_map(|topic| [Subscription::new(topic), letters(topic)]).collect()
    }

    async fn on_event(&self, delivery: &Delivery) -> Ack {
        let list = if TOPICS.contains(&delivery.topic.as_str()) { &self.seen } else { &self.letters };
        list.send_modify(|seen| seen.push(delivery.clone()));
        Ack::Success
    }
}
