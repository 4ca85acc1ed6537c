//! Reminders that ring among a million that do not: how late, and what it costs to know which are due.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use todo_domain::Clock;
use todo_runtime::system::SystemClock;
use todo_sidecar::CloudEvent;

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
             them 4 s before some more ring. Late is the time from a reminder's moment to when its notification was \
             seen committed by another connection, which looks every 2 ms. The reference publishes as many events of the \
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

    let spread = ring(stage, &mut connection, 1, bursts[0], people, 1_000_000).await?;
    section.push(
        Row::plain(format!("{} spread over a second, late", bursts[0]), spread.late.shown())
            .goal("p50 under 50 ms, p99 under 1 s", spread.late.p50() < LATE_P50 && spread.late.p99() < LATE_P99),
    );
    for (round, (count, within)) in (2..).zip(bursts.into_iter().zip([THOUSAND, TEN_THOUSAND])) {
        let rung = match ring(stage, &mut connection, round, count, people, 0).await {
            Ok(rung) => rung,
            Err(error) => {
                let what = format!("{count} at one instant, until the last notification");
                section.push(Row::plain(what, error.to_string()).goal(format!("within {} s", within.as_secs()), false));
                continue;
            }
        };
        section.push(
            Row::plain(format!("{count} at one instant, until the last notification"), ms(rung.late.max()))
                .goal(format!("within {} s", within.as_secs()), rung.late.max() <= within),
        );
        section.push(Row::plain(format!("{count} at one instant, late"), rung.late.shown()));
        let share = ratio(rung.announced.as_secs_f64(), rung.bare.as_secs_f64());
        section.push(
            Row::plain(format!("{count} at one instant, until the last event"), ms(rung.announced))
                .beside(ms(rung.bare), times(share))
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
struct Rung {
    /// From each reminder's moment to its notification.
    late: Times,
    /// From the first moment to the last event in an app.
    announced: Duration,
    /// The same number of events, bare.
    bare: Duration,
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
    let rung = watched(&running, connection, count, at).await;
    running.system.stop().await;
    rung
}

/// Watches them ring.
async fn watched(running: &Running, connection: &mut Connection, count: i64, at: i64) -> Result<Rung> {
    let mut probe = Probe::join(&running.system.sidecar, "bench-notifications", "notifications");
    let began = Instant::now();
    let until_rings = at - SystemClock.now().timestamp_micros();
    let rings = began + Duration::from_micros(u64::try_from(until_rings).unwrap_or_default());

    let (late, last) = tokio::try_join!(committed(connection, count, at), async {
        let mut last = None;
        let mut waiting = count;
        while waiting > 0 {
            let arrival = probe.next(PATIENCE).await?;
            // A new app gets what is retained of earlier rounds first.
            if arrival.at >= rings && arrival.event.time.timestamp_micros() >= at {
                waiting -= 1;
                last = Some(arrival);
            }
        }
        last.ok_or_else(|| "nothing rang".into())
    })?;
    let announced = last.at.saturating_duration_since(rings);
    let bare = bare(running, &last.event, usize::try_from(count)?).await?;
    Ok(Rung { late, announced, bare })
}

/// Looks for notifications until all are there; how late each was.
async fn committed(connection: &mut Connection, count: i64, at: i64) -> Result<Times> {
    let place = match connection {
        Connection::Sqlite(_) => "rowid",
        Connection::Postgres(_) => "place",
    };
    let began = Instant::now();
    let mut known = HashSet::new();
    let mut late = Vec::new();
    // Postgres' places may become visible out of order, by as many as there are writers.
    let mut from = connection.number(&format!("SELECT coalesce(max({place}), 0) FROM notifications")).await?;
    let mut last = from;
    while known.len() < usize::try_from(count)? {
        if began.elapsed() > PATIENCE {
            return Err(format!("only {} of {count} within {PATIENCE:?}", known.len()).into());
        }
        let sql = format!(
            "SELECT n.{place}, f.trigger_at FROM notifications n JOIN firings f ON f.event_id = n.id
             WHERE n.{place} > {from} AND f.trigger_at >= {at}"
        );
        let rows = connection.pairs(&sql).await?;
        let now = SystemClock.now().timestamp_micros();
        for (place, rang) in rows {
            if known.insert(place) {
                late.push(Duration::from_micros(u64::try_from(now - rang).unwrap_or_default()));
                last = last.max(place);
            }
        }
        from = from.max(last - 1_000);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(Times::new(late))
}

/// Publishes as many events; until an app has the last.
async fn bare(running: &Running, event: &CloudEvent, count: usize) -> Result<Duration> {
    let mut probe = Probe::join(&running.system.sidecar, "bench-bare", "bench-bare");
    let sidecar = running.system.sidecar.handle("bench");
    let name = |number| format!("{}-{number}", event.id);
    let events: Vec<_> = (0..count).map(|number| CloudEvent { id: name(number), ..event.clone() }).collect();
    let began = Instant::now();
    for batch in events.chunks(BATCH) {
        for result in sidecar.publish_many("bench-bare", batch).await {
            result?;
        }
    }
    let mut waiting = count;
    let mut last = began;
    while waiting > 0 {
        let arrival = probe.next(PATIENCE).await?;
        // What earlier rounds published is retained, too.
        if arrival.event.id.starts_with(&event.id) {
            waiting -= 1;
            last = arrival.at;
        }
    }
    Ok(last - began)
}
