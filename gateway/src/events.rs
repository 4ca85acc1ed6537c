//! Server streams as server-sent events (WHATWG HTML, section 9.2).

use std::{convert::Infallible, time::Duration};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::{FutureExt as _, stream};
use http::{HeaderValue, header};
use prost_reflect::MessageDescriptor;
use todo_proto::json::{self, Malformed};
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::status::Failure;

/// How long the first message is waited for before the answer begins without: errors come at once, and are then
/// plain answers.
const FIRST: Duration = Duration::from_millis(500);
/// How many bytes of events that are there already are written at once.
const BURST: usize = 16 * 1024;

/// Answers with a stream.
///
/// # Errors
/// If the stream ends with an error before its first message.
pub(crate) async fn respond(
    mut messages: Streaming<Bytes>,
    kind: MessageDescriptor,
    heartbeat: Duration,
    shutdown: CancellationToken,
    token_sent: bool,
) -> Result<Response, Failure> {
    let first = match tokio::time::timeout(FIRST, messages.message()).await {
        Ok(Ok(Some(message))) => {
            let mut text = Vec::with_capacity(1024);
            write(&kind, &message, &mut text).map_err(|_| Failure::internal())?;
            Some(text.into())
        }
        Ok(Ok(None)) => Some(Bytes::new()),
        Ok(Err(status)) => return Err(Failure::from_status(&status, token_sent)),
        // Nothing yet. A comment gets the headers through whatever buffers on the way.
        Err(_) => Some(Bytes::from_static(b":\n\n")),
    };
    let mut pulse = tokio::time::interval_at(Instant::now() + heartbeat, heartbeat);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let feed = Feed { first, kind, messages: Some(messages), pulse, shutdown, token_sent };
    let text = stream::unfold(feed, |mut feed| async move {
        let text = feed.next().await?;
        Some((Ok::<_, Infallible>(text), feed))
    });
    let mut response = Response::new(Body::from_stream(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold events back until its buffer is full.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

struct Feed {
    first: Option<Bytes>,
    kind: MessageDescriptor,
    messages: Option<Streaming<Bytes>>,
    pulse: Interval,
    shutdown: CancellationToken,
    token_sent: bool,
}

impl Feed {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        let messages = self.messages.as_mut()?;
        let message = tokio::select! {
            biased;
            () = self.shutdown.cancelled() => return None,
            message = messages.message() => message,
            _ = self.pulse.tick() => return Some(Bytes::from_static(b":\n\n")),
        };
        let mut text = Vec::with_capacity(1024);
        self.add(message, &mut text);
        // What is there already goes out in one write.
        while text.len() < BURST
            && let Some(message) = self.messages.as_mut().and_then(|messages| messages.message().now_or_never())
        {
            self.add(message, &mut text);
        }
        Some(text.into())
    }

    fn add(&mut self, message: Result<Option<Bytes>, Status>, text: &mut Vec<u8>) {
        let written = match message {
            Ok(Some(message)) => {
                let before = text.len();
                write(&self.kind, &message, text).map_err(|error| {
                    text.truncate(before);
                    Status::internal(error.to_string())
                })
            }
            Ok(None) => {
                self.messages = None;
                Ok(())
            }
            Err(status) => Err(status),
        };
        if let Err(status) = written {
            self.messages = None;
            text.extend_from_slice(b"event: error\ndata: ");
            text.extend_from_slice(&Failure::from_status(&status, self.token_sent).json());
            text.extend_from_slice(b"\n\n");
        }
    }
}

/// The text of one message: `event:` is its field `event_type`, `id:` its `revision`, `data:` all of it. JSON text
/// has no line breaks, so one line holds it.
fn write(kind: &MessageDescriptor, message: &[u8], text: &mut Vec<u8>) -> Result<(), Malformed> {
    if let Some(event) = json::text_field(kind, message, "event_type").filter(|event| !event.contains(['\r', '\n'])) {
        text.extend_from_slice(format!("event: {event}\n").as_bytes());
    }
    if let Some(revision) = json::int_field(kind, message, "revision") {
        text.extend_from_slice(format!("id: {revision}\n").as_bytes());
    }
    text.extend_from_slice(b"data: ");
    json::transcode(kind, message, text)?;
    text.extend_from_slice(b"\n\n");
    Ok(())
}
