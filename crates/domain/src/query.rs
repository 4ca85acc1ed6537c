//! What a list asks for: filters, sorting, and opaque tokens to go on from.

mod token;

use std::cmp::Ordering;

use serde::Serialize;

pub use self::token::{Key, PageToken};
use crate::{
    clock::{self, Timestamp},
    error::{Error, Violation, Violations},
    limits,
    names::named,
    task::{Priority, Status, Task, clean_tag},
    text,
};

/// What a list is sorted by. Ties are broken by id, in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SortKey {
    /// By due date; tasks without one come last, either way.
    DueDate,
    /// By [`Priority::rank`]: ascending is high, medium, low.
    Priority,
    /// By creation: the default.
    #[default]
    CreatedAt,
    /// By last change.
    UpdatedAt,
    /// By [`text::fold`] of the title, bytewise.
    Title,
}

named!(SortKey {
    DueDate = "due_date",
    Priority = "priority",
    CreatedAt = "created_at",
    UpdatedAt = "updated_at",
    Title = "title",
});

impl SortKey {
    /// The direction when none is asked for: newest first for times of writing, else ascending.
    #[must_use]
    pub const fn default_order(self) -> Order {
        match self {
            Self::CreatedAt | Self::UpdatedAt => Order::Desc,
            Self::DueDate | Self::Priority | Self::Title => Order::Asc,
        }
    }

    /// How two tasks compare: the order that every store has to give.
    #[must_use]
    pub fn compare(self, order: Order, a: &Task, b: &Task) -> Ordering {
        let towards = |ordering: Ordering| match order {
            Order::Asc => ordering,
            Order::Desc => ordering.reverse(),
        };
        let by_key = match self {
            Self::DueDate => match (a.due, b.due) {
                (Some(a), Some(b)) => towards(a.cmp(&b)),
                (a, b) => a.is_none().cmp(&b.is_none()),
            },
            Self::Priority => towards(a.priority.cmp(&b.priority)),
            Self::CreatedAt => towards(a.created_at.cmp(&b.created_at)),
            Self::UpdatedAt => towards(a.updated_at.cmp(&b.updated_at)),
            Self::Title => towards(text::fold(&a.title).cmp(&text::fold(&b.title))),
        };
        by_key.then_with(|| towards(a.id.cmp(&b.id)))
    }
}

/// The direction of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

named!(Order { Asc = "asc", Desc = "desc" });

/// The filters that a request asks for; what is empty does not filter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilterDraft {
    /// One of these.
    pub statuses: Vec<Status>,
    /// One of these.
    pub priorities: Vec<Priority>,
    /// All of these, whatever their case.
    pub tags: Vec<String>,
    /// Text in title, description or a tag, whatever its case; up to 200 characters.
    pub search: Option<String>,
    /// Due strictly before.
    pub due_before: Option<Timestamp>,
    /// Due at or after, so that neighbouring ranges share no task.
    pub due_after: Option<Timestamp>,
}

/// Filters as stores take them; all that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Filter {
    /// One of these, in the order of the enum; empty for any.
    pub statuses: Vec<Status>,
    /// One of these, ascending; empty for any.
    pub priorities: Vec<Priority>,
    /// All of these, folded, ascending; empty for any.
    pub tags: Vec<String>,
    /// A part of the folded title, description or a tag. No character has a special meaning.
    pub search: Option<String>,
    /// Due strictly before.
    pub due_before: Option<Timestamp>,
    /// Due at or after.
    pub due_after: Option<Timestamp>,
}

