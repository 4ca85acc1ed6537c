//! Calls to other apps, through daprd's gRPC port
//! (<https://docs.dapr.io/developing-applications/building-blocks/service-invocation/howto-invoke-services-grpc/>).

use std::mem;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::{Channel, Error};
use tower::Service;

use super::client::{Client, TOKEN};
use crate::ApiChannel;

/// Says which app a call is for.
const APP: &str = "dapr-app-id";
/// What daprd's name resolvers say when they know no such app: `SQLite`, mDNS, Consul, and any with an empty answer. (The
/// one of Kubernetes always has an address, and the connection fails with `UNAVAILABLE`.)
const NOBODY: [&str; 4] = [
    "no host found with the given ID",
    "couldn't find service",
    "no healthy services found",
    "resolver returned empty",
];

impl Client {
    pub(super) fn app(&self, id: &str) -> ApiChannel {
        match HeaderValue::from_str(id) {
            Ok(app) => {
                let token = self.token.as_ref().and_then(|token| HeaderValue::from_bytes(token.as_bytes()).ok());
                ApiChannel::new(Invocation { channel: self.channel.clone(), app, token })
            }
            Err(_) => ApiChannel::new(tower::service_fn(|_: Request<Body>| async {
                Ok::<_, Error>(Status::unavailable("no app can have such an id").into_http())
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
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response<Body>, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let headers = request.headers_mut();
        headers.insert(APP, self.app.clone());
        // One that came with the metadata of an outer call is not ours to pass on.
        headers.remove(TOKEN);
        if let Some(token) = &self.token {
            headers.insert(TOKEN, token.clone());
        }
        let fresh = self.channel.clone();
        let answer = mem::replace(&mut self.channel, fresh).call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            correct(response.headers_mut());
            Ok(response)
        })
    }
}

/// daprd says `UNKNOWN` of an app that it cannot find; the port promises `UNAVAILABLE`.
fn correct(headers: &mut HeaderMap) {
    let is = |name: &str, holds: &dyn Fn(&str) -> bool| {
        headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(holds)
    };
    let nobody = |message: &str| NOBODY.iter().any(|known| message.contains(known));
    if is("grpc-status", &|code| code == "2") && is("grpc-message", &nobody) {
        headers.insert("grpc-status", HeaderValue::from_static("14"));
    }
}
