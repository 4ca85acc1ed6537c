//! Reminders and the clock: what was missed, moved, snoozed and stepped over.

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_tests::{observer::Observer, rest::Rest, system::Ground};

use crate::{MONDAY, at, envelope::TRIGGERED, text};

fn ids(reminders: &Value) -> Vec<&Value> {
    reminders.as_array().expect("a list").iter().map(|reminder| &reminder["id"]).collect()
}

fn count(observer: &Observer, task_id: &str) -> usize {
    observer.about(task_id).iter().filter(|event| event.type_ == TRIGGERED).count()
}

pub(crate) async fn what_was_due_while_the_system_was_down_rings_once_with_its_own_time(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let moments = ["2026-03-02T08:00:01Z", "2026-03-02T12:00:00Z", "2026-03-05T08:00:00Z"];
    let reminders: Vec<_> = moments.iter().map(|at| json!({ "trigger_at": at })).collect();
    let task = ann.create(json!({ "title": "a", "reminders": reminders })).await;
    let id = text(&task["id"]);
    system.stop().await;

    clock.advance(TimeDelta::days(2));
    let system = setup.start().await;
    let (ann, observer) = (system.back(&ann), system.observe());
    system.settled().await;
    observer.nth(TRIGGERED, id, 1).await;
    let mut rang: Vec<_> = observer.about(id).into_iter().filter(|event| event.type_ == TRIGGERED).collect();
    rang.sort_by_key(|event| event.data["trigger_at"].to_string());
    let times: Vec<_> = rang.iter().map(|event| (&event.data["trigger_at"], &event.data["triggered_at"])).collect();
    let now = json!("2026-03-04T08:00:00Z");
    assert_eq!(times, [(&json!(moments[0]), &now), (&json!(moments[1]), &now)]);
    assert_eq!(ann.notifications().await.len(), 2);

    system.pass(&clock, TimeDelta::days(2)).await;
    observer.nth(TRIGGERED, id, 2).await;
    assert_eq!((count(&observer, id), ann.notifications().await.len()), (3, 3));
    system.stop().await;
}

pub(crate) async fn a_clock_that_steps_back_and_forth_rings_nothing_twice(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, observer) = (system.user("ann").await, system.observe());
    let reminders = json!([{ "trigger_at": "2026-03-02T08:30:00Z" }, { "trigger_at": "2026-03-02T10:00:00Z" }]);
    let daily = json!({ "recurrence_type": "daily" });
    let task = json!({ "title": "a", "due_date": "2026-03-01T08:30:00Z", "reminders": reminders, "recurrence": daily });
    let task = ann.create(task).await;
    let id = text(&task["id"]);

    system.pass(&clock, TimeDelta::hours(1)).await;
    observer.event(TRIGGERED, id).await;
    let edited = ann.patch(&format!("/api/tasks/{id}"), &json!({ "title": "b" })).await.expect(200);
    system.pass(&clock, TimeDelta::hours(-5)).await;
    let stepped = ann.patch(&format!("/api/tasks/{id}"), &json!({ "title": "c" })).await.expect(200);
    assert!(stepped["updated_at"].as_str() >= edited["updated_at"].as_str(), "stored times never go backwards");
    let done = ann.create(json!({ "title": "done at once" })).await;
    let done = ann.act(&format!("/api/tasks/{}/complete", text(&done["id"]))).await.expect(200);
    assert!(done["completed_at"].as_str() >= done["created_at"].as_str());
    for _ in 0..3 {
        system.pass(&clock, TimeDelta::minutes(270)).await;
        system.pass(&clock, TimeDelta::minutes(-240)).await;
    }
    assert_eq!((count(&observer, id), ann.instances(id).await.len()), (1, 1));
    // The clock goes on from 03:30 + 1:30, over both moments again.
    system.pass(&clock, TimeDelta::hours(6)).await;
    observer.nth(TRIGGERED, id, 1).await;
    assert_eq!((count(&observer, id), ann.notifications().await.len(), ann.instances(id).await.len()), (2, 2, 1));
    system.stop().await;
}

