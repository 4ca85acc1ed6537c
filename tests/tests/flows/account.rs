//! An account as a whole: taken along, ended, and where its weeks begin.

use chrono::TimeDelta;
use prost::Message as _;
use reqwest::Method;
use serde_json::{Value, json};
use todo_proto::{
    json as mapping,
    v1::{self, auth_service_client::AuthServiceClient},
};
use todo_tests::{
    SOON, eventually,
    rest::{Answer, Rest},
    stream::Stream,
    system::Ground,
};
use tonic::Code;

use crate::{
    MONDAY, at,
    envelope::{self, DELETED},
    surface::refused,
    text,
};

const EXPORT: &str = "/api/auth/me/export";

/// More tasks than a part of an export holds.
const MANY: usize = 501;

/// The items of a list, each as its own route shows it.
async fn each(user: &Rest, list: &str, items: &str, id: &str, path: impl Fn(&str) -> String) -> Vec<Value> {
    let listed = user.get(list).await.expect(200);
    let mut shown = Vec::new();
    for item in listed[items].as_array().expect("a list") {
        shown.push(user.get(&path(text(&item[id]))).await.expect(200));
    }
    shown
}

pub(crate) async fn an_export_is_all_of_ones_own_as_it_is_shown(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    let task = json!({
        "title": "plan", "tags": ["Work", "deep"], "reminders": [{ "trigger_at": "2026-03-02T08:01:00Z" }],
        "due_date": "2026-03-02T07:00:00Z", "recurrence": { "recurrence_type": "daily" },
    });
    ann.create(task.clone()).await;
    bob.create(json!({ "title": "secret", "reminders": [{ "trigger_at": "2026-03-02T08:01:00Z" }] })).await;
    for user in [&ann, &bob] {
        user.post("/api/chat", &json!({ "content": "add milk" })).await.expect(200);
        user.post("/api/auth/tokens", &json!({ "name": "agent", "scopes": ["read"] })).await.expect(201);
    }
    system.pass(&clock, TimeDelta::minutes(2)).await;
    for number in 0..MANY {
        ann.create(json!({ "title": format!("task {number}") })).await;
    }

    let answer = ann.get(EXPORT).await;
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"todo-account.json\""));
    assert_eq!(
        (answer.header("content-type"), answer.header("cache-control")),
        (Some("application/json"), Some("no-store"))
    );
    let export = answer.expect(200);
    assert_eq!(export["exported_at"], "2026-03-02T08:02:00Z");
    assert_eq!(export["user"], ann.get("/api/auth/me").await.expect(200));
    assert_eq!(export["tasks"], json!(ann.tasks("").await));
    assert!(export["tasks"].as_array().is_some_and(|tasks| tasks.len() > MANY));
    let notifications = ann.notifications().await;
    assert_eq!((&export["notifications"], notifications.len()), (&json!(notifications), 1));
    assert_eq!(export["access_tokens"], ann.get("/api/auth/tokens").await.expect(200)["access_tokens"]);
    let conversations =
        each(&ann, "/api/conversations", "conversations", "id", |id| format!("/api/conversations/{id}")).await;
    assert_eq!((&export["conversations"], conversations.len()), (&json!(conversations), 1));
    let decisions = each(&ann, "/api/observability/decisions", "items", "decision_id", |id| {
        format!("/api/observability/decisions/{id}/trace")
    });
    let decisions = decisions.await;
    assert_eq!((&export["decisions"], decisions.len()), (&json!(decisions), 1));
    let said = export.to_string();
    for others in ["secret", &bob.user_id, "argon2", "todo_pat_"] {
        assert!(!said.contains(others), "{others}");
    }

    // By gRPC it is the same, in parts.
    let parts = AuthServiceClient::new(system.grpc()).export_account(ann.call(v1::ExportAccountRequest {})).await;
    let (mut parts, mut merged, mut count) =
        (parts.expect("parts").into_inner(), v1::ExportAccountResponse::default(), 0);
    while let Some(part) = parts.message().await.expect("a part") {
        merged.merge(part.encode_to_vec().as_slice()).expect("a message");
        count += 1;
    }
    assert_eq!(mapping::of(&merged), export);
    assert!(count > 4, "{count}");
    system.stop().await;
}

async fn leave(user: &Rest, password: &str) -> Answer {
    user.send(Method::DELETE, "/api/auth/me", &[], Some(&json!({ "password": password }))).await
}

