//! The port of one app.

use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Service, ServiceExt};

use super::faults::Fate;
use super::registry::Registry;
use super::writer::{Put, Row};
use super::{Core, micros_of};
use crate::channel::BoxError;
use crate::port::send;
use crate::state::{SEPARATOR, check_key, seconds};
use crate::{ApiChannel, CloudEvent, Entry, Error, Match, Secret, Sidecar, TOPIC};

pub(super) struct Handle {
    app: String,
    core: Arc<Core>,
    registry: Weak<Registry>,
}

impl Handle {
    pub(super) fn new(app: &str, core: Arc<Core>, registry: Weak<Registry>) -> Self {
        Self { app: app.to_owned(), core, registry }
    }

    fn key(&self, key: &str) -> Result<String, Error> {
        check_key(key)?;
        Ok(format!("{}{SEPARATOR}{key}", self.app))
    }
}

#[async_trait]
impl Sidecar for Handle {
    async fn publish(&self, topic: &str, event: &CloudEvent) -> Result<(), Error> {
        self.publish_many(topic, std::slice::from_ref(event)).await.pop().unwrap_or(Ok(()))
    }

    async fn publish_many(&self, topic: &str, events: &[CloudEvent]) -> Vec<Result<(), Error>> {
        if topic.is_empty() {
            return vec![Err(Error::Refused("a topic must have a name".into())); events.len()];
        }
        let mut rows = Vec::with_capacity(events.len());
        let mut results = Vec::with_capacity(events.len());
        // Those whose result is that of the commit.
        let mut stored = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            if let Err(invalid) = event.validate() {
                results.push(Err(invalid.into()));
                continue;
            }
            let fate = self.core.faults.publish();
            if matches!(fate, Fate::Pass | Fate::Duplicate | Fate::FailAfter) {
                rows.push(row(event));
            }
            if fate == Fate::Duplicate {
                rows.push(row(event));
            }
            if matches!(fate, Fate::Pass | Fate::Duplicate) {
                stored.push(index);
            }
            results.push(if matches!(fate, Fate::FailBefore | Fate::FailAfter) { Err(injected()) } else { Ok(()) });
        }
        if rows.is_empty() {
            return results;
        }
        if let Err(error) = send(topic, events, self.core.store.publish(topic, rows, self.core.now())).await {
            for index in stored {
                results[index] = Err(error.clone());
            }
        }
        results
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        Ok(self.get_many(std::slice::from_ref(&key.to_owned())).await?.pop().flatten())
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, Error> {
        let keys = keys.iter().map(|key| self.key(key)).collect::<Result<Vec<_>, _>>()?;
        if self.core.faults.state() != Fate::Pass {
            return Err(injected());
        }
        let found = self.core.store.entries(&keys, self.core.now()).await?;
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    async fn put(&self, key: &str, value: Bytes, expect: Match, ttl: Option<Duration>) -> Result<(), Error> {
        let key = self.key(key)?;
        let ttl = seconds(ttl)?;
        let fate = self.core.faults.state();
        if fate == Fate::FailBefore {
            return Err(injected());
        }
        let now = self.core.now();
        let expires_at = ttl.map(|ttl| now.saturating_add(micros_of(Duration::from_secs(ttl))));
        self.core.store.put(Put { key, value, expect, expires_at, now }).await?;
        if fate == Fate::FailAfter { Err(injected()) } else { Ok(()) }
    }

    async fn secret(&self, name: &str) -> Result<Secret, Error> {
        self.core.secrets.find(name).await
    }

    fn app(&self, id: &str) -> ApiChannel {
        ApiChannel::new(Invocation {
            app: id.into(),
            core: Arc::clone(&self.core),
            registry: Weak::clone(&self.registry),
        })
    }
}

fn row(event: &CloudEvent) -> Row {
    let body = if event.extensions.contains_key(TOPIC) {
        let mut own = event.clone();
        own.extensions.remove(TOPIC);
        own.to_json()
    } else {
        event.to_json()
    };
    Row { id: event.id.clone(), type_: event.type_.clone(), body }
}

fn injected() -> Error {
    Error::Unavailable("an injected fault".into())
}

/// Finds the app when it is called, so that neither has to start first.
#[derive(Clone)]
struct Invocation {
    app: Arc<str>,
    core: Arc<Core>,
    registry: Weak<Registry>,
}

impl Service<Request<Body>> for Invocation {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let services = self.registry.upgrade().and_then(|registry| registry.app(&self.app)?.services());
        let Some(services) = services else {
            let status = Status::unavailable(format!("app `{}` is not there", self.app));
            return Box::pin(async { Ok(status.into_http()) });
        };
        let fate = self.core.faults.invoke();
        Box::pin(async move {
            let lost = || Ok(Status::unavailable("an injected fault").into_http());
            if fate == Fate::FailBefore {
                return lost();
            }
            let response = services.oneshot(request).await?;
            if fate == Fate::FailAfter { lost() } else { Ok(response) }
        })
    }
}
