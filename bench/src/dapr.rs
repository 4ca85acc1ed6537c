//! The roles as processes, each beside a real daprd, over a real Redis and Postgres.

mod system;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use todo_domain::Clock;
use todo_runtime::system::SystemClock;
use todo_sidecar::CloudEvent;
use todo_tests::rest::Rest;

use self::system::System;
use crate::{
    Plan, Result, bounded,
    database::Connection,
    event::{self, Seen},
    lateness::{self, Rung},
    probe::Probe,
    seed,
    stage::Stage,
    stats::{Times, ms, ratio, times},
    table::{Row, Section},
};

/// How much longer an event may take from the commit than a bare one.
const BARE: f64 = 2.0;
/// How long a request may take while something is away.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How long the system may take to come back.
const RECOVERY: Duration = Duration::from_secs(30);

/// Measures all of it on one running system.
pub(crate) async fn run(plan: Plan, executable: &Path) -> Vec<Section> {
    let title = "Beside daprd";
    let skipped = |what| vec![Section::new(title, format!("**Skipped: {what} is not installed.**"))];
    if !todo_test_dapr::installed() {
        return skipped("Redis or daprd");
    }
    let Some(stage) = Stage::dated() else { return skipped("Postgres") };
    eprintln!("measuring: {title}: filling and starting ...");
    let end = Instant::now() + plan.pick(Duration::from_secs(235), Duration::from_secs(58));
    let left = || end.saturating_duration_since(Instant::now());
    let (mut system, mut connection) = match tokio::time::timeout(left(), start(plan, stage, executable)).await {
        Ok(Ok(started)) => started,
        Ok(Err(error)) => return vec![Section::failed(title, &error)],
        Err(_) => return vec![Section::failed(title, &"it did not start in time".into())],
    };
    let shown = |(name, memory): (&str, String)| (name.to_owned(), memory);
    let idle: Vec<_> = system.memory().into_iter().map(shown).collect();
    let mut sections = Vec::new();
    sections.push(
        bounded("Beside daprd: commit to event", left().as_secs().min(45), async |section| {
            events(plan, &mut system, &mut connection, section).await
        })
        .await,
    );
    sections.push(
        bounded("Beside daprd: lateness of reminders", left().as_secs().min(120), async |section| {
            late(plan, &mut system, &mut connection, section).await
        })
        .await,
    );
    let mut used = Section::new(
        "Beside daprd: memory",
        "Memory of each process by /proc (PSS: shared pages are divided among those that share them), two seconds after \
         all were ready, and after the parts above. The scheduler was started anew before each round of reminders.",
    );
    for ((name, idle), (_, after)) in idle.into_iter().zip(system.memory()) {
        used.push(Row::plain(format!("{name}, idle; after the above"), format!("{idle}; {after}")));
    }
    sections.push(used);
    sections.push(
        bounded("Beside daprd: recovery", left().as_secs(), async |section| {
            recovery(plan, &mut system, &mut connection, section).await
        })
        .await,
    );
    sections
}

/// Fills a database and starts the system on it.
async fn start(plan: Plan, stage: Stage, executable: &Path) -> Result<(System, Connection)> {
    let (people, pending) = size(plan);
    stage.people(people).await?;
    let mut connection = stage.connect().await?;
    connection.execute("ALTER TABLE notifications ADD COLUMN place BIGSERIAL UNIQUE").await?;
    let filling = Instant::now();
    seed::pending(&mut connection, 0, pending, people, SystemClock.now().timestamp_micros()).await?;
    connection.tidy().await?;
    eprintln!("  filled in {}", ms(filling.elapsed()));
    let starting = Instant::now();
    let system = System::start(stage, executable).await?;
    eprintln!("  started in {}", ms(starting.elapsed()));
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok((system, connection))
}

/// People, and their reminders that are pending.
fn size(plan: Plan) -> (i64, i64) {
    (plan.pick(1_000, 20), plan.pick(1_000_000, 5_000))
}

