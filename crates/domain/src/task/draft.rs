//! What a request asks for.

use uuid::Uuid;

use super::{Priority, ReminderDraft, Status, Task};
use crate::{Violation, clock::Timestamp, recurrence::RecurrenceDraft};

/// The task that a create asks for. It always begins as pending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// The client's own id, UUID version 4 or 7, which makes the create safe to repeat.
    pub id: Option<Uuid>,
    /// 1 to 200 characters after trimming.
    pub title: String,
    /// Up to 2,000 characters.
    pub description: String,
    /// How much it matters.
    pub priority: Priority,
    /// Up to 10; of tags that fold to the same only the first is kept.
    pub tags: Vec<String>,
    /// When it is due; may be in the past.
    pub due: Option<Timestamp>,
    /// Whether the day of `due` in the owner's zone is meant as such.
    pub due_all_day: bool,
    /// Up to 5; of equal ones only the first is kept.
    pub reminders: Vec<ReminderDraft>,
    /// How it comes again.
    pub recurrence: Option<RecurrenceDraft>,
    /// What of the request is no value at all, to be reported with what breaks a rule.
    pub wrong: Vec<Violation>,
}

/// The changes that an update asks for. Nothing means "not sent"; `Some(None)` clears.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patch {
    /// The new title.
    pub title: Option<String>,
    /// The new description; the empty one clears.
    pub description: Option<String>,
    /// The new status.
    pub status: Option<Status>,
    /// The new priority.
    pub priority: Option<Priority>,
    /// The new tags, all of them.
    pub tags: Option<Vec<String>>,
    /// The new due date.
    pub due: Option<Option<Timestamp>>,
    /// Whether the day as such is meant. Clearing the due date clears it too.
    pub due_all_day: Option<bool>,
    /// The new reminders, all of them.
    pub reminders: Option<Vec<ReminderDraft>>,
    /// The new recurrence, as a whole.
    pub recurrence: Option<Option<RecurrenceDraft>>,
    /// What of the request is no value at all, to be reported with what breaks a rule.
    pub wrong: Vec<Violation>,
}

impl From<&Task> for Draft {
    /// What would make the same task again.
    fn from(task: &Task) -> Self {
        Self {
            id: Some(task.id),
            title: task.title.clone(),
            description: task.description.clone(),
            priority: task.priority,
            tags: task.tags.clone(),
            due: task.due,
            due_all_day: task.due_all_day,
            reminders: task.reminders.iter().map(ReminderDraft::from).collect(),
            recurrence: task.recurrence.as_ref().map(RecurrenceDraft::from),
            wrong: Vec::new(),
        }
    }
}

impl From<&Task> for Patch {
    /// What a reader of the task would send back: applied to that task it changes nothing.
    fn from(task: &Task) -> Self {
        let draft = Draft::from(task);
        Self {
            title: Some(draft.title),
            description: Some(draft.description),
            status: Some(task.status),
            priority: Some(draft.priority),
            tags: Some(draft.tags),
            due: Some(draft.due),
            due_all_day: Some(draft.due_all_day),
            reminders: Some(draft.reminders),
            recurrence: Some(draft.recurrence),
            wrong: Vec::new(),
        }
    }
}
