//! Single-stepping, as a simulation drives it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use todo_sidecar::conformance::{Answer, Recorder};
use todo_sidecar::local::{Faults, LocalSidecar, Mode, Outcome};
use todo_sidecar::{Ack, Delivery, Error, Sidecar, Subscriber, Subscription, TOPIC};

use crate::support::{ManualClock, event, options};

#[tokio::test]
async fn nothing_happens_by_itself_and_the_caller_chooses() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Stepped)).await.unwrap();
    let recorder = Arc::new(Recorder::new(vec![Subscription::new("tasks")]));
    sidecar.register("backend", recorder.clone(), None);
    for id in ["a", "b", "c"] {
        sidecar.handle("backend").publish("tasks", &event(id)).await.unwrap();
    }
    let ids = async || sidecar.pending().await.unwrap().into_iter().map(|p| p.event_id).collect::<Vec<_>>();
    assert_eq!(ids().await, ["a", "b", "c"]);
    assert!(recorder.seen().is_empty());
    let stepped = sidecar.step(4).await.unwrap().unwrap();
    assert_eq!((stepped.delivery.event_id.as_str(), stepped.outcome), ("b", Outcome::Handled(Ack::Success)));
    assert_eq!(ids().await, ["a", "c"]);
    sidecar.step(1).await.unwrap();
    sidecar.step(0).await.unwrap();
    assert_eq!(sidecar.step(0).await, Ok(None));
    let seen: Vec<_> = recorder.seen().into_iter().map(|delivery| delivery.event.id).collect();
    assert_eq!(seen, ["b", "c", "a"]);
}

#[tokio::test]
async fn a_retry_is_pending_when_the_clock_says_so_and_ends_in_the_dead_letter() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Stepped)).await.unwrap();
    let retry = |_: &Delivery, _| Answer::Ack(Ack::Retry("not yet".into()));
    sidecar.register("backend", Arc::new(Recorder::scripted(vec![Subscription::new("tasks")], retry)), None);
    sidecar.handle("backend").publish("tasks", &event("e")).await.unwrap();
    for retries in 0..=3 {
        let stepped = sidecar.step(0).await.unwrap().unwrap();
        assert_eq!(stepped.delivery.retries, retries);
        assert_eq!(sidecar.pending().await.unwrap(), []);
        let due = sidecar.next_due().await.unwrap();
        assert_eq!(due.is_some(), retries < 3);
        if retries < 3 {
            clock.forward(Duration::from_secs(1));
        }
    }
    let undertaker = Arc::new(Recorder::new(vec![Subscription::new("tasks-dead-letter")]));
    sidecar.register("undertaker", undertaker.clone(), None);
    sidecar.step(0).await.unwrap().unwrap();
    assert_eq!(undertaker.seen()[0].event.extensions[TOPIC], "tasks");
}

#[tokio::test]
async fn a_step_that_is_dropped_and_a_restart_leave_the_event_pending() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let open = async || LocalSidecar::open(options(dir.path(), &clock, Mode::Stepped)).await.unwrap();
    let hang_first = |_: &Delivery, before| if before == 0 { Answer::Hang } else { Answer::Ack(Ack::Success) };
    let recorder = Arc::new(Recorder::scripted(vec![Subscription::new("tasks")], hang_first));

    let sidecar = open().await;
    sidecar.register("backend", recorder.clone(), None);
    sidecar.handle("backend").publish("tasks", &event("e")).await.unwrap();
    tokio::select! {
        _ = sidecar.step(0) => panic!("the handler hangs"),
        seen = recorder.first(crate::support::DEADLINE, "e") => drop(seen.unwrap()),
    }
    assert_eq!(sidecar.pending().await.unwrap().len(), 1);
    drop(sidecar);

    let sidecar = open().await;
    sidecar.register("backend", recorder.clone(), None);
    assert_eq!(sidecar.pending().await.unwrap().len(), 1);
    sidecar.step(0).await.unwrap().unwrap();
    sidecar.close().await;
    let sidecar = open().await;
    sidecar.register("backend", recorder.clone(), None);
    assert_eq!(sidecar.pending().await.unwrap(), []);
}

/// Answers by what it is given, and publishes more.
struct Chain {
    sidecar: Arc<dyn Sidecar>,
}

#[async_trait]
impl Subscriber for Chain {
    fn subscriptions(&self) -> Vec<Subscription> {
        vec![Subscription::new("tasks")]
    }

