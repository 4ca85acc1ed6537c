//! What the state store holds, for people and other programs to look at: `reminder:{reminder_id}` and
//! `recurring:{task_id}`. Nothing is decided by it; it may be empty at any moment.
//!
//! Each key is written by compare-and-swap of its revision: the newer fact wins, whatever the order of events. What is
//! over is kept for a day as its own tombstone, so that an older event which comes late does not bring it back.

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use todo_domain::Timestamp;
use uuid::Uuid;

/// How long what is over stays.
const KEPT: Duration = Duration::from_hours(24);

/// The value of `reminder:{reminder_id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the contract's names")]
pub(crate) struct Reminder {
    pub(crate) reminder_id: Uuid,
    pub(crate) task_id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) task_title: String,
    pub(crate) trigger_at: Option<Timestamp>,
    pub(crate) due_date: Option<Timestamp>,
    #[serde(default)]
    pub(crate) fired: bool,
    #[serde(default)]
    pub(crate) cancelled: bool,
    /// The task's, at its last event; 0 when only the firing is known, which carries none.
    #[serde(default)]
    pub(crate) revision: i64,
}

/// The value of `recurring:{task_id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recurring {
    pub(crate) task_id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) priority: Option<String>,
    pub(crate) tags: Vec<String>,
    /// Null: the recurrence was cleared or its task deleted.
    pub(crate) recurrence_type: Option<String>,
    pub(crate) cron_expression: Option<String>,
    #[serde(default)]
    pub(crate) rrule: Option<String>,
    pub(crate) next_occurrence: Option<Timestamp>,
    pub(crate) last_scheduled: Option<Timestamp>,
    /// As in [`Reminder`].
    pub(crate) revision: i64,
}

/// The payload of `com.todo.recurring.scheduled`, as far as it is kept.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the contract's names")]
pub(crate) struct Scheduled {
    pub(crate) source_task_id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) priority: Option<String>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    pub(crate) recurrence_type: Option<String>,
    pub(crate) scheduled_for: Timestamp,
    #[serde(default)]
    pub(crate) next_occurrence: Option<Timestamp>,
}

/// A fact to be written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact {
    /// A task event says how a reminder stands.
    Reminder(Reminder),
    /// A task event says that a reminder is no more.
    ReminderGone { reminder_id: Uuid, task_id: Uuid, user_id: Uuid, revision: i64 },
    /// It was decided that a reminder fires.
    Fired(Reminder),
    /// A task event says how a series stands, and whether it goes on.
    Recurring(Recurring, bool),
    /// A task event says that a task has no recurrence any more.
    RecurringGone { task_id: Uuid, user_id: Uuid, revision: i64 },
    /// It was decided that a slot is made, and whether the series is known to end with it.
    Scheduled(Scheduled, bool),
}

/// What to put, and for how long; `None` keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) json: Vec<u8>,
    pub(crate) ttl: Option<Duration>,
}

