//! The timers of the window, in memory: one a thing, in the order in which they ring.
//!
//! Three sources set them, and none is ordered with the others: the backend's listing (what was true when it was read),
//! task events (what was true at a revision) and decisions (what comes next). Whoever sets a timer wrongly costs a call
//! and, until the next listing, a late ring, never a wrong one: the backend decides.

use std::collections::{BTreeSet, HashMap, HashSet};

use todo_domain::Timestamp;
use uuid::Uuid;

use crate::due::{Due, Kind, Thing};

/// A timer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer {
    pub(crate) due: Due,
    /// When it rings: when it is due, or later after a failure.
    pub(crate) rings_at: Timestamp,
    /// How often it rang in vain.
    pub(crate) tries: u32,
    /// With how many it may be decided together; see [`crate::decision`].
    pub(crate) crowd: usize,
    /// The task's revision it is known from; `None` from a listing, which does not say.
    revision: Option<i64>,
    /// Counts up with every change, so that a listing knows what changed since it began.
    stamp: u64,
}

/// What an event said that contradicts a timer whose age is unknown: ask the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Doubt {
    No,
    Yes,
}

/// All timers of this replica.
#[derive(Default)]
pub(crate) struct Timers {
    held: HashMap<Thing, Timer>,
    /// The order of ringing of what is held, except what waits for its own decision in `ringing`.
    queue: BTreeSet<(Timestamp, Thing)>,
    by_task: BTreeSet<(Uuid, Thing)>,
    /// Taken, and not yet decided: nothing is asked twice at once.
    ringing: HashMap<Thing, Due>,
    stamp: u64,
    /// Decided while a listing runs, which may still show it.
    decided: Option<HashSet<(Thing, Timestamp)>>,
}

