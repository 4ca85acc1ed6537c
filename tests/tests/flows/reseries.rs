//! Series that are changed while they run.

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_tests::{rest::Rest, system::Ground};

use crate::{
    MONDAY, at,
    envelope::{CREATED, DELETED},
    text,
};

async fn slots(user: &Rest, source: &Value) -> Vec<String> {
    let instances = user.instances(text(&source["id"])).await;
    instances.iter().map(|task| text(&task["due_date"]).to_owned()).collect()
}

fn path(task: &Value) -> String {
    format!("/api/tasks/{}", text(&task["id"]))
}

pub(crate) async fn moving_the_due_date_withdraws_what_nobody_touched(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, observer) = (system.user("ann").await, system.observe());
    let daily = json!({ "recurrence_type": "daily", "lead_seconds": 86_400 });
    let source = |title: &str| json!({ "title": title, "due_date": "2026-03-02T07:00:00Z", "recurrence": daily });
    let (alone, touched) = (ann.create(source("alone")).await, ann.create(source("touched")).await);
    system.pass(&clock, TimeDelta::seconds(1)).await;
    for source in [&alone, &touched] {
        assert_eq!(slots(&ann, source).await, ["2026-03-03T07:00:00Z"]);
    }
    let [ahead] = &ann.instances(text(&alone["id"])).await[..] else { panic!("not one") };
    let [kept] = &ann.instances(text(&touched["id"])).await[..] else { panic!("not one") };
    ann.patch(&path(kept), &json!({ "description": "I have begun" })).await.expect(200);

    for source in [&alone, &touched] {
        let moved = ann.patch(&path(source), &json!({ "due_date": "2026-03-02T10:00:00Z" })).await;
        let named = moved.header("x-revision").expect("the change's name").to_owned();
        let moved = moved.expect(200);
        assert_eq!(named, moved["revision"].to_string(), "what followed is not the change itself");
        assert_eq!(moved["recurrence"]["next_occurrence"], "2026-03-03T10:00:00Z");
    }
    observer.event(DELETED, text(&ahead["id"])).await;
    assert_eq!(ann.get(&path(ahead)).await.code(404), "TASK_NOT_FOUND");
    assert_eq!(ann.task(text(&kept["id"])).await["description"], "I have begun");
    // The day ahead begins with the slot before it.
    system.pass(&clock, TimeDelta::hours(2)).await;
    assert_eq!(slots(&ann, &alone).await, ["2026-03-03T10:00:00Z"]);
    assert_eq!(slots(&ann, &touched).await, ["2026-03-03T07:00:00Z", "2026-03-03T10:00:00Z"]);
    system.pass(&clock, TimeDelta::hours(24)).await;
    assert_eq!(slots(&ann, &alone).await, ["2026-03-03T10:00:00Z", "2026-03-04T10:00:00Z"]);
    system.stop().await;
}

pub(crate) async fn a_withdrawn_slot_that_comes_back_is_made_again(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, observer) = (system.user("ann").await, system.observe());
    let daily = |zone: &str| json!({ "recurrence_type": "daily", "lead_seconds": 86_400, "time_zone": zone });
    let source = json!({ "title": "a", "due_date": "2026-03-02T07:00:00Z", "recurrence": daily("UTC") });
    let source = ann.create(source).await;
    system.pass(&clock, TimeDelta::seconds(1)).await;
    let [ahead] = &ann.instances(text(&source["id"])).await[..] else { panic!("not one") };
    let weekly = json!({ "recurrence": { "recurrence_type": "weekly" } });
    let changed = ann.patch(&path(&source), &weekly).await.expect(200);
    assert_eq!(changed["recurrence"]["id"], source["recurrence"]["id"], "an edit of the rule is the same series");
    assert_eq!(slots(&ann, &source).await, Vec::<String>::new());
    ann.patch(&path(&source), &json!({ "recurrence": daily("UTC") })).await.expect(200);
    system.pass(&clock, TimeDelta::seconds(1)).await;
    observer.nth(CREATED, text(&ahead["id"]), 1).await;
    let [again] = &ann.instances(text(&source["id"])).await[..] else { panic!("not one") };
    assert_eq!((&again["id"], &again["due_date"]), (&ahead["id"], &ahead["due_date"]), "the same slot, the same id");
    assert!(again["revision"].as_i64() > ahead["revision"].as_i64());
    system.stop().await;
}

pub(crate) async fn a_paused_series_makes_nothing_and_resumes_from_now(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let rule = |paused| json!({ "recurrence": { "recurrence_type": "daily", "paused": paused, "catch_up": "all" } });
    let source = json!({ "title": "a", "due_date": "2026-03-02T09:00:00Z", "recurrence": rule(false)["recurrence"] });
    let source = ann.create(source).await;
    system.pass(&clock, TimeDelta::hours(26)).await;
    let paused = ann.patch(&path(&source), &rule(true)).await.expect(200);
    assert_eq!(
        (&paused["recurrence"]["next_occurrence"], &paused["recurrence"]["active"]),
        (&Value::Null, &json!(false))
    );
    system.pass(&clock, TimeDelta::days(4)).await;
    assert_eq!(slots(&ann, &source).await, ["2026-03-03T09:00:00Z"]);
    let resumed = ann.patch(&path(&source), &rule(false)).await.expect(200);
    assert_eq!(resumed["recurrence"]["next_occurrence"], "2026-03-08T09:00:00Z");
    system.pass(&clock, TimeDelta::seconds(1)).await;
    assert_eq!(slots(&ann, &source).await.len(), 1, "what passed meanwhile is gone, even to catch_up all");
    system.pass(&clock, TimeDelta::days(1)).await;
    assert_eq!(slots(&ann, &source).await, ["2026-03-03T09:00:00Z", "2026-03-08T09:00:00Z"]);
    system.stop().await;
}

pub(crate) async fn a_cleared_or_deleted_series_makes_no_more(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let source = json!({
        "title": "a", "due_date": "2026-03-02T09:00:00Z", "recurrence": { "recurrence_type": "daily" },
    });
    let mut sources = Vec::new();
    for _ in 0..3 {
        sources.push(ann.create(source.clone()).await);
    }
    let [cleared, deleted, completed] = &sources[..] else { panic!("three were made") };
    system.pass(&clock, TimeDelta::hours(26)).await;
    ann.patch(&path(cleared), &json!({ "recurrence": null })).await.expect(200);
    ann.delete(&path(deleted)).await.expect(204);
    ann.act(&format!("{}/complete", path(completed))).await.expect(200);
    for instance in ann.instances(text(&completed["id"])).await {
        ann.act(&format!("{}/complete", path(&instance))).await.expect(200);
    }
    system.pass(&clock, TimeDelta::days(1)).await;
    assert_eq!(slots(&ann, cleared).await, ["2026-03-03T09:00:00Z"], "what was made stays");
    assert_eq!(slots(&ann, deleted).await, ["2026-03-03T09:00:00Z"]);
    let both = ["2026-03-03T09:00:00Z", "2026-03-04T09:00:00Z"];
    assert_eq!(slots(&ann, completed).await, both, "a series survives the completion of all its tasks");
    assert!(
        system
            .state(&format!("recurring:{}", text(&deleted["id"])))
            .await
            .is_none_or(|state| { state["recurrence_type"].is_null() && state["next_occurrence"].is_null() })
    );
    // A new recurrence on the same task is another series.
    let again = ann.patch(&path(cleared), &json!({ "recurrence": { "recurrence_type": "daily" } })).await.expect(200);
    assert_ne!(again["recurrence"]["id"], cleared["recurrence"]["id"]);
    system.stop().await;
}