    async fn on_event(&self, delivery: &Delivery) -> Ack {
        let id = &delivery.event.id;
        if id.len() < 4 && self.sidecar.publish("tasks", &event(&format!("{id}x"))).await.is_err() {
            return Ack::Retry("the next link".into());
        }
        Ack::Success
    }
}

/// What happens in a run with a seed.
async fn simulate(seed: u64) -> Vec<String> {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let mut options = options(dir.path(), &clock, Mode::Stepped);
    options.faults = Some(Faults {
        seed,
        duplicate: 0.1,
        delay: 0.2,
        longest_delay: Duration::from_secs(10),
        fail_publish: 0.2,
        lose: 0.05,
        ..Faults::default()
    });
    let sidecar = LocalSidecar::open(options).await.unwrap();
    for app in ["one", "two"] {
        sidecar.register(app, Arc::new(Chain { sidecar: sidecar.handle(app) }), None);
    }
    for id in ["a", "b", "c", "d", "e"] {
        // Fails, as the seed says.
        drop(sidecar.handle("one").publish("tasks", &event(id)).await);
    }
    let mut trace = Vec::new();
    let mut choice = usize::try_from(seed).unwrap();
    loop {
        choice = choice.wrapping_mul(31).wrapping_add(7);
        if let Some(stepped) = sidecar.step(choice).await.unwrap() {
            trace.push(format!("{stepped:?}"));
        } else if sidecar.next_due().await.unwrap().is_some() {
            clock.forward(Duration::from_secs(1));
        } else {
            return trace;
        }
    }
}

#[tokio::test]
async fn a_seed_gives_the_same_run_again() {
    let start = Instant::now();
    let mut steps = 0;
    let mut different = std::collections::BTreeSet::new();
    for seed in 0..10 {
        let trace = simulate(seed).await;
        steps += 2 * trace.len();
        assert_eq!(trace, simulate(seed).await, "seed {seed}");
        different.insert(trace);
    }
    println!("20 runs, {steps} steps in {:?}", start.elapsed());
    assert_eq!(different.len(), 10);
}

#[tokio::test]
async fn a_lost_event_was_accepted_and_a_failed_one_may_have_been_stored() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Stepped)).await.unwrap();
    let recorder = Arc::new(Recorder::new(vec![Subscription::new("tasks")]));
    sidecar.register("backend", recorder, None);
    let handle = sidecar.handle("backend");
    let events: Vec<_> = (0..100).map(|n| event(&format!("{n}"))).collect();

    sidecar.set_faults(Some(Faults { lose: 1.0, ..Faults::default() }));
    assert!(handle.publish_many("tasks", &events).await.iter().all(Result::is_ok));
    assert_eq!(sidecar.pending().await.unwrap(), []);

    sidecar.set_faults(Some(Faults { fail_publish: 1.0, ..Faults::default() }));
    assert!(handle.publish_many("tasks", &events).await.iter().all(Result::is_err));
    let stored = sidecar.pending().await.unwrap().len();
    assert!((30..70).contains(&stored), "{stored}");

    sidecar.set_faults(None);
    assert!(handle.publish_many("tasks", &events).await.iter().all(Result::is_ok));
    assert_eq!(sidecar.pending().await.unwrap().len(), stored + 100);
}

#[tokio::test]
async fn an_app_that_does_not_serve_has_nothing_pending() {
    struct Away;
    #[async_trait]
    impl Subscriber for Away {
        fn subscriptions(&self) -> Vec<Subscription> {
            vec![Subscription::new("tasks")]
        }
        async fn serving(&self) -> bool {
            false
        }
        async fn on_event(&self, _: &Delivery) -> Ack {
            panic!("it does not serve")
        }
    }
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Stepped)).await.unwrap();
    sidecar.register("backend", Arc::new(Away), None);
    sidecar.handle("backend").publish("tasks", &event("e")).await.unwrap();
    assert_eq!(sidecar.pending().await.unwrap(), []);
    assert_eq!(sidecar.step(0).await, Ok(None));
}

#[tokio::test]
async fn only_a_stepped_sidecar_can_be_stepped() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let sidecar = LocalSidecar::open(options(dir.path(), &clock, Mode::Running)).await.unwrap();
    assert!(matches!(sidecar.step(0).await, Err(Error::Refused(_))));
    assert!(matches!(sidecar.pending().await, Err(Error::Refused(_))));
}
