//! What must add up, whatever happened.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::DateTime;
use todo_domain::{
    Timestamp, limits,
    recurrence::{Anchor, CatchUp, Overlap},
    series::{State, plan},
};
use uuid::Uuid;

use super::{Books, Series, Slot};

/// What may be missing because something outside lost it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lenience {
    /// The broker lost events that it had accepted.
    pub lossy: bool,
}

/// Kinds of the change log that are about tasks, and the events that announce them.
const EVENTS: [(i64, &str); 4] = [
    (1, "com.todo.task.created"),
    (2, "com.todo.task.updated"),
    (3, "com.todo.task.completed"),
    (4, "com.todo.task.deleted"),
];
const SCHEDULED: &str = "com.todo.recurring.scheduled";
const CREATED: i64 = 1;
const DELETED: i64 = 4;
const REMINDER_FIRED: i64 = 5;
const NOTIFIED: i64 = 6;
/// `reminders.state`
const PENDING: i64 = 1;
const FIRED: i64 = 2;
/// `slots.state`
const DECIDED: i64 = 1;
const MADE: i64 = 2;

impl Books {
    /// Everything that does not add up at a moment when nothing was left to do; empty when all is well.
    #[must_use]
    pub fn audit(&self, now: Timestamp, lenience: Lenience) -> Vec<String> {
        let mut wrong = Vec::new();
        self.audit_revisions(&mut wrong);
        self.audit_events(lenience, &mut wrong);
        self.audit_lives(&mut wrong);
        self.audit_reminders(now, &mut wrong);
        self.audit_notifications(&mut wrong);
        self.audit_slots(&mut wrong);
        for series in self.series.values().filter(|series| !series.ended) {
            self.audit_series(series, now, &mut wrong);
        }
        wrong.extend(self.dead_letters.iter().map(|letter| format!("dead letter: {letter}")));
        for (topic, ids) in self.broker.topics.iter().filter(|(topic, _)| topic.ends_with("-dead-letter")) {
            wrong.push(format!("{} events on {topic}", ids.len()));
        }
        if self.broker.waiting > 0 {
            wrong.push(format!("{} deliveries wait", self.broker.waiting));
        }
        wrong.extend(self.broker.behind.iter().map(|who| format!("not read to the end: {who}")));
        wrong
    }

    /// The revisions of each owner are dense: none is missing, none was taken twice.
    fn audit_revisions(&self, wrong: &mut Vec<String>) {
        let mut last: BTreeMap<Uuid, i64> = BTreeMap::new();
        for change in &self.changes {
            let last = last.entry(change.user_id).or_default();
            *last += 1;
            if change.revision != *last {
                wrong.push(format!("owner {}: revision {} where {last} was expected", change.user_id, change.revision));
                *last = change.revision;
            }
        }
        for (owner, revision) in &self.owners {
            let last = last.get(owner).copied().unwrap_or_default();
            if last != *revision {
                wrong.push(format!("owner {owner} is at revision {revision}, the last change at {last}"));
            }
        }
    }

    /// Each change of a task has exactly one event, and nothing else has; each was published.
    fn audit_events(&self, lenience: Lenience, wrong: &mut Vec<String>) {
        let mut expected: BTreeSet<(Uuid, i64, Uuid, &str)> = BTreeSet::new();
        for change in &self.changes {
            if let Some((_, type_)) = EVENTS.iter().find(|(kind, _)| *kind == change.kind) {
                expected.insert((change.user_id, change.revision, change.entity_id, type_));
            }
        }
        for event in &self.outbox {
            let type_ = event.event["type"].as_str().unwrap_or_default();
            if type_ == SCHEDULED {
                // What follows from a closing the backend announces; the rest is the scheduler's.
                // One that was taken back and came again has another id since.
                let task_id = event.id_of("new_task_id");
                if self.slots.iter().filter(|slot| slot.task_id == task_id).count() != 1 {
                    wrong.push(format!("{type_} of {task_id}, which has no slot"));
                }
                continue;
            }
            let revision = event.revision();
            if !expected.remove(&(event.id_of("user_id"), revision, event.id_of("task_id"), type_)) {
                wrong.push(format!("{type_} at revision {revision}, which has no such change or a second event"));
            }
            let id = event.id.to_string();
            if event.event["id"] != id.as_str() {
                wrong.push(format!("event {id} calls itself {}", event.event["id"]));
            }
            if !event.published {
                wrong.push(format!("{type_} {id} was not published"));
            } else if !lenience.lossy && !self.broker.has(&event.topic, &id) {
                wrong.push(format!("{type_} {id} never reached the broker"));
            }
        }
        wrong.extend(expected.iter().map(|(_, revision, task, type_)| format!("no {type_} of {task} at {revision}")));
    }

