//! Deliveries and timers while the sidecar runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use todo_sidecar::conformance::{Answer, Recorder};
use todo_sidecar::local::{Cron, Faults, LocalSidecar, Mode};
use todo_sidecar::{Ack, Delivery, Subscriber, Subscription};
use tokio::sync::{Notify, Semaphore};

use crate::support::{DEADLINE, ManualClock, Running, event, options};

fn recorder(topic: &str) -> Arc<Recorder> {
    Arc::new(Recorder::new(vec![Subscription::new(topic)]))
}

fn ids(recorder: &Recorder) -> Vec<String> {
    let mut ids: Vec<_> = recorder.seen().into_iter().map(|delivery| delivery.event.id).collect();
    ids.sort();
    ids
}

/// Starts each event and finishes it when it is let.
#[derive(Default)]
struct Gate {
    started: Notify,
    permits: Option<Semaphore>,
    at_once: AtomicUsize,
    most: AtomicUsize,
    finished: AtomicUsize,
    serves: AtomicBool,
    all_finished: Notify,
}

impl Gate {
    fn closed() -> Arc<Self> {
        Arc::new(Self { permits: Some(Semaphore::new(0)), serves: AtomicBool::new(true), ..Self::default() })
    }

    fn open(&self, count: usize) {
        self.permits.as_ref().unwrap().add_permits(count);
    }
}

#[async_trait]
impl Subscriber for Gate {
    fn subscriptions(&self) -> Vec<Subscription> {
        vec![Subscription::new("tasks")]
    }

    async fn serving(&self) -> bool {
        self.serves.load(Ordering::SeqCst)
    }

    async fn on_event(&self, _: &Delivery) -> Ack {
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.started.notify_one();
        self.permits.as_ref().unwrap().acquire().await.unwrap().forget();
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        self.finished.fetch_add(1, Ordering::SeqCst);
        self.all_finished.notify_one();
        Ack::Success
    }
}

async fn wait_for(what: &str, notify: &Notify, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            notify.notified().await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

#[tokio::test]
async fn shutting_down_waits_for_handlers_and_notes_their_ends() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Running)).await.unwrap();
    let gate = Gate::closed();
    sidecar.register("backend", gate.clone(), None);
    let running = Running::start(sidecar);
    let events: Vec<_> = (0..100).map(|n| event(&format!("e{n:02}"))).collect();
    running.sidecar.handle("backend").publish_many("tasks", &events).await;
    wait_for("16 handlers", &gate.started, || gate.at_once.load(Ordering::SeqCst) == 16).await;
    running.shut_down();
    gate.open(100);
    running.stop().await;
    assert_eq!(gate.most.load(Ordering::SeqCst), 16, "the default limit");
    let finished = gate.finished.load(Ordering::SeqCst);
    assert_eq!(finished, 16, "nothing new was started after the shutdown");

    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Running)).await.unwrap();
    let recorder = recorder("tasks");
    sidecar.register("backend", recorder.clone(), None);
    let running = Running::start(sidecar);
    recorder.until(DEADLINE, "the other events", |seen| seen.len() >= 84).await.unwrap();
    running.stop().await;
    let expected: Vec<_> = (16..100).map(|n| format!("e{n:02}")).collect();
    assert_eq!(ids(&recorder), expected, "what was not handled, once");
}

#[tokio::test]
async fn acknowledged_events_do_not_come_again_even_behind_a_slow_one() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Running)).await.unwrap();
    let first_hangs = |delivery: &Delivery, _| match delivery.event.id.as_str() {
        "e00" => Answer::Hang,
        _ => Answer::Ack(Ack::Success),
    };
    let recorder = Arc::new(Recorder::scripted(vec![Subscription::new("tasks")], first_hangs));
    sidecar.register("backend", recorder.clone(), None);
    let task = {
        let sidecar = sidecar.clone();
        tokio::spawn(async move { sidecar.run(tokio_util::sync::CancellationToken::new()).await })
    };
    let handle = sidecar.handle("backend");
    for n in 0..50 {
        handle.publish("tasks", &event(&format!("e{n:02}"))).await.unwrap();
    }
    recorder.until(DEADLINE, "50 events", |seen| seen.len() == 50).await.unwrap();
    // One more acknowledgement is committed after the others: commits are in order.
    handle.publish("tasks", &event("last")).await.unwrap();
    recorder.first(DEADLINE, "last").await.unwrap();
    task.abort();
    task.await.unwrap_err();
    sidecar.close().await;

    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Running)).await.unwrap();
    let again = Arc::new(Recorder::new(vec![Subscription::new("tasks")]));
    sidecar.register("backend", again.clone(), None);
    let running = Running::start(sidecar);
    again.first(DEADLINE, "e00").await.unwrap();
    running.stop().await;
    let unwritten: Vec<_> = ids(&again).into_iter().filter(|id| id != "e00").collect();
    assert!(unwritten.len() <= 17, "only the last acknowledgements may be lost: {unwritten:?}");
}

