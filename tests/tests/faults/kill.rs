//! kill -9 at random moments under load, again and again on the same data; then the ledger: what was answered, what is
//! there, and what was announced.

use std::time::Duration;

use tempfile::TempDir;
use todo_domain::Timestamp;
use todo_tests::{
    SOON,
    books::{Books, Lenience, left_to_do},
    dice::Dice,
    eventually,
    process::Process,
};

use crate::{
    ledger::{Shown, is_as_shown, ledger, show},
    load::{Customer, now, now_micros},
};

/// Users who write at the same time.
const CUSTOMERS: u64 = 4;
/// Kills of one seed.
const KILLS: u64 = 5;
/// Longest time in which everything that a kill interrupted is made good by a server that nobody talks to: the 10
/// seconds after which an announcement counts as lost, and the 30 between two looks for such.
pub(crate) const RECOVERY: Duration = Duration::from_mins(1);

/// Microseconds in which nothing may be due at rest, so that nothing happens while it is looked at.
pub(crate) const AHEAD: i64 = 3_000_000;

/// Tells as many stories as the environment variable `SEEDS` says, or else a few, some at once: they mostly wait, for their processes
/// and for what is due.
pub(crate) async fn stories<F: Future<Output = ()> + Send + 'static>(
    few: u64,
    at_once: usize,
    story: impl Fn(u64) -> F,
) {
    #[expect(clippy::disallowed_methods, reason = "how long to search is for whoever runs the test to say")]
    let asked = std::env::var("SEEDS");
    let mut waiting = 1..=asked.map_or(few, |seeds| seeds.parse().expect("SEEDS takes a number"));
    let mut running = tokio::task::JoinSet::new();
    loop {
        while running.len() < at_once
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_acknowledged_is_lost_and_nothing_happens_twice_however_often_the_process_is_killed() {
    stories(3, 3, story).await;
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
    let wrong = ledger(&customers, at, &shown, &books, Lenience::default());
    assert!(wrong.is_empty(), "seed {seed}: {} faults:\n{}", wrong.len(), wrong.join("\n"));
    println!(
        "seed {seed}: {KILLS} kills, {} answered writes, {} events, {} firings, {} slots",
        customers.iter().map(|customer| customer.acknowledged.len()).sum::<usize>(),
        books.outbox.len(),
        books.firings.len(),
        books.slots.len(),
    );
}

/// Waits until nothing is left to do, stops the server as a supervisor does, and reads what it left. A minute that begins
/// meanwhile has its own slots: then once more.
async fn settle(mut process: Process, customers: &[Customer], data: &std::path::Path) -> (Timestamp, Shown, Books) {
    loop {
        eventually("everything that was interrupted is made good", RECOVERY, || async {
            (left_to_do(data, now_micros() + AHEAD).await == 0).then_some(())
        })
        .await;
        let at = now();
        let shown = show(customers, Some(&process.base())).await;
        process.stop().await;
        let books = Books::read(data).await;
        let at_rest = left_to_do(data, now_micros()).await == 0 && books.broker.waiting == 0;
        if at_rest && is_as_shown(customers, &shown, &books) && books.broker.behind.is_empty() {
            return (at, shown, books);
        }
        process = Process::start(data).await;
    }
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