impl Timers {
    /// When the next one rings.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|(rings_at, _)| *rings_at)
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len() + self.ringing.len()
    }

    /// Takes what has rung, at most `limit`. Each must come back by [`again`](Self::again) or
    /// [`forget`](Self::forget).
    pub(crate) fn take(&mut self, now: Timestamp, mut limit: usize) -> Vec<Timer> {
        let mut taken = Vec::new();
        while let Some(&(rings_at, thing)) = self.queue.first() {
            if rings_at > now {
                break;
            }
            if self.ringing.contains_key(&thing) {
                // A newer timer of what is being decided; it gets its place in the queue back afterwards.
                self.queue.pop_first();
                continue;
            }
            limit = limit.min(self.held[&thing].crowd.max(1));
            if taken.len() >= limit {
                break;
            }
            if let Some(timer) = self.remove(thing) {
                self.ringing.insert(thing, timer.due);
                taken.push(timer);
            }
        }
        taken
    }

    /// What was taken is decided.
    pub(crate) fn forget(&mut self, due: Due) {
        if let Some(decided) = &mut self.decided {
            decided.insert((due.thing, due.at));
        }
        self.back(due.thing);
    }

    /// What was taken is to ring again, unless something newer is known of it.
    pub(crate) fn again(&mut self, timer: Timer) {
        self.back(timer.due.thing);
        if !self.held.contains_key(&timer.due.thing) {
            self.put(timer);
        }
    }

    fn back(&mut self, thing: Thing) {
        self.ringing.remove(&thing);
        if let Some(newer) = self.held.get(&thing) {
            self.queue.insert((newer.rings_at, thing));
        }
    }

    /// Sets a timer by what the backend says just now: the newest there is to know.
    pub(crate) fn set(&mut self, due: Due, rings_at: Timestamp) {
        let known = self.held.get(&due.thing).is_some_and(|timer| timer.due == due);
        if known || self.ringing.get(&due.thing) == Some(&due) {
            return;
        }
        self.put(Timer { due, rings_at, tries: 0, crowd: usize::MAX, revision: None, stamp: 0 });
    }

    /// Applies an event of a task: `over` has no timer any more, and of `reminders`, those that are still to ring, what
    /// is due by `until` gets one.
    pub(crate) fn told(
        &mut self,
        revision: i64,
        over: &[Thing],
        reminders: &[(Due, Timestamp)],
        until: Timestamp,
    ) -> Doubt {
        let mut doubt = Doubt::No;
        let later = reminders.iter().filter(|(due, _)| due.at > until).map(|(due, _)| &due.thing);
        for thing in over.iter().chain(later) {
            match self.held.get(thing).map(|timer| timer.revision) {
                Some(Some(known)) if known >= revision => continue,
                Some(None) => doubt = Doubt::Yes,
                _ => {}
            }
            self.remove(*thing);
        }
        for &(due, rings_at) in reminders.iter().filter(|(due, _)| due.at <= until) {
            match self.held.get_mut(&due.thing) {
                Some(timer) if timer.revision.is_some_and(|known| known >= revision) => continue,
                Some(timer) if timer.due == due => {
                    timer.revision = Some(revision);
                    continue;
                }
                Some(timer) if timer.revision.is_none() => doubt = Doubt::Yes,
                None if self.ringing.get(&due.thing) == Some(&due) => continue,
                Some(_) | None => {}
            }
            self.put(Timer { due, rings_at, tries: 0, crowd: usize::MAX, revision: Some(revision), stamp: 0 });
        }
        doubt
    }

    /// What is held of a task.
    pub(crate) fn of_task(&self, task: Uuid) -> Vec<Thing> {
        self.by_task.range((task, FIRST)..=(task, LAST)).map(|(_, thing)| *thing).collect()
    }

    /// A listing begins; the answer is its mark.
    pub(crate) fn begin_listing(&mut self) -> u64 {
        self.decided.get_or_insert_default();
        self.mark()
    }

    /// The mark of this moment, for the next page of a listing.
    pub(crate) fn mark(&mut self) -> u64 {
        self.stamp += 1;
        self.stamp
    }

    /// Applies one line of a page that was asked for at `mark`. What rings later than it should, and after `never_after`,
    /// was put off by a clock that ran ahead.
    pub(crate) fn listed(&mut self, due: Due, rings_at: Timestamp, mark: u64, never_after: Timestamp) {
        let decided = self.decided.as_ref().is_some_and(|decided| decided.contains(&(due.thing, due.at)));
        if decided {
            return;
        }
        let stamp = self.mark();
        match self.held.get_mut(&due.thing) {
            Some(timer) if timer.due == due && timer.rings_at > rings_at.max(never_after) => {
                self.remove(due.thing);
                self.set(due, rings_at);
            }
            Some(timer) if timer.due == due => timer.stamp = stamp,
            // An event or a decision came while the page was read, and knows better.
            Some(timer) if timer.stamp > mark => {}
            _ => self.set(due, rings_at),
        }
    }

    /// The listing that began at `mark` is complete up to `until`: what it did not name there is due no more.
    pub(crate) fn end_listing(&mut self, mark: u64, until: Option<Timestamp>) {
        self.decided = None;
        let Some(until) = until else { return };
        let gone: Vec<Thing> = self
            .held
            .values()
            .filter(|timer| timer.stamp <= mark && timer.due.at <= until)
            .map(|timer| timer.due.thing)
            .collect();
        for thing in gone {
            self.remove(thing);
        }
    }

    /// What is held of one kind, in due order: with `user` only that owner's; with `pending` only what has not rung.
    pub(crate) fn list(&self, kind: Kind, user: Option<Uuid>, pending: Option<Timestamp>) -> Vec<Due> {
        let ringing = self.ringing.values().filter(|due| !self.held.contains_key(&due.thing) && pending.is_none());
        let held = self.held.values().filter(|timer| pending.is_none_or(|now| timer.due.at > now));
        let mut list: Vec<Due> = held
            .map(|timer| &timer.due)
            .chain(ringing)
            .filter(|due| due.thing.kind == kind && user.is_none_or(|user| due.user == user))
            .copied()
            .collect();
        list.sort_unstable_by_key(|due| (due.at, due.thing));
        list
    }

    fn put(&mut self, timer: Timer) {
        let thing = timer.due.thing;
        self.remove(thing);
        let stamp = self.mark();
        self.queue.insert((timer.rings_at, thing));
        self.by_task.insert((timer.due.task, thing));
        self.held.insert(thing, Timer { stamp, ..timer });
    }

    fn remove(&mut self, thing: Thing) -> Option<Timer> {
        let timer = self.held.remove(&thing)?;
        self.queue.remove(&(timer.rings_at, thing));
        self.by_task.remove(&(timer.due.task, thing));
        Some(timer)
    }
}

/// Before and after every thing in order.
const FIRST: Thing = Thing { kind: Kind::Reminder, id: Uuid::nil() };
const LAST: Thing = Thing { kind: Kind::Series, id: Uuid::max() };
