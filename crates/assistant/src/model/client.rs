//! Calls of the model, over HTTP: one answer, as a stream of events or in one piece.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::TokioExecutor,
};
use metrics::{counter, histogram};
use serde_json::{Value, json};
use sse_stream::SseStream;
use tokio::time::{Instant, timeout_at};

use super::reply::Reply;

/// The largest answer, in bytes.
const LARGEST: usize = 4 << 20;
/// How long to wait before the second try, unless the provider says so.
const PAUSE: Duration = Duration::from_millis(250);

type Body = Limited<hyper::body::Incoming>;

/// The secret that providers are shown; it may be replaced at any time. Clones share it.
#[derive(Clone, Default)]
pub struct Key(Arc<RwLock<Option<HeaderValue>>>);

impl Key {
    /// Takes a key, or none where it is empty.
    ///
    /// # Errors
    /// A sentence, when it holds characters that no header can have.
    pub fn replace(&self, key: &str) -> Result<(), String> {
        let key = key.trim();
        let value = HeaderValue::try_from(format!("Bearer {key}"));
        let mut value = value.map_err(|_| "llm-api-key takes visible ASCII characters".to_owned())?;
        value.set_sensitive(true);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(value).filter(|_| !key.is_empty());
        Ok(())
    }

    pub(super) fn get(&self) -> Option<HeaderValue> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// Why there is no answer; for the log.
#[derive(Debug)]
pub(super) struct Unavailable(pub(super) String);

fn unavailable(why: &(impl ToString + ?Sized)) -> Unavailable {
    Unavailable(why.to_string())
}

/// A provider.
pub(super) struct Client {
    http: Http<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Uri,
    key: Key,
    /// What this model was found not to take.
    no_max_tokens: AtomicBool,
    no_temperature: AtomicBool,
}

impl Client {
    pub(super) fn new(base: &Uri, key: Key) -> Result<Self, String> {
        let url = format!("{}/chat/completions", base.to_string().trim_end_matches('/'));
        let url: Uri = url.parse().map_err(|_| format!("LLM_BASE_URL (--llm-base-url): {base} takes no path"))?;
        let http = Http::builder(TokioExecutor::new()).build(connector(&url)?);
        Ok(Self { http, url, key, no_max_tokens: AtomicBool::default(), no_temperature: AtomicBool::default() })
    }

    /// Asks; text is passed to `heard` as it comes.
    pub(super) async fn ask(
        &self,
        body: &Value,
        deadline: Instant,
        heard: impl FnMut(&str) + Send,
    ) -> Result<Reply, Unavailable> {
        let begun = Instant::now();
        let reply = self.hear(body, deadline, heard).await;
        let outcome = if reply.is_ok() { "answered" } else { "failed" };
        counter!("todo_model_calls_total", "outcome" => outcome).increment(1);
        histogram!("todo_model_call_seconds").record(begun.elapsed());
        reply
    }

    async fn hear(
        &self,
        body: &Value,
        deadline: Instant,
        heard: impl FnMut(&str) + Send,
    ) -> Result<Reply, Unavailable> {
        let late = |_| unavailable("no answer in time");
        let response = timeout_at(deadline, self.send(body, deadline)).await.map_err(late)??;
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            read_events(response.into_body(), deadline, heard).await
        } else {
            timeout_at(deadline, read_whole(response.into_body(), heard)).await.map_err(late)?
        }
    }

    /// Sends it; once more if nobody took it or the provider is busy and time is left.
    async fn send(&self, body: &Value, deadline: Instant) -> Result<Response<Body>, Unavailable> {
        let mut tries = 2;
        loop {
            let (wait, why) = match self.http.request(self.request(body)).await {
                Ok(response) if response.status().is_success() => {
                    return Ok(response.map(|body| Limited::new(body, LARGEST)));
                }
                Ok(response) => {
                    let (status, wait) = (response.status(), retry_after(&response));
                    let error = explained(response).await;
                    if status == StatusCode::BAD_REQUEST && self.learn(&error) {
                        continue;
                    }
                    let wait = wait.or_else(|| status.is_server_error().then_some(PAUSE));
                    let busy = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
                    (wait.filter(|_| busy), format!("{status} {error}"))
                }
                Err(error) => (Some(PAUSE), error.to_string()),
            };
            tries -= 1;
            match wait {
                Some(wait) if tries > 0 && Instant::now() + wait < deadline => tokio::time::sleep(wait).await,
                _ => return Err(Unavailable(why)),
            }
        }
    }

