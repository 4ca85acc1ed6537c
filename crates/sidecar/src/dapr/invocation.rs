//! Calls to other apps, through daprd's gRPC port
//! (<https://docs.dapr.io/developing-applications/building-blocks/service-invocation/howto-invoke-services-grpc/>).
//!
//! A call that daprd could bring to nobody fails as one does on a channel without a connection, by [`ConnectError`]:
//! whoever makes calls again can tell it from one that broke off.

use std::mem;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response};
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, ConnectError, Status};
use tower::Service;

use super::client::{Client, TOKEN};
use crate::ApiChannel;
use crate::channel::BoxError;

/// Says which app a call is for.
const APP: &str = "dapr-app-id";
/// What daprd says of a call that reached nobody: its name resolvers, when they know no such app (`SQLite`, mDNS, Consul,
/// and any with an empty answer), and its gRPC client, when there is no connection to the other daprd, or from that to
/// the app. What breaks later is told in other words.
const NOBODY: [&str; 7] = [
    "no host found with the given ID",
    "couldn't find service",
    "no healthy services found",
    "resolver returned empty",
    "transport: Error while dialing",
    "transport: authentication handshake failed",
    "error reading server preface",
];
/// What its gRPC client says of calls whose connection it closed itself, because another call on it failed.
const CLOSED: &str = "the client connection is closing";

impl Client {
    pub(super) fn app(&self, id: &str) -> ApiChannel {
        match HeaderValue::from_str(id) {
            Ok(app) => {
                let token = self.token.as_ref().and_then(|token| HeaderValue::from_bytes(token.as_bytes()).ok());
                ApiChannel::new(Invocation { channel: self.channel.clone(), app, token })
            }
            Err(_) => ApiChannel::new(tower::service_fn(|_: Request<Body>| async {
                Err::<Response<Body>, _>(ConnectError("no app can have such an id".into()))
            })),
        }
    }
}

#[derive(Clone)]
struct Invocation {
    channel: Channel,
    app: HeaderValue,
    token: Option<HeaderValue>,
}

impl Service<Request<Body>> for Invocation {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.channel.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let headers = request.headers_mut();
        headers.insert(APP, self.app.clone());
        todo_trace::inject(headers);
        // One that came with the metadata of an outer call is not ours to pass on.
        headers.remove(TOKEN);
        if let Some(token) = &self.token {
            headers.insert(TOKEN, token.clone());
        }
        let fresh = self.channel.clone();
        let answer = mem::replace(&mut self.channel, fresh).call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            correct(response.headers_mut())?;
            Ok(response)
        })
    }
}

/// daprd says `UNKNOWN` of an app that it cannot find, and `CANCELLED` of calls that it did not carry to their end; the
/// port promises `UNAVAILABLE`.
fn correct(headers: &mut HeaderMap) -> Result<(), ConnectError> {
    let Some(status) = Status::from_header_map(headers) else { return Ok(()) };
    let passing = matches!(status.code(), Code::Unknown | Code::Unavailable);
    // With details, it is the app's own.
    if passing && status.details().is_empty() && NOBODY.iter().any(|known| status.message().contains(known)) {
        return Err(ConnectError(status.message().into()));
    }
    if status.code() == Code::Cancelled && status.message().contains(CLOSED) {
        headers.insert(Status::GRPC_STATUS, HeaderValue::from_static("14"));
    }
    Ok(())
}
