//! Who may see what: tokens, tenants, and what is not public at all.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use todo_backend::operator;
use todo_proto::v1;
use todo_tests::{
    rest::Rest,
    stream::Stream,
    system::{Ground, Setup},
    web,
};
use tonic::Code;

use crate::{
    MONDAY, at,
    surface::{Call, Rpc, Surface, refused},
    text,
};

/// Every route that takes a token, with a body that it takes.
pub(crate) fn routes(id: &str) -> Vec<(Method, String, Option<Value>)> {
    let task = json!({ "title": "a" });
    vec![
        (Method::GET, "/api/auth/me".to_owned(), None),
        (Method::PATCH, "/api/auth/me".to_owned(), Some(json!({ "display_name": "x" }))),
        (Method::DELETE, "/api/auth/me".to_owned(), Some(json!({ "password": "correct horse" }))),
        (Method::GET, "/api/auth/me/export".to_owned(), None),
        (Method::POST, "/api/auth/signout-everywhere".to_owned(), None),
        (
            Method::POST,
            "/api/auth/password".to_owned(),
            Some(json!({ "current_password": "correct horse", "new_password": "battery staple" })),
        ),
        (Method::GET, "/api/auth/tokens".to_owned(), None),
        (Method::POST, "/api/auth/tokens".to_owned(), Some(json!({ "name": "a", "scopes": ["read"] }))),
        (Method::DELETE, format!("/api/auth/tokens/{id}"), None),
        (Method::GET, "/api/tasks".to_owned(), None),
        (Method::POST, "/api/tasks".to_owned(), Some(task.clone())),
        (Method::GET, format!("/api/tasks/{id}"), None),
        (Method::PATCH, format!("/api/tasks/{id}"), Some(task)),
        (Method::DELETE, format!("/api/tasks/{id}"), None),
        (Method::POST, format!("/api/tasks/{id}/complete"), None),
        (Method::POST, "/api/tasks/batch".to_owned(), Some(json!({ "ids": [id], "action": "complete" }))),
        (Method::POST, "/api/changes/1/undo".to_owned(), None),
        (Method::GET, "/api/tags".to_owned(), None),
        (Method::GET, "/api/tasks/counts".to_owned(), None),
        (
            Method::POST,
            "/api/recurrence/preview".to_owned(),
            Some(json!({ "recurrence": { "recurrence_type": "daily" } })),
        ),
        (Method::POST, "/api/tasks/parse".to_owned(), Some(json!({ "text": "milk" }))),
        (Method::POST, "/api/chat".to_owned(), Some(json!({ "content": "hi" }))),
        (Method::POST, "/api/chat/stream".to_owned(), Some(json!({ "content": "hi" }))),
        (Method::GET, "/api/conversations".to_owned(), None),
        (Method::GET, format!("/api/conversations/{id}"), None),
        (Method::PATCH, format!("/api/conversations/{id}"), Some(json!({ "title": "a" }))),
        (Method::DELETE, format!("/api/conversations/{id}"), None),
        (Method::GET, "/api/observability/decisions".to_owned(), None),
        (Method::GET, format!("/api/observability/decisions/{id}/trace"), None),
        (Method::GET, "/api/observability/metrics".to_owned(), None),
        (Method::GET, "/api/notifications".to_owned(), None),
        (Method::POST, format!("/api/notifications/{id}/read"), None),
        (Method::POST, format!("/api/notifications/{id}/snooze"), Some(json!({ "until": "2030-01-01T00:00:00Z" }))),
        (Method::POST, "/api/notifications/read-all".to_owned(), None),
        (Method::GET, "/api/notifications/push".to_owned(), None),
        (Method::POST, "/api/notifications/push".to_owned(), Some(json!({}))),
        (Method::POST, "/api/notifications/push/unsubscribe".to_owned(), Some(json!({}))),
        (Method::GET, "/api/events".to_owned(), None),
    ]
}