#[tokio::test]
async fn an_app_that_does_not_serve_gets_nothing_and_loses_nothing() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Running)).await.unwrap();
    let (away, other) = (Gate::closed(), recorder("tasks"));
    away.serves.store(false, Ordering::SeqCst);
    away.open(100);
    sidecar.register("backend", away.clone(), None);
    sidecar.register("other", other.clone(), None);
    let running = Running::start(sidecar);
    running.sidecar.handle("backend").publish("tasks", &event("e")).await.unwrap();
    other.first(DEADLINE, "e").await.unwrap();
    assert_eq!(away.finished.load(Ordering::SeqCst), 0);
    away.serves.store(true, Ordering::SeqCst);
    wait_for("the event", &away.all_finished, || away.finished.load(Ordering::SeqCst) == 1).await;
    running.stop().await;
}

#[tokio::test]
async fn a_retry_waits_for_the_clock_and_a_clock_set_back_does_not_stop_it() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Running)).await.unwrap();
    let twice = |_: &Delivery, before: usize| match before {
        0 | 1 => Answer::Ack(Ack::Retry("later".into())),
        _ => Answer::Ack(Ack::Success),
    };
    let recorder = Arc::new(Recorder::scripted(vec![Subscription::new("tasks")], twice));
    sidecar.register("backend", recorder.clone(), None);
    let running = Running::start(sidecar);
    running.sidecar.handle("backend").publish("tasks", &event("e")).await.unwrap();
    recorder.first(DEADLINE, "e").await.unwrap();
    // The retry may be noted after the clock is moved; moving it again and again finds it in the end.
    let moved = async |step: &dyn Fn(), count: usize| {
        while recorder.seen().len() < count {
            step();
            running.sidecar.wake();
            tokio::task::yield_now().await;
        }
    };
    let forward = || clock.forward(Duration::from_millis(100));
    tokio::time::timeout(DEADLINE, moved(&forward, 2)).await.expect("the clock goes forward");
    let back = || clock.back(Duration::from_hours(1));
    tokio::time::timeout(DEADLINE, moved(&back, 3)).await.expect("the clock is set back");
    running.stop().await;
}

#[tokio::test]
async fn replicas_share_events_and_each_gets_every_tick() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let mut options = options(dir.path(), &clock, Mode::Running);
    options.bindings = vec![Cron { name: "minute".into(), every: Duration::from_mins(1) }];
    let sidecar = LocalSidecar::open(options).await.unwrap();
    let replica = || Arc::new(Recorder::new(vec![Subscription::new("tasks")]).with_binding("minute"));
    let (one, two) = (replica(), replica());
    sidecar.register("scheduler", one.clone(), None);
    let second = sidecar.register("scheduler", two.clone(), None);
    let running = Running::start(sidecar);
    let handle = running.sidecar.handle("scheduler");
    let events: Vec<_> = (0..50).map(|n| event(&format!("e{n:02}"))).collect();
    handle.publish_many("tasks", &events).await;
    let done = async {
        while one.seen().len() + two.seen().len() < 50 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, done).await.expect("all events");
    assert_eq!((one.seen().len(), two.seen().len()), (25, 25));

    clock.forward(Duration::from_mins(1));
    running.sidecar.wake();
    one.ticked(DEADLINE, "minute", 1).await.unwrap();
    two.ticked(DEADLINE, "minute", 1).await.unwrap();

    running.sidecar.unregister(&second);
    handle.publish_many("tasks", &events).await;
    one.until(DEADLINE, "all for the one that is left", |seen| seen.len() == 75).await.unwrap();
    assert_eq!(two.seen().len(), 25);
    running.stop().await;
}

