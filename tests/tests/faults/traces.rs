//! What an operator's tracing shows of one click.

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use todo_tests::{
    SOON,
    collector::{Collector, Seen, steps},
    eventually,
    process::{Process, todo},
    rest::Rest,
};

use crate::load::now;

/// A click in a browser, as its page tells the gateway.
pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CLICK: &str = "b7ad6b7169203331";

/// Adds a task that reminds at once, as a part of the click.
pub(crate) async fn click(rest: &Rest) {
    let traceparent = format!("00-{TRACE}-{CLICK}-01");
    let soon = todo_domain::clock::name(now() + chrono::TimeDelta::seconds(1));
    let task = json!({ "title": "Milk", "reminders": [{ "trigger_at": soon }] });
    rest.send(Method::POST, "/api/tasks", &[("traceparent", &traceparent)], Some(&task)).await.expect(201);
}

/// Whether all of these steps are there, and all spans hang together, beginning with the click.
pub(crate) fn is_whole(spans: &[Seen], all: &[(&str, &str)]) -> bool {
    let is_part = |span: &Seen| span.parent == CLICK || spans.iter().any(|other| other.id == span.parent);
    all.iter().all(|step| steps(spans).contains(step)) && spans.iter().all(is_part)
}

#[tokio::test]
async fn a_click_is_one_trace_up_to_its_notification_and_the_log_names_it() {
    let collector = Collector::start().await;
    let scratch = TempDir::new().expect("a scratch directory");
    let url = format!("http://{}", collector.address);
    let command = todo(&["all", "--listen", "127.0.0.1:0", "--otlp-endpoint", &url, "--log-format", "json"]);
    let process = Process::spawn(command, scratch.path()).await;
    let mut rest = process.rest();
    rest.sign_up("ann").await;
    click(&rest).await;
    let all = [
        ("todo", "POST /api/tasks"),
        ("todo", "todo.v1.TaskService/CreateTask"),
        ("todo", "send tasks"),
        ("todo", "process tasks"),
        ("todo", "send notifications"),
        ("todo", "process notifications"),
    ];
    eventually("one trace", SOON, || async { is_whole(&collector.trace(TRACE), &all).then_some(()) }).await;
    let logged = |line: &str| -> Option<Value> {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["span"]["trace_id"] == TRACE).then_some(line)
    };
    let log = process.log();
    let line = log.lines().find_map(logged).unwrap_or_else(|| panic!("{TRACE} is not in {log}"));
    assert_eq!(line["message"], "served", "{line}");
}

#[tokio::test]
async fn of_a_share_of_none_nothing_is_sent() {
    let collector = Collector::start().await;
    let scratch = TempDir::new().expect("a scratch directory");
    let url = format!("http://{}", collector.address);
    let args = ["all", "--listen", "127.0.0.1:0", "--otlp-endpoint", &url, "--trace-ratio", "0"];
    let process = Process::spawn(todo(&args), scratch.path()).await;
    let mut rest = process.rest();
    rest.sign_up("ann").await;
    click(&rest).await;
    eventually("it rang", SOON, || async { Some(rest.notifications().await).filter(|it| it.len() == 1) }).await;
    // At its end a process exports what is left.
    process.stop().await;
    assert_eq!(collector.trace(TRACE), []);
}
