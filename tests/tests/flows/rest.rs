//! What REST promises beyond the messages: statuses, headers, null and not sent, repeating and conflicting.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use todo_tests::{
    dice::Dice,
    rest::{Answer, Rest},
    system::Ground,
};

use crate::{
    MONDAY, at,
    envelope::{COMPLETED, UPDATED},
    text,
};

fn path(task: &Value) -> String {
    format!("/api/tasks/{}", text(&task["id"]))
}

async fn post_with(user: &Rest, headers: &[(&str, &str)], body: &Value) -> Answer {
    user.send(Method::POST, "/api/tasks", headers, Some(body)).await
}

pub(crate) async fn statuses_and_headers_say_what_happened(ground: Ground) {
    let (setup, _clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let created = ann.post("/api/tasks", &json!({ "title": "a" })).await;
    assert_eq!((created.status.as_u16(), created.header("x-event-published")), (201, Some("true")));
    let task = created.body.clone();
    assert_eq!(created.header("location"), Some(path(&task).as_str()));
    let tag = format!("\"{}\"", task["revision"]);
    assert_eq!(created.header("etag"), Some(tag.as_str()));

    let read = ann.get(&path(&task)).await;
    assert_eq!((read.header("etag"), read.header("x-event-published")), (Some(tag.as_str()), None));
    assert_eq!(ann.send(Method::GET, &path(&task), &[("if-none-match", &tag)], None).await.status, 304);
    let same = ann.patch(&path(&task), &json!({ "title": "a" })).await;
    assert_eq!((same.status.as_u16(), same.header("x-event-published")), (200, Some("false")));
    assert_eq!(same.body["revision"], task["revision"], "a value that does not change announces nothing");
    let empty = ann.patch(&path(&task), &json!({})).await;
    assert_eq!((empty.status.as_u16(), empty.header("x-event-published")), (200, Some("false")));

    let done = ann.act(&format!("{}/complete", path(&task))).await;
    assert_eq!((done.status.as_u16(), done.header("x-event-published")), (200, Some("true")));
    let again = ann.act(&format!("{}/complete", path(&task))).await;
    assert_eq!((again.status.as_u16(), again.header("x-event-published")), (200, Some("false")));
    assert_eq!(again.body, done.body);
    let gone = ann.delete(&path(&task)).await;
    assert_eq!((gone.status.as_u16(), &gone.body, gone.header("x-event-published")), (204, &Value::Null, Some("true")));
    let missing = ann.delete(&path(&task)).await;
    assert_eq!(missing.code(404), "TASK_NOT_FOUND");

    // What is not there says so as JSON, and what is there says what it takes.
    for nothing in ["/api/nothing", "/api/tasks/x/y/z", "/api/"] {
        let answer = ann.get(nothing).await;
        assert_eq!((answer.code(404), answer.header("content-type")), ("NOT_FOUND", Some("application/json")));
    }
    let answer = ann.send(Method::PUT, &path(&task), &[], Some(&json!({}))).await;
    assert_eq!(answer.code(405), "METHOD_NOT_ALLOWED");
    let allowed = answer.header("allow").expect("what it takes").to_owned();
    assert!(["GET", "PATCH", "DELETE"].iter().all(|method| allowed.contains(method)), "{allowed}");
    assert_eq!(ann.get("/api/tasks/seven").await.code(400), "INVALID_ID_FORMAT");
    let form = ann.request(Method::POST, "/api/tasks").header("content-type", "text/plain").body("title=a");
    assert_eq!(form.send().await.expect("an answer").status(), 415);
    for (path, status) in [("/health", 200), ("/api/health", 200), ("/ready", 200), ("/api/openapi.json", 200)] {
        assert_eq!(system.rest().get(path).await.status, status, "{path}");
    }
    system.stop().await;
}

pub(crate) async fn null_clears_and_what_is_not_sent_stays(ground: Ground) {
    let (setup, _clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let task = json!({
        "title": "a", "description": "d", "priority": "high", "tags": ["x"], "due_date": "2026-03-03T09:00:00Z",
        "reminders": [{ "before_due_seconds": 60 }], "recurrence": { "recurrence_type": "daily" },
    });
    let task = ann.create(task).await;
    for (field, cleared) in [
        ("description", json!("")),
        ("priority", json!("medium")),
        ("tags", json!([])),
        ("reminders", json!([])),
        ("recurrence", Value::Null),
        ("due_date", Value::Null),
    ] {
        let before = ann.task(text(&task["id"])).await;
        let answer = ann.patch(&path(&task), &json!({ field: null })).await.expect(200);
        let mut expected = before;
        for changed in ["revision", "updated_at"] {
            expected[changed] = answer[changed].clone();
        }
        expected[field] = cleared;
        assert_eq!(answer, expected, "{field}");
    }
    for field in ["title", "status"] {
        assert_eq!(ann.patch(&path(&task), &json!({ field: null })).await.fields(), [field]);
    }
    // What only the server writes is ignored, and what nobody knows is named.
    let odd = json!({ "user_id": "x", "revision": 99, "created_at": "1999-01-01T00:00:00Z", "completed_at": null });
    assert_eq!(ann.patch(&path(&task), &odd).await.header("x-event-published"), Some("false"));
    assert_eq!(ann.patch(&path(&task), &json!({ "color": "red" })).await.fields(), ["color"]);
    assert_eq!(ann.get("/api/tasks?color=red").await.fields(), ["color"]);
    let nested = json!({ "recurrence": { "recurrence_type": "daily", "every": 2 } });
    assert_eq!(ann.patch(&path(&task), &nested).await.fields(), ["recurrence.every"]);
    system.stop().await;
}

pub(crate) async fn what_was_read_can_be_sent_back(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    ann.move_to("Europe/Berlin").await;
    let task = json!({
        "title": "a", "description": " d ", "priority": "low", "tags": ["b", "a"], "due_date": "2026-03-29T00:00:00",
        "due_all_day": true,
        "reminders": [
            { "before_due_seconds": 86_400 }, { "trigger_at": "2026-03-02T08:30:00Z" },
            { "trigger_at": "2026-03-05T08:30:00.123456Z" }, { "before_due_seconds": 2_592_000 },
        ],
        "recurrence": { "recurrence_type": "custom", "cron_expression": " 0  9 * * 1 ", "count": 7, "overlap": "skip",
                        "until": "2027-01-01T00:00:00Z", "lead_seconds": 5, "catch_up": "none" },
    });
    let task = ann.create(task).await;
    assert_eq!(task["recurrence"]["cron_expression"], "0 9 * * 1");
    system.pass(&clock, TimeDelta::hours(1)).await;
    ann.move_to("Asia/Tokyo").await;
    let read = ann.task(text(&task["id"])).await;
    assert!(read["reminders"].as_array().is_some_and(|all| all.iter().any(|reminder| reminder["fired"] == true)));
    let back = ann.patch(&path(&task), &read).await;
    assert_eq!(back.header("x-event-published"), Some("false"));
    assert_eq!(back.expect(200), read);

    // Entry by entry: equal in id, moment or offset is the same reminder, with its id and state.
    let state = |reminder: &Value| (reminder["id"].clone(), reminder["fired"].clone(), reminder["cancelled"].clone());
    let named = |task: &Value, chosen: &dyn Fn(&Value) -> bool| {
        let reminders = task["reminders"].as_array().expect("a list");
        state(reminders.iter().find(|reminder| chosen(reminder)).expect("one of them"))
    };
    let replaced = json!({ "reminders": [
        { "trigger_at": "2026-03-02T08:30:00Z" }, { "before_due_seconds": 86_400 }, { "trigger_at": "2026-03-06T00:00:00Z" },
    ] });
    let replaced = ann.patch(&path(&task), &replaced).await.expect(200);
    let fired = |reminder: &Value| reminder["fired"] == true;
    let relative = |reminder: &Value| reminder["before_due_seconds"] == 86_400;
    assert_eq!(named(&replaced, &fired), named(&read, &fired), "even one that is past");
    assert_eq!(named(&replaced, &relative), named(&read, &relative));
    assert_eq!(replaced["reminders"].as_array().map(Vec::len), Some(3));

    // An instance can be sent back as well.
    let due =
        ann.create(json!({ "title": "b", "due_date": MONDAY, "recurrence": { "recurrence_type": "daily" } })).await;
    system.pass(&clock, TimeDelta::days(1)).await;
    let [instance] = &ann.instances(text(&due["id"])).await[..] else { panic!("not one") };
    assert_eq!(ann.patch(&path(instance), instance).await.header("x-event-published"), Some("false"));
    system.stop().await;
}

pub(crate) async fn completing_by_an_update_is_the_same_act(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, observer) = (system.user("ann").await, system.observe());
    let task = ann.create(json!({ "title": "a", "reminders": [{ "trigger_at": "2026-03-03T08:00:00Z" }] })).await;
    let id = text(&task["id"]);
    clock.advance(TimeDelta::seconds(1));
    let done = ann.patch(&path(&task), &json!({ "title": "b", "status": "completed" })).await.expect(200);
    assert_eq!((&done["status"], &done["completed_at"]), (&json!("completed"), &json!("2026-03-02T08:00:01Z")));
    assert_eq!(done["reminders"][0]["cancelled"], true);
    // Two events, in one transaction, each with a revision of its own.
    let (updated, completed) = (observer.event(UPDATED, id).await, observer.event(COMPLETED, id).await);
    assert_eq!(updated.data["changes"], json!({ "title": { "old_value": "a", "new_value": "b" } }));
    assert_eq!(updated.data["task"]["status"], "pending");
    assert_eq!(updated.data["revision"].as_i64().map(|revision| revision + 1), completed.data["revision"].as_i64());
    assert_eq!(completed.data["task"], done);

    assert_eq!(ann.patch(&path(&task), &json!({ "status": "in_progress" })).await.fields(), ["status"]);
    let open = ann.patch(&path(&task), &json!({ "status": "pending" })).await.expect(200);
    assert_eq!((&open["status"], &open["completed_at"]), (&json!("pending"), &Value::Null));
    assert_eq!(open["reminders"][0]["cancelled"], true, "reopening does not bring reminders back");
    let reopened = observer.nth(UPDATED, id, 1).await;
    assert_eq!(reopened.data["changes"]["status"], json!({ "old_value": "completed", "new_value": "pending" }));
    let begun = ann.patch(&path(&task), &json!({ "status": "in_progress" })).await.expect(200);
    assert_eq!(begun["status"], "in_progress");
    let only = ann.patch(&path(&task), &json!({ "status": "completed" })).await.expect(200);
    let completed = observer.nth(COMPLETED, id, 1).await;
    assert_eq!(completed.data["task"], only);
    system.settled().await;
    let count = observer.about(id).iter().filter(|event| event.type_ == UPDATED).count();
    assert_eq!(count, 3, "completing alone announces no update");
    system.stop().await;
}

pub(crate) async fn a_create_with_its_own_id_can_be_repeated(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    let mut dice = Dice::new(9);
    let (id, version7) = (dice.uuid().to_string(), "01890a5d-ac96-774b-bcce-b302099a8057");
    let body = json!({ "id": id, "title": "a", "reminders": [{ "trigger_at": "2026-03-02T08:30:00Z" }] });
    let first = ann.post("/api/tasks", &body).await.expect(201);
    assert_eq!(first["id"], id.as_str());
    let again = ann.post("/api/tasks", &body).await;
    assert_eq!((again.status.as_u16(), again.header("x-event-published")), (201, Some("false")));
    assert_eq!(again.body, first);
    assert_eq!(ann.post("/api/tasks", &json!({ "id": version7, "title": "seven" })).await.status, 201);

    // With the task as it is by now, even when its reminder has rung.
    ann.patch(&path(&first), &json!({ "title": "b" })).await.expect(200);
    system.pass(&clock, TimeDelta::hours(1)).await;
    let late = ann.post("/api/tasks", &body).await.expect(201);
    assert_eq!((&late["title"], &late["reminders"][0]["fired"]), (&json!("b"), &json!(true)));

    assert_eq!(ann.post("/api/tasks", &json!({ "id": id, "title": "other" })).await.code(409), "ID_CONFLICT");
    let of_another = bob.post("/api/tasks", &json!({ "id": id, "title": "mine" })).await;
    assert_eq!(of_another.code(409), "ID_CONFLICT");
    assert!(!of_another.body.to_string().contains(&ann.user_id), "no hint of an owner");
    for odd in ["00000000-0000-0000-0000-000000000000", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"] {
        assert_eq!(ann.post("/api/tasks", &json!({ "id": odd, "title": "a" })).await.fields(), ["id"]);
    }
    assert_eq!(ann.post("/api/tasks", &json!({ "id": "seven", "title": "a" })).await.code(400), "INVALID_ID_FORMAT");

    ann.delete(&path(&first)).await.expect(204);
    assert_eq!(ann.post("/api/tasks", &body).await.code(409), "TASK_DELETED");
    // What is free again is free for all.
    assert_eq!(bob.post("/api/tasks", &json!({ "id": id, "title": "mine" })).await.status, 201);
    system.stop().await;
}

pub(crate) async fn an_idempotency_key_gives_the_same_answer_again(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    let key = [("idempotency-key", "a key of mine")];
    let body = json!({ "title": "a", "reminders": [{ "trigger_at": "2026-03-02T08:30:00Z" }] });
    let first = post_with(&ann, &key, &body).await;
    let again = post_with(&ann, &key, &body).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("x-event-published"), first.header("x-event-published"));
    assert_eq!(post_with(&ann, &key, &json!({ "title": "b" })).await.code(409), "IDEMPOTENCY_CONFLICT");
    let task = path(&first.body);
    let elsewhere = ann.send(Method::POST, &format!("{task}/complete"), &key, None).await;
    assert_eq!(elsewhere.code(409), "IDEMPOTENCY_CONFLICT");
    assert_eq!(post_with(&bob, &key, &json!({ "title": "b" })).await.status, 201, "the key is the owner's");

    // The answer is that of the first time, whatever has become of the task.
    let done = [("idempotency-key", "done")];
    let completed = ann.send(Method::POST, &format!("{task}/complete"), &done, None).await.expect(200);
    ann.delete(&task).await.expect(204);
    clock.advance(TimeDelta::hours(23));
    assert_eq!(ann.send(Method::POST, &format!("{task}/complete"), &done, None).await.expect(200), completed);
    assert_eq!(post_with(&ann, &key, &body).await.expect(201), first.body);
    assert_eq!(ann.tasks("").await.len(), 0);
    // What failed may be tried again under its key.
    let failed = [("idempotency-key", "failed")];
    assert_eq!(post_with(&ann, &failed, &json!({ "title": "" })).await.code(400), "VALIDATION_ERROR");
    assert_eq!(post_with(&ann, &failed, &json!({ "title": "a" })).await.status, 201);
    system.stop().await;
}

