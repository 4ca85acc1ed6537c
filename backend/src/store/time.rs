//! What time does: reminders that fire, series that make tasks, and the decisions about both.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use todo_domain::recurrence::Recurrence;
use uuid::Uuid;

use super::Error;

/// What kind of thing is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueKind {
    /// A reminder, at its trigger time.
    Reminder = 1,
    /// A series, when its next task is to appear.
    Series = 2,
}

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRow {
    /// When.
    pub at: DateTime<Utc>,
    /// What kind.
    pub kind: DueKind,
    /// The reminder or the series.
    pub id: Uuid,
    /// Its task; of a series, the source.
    pub task_id: Uuid,
    /// The owner.
    pub user_id: Uuid,
}

/// A reminder or a snooze, as the one that decides about it needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderRow {
    /// Its id.
    pub id: Uuid,
    /// Its task.
    pub task_id: Uuid,
    /// The owner.
    pub user_id: Uuid,
    /// When it rings.
    pub trigger_at: DateTime<Utc>,
    /// A snooze: the notification that rings again.
    pub notification_id: Option<Uuid>,
    /// The W3C `traceparent` of the request that set the reminder.
    pub traceparent: Option<String>,
}

/// What a reminder says of its task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The owner.
    pub user_id: Uuid,
    /// The task's title.
    pub title: String,
    /// When it is due.
    pub due: Option<DateTime<Utc>>,
}

/// A recurrence and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The rule; its id is the series' id.
    pub recurrence: Recurrence,
    /// The task that carries it.
    pub task_id: Uuid,
    /// The owner.
    pub user_id: Uuid,
    /// The last slot decided.
    pub decided_to: Option<DateTime<Utc>>,
    /// When the next one is to be decided.
    pub due_at: Option<DateTime<Utc>>,
    /// Nothing is made because too many of its tasks are open.
    pub blocked: bool,
    /// When its task was deleted or the recurrence cleared.
    pub ended_at: Option<DateTime<Utc>>,
}

/// How far a slot has come. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// Its task is to be made.
    Decided = 1,
    /// Its task was made; whatever became of it since.
    Made = 2,
    /// A change of the rule took it back.
    Withdrawn = 3,
}

/// The decision to make a slot's task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The series.
    pub series_id: Uuid,
    /// The slot.
    pub slot: DateTime<Utc>,
    /// The task it becomes.
    pub task_id: Uuid,
    /// The event that announces it.
    pub event_id: Uuid,
    /// How often it was withdrawn and came back.
    pub epoch: i32,
    /// How far it has come.
    pub state: SlotState,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// The encoded `Announcement`: the same bytes whenever it is published again.
    pub announcement: Vec<u8>,
    /// The content revision with which its task was made.
    pub made_revision: Option<i64>,
}

/// The decision that a reminder fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The event that announces it.
    pub event_id: Uuid,
    /// The notification that rings.
    pub notification_id: Uuid,
    /// The reminder.
    pub reminder_id: Uuid,
    /// Its task.
    pub task_id: Uuid,
    /// The owner.
    pub user_id: Uuid,
    /// The task's title at that moment.
    pub task_title: String,
    /// The task's due date at that moment.
    pub due: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub trigger_at: DateTime<Utc>,
    /// When it was decided.
    pub fired_at: DateTime<Utc>,
    /// Its notification was written.
    pub seen: bool,
    /// The W3C `traceparent` of the request that set the reminder.
    pub traceparent: Option<String>,
}

/// Reminders, series, slots and firings.
#[async_trait]
pub trait Time {
    /// What is due up to `until`, in order of (time, kind, id), after the given place.
    async fn due(
        &mut self,
        until: DateTime<Utc>,
        after: Option<(DateTime<Utc>, DueKind, Uuid)>,
        limit: i64,
    ) -> Result<Vec<DueRow>, Error>;

    /// The pending ones among these reminders, snoozes included.
    async fn pending_reminders(&mut self, ids: &[Uuid]) -> Result<Vec<ReminderRow>, Error>;
    /// What these tasks of these owners are called, and when they are due.
    async fn outlines(&mut self, user_ids: &[Uuid], task_ids: &[Uuid]) -> Result<BTreeMap<Uuid, Outline>, Error>;
    /// Notes that reminders of these owners fired.
    async fn set_fired(&mut self, user_ids: &[Uuid], ids: &[Uuid]) -> Result<(), Error>;
    /// Writes the snooze of a notification, new or moved.
    async fn put_snooze(&mut self, reminder: &ReminderRow, now: DateTime<Utc>) -> Result<(), Error>;
    /// Cancels the snoozes of a task.
    async fn cancel_snoozes(&mut self, user_id: Uuid, task_id: Uuid) -> Result<(), Error>;

    /// Writes a series, new or known.
    async fn put_series(&mut self, series: &Series) -> Result<(), Error>;
    /// A series by its id.
    async fn series(&mut self, id: Uuid) -> Result<Option<Series>, Error>;

    /// Writes a slot, new or known.
    async fn put_slot(&mut self, slot: &Slot) -> Result<(), Error>;
    /// The slot at a moment; of several, one that was not withdrawn, or else the one that was most often.
    async fn slot(&mut self, series_id: Uuid, slot: DateTime<Utc>) -> Result<Option<Slot>, Error>;
    /// The slot whose task this is.
    async fn slot_of(&mut self, task_id: Uuid) -> Result<Option<Slot>, Error>;
    /// The slots of a series in a state.
    async fn slots(&mut self, series_id: Uuid, state: SlotState) -> Result<Vec<Slot>, Error>;
    /// The slots of a series that lie after a moment.
    async fn slots_after(&mut self, series_id: Uuid, after: DateTime<Utc>) -> Result<Vec<Slot>, Error>;
    /// How many tasks of a series were made, and which of them last.
    async fn made(&mut self, series_id: Uuid) -> Result<(i64, Option<Uuid>), Error>;
    /// How many tasks of a series are open, those decided and not made yet included.
    async fn open_instances(&mut self, user_id: Uuid, series_id: Uuid, source: Uuid) -> Result<i64, Error>;

    /// Adds a firing; `false` if it is there already.
    async fn add_firing(&mut self, firing: &Firing) -> Result<bool, Error> {
        Ok(!self.add_firings(slice::from_ref(firing)).await?.is_empty())
    }
    /// Adds firings; answers with the events of those that were not there already.
    async fn add_firings(&mut self, firings: &[Firing]) -> Result<BTreeSet<Uuid>, Error>;
    /// A firing by its event.
    async fn firing(&mut self, event_id: Uuid) -> Result<Option<Firing>, Error> {
        Ok(self.firings(&[event_id]).await?.pop())
    }
    /// Firings by their events.
    async fn firings(&mut self, event_ids: &[Uuid]) -> Result<Vec<Firing>, Error>;
    /// Notes that the notifications of firings were written.
    async fn set_seen(&mut self, event_ids: &[Uuid]) -> Result<(), Error>;
    /// What was decided before a moment and has had no effect yet, oldest first; then what was decided more than a minute
    /// after it, which a clock did that ran ahead.
    async fn unseen(&mut self, before: DateTime<Utc>, limit: i64) -> Result<(Vec<Firing>, Vec<Slot>), Error>;
}
