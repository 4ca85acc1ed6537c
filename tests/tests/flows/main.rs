//! Stories of the whole embedded system: a real listener, real clients, both databases, and a clock in the test's hand.

mod access;
mod envelope;
mod limits;
mod named;
mod parity;
mod races;
mod reminders;
mod replay;
mod reseries;
mod rest;
mod search;
mod series;
mod snapshots;
mod surface;
mod undo;
mod watch;

use std::sync::Arc;

use todo::database::Database;
use todo_tests::{clock::TestClock, system::Setup};

/// The moment at which most stories begin: a Monday.
const MONDAY: &str = "2026-03-02T08:00:00Z";

/// Runs stories, each on both databases.
macro_rules! on_both {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $story() {
                super::$story(None).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $story() {
                let Some(postgres) = todo_tests::Postgres::start() else { return };
                super::$story(Some(postgres.url().parse().expect("a URL"))).await;
            })+
        }
    };
}
use on_both;

/// A system over a database, with a clock that begins at a time.
fn at(time: &str, database: Option<Database>) -> (Setup, Arc<TestClock>) {
    let (setup, clock) = Setup::at(time);
    match database {
        Some(database) => (setup.over(database), clock),
        None => (setup, clock),
    }
}

/// The text of a JSON value that is one.
fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
