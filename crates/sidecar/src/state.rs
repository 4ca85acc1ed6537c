//! What every adapter asks of a write of state.

use std::time::Duration;

use crate::Error;

/// What Dapr puts between app id and key, and refuses in keys.
pub(crate) const SEPARATOR: &str = "||";

pub(crate) fn check_key(key: &str) -> Result<(), Error> {
    if key.is_empty() {
        return Err(Error::Refused("a state key must not be empty".into()));
    }
    if key.contains(SEPARATOR) {
        return Err(Error::Refused(format!("a state key must not contain `{SEPARATOR}`")));
    }
    Ok(())
}

/// A TTL in Dapr's unit, whole seconds, rounded up.
pub(crate) fn seconds(ttl: Option<Duration>) -> Result<Option<u64>, Error> {
    match ttl {
        Some(ttl) if ttl.is_zero() => Err(Error::Refused("a TTL must be longer than nothing".into())),
        ttl => Ok(ttl.map(|ttl| ttl.as_secs().saturating_add(u64::from(ttl.subsec_nanos() > 0)))),
    }
}
