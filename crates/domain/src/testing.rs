//! What the tests of this crate share.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono_tz::Tz;
use uuid::Uuid;

use crate::{clock::Timestamp, ids::Ids, task::Context};

/// Ids that count up.
#[derive(Default)]
pub(crate) struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn new_id(&self, now: Timestamp) -> Uuid {
        let counter = self.0.fetch_add(1, Ordering::Relaxed);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &[0, 0, 0, 0, 0, 0, 0, 0, 0, counter.to_le_bytes()[0]])
            .into_uuid()
    }

    fn random(&self) -> Uuid {
        uuid::Builder::from_random_bytes(u128::from(self.0.fetch_add(1, Ordering::Relaxed)).to_be_bytes()).into_uuid()
    }
}

/// An instant in RFC 3339.
pub(crate) fn at(text: &str) -> Timestamp {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// The context of a request at `now` by an owner in Berlin.
pub(crate) fn context(now: &str) -> Context<'static> {
    static IDS: CountingIds = CountingIds(AtomicU64::new(0));
    Context { now: at(now), zone: Tz::Europe__Berlin, user_id: Uuid::from_u128(1), ids: &IDS }
}
