//! The token of internal calls, which shows that backend and scheduler talk to each other: daprd passes on the calls of
//! any app, so it shows nothing.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use bytes::Bytes;
use http::HeaderValue;
use subtle::ConstantTimeEq;
use todo_sidecar::{ApiChannel, CloudEvent, Entry, Error, Match, Secret, Sidecar};
use tonic::{Status, body::Body};
use tower::ServiceExt as _;

use crate::secrets::Secrets;

/// The metadata that carries it.
const HEADER: &str = "internal-token";

/// The secret `internal-token`: one token, or a JSON array of them, of which the first is shown and all are taken.
#[derive(Clone)]
pub(crate) struct InternalToken(Arc<RwLock<Vec<HeaderValue>>>);

impl InternalToken {
    pub(crate) fn parse(secret: &str) -> Result<Self, String> {
        Ok(Self(Arc::new(RwLock::new(read(secret)?))))
    }

    /// Takes another value of the secret from now on.
    pub(crate) fn replace(&self, secret: &str) -> Result<(), String> {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = read(secret)?;
        Ok(())
    }

    fn shown(&self) -> Option<HeaderValue> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }

    fn takes(&self, shown: Option<&HeaderValue>) -> bool {
        let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let shown = shown.map(HeaderValue::as_bytes).unwrap_or_default();
        tokens.iter().any(|token| bool::from(token.as_bytes().ct_eq(shown)))
    }

    /// Lets only calls with the token through to these services. One that is not known may be newer than what was read
    /// last: then the secrets are read anew.
    pub(crate) fn guard(&self, services: Router, secrets: &Secrets) -> Router {
        type Known = (InternalToken, Secrets);
        async fn check(State((token, secrets)): State<Known>, request: Request, next: Next) -> Response {
            let shown = request.headers().get(HEADER).cloned();
            if shown.is_some() && !token.takes(shown.as_ref()) {
                secrets.refresh().await;
            }
            if token.takes(shown.as_ref()) {
                return next.run(request).await;
            }
            tracing::warn!(path = request.uri().path(), "an internal call without the internal-token was refused");
            Status::permission_denied("this service is for the system's own parts").into_http()
        }
        services.layer(middleware::from_fn_with_state((self.clone(), secrets.clone()), check))
    }
}

fn read(secret: &str) -> Result<Vec<HeaderValue>, String> {
    let wrong =
        || "internal-token takes a token of 16 or more visible ASCII characters, or a JSON array of such".to_owned();
    let tokens: Vec<String> = if secret.trim_start().starts_with('[') {
        serde_json::from_str(secret).map_err(|_| wrong())?
    } else {
        vec![secret.trim().to_owned()]
    };
    let tokens: Vec<_> = tokens
        .iter()
        .filter(|token| token.len() >= 16)
        .filter_map(|token| {
            let mut value = HeaderValue::from_str(token).ok()?;
            value.set_sensitive(true);
            Some(value)
        })
        .collect();
    if tokens.is_empty() { Err(wrong()) } else { Ok(tokens) }
}

/// A sidecar whose calls to other apps carry the token.
pub(crate) struct Trusted {
    pub(crate) sidecar: Arc<dyn Sidecar>,
    pub(crate) token: InternalToken,
}

#[async_trait]
impl Sidecar for Trusted {
    async fn publish(&self, topic: &str, event: &CloudEvent) -> Result<(), Error> {
        self.sidecar.publish(topic, event).await
    }

    async fn publish_many(&self, topic: &str, events: &[CloudEvent]) -> Vec<Result<(), Error>> {
        self.sidecar.publish_many(topic, events).await
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        self.sidecar.get(key).await
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, Error> {
        self.sidecar.get_many(keys).await
    }

    async fn put(&self, key: &str, value: Bytes, expect: Match, ttl: Option<Duration>) -> Result<(), Error> {
        self.sidecar.put(key, value, expect, ttl).await
    }

    async fn secret(&self, name: &str) -> Result<Secret, Error> {
        self.sidecar.secret(name).await
    }

    fn app(&self, id: &str) -> ApiChannel {
        let token = self.token.clone();
        ApiChannel::new(self.sidecar.app(id).map_request(move |mut request: http::Request<Body>| {
            if let Some(token) = token.shown() {
                request.headers_mut().insert(HEADER, token);
            }
            request
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_tokens_is_enough_and_none_is_not() {
        let value = |text: &'static str| HeaderValue::from_static(text);
        let token = InternalToken::parse("[\"a token of sixteen\",\"the former one of us\"]").unwrap();
        assert_eq!(token.shown(), Some(value("a token of sixteen")));
        assert!(token.takes(Some(&value("the former one of us"))));
        assert!(!token.takes(None) && !token.takes(Some(&value(""))) && !token.takes(Some(&value("a token"))));
        token.replace("another that is new").unwrap();
        assert!(token.takes(Some(&value("another that is new"))) && !token.takes(Some(&value("a token of sixteen"))));
        for wrong in ["", "short", "[]", "[\"\"]", "[1]", "a token\nof two lines"] {
            assert!(InternalToken::parse(wrong).is_err(), "{wrong}");
        }
    }
}
