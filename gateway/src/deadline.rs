//! Streams that end: at the deadline a client asked for, or when the process shuts down.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;
use tonic::{Status, body::Body};

/// Where a client asks for a deadline.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("grpc-timeout");

/// The deadline a client asked for: at most 8 digits and a unit (gRPC over HTTP/2). What is malformed is ignored.
pub(crate) fn asked(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

pub(crate) fn exceeded() -> Status {
    Status::deadline_exceeded("it took longer than was allowed")
}

/// A body that ends in time, with trailers that say why.
pub(crate) struct Ending {
    body: Body,
    until: Option<Pin<Box<Sleep>>>,
    shutdown: BoxFuture<'static, ()>,
    over: bool,
}

impl Ending {
    pub(crate) fn new(body: Body, until: Option<Instant>, shutdown: CancellationToken) -> Self {
        Self {
            body,
            until: until.map(|until| Box::pin(tokio::time::sleep_until(until))),
            shutdown: Box::pin(shutdown.cancelled_owned()),
            over: false,
        }
    }

    fn end(&mut self, why: &Status) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.over = true;
        self.body = Body::empty();
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(why.add_header(&mut trailers).map(|()| Frame::trailers(trailers))))
    }
}

impl http_body::Body for Ending {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        if self.until.as_mut().is_some_and(|until| until.as_mut().poll(cx).is_ready()) {
            return self.end(&exceeded());
        }
        if self.shutdown.as_mut().poll(cx).is_ready() {
            return self.end(&Status::unavailable("the server is shutting down, please try again"));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
