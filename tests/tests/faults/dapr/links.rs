//! Links between the processes fail under load, one after the other on one system; after each the ledger. `SEEDS=30`
//! asks for as many stories, of which every three hold each fault of each link once.

use std::time::{Duration, Instant};

use todo_tests::{
    books::{Books, Lenience},
    cluster::{Cluster, Link, Role},
    dice::Dice,
    proxy::Mode,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{follower::Follower, kill::settle};
use crate::{
    kill::{RECOVERY, stories},
    ledger::ledger,
    load::Customer,
};

const LINKS: [Link; 10] = [
    Link::Database,
    Link::Redis(Role::Backend),
    Link::Redis(Role::Scheduler),
    Link::Sidecar(Role::Backend),
    Link::Sidecar(Role::Scheduler),
    Link::Sidecar(Role::Gateway),
    Link::App(Role::Backend),
    Link::App(Role::Scheduler),
    Link::Daprd(Role::Backend),
    Link::Daprd(Role::Scheduler),
];
const KINDS: [Kind; 3] = [Kind::Cut, Kind::Delay, Kind::HalfOpen];

/// The gateway of each user: one that reaches the backend by way of the daprds, and one that does without.
const CUSTOMERS: [usize; 3] = [BY_DAPRD, DIRECT, DIRECT];
const BY_DAPRD: usize = 0;
const DIRECT: usize = 1;

/// Longest time that a request takes in whose way nothing stands, on a busy machine.
const FREE: Duration = Duration::from_secs(5);
/// The same for one that has to find out that something does.
const BARRED: Duration = Duration::from_secs(20);

/// What a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Cut,
    Delay,
    HalfOpen,
}

/// What becomes of connections that were half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    GoOn,
    Reset,
    Forgotten,
}

#[derive(Clone, Copy, Debug)]
struct Fault {
    link: Link,
    kind: Kind,
}

impl Fault {
    /// Whether it keeps requests by this gateway from the database.
    fn bars(self, gateway: usize) -> bool {
        let is_on_the_way = match self.link {
            Link::Database => true,
            Link::Sidecar(Role::Gateway) | Link::Daprd(Role::Backend) | Link::App(Role::Backend) => gateway == BY_DAPRD,
            _ => false,
        };
        is_on_the_way && self.kind != Kind::Delay
    }

    fn mode(self, dice: &mut Dice) -> Mode {
        let mut some = || Duration::from_millis(dice.below(60) + 20);
        match self.kind {
            Kind::Delay => Mode::Delay(some(), some()),
            Kind::Cut => *dice.pick(&[Mode::Refuse, Mode::Reset]),
            Kind::HalfOpen => Mode::HalfOpen,
        }
    }

    /// How many milliseconds it lasts: half-open, longer than most who wait give it.
    fn lasts(self, dice: &mut Dice) -> u64 {
        dice.below(2_000) + if self.kind == Kind::HalfOpen { 6_000 } else { 1_500 }
    }