pub(crate) async fn a_revision_guards_against_lost_updates(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let task = ann.create(json!({ "title": "a", "reminders": [{ "trigger_at": "2026-03-02T08:30:00Z" }] })).await;
    let read = ann.get(&path(&task)).await.header("etag").expect("a tag").to_owned();
    let guarded = async |tag: &str, title: &str| {
        ann.send(Method::PATCH, &path(&task), &[("if-match", tag)], Some(&json!({ "title": title }))).await
    };
    // A firing is no change of the content, so it is none to guard against.
    system.pass(&clock, TimeDelta::hours(1)).await;
    let changed = guarded(&read, "b").await.expect(200);
    assert_eq!(guarded(&read, "c").await.code(409), "REVISION_CONFLICT");
    assert_eq!(guarded("*", "d").await.status, 200);
    assert_eq!(guarded("\"999999\"", "e").await.code(409), "REVISION_CONFLICT");
    assert_eq!(guarded("seven", "f").await.fields(), ["If-Match"]);
    let stale = format!("\"{}\"", changed["revision"]);
    let headers = [("if-match", stale.as_str())];
    for (method, path) in [(Method::POST, format!("{}/complete", path(&task))), (Method::DELETE, path(&task))] {
        assert_eq!(ann.send(method, &path, &headers, None).await.code(409), "REVISION_CONFLICT");
    }
    let fresh = ann.get(&path(&task)).await.header("etag").expect("a tag").to_owned();
    assert_eq!(ann.send(Method::DELETE, &path(&task), &[("if-match", &fresh)], None).await.status, 204);
    system.stop().await;
}

pub(crate) async fn times_without_an_offset_are_the_users(ground: Ground) {
    let (setup, _clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let due = async |time: &str| ann.create(json!({ "title": "a", "due_date": time })).await["due_date"].clone();
    assert_eq!(due("2026-07-01T09:00:00").await, "2026-07-01T09:00:00Z");
    ann.move_to("Europe/Berlin").await;
    assert_eq!(due("2026-07-01T09:00:00").await, "2026-07-01T07:00:00Z");
    assert_eq!(due("2026-03-29T02:30:00").await, "2026-03-29T01:30:00Z", "in the gap: it moves by its length");
    assert_eq!(due("2026-10-25T02:30:00").await, "2026-10-25T00:30:00Z", "twice: the first is meant");
    assert_eq!(due("2026-07-01T09:00:00+05:30").await, "2026-07-01T03:30:00Z", "any offset, shown as Z");
    let found = ann.tasks("due_before=2026-07-01T07:00:01&due_after=2026-07-01T07:00:00%2B02:00").await;
    assert_eq!(found.len(), 0);
    let found = ann.tasks("due_before=2026-07-01T09:00:01&due_after=2026-07-01T09:00:00").await;
    assert_eq!(found.len(), 1);
    system.stop().await;
}
