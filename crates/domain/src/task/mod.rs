//! Tasks: what they hold, and what may be done with them.

mod draft;
mod edit;
mod reminder;
mod undo;

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use self::edit::clean_tag;
pub use self::{
    draft::{Draft, Patch},
    reminder::{Reminder, ReminderDraft, ReminderState, When},
    undo::{Undone, undo},
};
use crate::{
    clock::Timestamp,
    ids::Ids,
    names::named,
    recurrence::Recurrence,
    zone::{self, Tz},
};

/// Where a task stands: pending and `in_progress` change into each other, either becomes completed, and completed
/// becomes pending again (reopened).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Status {
    /// To be done.
    #[default]
    Pending,
    /// Begun.
    InProgress,
    /// Done.
    Completed,
}

named!(Status { Pending = "pending", InProgress = "in_progress", Completed = "completed" });

impl Status {
    /// Whether there is still something to do.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Completed)
    }
}

/// How much a task matters. Ascending order is high, medium, low.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// First.
    High,
    /// The default.
    #[default]
    Medium,
    /// Last.
    Low,
}

named!(Priority { High = "high", Medium = "medium", Low = "low" });

impl Priority {
    /// The number it sorts by: 1 for high, 2 for medium, 3 for low.
    #[must_use]
    pub const fn rank(self) -> i16 {
        match self {
            Self::High => 1,
            Self::Medium => 2,
            Self::Low => 3,
        }
    }

    /// The priority with this rank.
    #[must_use]
    pub const fn from_rank(rank: i16) -> Option<Self> {
        match rank {
            1 => Some(Self::High),
            2 => Some(Self::Medium),
            3 => Some(Self::Low),
            _ => None,
        }
    }
}

/// A field of a task that can be changed, in the order in which changes are announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// `title`
    Title,
    /// `description`
    Description,
    /// `status`
    Status,
    /// `priority`
    Priority,
    /// `tags`
    Tags,
    /// `due_date`
    DueDate,
    /// `due_all_day`
    DueAllDay,
    /// `reminders`
    Reminders,
    /// `recurrence`
    Recurrence,
}

named!(Field {
    Title = "title",
    Description = "description",
    Status = "status",
    Priority = "priority",
    Tags = "tags",
    DueDate = "due_date",
    DueAllDay = "due_all_day",
    Reminders = "reminders",
    Recurrence = "recurrence",
});

/// Who asks, and when: everything that a rule needs and may not fetch for itself.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The present moment.
    pub now: Timestamp,
    /// The owner's time zone.
    pub zone: Tz,
    /// The owner.
    pub user_id: Uuid,
    /// Where new ids come from.
    pub ids: &'a dyn Ids,
}

/// A task as it is kept. Serialized, it is the before-image of a change; unknown fields are ignored when it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// UUID version 7 (or version 4 from a client); version 5 for an instance.
    pub id: Uuid,
    /// The owner.
    pub user_id: Uuid,
    /// 1 to 200 characters, in normal form C, trimmed.
    pub title: String,
    /// Up to 2,000 characters, in normal form C.
    pub description: String,
    /// Where the task stands.
    pub status: Status,
    /// How much it matters.
    pub priority: Priority,
    /// Up to 10, each 1 to 50 characters, no two with the same [`crate::text::fold`].
    pub tags: Vec<String>,
    /// When it is due. With `due_all_day` the start of that day in the owner's zone.
    pub due: Option<Timestamp>,
    /// Whether the day as such is meant.
    #[serde(default)]
    pub due_all_day: bool,
    /// Up to 5, ordered by trigger time, those without one last.
    pub reminders: Vec<Reminder>,
    /// How it comes again.
    pub recurrence: Option<Recurrence>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed; set by whoever stores it, and never goes backwards.
    pub updated_at: Timestamp,
    /// When it was completed; nothing while it is open.
    pub completed_at: Option<Timestamp>,
    /// The owner's change counter at the task's last change; set by whoever stores it.
    pub revision: i64,
    /// The owner's change counter at the last change of the content, which a reminder's firing is not.
    pub content_revision: i64,
    /// The task whose recurrence made this one.
    pub source_task_id: Option<Uuid>,
}

/// When all-day tasks are taken to be due, for relative reminders.
const ALL_DAY_BASE: NaiveTime = NaiveTime::from_hms_opt(9, 0, 0).expect("nine o'clock is a time");

impl Task {
    /// The instant that relative reminders count from: the due date, or 09:00 of that local day in `zone` (the
    /// owner's).
    #[must_use]
    pub fn reminder_base(&self, zone: Tz) -> Option<Timestamp> {
        self.due.map(|due| {
            if self.due_all_day {
                zone::resolve(zone, zone::local(zone, due).date().and_time(ALL_DAY_BASE))
            } else {
                due
            }
        })
    }

    /// Whether the task is open and its due date is over: for an all-day task, when its day in `zone` (the owner's) is.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp, zone: Tz) -> bool {
        self.status.is_open()
            && self.due.is_some_and(|due| {
                let last_day = zone::local(zone, due).date();
                match last_day.succ_opt().filter(|_| self.due_all_day) {
                    Some(next_day) => now >= zone::start_of_day(zone, next_day),
                    None => now > due,
                }
            })
    }
}

/// What a change did to a task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The fields whose values changed, in the order of [`Field`]: what `task.updated` announces. Completing is not
    /// among them (neither the status nor the reminders that it cancels): `completed` says so.
    pub updated: Vec<Field>,
    /// Whether the task became completed, which `task.completed` announces, after `task.updated` if there is one.
    pub completed: bool,
    /// Whether a completed task was reopened; `updated` then holds [`Field::Status`].
    pub reopened: bool,
    /// The task after its edits and before it was completed, when one change did both.
    pub between: Option<Box<Task>>,
}

impl Outcome {
    /// Whether nothing changed, so that nothing is stored or announced.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.updated.is_empty() && !self.completed
    }
}

#[cfg(test)]
mod tests;
