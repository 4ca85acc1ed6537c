//! Which tasks a message asks to see, or to change at once.

use todo_domain::{
    query::SortKey,
    task::{Priority, Status},
};

use crate::Extent;

/// What is wanted of the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ask {
    /// The tasks.
    #[default]
    List,
    /// How many they are.
    Count,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub key: SortKey,
    /// From the last to the first.
    pub descending: bool,
}

/// Which tasks; all that is said must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// What is wanted of them.
    pub ask: Ask,
    /// One of these; any if empty. Where nothing is said of it, what is still open.
    pub statuses: Vec<Status>,
    /// One of these; any if empty.
    pub priorities: Vec<Priority>,
    /// All of these.
    pub tags: Vec<String>,
    /// When they are due.
    pub due: Option<Extent>,
    /// Whether they have to be overdue.
    pub overdue: bool,
    /// Whether they may not have a due date.
    pub undated: bool,
    /// When they were completed.
    pub completed: Option<Extent>,
    /// When they were added.
    pub created: Option<Extent>,
    /// Text in title, description or tags.
    pub search: Option<String>,
    /// The order, if one is said.
    pub order: Option<Order>,
    /// How many at most, if that is said.
    pub limit: Option<u32>,
}

/// What is not done.
pub(super) const OPEN: [Status; 2] = [Status::Pending, Status::InProgress];
