//! The app's token: what shows that a call comes from its own daprd.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{Either, Ready, ready};
use http::{Request, Response};
use subtle::ConstantTimeEq;
use tonic::Status;
use tower::{Layer, Service};

use super::client::TOKEN;
use crate::Secret;

/// The calls that daprd makes without a token (measured): they change nothing and tell nothing secret.
const DISCOVERY: [&str; 3] = [
    "/dapr.proto.runtime.v1.AppCallback/ListTopicSubscriptions",
    "/dapr.proto.runtime.v1.AppCallback/ListInputBindings",
    "/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck",
];

/// A layer that lets only calls with the app's token through (daprd's `APP_API_TOKEN`,
/// <https://docs.dapr.io/operations/security/app-api-token/>), and the three by which daprd finds out about the app.
///
/// daprd adds the token whoever calls: it shows that a call came through daprd, not who made it. Others are answered with
/// the gRPC status `UNAUTHENTICATED`; a bare HTTP 401 would make daprd take the app for broken.
#[derive(Clone, Default)]
pub struct AppToken(Option<Arc<str>>);

impl AppToken {
    /// Wants this token; without one, everything passes.
    #[must_use]
    pub fn new(token: Option<&Secret>) -> Self {
        Self(token.map(|token| token.expose().into()))
    }

    fn admits<B>(&self, request: &Request<B>) -> bool {
        let Some(token) = &self.0 else { return true };
        let shown = request.headers().get(TOKEN).map(http::HeaderValue::as_bytes).unwrap_or_default();
        DISCOVERY.contains(&request.uri().path()) || bool::from(shown.ct_eq(token.as_bytes()))
    }
}

impl<S> Layer<S> for AppToken {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, token: self.clone() }
    }
}

/// A service behind [`AppToken`].
#[derive(Clone)]
pub struct Guarded<S> {
    inner: S,
    token: AppToken,
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<R>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if self.token.admits(&request) {
            Either::Left(self.inner.call(request))
        } else {
            let refused = Status::unauthenticated("this listener takes calls from its own sidecar only");
            Either::Right(ready(Ok(refused.into_http())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(path: &str, token: Option<&str>) -> Request<()> {
        let request = Request::builder().uri(format!("http://app{path}"));
        token.into_iter().fold(request, |request, token| request.header(TOKEN, token)).body(()).unwrap()
    }

    #[test]
    fn only_discovery_passes_without_the_token() {
        let token = AppToken::new(Some(&Secret::new("the token")));
        let event = "/dapr.proto.runtime.v1.AppCallback/OnTopicEvent";
        assert!(token.admits(&call(event, Some("the token"))));
        for wrong in [None, Some(""), Some("the toke"), Some("the token "), Some("The token")] {
            assert!(!token.admits(&call(event, wrong)), "{wrong:?}");
            assert!(!token.admits(&call("/todo.v1.DueService/ListDue", wrong)), "{wrong:?}");
            for path in DISCOVERY {
                assert!(token.admits(&call(path, wrong)), "{path}");
            }
        }
    }

    #[test]
    fn without_a_token_everything_passes() {
        assert!(AppToken::new(None).admits(&call("/todo.v1.DueService/ListDue", None)));
    }
}
