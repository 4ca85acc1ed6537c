//! Reminders: a moment, and whether it is still to come.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Context;
use crate::{
    clock::{self, Timestamp},
    error::Violations,
    limits,
    names::named,
};

/// What a reminder is about to do, or did. Fired and cancelled exclude each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ReminderState {
    /// It will ring.
    #[default]
    Pending,
    /// It rang.
    Fired,
    /// It will not ring.
    Cancelled,
}

named!(ReminderState { Pending = "pending", Fired = "fired", Cancelled = "cancelled" });

/// What a reminder's moment is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// An instant.
    At(Timestamp),
    /// So many seconds before the due date, with which it moves.
    BeforeDue(i64),
}

/// A reminder as it is kept with its task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    /// UUID version 7; version 5 in an instance.
    pub id: Uuid,
    /// What its moment is tied to.
    pub when: When,
    /// The instant at which it rings, rang or would have rung. Nothing only for a cancelled relative one whose task
    /// has no due date.
    pub trigger_at: Option<Timestamp>,
    /// Whether it is still to come.
    pub state: ReminderState,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A reminder that a request asks for.
///
/// When both times are given, `before_due_seconds` is what counts and `trigger_at` only its reading: that is how a
/// relative reminder is shown, and what was read can be sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReminderDraft {
    /// The reminder that this entry is. An unknown id is ignored and a new one given.
    pub id: Option<Uuid>,
    /// The instant of an absolute reminder.
    pub trigger_at: Option<Timestamp>,
    /// The offset of a relative one: 0 to 31,536,000 seconds before the due date.
    pub before_due_seconds: Option<i64>,
}

impl From<&Reminder> for ReminderDraft {
    /// What a reader of the reminder would send back.
    fn from(reminder: &Reminder) -> Self {
        Self {
            id: Some(reminder.id),
            trigger_at: reminder.trigger_at,
            before_due_seconds: reminder.before_due_seconds(),
        }
    }
}

impl Reminder {
    /// The offset of a relative reminder, in seconds.
    #[must_use]
    pub fn before_due_seconds(&self) -> Option<i64> {
        match self.when {
            When::BeforeDue(seconds) => Some(seconds),
            When::At(_) => None,
        }
    }

    /// Whether it is still to ring.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.state == ReminderState::Pending
    }

    /// Moves a relative reminder along with `base`, the instant it counts from. For a new moment it is armed again;
    /// one whose moment stays keeps its state. Without a base it is cancelled, unless it fired.
    pub(super) fn retime(&mut self, base: Option<Timestamp>, open: bool, now: Timestamp) {
        let When::BeforeDue(seconds) = self.when else { return };
        let moment = base.map(|base| base - TimeDelta::seconds(seconds));
        if moment == self.trigger_at {
            return;
        }
        match moment {
            Some(moment) => {
                self.trigger_at = Some(moment);
                self.state = armed(moment, open, now);
            }
            None if self.state == ReminderState::Fired => {}
            None => {
                self.trigger_at = None;
                self.state = ReminderState::Cancelled;
            }
        }
    }

    /// Brings back a reminder of a before-image: one that rang since stays fired, one that can no longer ring is
    /// cancelled.
    pub(super) fn restore(&mut self, present: Option<&Self>, open: bool, now: Timestamp) {
        if !self.is_pending() {
            return;
        }
        let rang = present.is_some_and(|it| it.state == ReminderState::Fired && it.trigger_at == self.trigger_at);
        self.state = match self.trigger_at {
            _ if rang => ReminderState::Fired,
            Some(moment) => armed(moment, open, now),
            None => ReminderState::Cancelled,
        };
    }

    pub(super) fn cancel(&mut self) {
        if self.is_pending() {
            self.state = ReminderState::Cancelled;
        }
    }

    /// Whether a request that names this moment means this reminder.
    fn is_meant_by(&self, when: When) -> bool {
        self.when == when || matches!(when, When::At(at) if self.trigger_at == Some(at))
    }
}

/// The order in which reminders are kept, so that it does not depend on how they were sent.
pub(super) fn sort(reminders: &mut [Reminder]) {
    reminders.sort_by_key(|reminder| (reminder.trigger_at.is_none(), reminder.trigger_at, reminder.id));
}

