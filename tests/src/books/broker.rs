//! Reading the sidecar's file.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use sqlx::Row as _;

use super::{all, open};

/// What the broker holds.
#[derive(Debug)]
pub struct Broker {
    /// The ids of the retained events of each topic.
    pub topics: BTreeMap<String, BTreeSet<String>>,
    /// Deliveries that were put off and wait.
    pub waiting: i64,
    /// Topics with an app that has not read to the end.
    pub behind: Vec<String>,
}

impl Broker {
    pub(super) async fn read(path: &Path) -> Self {
        let mut file = open(path).await;
        let mut topics: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (topic, id) in all(&mut file, "SELECT topic, id FROM message", |row| (row.get("topic"), row.get("id"))).await {
            topics.entry(topic).or_default().insert(id);
        }
        let waiting = all(&mut file, "SELECT count(*) AS waiting FROM pending", |row| row.get::<i64, _>("waiting")).await;
        let behind = all(
            &mut file,
            "SELECT app || ' of ' || topic AS behind FROM consumer c
             WHERE cursor < (SELECT max(seq) FROM message m WHERE m.topic = c.topic)",
            |row| row.get("behind"),
        );
        let behind = behind.await;
        Self { topics, waiting: waiting.into_iter().sum(), behind }
    }

    /// Whether an event is retained on a topic.
    #[must_use]
    pub fn has(&self, topic: &str, id: &str) -> bool {
        self.topics.get(topic).is_some_and(|ids| ids.contains(id))
    }
}
