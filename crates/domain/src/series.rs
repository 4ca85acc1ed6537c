//! Which slots of a series to turn into tasks now, and when to ask again.
//!
//! [`plan`] is a pure function of the recurrence, what was decided so far and the present moment. It is called inside
//! the transaction that makes the tasks, each time something may have changed: at the time it named itself, when the
//! source is written, and when an instance or the source is completed, reopened or deleted. Calling it too often is
//! harmless.
//!
//! # What is decided
//!
//! Only slots after the *floor* count: the latest of the anchor (the source stands for that slot), `armed_at` (the
//! series was written, re-anchored or resumed then; what passed before is gone) and the cursor (the last slot that was
//! decided). A slot is decided once: it becomes a task, or it is gone.
//!
//! * **Slots that have come** (slot <= now). Usually there is one, a moment old. After an outage there are more, and
//!   `catch_up` chooses: `latest` makes the latest and the others are gone; `all` makes the latest 50; `none` makes
//!   nothing, except for a latest slot no older than [`GRACE`]: that one was not missed, its tick was merely late.
//! * **The next slot** (slot > now) appears ahead of its time, by `lead_seconds` or by the longest relative reminder,
//!   whichever is longer, but not before the slot that precedes it. So at most one slot is ever made ahead.
//! * **`overlap: skip`**. A slot that comes while an instance or the source is open is gone. One that could appear ahead
//!   of its time waits for the open one to be closed, at most until its own time comes. At most one slot is made at a
//!   time: of several that were missed, the latest, even with `catch_up: all`.
//! * **Fifty open instances** ([`limits::OPEN_INSTANCES_MAX`]; the source is not one). Nothing more is made and nothing
//!   is decided until one is closed; the plan says `blocked`. After that `catch_up` decides on what came meanwhile.
//! * **Paused**. Nothing is decided. Resuming sets `armed_at`, so that what passed meanwhile is gone.
//! * **`anchor: completion`**. Nothing is decided by time: see [`Recurrence::next_after_closing`].
//!
//! # What it costs
//!
//! Slots are never enumerated: what was missed is searched from its end, so a series by the minute that was off for a
//! year costs as much as one that was off for a minute.

use chrono::TimeDelta;

use crate::{
    clock::Timestamp,
    limits,
    recurrence::{Anchor, CatchUp, Overlap, Recurrence, Slots},
    task::{Reminder, Task},
};

/// How late a slot may be decided and still not count as missed, which matters to `catch_up: none` only. Ticks come at
/// least every minute and recovery takes at most one, so a normally late tick never loses a slot.
pub const GRACE: TimeDelta = TimeDelta::minutes(5);

/// What was decided so far, and what is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State {
    /// The last slot that was decided: [`Plan::cursor`] of the last plan. Forget it (nothing) when the series is
    /// re-anchored: rule, zone or the source's due date changed. Slots that have their row already are then planned
    /// again, and making them again is a no-op.
    pub cursor: Option<Timestamp>,
    /// How many instances of the series are open; the source is not one.
    pub open_instances: usize,
    /// Whether the source is open.
    pub source_open: bool,
    /// See [`longest_reminder_seconds`].
    pub longest_reminder_seconds: i64,
}

/// A slot that is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upcoming {
    /// The slot.
    pub slot: Timestamp,
    /// When to plan again, because this slot may then become a task. Never after the slot.
    pub appear_at: Timestamp,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The slots to make now, ascending; at most [`limits::CATCH_UP_MAX`] and one.
    pub make: Vec<Timestamp>,
    /// With something to make: when the first undecided slot could be. Whoever puts the making off keeps this moment and
    /// not the present one, which may be that of a clock that runs ahead.
    pub since: Option<Timestamp>,
    /// The last of the slots that are gone by this decision, if any are.
    pub skipped_until: Option<Timestamp>,
    /// The last slot decided, to be kept for the next plan.
    pub cursor: Option<Timestamp>,
    /// The next slot, and when to plan again. Nothing when the series ended, is paused or is blocked.
    pub next: Option<Upcoming>,
    /// Whether there was a slot to make and 50 open instances stood in its way. Plan again when one is closed.
    pub blocked: bool,
}

/// When the task for a slot appears: at its slot, earlier by `lead_seconds` or by the longest relative reminder of the
/// source (or that could not ring), but not before the slot that precedes it (the anchor, for the first).
#[must_use]
pub fn appear_at(
    recurrence: &Recurrence,
    slot: Timestamp,
    previous_slot: Timestamp,
    longest_reminder_seconds: i64,
) -> Timestamp {
    let lead = recurrence.lead_seconds.max(longest_reminder_seconds).max(0);
    (slot - TimeDelta::seconds(lead)).max(previous_slot)
}

