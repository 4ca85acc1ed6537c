//! What the backend takes from the sidecar: the events of time, whose effect it writes, and dead letters, which it
//! keeps. An event is only a nudge: it names a decision, and everything else is read from the database. So a forged
//! one does nothing, and a repeated one nothing more.

use std::sync::Arc;

use async_trait::async_trait;
use todo_domain::{Error, error::Reason, ids};
use todo_sidecar::{Ack, CloudEvent, Delivery, Subscriber, Subscription};
use uuid::Uuid;

use crate::{
    bell::Bell,
    core::Core,
    event::{NOTIFICATIONS, RECURRING_SCHEDULED, REMINDER_TRIGGERED, TASKS},
    store::{DeadLetter, SlotState},
};

/// What the dead-letter topic of a topic is called beyond it.
const DEAD_LETTER: &str = "-dead-letter";
/// Why we refuse an event.
const UNREADABLE: &str = "the event's id or task is no UUID";
/// Why somebody else did, or we could not handle one, where the sidecar does not tell.
const NOT_SAID: &str = "refused or retried without success; the reason is in the log";

pub(crate) struct Consumer {
    core: Arc<Core>,
    bell: Bell,
}

#[async_trait]
impl Subscriber for Consumer {
    fn subscriptions(&self) -> Vec<Subscription> {
        let letters = |topic: &str| Subscription {
            topic: format!("{topic}{DEAD_LETTER}"),
            dead_letter_topic: None,
            types: Vec::new(),
        };
        vec![
            Subscription { types: vec![RECURRING_SCHEDULED.to_owned()], ..Subscription::new(TASKS) },
            Subscription { types: vec![REMINDER_TRIGGERED.to_owned()], ..Subscription::new(NOTIFICATIONS) },
            letters(TASKS),
            letters(NOTIFICATIONS),
        ]
    }

    async fn serving(&self) -> bool {
        let Ok(mut tx) = self.core.store.read().await else { return false };
        tx.revisions(&[Uuid::nil()]).await.is_ok()
    }

    async fn on_event(&self, delivery: &Delivery) -> Ack {
        let event = &delivery.event;
        match self.handle(&delivery.topic, event).await {
            Ok(ack) => ack,
            // Its account is gone, and with it all that the event could do.
            Err(error) if error.reason == Reason::UserNotFound => Ack::Success,
            Err(error) => {
                tracing::warn!(event.id = event.id, event.type_ = event.type_, error = ?error.source, "event not handled");
                Ack::Retry(error.reason.as_str().to_owned())
            }
        }
    }
}

/// The task that the payload is about.
fn named_task(event: &CloudEvent) -> Option<Uuid> {
    let field = if event.type_ == RECURRING_SCHEDULED { "new_task_id" } else { "task_id" };
    event.data.get(field)?.as_str()?.parse().ok()
}

impl Consumer {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { bell: Bell::new(Arc::clone(&core)), core }
    }

    async fn handle(&self, topic: &str, event: &CloudEvent) -> Result<Ack, Error> {
        if let Some(original) = topic.strip_suffix(DEAD_LETTER) {
            let said = event.extensions.get(todo_sidecar::DEAD_LETTER_REASON);
            self.keep(original, event, said.map_or(NOT_SAID, String::as_str)).await?;
            return Ok(Ack::Success);
        }
        if ![REMINDER_TRIGGERED, RECURRING_SCHEDULED].contains(&event.type_.as_str()) {
            return Ok(Ack::Success);
        }
        let (Ok(id), Some(task_id)) = (event.id.parse(), named_task(event)) else {
            // Kept now: by the dead-letter topic it comes without the reason, as daprd has none.
            self.keep(topic, event, UNREADABLE).await?;
            return Ok(Ack::Drop(UNREADABLE.to_owned()));
        };
        if event.type_ == REMINDER_TRIGGERED {
            self.bell.ring(id).await?;
        } else {
            self.make(id, task_id).await?;
        }
        Ok(Ack::Success)
    }

    /// Keeps a dead letter; what was kept first stays.
    async fn keep(&self, topic: &str, event: &CloudEvent, reason: &str) -> Result<(), Error> {
        let letter = DeadLetter {
            id: ids::derived("dead-letter", &format!("{topic}/{}", event.id)),
            topic: topic.to_owned(),
            event: event.to_json(),
            reason: reason.to_owned(),
            at: self.core.clock.now(),
        };
        let mut tx = self.core.store.begin().await?;
        let new = tx.add_dead_letter(&letter).await?;
        tx.commit().await?;
        if new {
            metrics::counter!("todo_dead_letters_total", "topic" => topic.to_owned()).increment(1);
            tracing::error!(event.id = event.id, event.type_ = event.type_, topic, reason, "dead letter");
        }
        Ok(())
    }

    /// A slot was decided: its task is made.
    async fn make(&self, event_id: Uuid, task_id: Uuid) -> Result<(), Error> {
        let mut tx = self.core.store.read().await?;
        let Some(slot) = tx.slot_of(task_id).await?.filter(|slot| slot.event_id == event_id) else { return Ok(()) };
        let Some(series) = tx.series(slot.series_id).await? else { return Ok(()) };
        drop(tx);
        let mut write = self.core.begin_for(series.user_id, self.core.clock.now()).await?;
        let Some(mut slot) = write.tx.slot_of(task_id).await?.filter(|slot| slot.event_id == event_id) else {
            return Ok(());
        };
        if slot.state != SlotState::Decided {
            return Ok(());
        }
        let source = write.tx.task(write.user_id, series.task_id).await?;
        let source = source.filter(|source| source.recurrence.as_ref().is_some_and(|it| it.id == slot.series_id));
        if let Some(source) = source {
            write.make(slot, &source).await?;
        } else {
            slot.state = SlotState::Withdrawn;
            write.tx.put_slot(&slot).await?;
        }
        write.commit().await
    }
}
