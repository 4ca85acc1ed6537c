//! Requests in, answers out.

use http::{Method, StatusCode};
use serde_json::json;
use todo_domain::Reason;
use todo_proto::v1;

use super::harness::{System, TOKEN, request, task};

#[tokio::test]
async fn creating_a_task_is_201_with_its_tag_place_and_event() {
    let system = System::new();
    system.answers_with("CreateTask", &task(), &[("x-event-published", "true")]);
    let body = json!({
        "title": "Pay rent", "priority": "high", "due_date": "2026-11-21T09:00:00+01:00",
        "reminders": [{ "before_due_seconds": 3600 }], "recurrence": { "recurrence_type": "daily" },
    });
    let headers = [("idempotency-key", "k1"), ("traceparent", "00-1-2-01"), ("x-request-id", "r1")];
    let answer = system.send(request(Method::POST, "/api/tasks", &headers, &body.to_string())).await;

    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.header("etag"), Some("\"7\""));
    assert_eq!(answer.header("location"), Some("/api/tasks/0190f3c0-0000-7000-8000-000000000001"));
    assert_eq!(answer.header("x-event-published"), Some("true"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let task = answer.json();
    assert_eq!((&task["priority"], &task["revision"], &task["due_date"]), (&json!("high"), &json!(7), &json!(null)));

    let call = system.call();
    assert_eq!(call.path, "/todo.v1.TaskService/CreateTask");
    let sent: v1::CreateTaskRequest = call.message();
    let sent = sent.task.unwrap();
    assert_eq!((sent.title.as_str(), sent.priority()), ("Pay rent", v1::Priority::High));
    assert_eq!(sent.due_date.unwrap().seconds, 1_795_248_000);
    assert_eq!(sent.reminders[0].before_due_seconds, Some(3600));
    for (name, value) in headers {
        assert_eq!(call.header(name), Some(value));
    }
    assert_eq!(call.header("authorization"), Some(TOKEN));
    assert_eq!(call.header("x-client-address"), Some("192.0.2.1"));
}

#[tokio::test]
async fn an_update_changes_what_the_body_names_and_null_clears() {
    let system = System::new();
    system.answers("UpdateTask", &task());
    let body = r#"{"title":"New","due_date":null,"tags":[],"created_at":"2026-01-01T00:00:00Z","revision":3}"#;
    let answer = system.send(request(Method::PATCH, "/api/tasks/7", &[("if-match", "\"6\"")], body)).await;

    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("x-event-published"), Some("false"), "said although the backend did not");
    let sent: v1::UpdateTaskRequest = system.call().message();
    let mut mask = sent.update_mask.unwrap().paths;
    mask.sort();
    assert_eq!(mask, ["due_date", "tags", "title"]);
    assert_eq!(sent.expected_revision, Some(6));
    let task = sent.task.unwrap();
    assert_eq!((task.id.as_str(), task.title.as_str(), task.due_date, task.revision), ("7", "New", None, 0));
}

#[tokio::test]
async fn a_deletion_is_204_and_carries_its_revision() {
    let system = System::new();
    system.answers_with("DeleteTask", &(), &[("x-event-published", "true"), ("x-revision", "12"), ("x-secret", "1")]);
    let answer = system.send(request(Method::DELETE, "/api/tasks/7", &[("if-match", "*")], "")).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!((answer.header("x-revision"), answer.header("x-secret")), (Some("12"), None));
    assert!(answer.text.is_empty() && answer.header("content-type").is_none());
    let sent: v1::DeleteTaskRequest = system.call().message();
    assert_eq!((sent.id.as_str(), sent.expected_revision), ("7", None));
}

