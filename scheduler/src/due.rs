//! What rings: a reminder at its trigger time, or a series whose next task is to appear.

use chrono::DateTime;
use todo_domain::{Timestamp, clock};
use todo_proto::v1;
use uuid::Uuid;

/// What kind of thing rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Reminder,
    Series,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reminder => "reminder",
            Self::Series => "series",
        }
    }
}

/// A thing that rings, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Thing {
    pub(crate) kind: Kind,
    pub(crate) id: Uuid,
}

/// A thing and the moment it is due, as one `Due` of the contract says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) thing: Thing,
    /// Its task; of a series, the source.
    pub(crate) task: Uuid,
    pub(crate) user: Uuid,
    pub(crate) at: Timestamp,
}

impl Due {
    /// Reads what the backend says; `None` when it cannot be told what is due or when.
    pub(crate) fn from_proto(due: &v1::Due) -> Option<Self> {
        let kind = match due.kind() {
            v1::DueKind::Reminder => Kind::Reminder,
            v1::DueKind::Series => Kind::Series,
            v1::DueKind::Unspecified => return None,
        };
        Some(Self {
            thing: Thing { kind, id: due.id.parse().ok()? },
            task: due.task_id.parse().ok()?,
            user: due.user_id.parse().ok()?,
            at: instant(due.due_at.as_ref()?)?,
        })
    }

    pub(crate) fn to_proto(self) -> v1::Due {
        let kind = match self.thing.kind {
            Kind::Reminder => v1::DueKind::Reminder,
            Kind::Series => v1::DueKind::Series,
        };
        v1::Due {
            kind: kind.into(),
            id: self.thing.id.to_string(),
            task_id: self.task.to_string(),
            user_id: self.user.to_string(),
            due_at: Some(timestamp(self.at)),
        }
    }
}

/// Reads a protobuf timestamp; `None` outside the years chrono knows.
pub(crate) fn instant(timestamp: &prost_types::Timestamp) -> Option<Timestamp> {
    let nanos = u32::try_from(timestamp.nanos).ok()?;
    DateTime::from_timestamp(timestamp.seconds, nanos).map(clock::micros)
}

/// The same instant for the wire.
pub(crate) fn timestamp(instant: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: instant.timestamp(),
        nanos: i32::try_from(instant.timestamp_subsec_nanos()).unwrap_or_default(),
    }
}
