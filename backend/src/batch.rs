//! Changes of many owners in one transaction, for what time does to many at once: as in a [`crate::write::Write`] every
//! change takes its owner's next revision and leaves a row in the change log, but by a few statements for all of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use todo_domain::Error;
use uuid::Uuid;

use crate::{
    store::{Change, ChangeKind, Tx},
    write::Settled,
};

/// Owners who are locked, and what changes for them.
pub(crate) struct Batch {
    now: DateTime<Utc>,
    /// Each owner's revision after what was noted so far.
    revisions: BTreeMap<Uuid, i64>,
    changes: Vec<(Uuid, Change)>,
}

impl Batch {
    /// Locks owners; those who are gone are left out.
    pub(crate) async fn lock(tx: &mut dyn Tx, user_ids: &[Uuid], now: DateTime<Utc>) -> Result<Self, Error> {
        let owners = tx.lock_owners(user_ids).await?;
        let revisions = owners.into_iter().map(|(id, owner)| (id, owner.revision)).collect();
        Ok(Self { now, revisions, changes: Vec::new() })
    }

    /// The owners, each once.
    pub(crate) fn owners(&self) -> Vec<Uuid> {
        self.revisions.keys().copied().collect()
    }

    /// Whether this owner is one of them.
    pub(crate) fn has(&self, user_id: Uuid) -> bool {
        self.revisions.contains_key(&user_id)
    }

    /// Notes a change and answers with its revision; nothing unless the owner is locked.
    pub(crate) fn note(&mut self, user_id: Uuid, kind: ChangeKind, entity_id: Uuid) -> Option<i64> {
        let revision = self.revisions.get_mut(&user_id)?;
        *revision += 1;
        let change = Change { revision: *revision, kind, entity_id, before: None, fields: Vec::new(), at: self.now };
        self.changes.push((user_id, change));
        Some(*revision)
    }

    /// Writes what was noted; the answer is for [`crate::core::Core::committed`] once the transaction is.
    pub(crate) async fn write(self, tx: &mut dyn Tx) -> Result<Vec<Settled>, Error> {
        tx.add_changes(&self.changes).await?;
        let moved: BTreeMap<Uuid, i64> =
            self.changes.iter().map(|(user_id, change)| (*user_id, change.revision)).collect();
        let moved: Vec<_> = moved.into_iter().collect();
        tx.set_revisions(&moved).await?;
        Ok(moved.into_iter().map(|(user_id, _)| Settled { user_id, changed: true, announced: false }).collect())
    }
}