#[tokio::test]
async fn missed_ticks_are_not_made_up_for() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let mut options = options(dir.path(), &clock, Mode::Running);
    options.bindings = vec![Cron { name: "minute".into(), every: Duration::from_mins(1) }];
    let sidecar = LocalSidecar::open(options).await.unwrap();
    let recorder = Arc::new(Recorder::new(vec![]).with_binding("minute"));
    sidecar.register("scheduler", recorder.clone(), None);
    let running = Running::start(sidecar);
    clock.forward(Duration::from_hours(240));
    running.sidecar.wake();
    recorder.ticked(DEADLINE, "minute", 1).await.unwrap();
    assert_eq!(running.sidecar.fire_cron("minute").await, Ok(1));
    assert_eq!(recorder.ticks(), 2, "one for ten days, and one by hand");
    assert!(running.sidecar.fire_cron("no-such-binding").await.is_err());
    running.stop().await;
}

/// Faults that lose nothing: everything arrives, if late, twice and in another order.
#[tokio::test]
async fn with_duplicates_delays_and_another_order_everything_still_arrives() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let mut options = options(dir.path(), &clock, Mode::Running);
    options.faults = Some(Faults {
        seed: 11,
        duplicate: 0.2,
        delay: 0.3,
        longest_delay: Duration::from_mins(1),
        reorder: true,
        ..Faults::default()
    });
    let sidecar = LocalSidecar::open(options).await.unwrap();
    let recorder = recorder("tasks");
    sidecar.register("backend", recorder.clone(), None);
    let running = Running::start(sidecar);
    let events: Vec<_> = (0..500).map(|n| event(&format!("e{n:03}"))).collect();
    for result in running.sidecar.handle("backend").publish_many("tasks", &events).await {
        result.unwrap();
    }
    let distinct = || {
        let mut ids = ids(&recorder);
        ids.dedup();
        ids.len()
    };
    let passing = async {
        while distinct() < 500 {
            clock.forward(Duration::from_secs(1));
            running.sidecar.wake();
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, passing).await.expect("all events");
    let seen: Vec<_> = recorder.seen().into_iter().map(|delivery| delivery.event.id).collect();
    assert!(seen.len() > 550, "duplicates: {}", seen.len());
    assert!(!seen.is_sorted(), "another order");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_events_go_through_in_a_short_time() {
    const EVENTS: usize = 20_000;
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Running)).await.unwrap();
    let counter = Arc::new(Counter::default());
    sidecar.register("backend", counter.clone(), None);
    let running = Running::start(sidecar);
    let handle = running.sidecar.handle("backend");
    let start = Instant::now();
    let events: Vec<_> = (0..EVENTS).map(|n| event(&format!("e{n}"))).collect();
    for batch in events.chunks(200) {
        for result in handle.publish_many("tasks", batch).await {
            result.unwrap();
        }
    }
    wait_for("all events", &counter.changed, || counter.count.load(Ordering::SeqCst) == EVENTS).await;
    let seconds = start.elapsed().as_secs_f64();
    println!("{EVENTS} events in {seconds:.2} s");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_wakes_its_handler() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Running)).await.unwrap();
    let recorder = recorder("tasks");
    sidecar.register("backend", recorder.clone(), None);
    let running = Running::start(sidecar);
    let handle = running.sidecar.handle("backend");
    let mut waits = Vec::new();
    for n in 0..200 {
        let id = format!("e{n}");
        let start = Instant::now();
        handle.publish("tasks", &event(&id)).await.unwrap();
        let committed = start.elapsed();
        recorder.first(DEADLINE, &id).await.unwrap();
        waits.push((start.elapsed().saturating_sub(committed), committed));
    }
    waits.sort();
    println!(
        "commit to handler: p50 {:?}, p99 {:?}; the commit itself: {:?}",
        waits[100].0, waits[198].0, waits[100].1
    );
    assert!(waits[100].0 < Duration::from_millis(50), "it was not found by polling");
    running.stop().await;
}

#[derive(Default)]
struct Counter {
    count: AtomicUsize,
    changed: Notify,
}

#[async_trait]
impl Subscriber for Counter {
    fn subscriptions(&self) -> Vec<Subscription> {
        vec![Subscription::new("tasks")]
    }

    async fn on_event(&self, _: &Delivery) -> Ack {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_one();
        Ack::Success
    }
}
