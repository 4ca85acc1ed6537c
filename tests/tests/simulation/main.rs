//! The whole embedded system in a deterministic simulation: a seed fixes what users do, what goes wrong, and what happens
//! next; time is a variable. At the end, with faults off and nothing left to do, the system is compared with what its users
//! were told, its books are audited, and its whole history is replayed to every consumer, which must change nothing.
//!
//! `SIM_SEEDS=10000` searches further, `SIM_SEED=42` repeats one.

mod moves;
mod told;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use serde_json::Value;
use todo_sidecar::{CloudEvent, local::Faults};
use todo_tests::{
    books::{Books, Lenience},
    dice::Dice,
    told::Settled,
};

use crate::{
    moves::User,
    told::{Told, text},
    world::{USERS, World},
};

/// Seeds unless said.
const SEEDS: u64 = 200;

fn number(variable: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "how far to search is for whoever runs the test to say")]
    let asked = std::env::var(variable).ok()?;
    Some(asked.parse().unwrap_or_else(|_| panic!("{variable} takes a number")))
}

#[test]
fn whatever_happens_in_whatever_order_the_system_is_what_its_users_were_told() {
    let (first, last) =
        number("SIM_SEED").map_or_else(|| (1, number("SIM_SEEDS").unwrap_or(SEEDS)), |seed| (seed, seed));
    let (next, steps) = (AtomicU64::new(first), AtomicU64::new(0));
    let failed = Mutex::new(Vec::new());
    let begun = Instant::now();
    let template = world::template();
    let template = template.path();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let stop = failed.lock().unwrap_or_else(PoisonError::into_inner).len() >= 5;
                    if seed > last || stop {
                        return;
                    }
                    // A thread of its own: a panic ends this seed alone.
                    match std::thread::scope(|scope| scope.spawn(|| run(template, seed)).join()) {
                        Ok(count) => drop(steps.fetch_add(count, Ordering::Relaxed)),
                        Err(_) => failed.lock().unwrap_or_else(PoisonError::into_inner).push(seed),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("seeds {first} to {last}: {} steps in {:?}", steps.into_inner(), begun.elapsed());
    assert!(failed.is_empty(), "these seeds failed, each said why (SIM_SEED=n repeats one): {failed:?}");
}

/// Prints what happened when the test fails.
struct Trace {
    seed: u64,
    steps: Vec<String>,
}

impl Drop for Trace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("seed {} failed after:\n  {}", self.seed, self.steps.join("\n  "));
        }
    }
}

/// One seed; answers how many steps it took.
fn run(template: &Path, seed: u64) -> u64 {
    let trace = world::runtime().block_on(story(template, seed));
    trace.steps.len() as u64
}

#[test]
fn a_seed_is_the_same_story_each_time() {
    let template = world::template();
    for seed in 1..=3 {
        let tell = || world::runtime().block_on(story(template.path(), seed)).steps.clone();
        assert_eq!(tell(), tell());
    }
}

async fn story(template: &Path, seed: u64) -> Trace {
    let mut trace = Trace { seed, steps: Vec::new() };
    let mut dice = Dice::new(seed);
    let mut world = World::begin(template, &mut dice).await;
    let mut told: Vec<Told> = USERS.iter().map(|_| Told::default()).collect();
    for serial in 0..dice.place(90) + 30 {
        let step = step(&mut world, &mut told, &mut dice, serial).await;
        trace.steps.push(format!("{} {step}", world.now().format("%F %T%.6f")));
    }
    trace.steps.push("the end: faults off".to_owned());
    world.settle(&mut dice).await;
    judge(&world, &told).await;
    replay(&mut world, &mut dice).await;
    trace
}

/// Lets one thing happen; says what.
async fn step(world: &mut World, told: &mut [Told], dice: &mut Dice, serial: usize) -> String {
    match dice.below(100) {
        0..=34 => {
            let number = dice.place(USERS.len());
            let user = User { number, world, told: &mut told[number], dice, serial };
            format!("{}: {}", USERS[number].0, user.act().await)
        }
        35..=54 => match world.deliver(dice.place(1_000)).await {
            Some(delivery) => format!("deliver {delivery}"),
            None => "nothing to deliver".to_owned(),
        },
        55..=74 => {
            let (work, done) = world.work(dice.place(5)).await;
            format!("{work}: {done}")
        }
        75..=88 => {
            let by = match dice.below(10) {
                0..=1 => TimeDelta::milliseconds(dice.between(1, 999)),
                2..=4 => TimeDelta::seconds(dice.between(1, 40)),
                5 => TimeDelta::minutes(dice.between(1, 90)),
                6 if dice.percent(40) => TimeDelta::hours(dice.between(2, 50)),
                7 if dice.percent(50) => -TimeDelta::seconds(dice.between(1, 7_200)),
                // To the next moment at which something is due, or a hair beside it.
                _ => match world.next_moment().await {
                    Some(next) => next - world.now() + TimeDelta::microseconds(dice.between(-1, 1)),
                    None => TimeDelta::seconds(1),
                },
            };
            // A moment in the far future is not worth waiting for.
            world.pass(by.min(TimeDelta::days(8)));
            format!("the clock moves by {} s", by.as_seconds_f64())
        }
        89..=91 => {
            let faults = dice.percent(80).then(|| faults(dice));
            world.set_faults(faults);
            format!("faults: {faults:?}")
        }
        92..=93 => {
            let binding = *dice.pick(&todo_scheduler::BINDINGS);
            world.tick(binding).await;
            format!("tick {binding}")
        }
        94..=95 => {
            let clean = dice.percent(50);
            world.restart(clean).await;
            format!("restart, clean: {clean}")
        }
        _ => format!("{} steps of whatever there is to do", world.drain(dice).await),
    }
}