/// The same event, of as many bytes, as one that no app of the system handles.
fn foreign(event: &CloudEvent) -> CloudEvent {
    CloudEvent { type_: event.type_.replace("todo", "bare"), ..event.clone() }
}

async fn events(plan: Plan, system: &mut System, connection: &mut Connection, section: &mut Section) -> Result<()> {
    section.describe(
        "A task is created over REST while an app of the benchmark, beside a daprd of its own, listens on topic `tasks`; \
         one after the other. Counted from the moment the request is *sent* to the gateway (from there it goes through two \
         daprds); from the commit, by the time that Postgres gives it just before it forces it to disk; and from the \
         answer. The reference publishes an event of the same bytes, of a type that only the benchmark handles, to the \
         same topic through the backend's daprd. The two take turns.",
    );
    let rest = system.rest();
    let bare_sidecar = system.backend.sidecar()?;
    let probe = &mut system.tasks;
    let warm = event::one_by_one(&rest, probe, 10, &mut Seen::default()).await?;
    event::bare(&bare_sidecar, "tasks", probe, &foreign(&warm), 10).await?;
    let (mut seen, mut bare) = (Seen::default(), Vec::new());
    let count = plan.pick(100, 10);
    for _ in 0..plan.pick(5, 2) {
        let last = event::one_by_one(&rest, probe, count, &mut seen).await?;
        bare.extend(event::bare(&bare_sidecar, "tasks", probe, &foreign(&last), count).await?);
    }
    let bare = Times::new(bare);
    let row = |what, taken: Vec<Duration>| {
        let taken = Times::new(taken);
        let share = ratio(taken.p99().as_secs_f64(), bare.p99().as_secs_f64());
        (Row::plain(what, taken.shown()).beside(bare.shown(), format!("{} at p99", times(share))), share)
    };
    section.push(row("from the request", seen.sent).0);
    let (committed, share) = row("from the commit", since_commit(connection, &seen.arrived).await?);
    section.push(committed.goal("p99 under 2 x", share < BARE));
    section.push(row("from the answer", seen.answered).0);
    Ok(())
}

/// How long after its commit each task's event arrived.
async fn since_commit(connection: &mut Connection, arrived: &[(String, i64)]) -> Result<Vec<Duration>> {
    let mut taken = Vec::new();
    for (id, arrived) in arrived {
        let sql = format!(
            "SELECT (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint FROM changes
             WHERE entity_id = '{id}'"
        );
        let committed = connection.number(&sql).await?;
        taken.push(Duration::from_micros(u64::try_from(arrived - committed)?));
    }
    Ok(taken)
}

async fn late(plan: Plan, system: &mut System, connection: &mut Connection, section: &mut Section) -> Result<()> {
    let (people, pending) = size(plan);
    // The scheduler starts meanwhile, and lists them through two daprds.
    let lead: i64 = plan.pick(6, 3);
    section.describe(format!(
        "{pending} reminders of {people} people are pending, put there by SQL. The scheduler is killed, some more reminders \
         are added, and it is started {lead} s before they ring, less what the adding takes. Late is the time from a \
         reminder's moment to the commit of its notification, by the time that Postgres gives it just before it forces it \
         to disk. The reference publishes as many events of the same size, of a type that only the benchmark handles, to \
         the same topic through the scheduler's daprd; both are counted until the benchmark's app has the last."
    ));
    let bursts = plan.pick([1_000, 10_000], [50, 100]);
    lateness::rings(section, bursts, async |round, count, over| {
        system.scheduler.role.kill()?;
        let at = SystemClock.now().timestamp_micros() + lead * 1_000_000;
        seed::due(connection, round, (count, count), people, (at, over)).await?;
        system.scheduler.role.restart()?;
        let probe = &mut system.notifications;
        let (late, announced, event) = lateness::watched(probe, connection, count, at).await?;
        let sidecar = system.scheduler.sidecar()?;
        let bare = lateness::bare(&sidecar, "notifications", probe, &foreign(&event), usize::try_from(count)?).await?;
        Ok(Rung { late, announced, bare })
    })
    .await
}

