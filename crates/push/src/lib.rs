//! Web push: a message to a browser, by the push service of its maker (RFC 8030), readable by that browser alone
//! (RFC 8291), and signed by this server (RFC 8292). No I/O but that; who is to be told of what is the backend's.

mod encryption;
mod endpoint;
mod outside;
mod vapid;

#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

pub use self::{
    encryption::{AUTH, Keys},
    endpoint::{Endpoint, is_public},
    outside::{Dns, Lookup, Outside, Unreachable},
    vapid::Vapid,
};

/// How long a connection that is not used is kept.
const IDLE: Duration = Duration::from_secs(30);

/// What is to be told.
#[derive(Clone, Debug)]
pub struct Message {
    /// What the browser's worker gets: 3,993 bytes at most.
    pub payload: Vec<u8>,
    /// Takes the place of one with the same topic that waits at the push service: 1 to 32 letters of base64url.
    pub topic: String,
    /// How long the push service may keep it for a browser that is away.
    pub ttl: Duration,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The push service has it.
    Taken,
    /// There is no such subscription any more.
    Gone,
    /// It would be refused again.
    Refused(String),
    /// It may be taken later: why it was not, and when, if the push service said so.
    Later(String, Option<Duration>),
}

/// Sends messages.
pub struct Pusher {
    client: Client<HttpsConnector<HttpConnector<outside::Gate>>, Full<Bytes>>,
    outside: Outside,
    vapid: Vapid,
}

impl std::fmt::Debug for Pusher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pusher").finish_non_exhaustive()
    }
}

impl Pusher {
    /// One that signs with this key.
    #[must_use]
    pub fn new(vapid: Vapid, outside: Outside) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(outside.gate());
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls = HttpsConnectorBuilder::new().with_tls_config(outside.tls.clone()).https_only().enable_http1();
        let connector = tls.wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE).build(connector);
        Self { client, outside, vapid }
    }

    /// The public key that browsers subscribe with, in base64url.
    #[must_use]
    pub fn public_key(&self) -> String {
        self.vapid.public_key()
    }

    /// Finds out whether messages can go to an endpoint.
    ///
    /// # Errors
    /// When its host has no address, or one that is not public.
    pub async fn check(&self, endpoint: &Endpoint) -> Result<(), Unreachable> {
        let found = tokio::time::timeout(self.outside.patience, self.outside.find(endpoint.host())).await;
        found.unwrap_or(Err(Unreachable::Unknown)).map(drop)
    }

    /// Sends a message once. Redirects are not followed, and of the answer only its head is read.
    pub async fn push(&self, endpoint: &Endpoint, keys: &Keys, message: &Message, now: DateTime<Utc>) -> Outcome {
        let body = match keys.encrypt(&message.payload) {
            Ok(body) => body,
            Err(why) => return Outcome::Refused(why),
        };
        let request = Request::post(endpoint.uri().clone())
            .header(header::AUTHORIZATION, self.vapid.authorization(&endpoint.origin(), now))
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header("ttl", message.ttl.as_secs())
            .header("topic", &message.topic)
            .header("urgency", "high")
            .body(Full::from(body));
        let request = match request {
            Ok(request) => request,
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        match tokio::time::timeout(self.outside.patience, self.client.request(request)).await {
            Err(_) => Outcome::Later("no answer in time".to_owned(), None),
            Ok(Err(error)) => Outcome::Later(causes(&error), None),
            Ok(Ok(response)) => outcome(&response),
        }
    }
}

fn outcome<B>(response: &Response<B>) -> Outcome {
    let status = response.status();
    match status {
        _ if status.is_success() => Outcome::Taken,
        StatusCode::NOT_FOUND | StatusCode::GONE => Outcome::Gone,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Outcome::Later(status.to_string(), retry_after(response))
        }
        _ if status.is_server_error() => Outcome::Later(status.to_string(), retry_after(response)),
        _ => Outcome::Refused(status.to_string()),
    }
}

/// Only in seconds: a date is the clock of another.
fn retry_after<B>(response: &Response<B>) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An error with what caused it. None of them names the path of an endpoint, by which anyone could send to it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