    /// Each task was created when it was not there, and changed and deleted when it was.
    fn audit_lives(&self, wrong: &mut Vec<String>) {
        let mut alive: BTreeMap<Uuid, i64> = BTreeMap::new();
        for change in self.changes.iter().filter(|change| (CREATED..=REMINDER_FIRED).contains(&change.kind)) {
            let id = change.entity_id;
            let was_there = alive.contains_key(&id);
            if was_there == (change.kind == CREATED) {
                wrong
                    .push(format!("change {} of task {id}, kind {}, alive: {was_there}", change.revision, change.kind));
            }
            match change.kind {
                DELETED => drop(alive.remove(&id)),
                _ => drop(alive.insert(id, change.revision)),
            }
        }
        for (id, task) in &self.tasks {
            let last = alive.remove(id);
            if last != Some(task.revision) {
                wrong.push(format!("task {id} is at revision {}, its last change at {last:?}", task.revision));
            }
        }
        wrong.extend(alive.keys().map(|id| format!("task {id} is gone and was never deleted")));
    }

    /// A reminder is pending, fired or cancelled, and what it says is what was decided.
    fn audit_reminders(&self, now: Timestamp, wrong: &mut Vec<String>) {
        let mut moments = BTreeSet::new();
        for firing in &self.firings {
            if !moments.insert((firing.reminder_id, firing.trigger_at)) {
                wrong.push(format!("reminder {} fired twice for {}", firing.reminder_id, firing.trigger_at));
            }
            if firing.fired_at < firing.trigger_at {
                wrong.push(format!("reminder {} fired before its time", firing.reminder_id));
            }
            if !firing.seen {
                wrong.push(format!("the firing of reminder {} had no effect", firing.reminder_id));
            }
        }
        for reminder in &self.reminders {
            let id = reminder.id;
            let Some(at) = reminder.trigger_at else {
                if reminder.state != 3 {
                    wrong.push(format!("reminder {id} without a time is in state {}", reminder.state));
                }
                continue;
            };
            let fired = moments.contains(&(id, at));
            if fired != (reminder.state == FIRED) {
                wrong.push(format!("reminder {id} at {at} is in state {}, fired: {fired}", reminder.state));
            }
            if reminder.state == PENDING && at <= now.timestamp_micros() {
                wrong.push(format!("reminder {id} is overdue since {at}"));
            }
            let open = self.tasks.get(&reminder.task_id).is_some_and(|task| task.open);
            if reminder.state == PENDING && !open {
                wrong.push(format!("reminder {id} is pending on a task that is not open"));
            }
        }
    }

    /// Each firing rang once: its notification, and the task's revision.
    fn audit_notifications(&self, wrong: &mut Vec<String>) {
        let count = |kind| {
            let mut counts: HashMap<Uuid, i64> = HashMap::new();
            for change in self.changes.iter().filter(|change| change.kind == kind) {
                *counts.entry(change.entity_id).or_default() += 1;
            }
            counts
        };
        let (mut rung, mut fired) = (count(NOTIFIED), count(REMINDER_FIRED));
        for firing in &self.firings {
            *rung.entry(firing.notification_id).or_default() -= 1;
            if firing.notification_id == firing.event_id {
                *fired.entry(firing.task_id).or_default() -= 1;
            }
            if !self.notifications.contains_key(&firing.notification_id) {
                wrong.push(format!("reminder {} fired and has no notification", firing.reminder_id));
            }
        }
        let off = |(_, count): &(&Uuid, &i64)| **count != 0;
        wrong
            .extend(rung.iter().filter(off).map(|(id, more)| format!("notification {id} rang {more} times too often")));
        wrong.extend(fired.iter().filter(off).map(|(id, more)| format!("task {id} heard of {more} firings too many")));
        let known: BTreeSet<Uuid> = self.firings.iter().map(|firing| firing.notification_id).collect();
        let unknown = self.notifications.keys().filter(|id| !known.contains(id));
        wrong.extend(unknown.map(|id| format!("notification {id} of nothing that fired")));
    }

