//! Native gRPC and gRPC-web: public rpcs go to the backend as they are, without being decoded; reflection and health
//! are answered here.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use axum::{extract::Request, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Status, body::Body, service::Routes};
use tonic_web::GrpcWebLayer;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::{
    Options,
    backend::Backend,
    contract::Rpc,
    deadline::{self, Ending},
    discovery,
    edge::Template,
    peer::Peer,
};

/// Bytes before each message: a flag and its length.
const FRAME: usize = 5;

/// Serves gRPC in both its forms.
#[derive(Clone)]
pub(crate) struct Proxy(Arc<Inner>);

struct Inner {
    backend: Backend,
    rpcs: HashMap<String, Arc<Rpc>>,
    local: Routes,
    options: Options,
}

/// Whether a request is gRPC in any of its forms.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    kind(headers).starts_with(b"application/grpc")
}

fn kind(headers: &HeaderMap) -> &[u8] {
    headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default()
}

/// What is answered when we ourselves failed.
pub(crate) fn internal() -> Response {
    Status::internal("something went wrong on our side").into_http()
}

impl Proxy {
    pub(crate) fn new(rpcs: &[Arc<Rpc>], backend: &Backend, options: &Options) -> Self {
        Self(Arc::new(Inner {
            backend: backend.clone(),
            rpcs: rpcs.iter().map(|rpc| (rpc.path.as_str().to_owned(), Arc::clone(rpc))).collect(),
            local: discovery::routes(options),
            options: options.clone(),
        }))
    }

    /// Serves a request that [`is_grpc`].
    pub(crate) async fn serve(&self, peer: &Peer, mut request: Request) -> Response {
        peer.vouch(request.headers_mut());
        let template = self.template(request.uri().path());
        let web = kind(request.headers()).starts_with(b"application/grpc-web");
        let response = if web {
            let proxy = self.clone();
            let service = service_fn(move |request| {
                let proxy = proxy.clone();
                async move { Ok::<_, Infallible>(proxy.call(request).await) }
            });
            let Ok(response) = GrpcWebLayer::new().layer(service).oneshot(request).await;
            response
        } else if request.version() < Version::HTTP_2 {
            // Its trailers would be lost, and with them every status.
            let mut response = http::Response::new(Body::empty());
            *response.status_mut() = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
            response
        } else {
            self.call(request.map(Body::new)).await
        };
        let mut response = response.map(axum::body::Body::new);
        response.extensions_mut().insert(Template(template));
        response
    }

    /// What the log calls a path: nothing that a client made up.
    fn template(&self, path: &str) -> Arc<str> {
        match self.0.rpcs.get_key_value(path) {
            Some((path, _)) => path.as_str().into(),
            None if discovery::is(path) => "/grpc".into(),
            None => "".into(),
        }
    }

    async fn call(&self, request: http::Request<Body>) -> http::Response<Body> {
        self.0.call(request).await.unwrap_or_else(Status::into_http)
    }
}

impl Inner {
    async fn call(&self, mut request: http::Request<Body>) -> Result<http::Response<Body>, Status> {
        *request.version_mut() = Version::HTTP_2;
        let asked = deadline::asked(request.headers());
        // Kept here, for both transports alike; below it would come back as CANCELLED.
        request.headers_mut().remove(deadline::HEADER);
        let path = request.uri().path();
        if discovery::is(path) {
            let Ok(response) = self.local.clone().oneshot(request).await;
            let until = asked.map(|asked| Instant::now() + asked);
            return Ok(ending(response, until, self.options.shutdown.clone()));
        }
        let Some(rpc) = self.rpcs.get(path) else {
            return Err(Status::unimplemented("there is no such method here"));
        };
        let streams = rpc.streams();
        let timeout = self.options.timeout(rpc);
        let limit = if streams { asked } else { Some(asked.map_or(timeout, |asked| asked.min(timeout))) };
        let until = limit.map(|limit| Instant::now() + limit);
        let call = async {
            let request = if rpc.descriptor.is_client_streaming() { request } else { self.whole(request).await? };
            self.backend.clone().oneshot(request).await
        };
        let response = match until {
            Some(until) => tokio::time::timeout_at(until, call).await.map_err(|_| deadline::exceeded())??,
            None => call.await?,
        };
        Ok(if streams { ending(response, until, self.options.end(rpc)) } else { response })
    }

    /// A request whose one message is not too large.
    async fn whole(&self, request: http::Request<Body>) -> Result<http::Request<Body>, Status> {
        let (parts, body) = request.into_parts();
        let body = match Limited::new(body, self.options.body_limit + FRAME).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                let limit = self.options.body_limit;
                return Err(Status::resource_exhausted(format!("the message is larger than {limit} bytes")));
            }
            Err(_) => return Err(Status::invalid_argument("the message broke off")),
        };
        Ok(http::Request::from_parts(parts, Body::new(Full::new(body))))
    }
}

fn ending(response: http::Response<Body>, until: Option<Instant>, end: CancellationToken) -> http::Response<Body> {
    response.map(|body| Body::new(Ending::new(body, until, end)))
}
