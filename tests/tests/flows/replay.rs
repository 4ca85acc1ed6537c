//! The whole event history, delivered again.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo::all::Options;
use todo_sidecar::{CloudEvent, local::Mode};
use todo_tests::{
    SOON,
    clock::TestClock,
    dice::Dice,
    eventually,
    rest::Rest,
    system::{Ground, System},
};
use tokio::time::Instant;

use crate::{MONDAY, at, envelope, text};

/// Every user's tasks, notifications and revision.
pub(crate) async fn dump(users: &[Rest]) -> Vec<Value> {
    let mut dump = Vec::new();
    for user in users {
        let tasks = user.get("/api/tasks?limit=1000").await.expect(200);
        let notifications = user.get("/api/notifications?limit=1000").await.expect(200);
        dump.push(json!([tasks, notifications]));
    }
    dump
}

/// Makes deliveries in the order that the dice say, until there is nothing left to deliver or to do. Where that is not
/// for long, the clock runs on: what is tried again is so by the clock.
async fn deliver(system: &System, clock: &TestClock, dice: &mut Dice) {
    let mut patience = Instant::now() + Duration::from_secs(3);
    loop {
        while system.step(dice).await {}
        if system.is_settled().await && system.is_delivered().await {
            return;
        }
        // The rest is the relay's and the scheduler's to do.
        tokio::task::yield_now().await;
        if Instant::now() > patience {
            patience += Duration::from_millis(100);
            system.advance(clock, TimeDelta::milliseconds(500));
        }
    }
}

/// Moves the clock, and makes deliveries until it comes to rest.
pub(crate) async fn pass(system: &System, clock: &TestClock, by: TimeDelta, dice: &mut Dice) {
    system.advance(clock, by);
    tokio::time::timeout(SOON, deliver(system, clock, dice)).await.expect("it comes to rest");
}

pub(crate) async fn a_replay_of_everything_changes_nothing(ground: Ground) {
    let (mut setup, clock) = at(MONDAY, ground);
    setup.adjust = |options: &mut Options| {
        options.backend.access_ttl = TimeDelta::days(36_500);
        options.mode = Mode::Stepped;
    };
    let system = setup.start().await;
    let observer = system.observe();
    let users = [system.user("ann").await, system.user("bob").await];
    let mut dice = Dice::new(7);
    for user in &users {
        busy(user).await;
    }
    pass(&system, &clock, TimeDelta::minutes(10), &mut dice).await;
    for user in &users {
        for task in user.tasks("status=pending").await {
            let path = format!("/api/tasks/{}", text(&task["id"]));
            match dice.below(4) {
                0 => drop(user.act(&format!("{path}/complete")).await.expect(200)),
                1 => drop(user.delete(&path).await.expect(204)),
                2 => drop(user.patch(&path, &json!({ "due_date": "2026-03-02T09:30:00Z" })).await.expect(200)),
                _ => {}
            }
        }
        for notification in user.notifications().await.iter().take(2) {
            let path = format!("/api/notifications/{}/snooze", text(&notification["id"]));
            user.post(&path, &json!({ "until": "2026-03-02T08:30:00Z" })).await;
        }
    }
    for _ in 0..4 {
        pass(&system, &clock, TimeDelta::hours(9), &mut dice).await;
    }
    let mut history = observer.deliveries();
    let types: std::collections::BTreeSet<_> = history.iter().map(|delivery| delivery.event.type_.clone()).collect();
    assert_eq!(types.len(), 6, "the history has every type: {types:?}");
    for delivery in &history {
        envelope::check(&delivery.topic, &delivery.event);
    }
    let before = dump(&users).await;

    // Twice, on the topic it came by and on the other, in any order.
    for round in 0..2 {
        for left in (1..history.len()).rev() {
            history.swap(left, dice.place(left + 1));
        }
        for delivery in &history {
            for topic in ["tasks", "notifications"] {
                if round == 0 || topic == delivery.topic {
                    system.publish(topic, &delivery.event).await;
                }
            }
        }
        pass(&system, &clock, TimeDelta::seconds(1), &mut dice).await;
        let mut after = dump(&users).await;
        without_the_future(&mut after);
        let mut before = before.clone();
        without_the_future(&mut before);
        assert_eq!(after, before, "round {round}");
    }
    assert_eq!(observer.dead_letters(), []);
    system.stop().await;
}