impl Fact {
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Reminder(reminder) | Self::Fired(reminder) => format!("reminder:{}", reminder.reminder_id),
            Self::ReminderGone { reminder_id, .. } => format!("reminder:{reminder_id}"),
            Self::Recurring(recurring, _) => format!("recurring:{}", recurring.task_id),
            Self::RecurringGone { task_id, .. } => format!("recurring:{task_id}"),
            Self::Scheduled(scheduled, _) => format!("recurring:{}", scheduled.source_task_id),
        }
    }

    /// What the key holds once this fact is known; `None` when it changes nothing. What is stored and cannot be read is
    /// as good as missing.
    pub(crate) fn merge(&self, stored: Option<&[u8]>, now: Timestamp) -> Option<Value> {
        match self {
            Self::Reminder(_) | Self::ReminderGone { .. } | Self::Fired(_) => {
                let reminder = self.reminder(read(stored))?;
                let ttl = Some(reminder.ttl(now));
                Some(Value { json: write(&reminder), ttl })
            }
            Self::Recurring(..) | Self::RecurringGone { .. } | Self::Scheduled(..) => {
                let (recurring, over) = self.recurring(read(stored))?;
                Some(Value { json: write(&recurring), ttl: over.then_some(KEPT) })
            }
        }
    }

    fn reminder(&self, stored: Option<Reminder>) -> Option<Reminder> {
        match self {
            Self::Reminder(new) => {
                if stored.as_ref().is_some_and(|stored| stored.revision >= new.revision) {
                    return None;
                }
                let mut new = new.clone();
                // A firing carries no revision; what fired for this moment stays fired.
                if stored.is_some_and(|stored| stored.fired && stored.trigger_at == new.trigger_at) {
                    (new.fired, new.cancelled) = (true, false);
                }
                Some(new)
            }
            Self::ReminderGone { reminder_id, task_id, user_id, revision } => match stored {
                Some(stored) if stored.revision >= *revision => None,
                Some(stored) => Some(Reminder { cancelled: !stored.fired, revision: *revision, ..stored }),
                None => Some(Reminder {
                    reminder_id: *reminder_id,
                    task_id: *task_id,
                    user_id: *user_id,
                    task_title: String::new(),
                    trigger_at: None,
                    due_date: None,
                    fired: false,
                    cancelled: true,
                    revision: *revision,
                }),
            },
            Self::Fired(new) => match stored {
                None => Some(Reminder { fired: true, cancelled: false, ..new.clone() }),
                // Moved since, or known already.
                Some(stored) if stored.trigger_at != new.trigger_at || stored.fired => None,
                Some(stored) => Some(Reminder { fired: true, cancelled: false, ..stored }),
            },
            _ => None,
        }
    }

    /// The series and whether it is over.
    fn recurring(&self, stored: Option<Recurring>) -> Option<(Recurring, bool)> {
        match self {
            Self::Recurring(new, goes_on) => match stored {
                Some(stored) if stored.revision >= new.revision => None,
                Some(stored) => {
                    let mut new = Recurring { last_scheduled: stored.last_scheduled, ..new.clone() };
                    // What it says comes next was made before it arrived; what comes then is known, or will be.
                    if new.next_occurrence.is_some_and(|next| Some(next) <= stored.last_scheduled) {
                        new.next_occurrence = stored.next_occurrence;
                    }
                    Some((new, !goes_on))
                }
                None => Some((new.clone(), !goes_on)),
            },
            Self::RecurringGone { task_id, user_id, revision } => {
                let stored = match stored {
                    Some(stored) if stored.revision >= *revision => return None,
                    Some(stored) => stored,
                    None => Recurring::unknown(*task_id, *user_id),
                };
                let gone = Recurring {
                    recurrence_type: None,
                    cron_expression: None,
                    rrule: None,
                    next_occurrence: None,
                    revision: *revision,
                    ..stored
                };
                Some((gone, true))
            }
            Self::Scheduled(new, ends) => {
                let slot = new.scheduled_for;
                let mut series = stored.unwrap_or_else(|| Recurring {
                    title: new.title.clone(),
                    description: new.description.clone(),
                    priority: new.priority.clone(),
                    tags: new.tags.clone(),
                    recurrence_type: new.recurrence_type.clone(),
                    ..Recurring::unknown(new.source_task_id, new.user_id)
                });
                let before = series.clone();
                series.last_scheduled = series.last_scheduled.max(Some(slot));
                let gone = series.recurrence_type.is_none();
                // A later event may already know of a later slot.
                let passed = series.next_occurrence.is_none_or(|known| known <= slot);
                if passed && !gone {
                    series.next_occurrence = new.next_occurrence;
                }
                let over = gone || (series.next_occurrence.is_none() && *ends);
                (series != before || over).then_some((series, over))
            }
            _ => None,
        }
    }
}

impl Reminder {
    /// A reminder is over a day after its moment even if nobody says so, so that none stays for ever.
    fn ttl(&self, now: Timestamp) -> Duration {
        if self.fired || self.cancelled {
            return KEPT;
        }
        let ahead = self.trigger_at.and_then(|trigger_at| (trigger_at - now).to_std().ok());
        ahead.unwrap_or_default().saturating_add(KEPT)
    }
}

impl Recurring {
    fn unknown(task_id: Uuid, user_id: Uuid) -> Self {
        Self {
            task_id,
            user_id,
            title: String::new(),
            description: None,
            priority: None,
            tags: Vec::new(),
            recurrence_type: None,
            cron_expression: None,
            rrule: None,
            next_occurrence: None,
            last_scheduled: None,
            revision: 0,
        }
    }
}

fn read<T: DeserializeOwned>(stored: Option<&[u8]>) -> Option<T> {
    serde_json::from_slice(stored?).ok()
}

fn write<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
