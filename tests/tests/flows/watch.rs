//! The feed: what changes, as it changes, to everyone who watches.

use chrono::TimeDelta;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use todo_proto::{json as mapping, v1};
use todo_tests::{
    rest::Rest,
    stream::{Event, Stream},
    system::Ground,
    web,
};
use tonic::Code;

use crate::{
    MONDAY, at,
    envelope::{COMPLETED, CREATED, DELETED, TRIGGERED, UPDATED},
    surface::refused,
    text,
};

const COUNTS: &str = "com.todo.counts";

async fn revision(user: &Rest) -> i64 {
    user.get("/api/tasks?limit=1").await.expect(200)["revision"].as_i64().expect("a number")
}

pub(crate) async fn every_change_is_shown_at_once(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let mut stream = Stream::open(&ann, None).await;
    let first = stream.next().await.expect("the present");
    assert_eq!((first.kind.as_str(), first.id), (COUNTS, None));
    assert_eq!(first.data["counts"]["tasks"]["total"], 0);

    let task = ann.create(json!({ "title": "a", "reminders": [{ "trigger_at": "2026-03-02T08:01:00Z" }] })).await;
    let path = format!("/api/tasks/{}", text(&task["id"]));
    let created = stream.kind(CREATED).await;
    assert_eq!((&created.data["task"], created.id), (&task, task["revision"].as_i64()));
    let counts = stream.kind(COUNTS).await;
    assert_eq!(counts.data["counts"]["tasks"]["pending"], 1);
    let edited = ann.patch(&path, &json!({ "title": "b" })).await.expect(200);
    assert_eq!(stream.kind(UPDATED).await.data["task"], edited);
    system.advance(&clock, TimeDelta::minutes(1));
    let rang = stream.kind(TRIGGERED).await;
    assert_eq!(rang.data["notification"]["task_title"], "b");
    assert_eq!(stream.kind(COUNTS).await.data["counts"]["unread_notifications"], 1);
    let id = text(&rang.data["notification"]["id"]);
    ann.act(&format!("/api/notifications/{id}/read")).await.expect(204);
    let read = stream.kind("com.todo.notification.updated").await;
    assert!(read.data["notification"]["read_at"].is_string());
    assert_eq!(stream.kind(COUNTS).await.data["counts"]["unread_notifications"], 0);
    let done = ann.act(&format!("{path}/complete")).await.expect(200);
    assert_eq!(stream.kind(COMPLETED).await.data["task"], done);
    ann.delete(&path).await.expect(204);
    let deleted = stream.kind(DELETED).await;
    assert_eq!(deleted.data["task_removed"], json!({ "id": task["id"] }));
    assert_eq!(stream.kind(COUNTS).await.data["counts"]["tasks"]["total"], 0);
    system.stop().await;
}

