//! Creating tasks: how much the system adds to the statements that a create costs anyway.

mod reference;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use todo_proto::v1;

use crate::{
    Plan, Result,
    create::reference::Reference,
    database::Connection,
    load::{Load, load},
    stage::{Grpc, Running, Stage},
    stats::{ms, times},
    table::{Row, Section},
};

/// Clients of the two cases.
const ONE: i64 = 1;
const MANY: i64 = 64;
/// What a create of one client may take above the statements.
const ABOVE: Duration = Duration::from_millis(1);
/// How much of the statements' throughput many clients must reach.
const SHARE: f64 = 1.0 / 3.0;

/// The task that everyone creates.
const TITLE: &str = "Write the quarterly report";
const DESCRIPTION: &str =
    "Numbers from finance first, then the summary; two pages at most, with the chart of last year.";
const TAG: &str = "work";

fn body() -> Value {
    json!({"title": TITLE, "description": DESCRIPTION, "priority": "high", "tags": [TAG], "due_date": "2030-01-07T09:00:00Z"})
}

fn message() -> v1::Task {
    v1::Task {
        title: TITLE.to_owned(),
        description: DESCRIPTION.to_owned(),
        priority: v1::Priority::High.into(),
        tags: vec![TAG.to_owned()],
        due_date: Some("2030-01-07T09:00:00Z".parse().unwrap_or_default()),
        ..v1::Task::default()
    }
}

/// Measures on every database.
pub(crate) async fn run(plan: Plan, section: &mut Section) -> Result<()> {
    section.describe(
        "A task with a tag and a due date, created again and again by clients that each are a user with a connection. \
         The reference runs the statements of one create in one transaction (owner, task, tag, change, revision, outbox \
         row, commit on disk) in a bare loop on a database of its own: sqlx on one connection for SQLite, `pgbench` with \
         as many clients for Postgres. Reference, REST and gRPC take turns.",
    );
    for stage in Stage::every(plan) {
        measure(plan, &stage, section).await?;
    }
    Ok(())
}

#[derive(Default)]
struct Case {
    bare: Load,
    rest: Load,
    grpc: Load,
    /// The longest time until the relay had published what a turn had left.
    drained: Duration,
}

async fn measure(plan: Plan, stage: &Stage, section: &mut Section) -> Result<()> {
    stage.people(MANY).await?;
    let running = stage.start().await?;
    let mut look = stage.connect().await?;

    // One create, by which the reference learns the event's size.
    let before = look.sizes().await?;
    let _ = running.rest(0).post("/api/tasks", &body()).await.expect(201);
    let grown = difference(&before, &look.sizes().await?);
    let event = look.number("SELECT CAST(max(length(event)) AS BIGINT) FROM outbox").await?;
    let reference = Reference::open(stage, MANY, event).await?;
    if reference.grows().await? != grown {
        let note = format!("**The reference on {} is out of date: one create adds {grown:?}.**", stage.name());
        section.notes.push(note);
    }

    let span = plan.pick(Duration::from_millis(1500), Duration::from_millis(300));
    for clients in [ONE, MANY] {
        let mut case = Case::default();
        for _ in 0..plan.pick(3, 1) {
            case.bare.add(reference.run(clients, span).await?);
            case.rest.add(rest(&running, clients, span).await?);
            case.drained = case.drained.max(drain(&mut look).await?);
            case.grpc.add(grpc(&running, clients, span).await?);
            case.drained = case.drained.max(drain(&mut look).await?);
        }
        report(stage.name(), clients, &case, section);
    }
    running.system.stop().await;
    Ok(())
}

fn report(database: &str, clients: i64, case: &Case, section: &mut Section) {
    let bare = case.bare.times();
    for (surface, seen) in [("REST", &case.rest), ("gRPC", &case.grpc)] {
        let taken = seen.times();
        let errors = if seen.errors == 0 { String::new() } else { format!(", **{} errors**", seen.errors) };
        let row = if clients == ONE {
            let above = taken.p50().saturating_sub(bare.p50());
            Row::plain(format!("{database}, 1 client, {surface}"), format!("{}{errors}", taken.shown()))
                .beside(bare.shown(), format!("+{} at p50", ms(above)))
                .goal("at most +1 ms, no errors", above <= ABOVE && seen.errors == 0)
        } else {
            let share = seen.rate() / case.bare.rate();
            let measured = format!("{:.0}/s, {}{errors}", seen.rate(), taken.shown());
            Row::plain(format!("{database}, {clients} clients, {surface}"), measured)
                .beside(format!("{:.0}/s", case.bare.rate()), times(share))
                .goal("at least 0.33 x, no errors", share >= SHARE && seen.errors == 0)
        };
        section.push(row);
        if let Some(error) = &seen.first_error {
            section.notes.push(format!("First error of {database}, {clients} clients, {surface}: {error}"));
        }
    }
    if clients == MANY {
        let note =
            format!("{database}: after a turn of {clients} clients the outbox was empty within {}.", ms(case.drained));
        section.notes.push(note);
    }
}

async fn rest(running: &Running, clients: i64, span: Duration) -> Result<Load> {
    let clients = (0..clients).map(|number| (running.rest(number), body())).collect();
    load(clients, span, |client| async move {
        let (rest, body) = &*client;
        let response = rest.request(reqwest::Method::POST, "/api/tasks").json(body).send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        if status == 201 { Ok(()) } else { Err(format!("{status} {}", String::from_utf8_lossy(&bytes)).into()) }
    })
    .await
}

async fn grpc(running: &Running, clients: i64, span: Duration) -> Result<Load> {
    let mut connected: Vec<(Grpc, v1::Task)> = Vec::new();
    for number in 0..clients {
        connected.push((running.grpc(number).await?, message()));
    }
    load(connected, span, |client: Arc<(Grpc, v1::Task)>| async move { client.0.create(client.1.clone()).await }).await
}

/// Waits until everything is published.
async fn drain(look: &mut Connection) -> Result<Duration> {
    let began = Instant::now();
    while look.number("SELECT count(*) FROM outbox WHERE due_at IS NOT NULL").await? > 0 {
        if began.elapsed() > Duration::from_mins(1) {
            return Err("the outbox is not empty after a minute".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(began.elapsed())
}

/// Which tables have how many more rows.
fn difference(before: &[(String, i64)], after: &[(String, i64)]) -> Vec<(String, i64)> {
    before
        .iter()
        .zip(after)
        .filter(|(before, after)| before.1 != after.1)
        .map(|(before, after)| (after.0.clone(), after.1 - before.1))
        .collect()
}
