//! Task events, as far as the scheduler reads them. Their payload is that of `todo.v1.TaskCreated` and its siblings.

use serde::Deserialize;
use serde_json::{Map, Value};
use todo_domain::Timestamp;
use todo_sidecar::CloudEvent;
use uuid::Uuid;

use crate::due::{Due, Kind, Thing};
use crate::state::{self, Fact};

/// The topic.
pub(crate) const TASKS: &str = "tasks";

const CREATED: &str = "com.todo.task.created";
const UPDATED: &str = "com.todo.task.updated";
const COMPLETED: &str = "com.todo.task.completed";
const DELETED: &str = "com.todo.task.deleted";

/// What says that a task was made by a series.
pub(crate) const SCHEDULED: &str = "com.todo.recurring.scheduled";

/// The types of events about tasks that are read.
pub(crate) const TYPES: [&str; 4] = [CREATED, UPDATED, COMPLETED, DELETED];

/// What an event says of a task.
#[derive(Debug)]
pub(crate) struct TaskEvent {
    pub(crate) task_id: Uuid,
    user_id: Uuid,
    pub(crate) revision: i64,
    /// The task after the change; `None` when it was deleted.
    task: Option<Task>,
    /// Completed or deleted.
    closed: bool,
    /// Reminders that the task no longer has, as far as the event names them.
    removed: Vec<Uuid>,
    /// Whether it had a recurrence before the change, as far as the event says.
    had_recurrence: bool,
}

#[derive(Debug, Deserialize)]
struct Payload {
    task_id: Uuid,
    user_id: Uuid,
    revision: i64,
    #[serde(default)]
    task: Option<Task>,
    #[serde(default)]
    changes: Option<Map<String, Value>>,
    /// Of a deleted task. Not in the contract yet: without it, what the state store says of those of its reminders that
    /// lie beyond the window stays as it was, until a day after their moment.
    #[serde(default)]
    reminder_ids: Option<Vec<Uuid>>,
}

#[derive(Debug, Deserialize)]
struct Task {
    id: Uuid,
    title: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    priority: Option<String>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    due_date: Option<Timestamp>,
    #[serde(default)]
    source_task_id: Option<Uuid>,
    #[serde(default)]
    reminders: Option<Vec<Reminder>>,
    #[serde(default)]
    recurrence: Option<Recurrence>,
}

#[derive(Debug, Deserialize)]
struct Reminder {
    id: Uuid,
    #[serde(default)]
    trigger_at: Option<Timestamp>,
    #[serde(default)]
    fired: bool,
    #[serde(default)]
    cancelled: bool,
}

#[derive(Debug, Deserialize)]
struct Recurrence {
    #[serde(rename = "recurrence_type")]
    type_: String,
    #[serde(default)]
    cron_expression: Option<String>,
    #[serde(default)]
    rrule: Option<String>,
    #[serde(default)]
    next_occurrence: Option<Timestamp>,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    paused: bool,
}

impl TaskEvent {
    /// Reads an event; `None` for a type that is none of [`TYPES`].
    ///
    /// # Errors
    /// What is wrong with an event of a known type; never a value of it.
    pub(crate) fn read(event: &CloudEvent) -> Option<Result<Self, String>> {
        TYPES.contains(&event.type_.as_str()).then(|| Self::read_known(event))
    }

    fn read_known(event: &CloudEvent) -> Result<Self, String> {
        // serde's own message may quote a value, such as a title.
        let payload = Payload::deserialize(&event.data).map_err(|error| shape(&error))?;
        let deleted = event.type_ == DELETED;
        if deleted != payload.task.is_none() {
            return Err(if deleted { "a deleted task" } else { "no task" }.to_owned());
        }
        if payload.task.as_ref().is_some_and(|task| task.id != payload.task_id) {
            return Err("task_id and task.id differ".to_owned());
        }
        let changes = payload.changes.unwrap_or_default();
        let kept: Vec<Uuid> = payload.task.iter().flat_map(Task::reminders).map(|reminder| reminder.id).collect();
        let mut removed: Vec<Uuid> =
            old(&changes, "reminders").and_then(Value::as_array).into_iter().flatten().filter_map(id).collect();
        removed.extend(payload.reminder_ids.unwrap_or_default());
        removed.retain(|id| !kept.contains(id));
        Ok(Self {
            task_id: payload.task_id,
            user_id: payload.user_id,
            revision: payload.revision,
            had_recurrence: deleted || old(&changes, "recurrence").is_some_and(|value| !value.is_null()),
            task: payload.task,
            closed: deleted || event.type_ == COMPLETED,
            removed,
        })
    }

