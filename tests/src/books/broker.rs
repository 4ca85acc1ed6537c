//! Reading the file of the sidecar in the process.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::Value;
use sqlx::{Row as _, sqlite::SqliteRow};

use super::embedded::{open, rows::all};

const WAITING: &str = "SELECT count(*) AS waiting FROM pending";
const BEHIND: &str = "SELECT app || ' of ' || topic AS behind FROM consumer c
     WHERE cursor < (SELECT max(seq) FROM message m WHERE m.topic = c.topic)";

/// What the broker holds.
#[derive(Debug)]
pub struct Broker {
    /// The ids of the retained events of each topic.
    pub topics: BTreeMap<String, BTreeSet<String>>,
    /// Those events, each as often as it was published.
    pub events: Vec<(String, Value)>,
    /// Deliveries that were put off and wait.
    pub waiting: i64,
    /// Topics with an app that has not read to the end.
    pub behind: Vec<String>,
}

impl Broker {
    pub(super) async fn read(path: &Path) -> Self {
        let mut file = open(path).await;
        let event = |row: &SqliteRow| (row.get("topic"), serde_json::from_slice(row.get("body")).expect("JSON"));
        let events: Vec<(String, Value)> = all(&mut file, "SELECT topic, body FROM message ORDER BY seq", event).await;
        let mut topics: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (topic, event) in &events {
            topics.entry(topic.clone()).or_default().insert(event["id"].as_str().unwrap_or_default().to_owned());
        }
        let waiting = all(&mut file, WAITING, |row| row.get::<i64, _>("waiting")).await;
        let behind = all(&mut file, BEHIND, |row| row.get("behind")).await;
        Self { topics, events, waiting: waiting.into_iter().sum(), behind }
    }

    /// Deliveries that wait, and apps that have something to read.
    pub(super) async fn left_to_do(path: &Path) -> i64 {
        let mut file = open(path).await;
        let waiting = all(&mut file, WAITING, |row| row.get::<i64, _>("waiting")).await;
        let behind = all(&mut file, BEHIND, |_| 1).await;
        waiting.into_iter().sum::<i64>() + behind.into_iter().sum::<i64>()
    }

    /// Whether an event is retained on a topic.
    #[must_use]
    pub fn has(&self, topic: &str, id: &str) -> bool {
        self.topics.get(topic).is_some_and(|ids| ids.contains(id))
    }
}