#[tokio::test]
async fn a_list_takes_every_filter_and_keeps_the_order_of_fields() {
    let system = System::new();
    let list = v1::ListTasksResponse { tasks: vec![task(); 2], total: Some(2), next_page_token: None, revision: 9 };
    system.answers("ListTasks", &list);
    let answer = system
        .get("/api/tasks?status=pending&status=in_progress&tag=a%2Cb&search=50%25&due_after=2026-01-01T00:00:00Z&limit=2")
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let text = str::from_utf8(&answer.text).unwrap();
    assert!(text.starts_with(r#"{"tasks":[{"id":"0190f3c0"#), "{text}");
    assert!(text.ends_with(r#""recurrence":null}],"total":2,"next_page_token":null,"revision":9}"#), "{text}");
    let sent: v1::ListTasksRequest = system.call().message();
    assert_eq!(sent.status, [v1::Status::Pending as i32, v1::Status::InProgress as i32]);
    assert_eq!((sent.tag, sent.search.as_str(), sent.limit), (vec!["a,b".to_owned()], "50%", Some(2)));
}

#[tokio::test]
async fn everything_wrong_is_said_at_once_and_the_backend_only_judges() {
    let system = System::new();
    let judged = ["title", "priority", "reminders[0]", "reminders[1].trigger_at"];
    let judged = judged.map(|field| todo_domain::Violation::new(field, "breaks a rule")).to_vec();
    system.fails("CreateTask", todo_runtime::status::from_error(todo_domain::Error::invalid(judged)));
    let answer = system
        .post(
            "/api/tasks?dry_run=1",
            r#"{"titel":"x","priority":"urgent","tags":"home","reminders":[{"trigger_at":"soon"}]}"#,
        )
        .await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "VALIDATION_ERROR"));
    let details = answer.details();
    let fields: Vec<_> = details.iter().map(|(field, _)| field.as_str()).collect();
    // Of what cannot be read the backend knows nothing, so what it says of that is left out.
    let read = ["dry_run", "priority", "reminders[0].trigger_at", "reminders[1].trigger_at", "tags", "titel", "title"];
    assert_eq!(fields, read);
    assert_eq!(details[1].1, "must be one of high, medium, low");
    assert_eq!(details[5].1, "unknown field");
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("titel unknown field") && message.ends_with("reminders[1].trigger_at breaks a rule"));
    assert_eq!(system.call().header("x-validate-only"), Some("true"));
    // Whatever else the backend says, the request is refused for what is wrong with it; but who asks comes first.
    for (reason, expected) in [(Reason::ServiceUnavailable, 400), (Reason::InvalidToken, 401)] {
        system.fails("CreateTask", super::errors::status(reason));
        assert_eq!(system.post("/api/tasks", r#"{"titel":"x"}"#).await.status.as_u16(), expected, "{reason:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_says_where() {
    let system = System::new();
    let answer = system.post("/api/tasks", "{\"title\": \n nope}").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "VALIDATION_ERROR"));
    assert!(answer.details()[0].1.contains("line 2 column"), "{answer:?}");
    for body in ["null", "[1]", "\"x\""] {
        let answer = system.post("/api/tasks", body).await;
        assert_eq!(answer.details()[0].0, "body", "{answer:?}");
    }
}

#[tokio::test]
async fn the_body_must_be_json_and_not_too_large() {
    let system = System::with(crate::Options { body_limit: 64, ..super::harness::options() });
    system.answers("CreateTask", &task());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = system.send(request(Method::POST, "/api/tasks", &form, "title=x")).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE"));

    for kind in ["application/json; charset=utf-8", "application/merge-patch+json", ""] {
        let answer =
            system.send(request(Method::POST, "/api/tasks", &[("content-type", kind)], r#"{"title":"x"}"#)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{kind}");
    }

    let body = |length: usize| format!(r#"{{"title":"{}"}}"#, "x".repeat(length - 12));
    assert_eq!(system.post("/api/tasks", &body(64)).await.status, StatusCode::CREATED);
    let answer = system.post("/api/tasks", &body(65)).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE"));
    let declared = [("content-length", "65")];
    let answer = system.send(request(Method::POST, "/api/tasks", &declared, "{}")).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_call_without_a_body_needs_none() {
    let system = System::new();
    system.answers("CompleteTask", &task()).answers("MarkAllRead", &()).answers("SignOutEverywhere", &());
    assert_eq!(system.post("/api/tasks/7/complete", "").await.status, StatusCode::OK);
    assert_eq!(system.post("/api/notifications/read-all", "{}").await.status, StatusCode::NO_CONTENT);
    assert_eq!(system.post("/api/auth/signout-everywhere", "").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn unknown_paths_and_methods_say_so_in_json() {
    let system = System::new();
    for path in ["/api/nothing", "/api", "/nothing", "/todo.v1.TaskService/GetTask", "/api/tasks/%ff"] {
        let answer = system.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "NOT_FOUND"), "{path}");
    }
    let answer = system.send(request(Method::PUT, "/api/tasks/7", &[], "{}")).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"));
    assert_eq!(answer.header("allow"), Some("DELETE, GET, HEAD, OPTIONS, PATCH"));
    let answer = system.send(request(Method::POST, "/api/health", &[], "")).await;
    assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, Some("GET, HEAD, OPTIONS")));
    let answer = system.send(request(Method::OPTIONS, "/api/tasks", &[], "")).await;
    assert_eq!((answer.status, answer.header("allow")), (StatusCode::NO_CONTENT, Some("GET, HEAD, OPTIONS, POST")));
    assert!(system.calls().is_empty());
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let system = System::new();
    system.answers("GetTask", &task());
    let whole = system.get("/api/tasks/7").await;
    let head = system.send(request(Method::HEAD, "/api/tasks/7", &[], "")).await;
    assert_eq!((head.status, head.header("etag")), (StatusCode::OK, Some("\"7\"")));
    assert_eq!(head.header("content-length"), Some(whole.text.len().to_string().as_str()));
    assert!(head.text.is_empty());
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let system = System::new();
    system.answers("GetTask", &task());
    for (tag, status) in [("\"7\"", 304), ("W/\"7\"", 304), ("\"5\", \"7\"", 304), ("*", 304), ("\"6\"", 200)] {
        let answer = system.send(request(Method::GET, "/api/tasks/7", &[("if-none-match", tag)], "")).await;
        assert_eq!(answer.status.as_u16(), status, "{tag}");
        assert_eq!(answer.header("etag"), Some("\"7\""));
        assert_eq!(answer.text.is_empty(), status == 304);
    }
}

#[tokio::test]
async fn a_time_without_an_offset_is_read_in_the_callers_zone_which_is_asked_once() {
    let system = System::new();
    let user = v1::User { time_zone: "Europe/Berlin".to_owned(), ..v1::User::default() };
    system
        .answers("GetMe", &user)
        .answers("CreateTask", &task())
        .answers("UpdateMe", &v1::User { time_zone: "America/New_York".to_owned(), ..v1::User::default() });
    let create = async |due: &str| {
        let answer = system.post("/api/tasks", &json!({ "title": "x", "due_date": due }).to_string()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let calls = system.calls();
        let sent: v1::CreateTaskRequest = calls.last().unwrap().message();
        (calls.len(), sent.task.unwrap().due_date.unwrap().seconds)
    };

    let noon = 1_795_258_800; // 2026-11-21T11:00:00Z
    assert_eq!(create("2026-11-21T12:00:00+01:00").await, (1, noon), "no zone needed");
    assert_eq!(create("2026-11-21T12:00").await, (2, noon));
    assert_eq!(create("2026-11-21").await, (1, noon - 12 * 3600), "known by now");
    // The clocks go from 02:00 to 03:00, and from 03:00 back to 02:00.
    assert_eq!(create("2026-03-29T02:30").await, create("2026-03-29T03:30").await);
    assert_eq!(create("2026-10-25T02:30").await.1, create("2026-10-25T02:30:00+02:00").await.1);

    assert_eq!(system.patch("/api/auth/me", r#"{"time_zone":"America/New_York"}"#).await.status, StatusCode::OK);
    system.calls();
    assert_eq!(create("2026-11-21T06:00").await, (1, noon), "learnt from the change");
}

#[tokio::test]
async fn who_may_not_ask_for_the_zone_is_told() {
    let system = System::new();
    system.fails("GetMe", super::errors::status(todo_domain::Reason::TokenExpired));
    let answer = system.get("/api/tasks?due_before=2026-11-21").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "TOKEN_EXPIRED"));
    assert_eq!(system.get("/api/tasks?due_before=2026-11-21&limit=x").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(system.get("/api/tasks?due_before=soon&limit=x").await.status, StatusCode::BAD_REQUEST);
}