    /// Its reminders that are still to ring.
    pub(crate) fn pending(&self) -> Vec<Due> {
        let pending = self.task.iter().flat_map(Task::reminders).filter(|reminder| reminder.is_pending());
        let due = |reminder: &Reminder| {
            let thing = Thing { kind: Kind::Reminder, id: reminder.id };
            Some(Due { thing, task: self.task_id, user: self.user_id, at: reminder.trigger_at? })
        };
        pending.filter_map(due).collect()
    }

    /// Whether it carries a series that goes on.
    pub(crate) fn carries_series(&self) -> bool {
        self.task.as_ref().and_then(|task| task.recurrence.as_ref()).is_some_and(Recurrence::goes_on)
    }

    /// Whether it may change when the next task of some series appears: its own, or the one that made it, which may
    /// have been waiting for this task to be closed. A deleted task does not say which it was.
    pub(crate) fn touches_series(&self) -> bool {
        self.had_recurrence
            || self.task.as_ref().is_none_or(|task| task.recurrence.is_some() || task.source_task_id.is_some())
    }

    /// Which of the timers held of its task, all but those that are to ring, are over.
    ///
    /// What the task's list does not name may be a snooze: it lives until the task is completed or deleted.
    pub(crate) fn ends(&self, held: Vec<Thing>) -> Vec<Thing> {
        let ended = |thing: &Thing| match thing.kind {
            Kind::Series => !self.carries_series(),
            Kind::Reminder => {
                let listed = self.task.iter().flat_map(Task::reminders).find(|reminder| reminder.id == thing.id);
                listed.map_or(self.closed || self.removed.contains(&thing.id), |reminder| !reminder.is_pending())
            }
        };
        held.into_iter().filter(ended).collect()
    }

    /// What the state store is to know. A deleted task does not name its reminders: `ended` are those that memory has.
    pub(crate) fn facts(&self, ended: &[Thing]) -> Vec<Fact> {
        let &Self { task_id, user_id, revision, .. } = self;
        let gone = |reminder_id| Fact::ReminderGone { reminder_id, task_id, user_id, revision };
        let mut facts: Vec<Fact> = self.removed.iter().copied().map(gone).collect();
        let Some(task) = &self.task else {
            let reminders = ended.iter().filter(|thing| thing.kind == Kind::Reminder).map(|thing| thing.id);
            facts.extend(reminders.filter(|id| !self.removed.contains(id)).map(gone));
            facts.push(Fact::RecurringGone { task_id, user_id, revision });
            return facts;
        };
        facts.extend(task.reminders().map(|reminder| {
            Fact::Reminder(state::Reminder {
                reminder_id: reminder.id,
                task_id,
                user_id,
                task_title: task.title.clone(),
                trigger_at: reminder.trigger_at,
                due_date: task.due_date,
                fired: reminder.fired,
                cancelled: reminder.cancelled,
                revision,
            })
        }));
        match &task.recurrence {
            Some(recurrence) => {
                let series = state::Recurring {
                    task_id,
                    user_id,
                    title: task.title.clone(),
                    description: task.description.clone(),
                    priority: task.priority.clone(),
                    tags: task.tags.clone().unwrap_or_default(),
                    recurrence_type: Some(recurrence.type_.clone()),
                    cron_expression: recurrence.cron_expression.clone(),
                    rrule: recurrence.rrule.clone(),
                    next_occurrence: recurrence.next_occurrence,
                    last_scheduled: None,
                    revision,
                };
                facts.push(Fact::Recurring(series, recurrence.goes_on()));
            }
            None if self.had_recurrence => facts.push(Fact::RecurringGone { task_id, user_id, revision }),
            None => {}
        }
        facts
    }
}

impl Task {
    fn reminders(&self) -> impl Iterator<Item = &Reminder> {
        self.reminders.iter().flatten()
    }
}

impl Reminder {
    fn is_pending(&self) -> bool {
        !self.fired && !self.cancelled
    }
}

impl Recurrence {
    /// A paused series makes nothing now, but is not over.
    fn goes_on(&self) -> bool {
        self.active || self.paused
    }
}

/// The value of a field before the change.
fn old<'a>(changes: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    changes.get(field)?.get("old_value")
}

fn id(reminder: &Value) -> Option<Uuid> {
    reminder.get("id")?.as_str()?.parse().ok()
}

fn shape(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once(": ") {
        // "invalid type: string "...", expected ..."
        Some((what, _)) => what.to_owned(),
        // "missing field `revision`"
        None => text,
    }
}