pub(crate) async fn a_resumed_stream_misses_and_doubles_nothing(ground: Ground) {
    let (setup, _clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let writers = (0..3).map(|writer| {
        let ann = system.back(&ann);
        tokio::spawn(async move {
            for number in 0..20 {
                let task = ann.create(json!({ "title": format!("{writer}.{number}") })).await;
                ann.patch(&format!("/api/tasks/{}", text(&task["id"])), &json!({ "priority": "low" }))
                    .await
                    .expect(200);
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    // 120 changes, of which each connection reads seven and breaks off.
    let (mut seen, mut last) = (Vec::new(), 0);
    while last < 120 {
        let mut stream = Stream::resume(&ann, last).await;
        for _ in 0..7 {
            let event = stream.next().await.expect("it goes on");
            if let Some(id) = event.id {
                seen.push(id);
                last = id;
            }
            if last == 120 {
                break;
            }
        }
    }
    join_all(writers).await;
    assert_eq!(seen, (1..=120).collect::<Vec<_>>());
    system.stop().await;
}

pub(crate) async fn three_watchers_at_once_see_the_same(ground: Ground) {
    let (setup, _clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(Stream::open(&ann, None).await);
    }
    let task = ann.create(json!({ "title": "a" })).await;
    for title in ["b", "c", "d"] {
        ann.patch(&format!("/api/tasks/{}", text(&task["id"])), &json!({ "title": title })).await.expect(200);
    }
    ann.delete(&format!("/api/tasks/{}", text(&task["id"]))).await.expect(204);
    let ids = |events: Vec<Event>| events.into_iter().filter_map(|event| event.id).collect::<Vec<_>>();
    for stream in &mut streams {
        let events = stream.until("the end", |event| event.kind == DELETED).await;
        assert_eq!(ids(events), [1, 2, 3, 4, 5]);
    }
    // One that comes later catches up by itself.
    let mut late = Stream::open(&ann, Some(2)).await;
    assert_eq!(ids(late.until("the end", |event| event.kind == DELETED).await), [3, 4, 5]);
    system.stop().await;
}

pub(crate) async fn who_was_away_too_long_has_to_start_over(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let mut system = setup.start().await;
    let mut ann = system.user("ann").await;
    for title in ["a", "b", "c"] {
        ann.create(json!({ "title": title })).await;
    }
    clock.advance(TimeDelta::days(8));
    ann.create(json!({ "title": "d" })).await;
    // A start purges what is too old.
    system.stop().await;
    system = setup.start().await;
    ann = system.back(&ann);
    todo_tests::eventually("the purge", todo_tests::SOON, || async {
        let refused = ann.try_send(Method::GET, "/api/events?since=0", &[("accept", "x")], None);
        let answer = tokio::time::timeout(std::time::Duration::from_millis(200), refused).await.ok()?.ok()?;
        (answer.status == 400).then_some(())
    })
    .await;
    let now = revision(&ann).await;
    for since in ["0".to_owned(), "2".to_owned(), (now + 1).to_string(), "-1".to_owned()] {
        let answer = ann.get(&format!("/api/events?since={since}")).await;
        assert_eq!(answer.code(400), "RESYNC_REQUIRED", "{since}");
        let answer = ann.send(Method::GET, "/api/events", &[("last-event-id", &since)], None).await;
        assert_eq!(answer.code(400), "RESYNC_REQUIRED", "{since}");
    }
    assert_eq!(ann.get("/api/events?since=x").await.fields(), ["since"]);
    let refusal = ann.send(Method::GET, "/api/events", &[("last-event-id", "x")], None).await;
    assert_eq!(refusal.fields(), ["Last-Event-ID"]);
    let mut client = v1::event_service_client::EventServiceClient::new(system.grpc());
    let refusal = client.watch(ann.call(v1::WatchRequest { since: Some(now + 1) })).await;
    let status = match refusal {
        Err(status) => status,
        Ok(stream) => stream.into_inner().message().await.expect_err("too new"),
    };
    assert_eq!((status.code(), refused(&status).0.as_str()), (Code::OutOfRange, "RESYNC_REQUIRED"));
    // From the revision of a list it goes on.
    let mut stream = Stream::open(&ann, Some(now)).await;
    let made = ann.create(json!({ "title": "e" })).await;
    assert_eq!(stream.kind(CREATED).await.data["task"], made);
    system.stop().await;
}

pub(crate) async fn grpc_and_grpc_web_watch_the_same_feed(ground: Ground) {
    let (setup, _clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let old = ann.create(json!({ "title": "old" })).await;
    let mut client = v1::event_service_client::EventServiceClient::new(system.grpc());
    let mut native = client.watch(ann.call(v1::WatchRequest { since: Some(0) })).await.expect("a stream").into_inner();
    let request = prost::Message::encode_to_vec(&v1::WatchRequest { since: Some(0) });
    let mut response = ann
        .request(Method::POST, "/todo.v1.EventService/Watch")
        .header("content-type", "application/grpc-web+proto")
        .body(web::frame(&request))
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status(), 200);
    let new = ann.create(json!({ "title": "new" })).await;

    let expected: [Value; 2] = [old, new];
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let item = native.message().await.expect("no error").expect("it goes on");
        seen.extend(mapping::of(&item).get("task").cloned());
    }
    assert_eq!(seen, expected);
    let (mut body, mut seen) = (Vec::new(), Vec::new());
    while seen.len() < 2 {
        let chunk = tokio::time::timeout(todo_tests::SOON, response.chunk()).await.expect("in time");
        body.extend_from_slice(&chunk.expect("no error").expect("it goes on"));
        let (messages, trailers) = web::frames(&body);
        assert!(trailers.is_none());
        let items =
            messages.into_iter().map(|bytes| <v1::WatchResponse as prost::Message>::decode(bytes).expect("an item"));
        seen = items.filter_map(|item| mapping::of(&item).get("task").cloned()).collect();
    }
    assert_eq!(seen, expected);
    system.stop().await;
}
