//! A write: one transaction that begins by locking its owner, in which every change takes a revision, leaves a row in
//! the change log and puts its event into the outbox.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use prost::Message;
use todo_domain::{
    Error,
    error::Reason,
    recurrence::Anchor,
    task::{Context, Field, Outcome, Task},
};
use tonic::{Response, metadata::MetadataValue};
use uuid::Uuid;

use crate::{
    core::{self, Call, Core},
    event,
    store::{Change, ChangeKind, Outgoing, Reply, Tx},
};

/// What a call to write begins with.
pub(crate) enum Begin {
    /// It was made before: this was the answer.
    Again(Reply),
    /// It is to be made.
    New(Write),
}

/// A write in progress; dropped, it did not happen.
pub(crate) struct Write {
    core: Arc<Core>,
    pub(crate) tx: Box<dyn Tx>,
    pub(crate) user_id: Uuid,
    pub(crate) zone: Tz,
    pub(crate) now: DateTime<Utc>,
    /// The account is closed: its owner writes no more, but time goes on.
    disabled: bool,
    validate_only: bool,
    key: Option<(String, Vec<u8>)>,
    /// The owner's revision when the write began.
    before: i64,
    /// The owner's revision after what was written so far.
    revision: i64,
    /// The change of a task that the write is about, by which it can be undone; others may follow from it.
    pub(crate) change: Option<i64>,
    outgoing: Vec<Outgoing>,
}

impl Core {
    /// Begins what a caller wants to write.
    pub(crate) async fn begin(self: &Arc<Self>, call: Call) -> Result<Begin, Error> {
        let mut write = self.begin_for(call.user_id, call.now).await?;
        if write.disabled {
            return Err(core::gone());
        }
        write.validate_only = call.validate_only;
        if let Some((key, request)) = call.key {
            if let Some(reply) = write.tx.reply(call.user_id, &key).await? {
                if reply.request != request {
                    return Err(Error::new(
                        Reason::IdempotencyConflict,
                        "this idempotency key was used for another request within the last 24 hours",
                    ));
                }
                return Ok(Begin::Again(reply));
            }
            write.key = Some((key, request));
        }
        Ok(Begin::New(write))
    }

    /// Begins what time or an event wants to write for an owner.
    pub(crate) async fn begin_for(self: &Arc<Self>, user_id: Uuid, now: DateTime<Utc>) -> Result<Write, Error> {
        let tx = self.store.begin().await?;
        self.join(tx, user_id, now).await
    }

    /// Goes on with a transaction for an owner, which it locks.
    pub(crate) async fn join(
        self: &Arc<Self>,
        mut tx: Box<dyn Tx>,
        user_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Write, Error> {
        let owner = tx.lock_owner(user_id).await?.ok_or_else(core::gone)?;
        Ok(Write {
            core: Arc::clone(self),
            tx,
            user_id,
            zone: core::zone(&owner),
            now,
            disabled: owner.disabled,
            validate_only: false,
            key: None,
            before: owner.revision,
            revision: owner.revision,
            change: None,
            outgoing: Vec::new(),
        })
    }
}

impl Write {
    pub(crate) fn context(&self) -> Context<'_> {
        Context { now: self.now, zone: self.zone, user_id: self.user_id, ids: self.core.ids.as_ref() }
    }

    /// The change that the write is about, or else the owner's revision.
    pub(crate) fn change(&self) -> i64 {
        self.change.unwrap_or(self.revision)
    }

    pub(crate) fn next_revision(&mut self) -> i64 {
        self.revision += 1;
        self.revision
    }

    /// The revision that the next change takes.
    pub(crate) fn coming(&self) -> i64 {
        self.revision + 1
    }

    /// Puts an event beside those of the changes.
    pub(crate) fn announce(&mut self, event: Outgoing) {
        self.outgoing.push(event);
    }

    /// A new event's id.
    fn event_id(&self) -> Uuid {
        self.core.ids.new_id(self.now)
    }

