//! Every error has one face.

use std::time::Duration;

use http::{Method, StatusCode};
use todo_domain::{Error, Reason, Violation};
use tonic::{Code, Status};

use super::harness::{System, request, task};

pub(super) fn status(reason: Reason) -> Status {
    todo_runtime::status::from_error(Error::new(reason, "said by us"))
}

#[tokio::test]
async fn every_reason_has_its_status() {
    let system = System::new();
    for reason in Reason::ALL {
        system.fails("GetTask", status(*reason));
        let answer = system.get("/api/tasks/7").await;
        let expected = match reason {
            Reason::ValidationError | Reason::InvalidIdFormat | Reason::ResyncRequired => 400,
            Reason::MissingToken
            | Reason::InvalidToken
            | Reason::TokenExpired
            | Reason::UserNotFound
            | Reason::InvalidCredentials => 401,
            Reason::PermissionDenied => 403,
            Reason::TaskDeleted
            | Reason::IdConflict
            | Reason::RevisionConflict
            | Reason::ConversationBusy
            | Reason::IdempotencyConflict
            | Reason::EmailExists => 409,
            Reason::RateLimited => 429,
            Reason::Internal => 500,
            Reason::Unimplemented => 501,
            Reason::ServiceUnavailable => 503,
            Reason::DeadlineExceeded => 504,
            _ => 404,
        };
        assert_eq!(answer.status.as_u16(), expected, "{reason:?}");
        assert_eq!(answer.code(), reason.as_str());
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn what_is_not_ours_has_a_status_too_and_tells_nothing() {
    let system = System::new();
    for code in 1..=16 {
        let code = Code::from_i32(code);
        system.fails("GetTask", Status::new(code, "SELECT secret FROM users"));
        let answer = system.get("/api/tasks/7").await;
        let (expected, name) = match code {
            Code::InvalidArgument => (400, "VALIDATION_ERROR"),
            Code::OutOfRange => (400, "OUT_OF_RANGE"),
            Code::FailedPrecondition => (400, "FAILED_PRECONDITION"),
            Code::Unauthenticated => (401, "INVALID_TOKEN"),
            Code::PermissionDenied => (403, "PERMISSION_DENIED"),
            Code::NotFound => (404, "NOT_FOUND"),
            Code::AlreadyExists => (409, "ALREADY_EXISTS"),
            Code::Aborted => (409, "ABORTED"),
            Code::ResourceExhausted => (429, "RATE_LIMITED"),
            Code::Unimplemented => (501, "UNIMPLEMENTED"),
            Code::Unavailable => (503, "SERVICE_UNAVAILABLE"),
            Code::DeadlineExceeded | Code::Cancelled => (504, "DEADLINE_EXCEEDED"),
            _ => (500, "INTERNAL"),
        };
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (expected, name), "{code:?}");
        if expected >= 500 {
            assert!(!str::from_utf8(&answer.text).unwrap().contains("secret"), "{code:?}");
        }
    }
}

#[tokio::test]
async fn violations_are_named_as_the_client_names_fields() {
    let system = System::new();
    let violations = vec![
        Violation::new("task.title", "must be 1 to 200 characters, got 201"),
        Violation::new("reminders[2].trigger_at", "must be in the future"),
        Violation::new("expected_revision", "must be 0 or more"),
        Violation::new("task", "must be set"),
    ];
    system.fails("CreateTask", todo_runtime::status::from_error(Error::invalid(violations)));
    let answer = system.post("/api/tasks", "{}").await;
    let details = answer.details();
    let fields: Vec<_> = details.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["If-Match", "body", "reminders[2].trigger_at", "title"]);
    assert!(answer.json()["error"]["message"].as_str().unwrap().starts_with("title must be 1 to 200"));
}

#[tokio::test]
async fn a_missing_token_and_a_bad_one_are_challenged_differently() {
    let system = System::new();
    system.fails("GetMe", status(Reason::MissingToken));
    let without = system.send(request(Method::GET, "/api/auth/me", &[("authorization", "")], "")).await;
    assert_eq!((without.status, without.header("www-authenticate")), (StatusCode::UNAUTHORIZED, Some("Bearer")));
    assert_eq!(system.call().header("authorization"), None);

    system.fails("GetMe", status(Reason::TokenExpired));
    let expired = system.get("/api/auth/me").await;
    assert_eq!(expired.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let system = System::new();
    system.fails("SignIn", todo_runtime::status::from_error(Error::rate_limited(Duration::from_millis(1500))));
    let answer = system.post("/api/auth/signin", r#"{"email":"a","password":"b"}"#).await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, Some("2")));
    system.fails("SignIn", Status::resource_exhausted("slow down"));
    let answer = system.post("/api/auth/signin", r#"{"email":"a","password":"b"}"#).await;
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_backend_that_is_away_is_503_and_one_that_hangs_504() {
    let options = crate::Options { request_timeout: Duration::from_millis(500), ..super::harness::options() };
    let system = System::with(options);
    system.is_away("ListTasks").hangs("GetTask");
    let answer = system.get("/api/tasks").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE"));
    assert!(!str::from_utf8(&answer.text).unwrap().contains("10.0.0.7"));
    let answer = system.get("/api/tasks/7").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED"));
}

#[tokio::test]
async fn a_panic_ends_one_request_only() {
    let system = System::new();
    system.panics("ListTasks").answers("GetTask", &task());
    let answer = system.get("/api/tasks").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"));
    assert!(answer.header("x-request-id").is_some() && answer.header("x-content-type-options").is_some());
    assert_eq!(system.get("/api/tasks/7").await.status, StatusCode::OK);
}