/// Checks that every route refuses with a code, and says how to do better.
async fn refuse_all(user: &Rest, code: &str, challenge: &str) {
    for (method, path, body) in routes("00000000-0000-4000-8000-000000000000") {
        let answer = user.send(method.clone(), &path, &[], body.as_ref()).await;
        assert_eq!(answer.code(401), code, "{method} {path}");
        assert_eq!(answer.header("www-authenticate"), Some(challenge), "{method} {path}");
    }
}

pub(crate) async fn every_route_says_what_is_wrong_with_a_token(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let setup = Setup { adjust: |_| {}, ..setup };
    let system = setup.start().await;
    let mut ann = system.user("ann").await;
    let good = ann.token.clone();
    let bad = "Bearer error=\"invalid_token\"";
    let described = system.rest().get("/api/openapi.json").await.expect(200);
    let operations = described["paths"].as_object().expect("paths").iter();
    let operations =
        operations.flat_map(|(path, item)| item.as_object().expect("an item").iter().map(move |it| (path, it)));
    for (path, (method, _)) in operations.filter(|(_, (_, operation))| operation.get("security").is_none()) {
        let path = path.replace("{id}", "a").replace("{revision}", "1");
        let is_tried = |(tried, at, _): &(Method, _, _)| tried.as_str().eq_ignore_ascii_case(method) && *at == path;
        assert!(routes("a").iter().any(is_tried), "{method} {path}");
    }
    refuse_all(&system.rest(), "MISSING_TOKEN", "Bearer").await;
    for forged in [
        "nonsense".to_owned(),
        // {"alg":"none"}
        format!("eyJhbGciOiJub25lIn0.{}.", good.as_deref().and_then(|token| token.split('.').nth(1)).expect("claims")),
        format!("{}x", good.as_deref().expect("a token")),
    ] {
        ann.token = Some(forged);
        assert_eq!(ann.get("/api/auth/me").await.code(401), "INVALID_TOKEN");
    }
    refuse_all(&ann, "INVALID_TOKEN", bad).await;
    ann.token.clone_from(&good);
    assert_eq!(ann.get("/api/auth/me").await.status, 200);

    operator::set_disabled(system.store.as_ref(), &*clock, "ann@example.org", true).await.expect("it is closed");
    refuse_all(&ann, "USER_NOT_FOUND", bad).await;
    operator::set_disabled(system.store.as_ref(), &*clock, "ann@example.org", false).await.expect("it is open");
    assert_eq!(ann.get("/api/auth/me").await.status, 200);
    clock.advance(TimeDelta::hours(1));
    refuse_all(&ann, "TOKEN_EXPIRED", bad).await;
    // And by gRPC, the same reasons.
    for surface in Surface::ALL {
        let refused = Call::new(Rpc::Counts, "", Value::Null).on(surface, &ann, &system.grpc()).await;
        assert_eq!(refused, Err(("TOKEN_EXPIRED".to_owned(), Vec::new())), "{surface:?}");
    }
    system.stop().await;
}

pub(crate) async fn a_stream_ends_when_its_token_does(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let setup = Setup { adjust: |options| options.backend.access_ttl = TimeDelta::minutes(5), ..setup };
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let mut stream = Stream::open(&ann, None).await;
    let mut client = v1::event_service_client::EventServiceClient::new(system.grpc());
    let mut watch = client.watch(ann.call(v1::WatchRequest { since: None })).await.expect("a stream").into_inner();
    ann.create(json!({ "title": "a" })).await;
    stream.kind("com.todo.task.created").await;
    clock.advance(TimeDelta::minutes(5));
    let ended = stream.kind("error").await;
    assert_eq!(ended.data["error"]["code"], "TOKEN_EXPIRED");
    assert_eq!(stream.next().await, None);
    let status = loop {
        match watch.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended without a word"),
            Err(status) => break status,
        }
    };
    assert_eq!((status.code(), refused(&status).0.as_str()), (Code::Unauthenticated, "TOKEN_EXPIRED"));
    system.stop().await;
}

