//! A sidecar in memory whose broker and state store can be away.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;
use todo_sidecar::{ApiChannel, CloudEvent, Entry, Error, Match, Secret, Sidecar};
use uuid::Uuid;

use super::Backend;
use crate::locked;

/// Values and their TTL.
type State = HashMap<String, (Entry, Option<Duration>)>;

pub(crate) struct FakeSidecar {
    backend: Arc<Backend>,
    /// What was published or tried to be, by topic, with its envelope.
    attempts: Mutex<Vec<Attempt>>,
    state: Mutex<State>,
    versions: AtomicU64,
    pub(crate) broker_away: AtomicBool,
    pub(crate) state_away: AtomicBool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attempt {
    pub(crate) topic: String,
    pub(crate) event: CloudEvent,
    pub(crate) accepted: bool,
}

impl FakeSidecar {
    pub(crate) fn new(backend: Arc<Backend>) -> Self {
        Self {
            backend,
            attempts: Mutex::default(),
            state: Mutex::default(),
            versions: AtomicU64::new(0),
            broker_away: AtomicBool::new(false),
            state_away: AtomicBool::new(false),
        }
    }

    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        locked(&self.attempts).clone()
    }

    pub(crate) fn published(&self) -> Vec<Attempt> {
        self.attempts().into_iter().filter(|attempt| attempt.accepted).collect()
    }

    pub(crate) fn count_published(&self) -> usize {
        locked(&self.attempts).iter().filter(|attempt| attempt.accepted).count()
    }

    /// A value of the state store and its TTL.
    pub(crate) fn stored(&self, kind: &str, id: Uuid) -> Option<(Value, Option<Duration>)> {
        let state = locked(&self.state);
        let (entry, ttl) = state.get(&format!("{kind}:{id}"))?;
        Some((serde_json::from_slice(&entry.value).expect("JSON"), *ttl))
    }

    fn state(&self) -> Result<MutexGuard<'_, State>, Error> {
        if self.state_away.load(Ordering::SeqCst) {
            return Err(Error::Unavailable("the state store is away".into()));
        }
        Ok(locked(&self.state))
    }
}

#[async_trait]
impl Sidecar for FakeSidecar {
    async fn publish(&self, topic: &str, event: &CloudEvent) -> Result<(), Error> {
        self.publish_many(topic, std::slice::from_ref(event)).await.remove(0)
    }

    async fn publish_many(&self, topic: &str, events: &[CloudEvent]) -> Vec<Result<(), Error>> {
        let accepted = !self.broker_away.load(Ordering::SeqCst);
        let attempt = |event: &CloudEvent| Attempt { topic: topic.into(), event: event.clone(), accepted };
        locked(&self.attempts).extend(events.iter().map(attempt));
        if accepted {
            for event in events {
                self.backend.see(&event.id);
            }
        }
        let result = if accepted { Ok(()) } else { Err(Error::Unavailable("the broker is away".into())) };
        vec![result; events.len()]
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        Ok(self.state()?.get(key).map(|(entry, _)| entry.clone()))
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, Error> {
        let state = self.state()?;
        Ok(keys.iter().map(|key| state.get(key).map(|(entry, _)| entry.clone())).collect())
    }

    async fn put(&self, key: &str, value: Bytes, expect: Match, ttl: Option<Duration>) -> Result<(), Error> {
        let mut state = self.state()?;
        let stored = state.get(key).map(|(entry, _)| entry.etag.clone());
        let holds = match expect {
            Match::Any => true,
            Match::Absent => stored.is_none(),
            Match::Etag(etag) => stored == Some(etag),
        };
        if !holds {
            return Err(Error::Conflict);
        }
        let etag = self.versions.fetch_add(1, Ordering::SeqCst).to_string();
        state.insert(key.into(), (Entry { value, etag }, ttl));
        Ok(())
    }

    async fn secret(&self, _name: &str) -> Result<Secret, Error> {
        Err(Error::NotFound)
    }

    fn app(&self, id: &str) -> ApiChannel {
        assert_eq!(id, "backend");
        self.backend.channel()
    }
}
