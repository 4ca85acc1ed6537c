//! Series: kept in step with the task that carries them, in the same transaction. Where the next task appears when the
//! last one is closed, it is made there, too.

use chrono::{DateTime, TimeDelta, Utc};
use prost::Message as _;
use todo_domain::{
    Error, ids,
    instance::instance,
    recurrence::{Anchor, Recurrence},
    series::{self, State},
    task::Task,
};
use todo_proto::v1::{self, announcement::Payload};
use uuid::Uuid;

use crate::{
    convert, event,
    store::{Series, Slot, SlotState},
    write::Write,
};

impl Write {
    /// Brings the series that a change of a task concerns up to date: its own, and the one that made it.
    pub(crate) async fn sync_series(&mut self, before: Option<&Task>, after: Option<&Task>) -> Result<(), Error> {
        let old = before.and_then(|task| task.recurrence.as_ref());
        let new = after.and_then(|task| task.recurrence.as_ref());
        if let Some(old) = old.filter(|old| new.is_none_or(|new| new.id != old.id)) {
            self.end_series(old).await?;
        }
        if let (Some(new), Some(task)) = (new, after) {
            self.write_series(new, task).await?;
        }
        let is_open = |task: Option<&Task>| task.is_some_and(|task| task.status.is_open());
        let source = before.or(after).and_then(|task| task.source_task_id);
        if let Some(source) = source.filter(|_| is_open(before) != is_open(after)) {
            // One more or one less is open, which a series that waits for that has to know.
            if let Some(source) = self.tx.task(self.user_id, source).await?
                && let Some(recurrence) = &source.recurrence
                && let Some(series) = self.tx.series(recurrence.id).await?
            {
                self.replan(series, &source).await?;
            }
        }
        Ok(())
    }

    async fn end_series(&mut self, recurrence: &Recurrence) -> Result<(), Error> {
        let Some(mut series) = self.tx.series(recurrence.id).await? else { return Ok(()) };
        series.ended_at = Some(self.now);
        series.due_at = None;
        series.blocked = false;
        self.tx.put_series(&series).await?;
        for mut slot in self.tx.slots(recurrence.id, SlotState::Decided).await? {
            slot.state = SlotState::Withdrawn;
            self.tx.put_slot(&slot).await?;
        }
        Ok(())
    }

    async fn write_series(&mut self, recurrence: &Recurrence, source: &Task) -> Result<(), Error> {
        let known = self.tx.series(recurrence.id).await?;
        let shape = |it: &Recurrence| (it.rule.clone(), it.zone, it.anchor_at);
        let anchored = known.as_ref().is_some_and(|known| shape(&known.recurrence) == shape(recurrence));
        let decided_to = known.as_ref().filter(|_| anchored).and_then(|known| known.decided_to);
        let mut series = Series {
            recurrence: recurrence.clone(),
            task_id: source.id,
            user_id: self.user_id,
            decided_to,
            due_at: None,
            blocked: false,
            ended_at: None,
        };
        if known.is_some_and(|known| known.recurrence != *recurrence) {
            // Before anything is taken back, whose deletion is none that makes another one.
            self.tx.put_series(&series).await?;
            if let Some(first) = self.withdraw(recurrence).await? {
                // Should the series have the slot again, it is decided again.
                series.decided_to = decided_to.map(|decided| decided.min(first - TimeDelta::microseconds(1)));
            }
        }
        self.replan(series, source).await
    }

    /// Takes back what was made ahead for slots that the series no longer has, unless somebody touched it. Answers the
    /// first of those slots.
    async fn withdraw(&mut self, recurrence: &Recurrence) -> Result<Option<DateTime<Utc>>, Error> {
        let mut first = None;
        for mut slot in self.tx.slots_after(recurrence.id, self.now).await? {
            if recurrence.contains(slot.slot) {
                continue;
            }
            if slot.state == SlotState::Made {
                let task = self.tx.task(self.user_id, slot.task_id).await?;
                let untouched = |task: &Task| Some(task.content_revision) == slot.made_revision;
                let Some(task) = task.filter(untouched) else { continue };
                let change = self.change;
                // An instance carries no recurrence, so this does not come back here.
                Box::pin(self.delete(&task)).await?;
                self.change = change;
            }
            slot.state = SlotState::Withdrawn;
            self.tx.put_slot(&slot).await?;
            first = first.or(Some(slot.slot));
        }
        Ok(first)
    }

    /// What is known of a series, as the rules want it.
    pub(crate) async fn series_state(&mut self, series: &Series, source: &Task) -> Result<State, Error> {
        let open = self.tx.open_instances(self.user_id, series.recurrence.id, source.id).await?;
        Ok(State {
            cursor: series.decided_to,
            open_instances: usize::try_from(open).unwrap_or_default(),
            source_open: source.status.is_open(),
            longest_reminder_seconds: series::longest_reminder_seconds(source),
        })
    }

