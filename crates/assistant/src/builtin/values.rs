//! What was read, as arguments of tools.

use serde_json::{Map, Value, json};
use todo_domain::{
    Timestamp, clock,
    recurrence::{Anchor, RecurrenceDraft},
    task::{Draft, ReminderDraft},
};

use crate::words::one;

/// A new task, as `add_task` takes it.
pub(super) fn draft(draft: &Draft) -> Map<String, Value> {
    let mut values = one("title", draft.title.clone());
    let mut set = |name: &str, value: Value| values.insert(name.to_owned(), value);
    if !draft.description.is_empty() {
        set("description", draft.description.clone().into());
    }
    if draft.priority != todo_domain::task::Priority::Medium {
        set("priority", draft.priority.as_str().into());
    }
    if !draft.tags.is_empty() {
        set("tags", draft.tags.clone().into());
    }
    if !draft.reminders.is_empty() {
        set("reminders", draft.reminders.iter().map(reminder).collect());
    }
    if let Some(rule) = &draft.recurrence {
        set("recurrence", recurrence(rule));
    }
    if let Some(at) = draft.due {
        due(&mut values, at, draft.due_all_day);
    }
    values
}

/// A due date, of a whole day or not.
pub(super) fn due(values: &mut Map<String, Value>, at: Timestamp, all_day: bool) {
    values.insert("due_date".to_owned(), clock::name(at).into());
    values.insert("due_all_day".to_owned(), all_day.into());
}

/// A reminder.
pub(super) fn reminder(draft: &ReminderDraft) -> Value {
    match (draft.before_due_seconds, draft.trigger_at) {
        (Some(seconds), _) => json!({ "before_due_seconds": seconds }),
        (None, at) => json!({ "trigger_at": at.map(clock::name) }),
    }
}

/// A recurrence.
pub(super) fn recurrence(draft: &RecurrenceDraft) -> Value {
    let mut values = one("recurrence_type", draft.recurrence_type.as_str());
    let mut set = |name: &str, value: Option<Value>| value.and_then(|value| values.insert(name.to_owned(), value));
    set("rrule", draft.rrule.clone().map(Value::from));
    set("cron_expression", draft.cron_expression.clone().map(Value::from));
    set("time_zone", draft.time_zone.clone().map(Value::from));
    set("until", draft.until.map(|until| clock::name(until).into()));
    set("count", draft.count.map(Value::from));
    set("anchor", (draft.anchor != Anchor::Schedule).then(|| draft.anchor.as_str().into()));
    values.into()
}
