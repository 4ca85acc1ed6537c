//! Notifications.

use std::slice;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Error;

/// A reminder that rang.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its id: that of the event which first rang it.
    pub id: Uuid,
    /// The owner.
    pub user_id: Uuid,
    /// The reminder.
    pub reminder_id: Uuid,
    /// Its task.
    pub task_id: Uuid,
    /// The task's title when it rang.
    pub task_title: String,
    /// The task's due date when it rang.
    pub due: Option<DateTime<Utc>>,
    /// When it rang last.
    pub triggered_at: DateTime<Utc>,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
    /// When it rings again.
    pub snoozed_until: Option<DateTime<Utc>>,
    /// The owner's revision at its last change.
    pub revision: i64,
}

/// The notifications of an owner.
#[async_trait]
pub trait Inbox {
    /// A page, newest first.
    async fn list_notifications(
        &mut self,
        user_id: Uuid,
        unread_only: bool,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Notification>, Error>;
    /// How many there are, and how many of them are unread.
    async fn count_notifications(&mut self, user_id: Uuid) -> Result<(i64, i64), Error>;
    /// How many are unread.
    async fn count_unread(&mut self, user_id: Uuid) -> Result<i64, Error>;
    /// Those with these ids.
    async fn notifications(&mut self, user_id: Uuid, ids: &[Uuid]) -> Result<Vec<Notification>, Error> {
        self.notifications_of(&[user_id], ids).await
    }
    /// Those with these ids, of several owners.
    async fn notifications_of(&mut self, user_ids: &[Uuid], ids: &[Uuid]) -> Result<Vec<Notification>, Error>;
    /// Writes one, new or known.
    async fn put_notification(&mut self, notification: &Notification) -> Result<(), Error> {
        self.put_notifications(slice::from_ref(notification)).await
    }
    /// Writes several, new or known, each named once.
    async fn put_notifications(&mut self, notifications: &[Notification]) -> Result<(), Error>;
    /// The ids of those that are unread.
    async fn unread(&mut self, user_id: Uuid) -> Result<Vec<Uuid>, Error>;
    /// The ids of a task's notifications that are snoozed.
    async fn snoozed(&mut self, user_id: Uuid, task_id: Uuid) -> Result<Vec<Uuid>, Error>;
}
