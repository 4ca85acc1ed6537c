//! Whether a role can serve: named checks, kept up to date by whoever knows.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How one thing that a role needs is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// As it should be.
    Ok,
    /// Away, but the role serves without it.
    Degraded(String),
    /// Away, and the role cannot serve without it.
    Failing(String),
}

/// The checks of a process, by name. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<BTreeMap<&'static str, Check>>>);

impl Health {
    /// Notes how `name` is doing; a change is logged once.
    pub fn set(&self, name: &'static str, check: Check) {
        let mut checks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if checks.get(name) == Some(&check) {
            return;
        }
        match &check {
            Check::Ok if checks.contains_key(name) => tracing::info!(check = name, "recovered"),
            Check::Ok => {}
            Check::Degraded(why) => tracing::warn!(check = name, why, "degraded"),
            Check::Failing(why) => tracing::error!(check = name, why, "cannot serve"),
        }
        checks.insert(name, check);
    }

    /// All of them, as they are now.
    #[must_use]
    pub fn checks(&self) -> BTreeMap<&'static str, Check> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