pub(crate) async fn a_stream_ends_when_its_account_is_closed(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    let (mut closed, mut other) = (Stream::open(&ann, None).await, Stream::open(&bob, None).await);
    operator::set_disabled(system.store.as_ref(), &*clock, "ann@example.org", true).await.expect("it is closed");
    let ended = closed.kind("error").await;
    assert_eq!(ended.data["error"]["code"], "USER_NOT_FOUND");
    assert_eq!(closed.next().await, None);
    bob.create(json!({ "title": "a" })).await;
    other.kind("com.todo.task.created").await;
    system.stop().await;
}

pub(crate) async fn another_users_things_are_not_found_by_any_surface_or_id(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    let task = json!({
        "title": "secret plan", "tags": ["secret"], "reminders": [{ "trigger_at": "2026-03-02T08:01:00Z" }],
        "due_date": "2026-03-02T07:00:00Z", "recurrence": { "recurrence_type": "daily" },
    });
    let task = ann.create(task).await;
    system.pass(&clock, TimeDelta::days(1)).await;
    let [notification] = &ann.notifications().await[..] else { panic!("not one") };
    let [instance] = &ann.instances(text(&task["id"])).await[..] else { panic!("not one") };
    let revision = ann.get("/api/tasks").await.expect(200)["revision"].clone();
    let before = ann.tasks("").await;

    let later = json!({ "until": "2030-01-01T00:00:00Z" });
    let ids =
        [&task["id"], &instance["id"], &task["reminders"][0]["id"], &task["recurrence"]["id"], &notification["id"]];
    for surface in Surface::ALL {
        for id in ids {
            for (rpc, body, reason) in [
                (Rpc::Get, Value::Null, "TASK_NOT_FOUND"),
                (Rpc::Update, json!({ "title": "mine" }), "TASK_NOT_FOUND"),
                (Rpc::Complete, Value::Null, "TASK_NOT_FOUND"),
                (Rpc::Delete, Value::Null, "TASK_NOT_FOUND"),
                (Rpc::MarkRead, Value::Null, "NOTIFICATION_NOT_FOUND"),
                (Rpc::Snooze, later.clone(), "NOTIFICATION_NOT_FOUND"),
            ] {
                let refused = Call::new(rpc, text(id), body).on(surface, &bob, &system.grpc()).await;
                assert_eq!(refused, Err((reason.to_owned(), Vec::new())), "{surface:?} {rpc:?}");
            }
        }
        for change in 1..=revision.as_i64().expect("a number") {
            let undo = Call::new(Rpc::Undo, &change.to_string(), Value::Null);
            let refused = undo.on(surface, &bob, &system.grpc()).await;
            assert_eq!(refused, Err(("CHANGE_NOT_FOUND".to_owned(), Vec::new())));
        }
        for (rpc, body) in [
            (Rpc::List, json!({ "search": "secret" })),
            (Rpc::List, json!({ "tag": ["secret"] })),
            (Rpc::Tags, Value::Null),
            (Rpc::Counts, Value::Null),
            (Rpc::Notifications, Value::Null),
            (Rpc::MarkAllRead, Value::Null),
        ] {
            let seen = Call::new(rpc, "", body).on(surface, &bob, &system.grpc()).await.expect("nothing, said well");
            let seen = seen.to_string();
            assert!(!seen.contains("secret") && !seen.contains(&ann.user_id), "{seen}");
            assert!(!seen.contains("\"total\":1") && !seen.contains("\"unread_count\":1"), "{seen}");
        }
    }
    // A page token of another's list opens one's own.
    let page = ann.get("/api/tasks?limit=1").await.expect(200);
    let token = text(&page["next_page_token"]);
    assert_eq!(bob.get(&format!("/api/tasks?limit=1&page_token={token}")).await.expect(200)["tasks"], json!([]));
    // A stream tells of nobody else.
    let mut stream = Stream::open(&bob, Some(0)).await;
    ann.create(json!({ "title": "secret too" })).await;
    bob.create(json!({ "title": "own" })).await;
    let events = stream.until("one's own", |event| event.data["task"]["title"] == "own").await;
    assert!(events.iter().all(|event| !event.data.to_string().contains("secret")));
    // Nor did any of that change anything.
    let after = ann.tasks("").await.into_iter().filter(|task| task["title"] != "secret too").collect::<Vec<_>>();
    assert_eq!(after, before);
    assert_eq!(ann.notifications().await, std::slice::from_ref(notification));
    system.stop().await;
}

