//! The harness of the suites: a whole system in this process, a real Postgres, and a clock in the test's hand. What it
//! starts listens on loopback, on free ports, in scratch directories, and ends with the test.

pub mod books;
pub mod clock;
pub mod cluster;
pub mod collector;
pub mod dice;
pub mod distributed;
pub mod observer;
pub mod process;
pub mod provider;
pub mod proxy;
pub mod push_service;
pub mod rest;
pub mod stream;
pub mod system;
pub mod told;
pub mod web;

pub use todo_test_postgres::Postgres;

use std::{future::Future, time::Duration};

/// Waits until `check` holds, looking again and again; fails the test when it does not within `deadline`.
///
/// # Panics
/// When the time is over.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    deadline: Duration,
    mut check: impl FnMut() -> F,
) -> T {
    let looking = async {
        loop {
            if let Some(found) = check().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let Ok(found) = tokio::time::timeout(deadline, looking).await else { panic!("not within {deadline:?}: {what}") };
    found
}

/// Half a minute: far longer than anything here takes on a busy machine, short enough to end a broken test.
pub const SOON: Duration = Duration::from_secs(30);