/// What is killed.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Backend,
    BackendDaprd,
    Redis,
}

async fn recovery(plan: Plan, system: &mut System, connection: &mut Connection, section: &mut Section) -> Result<()> {
    let rounds = plan.pick(3, 1);
    section.describe(format!(
        "One process is killed with SIGKILL and started again at once, while all others run; {rounds} times each. Counted \
         from the kill: a task is created over REST again and again until that succeeds, then its event is waited for in \
         the benchmark's app. For the scheduler: until the commit of the notification of a reminder that was due at the \
         moment of the kill."
    ));
    for (victim, name) in
        [(Victim::Backend, "the backend"), (Victim::BackendDaprd, "the backend's daprd"), (Victim::Redis, "Redis")]
    {
        let (mut events, mut answers) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            match next_event(system, victim).await {
                Ok((event, answer)) => {
                    events.push(ms(event));
                    answers.push(ms(answer));
                }
                Err(error) => events.push(error.to_string()),
            }
        }
        section.push(Row::plain(format!("{name}, until the next task's event"), events.join("; ")));
        section.push(Row::plain(format!("{name}, of it until the request succeeded"), answers.join("; ")));
    }
    let mut taken = Vec::new();
    for round in 0..rounds {
        // The rounds before these were of the lateness.
        let taken_now = next_notification(plan, system, connection, round + 4).await;
        taken.push(taken_now.map_or_else(|error| error.to_string(), ms));
    }
    section.push(Row::plain("the scheduler, until the notification of a reminder due meanwhile", taken.join("; ")));
    Ok(())
}

/// Until the event of the next task that can be created, and until its request succeeded.
async fn next_event(system: &mut System, victim: Victim) -> Result<(Duration, Duration)> {
    system.ready().await?;
    let rest = system.rest();
    let killed = Instant::now();
    let mut redis = None;
    match victim {
        Victim::Backend => system.backend.role.restart()?,
        Victim::BackendDaprd => system.backend.daprd.restart()?,
        Victim::Redis => {
            let mut server = system.redis.take().ok_or("Redis was not started again")?;
            server.kill();
            // This waits until Redis answers, but tasks can be created before.
            redis = Some(tokio::task::spawn_blocking(move || {
                server.restart(true);
                server
            }));
        }
    }
    let seen = created(&rest, &mut system.tasks, killed).await;
    if let Some(redis) = redis {
        system.redis = Some(redis.await?);
    }
    seen
}

async fn created(rest: &Rest, probe: &mut Probe, killed: Instant) -> Result<(Duration, Duration)> {
    let mut number = 0;
    let id = loop {
        number += 1;
        if let Ok(Ok(id)) = tokio::time::timeout(ATTEMPT, event::create(rest, number)).await {
            break id;
        }
        if killed.elapsed() > RECOVERY {
            return Err(format!("no task could be created within {RECOVERY:?}").into());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let answer = killed.elapsed();
    let arrival = event::of_task(probe, &id).await?;
    Ok((arrival.at - killed, answer))
}

/// Until the notification of a reminder that was due when the scheduler was killed.
async fn next_notification(
    plan: Plan,
    system: &mut System,
    connection: &mut Connection,
    round: i64,
) -> Result<Duration> {
    system.ready().await?;
    let people = size(plan).0;
    system.scheduler.role.kill()?;
    let at = SystemClock.now().timestamp_micros();
    // Only now, so that the one that was killed did not know of it.
    seed::due(connection, round, (1, 1), people, (at, 0)).await?;
    system.scheduler.role.restart()?;
    Ok(lateness::committed(connection, 1, at).await?.max())
}
