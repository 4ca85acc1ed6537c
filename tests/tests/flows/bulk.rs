//! Changes of many tasks: shown first, confirmed as shown, made as one.

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_tests::{rest::Rest, stream::Stream, system::Ground};

use crate::{MONDAY, at, text};

const BATCH: &str = "/api/tasks/batch";

async fn three(ann: &Rest) -> Vec<String> {
    let mut ids = Vec::new();
    for title in ["a", "b", "c"] {
        ids.push(text(&ann.create(json!({ "title": title })).await["id"]).to_owned());
    }
    ids
}

/// What is asked for, with the token that the preview gave.
async fn shown(ann: &Rest, mut body: Value) -> Value {
    let answer = ann.post(BATCH, &body).await.expect(200);
    assert_eq!(answer["revisions"], json!([]));
    body["confirm_token"] = answer["confirm_token"].clone();
    body
}

pub(crate) async fn what_was_shown_and_confirmed_is_done_and_can_be_undone(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let ids = three(&ann).await;
    ann.act(&format!("/api/tasks/{}/complete", ids[2])).await.expect(200);

    let mut stream = Stream::open(&ann, None).await;
    let preview = ann.post(BATCH, &json!({ "ids": ids, "action": "complete" })).await.expect(200);
    let titles = |answer: &Value| {
        let tasks = answer["tasks"].as_array().cloned().unwrap_or_default();
        tasks.iter().map(|task| format!("{} {}", text(&task["title"]), text(&task["status"]))).collect::<Vec<_>>()
    };
    assert_eq!(titles(&preview), ["a pending", "b pending", "c completed"]);
    assert_eq!(preview["expires_at"], "2026-03-02T08:05:00Z");
    assert_eq!(ann.tasks("status=completed").await.len(), 1, "nothing is done yet");
    let confirm = json!({ "ids": ids, "action": "complete", "confirm_token": preview["confirm_token"] });
    let done = ann.post(BATCH, &confirm).await;
    assert_eq!(done.header("x-event-published"), Some("true"));
    let done = done.expect(200);
    assert_eq!(titles(&done), ["a completed", "b completed", "c completed"]);
    assert_eq!((&done["confirm_token"], done["revisions"].as_array().map(Vec::len)), (&Value::Null, Some(2)));
    stream.kind("com.todo.task.completed").await;
    stream.kind("com.todo.task.completed").await;
    for revision in done["revisions"].as_array().into_iter().flatten() {
        ann.act(&format!("/api/changes/{revision}/undo")).await.expect(200);
    }
    assert_eq!(ann.tasks("status=pending").await.len(), 2);

    let update = json!({ "ids": ids[..2], "action": "update", "task": { "priority": "high", "tags": ["x"] } });
    let done = ann.post(BATCH, &shown(&ann, update).await).await.expect(200);
    assert_eq!(done["tasks"][1]["priority"], "high");
    assert_eq!(ann.tasks("tag=x&priority=high").await.len(), 2);
    ann.post(BATCH, &shown(&ann, json!({ "ids": [ids[2]], "action": "reopen" })).await).await.expect(200);
    let delete = shown(&ann, json!({ "ids": ids, "action": "delete" })).await;
    clock.advance(TimeDelta::minutes(4));
    ann.post(BATCH, &delete).await.expect(200);
    assert_eq!(ann.tasks("").await.len(), 0);
    system.stop().await;
}

pub(crate) async fn what_is_not_as_it_was_shown_is_not_done(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    let ids = three(&ann).await;
    let delete = shown(&ann, json!({ "ids": ids, "action": "delete" })).await;
    let mut fewer = delete.clone();
    fewer["ids"] = json!(ids[..2]);
    let mut other = delete.clone();
    other["action"] = json!("complete");
    for changed in [&fewer, &other] {
        assert_eq!(ann.post(BATCH, changed).await.code(409), "REVISION_CONFLICT", "{changed}");
    }
    assert_eq!(bob.post(BATCH, &delete).await.code(404), "TASK_NOT_FOUND");
    ann.patch(&format!("/api/tasks/{}", ids[1]), &json!({ "title": "edited" })).await.expect(200);
    assert_eq!(ann.post(BATCH, &delete).await.code(409), "REVISION_CONFLICT");

    let delete = shown(&ann, json!({ "ids": ids, "action": "delete" })).await;
    clock.advance(TimeDelta::minutes(5));
    let late = ann.post(BATCH, &delete).await;
    assert_eq!((late.code(400), late.fields()), ("VALIDATION_ERROR", vec!["confirm_token"]));
    let mut forged = delete.clone();
    forged["confirm_token"] = json!("9999999999.00");
    assert_eq!(ann.post(BATCH, &forged).await.code(409), "REVISION_CONFLICT");
    assert_eq!(ann.tasks("").await.len(), 3, "nothing was done");
    system.stop().await;
}

pub(crate) async fn a_series_goes_with_what_it_made(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let series = ann.create(json!({
        "title": "Water", "due_date": MONDAY, "recurrence": { "recurrence_type": "daily", "lead_seconds": 3_600 },
    }));
    let series = text(&series.await["id"]).to_owned();
    system.pass(&clock, TimeDelta::days(2)).await;
    let mut ids = vec![series.clone()];
    ids.extend(ann.instances(&series).await.iter().map(|task| text(&task["id"]).to_owned()));
    assert!(ids.len() > 1);
    ann.post(BATCH, &shown(&ann, json!({ "ids": ids, "action": "delete" })).await).await.expect(200);
    assert_eq!(ann.tasks("").await.len(), 0);
    system.stop().await;
}

pub(crate) async fn what_cannot_be_done_to_all_is_refused_at_once(ground: Ground) {
    let (setup, _) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let ids = three(&ann).await;
    for (body, fields) in [
        (json!({}), vec!["ids", "action"]),
        (json!({ "ids": ids, "action": "explode" }), vec!["action"]),
        (json!({ "ids": vec![ids[0].clone(); 501], "action": "delete" }), vec!["ids"]),
        (json!({ "ids": [ids[0], ids[0]], "action": "delete" }), vec!["ids[1]"]),
        (json!({ "ids": ids, "action": "update" }), vec!["task"]),
        (json!({ "ids": ids, "action": "delete", "task": { "title": "x" } }), vec!["task"]),
        (json!({ "ids": ids, "action": "update", "task": { "title": "x".repeat(201) } }), vec!["task.title"]),
        (json!({ "ids": ids, "action": "delete", "confirm_token": "yes" }), vec!["confirm_token"]),
    ] {
        let answer = ann.post(BATCH, &body).await;
        assert_eq!((answer.code(400), answer.fields()), ("VALIDATION_ERROR", fields), "{}", answer.body);
    }
    assert_eq!(ann.post(BATCH, &json!({ "ids": ["x"], "action": "delete" })).await.code(400), "INVALID_ID_FORMAT");
    let missing = json!({ "ids": [ids[0], "00000000-0000-4000-8000-000000000000"], "action": "delete" });
    assert_eq!(ann.post(BATCH, &missing).await.code(404), "TASK_NOT_FOUND");
    system.stop().await;
}