    /// The owner's task.
    pub(crate) async fn task(&mut self, id: Uuid) -> Result<Task, Error> {
        self.tx.task(self.user_id, id).await?.ok_or_else(task_not_found)
    }

    /// Refuses if the task's content changed after the revision that the caller knows.
    pub(crate) fn expect(&self, task: &Task, expected: Option<i64>) -> Result<(), Error> {
        match expected {
            Some(known) if known < task.content_revision || known > self.before => Err(Error::new(
                Reason::RevisionConflict,
                format!("the task has changed: it is at revision {}, not {known}", task.revision),
            )),
            _ => Ok(()),
        }
    }

    /// Stores a new task and announces it; `false` if its id is taken.
    pub(crate) async fn create(&mut self, task: &mut Task, request: Option<&[u8]>) -> Result<bool, Error> {
        let revision = self.coming();
        task.revision = revision;
        task.content_revision = revision;
        task.updated_at = task.updated_at.max(self.now);
        if !self.tx.insert_task(task, request).await? {
            return Ok(false);
        }
        self.revision = revision;
        self.change = Some(revision);
        self.record(ChangeKind::Created, task.id, None, &[]).await?;
        self.sync_series(None, Some(task)).await?;
        let event = event::created(self.event_id(), task, self.now);
        self.outgoing.push(event);
        Ok(true)
    }

    /// Stores what became of a task and announces it; `task` leaves with its revision.
    pub(crate) async fn update(&mut self, before: &Task, task: &mut Task, outcome: &Outcome) -> Result<(), Error> {
        if outcome.is_unchanged() {
            return Ok(());
        }
        let updated_at = self.now.max(before.updated_at);
        let stamp = |task: &mut Task, revision| {
            task.revision = revision;
            task.content_revision = revision;
            task.updated_at = updated_at;
        };
        // What the completion finds: the task as edited, if the same request did both.
        let mut between = before.clone();
        if !outcome.updated.is_empty() {
            between = outcome.between.as_deref().unwrap_or(task).clone();
            let revision = self.next_revision();
            self.change = Some(revision);
            stamp(&mut between, revision);
            self.record(ChangeKind::Updated, task.id, Some(before), &outcome.updated).await?;
            let event = event::updated(self.event_id(), before, &between, &outcome.updated, self.now);
            self.outgoing.push(event);
        }
        if outcome.completed {
            self.change = Some(self.next_revision());
            self.record(ChangeKind::Completed, task.id, Some(&between), &[Field::Status]).await?;
            self.end_snoozes(task.id).await?;
        }
        stamp(task, self.change());
        self.tx.update_task(before, task).await?;
        self.sync_series(Some(before), Some(task)).await?;
        if let Some(recurrence) = &mut task.recurrence
            && recurrence.anchor == Anchor::Completion
            && let Some(series) = self.tx.series(recurrence.id).await?
        {
            // Its last task may just have been made.
            recurrence.ends_at = series.recurrence.ends_at;
        }
        if outcome.completed {
            let event = event::completed(self.event_id(), task, self.now);
            self.outgoing.push(event);
        }
        Ok(())
    }

    /// Removes a task and announces it.
    pub(crate) async fn delete(&mut self, task: &Task) -> Result<(), Error> {
        let revision = self.next_revision();
        self.change = Some(revision);
        self.record(ChangeKind::Deleted, task.id, Some(task), &[]).await?;
        self.end_snoozes(task.id).await?;
        self.tx.delete_task(self.user_id, task.id).await?;
        self.sync_series(Some(task), None).await?;
        let event = event::deleted(self.event_id(), task, revision, self.now);
        self.outgoing.push(event);
        Ok(())
    }

