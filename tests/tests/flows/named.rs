//! The flows that quality.md names, each with its events as contract.md has them.

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_proto::v1;
use todo_tests::{
    SOON,
    clock::TestClock,
    eventually,
    observer::Observer,
    rest::Rest,
    stream::Stream,
    system::{Ground, System},
};

use crate::{
    MONDAY, at,
    envelope::{self, COMPLETED, CREATED, DELETED, SCHEDULED, TRIGGERED, UPDATED},
    text,
};

/// What a system without a clock of its own needs.
struct Scene {
    system: System,
    clock: std::sync::Arc<TestClock>,
    observer: std::sync::Arc<Observer>,
    ann: Rest,
}

async fn scene(ground: Ground) -> Scene {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let observer = system.observe();
    let ann = system.user("ann").await;
    Scene { system, clock, observer, ann }
}

impl Scene {
    /// Checks everything that was published, and ends.
    async fn end(self) {
        self.system.settled().await;
        for delivery in self.observer.deliveries() {
            envelope::check(&delivery.topic, &delivery.event);
        }
        self.system.stop().await;
    }

    /// The reminders that the scheduler holds for a user.
    async fn held(&self) -> Vec<String> {
        let request = v1::ListRemindersRequest { user_id: self.ann.user_id.clone(), pending_only: true };
        let held = self.system.scheduler().list_reminders(request).await.expect("an answer").into_inner();
        held.reminders.into_iter().map(|due| due.id).collect()
    }

    /// The series that the scheduler holds for a user.
    async fn series(&self) -> Vec<String> {
        let request = v1::ListSchedulesRequest { user_id: self.ann.user_id.clone(), pending_only: true };
        let held = self.system.scheduler().list_schedules(request).await.expect("an answer").into_inner();
        held.schedules.into_iter().map(|due| due.id).collect()
    }

    /// What the scheduler keeps under a key, once it is as expected.
    async fn state(&self, key: &str, expected: impl Fn(&Value) -> bool) -> Value {
        let what = format!("the state of {key}");
        eventually(&what, SOON, || async { self.system.state(key).await.filter(|value| expected(value)) }).await
    }
}

pub(crate) async fn a_created_task_is_announced_with_its_priority(ground: Ground) {
    let scene = scene(ground).await;
    let body = json!({
        "title": "  Pay rent ", "description": "by transfer", "priority": "high", "tags": ["home", "Money"],
        "due_date": "2026-03-03T10:00:00+01:00", "reminders": [{ "trigger_at": "2026-03-03T07:30:00Z" }],
        "recurrence": { "recurrence_type": "custom", "cron_expression": "0 9 1 * *" },
    });
    let created = scene.ann.post("/api/tasks", &body).await;
    assert_eq!(created.header("x-event-published"), Some("true"));
    let task = created.expect(201);
    assert_eq!((&task["title"], &task["priority"]), (&json!("Pay rent"), &json!("high")));

    let event = scene.observer.event(CREATED, text(&task["id"])).await;
    assert_eq!(event.time.to_rfc3339(), "2026-03-02T08:00:00+00:00");
    assert_eq!(
        event.data,
        json!({
            "task_id": task["id"], "user_id": scene.ann.user_id, "title": "Pay rent", "description": "by transfer",
            "status": "pending", "priority": "high", "tags": ["home", "Money"], "due_date": "2026-03-03T09:00:00Z",
            "created_at": "2026-03-02T08:00:00Z",
            "reminders": [{ "reminder_id": task["reminders"][0]["id"], "trigger_at": "2026-03-03T07:30:00Z" }],
            "recurrence": {
                "recurrence_id": task["recurrence"]["id"], "recurrence_type": "custom",
                "cron_expression": "0 9 1 * *", "next_occurrence": "2026-04-01T09:00:00Z", "rrule": null,
            },
            "revision": task["revision"], "task": task,
        })
    );
    scene.end().await;
}

