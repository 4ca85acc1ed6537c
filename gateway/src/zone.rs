//! The caller's time zone, for times without an offset: asked of the backend only when such a time occurs.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono_tz::Tz;
use http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};
use todo_proto::v1::{GetMeRequest, auth_service_client::AuthServiceClient};
use tokio::time::Instant;
use tonic::{Status, metadata::MetadataMap};

use crate::backend::Backend;

const KEPT: Duration = Duration::from_mins(1);
const MOST: usize = 10_000;

type Key = [u8; 32];

/// Zones by the hash of the token that they were asked with.
#[derive(Debug, Default)]
pub(crate) struct Zones(Mutex<HashMap<Key, (Tz, Instant)>>);

impl Zones {
    /// The zone of the token's account.
    ///
    /// # Errors
    /// The backend's.
    pub(crate) async fn of(&self, backend: Backend, metadata: &MetadataMap) -> Result<Tz, Status> {
        let key = metadata.get("authorization").map(|token| key(token.as_encoded_bytes()));
        if let Some(zone) = key.as_ref().and_then(|key| self.kept(key)) {
            return Ok(zone);
        }
        let mut request = tonic::Request::new(GetMeRequest {});
        *request.metadata_mut() = metadata.clone();
        // The key is meant for the write, which this is not.
        request.metadata_mut().remove("idempotency-key");
        let user = AuthServiceClient::new(backend).get_me(request).await?.into_inner();
        let zone = parse(&user.time_zone);
        if let Some(key) = key {
            self.keep(key, zone);
        }
        Ok(zone)
    }

    /// Learns from an answer that tells the caller's account, above all from one that changed the zone.
    pub(crate) fn learn(&self, headers: &HeaderMap, zone: Option<&str>) {
        if let (Some(token), Some(zone)) = (headers.get(header::AUTHORIZATION), zone) {
            self.keep(key(token.as_bytes()), parse(zone));
        }
    }

    fn kept(&self, key: &Key) -> Option<Tz> {
        let zones = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        zones.get(key).filter(|(_, since)| since.elapsed() < KEPT).map(|(zone, _)| *zone)
    }

    fn keep(&self, key: Key, zone: Tz) {
        let mut zones = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if zones.len() >= MOST {
            zones.retain(|_, (_, since)| since.elapsed() < KEPT);
        }
        if zones.len() >= MOST {
            zones.clear();
        }
        zones.insert(key, (zone, Instant::now()));
    }
}

fn key(token: &[u8]) -> Key {
    Sha256::digest(token).into()
}

/// A zone that the backend knows and we do not would be a newer version's; UTC is then as good as any.
fn parse(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}
