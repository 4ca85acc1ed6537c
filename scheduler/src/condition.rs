//! How this replica is doing: what it cannot reach, and what it has done.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use todo_domain::Timestamp;
use todo_runtime::health::{Check, Health};

use crate::locked;

/// One way of reaching something. A check is well when all of its ways are, so that a listing which works does not hide
/// decisions that fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    ListDue,
    DecideFire,
    Publish,
    State,
}

impl Way {
    /// The name of the health check it belongs to.
    fn check(self) -> &'static str {
        match self {
            Self::ListDue | Self::DecideFire => "backend",
            Self::Publish => "pubsub",
            Self::State => "statestore",
        }
    }
}

pub(crate) struct Condition {
    pub(crate) started_at: Timestamp,
    pub(crate) published: AtomicI64,
    health: Health,
    faults: Mutex<BTreeMap<Way, Fault>>,
}

struct Fault {
    since: Timestamp,
    why: String,
}

impl Condition {
    pub(crate) fn new(health: Health, started_at: Timestamp) -> Self {
        Self { started_at, published: AtomicI64::new(0), health, faults: Mutex::default() }
    }

    pub(crate) fn well(&self, way: Way) {
        let mut faults = locked(&self.faults);
        faults.remove(&way);
        if !faults.keys().any(|other| other.check() == way.check()) {
            self.health.set(way.check(), Check::Ok);
        }
    }

    /// The scheduler serves without any of them, so a fault is never more than degraded.
    pub(crate) fn fault(&self, way: Way, why: &dyn Display, now: Timestamp) {
        let why = why.to_string();
        let mut faults = locked(&self.faults);
        let fault = faults.entry(way).or_insert_with(|| Fault { since: now, why: String::new() });
        // A fault that changes its words with each attempt is still one fault, and one line in the log.
        if fault.why.is_empty() {
            self.health.set(way.check(), Check::Degraded(format!("{way:?}: {why}")));
        }
        fault.why = why;
    }

    /// The youngest fault there is; empty when all is well.
    pub(crate) fn last_error(&self) -> String {
        let faults = locked(&self.faults);
        let youngest = faults.iter().max_by_key(|(_, fault)| fault.since);
        youngest.map(|(way, fault)| format!("{way:?}: {}", fault.why)).unwrap_or_default()
    }

    pub(crate) fn count_published(&self, more: usize) {
        self.published.fetch_add(i64::try_from(more).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}
