//! What an operator's Prometheus reads.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::json;
use tempfile::TempDir;
use todo_domain::Clock as _;
use todo_runtime::{
    metrics::{ALL, Kind},
    system::SystemClock,
};
use todo_test_dapr::free_port;
use todo_tests::{
    SOON, eventually,
    process::{Process, todo},
    stream::Stream,
};

/// Counted only when something goes wrong, or with a language model.
const ELSEWHERE: [&str; 4] =
    ["todo_outbox_failures_total", "todo_dead_letters_total", "todo_model_calls_total", "todo_model_call_seconds"];

#[tokio::test]
async fn what_is_counted_is_what_is_said_and_nothing_of_a_user() {
    let scratch = TempDir::new().expect("a scratch directory");
    let metrics = format!("127.0.0.1:{}", free_port());
    let command = todo(&["all", "--listen", "127.0.0.1:0", "--metrics", &metrics]);
    let process = Process::spawn(command, scratch.path()).await;
    let mut rest = process.rest();
    rest.sign_up("mallory").await;
    let _stream = Stream::open(&rest, None).await;
    let soon = SystemClock.now() + TimeDelta::seconds(1);
    let task = json!({ "title": "zzyzx", "reminders": [{ "trigger_at": soon.to_rfc3339() }] });
    let id = rest.create(task).await["id"].as_str().expect("an id").to_owned();
    rest.post("/api/chat", &json!({ "content": "show my list" })).await.expect(200);
    assert_eq!(rest.get("/api/tasks/zzyzx").await.code(400), "INVALID_ID_FORMAT");
    assert_eq!(rest.get("/zzyzx").await.status.as_u16(), 404);

    let expected: BTreeSet<_> = ALL.iter().map(|(name, ..)| *name).filter(|name| !ELSEWHERE.contains(name)).collect();
    let url = format!("http://{metrics}/metrics");
    let text = eventually("everything was counted", SOON, || async {
        let text = reqwest::get(&url).await.ok()?.text().await.ok()?;
        expected.iter().all(|name| text.contains(&format!("# TYPE {name} "))).then_some(text)
    })
    .await;
    for (name, kind) in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')) {
        let said = ALL.iter().find(|(known, ..)| *known == name).map(|(_, kind, _)| word(*kind));
        assert_eq!(said, Some(kind), "{name}");
    }
    for secret in ["zzyzx", "mallory", &id, &rest.user_id] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    let has = |line: &str| assert!(text.lines().any(|found| found.starts_with(line)), "{line} is not in {text}");
    has(r#"http_requests_total{method="POST",route="/api/tasks",status="201"} 1"#);
    has(r#"grpc_server_handled_total{grpc_service="todo.v1.TaskService",grpc_method="CreateTask",grpc_code="OK"} 1"#);
    has(r#"todo_fire_lateness_seconds_count{kind="reminder"} 1"#);
    has("todo_watchers 1");
    has(r#"todo_check{name="database"} 1"#);
}

#[test]
fn the_page_of_metrics_lists_all_of_them() {
    let page = include_str!("../../../docs/metrics.md");
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).map(ToOwned::to_owned).collect();
    let all: Vec<_> = ALL.iter().map(|(name, kind, what)| format!("| `{name}` | {} | {what} |", word(*kind))).collect();
    assert_eq!(rows, all);
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    }
}
