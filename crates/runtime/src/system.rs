//! The real clock and the real source of ids. Nothing else in the workspace reads either.

use chrono::{DateTime, SubsecRound, Utc};
use todo_domain::{Clock, Ids};
use uuid::{NoContext, Timestamp, Uuid};

/// Wall-clock time in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> DateTime<Utc> {
        DateTime::<Utc>::from(std::time::SystemTime::now()).trunc_subsecs(6)
    }
}

/// Ids from the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    fn new_id(&self, now: DateTime<Utc>) -> Uuid {
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    fn random(&self) -> Uuid {
        Uuid::new_v4()
    }
}
