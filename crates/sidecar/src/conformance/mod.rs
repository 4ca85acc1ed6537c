//! What every adapter of [`Sidecar`] does, as cases that run against each of them.
//!
//! An adapter's tests implement [`Fixture`] and call [`run`]. Where an adapter is known to differ, [`KNOWN`] says so and
//! why; a case that fails without an entry fails the run, and so does one that passes in spite of its entry: the table
//! stays true. Cases never sleep; they wait for what they expect, at most [`Fixture::deadline`].

mod echo;
mod invocation;
mod pubsub;
mod recorder;
mod rest;
mod state;

use std::collections::BTreeSet;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use tonic::service::Routes;

use crate::{Sidecar, Subscriber};

pub use recorder::{Answer, Recorder};

/// The name of a secret that the fixture's store holds.
pub const SECRET: &str = "conformance-secret";
/// Its value.
pub const SECRET_VALUE: &str = "a value with = and \"quotes\"";
/// The name of a cron binding that the fixture configures.
pub const BINDING: &str = "conformance-trigger";

/// An adapter as a case sees it. No two cases use the same topic or app id, so all cases of a run can share a broker
/// that starts empty.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// Starts an app and answers with its port once its subscriptions are in force. The same id again is one more
    /// replica.
    async fn start(&self, app: App) -> Arc<dyn Sidecar>;

    /// Kills the sidecar of a started app without any grace (handlers are dropped) and starts it again on the same data
    /// with the same subscriber.
    async fn restart(&self, app_id: &str) -> Arc<dyn Sidecar>;

    /// Lets time go by for TTLs and cron: by the clock where there is one, else by waiting.
    async fn pass(&self, time: Duration);

    /// Takes the broker and the stores away, for good.
    async fn cut_off(&self);

    /// The retries after the first delivery, as configured for the tests (a few, with short waits).
    fn max_retries(&self) -> usize;

    /// How often [`BINDING`] ticks.
    fn interval(&self) -> Duration;

    /// How long a case waits for what must happen.
    fn deadline(&self) -> Duration;
}

/// An app to start.
pub struct App {
    /// Its id.
    pub id: String,
    /// What it takes.
    pub subscriber: Arc<dyn Subscriber>,
    /// What it serves.
    pub services: Option<Routes>,
}

impl App {
    /// An app that serves nothing.
    pub fn new(id: impl Into<String>, subscriber: Arc<dyn Subscriber>) -> Self {
        Self { id: id.into(), subscriber, services: None }
    }
}

/// The result of a case: what was not as it should be.
pub type Outcome = Result<(), String>;

/// One case.
#[derive(Clone, Copy)]
pub struct Case {
    /// What the case shows, in words.
    pub name: &'static str,
    run: for<'a> fn(&'a dyn Fixture) -> BoxFuture<'a, Outcome>,
}

macro_rules! suite {
    ($($name:ident),* $(,)?) => {
        pub(super) const CASES: &[$crate::conformance::Case] = &[$($crate::conformance::Case {
            name: stringify!($name),
            run: |fixture| Box::pin($name(fixture)),
        }),*];
    };
}
use suite;

/// All cases.
#[must_use]
pub fn cases() -> Vec<Case> {
    [pubsub::CASES, state::CASES, invocation::CASES, rest::CASES].concat()
}

/// A case that an adapter is known not to pass.
#[derive(Debug, Clone, Copy)]
pub struct Difference {
    /// The adapter's name.
    pub adapter: &'static str,
    /// The case's name.
    pub case: &'static str,
    /// Why, and how we know.
    pub why: &'static str,
}

/// The known differences. Nothing in the system may rely on these cases.
pub const KNOWN: &[Difference] = &[
    Difference {
        adapter: "daprd",
        case: "a_stale_etag_of_an_expired_key_is_a_conflict",
        why: "measured: a stale ETag on a key that is gone succeeds and resurrects it, and versions begin at 1 again, so \
              that it may even fit a later value (daprd 1.18, Redis)",
    },
    Difference {
        adapter: "daprd",
        case: "a_dead_letter_says_why_and_of_whom",
        why: "daprd publishes the envelope as it was; a handler's answer has no place for a reason",
    },
    Difference {
        adapter: "daprd",
        case: "a_delivery_counts_its_retries",
        why: "a TopicEventRequest has no count of deliveries",
    },
];

/// What a run of all cases gave.
#[derive(Debug, Default)]
pub struct Report {
    /// Cases that passed.
    pub passed: Vec<&'static str>,
    /// Cases that failed as [`KNOWN`] says.
    pub known: Vec<&'static str>,
    /// Cases that failed, or passed though they are known to fail, and what was seen.
    pub wrong: Vec<(&'static str, String)>,
}

impl Report {
    /// # Panics
    /// With all that is wrong, if anything is.
    pub fn check(&self) {
        assert!(self.wrong.is_empty(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} differ as known, {} wrong", self.passed.len(), self.known.len(), self.wrong.len())?;
        self.wrong.iter().try_for_each(|(case, why)| write!(f, "\n  {case}: {why}"))
    }
}

/// Runs all cases, so many at once, each on a fixture of its own, which `fresh` makes (or shares).
pub async fn run<F: Fixture>(adapter: &str, at_once: usize, fresh: impl AsyncFn() -> F) -> Report {
    let fresh = &fresh;
    let outcomes = futures::stream::iter(cases()).map(|case| async move {
        let fixture = fresh().await;
        // Several waits fit into one case; a case that hangs anyway is ended.
        let limited = tokio::time::timeout(fixture.deadline() * 4, (case.run)(&fixture));
        let outcome = match AssertUnwindSafe(limited).catch_unwind().await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err("it did not end".to_owned()),
            Err(_) => Err("it panicked".to_owned()),
        };
        (case.name, outcome)
    });
    let outcomes: Vec<_> = outcomes.buffer_unordered(at_once).collect().await;
    let mut report = Report::default();
    for (case, outcome) in outcomes {
        let known = KNOWN.iter().find(|known| known.adapter == adapter && known.case == case);
        match (outcome, known) {
            (Ok(()), None) => report.passed.push(case),
            (Err(_), Some(_)) => report.known.push(case),
            (Err(why), None) => report.wrong.push((case, why)),
            (Ok(()), Some(known)) => {
                report.wrong.push((case, format!("it passes now; remove its entry ({})", known.why)));
            }
        }
    }
    report
}

/// Cases whose names occur twice, and known differences of cases that do not exist: both must be empty.
#[must_use]
pub fn misnamed() -> Vec<&'static str> {
    let mut names = BTreeSet::new();
    let mut wrong: Vec<_> = cases().iter().map(|case| case.name).filter(|name| !names.insert(*name)).collect();
    wrong.extend(KNOWN.iter().map(|known| known.case).filter(|name| !names.contains(name)));
    wrong
}

/// Fails with `what` unless it holds.
fn check(holds: bool, what: impl Into<String>) -> Outcome {
    if holds { Ok(()) } else { Err(what.into()) }
}

/// Fails unless both are equal.
#[expect(clippy::needless_pass_by_value, reason = "as assert_eq, it takes what is written at the call")]
fn same<T: PartialEq + fmt::Debug>(what: &str, seen: T, expected: T) -> Outcome {
    if seen == expected { Ok(()) } else { Err(format!("{what}: {seen:?} instead of {expected:?}")) }
}

/// Turns an error into what a case reports.
fn ok<T, E: fmt::Debug>(what: &str, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error:?}"))
}