/// What is computed when it is read moves with the clock.
fn without_the_future(dump: &mut [Value]) {
    for task in dump.iter_mut().filter_map(|user| user[0]["tasks"].as_array_mut()).flatten() {
        if let Some(recurrence) = task["recurrence"].as_object_mut() {
            recurrence.remove("next_occurrence");
        }
    }
}

/// Tasks of every kind.
async fn busy(user: &Rest) {
    for minute in 1..9 {
        let moment = format!("2026-03-02T08:{:02}:00Z", minute * 2);
        let reminders = json!([{ "trigger_at": moment }, { "before_due_seconds": 60 * minute }]);
        let series = match minute % 3 {
            0 => json!({ "recurrence_type": "custom", "cron_expression": "0 */5 * * *", "catch_up": "all" }),
            1 => json!({ "recurrence_type": "daily", "overlap": "skip", "lead_seconds": 3600 }),
            _ => Value::Null,
        };
        let task = json!({
            "title": format!("task {minute}"), "due_date": "2026-03-02T08:20:00Z", "reminders": reminders,
            "recurrence": series, "tags": ["a"],
        });
        let task = user.create(task).await;
        if minute % 4 == 0 {
            let edit = json!({ "title": "edited", "status": "in_progress" });
            user.patch(&format!("/api/tasks/{}", text(&task["id"])), &edit).await.expect(200);
        }
    }
}

pub(crate) async fn a_forged_event_does_nothing(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let observer = system.observe();
    let users = [system.user("ann").await, system.user("bob").await];
    let reminders = json!([{ "trigger_at": "2026-03-02T18:00:00Z" }]);
    let daily = json!({ "recurrence_type": "daily" });
    let task = json!({ "title": "a", "due_date": "2026-03-02T09:00:00Z", "reminders": reminders, "recurrence": daily });
    let task = users[0].create(task).await;
    system.settled().await;
    let before = dump(&users).await;

    let (ann, bob) = (&users[0].user_id, &users[1].user_id);
    let mut dice = Dice::new(3);
    let forged = [
        (
            "notifications",
            envelope::TRIGGERED,
            json!({
                "reminder_id": task["reminders"][0]["id"], "task_id": task["id"], "user_id": ann, "task_title": "boo",
                "trigger_at": MONDAY, "triggered_at": MONDAY,
            }),
        ),
        (
            "tasks",
            envelope::SCHEDULED,
            json!({
                "source_task_id": task["id"], "new_task_id": dice.uuid(), "user_id": bob, "title": "boo",
                "scheduled_for": "2026-03-03T09:00:00Z",
            }),
        ),
        (
            "tasks",
            envelope::CREATED,
            json!({
                "task_id": task["id"], "user_id": bob, "revision": 99,
                "task": { "id": task["id"], "title": "boo", "reminders": [{ "id": dice.uuid(), "trigger_at": MONDAY }] },
            }),
        ),
        ("tasks", envelope::DELETED, json!({ "task_id": task["id"], "user_id": bob, "revision": 99 })),
        ("tasks", "com.todo.task.exploded", json!({ "task_id": task["id"] })),
    ];
    for (topic, type_, data) in forged {
        publish(&system, topic, type_, &dice.uuid().to_string(), data).await;
    }
    // What cannot be read is kept aside, and does not hold up its neighbours.
    publish(&system, "notifications", envelope::TRIGGERED, "no uuid", json!({ "task_id": task["id"] })).await;
    publish(&system, "tasks", envelope::CREATED, &dice.uuid().to_string(), json!({ "revision": "many" })).await;
    let both = async || (observer.dead_letters().len() == 2).then_some(());
    eventually("both are dead letters", SOON, both).await;
    system.pass(&clock, TimeDelta::seconds(1)).await;
    assert_eq!(dump(&users).await, before);
    // And time goes on as if nothing had been.
    system.pass(&clock, TimeDelta::days(1)).await;
    system.pass(&clock, TimeDelta::hours(2)).await;
    assert_eq!(users[0].notifications().await.len(), 1);
    assert_eq!(users[0].instances(text(&task["id"])).await.len(), 1);
    assert_eq!(users[1].tasks("").await, Vec::<Value>::new());
    system.stop().await;
}

/// Publishes what a stranger might.
pub(crate) async fn publish(system: &System, topic: &str, type_: &str, id: &str, data: Value) {
    let event = CloudEvent {
        id: id.to_owned(),
        type_: type_.to_owned(),
        source: "/elsewhere".to_owned(),
        subject: None,
        time: MONDAY.parse().expect("a time"),
        data,
        extensions: std::collections::BTreeMap::new(),
    };
    system.publish(topic, &event).await;
}