fn faults(dice: &mut Dice) -> Faults {
    let mut some = |most: u32| {
        let percent = if dice.percent(50) { dice.below(u64::from(most)) } else { 0 };
        f64::from(u32::try_from(percent).unwrap_or_default()) / 100.0
    };
    Faults {
        duplicate: some(50),
        delay: some(50),
        fail_publish: some(50),
        fail_state: some(50),
        fail_invoke: some(50),
        lose: some(30),
        seed: dice.throw(),
        longest_delay: Duration::from_millis(dice.below(60_000) + 1),
        // The simulation chooses the order itself.
        reorder: false,
    }
}

/// The system at rest is what its users were told.
async fn judge(world: &World, told: &[Told]) {
    let now = world.now();
    let mut wrong = Books::read(world.data()).await.audit(now, Lenience { lossy: world.lossy });
    for (user, told) in told.iter().enumerate() {
        let list = |body: &Value, field: &str| -> BTreeMap<String, Value> {
            let items = body[field].as_array().into_iter().flatten();
            items.map(|item| (text(item, "id"), item.clone())).collect()
        };
        let tasks = world.ask(user, ("GET", "/api/tasks?limit=1000"), &[], None).await;
        assert_eq!(tasks.status, 200, "{}", tasks.body);
        let tasks = list(&tasks.body, "tasks");
        wrong.extend(told.judge(&tasks, Settled { now, latest: world.latest }));
        let other = tasks.values().filter(|task| text(task, "user_id") != world.user_id(user).to_string());
        wrong.extend(other.map(|task| format!("user {user} sees {task}")));
        let notifications = world.ask(user, ("GET", "/api/notifications?limit=1000"), &[], None).await;
        let notifications = list(&notifications.body, "notifications");
        let unread = told.read.iter().filter(|id| notifications.get(*id).is_none_or(|it| it["read_at"].is_null()));
        wrong.extend(unread.map(|id| format!("notification {id} was read, and is not any more")));
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every event that ever was, again, twice over and in any order: nothing changes.
async fn replay(world: &mut World, dice: &mut Dice) {
    let before = Books::read(world.data()).await;
    let of_outbox = before.outbox.iter().map(|row| (row.topic.clone(), row.event.clone()));
    let mut events: Vec<_> = of_outbox.chain(before.broker.events.iter().cloned()).collect();
    for last in (1..events.len()).rev() {
        events.swap(last, dice.place(last + 1));
    }
    let publisher = world.system().sidecar.handle("replay");
    for (topic, event) in &events {
        let bytes = serde_json::to_vec(event).expect("JSON");
        let event = CloudEvent::from_json(&bytes).expect("an event of ours");
        publisher.publish(topic, &event).await.expect("it is published");
    }
    world.drain(dice).await;
    let after = Books::read(world.data()).await;
    let (before, after) = (state(&before), state(&after));
    let gone: Vec<_> = before.difference(&after).collect();
    let new: Vec<_> = after.difference(&before).collect();
    assert!(gone.is_empty() && new.is_empty(), "a replay changed what is there: {gone:#?} became {new:#?}");
    assert_eq!(world.left().await, Vec::<String>::new());
}

/// All that must not change by a replay.
fn state(books: &Books) -> BTreeSet<String> {
    fn lines<T: std::fmt::Debug>(rows: impl IntoIterator<Item = T>) -> impl Iterator<Item = String> {
        rows.into_iter().map(|row| format!("{row:?}"))
    }
    let Books {
        owners,
        changes,
        outbox,
        tasks,
        reminders,
        firings,
        notifications,
        series,
        slots,
        dead_letters,
        broker: _,
    } = books;
    let rows = lines(owners).chain(lines(changes)).chain(lines(outbox)).chain(lines(tasks)).chain(lines(reminders));
    let rows = rows.chain(lines(firings)).chain(lines(notifications)).chain(lines(series)).chain(lines(slots));
    rows.chain(lines(dead_letters)).collect()
}
