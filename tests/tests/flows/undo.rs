//! Undoing changes, by their revisions.

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_tests::{
    rest::{Answer, Rest},
    system::Ground,
};

use crate::{
    MONDAY, at,
    envelope::{COMPLETED, CREATED, DELETED, UPDATED},
    text,
};

async fn undo(user: &Rest, revision: &Value) -> Answer {
    user.act(&format!("/api/changes/{revision}/undo")).await
}

/// The change that an answer names.
fn change(answer: &Answer) -> Value {
    let revision = answer.header("x-revision").expect("the change's name");
    revision.parse::<i64>().expect("a number").into()
}

pub(crate) async fn every_change_can_be_undone_and_that_too(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, observer) = (system.user("ann").await, system.observe());
    let task = ann.create(json!({ "title": "First", "tags": ["x"], "due_date": "2026-03-03T09:00:00Z" })).await;
    let id = text(&task["id"]);
    let path = format!("/api/tasks/{id}");

    // An update: only what it changed goes back.
    let edit = ann.patch(&path, &json!({ "title": "Second", "due_date": null, "priority": "high" })).await;
    let edit = change(&edit);
    ann.patch(&path, &json!({ "priority": "low" })).await.expect(200);
    let undone = undo(&ann, &edit).await;
    assert_eq!(undone.header("x-event-published"), Some("true"));
    let undone = undone.expect(200);
    let back = &undone["task"];
    assert_eq!((&back["title"], &back["due_date"]), (&json!("First"), &json!("2026-03-03T09:00:00Z")));
    assert_eq!((&back["priority"], &back["tags"]), (&json!("medium"), &json!(["x"])), "what the change itself had set");
    assert_eq!(undone["revision"], back["revision"]);
    let event = observer.nth(UPDATED, id, 2).await;
    assert_eq!(event.data["changes"]["title"], json!({ "old_value": "Second", "new_value": "First" }));
    // The undo of the undo.
    let redone = undo(&ann, &undone["revision"]).await.expect(200);
    assert_eq!((&redone["task"]["title"], &redone["task"]["due_date"]), (&json!("Second"), &Value::Null));

    // A completion, and back, and again.
    let done = change(&ann.act(&format!("{path}/complete")).await);
    let open = undo(&ann, &done).await.expect(200);
    assert_eq!((&open["task"]["status"], &open["task"]["completed_at"]), (&json!("pending"), &Value::Null));
    let again = undo(&ann, &open["revision"]).await.expect(200);
    assert_eq!((&again["task"]["status"], &again["task"]["completed_at"]), (&json!("completed"), &json!(MONDAY)));
    observer.nth(COMPLETED, id, 1).await;

    // A deletion: the task returns with its id and a higher revision, and is announced as created.
    let before = ann.task(id).await;
    let deleted = change(&ann.delete(&path).await);
    let conflict = undo(&ann, &done).await;
    assert_eq!(conflict.code(409), "REVISION_CONFLICT", "what is deleted has to come back first");
    let returned = undo(&ann, &deleted).await.expect(200);
    assert!(returned["task"]["revision"].as_i64() > deleted.as_i64());
    for field in ["id", "title", "status", "tags", "created_at", "completed_at"] {
        assert_eq!(returned["task"][field], before[field], "{field}");
    }
    let event = observer.nth(CREATED, id, 1).await;
    assert_eq!(event.data["task"], returned["task"]);
    assert_eq!(ann.task(id).await, returned["task"]);

    // A creation: the task goes, and its return is undone by the same rule.
    let gone = undo(&ann, &returned["revision"]).await.expect(200);
    assert_eq!(gone["task"], Value::Null);
    observer.nth(DELETED, id, 1).await;
    assert_eq!(ann.get(&path).await.code(404), "TASK_NOT_FOUND");
    undo(&ann, &gone["revision"]).await.expect(200);
    assert_eq!(ann.task(id).await["title"], "Second");

    // Once undone there is nothing left to undo.
    let renamed = change(&ann.patch(&path, &json!({ "title": "Third" })).await);
    undo(&ann, &renamed).await.expect(200);
    let nothing = undo(&ann, &renamed).await;
    assert_eq!((nothing.status.as_u16(), nothing.header("x-event-published")), (200, Some("false")));
    // Nobody else can, and there is no change without a number.
    let bob = system.user("bob").await;
    assert_eq!(undo(&bob, &renamed).await.code(404), "CHANGE_NOT_FOUND");
    assert_eq!(undo(&ann, &json!(1_000_000)).await.code(404), "CHANGE_NOT_FOUND");
    assert_eq!(undo(&ann, &json!("x")).await.code(400), "VALIDATION_ERROR");
    system.pass(&clock, TimeDelta::days(1)).await;
    system.stop().await;
}

