//! Watch streams: how long a change takes to the last of many, and what open ones cost when nothing happens.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::mpsc;

use crate::{
    Plan, Result, machine,
    stage::{Running, Stage},
    stats::Times,
    table::{Row, Section},
};

/// How long a change may take to the last stream.
const GOAL: Duration = Duration::from_millis(100);
/// How long one is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Streams of a connection.
const SHARED: i64 = 10;

/// A stream saw this revision at that time; zero for what is no change.
type Seen = (i64, i64, Instant);

/// Measures on SQLite.
pub(crate) async fn run(plan: Plan, section: &mut Section) -> Result<()> {
    let streams: i64 = plan.pick(1_000, 50);
    section.describe(format!(
        "{streams} gRPC Watch streams, ten on a connection, all read by the benchmark; SQLite. A task is created \
         over REST, and each stream waited for; counted from the moment the request is *sent*, which is before the \
         commit, and from its answer."
    ));
    let stage = Stage::sqlite();
    stage.people(streams).await?;
    let running = stage.start().await?;
    let rounds = plan.pick(100, 10);

    let mut seen = open(&running, (0..streams).map(|_| 0)).await?;
    let (sent, answered) = one_owner(&running, &mut seen, streams, rounds).await?;
    section.push(
        Row::plain(format!("{streams} streams of one owner, request to last stream"), sent.shown())
            .goal("p99 under 100 ms", sent.p99() < GOAL),
    );
    section.push(Row::plain(format!("{streams} streams of one owner, answer to last stream"), answered.shown()));
    section.push(Row::plain("one owner's streams, idle", idle(plan).await));
    drop(seen);

    let mut seen = open(&running, 0..streams).await?;
    let sent = many_owners(&running, &mut seen, streams, rounds * 5).await?;
    section.push(Row::plain(format!("{streams} owners with a stream each, request to its stream"), sent.shown()));
    section.push(Row::plain(format!("{streams} owners' streams, idle"), idle(plan).await));
    drop(seen);
    running.system.stop().await;
    Ok(())
}

/// Opens a stream for each owner named and waits until each has said its first word.
async fn open(running: &Running, owners: impl Iterator<Item = i64>) -> Result<mpsc::UnboundedReceiver<Seen>> {
    let (seen, mut receiver) = mpsc::unbounded_channel();
    let mut channel = None;
    let mut count = 0;
    for (index, owner) in (0..).zip(owners) {
        if index % SHARED == 0 {
            channel = Some(running.channel().await?);
        }
        let channel = channel.clone().ok_or("no connection")?;
        let mut stream = running.watch(channel, owner).await?;
        let seen = seen.clone();
        tokio::spawn(async move {
            while let Ok(Some(item)) = stream.message().await {
                if seen.send((index, item.revision.unwrap_or_default(), Instant::now())).is_err() {
                    return;
                }
            }
        });
        count += 1;
    }
    for _ in 0..count {
        next(&mut receiver).await?;
    }
    Ok(receiver)
}

async fn next(seen: &mut mpsc::UnboundedReceiver<Seen>) -> Result<Seen> {
    let next = tokio::time::timeout(PATIENCE, seen.recv()).await;
    next.ok().flatten().ok_or_else(|| format!("a stream saw nothing within {PATIENCE:?}").into())
}

async fn one_owner(
    running: &Running,
    seen: &mut mpsc::UnboundedReceiver<Seen>,
    streams: i64,
    rounds: i64,
) -> Result<(Times, Times)> {
    let rest = running.rest(0);
    let (mut sent, mut answered) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let began = Instant::now();
        let task = rest.post("/api/tasks", &json!({"title": format!("Task {round}")})).await.expect(201);
        let answer = Instant::now();
        let revision = task["revision"].as_i64().unwrap_or_default();
        let mut last = answer;
        let mut waiting = streams;
        while waiting > 0 {
            let (_, known, at) = next(seen).await?;
            if known == revision {
                waiting -= 1;
                last = at;
            }
        }
        sent.push(last - began);
        answered.push(last.saturating_duration_since(answer));
    }
    Ok((Times::new(sent), Times::new(answered)))
}

async fn many_owners(
    running: &Running,
    seen: &mut mpsc::UnboundedReceiver<Seen>,
    streams: i64,
    rounds: i64,
) -> Result<Times> {
    let mut rest = running.rest(0);
    let mut taken = Vec::new();
    for round in 0..rounds {
        let owner = round * 7 % streams;
        rest.token = Some(running.token(owner));
        let began = Instant::now();
        let task = rest.post("/api/tasks", &json!({"title": format!("Task {round}")})).await.expect(201);
        let revision = task["revision"].as_i64().unwrap_or_default();
        loop {
            let (stream, known, at) = next(seen).await?;
            if stream == owner && known == revision {
                taken.push(at - began);
                break;
            }
        }
    }
    Ok(Times::new(taken))
}

/// How much of a core this process uses when nothing happens.
async fn idle(plan: Plan) -> String {
    let span = plan.pick(Duration::from_secs(4), Duration::from_secs(1));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = machine::processor_ms("self");
    tokio::time::sleep(span).await;
    let used = machine::processor_ms("self") - before;
    format!("{} % of a core (clients included)", used * 100 / u64::try_from(span.as_millis()).unwrap_or(1))
}
