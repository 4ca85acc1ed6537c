//! Reminders that ring among a million that do not: how late, and what it costs to know which are due.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use todo_domain::Clock;
use todo_runtime::system::SystemClock;
use todo_sidecar::{CloudEvent, Sidecar};

use crate::{
    Plan, Result,
    database::Connection,
    probe::Probe,
    seed,
    stage::{Running, Stage},
    stats::{Times, ms, ratio, times},
    table::{Row, Section},
};

/// How long the notifications of one instant may take, of a thousand and of ten thousand.
const THOUSAND: Duration = Duration::from_secs(2);
const TEN_THOUSAND: Duration = Duration::from_secs(15);
/// How late a reminder may be when they are spread over a second.
const LATE_P50: Duration = Duration::from_millis(50);
const LATE_P99: Duration = Duration::from_secs(1);
/// How much slower than bare publishing they may be announced.
const BARE: f64 = 3.0;
/// How much more asking what is due may cost when a thousand times as many wait, noise included.
const GROWTH: f64 = 2.0;
/// From the start of the system to the moment the reminders ring.
const LEAD: i64 = 4_000_000;
/// How long one is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// Events of one bare call, as many as the scheduler publishes at once.
const BATCH: usize = 500;

/// Measures one database.
pub(crate) async fn run(plan: Plan, stage: &Stage, section: &mut Section) -> Result<()> {
    let sizes = plan.pick([1_000, 100_000, 1_000_000], [100, 1_000, 5_000]);
    let bursts = plan.pick([1_000, 10_000], [50, 100]);
    let people = plan.pick(1_000, 20);
    let all = sizes[2];
    section.describe(format!(
        "{all} reminders of {people} people are pending, put there by SQL, five a task. The system is started on \
             them 4 s before some more ring. Late is the time from a reminder's moment to the commit of its \
             notification: on Postgres by the time that it gives the commit just before it forces it to disk, on SQLite \
             when another connection sees it, which looks every 2 ms. The reference publishes as many events of the \
             same size through the same sidecar in batches of {BATCH}; both are counted until an app has the last."
    ));
    stage.people(people).await?;
    let mut connection = stage.connect().await?;
    if stage.postgres.is_some() {
        connection.execute("ALTER TABLE notifications ADD COLUMN place BIGSERIAL UNIQUE").await?;
    }
    let asked = listing(plan, stage, &mut connection, sizes, people, section).await?;
    let growth = ratio(asked[2].p50().as_secs_f64(), asked[0].p50().as_secs_f64());
    section.push(
        Row::plain(format!("the same, {all} beside {} pending", sizes[0]), ms(asked[2].p50()))
            .beside(ms(asked[0].p50()), times(growth))
            .goal("follows what is due (up to 2 x)", growth <= GROWTH),
    );

    rings(section, bursts, async |round, count, over| ring(stage, &mut connection, round, count, people, over).await)
        .await
}

/// Measures reminders that ring: some spread over a second, and two bursts at one instant, each a round of `ring` with its
/// number, how many, and over how many microseconds.
pub(crate) async fn rings(
    section: &mut Section,
    bursts: [i64; 2],
    mut ring: impl AsyncFnMut(i64, i64, i64) -> Result<Rung>,
) -> Result<()> {
    match ring(1, bursts[0], 1_000_000).await {
        Ok(spread) => section.push(
            Row::plain(format!("{} spread over a second, late", bursts[0]), spread.late.shown())
                .goal("p50 under 50 ms, p99 under 1 s", spread.late.p50() < LATE_P50 && spread.late.p99() < LATE_P99),
        ),
        Err(error) => section.push(
            Row::plain(format!("{} spread over a second, late", bursts[0]), error.to_string())
                .goal("p50 under 50 ms, p99 under 1 s", false),
        ),
    }
    for (round, (count, within)) in (2..).zip(bursts.into_iter().zip([THOUSAND, TEN_THOUSAND])) {
        let seen = match ring(round, count, 0).await {
            Ok(seen) => seen,
            Err(error) => {
                let what = format!("{count} at one instant, until the last notification");
                section.push(Row::plain(what, error.to_string()).goal(format!("within {} s", within.as_secs()), false));
                continue;
            }
        };
        section.push(
            Row::plain(format!("{count} at one instant, until the last notification"), ms(seen.late.max()))
                .goal(format!("within {} s", within.as_secs()), seen.late.max() <= within),
        );
        section.push(Row::plain(format!("{count} at one instant, late"), seen.late.shown()));
        let share = ratio(seen.announced.as_secs_f64(), seen.bare.as_secs_f64());
        section.push(
            Row::plain(format!("{count} at one instant, until the last event"), ms(seen.announced))
                .beside(ms(seen.bare), times(share))
                .goal("at most 3 x", share <= BARE),
        );
    }
    Ok(())
}

/// Asks what is due in the next minutes, which is a thousand things, while more and more are pending.
async fn listing(
    plan: Plan,
    stage: &Stage,
    connection: &mut Connection,
    sizes: [i64; 3],
    people: i64,
    section: &mut Section,
) -> Result<Vec<Times>> {
    let mut asked = Vec::new();
    let mut from = 0;
    let soon = plan.pick(1_000, 50);
    for size in sizes {
        let filling = Instant::now();
        let now = SystemClock.now();
        let at = now.timestamp_micros() + 60_000_000;
        seed::pending(connection, from, size, people, now.timestamp_micros()).await?;
        from = size;
        seed::due(connection, 0, (soon, size / 5), people, (at, 60_000_000)).await?;
        connection.tidy().await?;
        eprintln!("  filled in {}", ms(filling.elapsed()));
        let store = stage.database().open().await?;
        let mut taken = Vec::new();
        for _ in 0..plan.pick(100, 5) {
            let began = Instant::now();
            let mut tx = store.read().await?;
            tx.due(now + chrono::TimeDelta::minutes(3), None, 1_001).await?;
            tx.unseen(now, 1_000).await?;
            drop(tx);
            taken.push(began.elapsed());
        }
        store.close().await;
        seed::not_due(connection, 0).await?;
        let taken = Times::new(taken);
        section.push(Row::plain(
            format!("asking the database what is due ({soon} things), {size} pending"),
            taken.shown(),
        ));
        asked.push(taken);
    }
    Ok(asked)
}