    fn request(&self, body: &Value) -> Request<Full<Bytes>> {
        let mut body = body.clone();
        if let Some(fields) = body.as_object_mut() {
            if self.no_max_tokens.load(Relaxed)
                && let Some(most) = fields.remove("max_tokens")
            {
                fields.insert("max_completion_tokens".to_owned(), most);
            }
            if self.no_temperature.load(Relaxed) {
                fields.remove("temperature");
            }
        }
        let mut request = Request::post(self.url.clone()).header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = self.key.get() {
            request = request.header(header::AUTHORIZATION, key);
        }
        request.body(Full::from(body.to_string())).expect("its parts are valid")
    }

    /// Reasoning models refuse fields that all others take, and name them. Says whether that was it.
    fn learn(&self, error: &Value) -> bool {
        match error["param"].as_str() {
            Some("max_tokens") => !self.no_max_tokens.swap(true, Relaxed),
            Some("temperature") => !self.no_temperature.swap(true, Relaxed),
            _ => false,
        }
    }
}

/// Trusts whom the system trusts; a provider without TLS needs nobody.
fn connector(url: &Uri) -> Result<HttpsConnector<HttpConnector>, String> {
    let provider = rustls::crypto::ring::default_provider();
    let builder = if url.scheme_str() == Some("https") {
        HttpsConnectorBuilder::new().with_provider_and_native_roots(provider).map_err(|error| {
            format!("LLM_BASE_URL (--llm-base-url) is https, and the system has no certificates to check it: {error}")
        })?
    } else {
        let nobody = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        HttpsConnectorBuilder::new().with_tls_config(nobody)
    };
    Ok(builder.https_or_http().enable_http1().build())
}

fn retry_after<B>(response: &Response<B>) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What a provider says of an error, without its message: that may hold what was sent.
async fn explained(response: Response<hyper::body::Incoming>) -> Value {
    let body = Limited::new(response.into_body(), LARGEST).collect().await;
    let error: Value = body.ok().and_then(|body| serde_json::from_slice(&body.to_bytes()).ok()).unwrap_or_default();
    let error = &error["error"];
    json!({ "type": error["type"], "code": error["code"], "param": error["param"] })
}

async fn read_whole(body: Body, mut heard: impl FnMut(&str)) -> Result<Reply, Unavailable> {
    let body = body.collect().await.map_err(|error| unavailable(&error))?.to_bytes();
    let mut reply = Reply::default();
    let whole = serde_json::from_slice(&body).map_err(|error| unavailable(&error))?;
    heard(&reply.take(&whole)?);
    if reply.finished || !reply.text.is_empty() || !reply.calls.is_empty() {
        return Ok(reply);
    }
    Err(unavailable("an answer without choices"))
}

async fn read_events(body: Body, deadline: Instant, mut heard: impl FnMut(&str)) -> Result<Reply, Unavailable> {
    let mut reply = Reply::default();
    // Some end without the empty line that makes the last event whole.
    let end = stream::once(async { Ok(Bytes::from_static(b"\n\n")) });
    let mut events = std::pin::pin!(SseStream::from_bytes_stream(body.into_data_stream().map(broken).chain(end)));
    loop {
        let why = match timeout_at(deadline, events.next()).await {
            Ok(Some(Ok(event))) => match event.data.as_deref().map(str::trim) {
                Some("[DONE]") => return Ok(reply),
                Some(data) if !data.is_empty() => {
                    let chunk = serde_json::from_str(data).map_err(|error| unavailable(&error))?;
                    heard(&reply.take(&chunk)?);
                    continue;
                }
                _ => continue,
            },
            Ok(Some(Err(error))) => error.to_string(),
            Ok(None) => "the answer broke off".to_owned(),
            Err(_) => "no whole answer in time".to_owned(),
        };
        // Who has said that it is the end may go as they like.
        return if reply.finished { Ok(reply) } else { Err(Unavailable(why)) };
    }
}

fn broken<T>(read: Result<T, Box<dyn std::error::Error + Send + Sync>>) -> Result<T, std::io::Error> {
    read.map_err(std::io::Error::other)
}
