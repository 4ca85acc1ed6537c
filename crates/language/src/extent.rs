//! What a date means: days or instants, one or from one to another.

use chrono::{NaiveDate, TimeDelta};
use todo_domain::{
    Timestamp,
    zone::{self, Tz},
};

/// Whole days or instants, from one to another. A single one is both ends; an end that is not there is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Whole days in the owner's zone, both included.
    Days {
        /// The first day.
        first: Option<NaiveDate>,
        /// The last day.
        last: Option<NaiveDate>,
    },
    /// Instants. A range does not include its end.
    Instants {
        /// The beginning.
        from: Option<Timestamp>,
        /// The end.
        to: Option<Timestamp>,
    },
}

impl Extent {
    /// From when (inclusive) to when (exclusive) this is, for a filter. A single instant is a microsecond long.
    #[must_use]
    pub fn bounds(&self, zone: Tz) -> (Option<Timestamp>, Option<Timestamp>) {
        match *self {
            Self::Days { first, last } => (
                first.map(|day| zone::start_of_day(zone, day)),
                last.and_then(|day| day.succ_opt()).map(|day| zone::start_of_day(zone, day)),
            ),
            Self::Instants { from, to } if from == to => {
                (from, to.and_then(|to| to.checked_add_signed(TimeDelta::microseconds(1))))
            }
            Self::Instants { from, to } => (from, to),
        }
    }

    /// The beginning as an instant: the first moment of a day.
    pub(crate) fn start(self, zone: Tz) -> Option<Timestamp> {
        self.bounds(zone).0
    }

    /// From the beginning of this to the end of another.
    pub(crate) fn to(self, end: Self, zone: Tz) -> Option<Self> {
        let joined = match (self, end) {
            (Self::Days { first, .. }, Self::Days { last, .. }) => Self::Days { first, last },
            (Self::Instants { from, .. }, Self::Instants { to, .. }) => Self::Instants { from, to },
            (from, to) => Self::Instants { from: from.bounds(zone).0, to: to.bounds(zone).1 },
        };
        let ordered = match joined {
            Self::Days { first: Some(first), last: Some(last) } => first <= last,
            Self::Instants { from: Some(from), to: Some(to) } => from <= to,
            _ => true,
        };
        ordered.then_some(joined)
    }

    /// All before this.
    pub(crate) fn until_start(self, zone: Tz) -> Self {
        match self {
            Self::Days { first, .. } => Self::Days { first: None, last: first.and_then(|day| day.pred_opt()) },
            Self::Instants { .. } => Self::Instants { from: None, to: self.start(zone) },
        }
    }

    /// All until the end of this.
    pub(crate) const fn until_end(self) -> Self {
        match self {
            Self::Days { last, .. } => Self::Days { first: None, last },
            Self::Instants { to, .. } => Self::Instants { from: None, to },
        }
    }

    /// All after this.
    pub(crate) fn after(self) -> Self {
        match self {
            Self::Days { last, .. } => Self::Days { first: last.and_then(|day| day.succ_opt()), last: None },
            Self::Instants { to, .. } => Self::Instants { from: to, to: None },
        }
    }

    /// All from the beginning of this.
    pub(crate) const fn since(self) -> Self {
        match self {
            Self::Days { first, .. } => Self::Days { first, last: None },
            Self::Instants { from, .. } => Self::Instants { from, to: None },
        }
    }
}