pub(crate) async fn relative_reminders_move_with_the_due_date_and_absolute_ones_stay(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let reminders = json!([{ "trigger_at": "2026-03-03T00:00:00Z" }, { "before_due_seconds": 600 }]);
    let task = ann.create(json!({ "title": "a", "due_date": "2026-03-02T09:00:00Z", "reminders": reminders })).await;
    let path = format!("/api/tasks/{}", text(&task["id"]));
    let moments = |task: &Value| -> Vec<Value> {
        let reminders = task["reminders"].as_array().expect("a list").iter();
        reminders.map(|it| json!([it["trigger_at"], it["before_due_seconds"], it["fired"], it["cancelled"]])).collect()
    };
    assert_eq!(
        moments(&task),
        [json!(["2026-03-02T08:50:00Z", 600, false, false]), json!(["2026-03-03T00:00:00Z", null, false, false])]
    );
    // A moment that is already past when it is written is neither refused nor rung.
    let moved = ann.patch(&path, &json!({ "due_date": "2026-03-02T08:05:00Z" })).await.expect(200);
    assert_eq!(moments(&moved)[0], json!(["2026-03-02T07:55:00Z", 600, false, true]));
    let moved = ann.patch(&path, &json!({ "due_date": "2026-03-02T08:15:00Z" })).await.expect(200);
    assert_eq!(moments(&moved)[0], json!(["2026-03-02T08:05:00Z", 600, false, false]), "armed again");
    assert_eq!(ids(&moved["reminders"]), ids(&task["reminders"]), "and still the same one");

    system.pass(&clock, TimeDelta::minutes(6)).await;
    assert_eq!(ann.notifications().await.len(), 1);
    let fired = ann.task(text(&task["id"])).await;
    assert_eq!(moments(&fired)[0], json!(["2026-03-02T08:05:00Z", 600, true, false]));
    let moved = ann.patch(&path, &json!({ "due_date": "2026-03-02T09:15:00Z" })).await.expect(200);
    assert_eq!(moments(&moved)[0], json!(["2026-03-02T09:05:00Z", 600, false, false]), "for its new moment");
    system.pass(&clock, TimeDelta::hours(1)).await;
    assert_eq!(ann.notifications().await.len(), 2);

    let moved = ann.patch(&path, &json!({ "due_date": "2026-03-05T09:15:00Z" })).await.expect(200);
    assert_eq!(moments(&moved)[1], json!(["2026-03-05T09:05:00Z", 600, false, false]));
    let cleared = ann.patch(&path, &json!({ "due_date": null })).await.expect(200);
    assert_eq!(
        moments(&cleared),
        [json!(["2026-03-03T00:00:00Z", null, false, false]), json!([null, 600, false, true])],
        "without a due date there is nothing to count from"
    );
    system.pass(&clock, TimeDelta::days(10)).await;
    assert_eq!(ann.notifications().await.len(), 3, "only the absolute one");
    system.stop().await;
}

pub(crate) async fn a_snoozed_notification_rings_again(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, observer) = (system.user("ann").await, system.observe());
    let task = rung(&ann, "2026-03-02T08:01:00Z").await;
    let id = text(&task["id"]);
    system.pass(&clock, TimeDelta::minutes(1)).await;
    let [first] = &ann.notifications().await[..] else { panic!("not one") };
    ann.act(&format!("/api/notifications/{}/read", text(&first["id"]))).await.expect(204);
    let snooze = format!("/api/notifications/{}/snooze", text(&first["id"]));
    assert_eq!(ann.post(&snooze, &json!({ "until": "2026-03-02T08:01:00Z" })).await.fields(), ["until"]);
    let snoozed = ann.post(&snooze, &json!({ "until": "2026-03-02T08:31:00Z" })).await.expect(200);
    assert_eq!(snoozed["snoozed_until"], "2026-03-02T08:31:00Z");
    // An edit of the reminders is none of the snooze.
    let others = json!({ "reminders": [{ "trigger_at": "2026-03-09T08:00:00Z" }] });
    ann.patch(&format!("/api/tasks/{id}"), &others).await.expect(200);
    assert_eq!(ann.task(id).await["reminders"].as_array().map(Vec::len), Some(1), "it is none of the five");

    system.pass(&clock, TimeDelta::minutes(29)).await;
    assert_eq!(count(&observer, id), 1);
    system.pass(&clock, TimeDelta::minutes(1)).await;
    observer.nth(TRIGGERED, id, 1).await;
    let [again] = &ann.notifications().await[..] else { panic!("still one") };
    assert_eq!((&again["id"], &again["reminder_id"]), (&first["id"], &first["reminder_id"]));
    assert_eq!((&again["triggered_at"], &again["read_at"]), (&json!("2026-03-02T08:31:00Z"), &Value::Null));
    assert_eq!(again["snoozed_until"], Value::Null);

    // Put off twice, it rings at the later time only.
    ann.post(&snooze, &json!({ "until": "2026-03-02T08:40:00Z" })).await.expect(200);
    ann.post(&snooze, &json!({ "until": "2026-03-02T09:00:00Z" })).await.expect(200);
    system.pass(&clock, TimeDelta::minutes(15)).await;
    assert_eq!(count(&observer, id), 2);
    system.pass(&clock, TimeDelta::minutes(15)).await;
    observer.nth(TRIGGERED, id, 2).await;
    assert_eq!(ann.notifications().await.len(), 1);
    system.stop().await;
}

