//! What every event has to be, whatever it says.

use serde_json::{Value, json};
use todo_proto::{json as mapping, v1};
use todo_sidecar::CloudEvent;
use uuid::Uuid;

use crate::text;

pub(crate) const CREATED: &str = "com.todo.task.created";
pub(crate) const UPDATED: &str = "com.todo.task.updated";
pub(crate) const COMPLETED: &str = "com.todo.task.completed";
pub(crate) const DELETED: &str = "com.todo.task.deleted";
pub(crate) const TRIGGERED: &str = "com.todo.reminder.triggered";
pub(crate) const SCHEDULED: &str = "com.todo.recurring.scheduled";

/// Source and topic of each type.
const TYPES: [(&str, &str, &str); 6] = [
    (CREATED, "/backend/tasks", "tasks"),
    (UPDATED, "/backend/tasks", "tasks"),
    (COMPLETED, "/backend/tasks", "tasks"),
    (DELETED, "/backend/tasks", "tasks"),
    (TRIGGERED, "/scheduler/reminders", "notifications"),
    (SCHEDULED, "/scheduler/recurring", "tasks"),
];

/// Checks an event against CloudEvents 1.0 and the contract, and that its data is the message of its type.
pub(crate) fn check(topic: &str, event: &CloudEvent) {
    event.validate().expect("a valid event");
    assert_eq!(&CloudEvent::from_json(&event.to_json()).expect("it reads back"), event);
    let envelope: Value = serde_json::from_slice(&event.to_json()).expect("JSON");
    assert_eq!((&envelope["specversion"], &envelope["datacontenttype"]), (&json!("1.0"), &json!("application/json")));
    assert!(text(&envelope["time"]).ends_with('Z'), "{envelope}");

    let known = TYPES.iter().find(|(type_, ..)| *type_ == event.type_);
    let (_, source, expected) = known.unwrap_or_else(|| panic!("{} is not in the contract", event.type_));
    assert_eq!((event.source.as_str(), topic), (*source, *expected));
    assert!(event.id.parse::<Uuid>().is_ok(), "{}", event.id);
    let task = if event.type_ == SCHEDULED { "new_task_id" } else { "task_id" };
    let about = event.subject.as_deref();
    assert!(about == event.data[task].as_str() || about == event.data["source_task_id"].as_str(), "{envelope}");
    assert_eq!(event.extensions["partitionkey"], text(&event.data["user_id"]));

    let data = &event.data;
    match event.type_.as_str() {
        CREATED => round_trips::<v1::TaskCreated>(data),
        UPDATED => round_trips::<v1::TaskUpdated>(data),
        COMPLETED => round_trips::<v1::TaskCompleted>(data),
        DELETED => round_trips::<v1::TaskDeleted>(data),
        TRIGGERED => round_trips::<v1::ReminderTriggered>(data),
        _ => round_trips::<v1::RecurringScheduled>(data),
    }
}

fn round_trips<M: prost::Message + prost::Name + Default>(data: &Value) {
    let message: M = mapping::read(data).expect("the message of its type");
    assert_eq!(&mapping::of(&message), data);
}
