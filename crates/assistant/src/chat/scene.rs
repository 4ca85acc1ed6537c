//! What later turns may refer to: "the second one", "it", "undo".

use serde::{Deserialize, Serialize};

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

impl Scene {
    /// Notes a change.
    pub(crate) fn changed(&mut self, change: Change) {
        self.changes.push(change);
        let surplus = self.changes.len().saturating_sub(CHANGES);
        self.changes.drain(..surplus);
    }
}