impl Filter {
    fn new(draft: &FilterDraft, violations: &mut Violations) -> Self {
        violations.check(draft.tags.len() <= limits::TAGS_MAX, "tag", || {
            format!("must be at most {}, got {}", limits::TAGS_MAX, draft.tags.len())
        });
        let tags = draft.tags.iter().take(limits::TAGS_MAX);
        let mut tags: Vec<_> =
            tags.filter_map(|tag| violations.take(clean_tag(tag, "tag"))).map(|tag| text::fold(&tag)).collect();
        tags.sort_unstable();
        tags.dedup();
        let search = draft.search.as_deref().unwrap_or_default();
        let search = violations.take(text::bounded(search, "search", 0, limits::SEARCH_MAX));
        let instant = |instant: Option<Timestamp>, field: &str, violations: &mut Violations| {
            instant.map(|instant| clock::check(instant, field, violations))
        };
        Self {
            statuses: Status::ALL.iter().copied().filter(|it| draft.statuses.contains(it)).collect(),
            priorities: Priority::ALL.iter().copied().filter(|it| draft.priorities.contains(it)).collect(),
            tags,
            search: search.map(|search| text::fold(&search)).filter(|search| !search.is_empty()),
            due_before: instant(draft.due_before, "due_before", violations),
            due_after: instant(draft.due_after, "due_after", violations),
        }
    }

    /// Whether a task passes: what every store has to agree with.
    #[must_use]
    pub fn matches(&self, task: &Task) -> bool {
        let tags: Vec<_> = task.tags.iter().map(|tag| text::fold(tag)).collect();
        let has_text = |search: &String| {
            text::fold(&task.title).contains(search)
                || text::fold(&task.description).contains(search)
                || tags.iter().any(|tag| tag.contains(search))
        };
        (self.statuses.is_empty() || self.statuses.contains(&task.status))
            && (self.priorities.is_empty() || self.priorities.contains(&task.priority))
            && self.tags.iter().all(|tag| tags.contains(tag))
            && self.search.as_ref().is_none_or(has_text)
            && self.due_before.is_none_or(|before| task.due.is_some_and(|due| due < before))
            && self.due_after.is_none_or(|after| task.due.is_some_and(|due| due >= after))
    }
}

/// The list that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryDraft {
    /// The filters.
    pub filter: FilterDraft,
    /// What to sort by; by default by creation.
    pub sort: Option<SortKey>,
    /// In which direction; by default [`SortKey::default_order`].
    pub order: Option<Order>,
    /// How many: 1 to 1,000, by default 100.
    pub limit: Option<i64>,
    /// How many to leave out first.
    pub offset: Option<i64>,
    /// Where to go on from: the token of the page before.
    pub page_token: Option<String>,
    /// What of the request is no value at all, to be reported with what breaks a rule.
    pub wrong: Vec<Violation>,
}

/// A list as stores take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The filters.
    pub filter: Filter,
    /// What to sort by.
    pub sort: SortKey,
    /// In which direction.
    pub order: Order,
    /// How many, 1 to 1,000.
    pub limit: i64,
    /// How many to leave out first, counted from `after` if that is given.
    pub offset: i64,
    /// Where to go on from.
    pub after: Option<PageToken>,
}

impl Query {
    /// Checks what a request asks for.
    ///
    /// # Errors
    /// [`crate::Reason::ValidationError`] with everything that is wrong with it; a page token that belongs to another
    /// filter, sort key or direction is a violation of `page_token`.
    pub fn new(draft: &QueryDraft) -> Result<Self, Error> {
        let mut violations = Violations::from(draft.wrong.clone());
        let filter = Filter::new(&draft.filter, &mut violations);
        let sort = draft.sort.unwrap_or_default();
        let order = draft.order.unwrap_or(sort.default_order());
        let limit = draft.limit.unwrap_or(limits::PAGE_DEFAULT);
        violations.check((1..=limits::PAGE_MAX).contains(&limit), "limit", || {
            format!("must be 1 to {}, got {limit}", limits::PAGE_MAX)
        });
        let offset = draft.offset.unwrap_or(0);
        violations.check(offset >= 0, "offset", || format!("must be 0 or more, got {offset}"));
        let mut query = Self { filter, sort, order, limit, offset, after: None };
        if let Some(token) = draft.page_token.as_deref().filter(|token| !token.is_empty()) {
            query.after = violations.take(PageToken::decode(token, &query));
        }
        violations.into_result(query)
    }

    /// The token with which the page after `last` begins.
    #[must_use]
    pub fn token_after(&self, last: &Task) -> PageToken {
        PageToken::new(self, Key::of(last, self.sort), last.id)
    }
}

#[cfg(test)]
mod tests;
