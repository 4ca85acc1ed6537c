//! The system under a microscope: built whole, but nothing runs by itself. The simulation says what happens next, one
//! request, delivery, batch or moment at a time.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use chrono::{DateTime, TimeDelta, Utc, Weekday};
use serde_json::Value;
use tempfile::TempDir;
use todo::all::{self, Options, System};
use todo_backend::store::Profile;
use todo_domain::{Clock, Ids, Timestamp};
use todo_runtime::access::Keys;
use todo_scheduler::Work;
use todo_sidecar::local::{Faults, Mode};
use todo_tests::{clock::TestClock, dice::Dice};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use uuid::{Builder, Uuid};

/// What signs access tokens here.
const SECRET: &str = "a secret of the simulation, of 32 bytes and more";
/// The users and their time zones.
pub(crate) const USERS: [(&str, &str); 2] = [("ann", "Europe/Berlin"), ("bob", "UTC")];
/// Background work of the system.
const WORK: [Work; 4] = [Work::List, Work::Ring, Work::Announce, Work::Record];

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// By which the change can be undone.
    pub(crate) revision: Option<i64>,
}

/// Ids of a seed. Ids and jitter have sequences of their own, so that one more retry changes no id.
#[derive(Debug)]
struct SeededIds {
    ids: Mutex<Dice>,
    jitter: Mutex<Dice>,
}

fn throw(dice: &Mutex<Dice>) -> Uuid {
    dice.lock().unwrap_or_else(PoisonError::into_inner).uuid()
}

impl Ids for SeededIds {
    fn new_id(&self, now: DateTime<Utc>) -> Uuid {
        let random = throw(&self.ids).into_bytes();
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        Builder::from_unix_timestamp_millis(millis, random.first_chunk().expect("16 bytes hold 10")).into_uuid()
    }

    fn random(&self) -> Uuid {
        throw(&self.jitter)
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<TestClock>,
    /// The latest time that the clock ever showed.
    pub(crate) latest: Timestamp,
    /// The broker may have lost events.
    pub(crate) lossy: bool,
    /// Access tokens and ids of the users.
    users: Vec<(String, Uuid)>,
    directory: TempDir,
    ids: Arc<SeededIds>,
    faults: Option<Faults>,
    system: Option<System>,
}

/// An empty system with its users, to be copied for each seed: migrations and sign-ups would take most of the time.
pub(crate) fn template() -> TempDir {
    let directory = scratch();
    runtime().block_on(async {
        let ids = Arc::new(SeededIds { ids: Mutex::new(Dice::new(0)), jitter: Mutex::new(Dice::new(0)) });
        let clock = Arc::new(TestClock::at("2020-01-01T00:00:00Z"));
        let system = build(directory.path(), clock, ids, None).await;
        for (number, (name, zone)) in (1..).zip(USERS) {
            let profile = Profile {
                id: Uuid::from_u128(number),
                email: format!("{name}@example.org"),
                password_hash: String::new(),
                display_name: name.to_owned(),
                time_zone: zone.to_owned(),
                week_start: Weekday::Mon,
                created_at: DateTime::UNIX_EPOCH,
                disabled_at: None,
            };
            let mut tx = system.store.begin().await.expect("a transaction");
            assert!(tx.add_profile(&profile).await.expect("it is added"));
            tx.commit().await.expect("it is committed");
        }
        system.sidecar.close().await;
        system.store.close().await;
    });
    directory
}

/// In memory where there is such a place: nothing here is about what survives a power cut.
fn scratch() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("todo-simulation-");
    builder.tempdir_in(&memory).or_else(|_| builder.tempdir()).expect("a scratch directory")
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn build(path: &Path, clock: Arc<TestClock>, ids: Arc<SeededIds>, faults: Option<Faults>) -> System {
    let ids: Arc<dyn Ids> = ids;
    let mut options = Options::new(path.to_owned(), Arc::clone(&ids));
    options.mode = Mode::Stepped;
    options.faults = faults;
    options.environment = Arc::new(|name| (name == "JWT_SECRET").then(|| SECRET.to_owned()));
    all::build(options, clock, ids, CancellationToken::new()).await.expect("it is built")
}

impl World {
    pub(crate) async fn begin(template: &Path, dice: &mut Dice) -> Self {
        let directory = scratch();
        for file in std::fs::read_dir(template).expect("the template") {
            let file = file.expect("a file");
            std::fs::copy(file.path(), directory.path().join(file.file_name())).expect("it is copied");
        }
        // Often about the hours in which Berlin's clocks change.
        let days = ["2026-03-29T00:30:00Z", "2026-10-25T00:30:00Z", "2026-06-10T09:00:00Z", "2026-12-31T22:58:30Z"];
        let clock = Arc::new(TestClock::at(days[dice.place(days.len())]));
        clock.advance(TimeDelta::milliseconds(dice.between(-3_600_000, 3_600_000)));
        let ids = Arc::new(SeededIds { ids: Mutex::new(dice.split()), jitter: Mutex::new(dice.split()) });
        let system = build(directory.path(), Arc::clone(&clock), Arc::clone(&ids), None).await;
        let keys = Keys::parse(SECRET).expect("a secret");
        let users = (1..).zip(USERS).map(|(number, (name, _))| {
            let id = Uuid::from_u128(number);
            let email = format!("{name}@example.org");
            (keys.sign(id, &email, Uuid::nil(), clock.now(), TimeDelta::days(36_500)), id)
        });
        Self {
            latest: clock.now(),
            lossy: false,
            users: users.collect(),
            directory,
            ids,
            faults: None,
            system: Some(system),
            clock,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn data(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn user_id(&self, user: usize) -> Uuid {
        self.users[user].1
    }

    pub(crate) fn system(&self) -> &System {
        self.system.as_ref().expect("it is only away while it starts again")
    }

    /// A request, from the edge of the gateway to its answer.
    pub(crate) async fn ask(
        &self,
        user: usize,
        (method, path): (&str, &str),
        headers: &[(&str, String)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.users[user].0))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.system().router.clone().oneshot(request.body(body).expect("a request")).await;
        let response = response.expect("the router answers everything");
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()?.parse().ok());
        let (status, revision) = (response.status().as_u16(), header("x-revision"));
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("JSON") };
        Answer { status, body, revision }
    }