    /// Notes when the series is to be decided about next. Making is left to that decision, except where time decides
    /// nothing.
    pub(crate) async fn replan(&mut self, mut series: Series, source: &Task) -> Result<(), Error> {
        let state = self.series_state(&series, source).await?;
        let plan = series::plan(&series.recurrence, &state, self.now);
        series.blocked = plan.blocked;
        if plan.make.is_empty() {
            series.decided_to = plan.cursor;
            series.due_at = plan.next.map(|next| next.appear_at);
        } else {
            series.due_at = plan.since;
        }
        self.tx.put_series(&series).await?;
        if series.recurrence.anchor == Anchor::Completion {
            // What it makes is open, so this comes back here once and makes no more.
            Box::pin(self.follow(series, source)).await?;
        }
        Ok(())
    }

    /// With `anchor: completion`: makes the next task if the last one is closed.
    ///
    /// It is asked at every change that may matter and looks at what is stored, so it does not matter which one closed the
    /// last task, nor how often: that task has one successor.
    async fn follow(&mut self, mut series: Series, source: &Task) -> Result<(), Error> {
        let id = series.recurrence.id;
        let (made, last) = self.tx.made(id).await?;
        if series.recurrence.count.is_some_and(|count| made + 1 >= count) {
            series.recurrence.ends_at = Some(series.recurrence.ends_at.map_or(self.now, |end| end.min(self.now)));
            return Ok(self.tx.put_series(&series).await?);
        }
        let last_id = last.unwrap_or(source.id);
        let last =
            if last_id == source.id { Some(source.clone()) } else { self.tx.task(self.user_id, last_id).await? };
        let is_open = last.as_ref().is_some_and(|last| last.status.is_open());
        // One that time decided, before the series was told not to go by it, is on its way.
        if series.recurrence.paused || is_open || !self.tx.slots(id, SlotState::Decided).await?.is_empty() {
            return Ok(());
        }
        let closed_at = last.and_then(|last| last.completed_at).unwrap_or(self.now);
        let Some(due) = series.recurrence.next_after_closing(closed_at) else { return Ok(()) };
        let task_id = ids::follower_id(id, last_id);
        // It may have been made before, and taken back when the series went by time.
        let epoch = self.tx.slot_of(task_id).await?.map_or(0, |known| known.epoch + 1);
        let ids = (task_id, ids::follower_event_id(id, last_id, epoch));
        let (slot, scheduled) = decided_slot(&series, source, (due, None), ids, epoch, self.now);
        // Nothing waits for it: it goes the way of what a request announces, and not by the scheduler.
        self.announce(event::scheduled(&slot, self.user_id, &scheduled));
        let change = self.change;
        self.make(slot, source).await?;
        self.change = change;
        Ok(())
    }

    /// Makes the task of a slot.
    pub(crate) async fn make(&mut self, mut slot: Slot, source: &Task) -> Result<(), Error> {
        let mut task = instance(source, slot.task_id, slot.slot, self.now, self.zone);
        // Before the task, whose making plans the series anew by what was made and is open.
        slot.state = SlotState::Made;
        slot.made_revision = Some(self.coming());
        self.tx.put_slot(&slot).await?;
        if !self.create(&mut task, None).await? {
            slot.made_revision = None;
            self.tx.put_slot(&slot).await?;
        }
        Ok(())
    }
}

/// The decision to make a task for a slot, before another, under its id and that of the event that says so.
pub(crate) fn decided_slot(
    series: &Series,
    source: &Task,
    (slot, next): (DateTime<Utc>, Option<DateTime<Utc>>),
    (task_id, event_id): (Uuid, Uuid),
    epoch: i32,
    now: DateTime<Utc>,
) -> (Slot, v1::RecurringScheduled) {
    let scheduled = v1::RecurringScheduled {
        source_task_id: source.id.to_string(),
        new_task_id: task_id.to_string(),
        user_id: source.user_id.to_string(),
        title: source.title.clone(),
        description: source.description.clone(),
        priority: convert::proto_priority(source.priority).into(),
        tags: source.tags.clone(),
        recurrence_type: convert::recurrence_type(&series.recurrence).into(),
        scheduled_for: Some(convert::timestamp(slot)),
        next_occurrence: next.map(convert::timestamp),
    };
    let announcement = v1::Announcement {
        event_id: event_id.to_string(),
        time: Some(convert::timestamp(now)),
        payload: Some(Payload::RecurringScheduled(scheduled.clone())),
        traceparent: None,
    };
    let slot = Slot {
        series_id: series.recurrence.id,
        slot,
        task_id,
        event_id,
        epoch,
        state: SlotState::Decided,
        decided_at: now,
        announcement: announcement.encode_to_vec(),
        made_revision: None,
    };
    (slot, scheduled)
}