/// The largest offset of the relative reminders of `source`, in seconds; 0 without one.
#[must_use]
pub fn longest_reminder_seconds(source: &Task) -> i64 {
    source.reminders.iter().filter_map(Reminder::before_due_seconds).max().unwrap_or(0)
}

/// Decides what to make now; see the [module](self) for the rules.
#[must_use]
pub fn plan(recurrence: &Recurrence, state: &State, now: Timestamp) -> Plan {
    if recurrence.paused || recurrence.anchor == Anchor::Completion {
        return Plan { cursor: state.cursor, ..Plan::default() };
    }
    let series = Series { recurrence, slots: recurrence.slots(), state, now };
    let come = series.come();
    let ahead = series.slots.next_after(series.floor().max(now));
    let mut wanted = if series.is_free() { series.to_catch_up(come) } else { Vec::new() };
    // With `overlap: skip`, what is made now stands in the way of the next slot.
    let is_free = series.keeps() || (series.is_free() && wanted.is_empty());
    let ready = ahead.filter(|slot| is_free && series.appear_at(*slot) <= now);
    wanted.extend(ready);

    let first = series.slots.next_after(series.floor()).filter(|_| !wanted.is_empty());
    let since = first.map(|first| series.appear_at(first));

    let capacity = limits::OPEN_INSTANCES_MAX.saturating_sub(state.open_instances);
    if wanted.len() > capacity {
        let make: Vec<_> = wanted.iter().copied().take(capacity).collect();
        return Plan {
            skipped_until: make.first().and_then(|first| series.last_before(*first)),
            cursor: make.last().copied().or(state.cursor),
            next: None,
            blocked: true,
            make,
            since,
        };
    }
    let skipped_until = match wanted.first() {
        Some(first) if come.is_some_and(|come| *first <= come) => series.last_before(*first),
        _ => come,
    };
    let next = ready.map_or(ahead, |made| series.slots.next_after(made));
    let waits = !series.keeps() && (!is_free || ready.is_some());
    Plan {
        cursor: state.cursor.max(come).max(ready),
        skipped_until,
        next: next.map(|slot| Upcoming { slot, appear_at: if waits { slot } else { series.appear_at(slot) } }),
        blocked: false,
        make: wanted,
        since,
    }
}

struct Series<'a> {
    recurrence: &'a Recurrence,
    slots: Slots,
    state: &'a State,
    now: Timestamp,
}

impl Series<'_> {
    /// Slots after this are still to be decided.
    fn floor(&self) -> Timestamp {
        let armed = self.recurrence.anchor_at.max(self.recurrence.armed_at);
        self.state.cursor.map_or(armed, |cursor| cursor.max(armed))
    }

    /// The latest undecided slot that has come.
    fn come(&self) -> Option<Timestamp> {
        self.slots.last_between(self.floor(), self.now)
    }

    /// The undecided slot before another.
    fn last_before(&self, slot: Timestamp) -> Option<Timestamp> {
        self.slots.last_between(self.floor(), slot - TimeDelta::microseconds(1))
    }

    fn keeps(&self) -> bool {
        self.recurrence.overlap == Overlap::Keep
    }

    /// Whether nothing that is open stands in the way of another task.
    fn is_free(&self) -> bool {
        self.keeps() || (self.state.open_instances == 0 && !self.state.source_open)
    }

    /// Which of the slots that have come to make, ascending; `come` is the latest.
    fn to_catch_up(&self, come: Option<Timestamp>) -> Vec<Timestamp> {
        let Some(latest) = come else { return Vec::new() };
        let most = match self.recurrence.catch_up {
            CatchUp::None if latest < self.now - GRACE => 0,
            CatchUp::All if self.keeps() => limits::CATCH_UP_MAX,
            CatchUp::None | CatchUp::Latest | CatchUp::All => 1,
        };
        let mut slots: Vec<_> =
            std::iter::successors(Some(latest), |slot| self.last_before(*slot)).take(most).collect();
        slots.reverse();
        slots
    }

    fn appear_at(&self, slot: Timestamp) -> Timestamp {
        let anchor_at = self.recurrence.anchor_at;
        let previous = self.slots.last_between(anchor_at, slot - TimeDelta::microseconds(1)).unwrap_or(anchor_at);
        appear_at(self.recurrence, slot, previous, self.state.longest_reminder_seconds)
    }
}

#[cfg(test)]
mod tests;
