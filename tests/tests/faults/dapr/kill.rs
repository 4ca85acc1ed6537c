//! kill -9 of any of the processes at random moments under load, again and again; then the ledger. `SEEDS=100` asks
//! for as many stories.

use std::time::{Duration, Instant};

use todo_domain::Timestamp;
use todo_tests::{
    books::{Books, Lenience},
    cluster::{Cluster, Role},
    dice::Dice,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::follower::Follower;
use crate::{
    kill::{AHEAD, RECOVERY, stories},
    ledger::{Shown, is_as_shown, ledger, show},
    load::{Customer, now, now_micros},
};

/// Users who write at the same time.
const CUSTOMERS: usize = 3;
/// Kills of one seed.
const KILLS: usize = 6;
/// Those of them that are not left to chance.
const BY_TURNS: usize = 4;

/// A process that is killed.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Role(Role, usize),
    Daprd(Role, usize),
    Redis { keeps_data: bool },
    Postgres,
}

/// Everyone, with so many replicas of each role.
fn everyone(replicas: usize) -> Vec<Victim> {
    let mut everyone = vec![Victim::Redis { keeps_data: true }, Victim::Redis { keeps_data: false }, Victim::Postgres];
    for role in Role::ALL {
        for number in 0..replicas {
            everyone.extend([Victim::Role(role, number), Victim::Daprd(role, number)]);
        }
    }
    everyone
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_acknowledged_is_lost_and_nothing_happens_twice_whichever_process_is_killed() {
    stories(3, 2, story).await;
}

async fn story(seed: u64) {
    let mut dice = Dice::new(seed);
    // Each third has two replicas of each role.
    let replicas = if seed.is_multiple_of(3) { 2 } else { 1 };
    let Some(mut cluster) = Cluster::start(replicas).await else { return };
    let (mut customers, mut followers) = (Vec::new(), Vec::new());
    for number in 0..CUSTOMERS {
        let gateway = cluster.member(Role::Gateway, number % replicas);
        let (mut rest, name) = (gateway.rest(), format!("s{seed}c{number}"));
        rest.sign_up(&name).await;
        followers.push(Follower::start(rest.clone()));
        customers.push(Customer::of_many(rest, &name, dice.split()));
    }
    let stop = CancellationToken::new();
    let mut working = JoinSet::new();
    for mut customer in customers {
        let stop = stop.clone();
        working.spawn(async move {
            customer.work_on(&stop).await;
            customer
        });
    }
    let mut lenience = Lenience::default();
    let mut killed = Vec::new();
    for victim in victims(seed, replicas, &mut dice) {
        work_for(&mut working, dice.below(900) + 100, seed).await;
        kill(&mut cluster, victim);
        work_for(&mut working, dice.below(900) + 50, seed).await;
        restart(&mut cluster, victim);
        cluster.members_mut().for_each(|member| member.daprd.supervise());
        lenience.lossy |= matches!(victim, Victim::Redis { keeps_data: false });
        killed.push(victim);
        // Sometimes the next one goes before the last one is back.
        if dice.percent(70) {
            cluster.serves().await;
        }
    }
    cluster.serves().await;
    cluster.members_mut().for_each(|member| member.daprd.supervise());
    stop.cancel();
    let mut customers = Vec::new();
    while let Some(customer) = working.join_next().await {
        customers.push(customer.unwrap_or_else(|error| panic!("seed {seed}, {killed:?}: {error}")));
    }
    for customer in &mut customers {
        let clear_up = async { while customer.clear_up().await.is_err() {} };
        let clear = tokio::time::timeout(RECOVERY, clear_up).await.is_ok();
        assert!(clear, "seed {seed}, {killed:?}: nobody kills anything any more, and nothing answers");
    }
    let begun = Instant::now();
    let (at, shown, books) = settle(&cluster, &customers).await;
    let settled = begun.elapsed();
    let mut wrong = ledger(&customers, at, &shown, &books, lenience);
    for follower in followers {
        wrong.extend(follower.audit(&books).await);
    }
    assert!(wrong.is_empty(), "seed {seed}, {killed:?}: {} faults:\n{}", wrong.len(), wrong.join("\n"));
    println!(
        "seed {seed}: {killed:?}, {} answered writes, {} events, {} firings, {} slots; settled in {settled:.0?}",
        customers.iter().map(|customer| customer.acknowledged.len()).sum::<usize>(),
        books.outbox.len(),
        books.firings.len(),
        books.slots.len(),
    );
}

/// Who is killed, in this order: some by turns, so that the first seeds kill everyone, and others by chance.
fn victims(seed: u64, replicas: usize, dice: &mut Dice) -> Vec<Victim> {
    let everyone = everyone(replicas);
    let first = usize::try_from(seed).unwrap_or_default() * BY_TURNS;
    let mut victims: Vec<_> = (0..BY_TURNS).map(|turn| everyone[(first + turn) % everyone.len()]).collect();
    while victims.len() < KILLS {
        victims.insert(dice.place(victims.len() + 1), *dice.pick(&everyone));
    }
    victims
}

/// Lets the customers work for a while, in which none of them may fail.
async fn work_for(working: &mut JoinSet<Customer>, milliseconds: u64, seed: u64) {
    let early = tokio::time::timeout(Duration::from_millis(milliseconds), working.join_next()).await.ok().flatten();
    assert!(early.is_none(), "seed {seed}: a customer stopped: {:?}", early.map(Result::err));
}

fn kill(cluster: &mut Cluster, victim: Victim) {
    match victim {
        Victim::Role(role, number) => cluster.member_mut(role, number).kill(),
        Victim::Daprd(role, number) => cluster.member_mut(role, number).daprd.kill(),
        Victim::Redis { .. } => cluster.redis.kill(),
        Victim::Postgres => cluster.postgres.kill(),
    }
}

fn restart(cluster: &mut Cluster, victim: Victim) {
    match victim {
        Victim::Role(role, number) => cluster.member_mut(role, number).start(),
        Victim::Daprd(role, number) => cluster.member_mut(role, number).daprd.start(),
        Victim::Redis { keeps_data } => cluster.redis.restart(keeps_data),
        Victim::Postgres => cluster.postgres.restart(),
    }
}

/// Waits until nothing is left to do, and looks at everything. A minute that begins meanwhile has its own slots: then
/// once more.
pub(super) async fn settle(cluster: &Cluster, customers: &[Customer]) -> (Timestamp, Shown, Books) {
    let reader = cluster.reader().await;
    loop {
        reader.settled(RECOVERY, AHEAD).await;
        let at = now();
        let shown = show(customers, None).await;
        let books = reader.read(cluster.events()).await;
        if reader.left_to_do(now_micros()).await.is_empty() && is_as_shown(customers, &shown, &books) {
            return (at, shown, books);
        }
    }
}