pub(crate) async fn an_updated_task_is_announced_with_what_changed(ground: Ground) {
    let scene = scene(ground).await;
    let task = scene.ann.create(json!({ "title": "Draft", "tags": ["a"], "due_date": "2026-03-03T09:00:00Z" })).await;
    let path = format!("/api/tasks/{}", text(&task["id"]));
    scene.system.advance(&scene.clock, TimeDelta::minutes(1));
    let edits = json!({
        "title": "Final", "priority": "low", "tags": ["a", "b"], "due_date": null, "description": "",
        "reminders": [{ "trigger_at": "2026-03-04T09:00:00Z" }],
        "recurrence": { "recurrence_type": "weekly", "lead_seconds": 3600, "count": 4 },
    });
    let updated = scene.ann.patch(&path, &edits).await;
    assert_eq!(updated.header("x-event-published"), Some("true"));
    let updated = updated.expect(200);

    let event = scene.observer.event(UPDATED, text(&task["id"])).await;
    assert_eq!(
        event.data,
        json!({
            "task_id": task["id"], "user_id": scene.ann.user_id, "updated_at": "2026-03-02T08:01:00Z",
            "changes": {
                "title": { "old_value": "Draft", "new_value": "Final" },
                "priority": { "old_value": "medium", "new_value": "low" },
                "tags": { "old_value": ["a"], "new_value": ["a", "b"] },
                "due_date": { "old_value": "2026-03-03T09:00:00Z", "new_value": null },
                "reminders": { "old_value": [], "new_value": updated["reminders"] },
                "recurrence": { "old_value": null, "new_value": updated["recurrence"] },
            },
            "revision": updated["revision"], "task": updated,
        })
    );
    scene.end().await;
}

pub(crate) async fn a_completed_task_is_announced_and_its_reminders_are_cancelled(ground: Ground) {
    let scene = scene(ground).await;
    let task = scene.ann.create(json!({
        "title": "Call", "due_date": "2026-03-02T08:02:00Z",
        "reminders": [{ "trigger_at": "2026-03-02T08:01:00Z" }, { "before_due_seconds": 30 }],
    }));
    let task = task.await;
    let id = text(&task["id"]);
    eventually("the scheduler holds both", SOON, || async { (scene.held().await.len() == 2).then_some(()) }).await;

    let completed = scene.ann.act(&format!("/api/tasks/{id}/complete")).await.expect(200);
    assert_eq!(
        (&completed["status"], &completed["completed_at"]),
        (&json!("completed"), &json!("2026-03-02T08:00:00Z"))
    );
    let event = scene.observer.event(COMPLETED, id).await;
    assert_eq!(
        event.data,
        json!({
            "task_id": id, "user_id": scene.ann.user_id, "completed_at": "2026-03-02T08:00:00Z",
            "revision": completed["revision"], "task": completed,
        })
    );
    for reminder in completed["reminders"].as_array().expect("a list") {
        assert_eq!((&reminder["cancelled"], &reminder["fired"]), (&json!(true), &json!(false)));
        let key = format!("reminder:{}", text(&reminder["id"]));
        scene.state(&key, |state| state["cancelled"] == true && state["fired"] == false).await;
    }
    eventually("the scheduler holds none", SOON, || async { scene.held().await.is_empty().then_some(()) }).await;
    scene.system.pass(&scene.clock, TimeDelta::hours(1)).await;
    assert_eq!(scene.ann.notifications().await, Vec::<Value>::new());
    scene.end().await;
}

