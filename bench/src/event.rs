//! From a commit to the event in a subscriber.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::json;
use todo_domain::Clock;
use todo_runtime::system::SystemClock;
use todo_sidecar::{CloudEvent, Sidecar};
use todo_tests::rest::Rest;

use crate::{
    Plan, Result,
    probe::{Arrival, Probe},
    stage::{Running, Stage},
    stats::{Times, ratio, times},
    table::{Row, Section},
};

/// How long an event may take.
const GOAL: Duration = Duration::from_millis(50);
/// How long one is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Clients that create at full load.
const CLIENTS: i64 = 64;

/// Measures on every database.
pub(crate) async fn run(plan: Plan, section: &mut Section) -> Result<()> {
    section.describe(
        "A task is created over REST while an app of the benchmark listens on topic `tasks`; one after the other, and \
         with 64 clients at full load. Counted from the moment the request is *sent*, which is before the commit, and \
         from its answer, which is after it. The reference publishes an event of the same bytes through the same sidecar.",
    );
    for stage in Stage::every(plan) {
        measure(plan, &stage, section).await?;
    }
    Ok(())
}

async fn measure(plan: Plan, stage: &Stage, section: &mut Section) -> Result<()> {
    stage.people(CLIENTS).await?;
    let running = stage.start().await?;
    let mut probe = Probe::join(running.system.local(), "bench-tasks", "tasks");
    let rest = running.rest(0);

    let count = plan.pick(500, 30);
    // The first few are for warming up.
    one_by_one(&rest, &mut probe, 10, &mut Seen::default()).await?;
    let mut seen = Seen::default();
    let event = one_by_one(&rest, &mut probe, count, &mut seen).await?;
    let bare = {
        let mut probe = Probe::join(running.system.local(), "bench-bare", "bench-bare");
        let sidecar = running.system.local().handle("bench");
        Times::new(bare(sidecar.as_ref(), "bench-bare", &mut probe, &event, count).await?)
    };
    let (sent, answered) = (Times::new(seen.sent), Times::new(seen.answered));
    let name = stage.name();
    section.push(
        Row::plain(format!("{name}, from the request"), sent.shown())
            .beside(bare.shown(), times(ratio(sent.p99().as_secs_f64(), bare.p99().as_secs_f64())))
            .goal("p99 under 50 ms", sent.p99() < GOAL),
    );
    section.push(
        Row::plain(format!("{name}, from the answer"), answered.shown())
            .beside(bare.shown(), times(ratio(answered.p99().as_secs_f64(), bare.p99().as_secs_f64()))),
    );
    let loaded = loaded(&running, &mut probe, plan.pick(Duration::from_secs(3), Duration::from_millis(300))).await?;
    section.push(Row::plain(format!("{name}, from the answer, {CLIENTS} clients at full load"), loaded.shown()));
    running.system.stop().await;
    Ok(())
}

/// When events came, of tasks created one after the other.
#[derive(Default)]
pub(crate) struct Seen {
    /// Since the request was sent.
    pub(crate) sent: Vec<Duration>,
    /// Since the answer.
    pub(crate) answered: Vec<Duration>,
    /// Of which task, and when by the clock in microseconds.
    pub(crate) arrived: Vec<(String, i64)>,
}

/// Creates tasks and waits for the event of each; the last event.
pub(crate) async fn one_by_one(rest: &Rest, probe: &mut Probe, count: usize, seen: &mut Seen) -> Result<CloudEvent> {
    let mut last = None;
    for number in 0..count {
        let began = Instant::now();
        let id = create(rest, number).await?;
        let answer = Instant::now();
        let arrival = of_task(probe, &id).await?;
        let since = i64::try_from(arrival.at.elapsed().as_micros())?;
        seen.sent.push(arrival.at - began);
        seen.answered.push(arrival.at.saturating_duration_since(answer));
        seen.arrived.push((id, SystemClock.now().timestamp_micros() - since));
        last = Some(arrival.event);
    }
    last.ok_or_else(|| "no event".into())
}

/// Waits for the event of a task.
pub(crate) async fn of_task(probe: &mut Probe, id: &str) -> Result<Arrival> {
    loop {
        let arrival = probe.next(PATIENCE).await?;
        if arrival.event.subject.as_deref() == Some(id) {
            return Ok(arrival);
        }
    }
}

/// Creates a task; its id.
pub(crate) async fn create(rest: &Rest, number: usize) -> Result<String> {
    let body = json!({"title": format!("Task {number}")});
    let answer = rest.try_send(Method::POST, "/api/tasks", &[], Some(&body)).await?;
    let id = answer.body["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| format!("a create was refused: {} {}", answer.status, answer.body).into())
}

/// Publishes events one after the other; how long each took to the app.
pub(crate) async fn bare(
    sidecar: &dyn Sidecar,
    topic: &str,
    probe: &mut Probe,
    event: &CloudEvent,
    count: usize,
) -> Result<Vec<Duration>> {
    let mut taken = Vec::new();
    for number in 0..count {
        let event = CloudEvent { id: format!("{}-{number}", event.id), ..event.clone() };
        let began = Instant::now();
        sidecar.publish(topic, &event).await?;
        loop {
            let arrival = probe.next(PATIENCE).await?;
            if arrival.event.id == event.id {
                taken.push(arrival.at - began);
                break;
            }
        }
    }
    Ok(taken)
}

/// From each answer to its event, while many create.
async fn loaded(running: &Running, probe: &mut Probe, span: Duration) -> Result<Times> {
    let began = Instant::now();
    let clients = (0..CLIENTS).map(|number| {
        let rest = Arc::new(running.rest(number));
        tokio::spawn(async move {
            let mut answers = Vec::new();
            while began.elapsed() < span {
                let id = create(&rest, answers.len()).await?;
                answers.push((id, Instant::now()));
            }
            Result::Ok(answers)
        })
    });
    let mut answers: HashMap<String, Instant> = HashMap::new();
    for client in futures::future::join_all(clients).await {
        answers.extend(client??);
    }
    let mut taken = Vec::new();
    while !answers.is_empty() {
        let arrival = probe.next(PATIENCE).await?;
        if let Some(answer) = arrival.event.subject.as_ref().and_then(|id| answers.remove(id)) {
            taken.push(arrival.at.saturating_duration_since(answer));
        }
    }
    Ok(Times::new(taken))
}
