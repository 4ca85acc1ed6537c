//! The distributed system of real processes (`todo backend`, `todo scheduler`, `todo gateway`, each beside a real daprd,
//! with a real Redis and a real Postgres), and what goes wrong between them.

mod alone;
mod auditor;
mod broken;
mod clock_steps;
mod database;
mod doctor;
mod envelope;
mod flows;
mod follower;
mod kill;
mod links;
mod outage;
mod replay;
mod replicas;
mod rolling;
mod rotation;
mod traces;
mod traffic;

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;
use todo_domain::{Timestamp, clock};
use todo_tests::{books::Books, cluster::Cluster};

use crate::load::now;

const CREATED: &str = "com.todo.task.created";
const TRIGGERED: &str = "com.todo.reminder.triggered";

/// Within which time what depends on several processes has happened on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A moment from now, as requests name it.
fn ahead(milliseconds: i64) -> String {
    clock::name(now() + TimeDelta::milliseconds(milliseconds))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn time(value: &Value) -> Timestamp {
    text(value).parse().expect("a time")
}

/// What the database and Redis hold.
async fn books(cluster: &Cluster) -> Books {
    cluster.reader().await.read(cluster.events()).await
}

/// Waits until nothing is left to do.
async fn settled(cluster: &Cluster) {
    cluster.reader().await.settled(PATIENCE, 0).await;
}
