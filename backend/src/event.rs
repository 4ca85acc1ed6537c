//! The events of tasks, as CloudEvents (<https://cloudevents.io>, version 1.0). Id and bytes are fixed in the
//! transaction that makes the change.

use std::iter;

use chrono::{DateTime, Utc};
use todo_domain::task::{Field, Task};
use todo_proto::{json, v1};
use todo_sidecar::CloudEvent;
use uuid::Uuid;

use crate::{
    convert,
    convert::timestamp,
    store::{Outgoing, Slot},
};

/// Topic of events about tasks.
pub(crate) const TASKS: &str = "tasks";
/// Topic of events about reminders.
pub(crate) const NOTIFICATIONS: &str = "notifications";
pub(crate) const CREATED: &str = "com.todo.task.created";
pub(crate) const UPDATED: &str = "com.todo.task.updated";
pub(crate) const COMPLETED: &str = "com.todo.task.completed";
pub(crate) const DELETED: &str = "com.todo.task.deleted";
pub(crate) const REMINDER_TRIGGERED: &str = "com.todo.reminder.triggered";
pub(crate) const RECURRING_SCHEDULED: &str = "com.todo.recurring.scheduled";

pub(crate) fn created(id: Uuid, task: &Task, now: DateTime<Utc>) -> Outgoing {
    let whole = convert::task(task, now);
    let data = v1::TaskCreated {
        task_id: whole.id.clone(),
        user_id: whole.user_id.clone(),
        title: whole.title.clone(),
        description: whole.description.clone(),
        status: whole.status,
        priority: whole.priority,
        tags: whole.tags.clone(),
        due_date: whole.due_date,
        created_at: whole.created_at,
        reminders: whole
            .reminders
            .iter()
            .map(|reminder| v1::EventReminder { reminder_id: reminder.id.clone(), trigger_at: reminder.trigger_at })
            .collect(),
        recurrence: whole.recurrence.as_ref().map(|recurrence| v1::EventRecurrence {
            recurrence_id: recurrence.id.clone(),
            recurrence_type: recurrence.recurrence_type,
            cron_expression: recurrence.cron_expression.clone(),
            next_occurrence: recurrence.next_occurrence,
            rrule: recurrence.rrule.clone(),
        }),
        revision: task.revision,
        task: Some(whole),
    };
    outgoing(id, CREATED, (task.id, task.user_id), now, json::of(&data))
}

pub(crate) fn updated(id: Uuid, before: &Task, task: &Task, fields: &[Field], now: DateTime<Utc>) -> Outgoing {
    let (old, new) = (json::of(&convert::task(before, now)), json::of(&convert::task(task, now)));
    let changes = fields.iter().map(|field| {
        let value = |task: &serde_json::Value| Some(json::value(&task[field.as_str()]));
        (field.as_str().to_owned(), v1::FieldChange { old_value: value(&old), new_value: value(&new) })
    });
    let data = v1::TaskUpdated {
        task_id: task.id.to_string(),
        user_id: task.user_id.to_string(),
        updated_at: Some(timestamp(task.updated_at)),
        changes: changes.collect(),
        revision: task.revision,
        task: Some(convert::task(task, now)),
    };
    outgoing(id, UPDATED, (task.id, task.user_id), now, json::of(&data))
}

pub(crate) fn completed(id: Uuid, task: &Task, now: DateTime<Utc>) -> Outgoing {
    let data = v1::TaskCompleted {
        task_id: task.id.to_string(),
        user_id: task.user_id.to_string(),
        completed_at: task.completed_at.map(timestamp),
        revision: task.revision,
        task: Some(convert::task(task, now)),
    };
    outgoing(id, COMPLETED, (task.id, task.user_id), now, json::of(&data))
}

pub(crate) fn deleted(id: Uuid, task: &Task, revision: i64, now: DateTime<Utc>) -> Outgoing {
    let data = v1::TaskDeleted {
        task_id: task.id.to_string(),
        user_id: task.user_id.to_string(),
        revision,
        reminder_ids: task.reminders.iter().map(|reminder| reminder.id.to_string()).collect(),
    };
    outgoing(id, DELETED, (task.id, task.user_id), now, json::of(&data))
}

/// A task was made because another one was closed. What time makes, the scheduler announces.
pub(crate) fn scheduled(slot: &Slot, user_id: Uuid, scheduled: &v1::RecurringScheduled) -> Outgoing {
    outgoing(slot.event_id, RECURRING_SCHEDULED, (slot.task_id, user_id), slot.decided_at, json::of(scheduled))
}

fn outgoing(
    id: Uuid,
    type_: &str,
    (task_id, user_id): (Uuid, Uuid),
    now: DateTime<Utc>,
    data: serde_json::Value,
) -> Outgoing {
    // Partitioning extension of CloudEvents: events of one owner go one way where the broker has partitions.
    let owner = ("partitionkey".to_owned(), user_id.to_string());
    // Distributed tracing extension: the request that this came of.
    let trace = todo_trace::current().map(|trace| (todo_trace::TRACEPARENT.to_owned(), trace));
    let event = CloudEvent {
        id: id.to_string(),
        type_: type_.to_owned(),
        source: if type_ == RECURRING_SCHEDULED { "/scheduler/recurring" } else { "/backend/tasks" }.to_owned(),
        subject: Some(task_id.to_string()),
        time: now,
        data,
        extensions: iter::once(owner).chain(trace).collect(),
    };
    Outgoing { id, topic: TASKS.to_owned(), event: event.to_json(), created_at: now, attempts: 0 }
}
