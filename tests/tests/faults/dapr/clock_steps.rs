//! Clocks that are set while everything runs: those of backend and scheduler, together or one alone, forward and back.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_domain::{Timestamp, clock};
use todo_tests::{
    books::Lenience,
    cluster::{Clock, Cluster, Role},
    eventually,
    rest::Rest,
};

use super::{PATIENCE, books, settled, text, time};
use crate::load::now;

/// More than the scheduler's window, less than a token lives.
const FAST: TimeDelta = TimeDelta::minutes(5);
const SLOW: TimeDelta = TimeDelta::minutes(-5);
const RIGHT: TimeDelta = TimeDelta::zero();
/// How wrong the clocks of backend and scheduler are, one after the other. In between they are right.
const STEPS: [(TimeDelta, TimeDelta); 6] =
    [(FAST, FAST), (RIGHT, FAST), (FAST, RIGHT), (SLOW, SLOW), (RIGHT, SLOW), (SLOW, RIGHT)];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_clocks_are_set_each_reminder_rings_once_and_stored_times_never_go_back() {
    let Some(mut cluster) = Cluster::empty() else { return };
    let mut clocks = Vec::new();
    for role in Role::ALL {
        let member = cluster.add(role);
        if matches!(role, Role::Backend | Role::Scheduler) {
            let Some(clock) = member.hold_clock() else { return };
            clocks.push(clock);
        }
        member.start();
        member.daprd.start();
    }
    cluster.ready().await;
    let mut world = World::new(cluster.user("ann").await, clocks).await;
    for (backend, scheduler) in STEPS {
        world.live(RIGHT, RIGHT).await;
        world.live(backend, scheduler).await;
    }
    world.live(RIGHT, RIGHT).await;
    settled(&cluster).await;
    world.check().await;
    let wrong = books(&cluster).await.audit(now(), Lenience::default());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

struct World {
    ann: Rest,
    /// Of backend and scheduler.
    clocks: Vec<Clock>,
    /// When each reminder is due.
    reminders: BTreeMap<String, Timestamp>,
    /// Those that both clocks have passed since they were made, which is when a reminder rings.
    due: BTreeSet<String>,
    /// A task that is edited again and again, as it was last.
    diary: Value,
    /// A series that has a slot each minute.
    series: String,
}

impl World {
    async fn new(ann: Rest, clocks: Vec<Clock>) -> Self {
        let diary = ann.create(json!({ "title": "Diary" })).await;
        let series = ann.create(json!({
            "title": "Every minute", "due_date": clock::name(now() - TimeDelta::minutes(1)),
            "recurrence": { "recurrence_type": "custom", "cron_expression": "* * * * *" },
        }));
        let series = text(&series.await["id"]).to_owned();
        Self { ann, clocks, reminders: BTreeMap::new(), due: BTreeSet::new(), diary, series }
    }

    /// Sets the clocks, and goes on: tasks are written, and what is due rings.
    async fn live(&mut self, backend: TimeDelta, scheduler: TimeDelta) {
        for (clock, offset) in self.clocks.iter().zip([backend, scheduler]) {
            clock.set(offset);
        }
        let both = backend.min(scheduler);
        // What the next steps make due, what nothing does, and what is due in a moment.
        let mut made = Value::Null;
        for ahead in [TimeDelta::seconds(150), TimeDelta::hours(1), TimeDelta::milliseconds(1_500)] {
            made = self.remind(now() + backend + ahead).await;
        }
        let wrong = time(&made["created_at"]) - now() - backend;
        assert!(wrong.abs() < TimeDelta::minutes(1), "the clock was not set: {made}");
        self.edit().await;

        let soon = self.reminders.values().filter(|at| **at <= now() + both + TimeDelta::seconds(2)).max().copied();
        eventually("the time comes", PATIENCE, async || soon.is_none_or(|at| at <= now() + both).then_some(())).await;
        self.pass(now() + both);
        let due = &self.due;
        eventually(&format!("what is due rings: {due:?}"), PATIENCE, async || {
            due.is_subset(&self.rang().await).then_some(())
        })
        .await;
        self.pass(now() + both);
        self.check().await;
    }

    async fn remind(&mut self, at: Timestamp) -> Value {
        let body = json!({ "title": "Rings", "reminders": [{ "trigger_at": clock::name(at) }] });
        let task = self.ann.create(body).await;
        self.reminders.insert(text(&task["reminders"][0]["id"]).to_owned(), at);
        task
    }

    async fn edit(&mut self) {
        let body = json!({ "description": format!("of {}", now()) });
        let edited = self.ann.patch(&format!("/api/tasks/{}", text(&self.diary["id"])), &body).await.expect(200);
        let before = std::mem::replace(&mut self.diary, edited);
        let is_later = |field: &str| time(&self.diary[field]) >= time(&before[field]);
        assert!(is_later("updated_at") && is_later("created_at"), "{before} became {}", self.diary);
    }

    /// Both clocks have come so far.
    fn pass(&mut self, moment: Timestamp) {
        let due = self.reminders.iter().filter(|(_, at)| **at <= moment);
        self.due.extend(due.map(|(id, _)| id.clone()));
    }

    async fn rang(&self) -> BTreeSet<String> {
        self.ann.notifications().await.iter().map(|it| text(&it["reminder_id"]).to_owned()).collect()
    }

    /// Each reminder that was due has one notification, and no other has; each slot has one task; no time is before
    /// another that it cannot be before.
    async fn check(&self) {
        let notifications = self.ann.notifications().await;
        let rang = self.rang().await;
        assert_eq!(rang.len(), notifications.len(), "once each: {notifications:?}");
        let early: Vec<_> = rang.difference(&self.due).cloned().collect();
        assert!(early.is_empty(), "{early:?} of {:?} rang, and it is {}", self.reminders, now());
        for it in &notifications {
            assert!(time(&it["triggered_at"]) >= self.reminders[text(&it["reminder_id"])], "{it}");
        }
        let instances = self.ann.instances(&self.series).await;
        let slots: BTreeSet<_> = instances.iter().map(|task| text(&task["due_date"]).to_owned()).collect();
        assert_eq!(slots.len(), instances.len(), "one task each: {instances:?}");
        for task in self.ann.tasks("").await {
            assert!(time(&task["updated_at"]) >= time(&task["created_at"]), "{task}");
        }
    }
}