pub(crate) async fn a_deleted_task_is_announced_and_its_schedules_are_removed(ground: Ground) {
    let scene = scene(ground).await;
    let task = scene.ann.create(json!({
        "title": "Standup", "due_date": "2026-03-02T08:01:00Z",
        "reminders": [{ "before_due_seconds": 30 }, { "trigger_at": "2027-03-02T08:00:00Z" }],
        "recurrence": { "recurrence_type": "custom", "cron_expression": "*/2 * * * *" },
    }));
    let task = task.await;
    let id = text(&task["id"]);
    eventually("the scheduler holds both", SOON, || async {
        scene.system.advance(&scene.clock, TimeDelta::milliseconds(10));
        (scene.held().await.len() == 1 && scene.series().await.len() == 1).then_some(())
    })
    .await;

    let deleted = scene.ann.delete(&format!("/api/tasks/{id}")).await;
    assert_eq!((deleted.status.as_u16(), deleted.header("x-event-published")), (204, Some("true")));
    let revision: i64 = deleted.header("x-revision").expect("the change's name").parse().expect("a number");
    let event = scene.observer.event(DELETED, id).await;
    assert_eq!((&event.data["task_id"], &event.data["user_id"]), (&json!(id), &json!(scene.ann.user_id)));
    assert_eq!(event.data["revision"], revision);
    assert_eq!(scene.ann.get(&format!("/api/tasks/{id}")).await.code(404), "TASK_NOT_FOUND");
    eventually("the scheduler holds nothing", SOON, || async {
        (scene.held().await.is_empty() && scene.series().await.is_empty()).then_some(())
    })
    .await;
    scene.state(&format!("recurring:{id}"), |state| state["recurrence_type"].is_null()).await;
    for reminder in task["reminders"].as_array().expect("a list") {
        // Also the one that no timer was set for yet.
        scene.state(&format!("reminder:{}", text(&reminder["id"])), |state| state["cancelled"] == true).await;
    }
    scene.system.pass(&scene.clock, TimeDelta::hours(1)).await;
    assert!(scene.ann.tasks("").await.is_empty() && scene.ann.notifications().await.is_empty());
    scene.end().await;
}

pub(crate) async fn a_recurring_task_is_scheduled_and_its_slot_becomes_a_task(ground: Ground) {
    let scene = scene(ground).await;
    let task = scene.ann.create(json!({
        "title": "Water plants", "description": "all", "priority": "low", "tags": ["home"],
        "due_date": "2026-03-02T09:00:00Z", "recurrence": { "recurrence_type": "daily" },
    }));
    let task = task.await;
    let id = text(&task["id"]);
    assert_eq!(task["recurrence"]["next_occurrence"], "2026-03-03T09:00:00Z");
    let state = scene.state(&format!("recurring:{id}"), |_| true).await;
    assert_eq!(
        state,
        json!({
            "task_id": id, "user_id": scene.ann.user_id, "title": "Water plants", "description": "all",
            "priority": "low", "tags": ["home"], "recurrence_type": "daily", "cron_expression": null,
            "rrule": null, "next_occurrence": "2026-03-03T09:00:00Z", "last_scheduled": null, "revision": task["revision"],
        })
    );

    scene.system.pass(&scene.clock, TimeDelta::hours(25)).await;
    let [made] = &scene.ann.instances(id).await[..] else { panic!("not one instance") };
    assert_eq!(
        (&made["title"], &made["description"], &made["priority"], &made["tags"], &made["status"]),
        (&json!("Water plants"), &json!("all"), &json!("low"), &json!(["home"]), &json!("pending"))
    );
    assert_eq!((&made["due_date"], &made["recurrence"]), (&json!("2026-03-03T09:00:00Z"), &Value::Null));
    let scheduled = scene.observer.until("it", |seen| seen.iter().any(|it| it.event.type_ == SCHEDULED)).await;
    let scheduled = &scheduled.iter().find(|it| it.event.type_ == SCHEDULED).expect("it was there").event;
    assert_eq!(
        scheduled.data,
        json!({
            "source_task_id": id, "new_task_id": made["id"], "user_id": scene.ann.user_id, "title": "Water plants",
            "description": "all", "priority": "low", "tags": ["home"], "recurrence_type": "daily",
            "scheduled_for": "2026-03-03T09:00:00Z", "next_occurrence": "2026-03-04T09:00:00Z",
        })
    );
    let created = scene.observer.event(CREATED, text(&made["id"])).await;
    assert_eq!(created.data["task"]["source_task_id"], id);
    assert_eq!(&created.data["task"], made);
    scene
        .state(&format!("recurring:{id}"), |state| {
            state["last_scheduled"] == "2026-03-03T09:00:00Z" && state["next_occurrence"] == "2026-03-04T09:00:00Z"
        })
        .await;
    scene.end().await;
}

