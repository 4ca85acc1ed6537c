//! The books: what the database and the broker hold, and whether that adds up. They are read from outside, by SQL, because
//! the code under test must not vouch for itself.

mod audit;
mod broker;
mod embedded;
pub mod served;

use std::collections::BTreeMap;

use serde_json::Value;
use todo_domain::recurrence::Recurrence;
use uuid::Uuid;

pub use self::{audit::Lenience, broker::Broker, embedded::left_to_do};

/// A row of the change log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its owner.
    pub user_id: Uuid,
    /// The owner's revision.
    pub revision: i64,
    /// What happened, as the backend numbers it.
    pub kind: i64,
    /// The task or notification.
    pub entity_id: Uuid,
}

/// A row of the outbox.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The event's id.
    pub id: Uuid,
    /// Where it goes.
    pub topic: String,
    /// The event.
    pub event: Value,
    /// It was published.
    pub published: bool,
}

impl Outgoing {
    /// The revision of the change that it announces.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.event["data"]["revision"].as_i64().unwrap_or_default()
    }

    /// A UUID of its payload.
    #[must_use]
    pub fn id_of(&self, field: &str) -> Uuid {
        self.event["data"][field].as_str().and_then(|id| id.parse().ok()).unwrap_or_default()
    }
}

/// A row of a task.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Task {
    pub user_id: Uuid,
    pub open: bool,
    pub revision: i64,
    pub source_task_id: Option<Uuid>,
}

/// A row of a reminder or snooze; times are microseconds since 1970.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Reminder {
    pub id: Uuid,
    pub task_id: Uuid,
    pub trigger_at: Option<i64>,
    pub before_due: Option<i64>,
    /// 1 pending, 2 fired, 3 cancelled.
    pub state: i64,
    /// The notification that a snooze rings again.
    pub snoozes: Option<Uuid>,
}

/// A decision that a reminder fired.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Firing {
    pub event_id: Uuid,
    pub notification_id: Uuid,
    pub reminder_id: Uuid,
    pub task_id: Uuid,
    pub trigger_at: i64,
    pub fired_at: i64,
    pub seen: bool,
}

/// A series.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Series {
    pub task_id: Uuid,
    pub recurrence: Recurrence,
    pub decided_to: Option<i64>,
    pub due_at: Option<i64>,
    pub blocked: bool,
    pub ended: bool,
}

/// A decision to make a slot's task.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Slot {
    pub series_id: Uuid,
    pub slot: i64,
    pub task_id: Uuid,
    pub event_id: Uuid,
    pub epoch: i64,
    /// 1 decided, 2 made, 3 withdrawn.
    pub state: i64,
    pub made_revision: Option<i64>,
}

/// All of it.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Books {
    /// The revision of each owner.
    pub owners: BTreeMap<Uuid, i64>,
    pub changes: Vec<Change>,
    pub outbox: Vec<Outgoing>,
    pub tasks: BTreeMap<Uuid, Task>,
    pub reminders: Vec<Reminder>,
    pub firings: Vec<Firing>,
    /// The owner and the reminder of each notification.
    pub notifications: BTreeMap<Uuid, (Uuid, Uuid)>,
    pub series: BTreeMap<Uuid, Series>,
    pub slots: Vec<Slot>,
    /// Ids and reasons of dead letters.
    pub dead_letters: Vec<String>,
    pub broker: Broker,
}
