//! A subscriber that remembers what it got and answers as told.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{Ack, Delivery, Subscriber, Subscription};

/// How a [`Recorder`] answers.
pub enum Answer {
    /// With this.
    Ack(Ack),
    /// By panicking.
    Panic,
    /// Never.
    Hang,
}

type Script = Box<dyn Fn(&Delivery, usize) -> Answer + Send + Sync>;

/// A subscriber that remembers what it got and answers as its script says.
pub struct Recorder {
    subscriptions: Vec<Subscription>,
    bindings: Vec<String>,
    script: Script,
    seen: watch::Sender<Vec<Delivery>>,
    ticks: watch::Sender<Vec<String>>,
}

impl Recorder {
    /// Takes these topics and acknowledges all.
    #[must_use]
    pub fn new(subscriptions: Vec<Subscription>) -> Self {
        Self::scripted(subscriptions, |_, _| Answer::Ack(Ack::Success))
    }

    /// Answers by `script`, which also gets how often the event came before.
    pub fn scripted(
        subscriptions: Vec<Subscription>,
        script: impl Fn(&Delivery, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self {
            subscriptions,
            bindings: Vec::new(),
            script: Box::new(script),
            seen: watch::Sender::default(),
            ticks: watch::Sender::default(),
        }
    }

    /// Handles a binding, too.
    #[must_use]
    pub fn with_binding(mut self, binding: &str) -> Self {
        self.bindings.push(binding.to_owned());
        self
    }

    /// What came so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Delivery> {
        self.seen.borrow().clone()
    }

    /// How often an event came so far.
    #[must_use]
    pub fn count(&self, id: &str) -> usize {
        self.seen.borrow().iter().filter(|delivery| delivery.event.id == id).count()
    }

    /// Waits until what came fulfils the condition; answers with it all.
    ///
    /// # Errors
    /// When it does not by the deadline: what was waited for and what came.
    pub async fn until(
        &self,
        deadline: Duration,
        what: &str,
        fulfilled: impl FnMut(&Vec<Delivery>) -> bool,
    ) -> Result<Vec<Delivery>, String> {
        let mut seen = self.seen.subscribe();
        let waited = tokio::time::timeout(deadline, seen.wait_for(fulfilled)).await.is_ok();
        if waited {
            return Ok(self.seen());
        }
        let ids: Vec<_> = self.seen().iter().map(|d| (d.topic.clone(), d.event.id.clone(), d.retries)).collect();
        Err(format!("not in time: {what}; seen: {ids:?}"))
    }

    /// Waits until an event came; answers with its first delivery.
    ///
    /// # Errors
    /// When it does not by the deadline.
    pub async fn first(&self, deadline: Duration, id: &str) -> Result<Delivery, String> {
        let is_it = |delivery: &Delivery| delivery.event.id == id;
        let seen = self.until(deadline, id, |seen| seen.iter().any(is_it)).await?;
        seen.into_iter().find(is_it).ok_or_else(|| "it came and went".to_owned())
    }

    /// Waits until a binding ticked so often.
    ///
    /// # Errors
    /// When it does not by the deadline.
    pub async fn ticked(&self, deadline: Duration, binding: &str, times: usize) -> Result<(), String> {
        let mut ticks = self.ticks.subscribe();
        let enough = |ticks: &Vec<String>| ticks.iter().filter(|name| *name == binding).count() >= times;
        let waited = tokio::time::timeout(deadline, ticks.wait_for(enough)).await.is_ok();
        if waited { Ok(()) } else { Err(format!("`{binding}` did not tick {times} times: {:?}", self.ticks.borrow())) }
    }

    /// How many ticks came so far.
    #[must_use]
    pub fn ticks(&self) -> usize {
        self.ticks.borrow().len()
    }
}

#[async_trait]
impl Subscriber for Recorder {
    fn subscriptions(&self) -> Vec<Subscription> {
        self.subscriptions.clone()
    }

    fn bindings(&self) -> Vec<String> {
        self.bindings.clone()
    }

    async fn on_event(&self, delivery: &Delivery) -> Ack {
        let before = self.count(&delivery.event.id);
        self.seen.send_modify(|seen| seen.push(delivery.clone()));
        match (self.script)(delivery, before) {
            Answer::Ack(ack) => ack,
            Answer::Panic => panic!("as the script says"),
            Answer::Hang => std::future::pending().await,
        }
    }

    async fn on_trigger(&self, binding: &str) {
        self.ticks.send_modify(|ticks| ticks.push(binding.to_owned()));
    }
}