pub(crate) async fn a_deleted_account_leaves_nothing_behind(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let observer = system.observe();
    let mut ann = system.rest();
    let session = ann.sign_up("ann").await;
    let bob = system.user("bob").await;
    let task = json!({
        "title": "standup", "reminders": [{ "trigger_at": "2026-03-02T08:02:00Z" }],
        "due_date": "2026-03-02T08:01:00Z",
        "recurrence": { "recurrence_type": "custom", "cron_expression": "*/2 * * * *" },
    });
    let (task, other) = (ann.create(task.clone()).await, bob.create(json!({ "title": "his" })).await);
    ann.post("/api/chat", &json!({ "content": "add milk" })).await.expect(200);
    let made = ann.post("/api/auth/tokens", &json!({ "name": "a", "scopes": ["write"] })).await.expect(201);
    let mut agent = ann.clone();
    agent.token = Some(text(&made["token"]).to_owned());
    let held = async || {
        let asked = v1::ListRemindersRequest { user_id: ann.user_id.clone(), pending_only: true };
        let reminders = system.scheduler().list_reminders(asked).await.expect("an answer").into_inner().reminders;
        let asked = v1::ListSchedulesRequest { user_id: ann.user_id.clone(), pending_only: true };
        let schedules = system.scheduler().list_schedules(asked).await.expect("an answer").into_inner().schedules;
        reminders.len() + schedules.len()
    };
    eventually("the scheduler holds reminder and series", SOON, || async {
        system.advance(&clock, TimeDelta::milliseconds(10));
        (held().await == 2).then_some(())
    })
    .await;
    let mut stream = Stream::open(&ann, None).await;
    let mut his = Stream::open(&bob, None).await;

    assert_eq!(leave(&ann, "wrong").await.code(401), "INVALID_CREDENTIALS");
    assert_eq!(leave(&ann, "").await.fields(), ["password"]);
    assert_eq!(leave(&agent, "correct horse").await.code(403), "PERMISSION_DENIED");
    assert_eq!(ann.tasks("").await.len(), 2, "nothing happened");

    let left = leave(&ann, "correct horse").await;
    assert_eq!((left.status.as_u16(), &left.body), (204, &Value::Null));
    assert_eq!(stream.kind("error").await.data["error"]["code"], "USER_NOT_FOUND");
    assert_eq!(ann.get("/api/auth/me").await.code(401), "USER_NOT_FOUND");
    assert_eq!(leave(&ann, "correct horse").await.code(401), "USER_NOT_FOUND");
    assert_eq!(ann.get(EXPORT).await.code(401), "USER_NOT_FOUND");
    assert_eq!(agent.get("/api/tasks").await.code(401), "INVALID_TOKEN");
    let token = json!({ "refresh_token": session["refresh_token"] });
    assert_eq!(system.rest().post("/api/auth/refresh", &token).await.code(401), "INVALID_TOKEN");
    let door = json!({ "email": "ann@example.org", "password": "correct horse" });
    assert_eq!(system.rest().post("/api/auth/signin", &door).await.code(401), "INVALID_CREDENTIALS");

    let event = observer.event(DELETED, text(&task["id"])).await;
    assert_eq!(event.data["reminder_ids"], json!([task["reminders"][0]["id"]]));
    eventually("the scheduler holds nothing", SOON, || async { (held().await == 0).then_some(()) }).await;
    system.pass(&clock, TimeDelta::minutes(10)).await;
    assert!(observer.dead_letters().is_empty());
    for delivery in observer.deliveries() {
        envelope::check(&delivery.topic, &delivery.event);
    }

    // Nobody else noticed, and the address is free.
    bob.create(json!({ "title": "more" })).await;
    his.kind("com.todo.task.created").await;
    assert_eq!(bob.task(text(&other["id"])).await, other);
    let mut new = system.rest();
    new.sign_up("ann").await;
    assert_ne!(new.user_id, ann.user_id);
    let export = new.get(EXPORT).await.expect(200);
    for list in ["access_tokens", "tasks", "notifications", "conversations", "decisions"] {
        assert_eq!(export[list], json!([]), "{list}");
    }
    system.stop().await;
}

pub(crate) async fn passwords_are_not_guessed_by_deleting(ground: Ground) {
    let (setup, _) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    for _ in 0..10 {
        assert_eq!(leave(&ann, "a guess").await.code(401), "INVALID_CREDENTIALS");
    }
    assert_eq!(leave(&ann, "correct horse").await.code(429), "RATE_LIMITED");
    let mut client = AuthServiceClient::new(system.grpc());
    let request = v1::DeleteAccountRequest { password: "correct horse".to_owned() };
    let limited = client.delete_account(ann.call(request)).await.expect_err("refused");
    assert_eq!((limited.code(), refused(&limited).0.as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
    ann.get("/api/auth/me").await.expect(200);
    system.stop().await;
}

pub(crate) async fn weeks_begin_where_their_owner_says(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    assert_eq!(ann.get("/api/auth/me").await.expect(200)["week_start"], "monday");
    let sunday = ann.create(json!({ "title": "bake", "due_date": "2026-03-08T12:00:00Z" })).await;
    let read = async |line: &str| ann.post("/api/tasks/parse", &json!({ "text": line })).await.expect(200);
    let ask = async || {
        clock.advance(TimeDelta::seconds(10));
        let answer = ann.post("/api/chat", &json!({ "content": "what is due this week?" })).await.expect(200);
        text(&answer["message"]["content"]).to_owned()
    };
    // It is Monday, 2 March: the week ends on Sunday, and then on Saturday.
    assert_eq!(read("report by end of week").await["due_date"], "2026-03-08T00:00:00Z");
    assert!(ask().await.contains("bake"));
    assert_eq!(
        read("water plants every 2 weeks on mon and wed").await["recurrence"]["rrule"],
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE"
    );

    let user = ann.patch("/api/auth/me", &json!({ "week_start": "sunday" })).await.expect(200);
    assert_eq!((&user["week_start"], &user["time_zone"]), (&json!("sunday"), &json!("UTC")));
    assert_eq!(ann.get("/api/auth/me").await.expect(200), user);
    assert_eq!(read("report by end of week").await["due_date"], "2026-03-07T00:00:00Z");
    assert!(!ask().await.contains("bake"));
    assert_eq!(
        read("water plants every 2 weeks on mon and wed").await["recurrence"]["rrule"],
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;WKST=SU"
    );
    assert_eq!(ann.task(text(&sunday["id"])).await, sunday);
    for (wrong, field) in [(json!("someday"), "week_start"), (json!(null), "week_start"), (json!(1), "week_start")] {
        let refused = ann.patch("/api/auth/me", &json!({ "week_start": wrong })).await;
        assert_eq!((refused.code(400), refused.fields()), ("VALIDATION_ERROR", vec![field]), "{wrong}");
    }
    system.stop().await;
}
