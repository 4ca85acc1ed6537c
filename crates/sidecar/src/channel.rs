//! [`ApiChannel`]: one gRPC transport for generated clients, in process or over the network.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint, channel::Change};
use tonic::{Status, TimeoutExpired};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

/// Any error of a transport, as tonic's clients take it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A boxed, cheaply cloned tower service over tonic's bodies: give it to a generated client's `new`.
#[derive(Clone)]
pub struct ApiChannel(BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>);

impl ApiChannel {
    /// Wraps any such service, for example one that adds metadata to another channel.
    pub fn new<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        Self(BoxCloneSyncService::new(service.map_err(Into::into)))
    }

    /// Calls services of this process directly, without a socket.
    ///
    /// It does what the network and tonic's server would do: a `grpc-timeout` drops the handler and fails the call
    /// as tonic's channel does (`CANCELLED`, "Timeout expired"), and a handler's panic is its caller's `INTERNAL`.
    #[must_use]
    pub fn from_routes(routes: Routes) -> Self {
        Self::new(InProcess(routes.prepare()))
    }

    /// Calls over so many connections to one address, which a balancer leads to different replicas: a call goes over any
    /// that is there.
    #[must_use]
    pub fn spread(endpoint: &Endpoint, connections: usize) -> Self {
        let (channel, changes) = Channel::balance_channel(connections);
        for number in 0..connections {
            // There is room for all.
            let _ = changes.try_send(Change::Insert(number, endpoint.clone()));
        }
        Self::from_channel(channel)
    }

    /// Calls over the network; what is called is told which trace it is part of.
    #[must_use]
    pub fn from_channel(channel: Channel) -> Self {
        Self::new(channel.map_request(|mut request: Request<Body>| {
            todo_trace::inject(request.headers_mut());
            request
        }))
    }
}

impl fmt::Debug for ApiChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiChannel")
    }
}

impl Service<Request<Body>> for ApiChannel {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}

#[derive(Clone)]
struct InProcess(Routes);

impl Service<Request<Body>> for InProcess {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // Each call goes to a clone of its own, which is made ready there.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let timeout = grpc_timeout(request.headers());
        let answer = AssertUnwindSafe(self.0.clone().oneshot(request)).catch_unwind();
        Box::pin(async move {
            let answer = match timeout {
                None => answer.await,
                Some(timeout) => tokio::time::timeout(timeout, answer).await.map_err(|_| TimeoutExpired(()))?,
            };
            match answer {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(never)) => match never {},
                Err(_panic) => Ok(Status::internal("the handler panicked").into_http()),
            }
        })
    }
}

/// The deadline a client asked for: at most 8 digits and a unit (gRPC over HTTP/2). What is malformed is ignored.
fn grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(n * 3600),
        "M" => Duration::from_secs(n * 60),
        "S" => Duration::from_secs(n),
        "m" => Duration::from_millis(n),
        "u" => Duration::from_micros(n),
        "n" => Duration::from_nanos(n),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_are_spread_over_connections() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let channel = ApiChannel::spread(&endpoint, 3);
        let call = tokio::spawn(channel.oneshot(Request::new(Body::empty())));
        for connection in 1..=3 {
            let accepted = tokio::time::timeout(Duration::from_secs(10), listener.accept()).await;
            accepted.unwrap_or_else(|_| panic!("connection {connection} does not come")).unwrap();
        }
        call.abort();
    }

    #[test]
    fn deadlines_are_read_in_every_unit() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().unwrap());
            grpc_timeout(&headers)
        };
        assert_eq!(read("2H"), Some(Duration::from_hours(2)));
        assert_eq!(read("3M"), Some(Duration::from_mins(3)));
        assert_eq!(read("4S"), Some(Duration::from_secs(4)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("5u"), Some(Duration::from_micros(5)));
        assert_eq!(read("99999999n"), Some(Duration::from_nanos(99_999_999)));
        for malformed in ["", "m", "5", "5x", "-5S", "123456789S"] {
            assert_eq!(read(malformed), None, "{malformed}");
        }
    }
}