    /// Moves the clock, back too.
    pub(crate) fn pass(&mut self, by: TimeDelta) {
        self.clock.advance(by);
        self.latest = self.latest.max(self.now());
    }

    /// The next moment at which something is due by the database.
    pub(crate) async fn next_moment(&self) -> Option<Timestamp> {
        let mut tx = self.system().store.read().await.expect("a snapshot");
        let due = tx.due(DateTime::<Utc>::MAX_UTC, None, 1).await.expect("the due");
        due.first().map(|due| due.at)
    }

    pub(crate) fn set_faults(&mut self, faults: Option<Faults>) {
        self.faults = faults;
        self.lossy |= faults.is_some_and(|faults| faults.lose > 0.0);
        self.system().sidecar.set_faults(faults);
    }

    /// One delivery, number `choice` of those that could be made.
    pub(crate) async fn deliver(&self, choice: usize) -> Option<String> {
        let stepped = self.system().sidecar.step(choice).await.expect("the sidecar steps")?;
        Some(format!("{} to {}: {:?}", stepped.delivery.event_type, stepped.delivery.app, stepped.outcome))
    }

    /// One piece of background work: the relay's, or one of the scheduler's.
    pub(crate) async fn work(&self, choice: usize) -> (String, bool) {
        match WORK.get(choice) {
            Some(work) => (format!("{work:?}"), self.system().scheduler.step(*work).await),
            None => ("Relay".to_owned(), self.system().publish().await),
        }
    }

    pub(crate) async fn tick(&self, binding: &str) {
        self.system().sidecar.fire_cron(binding).await.expect("there is such a binding");
    }

    /// Ends the process and starts it again: after a drain, or as it was.
    pub(crate) async fn restart(&mut self, clean: bool) {
        let system = self.system.take().expect("it runs");
        if clean {
            system.sidecar.close().await;
            system.store.close().await;
        }
        drop(system);
        let (clock, ids) = (Arc::clone(&self.clock), Arc::clone(&self.ids));
        self.system = Some(build(self.directory.path(), clock, ids, self.faults).await);
    }

    /// Does all that can be done now, in one order or another; says how much that was.
    pub(crate) async fn drain(&self, dice: &mut Dice) -> usize {
        let mut steps = 0;
        let mut idle = 0;
        while idle < 2 {
            idle += 1;
            for choice in 0..=WORK.len() {
                while self.work(choice).await.1 {
                    (idle, steps) = (0, steps + 1);
                }
            }
            while self.deliver(dice.place(1_000)).await.is_some() {
                (idle, steps) = (0, steps + 1);
            }
            assert!(steps < 10_000, "it never comes to an end");
        }
        steps
    }

    /// What is left to do at this moment, as far as the system knows.
    pub(crate) async fn left(&self) -> Vec<String> {
        let mut tx = self.system().store.read().await.expect("a snapshot");
        let due = tx.due(self.now(), None, 10).await.expect("the due");
        let (firings, slots) = tx.unseen(DateTime::<Utc>::MAX_UTC, 10).await.expect("the unseen");
        let (outgoing, _) = tx.outgoing_backlog().await.expect("the backlog");
        let mut left: Vec<_> = due.iter().map(|due| format!("{due:?}")).collect();
        left.extend(firings.iter().map(|firing| format!("unseen {firing:?}")));
        left.extend(slots.iter().map(|slot| format!("unseen slot {}", slot.slot)));
        left.extend((outgoing > 0).then(|| format!("{outgoing} events to publish")));
        let pending = self.system().sidecar.pending().await.expect("the deliveries");
        left.extend(pending.iter().map(|pending| format!("{pending:?}")));
        left.extend(
            self.system().sidecar.next_due().await.expect("the deliveries").map(|at| format!("a delivery at {at}")),
        );
        left
    }

    /// Lets time go on, without faults, until nothing is left to do.
    pub(crate) async fn settle(&mut self, dice: &mut Dice) {
        self.set_faults(None);
        let begun = self.now();
        let mut wait = Duration::from_millis(100);
        loop {
            self.drain(dice).await;
            let left = self.left().await;
            if left.is_empty() {
                return;
            }
            // What was lost is announced again after 10 seconds, then 20, at most 5 minutes; by each listing, every 30.
            assert!(self.now() - begun < TimeDelta::minutes(20), "it does not come to rest: {left:#?}");
            self.pass(TimeDelta::from_std(wait).expect("short"));
            wait = (wait * 2).min(Duration::from_secs(30));
        }
    }
}
