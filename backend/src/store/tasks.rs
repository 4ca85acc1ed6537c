//! Tasks with their tags, reminders and recurrence.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use todo_domain::{
    query::{Filter, Query},
    task::Task,
};
use uuid::Uuid;

use super::Error;

/// How many tasks an owner has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// With status pending.
    pub pending: i64,
    /// With status `in_progress`.
    pub in_progress: i64,
    /// With status completed.
    pub completed: i64,
    /// Not completed, and due before the time asked about.
    pub overdue: i64,
}

/// The tasks of an owner.
#[async_trait]
pub trait Tasks {
    /// The owner's task with this id.
    async fn task(&mut self, user_id: Uuid, id: Uuid) -> Result<Option<Task>, Error>;
    /// The owner's tasks with these ids, in no order.
    async fn tasks(&mut self, user_id: Uuid, ids: &[Uuid]) -> Result<Vec<Task>, Error>;
    /// Stores a new task with tags and reminders (its series: [`super::Time::put_series`]); `false` if the id is taken,
    /// be it by another owner. `request` is the hash of the create, kept if the client chose the id.
    async fn insert_task(&mut self, task: &Task, request: Option<&[u8]>) -> Result<bool, Error>;
    /// The hash kept with the owner's task.
    async fn request_hash(&mut self, user_id: Uuid, id: Uuid) -> Result<Option<Vec<u8>>, Error>;
    /// Writes a known task, and its tags and reminders where they differ from `before`.
    async fn update_task(&mut self, before: &Task, task: &Task) -> Result<(), Error>;
    /// Writes the revision of a change that is not of the content.
    async fn touch_task(&mut self, user_id: Uuid, id: Uuid, revision: i64) -> Result<(), Error> {
        self.touch_tasks(&[(user_id, id, revision)]).await
    }
    /// Writes such revisions of several tasks (owner, id, revision), each named once.
    async fn touch_tasks(&mut self, touched: &[(Uuid, Uuid, i64)]) -> Result<(), Error>;
    /// Removes a task with its tags and reminders.
    async fn delete_task(&mut self, user_id: Uuid, id: Uuid) -> Result<(), Error>;
    /// A page of tasks, and whether there are more.
    async fn list_tasks(&mut self, user_id: Uuid, query: &Query) -> Result<(Vec<Task>, bool), Error>;
    /// How many tasks match.
    async fn count_tasks(&mut self, user_id: Uuid, filter: &Filter) -> Result<i64, Error>;
    /// The tags in use with how many tasks carry each, in case-insensitive order.
    async fn tags(&mut self, user_id: Uuid) -> Result<Vec<(String, i64)>, Error>;
    /// The numbers of tasks. An all-day task is overdue once its day is over, which `day_start` tells: the start of the
    /// present day in the owner's zone.
    async fn counts(&mut self, user_id: Uuid, now: DateTime<Utc>, day_start: DateTime<Utc>) -> Result<Counts, Error>;
}
