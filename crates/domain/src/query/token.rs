//! Page tokens (AIP-158): opaque, and good only for the list that they come from.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Datelike as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Filter, Order, Query, SortKey};
use crate::{
    clock::{self, Timestamp},
    error::Violation,
    ids, limits,
    task::{Priority, Task},
    text,
};

/// The value by which the last task of a page was sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// For [`SortKey::DueDate`]: the due date, nothing for a task without one (which comes last, either way).
    Due(Option<Timestamp>),
    /// For [`SortKey::CreatedAt`] and [`SortKey::UpdatedAt`].
    Time(Timestamp),
    /// For [`SortKey::Priority`].
    Priority(Priority),
    /// For [`SortKey::Title`]: the folded title.
    Title(String),
}

impl Key {
    /// The value by which `task` is sorted.
    #[must_use]
    pub fn of(task: &Task, sort: SortKey) -> Self {
        match sort {
            SortKey::DueDate => Self::Due(task.due),
            SortKey::Priority => Self::Priority(task.priority),
            SortKey::CreatedAt => Self::Time(task.created_at),
            SortKey::UpdatedAt => Self::Time(task.updated_at),
            SortKey::Title => Self::Title(text::fold(&task.title)),
        }
    }

    /// Whether it can be a value of `sort`, and one that every store takes: tokens come from outside.
    fn fits(&self, sort: SortKey) -> bool {
        let is_storable = |at: Timestamp| (1..=limits::YEAR_MAX).contains(&at.year()) && at == clock::micros(at);
        match self {
            Self::Due(due) => sort == SortKey::DueDate && due.is_none_or(is_storable),
            Self::Time(time) => matches!(sort, SortKey::CreatedAt | SortKey::UpdatedAt) && is_storable(*time),
            Self::Priority(_) => sort == SortKey::Priority,
            Self::Title(title) => sort == SortKey::Title && !title.contains('\0'),
        }
    }
}

/// Where a page ended: base64url (RFC 4648, section 5, unpadded) of versioned JSON.
///
/// It holds no secret and grants nothing: whose tasks are listed is decided by the caller's token, each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageToken {
    #[serde(rename = "v")]
    version: u8,
    #[serde(rename = "s")]
    sort: SortKey,
    #[serde(rename = "o")]
    order: Order,
    #[serde(rename = "f")]
    filter: u64,
    /// The sort value of the page's last task.
    #[serde(rename = "k")]
    pub key: Key,
    /// The id of the page's last task.
    #[serde(rename = "i")]
    pub id: Uuid,
}

const VERSION: u8 = 1;

impl PageToken {
    pub(super) fn new(query: &Query, key: Key, id: Uuid) -> Self {
        let (sort, order) = (query.sort, query.order);
        Self { version: VERSION, sort, order, filter: fingerprint(&query.filter), key, id }
    }

    /// The token as clients see it.
    #[must_use]
    pub fn encode(&self) -> String {
        // Serialization of these types cannot fail; an empty token would begin the list anew.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads the token of a page of `query`.
    ///
    /// # Errors
    /// A violation of `page_token` for anything else.
    pub fn decode(token: &str, query: &Query) -> Result<Self, Violation> {
        let refused = |message: &str| Violation::new("page_token", message);
        let read = || {
            let bytes = (token.len() <= limits::PAGE_TOKEN_MAX).then(|| URL_SAFE_NO_PAD.decode(token).ok())??;
            let token: Self = serde_json::from_slice(&bytes).ok()?;
            (token.version == VERSION && token.key.fits(token.sort)).then_some(token)
        };
        let token = read().ok_or_else(|| refused("must be the next_page_token of an earlier page"))?;
        if (token.sort, token.order, token.filter) == (query.sort, query.order, fingerprint(&query.filter)) {
            Ok(token)
        } else {
            Err(refused("must be used with the filters, sort_by and sort_order of the page it comes from"))
        }
    }
}

/// A short hash of the filters, the same in every process and release.
fn fingerprint(filter: &Filter) -> u64 {
    ids::derived("filter", &serde_json::to_string(filter).unwrap_or_default()).as_u64_pair().0
}
