//! Server-sent events.

use std::time::Duration;

use axum::body::Body;
use futures::StreamExt as _;
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use todo_domain::Reason;
use todo_proto::v1::{self, watch_response::Item};

use super::{
    errors::status,
    harness::{System, options, request, task},
};

fn upsert() -> v1::WatchResponse {
    v1::WatchResponse {
        revision: Some(7),
        event_type: "com.todo.task.updated".to_owned(),
        item: Some(Item::Task(task())),
    }
}

fn counts() -> v1::WatchResponse {
    v1::WatchResponse {
        revision: None,
        event_type: "com.todo.counts".to_owned(),
        item: Some(Item::Counts(v1::Counts::default())),
    }
}

/// Reads until the text holds `until`, or to the end.
async fn read(body: &mut Body, until: &str) -> String {
    let mut text = String::new();
    while !text.contains(until) || until.is_empty() {
        let Some(frame) = body.frame().await else { break };
        text.push_str(str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
    }
    text
}

#[tokio::test]
async fn changes_arrive_as_events_with_type_id_and_one_item() {
    let system = System::new();
    let sender = system.streams("Watch");
    sender.send(Ok(upsert())).unwrap();
    let response = system.raw(request(Method::GET, "/api/events?since=5", &[], "")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let mut body = response.into_body();

    let first = read(&mut body, "\n\n").await;
    let lines: Vec<_> = first.lines().collect();
    assert_eq!(lines[..2], ["event: com.todo.task.updated", "id: 7"]);
    assert!(lines[2].starts_with(r#"data: {"revision":7,"event_type":"com.todo.task.updated","task":{"id":"#));
    assert!(!lines[2].contains("counts") && !lines[2].contains("notification"));

    sender.send(Ok(counts())).unwrap();
    sender.send(Ok(upsert())).unwrap();
    let more = read(&mut body, "id: 7").await;
    assert!(more.starts_with("event: com.todo.counts\ndata: {\"revision\":null,"), "{more}");
    drop(sender);
    assert_eq!(read(&mut body, "never").await, "");
    let sent: v1::WatchRequest = system.call().message();
    assert_eq!(sent.since, Some(5));
}

#[tokio::test]
async fn the_last_event_id_resumes() {
    let system = System::new();
    let sender = system.streams("Watch");
    sender.send(Ok(upsert())).unwrap();
    system.raw(request(Method::GET, "/api/events?since=5", &[("last-event-id", "6")], "")).await;
    let sent: v1::WatchRequest = system.call().message();
    assert_eq!(sent.since, Some(6));
    let answer = system.send(request(Method::GET, "/api/events", &[("last-event-id", "x")], "")).await;
    assert_eq!(answer.details()[0].0, "Last-Event-ID");
}

#[tokio::test]
async fn an_error_before_the_first_event_is_a_plain_answer() {
    let system = System::new();
    system.fails("Watch", status(Reason::ResyncRequired));
    let answer = system.get("/api/events?since=99").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "RESYNC_REQUIRED"));

    // Also if the headers of the stream had come.
    let sender = system.streams::<v1::WatchResponse>("Watch");
    sender.send(Err(status(Reason::InvalidToken))).unwrap();
    let answer = system.get("/api/events").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "INVALID_TOKEN"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_later_error_is_an_event_and_the_end() {
    let system = System::new();
    let sender = system.streams("Watch");
    sender.send(Ok(upsert())).unwrap();
    sender.send(Err(status(Reason::TokenExpired))).unwrap();
    let answer = system.get("/api/events").await;
    assert_eq!(answer.status, StatusCode::OK);
    let text = str::from_utf8(&answer.text).unwrap();
    let error = text.split("\n\n").nth(1).unwrap();
    assert_eq!(
        error,
        "event: error\ndata: {\"error\":{\"code\":\"TOKEN_EXPIRED\",\"message\":\"said by us\",\"details\":[]}}"
    );
    assert!(text.ends_with("}\n\n"));
}

#[tokio::test]
async fn a_quiet_stream_says_that_it_lives() {
    let system = System::with(crate::Options { heartbeat: Duration::from_millis(1), ..options() });
    let sender = system.streams::<v1::WatchResponse>("Watch");
    sender.send(Ok(counts())).unwrap();
    let response = system.raw(request(Method::GET, "/api/events", &[], "")).await;
    let mut chunks = response.into_body().into_data_stream();
    assert!(chunks.next().await.unwrap().unwrap().starts_with(b"event: com.todo.counts"));
    assert_eq!(&chunks.next().await.unwrap().unwrap()[..], b":\n\n");
    assert_eq!(&chunks.next().await.unwrap().unwrap()[..], b":\n\n");
    drop(sender);
}

#[tokio::test]
async fn a_shutdown_ends_streams() {
    let options = options();
    let shutdown = options.shutdown.clone();
    let system = System::with(options);
    let sender = system.streams("Watch");
    sender.send(Ok(counts())).unwrap();
    let response = system.raw(request(Method::GET, "/api/events", &[], "")).await;
    shutdown.cancel();
    let text = response.into_body().collect().await.unwrap().to_bytes();
    assert!(text.ends_with(b"\n\n"));
    drop(sender);
}