    /// Each slot came to an end: it was made, once, or taken back.
    fn audit_slots(&self, wrong: &mut Vec<String>) {
        let made: BTreeSet<(Uuid, i64)> = self
            .changes
            .iter()
            .filter(|change| change.kind == CREATED)
            .map(|change| (change.entity_id, change.revision))
            .collect();
        let mut tasks = BTreeSet::new();
        for slot in &self.slots {
            let id = slot.task_id;
            if slot.state == DECIDED {
                wrong.push(format!("slot {} was decided and nothing came of it", slot.slot));
            }
            if slot.state == MADE && !slot.made_revision.is_some_and(|revision| made.contains(&(id, revision))) {
                wrong.push(format!("slot {} is said to be made as {id} at {:?}", slot.slot, slot.made_revision));
            }
            if !tasks.insert(id) {
                wrong.push(format!("two slots are the task {id}"));
            }
            // Once for each time it was decided; undoing a deletion creates, too.
            let creations = made.iter().filter(|(task, _)| *task == id).count();
            let deletions =
                self.changes.iter().filter(|change| change.kind == DELETED && change.entity_id == id).count();
            if creations > deletions + 1 {
                wrong.push(format!("the task of slot {} was made {creations} times", slot.slot));
            }
        }
        let unplanned = self.tasks.iter().filter(|(id, task)| task.source_task_id.is_some() && !tasks.contains(id));
        wrong.extend(unplanned.map(|(id, _)| format!("instance {id} has no slot")));
    }

    /// A series that lives is at rest until the moment that its rule names.
    fn audit_series(&self, series: &Series, now: Timestamp, wrong: &mut Vec<String>) {
        let (id, task_id) = (series.recurrence.id, series.task_id);
        let Some(source) = self.tasks.get(&task_id) else {
            wrong.push(format!("series {id} goes on and its task {task_id} is gone"));
            return;
        };
        let open = self.tasks.values().filter(|task| task.open && task.source_task_id == Some(task_id)).count();
        let longest = self.reminders.iter().filter(|it| it.task_id == task_id).filter_map(|it| it.before_due).max();
        let state = State {
            cursor: series.decided_to.and_then(DateTime::from_timestamp_micros),
            open_instances: open,
            source_open: source.open,
            longest_reminder_seconds: longest.unwrap_or_default(),
        };
        if series.recurrence.anchor == Anchor::Completion {
            self.audit_follower(series, source.open, now, wrong);
            return;
        }
        if series.blocked && series.due_at.is_none() {
            // Until one of them is closed.
            if open < limits::OPEN_INSTANCES_MAX {
                wrong.push(format!("series {id} is blocked by {open} open tasks"));
            }
            return;
        }
        let plan = plan(&series.recurrence, &state, now);
        if !plan.make.is_empty() {
            wrong.push(format!("series {id} has slots to make: {:?}", plan.make));
        }
        // Too early is harmless: then it is decided that it is not time yet.
        let next = plan.next.map(|next| next.appear_at.timestamp_micros());
        if series.due_at.is_none_or(|at| next.is_none_or(|next| at > next)) && series.due_at != next {
            wrong.push(format!("series {id} is to be decided at {:?}, its rule says {next:?}", series.due_at));
        }
        self.audit_latest_slot(series, now, wrong);
    }

    /// The last task of a series that goes by completion is open, unless the series is over or stands still.
    fn audit_follower(&self, series: &Series, source_open: bool, now: Timestamp, wrong: &mut Vec<String>) {
        let rule = &series.recurrence;
        let made = self.slots.iter().filter(|slot| slot.series_id == rule.id && slot.state == MADE);
        let last = made.max_by_key(|slot| slot.made_revision);
        let open = last.map_or(source_open, |slot| self.tasks.get(&slot.task_id).is_some_and(|task| task.open));
        if series.due_at.is_some() {
            wrong.push(format!("series {} waits for a time", rule.id));
        }
        if !open && rule.active(now) {
            wrong.push(format!("the last task of series {} is closed, and none follows", rule.id));
        }
    }

    /// The latest slot that has come has its row, where the rule makes it whatever was missed: a slot that is lost would
    /// else be one that was skipped.
    fn audit_latest_slot(&self, series: &Series, now: Timestamp, wrong: &mut Vec<String>) {
        let rule = &series.recurrence;
        if rule.paused || rule.overlap != Overlap::Keep || rule.catch_up == CatchUp::None {
            return;
        }
        let floor = rule.anchor_at.max(rule.armed_at);
        let mut latest = None;
        let mut from = floor;
        while let Some(last) = rule.slots_between(from, now, 1_000).last().copied() {
            (latest, from) = (Some(last), last);
        }
        let decided = |slot: Timestamp| {
            let is_it = |row: &&Slot| row.series_id == rule.id && row.slot >= slot.timestamp_micros();
            self.slots.iter().any(|row| is_it(&row) && row.state == MADE)
        };
        if let Some(slot) = latest.filter(|slot| !decided(*slot)) {
            wrong.push(format!("series {} lost its slot {slot}", rule.id));
        }
    }
}