pub(crate) async fn a_reminder_is_kept_and_rings_at_its_time(ground: Ground) {
    let scene = scene(ground).await;
    let mut stream = Stream::open(&scene.ann, None).await;
    let task = scene.ann.create(json!({
        "title": "Take the cake out", "due_date": "2026-03-02T09:00:00Z",
        "reminders": [{ "trigger_at": "2026-03-02T08:50:00Z" }],
    }));
    let task = task.await;
    let (id, reminder) = (text(&task["id"]), text(&task["reminders"][0]["id"]));
    let key = format!("reminder:{reminder}");
    let state = scene.state(&key, |_| true).await;
    assert_eq!(
        state,
        json!({
            "reminder_id": reminder, "task_id": id, "user_id": scene.ann.user_id, "task_title": "Take the cake out",
            "trigger_at": "2026-03-02T08:50:00Z", "due_date": "2026-03-02T09:00:00Z", "fired": false,
            "cancelled": false, "revision": task["revision"],
        })
    );

    scene.system.pass(&scene.clock, TimeDelta::minutes(49)).await;
    assert_eq!(scene.ann.notifications().await, Vec::<Value>::new());
    scene.system.advance(&scene.clock, TimeDelta::seconds(61));
    let event = scene.observer.event(TRIGGERED, id).await;
    assert_eq!(
        event.data,
        json!({
            "reminder_id": reminder, "task_id": id, "user_id": scene.ann.user_id, "task_title": "Take the cake out",
            "due_date": "2026-03-02T09:00:00Z", "trigger_at": "2026-03-02T08:50:00Z",
            "triggered_at": "2026-03-02T08:50:01Z",
        })
    );
    let rang = stream.kind(TRIGGERED).await;
    let [notification] = &scene.ann.notifications().await[..] else { panic!("not one notification") };
    assert_eq!(&rang.data["notification"], notification);
    assert_eq!(rang.id, notification["revision"].as_i64());
    assert_eq!(
        (&notification["reminder_id"], &notification["task_id"], &notification["task_title"]),
        (&json!(reminder), &json!(id), &json!("Take the cake out"))
    );
    assert_eq!((&notification["triggered_at"], &notification["read_at"]), (&event.data["triggered_at"], &Value::Null));
    let fired = scene.ann.task(id).await;
    assert_eq!((&fired["reminders"][0]["fired"], &fired["reminders"][0]["cancelled"]), (&json!(true), &json!(false)));
    assert!(fired["revision"].as_i64() > task["revision"].as_i64(), "a firing advances the revision");
    scene.state(&key, |state| state["fired"] == true).await;
    let types: Vec<_> = scene.observer.about(id).into_iter().map(|event| event.type_).collect();
    assert_eq!(types, [CREATED, TRIGGERED], "and announces no update");
    scene.end().await;
}

pub(crate) async fn a_restarted_system_goes_on_where_it_was(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let mut ann = system.user("ann").await;
    let reminded = ann.create(json!({ "title": "a", "reminders": [{ "trigger_at": "2026-03-02T10:00:00Z" }] })).await;
    let daily = json!({ "recurrence_type": "daily" });
    let series = ann.create(json!({ "title": "b", "due_date": "2026-03-02T09:00:00Z", "recurrence": daily })).await;
    let before = ann.get("/api/tasks").await.expect(200);
    system.stop().await;

    clock.advance(TimeDelta::hours(30));
    let system = setup.start().await;
    ann = system.back(&ann);
    system.settled().await;
    let after = ann.get(&format!("/api/tasks/{}", text(&reminded["id"]))).await.expect(200);
    assert_eq!((&after["title"], &after["created_at"]), (&reminded["title"], &reminded["created_at"]));
    assert!(ann.get("/api/tasks").await.expect(200)["revision"].as_i64() > before["revision"].as_i64());
    assert_eq!(ann.instances(text(&series["id"])).await.len(), 1);
    let observer = system.observe();
    let rang = observer.event(TRIGGERED, text(&reminded["id"])).await;
    assert_eq!(
        (&rang.data["trigger_at"], &rang.data["triggered_at"]),
        (&json!("2026-03-02T10:00:00Z"), &json!("2026-03-03T14:00:00Z")),
        "its own trigger time, and when it fired"
    );
    assert_eq!(ann.notifications().await.len(), 1);
    system.stop().await;
    let system = setup.start().await;
    ann = system.back(&ann);
    system.settled().await;
    assert_eq!(ann.notifications().await.len(), 1, "once is enough");
    assert_eq!(ann.instances(text(&series["id"])).await.len(), 1);
    system.stop().await;
}
