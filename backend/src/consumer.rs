//! What the backend takes from the sidecar: the events of time, whose effect it writes, and dead letters, which it
//! keeps. An event is only a nudge: it names a decision, and everything else is read from the database. So a forged
//! one does nothing, and a repeated one nothing more.

use std::sync::Arc;

use async_trait::async_trait;
use todo_domain::{Error, error::Reason, ids, instance::instance};
use todo_sidecar::{Ack, CloudEvent, Delivery, Subscriber, Subscription};
use uuid::Uuid;

use crate::{
    core::Core,
    event::{NOTIFICATIONS, RECURRING_SCHEDULED, REMINDER_TRIGGERED, TASKS},
    store::{ChangeKind, Firing, Notification, SlotState},
    write::Write,
};

pub(crate) struct Consumer {
    pub(crate) core: Arc<Core>,
}

#[async_trait]
impl Subscriber for Consumer {
    fn subscriptions(&self) -> Vec<Subscription> {
        let letters = |topic: &str| Subscription {
            topic: format!("{topic}-dead-letter"),
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
        let done = match event.type_.as_str() {
            _ if delivery.topic.ends_with("-dead-letter") => self.keep(&delivery.topic, event).await,
            REMINDER_TRIGGERED | RECURRING_SCHEDULED => {
                let (Ok(id), Some(task_id)) = (event.id.parse(), named_task(event)) else {
                    return Ack::Drop("the event's id or task is no UUID".to_owned());
                };
                if event.type_ == REMINDER_TRIGGERED { self.notify(id).await } else { self.make(id, task_id).await }
            }
            _ => Ok(()),
        };
        match done {
            Ok(()) => Ack::Success,
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
    async fn keep(&self, topic: &str, event: &CloudEvent) -> Result<(), Error> {
        let said = |extension: &str| event.extensions.get(extension).map(String::as_str);
        let original = said(todo_sidecar::TOPIC).unwrap_or(topic);
        let reason = said(todo_sidecar::DEAD_LETTER_REASON).unwrap_or("not said");
        let id = ids::derived("dead-letter", &format!("{original}/{}", event.id));
        let mut tx = self.core.store.begin().await?;
        tx.add_dead_letter(id, original, &event.to_json(), reason, self.core.clock.now()).await?;
        tx.commit().await?;
        tracing::error!(event.id = event.id, event.type_ = event.type_, topic = original, reason, "dead letter");
        Ok(())
    }

    /// A reminder fired: its notification rings.
    async fn notify(&self, event_id: Uuid) -> Result<(), Error> {
        let Some(firing) = self.core.store.read().await?.firing(event_id).await?.filter(|firing| !firing.seen) else {
            return Ok(());
        };
        let mut write = self.core.begin_for(firing.user_id, self.core.clock.now()).await?;
        // Read again under the owner's lock: the same event may be handled twice at once.
        match write.tx.firing(event_id).await? {
            Some(firing) if !firing.seen => ring(&mut write, firing).await?,
            _ => return Ok(()),
        }
        write.commit().await
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
            let mut task = instance(&source, slot.series_id, slot.slot, write.now, write.zone);
            slot.state = SlotState::Made;
            // Before the task, whose making plans the series anew by what is open.
            write.tx.put_slot(&slot).await?;
            if write.create(&mut task, None).await? {
                slot.made_revision = Some(task.content_revision);
            }
        } else {
            slot.state = SlotState::Withdrawn;
        }
        write.tx.put_slot(&slot).await?;
        write.commit().await
    }
}

async fn ring(write: &mut Write, firing: Firing) -> Result<(), Error> {
    let known = write.tx.notifications(write.user_id, &[firing.notification_id]).await?.pop();
    let notification = Notification {
        id: firing.notification_id,
        user_id: firing.user_id,
        // Of a snooze, the reminder that first rang.
        reminder_id: known.as_ref().map_or(firing.reminder_id, |known| known.reminder_id),
        task_id: firing.task_id,
        task_title: firing.task_title,
        due: firing.due,
        triggered_at: firing.fired_at,
        read_at: None,
        // It may have been snoozed again since this was decided.
        snoozed_until: known.and_then(|known| known.snoozed_until).filter(|until| *until != firing.trigger_at),
        revision: write.next_revision(),
    };
    write.tx.put_notification(&notification).await?;
    write.tx.set_seen(firing.event_id).await?;
    write.record(ChangeKind::Notified, notification.id, None, &[]).await
}