pub(crate) async fn a_snooze_dies_with_its_task(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let (done, gone) = (rung(&ann, "2026-03-02T08:01:00Z").await, rung(&ann, "2026-03-02T08:01:00Z").await);
    system.pass(&clock, TimeDelta::minutes(1)).await;
    for notification in ann.notifications().await {
        let path = format!("/api/notifications/{}/snooze", text(&notification["id"]));
        ann.post(&path, &json!({ "until": "2026-03-02T09:00:00Z" })).await.expect(200);
    }
    let completed = ann.act(&format!("/api/tasks/{}/complete", text(&done["id"]))).await;
    let named = completed.header("x-revision").expect("the change's name").to_owned();
    let completed = completed.expect(200);
    assert_eq!(named, completed["revision"].to_string(), "a change is named by its task's revision");
    let deleted = ann.delete(&format!("/api/tasks/{}", text(&gone["id"]))).await;
    let deletion = deleted.header("x-revision").expect("the change's name").to_owned();
    assert!(ann.notifications().await.iter().all(|notification| notification["snoozed_until"].is_null()));
    system.pass(&clock, TimeDelta::hours(2)).await;
    let notifications = ann.notifications().await;
    assert!(notifications.iter().all(|notification| notification["triggered_at"] == "2026-03-02T08:01:00Z"));

    // And these changes can be undone by their names.
    let undone = ann.act(&format!("/api/changes/{named}/undo")).await.expect(200);
    assert_eq!(undone["task"]["status"], "pending");
    let undone = ann.act(&format!("/api/changes/{deletion}/undo")).await.expect(200);
    assert_eq!(undone["task"]["id"], gone["id"]);
    system.pass(&clock, TimeDelta::hours(2)).await;
    assert_eq!(ann.notifications().await, notifications);
    system.stop().await;
}

async fn rung(ann: &Rest, at: &str) -> Value {
    ann.create(json!({ "title": "a", "reminders": [{ "trigger_at": at }] })).await
}

pub(crate) async fn an_all_day_task_has_the_whole_day(ground: Ground) {
    // 10:30 in Berlin.
    let (setup, clock) = at("2026-03-28T09:30:00Z", ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    ann.move_to("Europe/Berlin").await;
    // The day on which the clocks go forward: it begins at +01:00 and ends at +02:00.
    let task = json!({
        "title": "Birthday", "due_date": "2026-03-29T15:00:00", "due_all_day": true,
        "reminders": [{ "before_due_seconds": 0 }, { "before_due_seconds": 3600 }, { "before_due_seconds": 86_400 }],
    });
    let task = ann.create(task).await;
    assert_eq!((&task["due_date"], &task["due_all_day"]), (&json!("2026-03-28T23:00:00Z"), &json!(true)));
    let moments: Vec<_> = task["reminders"].as_array().expect("a list").iter().map(|it| &it["trigger_at"]).collect();
    // Nine o'clock in summer time; a day before that is past already.
    assert_eq!(moments, ["2026-03-28T07:00:00Z", "2026-03-29T06:00:00Z", "2026-03-29T07:00:00Z"]);
    assert_eq!(task["reminders"][0]["cancelled"], true);
    let overdue = async || ann.get("/api/tasks/counts").await.expect(200)["overdue"].clone();

    system.advance(&clock, TimeDelta::hours(24));
    system.settled().await;
    assert_eq!((ann.notifications().await.len(), overdue().await), (2, json!(0)));
    // 23:59:59 in summer time, then midnight.
    clock.set("2026-03-29T21:59:59Z");
    assert_eq!(overdue().await, 0);
    clock.set("2026-03-29T22:00:00Z");
    assert_eq!(overdue().await, 1);
    // What was read can be sent back, even from another zone.
    ann.move_to("America/New_York").await;
    let same = ann.patch(&format!("/api/tasks/{}", text(&task["id"])), &ann.task(text(&task["id"])).await).await;
    assert_eq!(same.header("x-event-published"), Some("false"));
    assert_eq!(same.expect(200)["due_date"], "2026-03-28T23:00:00Z");
    let days = json!({ "title": "a", "due_all_day": true });
    assert_eq!(ann.post("/api/tasks", &days).await.fields(), ["due_all_day"]);
    system.stop().await;
}

pub(crate) async fn reminders_of_many_users_at_one_instant_all_ring_once(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    for user in [&ann, &bob] {
        for _ in 0..20 {
            rung(user, "2026-03-02T08:10:00Z").await;
        }
    }
    system.pass(&clock, TimeDelta::minutes(10)).await;
    assert_eq!((ann.notifications().await.len(), bob.notifications().await.len()), (20, 20));
    assert_eq!(ann.get("/api/notifications").await.expect(200)["unread_count"], 20);
    ann.act("/api/notifications/read-all").await.expect(204);
    let read = ann.get("/api/notifications?unread_only=true").await.expect(200);
    assert_eq!((&read["unread_count"], &read["total"]), (&json!(0), &json!(0)));
    assert_eq!(bob.get("/api/notifications").await.expect(200)["unread_count"], 20);
    system.stop().await;
}