pub(crate) async fn internal_services_are_not_on_the_public_port(ground: Ground) {
    let (setup, _clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let channel = system.grpc();
    let mut due = v1::due_service_client::DueServiceClient::new(channel.clone());
    let mut scheduler = v1::scheduler_service_client::SchedulerServiceClient::new(channel);
    let listed = due.list_due(ann.call(v1::ListDueRequest::default())).await;
    let decided = due.decide_fire(ann.call(v1::DecideFireRequest::default())).await;
    let held = scheduler.list_reminders(ann.call(v1::ListRemindersRequest::default())).await;
    let set = scheduler.set_timers(ann.call(v1::SetTimersRequest::default())).await;
    let codes = [
        listed.map(|_| ()).expect_err("not served").code(),
        decided.map(|_| ()).expect_err("not served").code(),
        held.map(|_| ()).expect_err("not served").code(),
        set.map(|_| ()).expect_err("not served").code(),
    ];
    assert_eq!(codes, [Code::Unimplemented; 4]);
    for path in ["DueService/ListDue", "DueService/DecideFire", "SchedulerService/GetStatus"] {
        let path = format!("/todo.v1.{path}");
        let status = web::call_bytes::<v1::ListDueResponse>(&ann, &path, &[]).await.expect_err("not served");
        assert_eq!(status.code(), Code::Unimplemented);
        assert_eq!(ann.post(&path, &json!({})).await.code(404), "NOT_FOUND");
    }
    let document = ann.get("/api/openapi.json").await.expect(200).to_string();
    assert!(!document.contains("DueService") && !document.contains("SchedulerService"));
    // While what other apps reach is there.
    assert!(system.scheduler().get_status(v1::GetStatusRequest {}).await.is_ok());
    system.stop().await;
}

pub(crate) async fn sign_in_tells_nothing_and_is_rate_limited(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let setup = Setup {
        adjust: |options| {
            options.backend.access_ttl = TimeDelta::days(1);
            options.backend.sign_ins_per_account = 3;
        },
        ..setup
    };
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let sign_in = async |email: &str, password: &str| {
        system.rest().post("/api/auth/signin", &json!({ "email": email, "password": password })).await
    };
    let (unknown, wrong) = (sign_in("bob@example.org", "wrong").await, sign_in("ann@example.org", "wrong").await);
    assert_eq!(unknown.code(401), "INVALID_CREDENTIALS");
    assert_eq!((wrong.status, &wrong.body), (unknown.status, &unknown.body));
    assert_eq!(wrong.header("www-authenticate"), Some("Bearer"));
    // Those that succeed do not count.
    for _ in 0..4 {
        let session = sign_in("ANN@example.org", "correct horse").await.expect(200);
        assert_eq!((&session["user_id"], &session["token_type"]), (&json!(ann.user_id), &json!("bearer")));
    }
    for _ in 0..2 {
        assert_eq!(sign_in("ann@example.org", "wrong").await.code(401), "INVALID_CREDENTIALS");
    }
    let limited = sign_in("ann@example.org", "wrong").await;
    assert_eq!(limited.code(429), "RATE_LIMITED");
    let wait: i64 = limited.header("retry-after").expect("when to come again").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(sign_in("ann@example.org", "correct horse").await.code(429), "RATE_LIMITED");
    assert_eq!(ann.get("/api/auth/me").await.status, 200, "who is in stays in");
    clock.advance(TimeDelta::seconds(wait));
    assert_eq!(sign_in("ann@example.org", "correct horse").await.status, 200);
    let again = json!({ "email": "Ann@Example.org", "password": "correct horse", "display_name": "ann" });
    assert_eq!(system.rest().post("/api/auth/signup", &again).await.code(409), "EMAIL_EXISTS");
    system.stop().await;
}