    /// Writes the change-log row of the present revision.
    pub(crate) async fn record(
        &mut self,
        kind: ChangeKind,
        entity_id: Uuid,
        before: Option<&Task>,
        fields: &[Field],
    ) -> Result<(), Error> {
        let change = Change {
            revision: self.revision,
            kind,
            entity_id,
            before: before.map(serde_json::to_string).transpose().map_err(Error::internal)?,
            fields: fields.iter().map(|field| field.as_str().to_owned()).collect(),
            at: self.now,
        };
        Ok(self.tx.add_change(self.user_id, &change).await?)
    }

    /// A snooze dies with its task's completion or deletion.
    async fn end_snoozes(&mut self, task_id: Uuid) -> Result<(), Error> {
        let ids = self.tx.snoozed(self.user_id, task_id).await?;
        if ids.is_empty() {
            return Ok(());
        }
        self.tx.cancel_snoozes(self.user_id, task_id).await?;
        for mut notification in self.tx.notifications(self.user_id, &ids).await? {
            notification.snoozed_until = None;
            notification.revision = self.next_revision();
            self.tx.put_notification(&notification).await?;
            self.record(ChangeKind::NotificationUpdated, notification.id, None, &[]).await?;
        }
        Ok(())
    }

    /// Commits, and answers the caller with what was done.
    pub(crate) async fn finish<M: Message>(mut self, response: M) -> Result<Response<M>, Error> {
        if self.validate_only {
            return Ok(Response::new(response));
        }
        let reply = Reply {
            request: Vec::new(),
            response: response.encode_to_vec(),
            revision: (self.revision > self.before).then_some(self.change()),
            announced: !self.outgoing.is_empty(),
        };
        if let Some((key, request)) = self.key.take() {
            let kept = Reply { request, ..reply.clone() };
            self.tx.add_reply(self.user_id, &key, &kept, self.now).await?;
        }
        self.commit().await?;
        Ok(with_outcome(response, &reply))
    }

    /// Commits what time or an event wanted.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        let core = Arc::clone(&self.core);
        let (tx, done) = self.settle().await?;
        tx.commit().await?;
        core.committed(&done);
        Ok(())
    }

    /// Writes what is left of this owner's part and hands the transaction back, to be committed with others.
    pub(crate) async fn settle(mut self) -> Result<(Box<dyn Tx>, Settled), Error> {
        if self.revision > self.before {
            self.tx.set_revision(self.user_id, self.revision).await?;
        }
        self.tx.add_outgoing(&self.outgoing).await?;
        let settled = Settled {
            user_id: self.user_id,
            changed: self.revision > self.before,
            announced: !self.outgoing.is_empty(),
        };
        Ok((self.tx, settled))
    }
}

/// What to tell others once a transaction is committed.
pub(crate) struct Settled {
    pub(crate) user_id: Uuid,
    pub(crate) changed: bool,
    pub(crate) announced: bool,
}

impl Core {
    /// Wakes who waits for what was committed.
    pub(crate) fn committed(&self, done: &Settled) {
        if done.changed {
            self.hub.wake(done.user_id);
            // Where nobody takes them, or not fast enough, other replicas find out by themselves.
            let _ = self.changed.try_send(done.user_id);
        }
        if done.announced {
            self.outgoing.notify_one();
        }
    }
}

/// The kept answer to a request that was made before.
pub(crate) fn again<M: Message + Default>(reply: &Reply) -> Result<Response<M>, Error> {
    let response = M::decode(reply.response.as_slice()).map_err(Error::internal)?;
    Ok(with_outcome(response, reply))
}

/// Metadata: whether an event was committed with the change, and the revision by which the change can be undone.
fn with_outcome<M>(response: M, reply: &Reply) -> Response<M> {
    let mut response = Response::new(response);
    let metadata = response.metadata_mut();
    metadata.insert("x-event-published", MetadataValue::from_static(if reply.announced { "true" } else { "false" }));
    if let Some(revision) = reply.revision {
        metadata.insert("x-revision", revision.into());
    }
    response
}

pub(crate) fn task_not_found() -> Error {
    Error::new(Reason::TaskNotFound, "there is no such task")
}
