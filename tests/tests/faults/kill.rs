//! kill -9 at random moments under load, again and again on the same data; then the ledger: what was answered, what is
//! there, and what was announced.

use std::{collections::BTreeMap, time::Duration};

use chrono::DateTime;
use serde_json::Value;
use tempfile::TempDir;
use todo_domain::Timestamp;
use todo_tests::{
    SOON,
    books::{Books, Lenience, left_to_do},
    dice::Dice,
    eventually,
    process::Process,
    told::{Settled, differences},
};

use crate::load::{Customer, Known, now, now_micros};

/// Users who write at the same time.
const CUSTOMERS: u64 = 4;
/// Kills of one seed.
const KILLS: u64 = 5;
/// Longest time in which everything that a kill interrupted is made good by a server that nobody talks to: the 10
/// seconds after which an announcement counts as lost, and the 30 between two looks for such.
const RECOVERY: Duration = Duration::from_mins(1);

/// Microseconds in which nothing may be due at rest, so that nothing happens while it is looked at.
const AHEAD: i64 = 3_000_000;

/// How many seeds, from the environment variable `SEEDS`.
fn seeds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how long to search is for whoever runs the test to say")]
    let asked = std::env::var("SEEDS");
    asked.map_or(3, |seeds| seeds.parse().expect("SEEDS takes a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_acknowledged_is_lost_and_nothing_happens_twice_however_often_the_process_is_killed() {
    // A few at once: they mostly wait, for their servers and for what is due.
    let mut waiting = 1..=seeds();
    let mut running = tokio::task::JoinSet::new();
    loop {
        while running.len() < 3
            && let Some(seed) = waiting.next()
        {
            running.spawn(story(seed));
        }
        let Some(ended) = running.join_next().await else { break };
        if let Err(failed) = ended {
            std::panic::resume_unwind(failed.into_panic());
        }
    }
}

async fn story(seed: u64) {
    let mut dice = Dice::new(seed);
    let scratch = TempDir::new().expect("a scratch directory");
    let data = scratch.path().join("data");
    let mut process = Process::start(&data).await;
    let mut customers = Vec::new();
    for number in 0..CUSTOMERS {
        let (mut rest, name) = (process.rest(), format!("s{seed}c{number}"));
        rest.sign_up(&name).await;
        customers.push(Customer::new(rest, &name, dice.split()));
    }
    for _ in 0..KILLS {
        let moment = Duration::from_millis(dice.below(900) + 50);
        let mut working = tokio::task::JoinSet::new();
        for mut customer in customers.drain(..) {
            working.spawn(async move {
                customer.work().await;
                customer
            });
        }
        let early = tokio::time::timeout(moment, working.join_next()).await.ok().flatten();
        assert!(early.is_none(), "seed {seed}: a customer stopped before the kill: {:?}", early.map(Result::err));
        process.kill();
        while let Some(customer) = working.join_next().await {
            customers.push(customer.unwrap_or_else(|error| panic!("seed {seed}: {error}")));
        }
        process = Process::start(&data).await;
        for customer in &mut customers {
            customer.rest.move_server(process.base());
        }
    }
    for customer in &mut customers {
        assert!(customer.clear_up().await.is_ok(), "seed {seed}: nobody kills it any more");
    }
    let (at, shown, books) = settle(process, &customers, &data).await;
    let wrong = ledger(&customers, at, &shown, &books);
    assert!(wrong.is_empty(), "seed {seed}: {} faults:\n{}", wrong.len(), wrong.join("\n"));
    println!(
        "seed {seed}: {KILLS} kills, {} answered writes, {} events, {} firings, {} slots",
        customers.iter().map(|customer| customer.acknowledged.len()).sum::<usize>(),
        books.outbox.len(),
        books.firings.len(),
        books.slots.len(),
    );
}

/// The tasks and notifications of each user, as the API shows them at rest.
type Shown = Vec<(BTreeMap<String, Value>, Vec<Value>)>;

/// Waits until nothing is left to do, stops the server as a supervisor does, and reads what it left. A minute that begins
/// meanwhile has its own slots: then once more.
async fn settle(mut process: Process, customers: &[Customer], data: &std::path::Path) -> (Timestamp, Shown, Books) {
    loop {
        eventually("everything that was interrupted is made good", RECOVERY, || async {
            (left_to_do(data, now_micros() + AHEAD).await == 0).then_some(())
        })
        .await;
        let at = now();
        let mut shown = Vec::new();
        for customer in customers {
            let mut rest = customer.rest.clone();
            rest.move_server(process.base());
            let tasks = rest.tasks("").await.into_iter();
            let tasks = tasks.map(|task| (task["id"].as_str().unwrap_or_default().to_owned(), task));
            shown.push((tasks.collect::<BTreeMap<_, _>>(), rest.notifications().await));
        }
        process.stop().await;
        let books = Books::read(data).await;
        let at_rest = left_to_do(data, now_micros()).await == 0 && books.broker.waiting == 0;
        let as_shown = customers.iter().zip(&shown).all(|(customer, (tasks, _))| {
            let owner: uuid::Uuid = customer.rest.user_id.parse().unwrap_or_default();
            books.tasks.values().filter(|task| task.user_id == owner).count() == tasks.len()
        });
        if at_rest && as_shown && books.broker.behind.is_empty() {
            return (at, shown, books);
        }
        process = Process::start(data).await;
    }
}

/// What does not agree.
fn ledger(customers: &[Customer], at: Timestamp, shown: &Shown, books: &Books) -> Vec<String> {
    let mut wrong = books.audit(now(), Lenience::default());
    // Each event once, by the change that it announces.
    let events: BTreeMap<(&str, &str, i64), &Value> = books
        .outbox
        .iter()
        .map(|row| {
            let text = |value: &'static str| row.event["data"][value].as_str().unwrap_or_default();
            ((row.event["type"].as_str().unwrap_or_default(), text("task_id"), row.revision()), &row.event["data"])
        })
        .collect();
    for (customer, (tasks, notifications)) in customers.iter().zip(shown) {
        for write in &customer.acknowledged {
            let id = write.task_id.as_str();
            if write.task.is_null() {
                if !events.keys().any(|(type_, task, _)| (*type_, *task) == (write.event, id)) {
                    wrong.push(format!("the deletion of {id} was answered and never announced"));
                }
                continue;
            }
            let revision = write.task["revision"].as_i64().unwrap_or_default();
            match events.get(&(write.event, id, revision)) {
                None => wrong.push(format!("{} of {id} at {revision} was answered and never announced", write.event)),
                Some(data) if data["task"] != write.task => {
                    wrong.push(format!("{id} at {revision}: answered {}, announced {}", write.task, data["task"]));
                }
                Some(_) => {}
            }
        }
        for (id, known) in &customer.tasks {
            match (known, tasks.get(id)) {
                (Known::There(answered), Some(task)) => {
                    let found = differences(answered, task, Some(Settled { now: at, latest: at }), &[]);
                    wrong.extend(found.into_iter().map(|difference| format!("task {id}: {difference}")));
                }
                (Known::There(task), None) => wrong.push(format!("lost: {task}")),
                (Known::Gone, Some(task)) => wrong.push(format!("came back: {task}")),
                (Known::Gone, None) => {}
            }
        }
        for title in &customer.maybe {
            let of_it = |task: &&Value| task["title"] == title.as_str() && task["source_task_id"].is_null();
            let count = tasks.values().filter(of_it).count();
            if count > 1 {
                wrong.push(format!("{title} is there {count} times"));
            }
        }
        let known = |task: &&Value| {
            let id = task["id"].as_str().unwrap_or_default();
            let maybe = customer.maybe.iter().any(|title| task["title"] == title.as_str());
            !customer.tasks.contains_key(id) && !maybe && task["source_task_id"].is_null()
        };
        wrong.extend(tasks.values().filter(known).map(|task| format!("nobody asked for {task}")));
        wrong.extend(notified(tasks, notifications));
    }
    wrong.extend(slots(books));
    wrong
}

/// Each reminder that says it fired has one notification; one that says otherwise has none.
fn notified(tasks: &BTreeMap<String, Value>, notifications: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let reminders = tasks.values().filter_map(|task| task["reminders"].as_array()).flatten();
    for reminder in reminders {
        let of = notifications.iter().filter(|notification| notification["reminder_id"] == reminder["id"]).count();
        if of != usize::from(reminder["fired"] == true) || reminder["fired"] == reminder["cancelled"] && of > 0 {
            wrong.push(format!("{of} notifications of {reminder}"));
        }
    }
    wrong
}

/// Each living series has exactly the slots that its rule has since it was last written: those that came, and perhaps
/// the next, which may appear ahead. (Whether it should have, the audit says.)
fn slots(books: &Books) -> Vec<String> {
    let mut wrong = Vec::new();
    let now = now();
    for (id, series) in books.series.iter().filter(|(_, series)| !series.ended) {
        let rule = &series.recurrence;
        let floor = rule.anchor_at.max(rule.armed_at);
        let made = books.slots.iter().filter(|slot| slot.series_id == *id && slot.slot > floor.timestamp_micros());
        let mut made: Vec<_> = made.map(|slot| slot.slot).collect();
        made.sort_unstable();
        let mut expected = rule.slots_between(floor, now, 1_000);
        if made.len() > expected.len() {
            expected.extend(rule.next_after(floor.max(now)));
        }
        let expected: Vec<_> = expected.iter().map(DateTime::timestamp_micros).collect();
        if made != expected {
            wrong.push(format!("series {id}: slots {made:?} instead of {expected:?}"));
        }
    }
    wrong
}

#[tokio::test]
async fn a_killed_process_leaves_its_directory_to_the_next() {
    let scratch = TempDir::new().expect("a scratch directory");
    let data = scratch.path().join("data");
    let process = Process::start(&data).await;
    let mut rest = process.rest();
    rest.sign_up("ann").await;
    rest.create(serde_json::json!({ "title": "Kept" })).await;
    process.kill();
    let process = Process::start(&data).await;
    rest.move_server(process.base());
    let titles: Vec<_> = rest.tasks("").await.into_iter().map(|task| task["title"].clone()).collect();
    assert_eq!(titles, ["Kept"]);
    let mut again = process;
    again.terminate();
    assert_eq!(again.ended(SOON).await.code(), Some(0));
}