/// The list that replaces a task's reminders.
pub(super) struct Replacement<'a> {
    /// The reminders as they were read.
    pub(super) read: &'a [Reminder],
    /// The same, moved along with the due date.
    pub(super) moved: &'a [Reminder],
    /// The instant that relative ones count from.
    pub(super) base: Option<Timestamp>,
    /// Whether the task is open.
    pub(super) open: bool,
}

impl Replacement<'_> {
    /// The new list. An entry equal in id, trigger time or offset to an existing reminder is that one: it keeps its id,
    /// and its state too unless the entry gives that id another moment. Of equal entries only the first is kept.
    pub(super) fn make(
        &self,
        drafts: &[ReminderDraft],
        context: &Context<'_>,
        violations: &mut Violations,
    ) -> Vec<Reminder> {
        let within = violations.check(drafts.len() <= limits::REMINDERS_MAX, "reminders", || {
            format!("must be at most {}, got {}", limits::REMINDERS_MAX, drafts.len())
        });
        if !within {
            return Vec::new();
        }
        let named: Vec<_> = drafts.iter().map(|draft| self.position(|it| Some(it.id) == draft.id)).collect();
        let mut made: Vec<Reminder> = Vec::with_capacity(drafts.len());
        for (index, draft) in drafts.iter().enumerate() {
            let reminder = violations.nested(&format!("reminders[{index}]"), |violations| {
                self.make_one(draft, named[index], &named, context, violations)
            });
            made.extend(reminder.filter(|new| !made.iter().any(|old| old.id == new.id || old.when == new.when)));
        }
        sort(&mut made);
        made
    }

    fn make_one(
        &self,
        draft: &ReminderDraft,
        named: Option<usize>,
        taken: &[Option<usize>],
        context: &Context<'_>,
        violations: &mut Violations,
    ) -> Option<Reminder> {
        let when = match (draft.before_due_seconds, draft.trigger_at) {
            (Some(seconds), _) => violations
                .check((0..=limits::BEFORE_DUE_MAX_SECONDS).contains(&seconds), "before_due_seconds", || {
                    format!("must be 0 to {}, got {seconds}", limits::BEFORE_DUE_MAX_SECONDS)
                })
                .then_some(When::BeforeDue(seconds))?,
            (None, Some(at)) => When::At(clock::check(at, "trigger_at", violations)),
            (None, None) => {
                violations.check(named.is_some(), "", || "must have trigger_at or before_due_seconds");
                self.read[named?].when
            }
        };
        let existing = named.or_else(|| {
            self.read.iter().enumerate().position(|(index, it)| it.is_meant_by(when) && !taken.contains(&Some(index)))
        });
        if let Some(index) = existing.filter(|index| self.read[*index].is_meant_by(when)) {
            return Some(self.moved[index].clone());
        }
        let (moment, state) = self.arm(when, context.now, violations)?;
        Some(Reminder {
            id: existing.map_or_else(|| context.ids.new_id(context.now), |index| self.read[index].id),
            when,
            trigger_at: Some(moment),
            state,
            created_at: existing.map_or(context.now, |index| self.read[index].created_at),
        })
    }

    /// The moment and state of a reminder that is new, or moved by its owner.
    fn arm(&self, when: When, now: Timestamp, violations: &mut Violations) -> Option<(Timestamp, ReminderState)> {
        let moment = match when {
            When::At(at) => violations
                .check(at > now, "trigger_at", || format!("must be in the future, got {}", clock::name(at)))
                .then_some(at)?,
            When::BeforeDue(seconds) => {
                violations.check(
                    self.base.is_some(),
                    "before_due_seconds",
                    || "must only be given when the task has a due date",
                );
                self.base? - TimeDelta::seconds(seconds)
            }
        };
        Some((moment, armed(moment, self.open, now)))
    }

    fn position(&self, is_it: impl Fn(&Reminder) -> bool) -> Option<usize> {
        self.read.iter().position(is_it)
    }
}

fn armed(moment: Timestamp, open: bool, now: Timestamp) -> ReminderState {
    if open && moment > now { ReminderState::Pending } else { ReminderState::Cancelled }
}
