//! The file: what is kept, what goes, what happens when it fails.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use sqlx::{Connection, SqliteConnection};
use todo_sidecar::conformance::{Answer, Recorder};
use todo_sidecar::local::{LocalSidecar, Location, Mode, Options, Retention};
use todo_sidecar::{Ack, Delivery, Error, Match, Sidecar, Subscriber, Subscription};

use crate::support::{DEADLINE, ManualClock, Running, event, options};

async fn deliver_all(sidecar: &LocalSidecar) -> usize {
    let mut count = 0;
    while sidecar.step(0).await.unwrap().is_some() {
        count += 1;
    }
    count
}

fn subscriber() -> Arc<Recorder> {
    Arc::new(Recorder::new(vec![Subscription::new("tasks")]))
}

#[tokio::test]
async fn delivered_messages_go_after_their_time_and_undelivered_ones_stay() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let mut options = options(dir.path(), &clock, Mode::Stepped);
    options.retention = Retention { age: Duration::from_hours(1), count: 1000 };
    let sidecar = LocalSidecar::open(options).await.unwrap();
    let slow = |delivery: &Delivery, _| match delivery.event.id.as_str() {
        "e1" => Answer::Ack(Ack::Retry("later".into())),
        _ => Answer::Ack(Ack::Success),
    };
    sidecar.register("backend", Arc::new(Recorder::scripted(vec![Subscription::new("tasks")], slow)), None);
    for id in ["e0", "e1", "e2"] {
        sidecar.handle("backend").publish("tasks", &event(id)).await.unwrap();
    }
    assert_eq!(deliver_all(&sidecar).await, 3);
    assert_eq!(sidecar.trim().await, Ok(0), "a new group gets what is retained");
    sidecar.register("second", subscriber(), None);
    assert_eq!(deliver_all(&sidecar).await, 3);

    clock.forward(Duration::from_secs(3601));
    sidecar.handle("backend").publish("tasks", &event("e3")).await.unwrap();
    assert_eq!(sidecar.trim().await, Ok(2), "e1 waits for its retry, e3 is new");
    sidecar.register("third", subscriber(), None);
    let third = sidecar.pending().await.unwrap().into_iter().filter(|pending| pending.app == "third");
    assert_eq!(third.map(|pending| pending.event_id).collect::<Vec<_>>(), ["e1", "e3"]);
}

#[tokio::test]
async fn no_more_messages_are_retained_than_the_limit() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let mut options = options(dir.path(), &clock, Mode::Stepped);
    options.retention = Retention { age: Duration::from_hours(1), count: 5 };
    let sidecar = LocalSidecar::open(options).await.unwrap();
    sidecar.register("backend", subscriber(), None);
    let events: Vec<_> = (0..3000).map(|n| event(&format!("e{n}"))).collect();
    sidecar.handle("backend").publish_many("tasks", &events).await;
    sidecar.pending().await.unwrap();
    assert_eq!(sidecar.trim().await, Ok(0), "nothing is delivered yet");
    assert_eq!(deliver_all(&sidecar).await, 3000);
    assert_eq!(sidecar.trim().await, Ok(2995));
}

#[tokio::test]
async fn a_group_that_nobody_joins_for_long_no_longer_counts() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Stepped)).await.unwrap();
    let gone = sidecar.register("gone", subscriber(), None);
    sidecar.pending().await.unwrap();
    sidecar.handle("gone").publish("tasks", &event("e")).await.unwrap();
    sidecar.unregister(&gone);
    sidecar.close().await;

    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Stepped)).await.unwrap();
    clock.forward(Duration::from_hours(23));
    assert_eq!(sidecar.trim().await, Ok(0));
    clock.forward(Duration::from_hours(2));
    assert_eq!(sidecar.trim().await, Ok(1));
}

#[tokio::test]
async fn an_etag_is_never_used_twice() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Stepped)).await.unwrap();
    let handle = sidecar.handle("backend");
    let put = async |ttl| handle.put("k", Bytes::from_static(b"v"), Match::Absent, ttl).await;
    put(Some(Duration::from_millis(1500))).await.unwrap();
    let first = handle.get("k").await.unwrap().unwrap().etag;
    clock.forward(Duration::from_millis(1999));
    assert!(handle.get("k").await.unwrap().is_some(), "a TTL is rounded up to whole seconds");
    clock.forward(Duration::from_millis(1));
    assert_eq!(handle.get("k").await.unwrap(), None);
    sidecar.trim().await.unwrap();
    sidecar.close().await;

    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Stepped)).await.unwrap();
    let handle = sidecar.handle("backend");
    handle.put("k", Bytes::from_static(b"v"), Match::Absent, None).await.unwrap();
    assert_ne!(handle.get("k").await.unwrap().unwrap().etag, first);
    let swapped = handle.put("k", Bytes::new(), Match::Etag(first), None).await;
    assert_eq!(swapped, Err(Error::Conflict));
    let malformed = handle.put("k", Bytes::new(), Match::Etag("no etag of ours".into()), None).await;
    assert_eq!(malformed, Err(Error::Conflict));
}

