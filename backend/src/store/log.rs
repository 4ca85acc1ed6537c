//! What happened: revisions, the change log, replies kept for repeated requests.

use std::{collections::BTreeMap, slice};

use async_trait::async_trait;
use chrono::{DateTime, Utc, Weekday};
use uuid::Uuid;

use super::Error;

/// The change counter of an owner, and what else every request needs of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The revision of the last change.
    pub revision: i64,
    /// Changes up to this revision are no longer kept.
    pub floor: i64,
    /// The owner's IANA time zone.
    pub time_zone: String,
    /// The owner's first day of the week.
    pub week_start: Weekday,
    /// An operator closed the account.
    pub disabled: bool,
}

/// What a change was. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ChangeKind {
    Created = 1,
    Updated = 2,
    Completed = 3,
    Deleted = 4,
    /// A reminder of the task fired.
    ReminderFired = 5,
    /// A notification rang.
    Notified = 6,
    /// A notification was read or snoozed.
    NotificationUpdated = 7,
}

impl ChangeKind {
    pub(super) fn from_stored(kind: i64) -> Result<Self, Error> {
        Ok(match kind {
            1 => Self::Created,
            2 => Self::Updated,
            3 => Self::Completed,
            4 => Self::Deleted,
            5 => Self::ReminderFired,
            6 => Self::Notified,
            7 => Self::NotificationUpdated,
            _ => return Err(Error::Corrupt("change kind")),
        })
    }
}

/// One revision of an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The revision.
    pub revision: i64,
    /// What happened.
    pub kind: ChangeKind,
    /// The task or notification it happened to.
    pub entity_id: Uuid,
    /// JSON of the task before; absent if there was none, or if undo has no use for it.
    pub before: Option<String>,
    /// The task's fields that changed.
    pub fields: Vec<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// The kept answer to a request that carried an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// SHA-256 of the rpc and its request.
    pub request: Vec<u8>,
    /// The encoded response.
    pub response: Vec<u8>,
    /// The revision of the change, if there was one.
    pub revision: Option<i64>,
    /// Whether an event was committed with it.
    pub announced: bool,
}

/// Revisions, changes and replies.
#[async_trait]
pub trait Log {
    /// Locks the owner's row until the transaction ends, so that revision order is commit order.
    async fn lock_owner(&mut self, user_id: Uuid) -> Result<Option<Owner>, Error> {
        Ok(self.lock_owners(&[user_id]).await?.remove(&user_id))
    }
    /// Locks the rows of several owners, always in the order of their ids, so that two who do so never wait for each
    /// other. An owner who is gone is missing in the answer.
    async fn lock_owners(&mut self, user_ids: &[Uuid]) -> Result<BTreeMap<Uuid, Owner>, Error>;
    /// The owner without a lock.
    async fn owner(&mut self, user_id: Uuid) -> Result<Option<Owner>, Error>;
    /// Moves the owner's counter.
    async fn set_revision(&mut self, user_id: Uuid, revision: i64) -> Result<(), Error> {
        self.set_revisions(&[(user_id, revision)]).await
    }
    /// Moves the counters of several owners, each named once.
    async fn set_revisions(&mut self, revisions: &[(Uuid, i64)]) -> Result<(), Error>;
    /// The counters of several owners.
    async fn revisions(&mut self, user_ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, Error>;

    /// Makes all revisions so much greater, and has whoever follows changes start over: after a restore, what those of
    /// the lost time were known by must not come again for something else.
    async fn jump(&mut self, by: i64) -> Result<(), Error>;

    /// Adds a row to the change log.
    async fn add_change(&mut self, user_id: Uuid, change: &Change) -> Result<(), Error> {
        self.add_changes(slice::from_ref(&(user_id, change.clone()))).await
    }
    /// Adds rows to the change logs of their owners.
    async fn add_changes(&mut self, changes: &[(Uuid, Change)]) -> Result<(), Error>;
    /// One change.
    async fn change(&mut self, user_id: Uuid, revision: i64) -> Result<Option<Change>, Error>;
    /// The changes after a revision, in order, without their before-images.
    async fn changes(&mut self, user_id: Uuid, since: i64, limit: i64) -> Result<Vec<Change>, Error>;
    /// Whether the owner deleted a task with this id within the time changes are kept.
    async fn was_deleted(&mut self, user_id: Uuid, task_id: Uuid) -> Result<bool, Error>;

    /// The kept answer to a key.
    async fn reply(&mut self, user_id: Uuid, key: &str) -> Result<Option<Reply>, Error>;
    /// Keeps an answer.
    async fn add_reply(&mut self, user_id: Uuid, key: &str, reply: &Reply, at: DateTime<Utc>) -> Result<(), Error>;

    /// Removes up to `limit` rows of each kind that nobody needs any more: changes, published events, firings that were
    /// seen and ended series before `week_ago`; replies before `day_ago`; attempts before `hour_ago`; refresh tokens
    /// that have expired; decisions, and personal tokens that expired, 30 days ago. Answers how many there were.
    async fn purge(
        &mut self,
        now: DateTime<Utc>,
        hour_ago: DateTime<Utc>,
        day_ago: DateTime<Utc>,
        week_ago: DateTime<Utc>,
        limit: i64,
    ) -> Result<u64, Error>;
}
