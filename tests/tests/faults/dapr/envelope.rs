//! What an envelope has to be, by the specification alone
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>), and what ours say.

use chrono::DateTime;
use serde_json::Value;
use uuid::Uuid;

use super::text;

/// Source and topic of each type.
const TYPES: [(&str, &str, &str); 6] = [
    ("com.todo.task.created", "/backend/tasks", "tasks"),
    ("com.todo.task.updated", "/backend/tasks", "tasks"),
    ("com.todo.task.completed", "/backend/tasks", "tasks"),
    ("com.todo.task.deleted", "/backend/tasks", "tasks"),
    ("com.todo.reminder.triggered", "/scheduler/reminders", "notifications"),
    ("com.todo.recurring.scheduled", "/scheduler/recurring", "tasks"),
];

/// Checks that anyone's consumer can read it.
pub(super) fn is_valid(envelope: &Value) {
    let attributes = envelope.as_object().expect("an envelope is an object");
    assert_eq!(envelope["specversion"], "1.0", "{envelope}");
    for required in ["id", "source", "type"] {
        assert!(!text(&envelope[required]).is_empty(), "{required}: {envelope}");
    }
    if let Some(time) = attributes.get("time") {
        assert!(DateTime::parse_from_rfc3339(text(time)).is_ok(), "{envelope}");
    }
    if let Some(subject) = attributes.get("subject") {
        assert!(!text(subject).is_empty(), "{envelope}");
    }
    for (name, value) in attributes.iter().filter(|(name, _)| *name != "data") {
        // `data_base64` is a member of the JSON format, not an attribute; ours have JSON as data.
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{name}: {envelope}");
        assert!(value.is_string() || value.is_boolean() || value.is_i64(), "{name}: {envelope}");
    }
}

/// Checks that it is one of ours, on its topic.
pub(super) fn is_ours(topic: &str, envelope: &Value) {
    is_valid(envelope);
    let type_ = text(&envelope["type"]);
    let (_, source, expected) = TYPES.iter().find(|(known, ..)| *known == type_).expect("a type of the contract");
    assert_eq!((text(&envelope["source"]), topic), (*source, *expected), "{envelope}");
    assert_eq!(envelope["datacontenttype"], "application/json", "{envelope}");
    assert!(text(&envelope["id"]).parse::<Uuid>().is_ok(), "{envelope}");
    assert!(text(&envelope["time"]).ends_with('Z'), "{envelope}");
    let data = &envelope["data"];
    let task = if data["task_id"].is_null() { &data["new_task_id"] } else { &data["task_id"] };
    let about = &envelope["subject"];
    assert!(about == task || about == &data["source_task_id"], "{envelope}");
    assert_eq!(envelope["partitionkey"], data["user_id"], "{envelope}");
}
