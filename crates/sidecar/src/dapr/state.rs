//! State: compare-and-swap of single keys.
//!
//! Every write is a first write in Dapr's sense (<https://docs.dapr.io/developing-applications/building-blocks/state-management/state-management-overview/>).
//! On Redis the two kinds do not mix: a key that was once a first write refuses every later write without an `ETag`, and
//! one that never was is overwritten by a first write without one. A value and its TTL are two steps there: a daprd killed
//! in between leaves the value without the TTL.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use dapr::dapr::proto::common::v1::state_options::{StateConcurrency, StateConsistency};
use dapr::dapr::proto::common::v1::{Etag, StateItem, StateOptions};
use dapr::dapr::proto::runtime::v1::{GetBulkStateRequest, GetStateRequest, SaveStateRequest};
use tonic::{Code, Status};

use super::DaprSidecar;
use super::client::{error, short};
use crate::state::{check_key, seconds};
use crate::{Entry, Error, Match};

/// Keys of one bulk read.
const BATCH: usize = 100;
/// Reads of daprd's at once for one bulk read.
const PARALLELISM: i32 = 16;
/// How often the last writer tries to be that.
const ATTEMPTS: usize = 32;

impl DaprSidecar {
    pub(super) async fn read(&self, key: &str) -> Result<Option<Entry>, Error> {
        check_key(key)?;
        let message = GetStateRequest {
            store_name: self.state_store.clone(),
            key: key.to_owned(),
            consistency: StateConsistency::ConsistencyUnspecified.into(),
            metadata: HashMap::new(),
        };
        let call =
            self.client.call(self.timeouts.state, message, async |mut dapr, request| dapr.get_state(request).await);
        let found = call.await.map_err(|status| error(&status))?;
        Ok(entry(found.data, found.etag))
    }

    pub(super) async fn read_many(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, Error> {
        keys.iter().try_for_each(|key| check_key(key))?;
        let mut found = HashMap::with_capacity(keys.len());
        for batch in keys.chunks(BATCH) {
            let message = GetBulkStateRequest {
                store_name: self.state_store.clone(),
                keys: batch.to_vec(),
                parallelism: PARALLELISM,
                metadata: HashMap::new(),
            };
            let call = self
                .client
                .call(self.timeouts.state, message, async |mut dapr, request| dapr.get_bulk_state(request).await);
            for item in call.await.map_err(|status| error(&status))?.items {
                if !item.error.is_empty() {
                    return Err(Error::Unavailable(short(&item.error)));
                }
                found.insert(item.key, entry(item.data, item.etag));
            }
        }
        Ok(keys.iter().map(|key| found.get(key).cloned().flatten()).collect())
    }

    pub(super) async fn write(
        &self,
        key: &str,
        value: Bytes,
        expect: Match,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        check_key(key)?;
        let new = New { key, value, ttl: seconds(ttl)? };
        match expect {
            Match::Absent => self.create(&new).await,
            Match::Etag(etag) => self.swap(&new, &etag).await,
            Match::Any => self.overwrite(&new).await,
        }
    }

    /// daprd says `INTERNAL` both when the key exists and when the store is away; what is there now tells which. (It may
    /// be our own value, if the write took effect and only its TTL failed; the caller reads it and finds what it wanted.)
    async fn create(&self, new: &New<'_>) -> Result<(), Error> {
        match self.save(new, None).await {
            Err(status) if matches!(status.code(), Code::Internal | Code::Aborted) => match self.read(new.key).await? {
                Some(_) => Err(Error::Conflict),
                None => Err(error(&status)),
            },
            saved => saved.map_err(|status| error(&status)),
        }
    }

    /// daprd says `ABORTED` both for a stale `ETag` and when the store is away; what is there now tells which.
    async fn swap(&self, new: &New<'_>, etag: &str) -> Result<(), Error> {
        // Redis counts from 1; daprd takes an empty `ETag` and Redis takes a 0 as none at all, and would overwrite.
        if etag.is_empty() || etag.parse() == Ok(0_i64) {
            return Err(Error::Conflict);
        }
        match self.save(new, Some(etag)).await {
            Err(status) if matches!(status.code(), Code::Aborted | Code::InvalidArgument) => {
                match self.read(new.key).await? {
                    Some(entry) if entry.etag == etag => Err(error(&status)),
                    _ => Err(Error::Conflict),
                }
            }
            saved => saved.map_err(|status| error(&status)),
        }
    }

    /// Swaps what is there, whatever it is, until nobody comes in between.
    async fn overwrite(&self, new: &New<'_>) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let written = match self.read(new.key).await? {
                None => self.create(new).await,
                Some(entry) => self.swap(new, &entry.etag).await,
            };
            if written != Err(Error::Conflict) {
                return written;
            }
        }
        Err(Error::Unavailable(format!("others kept writing the state key `{}`", new.key)))
    }

    async fn save(&self, new: &New<'_>, etag: Option<&str>) -> Result<(), Status> {
        // Without one, a TTL of the value before would stay; -1 ends it (measured).
        let ttl = new.ttl.map_or("-1".to_owned(), |ttl| ttl.to_string());
        let state = StateItem {
            key: new.key.to_owned(),
            value: new.value.to_vec(),
            etag: etag.map(|etag| Etag { value: etag.to_owned() }),
            metadata: HashMap::from([("ttlInSeconds".to_owned(), ttl)]),
            options: Some(StateOptions {
                concurrency: StateConcurrency::ConcurrencyFirstWrite.into(),
                consistency: StateConsistency::ConsistencyUnspecified.into(),
            }),
        };
        let message = SaveStateRequest { store_name: self.state_store.clone(), states: vec![state] };
        self.client.call(self.timeouts.state, message, async |mut dapr, request| dapr.save_state(request).await).await
    }
}

/// What is to be written.
struct New<'a> {
    key: &'a str,
    value: Bytes,
    ttl: Option<u64>,
}

/// A missing key has neither data nor an `ETag`; an empty value has an `ETag`.
fn entry(data: Vec<u8>, etag: String) -> Option<Entry> {
    (!etag.is_empty()).then(|| Entry { value: data.into(), etag })
}