/// What became of reminders that rang.
pub(crate) struct Rung {
    /// From each reminder's moment to its notification.
    pub(crate) late: Times,
    /// From the first moment to the last event in an app.
    pub(crate) announced: Duration,
    /// The same number of events, bare.
    pub(crate) bare: Duration,
}

/// Starts the system on reminders that ring soon.
async fn ring(
    stage: &Stage,
    connection: &mut Connection,
    round: i64,
    count: i64,
    people: i64,
    over: i64,
) -> Result<Rung> {
    let at = SystemClock.now().timestamp_micros() + LEAD;
    seed::due(connection, round, (count, count), people, (at, over)).await?;
    let running = stage.start().await?;
    let rung = rung(&running, connection, count, at).await;
    running.system.stop().await;
    rung
}

async fn rung(running: &Running, connection: &mut Connection, count: i64, at: i64) -> Result<Rung> {
    let mut probe = Probe::join(running.system.local(), "bench-notifications", "notifications");
    let (late, announced, event) = watched(&mut probe, connection, count, at).await?;
    let mut probe = Probe::join(running.system.local(), "bench-bare", "bench-bare");
    let sidecar = running.system.local().handle("bench");
    let bare = bare(sidecar.as_ref(), "bench-bare", &mut probe, &event, usize::try_from(count)?).await?;
    Ok(Rung { late, announced, bare })
}

/// Watches reminders of the moment `at` ring: how late each notification was, how long after it the last event came, and
/// that event.
pub(crate) async fn watched(
    probe: &mut Probe,
    connection: &mut Connection,
    count: i64,
    at: i64,
) -> Result<(Times, Duration, CloudEvent)> {
    let until_rings = at - SystemClock.now().timestamp_micros();
    let rings = Instant::now() + Duration::from_micros(u64::try_from(until_rings).unwrap_or_default());
    let count = usize::try_from(count)?;
    let (late, last) = tokio::try_join!(committed(connection, count, at), async {
        // What had no effect soon is announced again.
        let mut known = HashSet::new();
        loop {
            let arrival = probe.next(PATIENCE).await?;
            // A new app gets what is retained of earlier rounds first.
            if arrival.event.time.timestamp_micros() >= at
                && known.insert(arrival.event.id.clone())
                && known.len() == count
            {
                return Ok(arrival);
            }
        }
    })?;
    Ok((late, last.at.saturating_duration_since(rings), last.event))
}

/// Waits until all notifications are there; how late each was.
pub(crate) async fn committed(connection: &mut Connection, count: usize, at: i64) -> Result<Times> {
    let began = Instant::now();
    let patient = |known: usize| {
        let over = began.elapsed() > PATIENCE;
        if over { Err(format!("only {known} of {count} within {PATIENCE:?}")) } else { Ok(()) }
    };
    let rung = format!("FROM notifications n JOIN firings f ON f.event_id = n.id WHERE f.trigger_at >= {at} AND");
    let mut late = Vec::new();
    if let Connection::Sqlite(_) = connection {
        // Only one writes at a time: whatever is new comes after what was seen.
        let mut last = connection.number("SELECT coalesce(max(rowid), 0) FROM notifications").await?;
        while late.len() < count {
            patient(late.len())?;
            let rows = connection.pairs(&format!("SELECT n.rowid, f.trigger_at {rung} n.rowid > {last}")).await?;
            let now = SystemClock.now().timestamp_micros();
            for (place, rang) in rows {
                late.push(now - rang);
                last = last.max(place);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    } else {
        // It dates commits itself: looking more often would only take time from what is measured.
        let first = connection.number("SELECT coalesce(max(place), 0) FROM notifications").await?;
        let counted = format!("SELECT count(*) FROM notifications WHERE place > {first}");
        let dated = "(extract(epoch FROM pg_xact_commit_timestamp(n.xmin)) * 1000000)::bigint - f.trigger_at";
        while late.len() < count {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let known = usize::try_from(connection.number(&counted).await?)?;
            patient(known)?;
            if known >= count {
                late = connection.numbers(&format!("SELECT {dated} {rung} n.place > {first}")).await?;
            }
        }
    }
    Ok(late.into_iter().map(|late| Duration::from_micros(u64::try_from(late).unwrap_or_default())).collect())
}

/// Publishes as many events; until an app has the last.
pub(crate) async fn bare(
    sidecar: &dyn Sidecar,
    topic: &str,
    probe: &mut Probe,
    event: &CloudEvent,
    count: usize,
) -> Result<Duration> {
    let name = |number| format!("{}-{number}", event.id);
    let events: Vec<_> = (0..count).map(|number| CloudEvent { id: name(number), ..event.clone() }).collect();
    // What earlier rounds published is retained, too.
    let mut waiting: HashSet<_> = events.iter().map(|event| event.id.clone()).collect();
    let began = Instant::now();
    for batch in events.chunks(BATCH) {
        for result in sidecar.publish_many(topic, batch).await {
            result?;
        }
    }
    let mut last = began;
    while !waiting.is_empty() {
        let arrival = probe.next(PATIENCE).await?;
        if waiting.remove(&arrival.event.id) {
            last = arrival.at;
        }
    }
    Ok(last - began)
}
