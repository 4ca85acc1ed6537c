//! What every request meets.

use std::{
    fmt::{self, Write as _},
    sync::{Arc, Mutex},
};

use http::{Method, StatusCode};
use serde_json::json;
use todo_runtime::health::{Check, Health};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::harness::{System, options, request, task};
use crate::Options;

#[tokio::test]
async fn every_answer_has_a_request_id_and_security_headers() {
    let system = System::new();
    for path in ["/", "/api/docs", "/health", "/api/nothing", "/api/tasks"] {
        let answer = system.get(path).await;
        assert_eq!(answer.header("x-request-id"), Some("00000000-0000-0000-0000-000000000002"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
        assert!(answer.header("permissions-policy").is_some());
    }
}

#[tokio::test]
async fn a_sane_request_id_is_kept_and_passed_on() {
    let system = System::new();
    system.answers("GetTask", &task());
    let longest = "x".repeat(128);
    for (sent, kept) in [("abc-1", true), (longest.as_str(), true), (&"x".repeat(129), false), ("a b", false)] {
        let answer = system.send(request(Method::GET, "/api/tasks/7", &[("x-request-id", sent)], "")).await;
        assert_eq!(answer.header("x-request-id") == Some(sent), kept, "{sent}");
        assert_eq!(system.call().header("x-request-id"), answer.header("x-request-id"));
    }
}

#[tokio::test]
async fn other_origins_are_let_in_only_by_name() {
    let preflight = |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "authorization,if-match,x-grpc-web"),
        ];
        request(Method::OPTIONS, "/api/tasks/7", &headers, "")
    };
    let closed = System::new();
    let answer = closed.send(preflight("https://app.example")).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);

    let open = System::with(Options { cors_origins: vec!["https://app.example".parse().unwrap()], ..options() });
    let answer = open.send(preflight("https://app.example")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("PATCH"));
    let allowed = answer.header("access-control-allow-headers").unwrap();
    for name in ["authorization", "if-match", "idempotency-key", "x-grpc-web", "grpc-timeout", "last-event-id"] {
        assert!(allowed.contains(name), "{name}");
    }
    assert_eq!(answer.header("access-control-allow-credentials"), None, "the cookie stays at home");
    assert_eq!(open.send(preflight("https://evil.example")).await.header("access-control-allow-origin"), None);

    open.answers("GetTask", &task());
    let answer = open.send(request(Method::GET, "/api/tasks/7", &[("origin", "https://app.example")], "")).await;
    let exposed = answer.header("access-control-expose-headers").unwrap();
    for name in ["etag", "x-event-published", "x-revision", "x-request-id", "retry-after", "grpc-status"] {
        assert!(exposed.contains(name), "{name}");
    }

    let any = System::with(Options { cors_origins: vec!["*".parse().unwrap()], ..options() });
    assert_eq!(any.send(preflight("https://x.example")).await.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn health_is_that_the_process_lives() {
    let system = System::new();
    for path in ["/health", "/api/health"] {
        let answer = system.get(path).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "status": "ok" })));
    }
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let ask = async |check: Check| {
        let health = Health::default();
        health.set("broker", check);
        let system = System::with(Options { health, ..options() });
        let answer = system.get("/ready").await;
        (answer.status.as_u16(), answer.json())
    };
    let says = |status: &str, broker: &str| json!({ "status": status, "checks": { "broker": broker } });
    assert_eq!(ask(Check::Ok).await, (200, says("ok", "ok")));
    assert_eq!(ask(Check::Degraded("away".to_owned())).await, (200, says("degraded", "away")));
    assert_eq!(ask(Check::Failing("away".to_owned())).await, (503, says("unavailable", "away")));
}

/// Writes down what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0.lock().unwrap(), "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("todo_gateway")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn the_log_names_the_route_and_no_secret_or_title() {
    let system = System::new();
    system.get("/health").await;
    let log = Log::default();
    // With only one subscriber known, tracing asks the thread that first logs here, which may be another test's.
    let _other = tracing::Dispatch::new(Log::default());
    let _guard = tracing::subscriber::set_default(log.clone());
    system.answers("ListTasks", &()).answers("UpdateTask", &task());
    let headers = [("x-request-id", "r-1"), ("cookie", "refresh_token=hidden")];
    system.send(request(Method::GET, "/api/tasks?search=hidden", &headers, "")).await;
    system.send(request(Method::PATCH, "/api/tasks/hidden", &headers, r#"{"title":"hidden"}"#)).await;
    system.send(request(Method::GET, "/api/hidden", &headers, "")).await;
    let text = log.0.lock().unwrap().clone();
    for part in [
        r#"http.method="GET" http.route="/api/tasks" http.status=200"#,
        r#"http.method="PATCH" http.route="/api/tasks/{task.id}" http.status=200"#,
        r#"http.route="" http.status=404"#,
        r#"request.id="r-1""#,
        "duration.us=",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("hidden") && !text.contains("good") && !text.contains("Pay rent"), "{text}");
}