    /// By turns; the first three seeds have the hardest.
    fn ending(self, seed: u64) -> Ending {
        let endings = match (self.kind, self.link) {
            (Kind::Cut | Kind::Delay, _) => return Ending::GoOn,
            // That such a connection is dead daprd hears from TCP's keep-alive alone, which a proxy answers: it does not ask
            // its app, and it waits for Redis' events without an end.
            (Kind::HalfOpen, Link::App(_) | Link::Redis(_)) => &[Ending::Reset, Ending::GoOn][..],
            (Kind::HalfOpen, _) => &[Ending::Forgotten, Ending::Reset, Ending::GoOn],
        };
        let turn = usize::try_from((seed - 1) / 3).unwrap_or_default();
        endings[turn % endings.len()]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whichever_link_fails_nothing_acknowledged_is_lost_and_only_what_goes_over_it_is_refused() {
    stories(3, 3, story).await;
}

/// A fault of each link, in an order of its own.
async fn story(seed: u64) {
    let mut dice = Dice::new(seed);
    let Some(mut cluster) = Cluster::start_linked().await else { return };
    cluster.start_direct_gateway().await;
    let (mut customers, mut followers) = (Vec::new(), Vec::new());
    for (number, gateway) in CUSTOMERS.into_iter().enumerate() {
        let (mut rest, name) = (cluster.member(Role::Gateway, gateway).rest(), format!("s{seed}c{number}"));
        rest.sign_up(&name).await;
        followers.push(Follower::start(rest.clone()));
        customers.push(Customer::of_many(rest, &name, dice.split()));
    }
    let kinds = KINDS.into_iter().cycle().skip(usize::try_from(seed % 3).unwrap_or_default());
    let mut faults: Vec<_> = LINKS.into_iter().zip(kinds).map(|(link, kind)| Fault { link, kind }).collect();
    let mut books = None;
    while !faults.is_empty() {
        let fault = faults.swap_remove(dice.place(faults.len()));
        books = Some(suffer(&cluster, &mut customers, fault, seed, &mut dice).await);
    }
    let mut wrong = Vec::new();
    for follower in followers {
        wrong.extend(follower.audit(books.as_ref().expect("there were faults")).await);
    }
    assert!(wrong.is_empty(), "seed {seed}: {}", wrong.join("\n"));
}

/// One fault while customers work, and what must be true afterwards.
async fn suffer(cluster: &Cluster, customers: &mut Vec<Customer>, fault: Fault, seed: u64, dice: &mut Dice) -> Books {
    let stop = CancellationToken::new();
    let mut working = JoinSet::new();
    let before: Vec<_> = customers.iter().map(|customer| customer.acknowledged.len()).collect();
    for (number, mut customer) in customers.drain(..).enumerate() {
        let stop = stop.clone();
        working.spawn(async move {
            customer.work_on(&stop).await;
            (number, customer)
        });
    }
    let (mode, lasts, ending) = (fault.mode(dice), fault.lasts(dice), fault.ending(seed));
    let story = format!("seed {seed}: {:?}, {mode:?} for {lasts} ms, then {ending:?}", fault.link);
    let link = cluster.link(fault.link);
    work_for(&mut working, dice.below(500) + 100, &story).await;
    link.set(mode);
    work_for(&mut working, lasts, &story).await;
    match ending {
        Ending::GoOn => {}
        Ending::Reset => link.reset(),
        Ending::Forgotten => link.forget(),
    }
    link.set(Mode::Pass);
    let ended = Instant::now();
    work_for(&mut working, dice.below(500) + 100, &story).await;
    stop.cancel();
    let mut worked = working.join_all().await;
    worked.sort_by_key(|(number, _)| *number);
    customers.extend(worked.into_iter().map(|(_, customer)| customer));
    for customer in customers.iter_mut() {
        let clear_up = async { while customer.clear_up().await.is_err() {} };
        let clear = tokio::time::timeout(RECOVERY, clear_up).await.is_ok();
        assert!(clear, "{story}: nothing stands in the way any more, and nothing answers");
    }
    for role in Role::ALL {
        cluster.member(role, 0).says(&story, |_, body| body["status"] == "ok").await;
    }
    // Last, so that no minute passes before the ledger, and with it a slot that nobody has looked for.
    let (at, shown, books) = settle(cluster, customers).await;
    let settled = ended.elapsed();
    let mut wrong = ledger(customers, at, &shown, &books, Lenience::default());
    for (number, customer) in customers.iter_mut().enumerate() {
        wrong.extend(served(customer, fault.bars(CUSTOMERS[number]), before[number]));
    }
    assert!(wrong.is_empty(), "{story}: {} faults:\n{}", wrong.len(), wrong.join("\n"));
    assert!(settled <= RECOVERY, "{story}: it took {settled:?}");
    println!("{story}; settled in {settled:.0?}");
    for customer in customers {
        assert!(customer.end_series().await.is_ok(), "{story}: nothing stands in the way any more");
    }
    books
}

/// What was wrong with the answers to a customer.
fn served(customer: &mut Customer, is_barred: bool, before: usize) -> Vec<String> {
    let (refused, slowest) = (std::mem::take(&mut customer.refused), std::mem::take(&mut customer.slowest));
    let limit = if is_barred { BARRED } else { FREE };
    let mut wrong: Vec<_> = refused
        .into_iter()
        .filter(|refused| !is_barred || refused.took > limit)
        .map(|refused| format!("refused after {:?}: {}", refused.took, refused.what))
        .collect();
    if slowest > limit {
        wrong.push(format!("an answer took {slowest:?}"));
    }
    if !is_barred && customer.acknowledged.len() == before {
        wrong.push("nothing was written".to_owned());
    }
    wrong
}

/// Lets the customers work for a while, in which none of them may fail.
async fn work_for(working: &mut JoinSet<(usize, Customer)>, milliseconds: u64, story: &str) {
    let early = tokio::time::timeout(Duration::from_millis(milliseconds), working.join_next()).await.ok().flatten();
    assert!(early.is_none(), "{story}: a customer stopped: {:?}", early.map(Result::err));
}
