//! What later turns may refer to: "the second one", "it", "undo".

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many changes can be undone one after the other.
const CHANGES: usize = 20;

/// What a conversation is about at the moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scene {
    /// The last list that was shown, in its order.
    pub listed: Vec<Named>,
    /// The tasks that were spoken of last.
    pub touched: Vec<Named>,
    /// What was changed in this conversation and not undone, the last at the end.
    pub changes: Vec<Change>,
}

/// A task as people know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
}

/// A change that can be undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The revisions that name it, several for a batch; texts, because the numbers of a `google.protobuf.Struct` are
    /// doubles.
    pub revisions: Vec<String>,
    /// The tool that made it.
    pub tool: String,
    /// The titles of the tasks that it changed, as far as its result has them.
    pub titles: Vec<String>,
}

impl Named {
    /// A task of a tool's result.
    pub(crate) fn of(task: &Value) -> Option<Self> {
        Some(Self { id: task["id"].as_str()?.to_owned(), title: task["title"].as_str()?.to_owned() })
    }
}

impl Scene {
    /// What was spoken of is no more. The last list keeps its places.
    pub(crate) fn forget(&mut self, tasks: &[Named]) {
        self.touched.retain(|touched| tasks.iter().all(|task| task.id != touched.id));
    }

    /// Makes the changes after one of them one, to be undone together.
    pub(crate) fn join_changes(&mut self, after: Option<&Change>) {
        let from = after.and_then(|after| self.changes.iter().rposition(|change| change == after));
        let mut later = self.changes.split_off(from.map_or(0, |from| from + 1)).into_iter();
        let Some(mut joined) = later.next() else { return };
        for change in later {
            joined.revisions.extend(change.revisions);
            joined.titles.extend(change.titles);
        }
        self.changes.push(joined);
    }

    /// Notes a change.
    pub(crate) fn changed(&mut self, change: Change) {
        self.changes.push(change);
        let surplus = self.changes.len().saturating_sub(CHANGES);
        self.changes.drain(..surplus);
    }
}
