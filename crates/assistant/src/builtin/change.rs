//! Changes of tasks, worked out from what the tasks are.

use serde_json::{Map, Value, json};
use todo_domain::task::Priority;
use todo_language::{Change, Intent, Target};

use super::{
    act::with_id,
    lookup::OPEN_FIRST,
    session::Session,
    values::{due, recurrence, reminder},
};
use crate::{
    chat::{Named, Outcome},
    policy::{Act, FEW},
    words::{moment, text, titled},
};

/// The fields of a recurrence that a change of it keeps.
const KEPT: [&str; 10] = [
    "recurrence_type",
    "cron_expression",
    "rrule",
    "time_zone",
    "anchor",
    "until",
    "count",
    "overlap",
    "lead_seconds",
    "catch_up",
];

impl Session<'_> {
    pub(super) async fn change(&mut self, target: &Target, changes: &[Change], intent: &Intent) {
        match target {
            Target::Tasks(references) => {
                if let Some(tasks) = self.named(references, OPEN_FIRST, intent).await {
                    self.update(tasks, changes).await;
                }
            }
            Target::Matching(query) => {
                let Some(tasks) = self.matching(query).await else { return };
                if self.some(&tasks, query).is_some() {
                    self.update_all(&tasks, changes);
                }
            }
        }
    }

    /// Changes a few tasks at once, and asks before it changes more.
    pub(super) async fn update(&mut self, tasks: Vec<Named>, changes: &[Change]) {
        let mut read = Vec::new();
        for task in &tasks {
            let Some(mut now) = self.read(&task.id).await else { return };
            // The series of a task that a recurrence made belongs to its source.
            if let (Some(source), true, true) =
                (now["source_task_id"].as_str(), now["recurrence"].is_null(), changes.iter().any(is_about_series))
            {
                let source = source.to_owned();
                let Some(source) = self.read(&source).await else { return };
                now = source;
            }
            read.push(now);
        }
        if read.len() > FEW {
            return self.update_all(&read, changes);
        }
        for task in &read {
            match self.patch(task, changes) {
                Ok(values) => {
                    self.make("update_task", with_id(text(&task["id"]), &values)).await;
                }
                Err(why) => {
                    self.touch(Named::of(task).as_slice());
                    self.reply(&why, Outcome::UserInput);
                }
            }
        }
    }

    /// Asks before tasks are changed: as one change if it is the same for all.
    fn update_all(&mut self, tasks: &[Value], changes: &[Change]) {
        let (mut named, mut patches) = (Vec::new(), Vec::new());
        for task in tasks {
            match self.patch(task, changes) {
                Ok(values) => {
                    named.extend(Named::of(task));
                    patches.push(values);
                }
                Err(why) => self.reply(&why, Outcome::UserInput),
            }
        }
        let Some(first) = patches.first() else { return };
        let act = if patches.iter().all(|patch| patch == first) {
            Act::Update(first.clone())
        } else {
            Act::UpdateEach(named.iter().zip(&patches).map(|(task, values)| with_id(&task.id, values)).collect())
        };
        self.ask_to(act, named);
    }

    /// The new values of a task, or why there are none.
    fn patch(&self, task: &Value, changes: &[Change]) -> Result<Map<String, Value>, String> {
        let mut patch = Map::new();
        for change in changes {
            self.add(change, task, &mut patch)?;
        }
        Ok(patch)
    }

    fn add(&self, change: &Change, task: &Value, patch: &mut Map<String, Value>) -> Result<(), String> {
        // What an earlier change of the same message says counts.
        let now = |name: &str, patch: &Map<String, Value>| patch.get(name).unwrap_or(&task[name]).clone();
        let (name, value) = match change {
            Change::Title(title) => ("title", title.clone().into()),
            Change::Description(words) => ("description", words.clone().into()),
            Change::AddDescription(line) => {
                let before = now("description", patch);
                ("description", format!("{}\n{line}", text(&before)).trim().into())
            }
            Change::Due(to) => {
                let before = now("due_date", patch);
                let before = moment(&before).map(|at| (at, now("due_all_day", patch) == true));
                let (at, all_day) = to
                    .apply(before, &self.context)
                    .ok_or_else(|| format!("{} cannot be moved that far.", titled(task)))?;
                due(patch, at, all_day);
                return Ok(());
            }
            Change::ClearDue => ("due_date", Value::Null),
            Change::Priority(priority) => ("priority", priority.as_str().into()),
            Change::RaisePriority | Change::LowerPriority => {
                let raised = *change == Change::RaisePriority;
                ("priority", stepped(text(&now("priority", patch)), raised).as_str().into())
            }
            Change::AddTags(tags) => ("tags", with_tags(&now("tags", patch), tags)),
            Change::RemoveTags(tags) => ("tags", without_tags(&now("tags", patch), tags)),
            Change::ClearTags => ("tags", json!([])),
            Change::AddReminders(drafts) => {
                let mut reminders = kept_reminders(&now("reminders", patch));
                reminders
                    .extend(drafts.iter().map(reminder).filter(|new| !reminders.contains(new)).collect::<Vec<_>>());
                ("reminders", reminders.into())
            }
            Change::ClearReminders => ("reminders", json!([])),
            Change::Repeat { recurrence: rule, first: (at, all_day) } => {
                if now("due_date", patch).is_null() {
                    due(patch, *at, *all_day);
                }
                ("recurrence", recurrence(rule))
            }
            Change::ClearRecurrence => ("recurrence", Value::Null),
            Change::Pause | Change::Resume => {
                let mut rule = now("recurrence", patch);
                let Some(fields) = rule.as_object_mut() else {
                    return Err(format!("{} does not repeat.", titled(task)));
                };
                fields.retain(|name, value| KEPT.contains(&name.as_str()) && !value.is_null());
                rule["paused"] = (*change == Change::Pause).into();
                ("recurrence", rule)
            }
            Change::Status(status) => ("status", status.as_str().into()),
        };
        patch.insert(name.to_owned(), value);
        Ok(())
    }
}

const fn is_about_series(change: &Change) -> bool {
    matches!(change, Change::Repeat { .. } | Change::ClearRecurrence | Change::Pause | Change::Resume)
}

fn stepped(priority: &str, raised: bool) -> Priority {
    match (priority, raised) {
        ("low", true) | ("high", false) => Priority::Medium,
        (_, true) => Priority::High,
        (_, false) => Priority::Low,
    }
}

fn with_tags(tags: &Value, more: &[String]) -> Value {
    let mut all: Vec<_> = tags.as_array().into_iter().flatten().map(|tag| text(tag).to_owned()).collect();
    for tag in more {
        if !all.iter().any(|other| is_same(other, tag)) {
            all.push(tag.clone());
        }
    }
    all.into()
}

fn without_tags(tags: &Value, less: &[String]) -> Value {
    let tags = tags.as_array().into_iter().flatten();
    tags.filter(|tag| !less.iter().any(|other| is_same(other, text(tag)))).cloned().collect()
}

fn is_same(tag: &str, other: &str) -> bool {
    todo_domain::text::fold(tag) == todo_domain::text::fold(other)
}

/// Reminders as they can be written again: each is then the one that it was.
fn kept_reminders(reminders: &Value) -> Vec<Value> {
    let reminders = reminders.as_array().into_iter().flatten();
    let kept = reminders.map(|reminder| match &reminder["before_due_seconds"] {
        Value::Null => json!({ "trigger_at": reminder["trigger_at"] }),
        seconds => json!({ "before_due_seconds": seconds }),
    });
    kept.collect()
}
