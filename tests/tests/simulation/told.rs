//! What each user was told: the model that the system is compared with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use todo_domain::Timestamp;
use todo_tests::told::{Settled, differences};

/// What the last answer said of a task.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    There(Value),
    Gone,
}

/// A change that was answered, and can be undone.
#[derive(Clone, Debug)]
pub(crate) struct Undoable {
    pub(crate) revision: i64,
    pub(crate) at: Timestamp,
    pub(crate) task_id: String,
    /// The task before it; null if there was none.
    pub(crate) before: Value,
}

/// One user's knowledge.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) tasks: BTreeMap<String, Known>,
    pub(crate) undoable: Vec<Undoable>,
    /// Notifications that were marked as read, and not snoozed since.
    pub(crate) read: BTreeSet<String>,
    /// Tasks whose deletion was undone.
    pub(crate) returned: BTreeSet<String>,
    /// Creates by a client's id or with a key, to be repeated: path, key and body.
    pub(crate) repeatable: Vec<(Option<String>, Value, String)>,
    /// The highest revision heard of.
    pub(crate) revision: i64,
}

/// Fields that a user's change of something else may change.
const MOVING: [&str; 2] = ["updated_at", "revision"];

impl Told {
    /// The tasks that are there, as far as is known.
    pub(crate) fn there(&self) -> Vec<Value> {
        let there = self.tasks.values().filter_map(|known| match known {
            Known::There(task) => Some(task.clone()),
            Known::Gone => None,
        });
        there.collect()
    }

    /// Enters the answer to a change of a task of which only `fields` may differ from what was told.
    pub(crate) fn changed(&mut self, before: &Value, after: &Value, fields: &[&str]) {
        let id = text(after, "id");
        let except: Vec<_> = fields.iter().chain(&MOVING).copied().collect();
        let found = differences(before, after, None, &except);
        assert!(found.is_empty(), "a change of {fields:?} changed more: {found:?}");
        let at = |task: &Value| text(task, "updated_at").parse::<Timestamp>().ok();
        assert!(at(after) >= at(before), "updated_at went back: {before} -> {after}");
        self.tasks.insert(id, Known::There(after.clone()));
        self.heard(after["revision"].as_i64());
    }

    pub(crate) fn heard(&mut self, revision: Option<i64>) {
        self.revision = self.revision.max(revision.unwrap_or_default());
    }

    pub(crate) fn undoable(&mut self, (revision, at): (Option<i64>, Timestamp), before: &Value, after: &Value) {
        if let Some(revision) = revision {
            self.heard(Some(revision));
            let id = text(if before.is_null() { after } else { before }, "id");
            let (mut before, status) = (before.clone(), before["status"].clone());
            if !before.is_null() && status != "completed" && after["status"] == "completed" {
                // Perhaps two changes, an edit and a completion: the last is undone alone.
                before = after.clone();
                before["status"] = status;
            }
            self.undoable.push(Undoable { revision, at, task_id: id, before });
        }
    }

    /// What does not hold any more, now that all that was due has happened.
    pub(crate) fn judge(&self, tasks: &BTreeMap<String, Value>, settled: Settled) -> Vec<String> {
        let mut wrong = Vec::new();
        for (id, known) in &self.tasks {
            match (known, tasks.get(id)) {
                (Known::There(told), Some(task)) => {
                    let found = differences(told, task, Some(settled), &[]);
                    wrong.extend(found.into_iter().map(|difference| format!("task {id}: {difference}")));
                }
                (Known::There(told), None) => wrong.push(format!("lost: {told}")),
                (Known::Gone, Some(task)) => wrong.push(format!("came back: {task}")),
                (Known::Gone, None) => {}
            }
        }
        let strange = tasks.values().filter(|task| !self.tasks.contains_key(&text(task, "id")));
        let strange = strange.filter(|task| task["source_task_id"].is_null());
        wrong.extend(strange.map(|task| format!("nobody asked for {task}")));
        wrong
    }
}

/// A text field.
pub(crate) fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

/// What an owner would write to get this task again.
pub(crate) fn content(task: &Value) -> Value {
    let fields = ["title", "description", "status", "priority", "tags", "due_date", "due_all_day", "source_task_id"];
    let kept = fields.iter().map(|field| ((*field).to_owned(), task[field].clone()));
    let mut content: Value = kept.collect();
    for part in [
        "recurrence_type",
        "cron_expression",
        "rrule",
        "time_zone",
        "until",
        "count",
        "paused",
        "overlap",
        "lead_seconds",
    ] {
        content[part] = task["recurrence"][part].clone();
    }
    let reminders = task["reminders"].as_array().into_iter().flatten();
    content["reminders"] = reminders.map(|it| json!([it["id"], it["trigger_at"], it["before_due_seconds"]])).collect();
    content
}