pub(crate) async fn undoing_gives_back_what_time_has_not_taken(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let moments = ["2026-03-02T08:10:00Z", "2026-03-02T08:20:00Z", "2026-03-02T08:30:00Z"];
    let reminders: Vec<_> = moments.iter().map(|at| json!({ "trigger_at": at })).collect();
    let daily = json!({ "recurrence_type": "daily" });
    let task = json!({ "title": "a", "due_date": "2026-03-02T09:00:00Z", "reminders": reminders, "recurrence": daily });
    let task = ann.create(task).await;
    let path = format!("/api/tasks/{}", text(&task["id"]));
    let states = |task: &Value| -> Vec<(Value, Value)> {
        let reminders = task["reminders"].as_array().expect("a list").iter();
        reminders.map(|it| (it["fired"].clone(), it["cancelled"].clone())).collect()
    };
    let (fired, cancelled, pending) =
        ((json!(true), json!(false)), (json!(false), json!(true)), (json!(false), json!(false)));

    system.pass(&clock, TimeDelta::minutes(15)).await;
    let done = ann.act(&format!("{path}/complete")).await;
    let done = change(&done);
    assert_eq!(states(&ann.task(text(&task["id"])).await), [fired.clone(), cancelled.clone(), cancelled.clone()]);
    // A reopening brings no reminders back, an undo those that are still to come.
    let reopened = ann.patch(&path, &json!({ "status": "pending" })).await.expect(200);
    assert_eq!(states(&reopened), [fired.clone(), cancelled.clone(), cancelled.clone()]);
    undo(&ann, &reopened["revision"]).await.expect(200);
    system.pass(&clock, TimeDelta::minutes(10)).await;
    let undone = undo(&ann, &done).await.expect(200);
    assert_eq!(states(&undone["task"]), [fired.clone(), cancelled.clone(), pending.clone()]);

    // A deleted series that returns goes on from now: what passed in between is gone.
    let deleted = change(&ann.delete(&path).await);
    system.pass(&clock, TimeDelta::days(3)).await;
    let returned = undo(&ann, &deleted).await.expect(200);
    assert_eq!(states(&returned["task"]), [fired, cancelled.clone(), cancelled]);
    assert_eq!(returned["task"]["recurrence"]["id"], task["recurrence"]["id"]);
    system.pass(&clock, TimeDelta::seconds(1)).await;
    assert_eq!(ann.instances(text(&task["id"])).await, Vec::<Value>::new());
    system.pass(&clock, TimeDelta::hours(1)).await;
    let [instance] = &ann.instances(text(&task["id"])).await[..] else { panic!("not one") };
    assert_eq!(instance["due_date"], "2026-03-05T09:00:00Z");
    assert_eq!(ann.notifications().await.len(), 1);

    // A due date goes back with all that hangs on it.
    let relative =
        json!({ "title": "b", "due_date": "2026-03-06T09:00:00Z", "reminders": [{ "before_due_seconds": 60 }] });
    let relative = ann.create(relative).await;
    let path = format!("/api/tasks/{}", text(&relative["id"]));
    let cleared = change(&ann.patch(&path, &json!({ "due_date": null })).await);
    let undone = undo(&ann, &cleared).await.expect(200);
    assert_eq!(states(&undone["task"]), [pending]);
    assert_eq!(undone["task"]["reminders"], relative["reminders"]);
    system.pass(&clock, TimeDelta::days(2)).await;
    assert_eq!(ann.notifications().await.len(), 2);
    system.stop().await;
}

pub(crate) async fn after_seven_days_nothing_can_be_undone(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let (first, second) = (ann.create(json!({ "title": "a" })).await, ann.create(json!({ "title": "b" })).await);
    let early = change(&ann.delete(&format!("/api/tasks/{}", text(&first["id"]))).await);
    let late = change(&ann.delete(&format!("/api/tasks/{}", text(&second["id"]))).await);
    clock.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
    let returned = undo(&ann, &early).await.expect(200);
    assert_eq!(returned["task"]["id"], first["id"]);
    clock.advance(TimeDelta::seconds(2));
    assert_eq!(undo(&ann, &late).await.code(404), "CHANGE_NOT_FOUND");
    system.stop().await;
}
