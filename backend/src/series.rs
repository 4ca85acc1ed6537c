//! Series: kept in step with the task that carries them, in the same transaction.

use chrono::{DateTime, TimeDelta, Utc};
use todo_domain::{
    Error,
    recurrence::Recurrence,
    series::{self, State},
    task::Task,
};

use crate::{
    store::{Series, SlotState},
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
        let mut decided_to = known.as_ref().filter(|_| anchored).and_then(|known| known.decided_to);
        if known.is_some_and(|known| known.recurrence != *recurrence)
            && let Some(first) = self.withdraw(recurrence).await?
        {
            // Should the series have the slot again, it is decided again.
            decided_to = decided_to.map(|decided| decided.min(first - TimeDelta::microseconds(1)));
        }
        let series = Series {
            recurrence: recurrence.clone(),
            task_id: source.id,
            user_id: self.user_id,
            decided_to,
            due_at: None,
            blocked: false,
            ended_at: None,
        };
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

    /// Notes when the series is to be decided about next. Making is left to that decision.
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
        Ok(self.tx.put_series(&series).await?)
    }
}
