//! Rate limits: attempts of the last minute, counted in the database so that replicas share them.
//!
//! An attempt is counted before the password is looked at and taken back once that was right, so guesses made in
//! parallel count each other.

use std::{net::IpAddr, str::FromStr, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use todo_domain::{Error, Ids};
use tonic::metadata::MetadataMap;
use uuid::Uuid;

use super::secret;
use crate::store::Tx;

/// The window that slides.
const WINDOW: TimeDelta = TimeDelta::minutes(1);
/// Where the gateway tells who called it.
const CLIENT_ADDRESS: &str = "x-client-address";

/// A key that counts, and how many attempts it may have in a minute.
pub(crate) struct Limit {
    pub(super) key: String,
    pub(super) most: i64,
}

impl Limit {
    /// A limit of what `parts` name together. The key tells neither e-mail addresses nor those of machines.
    pub(crate) fn new(server: &[u8], parts: &[&str], most: i64) -> Self {
        let mut text = String::from("attempts");
        for part in parts {
            text.push('\0');
            text.push_str(part);
        }
        Self { key: secret::hex(&secret::mac(server, &text)), most }
    }
}

/// Counts an attempt for each limit, or refuses it for all. The first limit must be the widest: those of one `widest`
/// are counted one after the other.
///
/// # Errors
/// `RATE_LIMITED` with the time until the oldest attempt leaves the window.
pub(crate) async fn count(
    tx: &mut dyn Tx,
    ids: &dyn Ids,
    limits: &[Limit],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, Error> {
    if let Some(widest) = limits.first() {
        tx.lock_attempts(&widest.key).await?;
    }
    let mut wait: Option<TimeDelta> = None;
    for limit in limits {
        let (count, oldest) = tx.attempts(&limit.key, now - WINDOW).await?;
        if count >= limit.most {
            let left = oldest.map_or(WINDOW, |oldest| oldest + WINDOW - now);
            // An attempt that a clock set back since lies in the future; nobody waits longer than the window for it.
            wait = wait.max(Some(left.min(WINDOW)));
        }
    }
    if let Some(wait) = wait {
        return Err(Error::rate_limited(wait.to_std().unwrap_or(Duration::ZERO)));
    }
    let mut attempts = Vec::with_capacity(limits.len());
    for limit in limits {
        let id = ids.random();
        tx.add_attempt(id, &limit.key, now).await?;
        attempts.push(id);
    }
    Ok(attempts)
}

/// Takes attempts back: they succeeded, or were never made.
pub(super) async fn take_back(tx: &mut dyn Tx, attempts: &[Uuid]) -> Result<(), Error> {
    for attempt in attempts {
        tx.remove_attempt(*attempt).await?;
    }
    Ok(())
}

/// The network that a call counts for, `-` if nobody told.
pub(super) fn network(metadata: &MetadataMap) -> String {
    metadata
        .get(CLIENT_ADDRESS)
        .and_then(|address| address.to_str().ok())
        .and_then(|address| IpAddr::from_str(address.trim()).ok())
        .map_or_else(|| "-".to_owned(), of)
}

/// An IPv4 address stands for itself. Of IPv6, whoever has one address has all of its /64 (RFC 6177), so that counts.
fn of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network_of(address: &str) -> String {
        let mut metadata = MetadataMap::new();
        metadata.insert(CLIENT_ADDRESS, address.parse().unwrap());
        network(&metadata)
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        assert_eq!(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:3::1"));
    }

    #[test]
    fn an_ipv4_address_is_the_same_however_it_is_written() {
        assert_eq!(network_of("192.0.2.1"), "192.0.2.1");
        assert_eq!(network_of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_ne!(network_of("192.0.2.1"), network_of("192.0.2.2"));
    }

    #[test]
    fn what_is_no_address_counts_as_unknown() {
        assert_eq!(network(&MetadataMap::new()), "-");
        assert_eq!(network_of("nonsense"), "-");
    }

    #[test]
    fn keys_keep_their_parts_apart_and_to_themselves() {
        let key = |parts: &[&str]| Limit::new(b"secret", parts, 1).key;
        assert_ne!(key(&["sign-in", "ab", "c"]), key(&["sign-in", "a", "bc"]));
        assert!(!key(&["sign-in", "ann@example.org"]).contains("ann"));
        assert_eq!(key(&["sign-in"]).len(), 64);
    }
}