#[tokio::test]
async fn a_store_that_fails_for_a_while_loses_nothing() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Running)).await.unwrap();
    let twice = |_: &Delivery, before| match before {
        0 => Answer::Ack(Ack::Retry("later".into())),
        _ => Answer::Ack(Ack::Success),
    };
    let recorder = Arc::new(Recorder::scripted(vec![Subscription::new("tasks")], twice));
    sidecar.register("backend", recorder.clone(), None);
    let running = Running::start(sidecar);
    let handle = running.sidecar.handle("backend");
    let file = format!("sqlite://{}", dir.path().join("sidecar.db").display());
    let mut outside = SqliteConnection::connect(&file).await.unwrap();
    let mut damage = async |sql: &'static str| {
        sqlx::raw_sql(sql).execute(&mut outside).await.unwrap();
    };

    // Until it is past its start, the sidecar would only wait.
    handle.publish("tasks", &event("d")).await.unwrap();
    recorder.first(DEADLINE, "d").await.unwrap();
    damage("ALTER TABLE pending RENAME TO hidden; ALTER TABLE state RENAME TO hidden_state").await;
    handle.publish("tasks", &event("e")).await.unwrap();
    recorder.first(DEADLINE, "e").await.unwrap();
    let put = handle.put("k", Bytes::new(), Match::Any, None).await.unwrap_err();
    assert!(put.is_passing() && !put.to_string().contains("state"), "{put}");
    assert!(handle.get("k").await.unwrap_err().is_passing());
    let (f, g) = (event("f"), event("g"));
    let put = || handle.put("k", Bytes::new(), Match::Any, None);
    let together = tokio::join!(handle.publish("tasks", &f), put(), handle.publish("tasks", &g), put());
    assert!(matches!(together, (Ok(()), Err(_), Ok(()), Err(_))), "each has its own error: {together:?}");

    damage("ALTER TABLE hidden RENAME TO pending; ALTER TABLE hidden_state RENAME TO state").await;
    let passing = async {
        while recorder.count("d") < 2 || recorder.count("e") < 2 || recorder.count("f") < 2 || recorder.count("g") < 2 {
            clock.forward(Duration::from_millis(200));
            running.sidecar.wake();
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, passing).await.expect("the retries");
    handle.put("k", Bytes::new(), Match::Any, None).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_a_missing_directory_is_said() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    LocalSidecar::open(options(dir.path(), &clock, Mode::Stepped)).await.unwrap().close().await;
    let file = format!("sqlite://{}", dir.path().join("sidecar.db").display());
    let mut outside = SqliteConnection::connect(&file).await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 99").execute(&mut outside).await.unwrap();
    outside.close().await.unwrap();
    let newer = LocalSidecar::open(options(dir.path(), &clock, Mode::Stepped)).await;
    assert!(matches!(newer.err(), Some(Error::Refused(why)) if why.contains("newer")));
    let nowhere = Options::new(Location::File(dir.path().join("no/such/sidecar.db")), clock);
    assert!(matches!(LocalSidecar::open(nowhere).await.err(), Some(Error::Unavailable(_))));
}

/// An app that holds its own port, as real ones do.
struct Holder(Arc<dyn Sidecar>);

#[async_trait]
impl Subscriber for Holder {
    fn subscriptions(&self) -> Vec<Subscription> {
        Vec::new()
    }
    async fn on_event(&self, _: &Delivery) -> Ack {
        Ack::Success
    }
}

#[tokio::test]
async fn a_dropped_sidecar_frees_its_apps_and_its_temporary_file() {
    let sidecar = LocalSidecar::open(Options::new(Location::Temporary, ManualClock::new())).await.unwrap();
    let app = Arc::new(Holder(sidecar.handle("backend")));
    let weak: Weak<Holder> = Arc::downgrade(&app);
    let channel = app.0.app("backend");
    sidecar.register("backend", app, None);
    drop(sidecar);
    assert!(weak.upgrade().is_none());
    drop(channel);
}
