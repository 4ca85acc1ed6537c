//! `POST /mcp`: the door before the tools of agents. Which service they are is chosen by whoever builds the gateway; who
//! calls, and from where, is found out here.

use std::convert::Infallible;

use axum::{
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, uri::Authority};
use todo_proto::v1::{GetMeRequest, auth_service_client::AuthServiceClient};
use tower::{ServiceExt as _, util::BoxCloneSyncService};

use crate::{Options, edge::Template, gateway::Gateway, peer::Peer, rest, status::Failure};

/// Where it is served.
pub(crate) const PATH: &str = "/mcp";

/// Serves MCP's streamable HTTP. Among a request's extensions it finds the caller's [`User`](todo_proto::v1::User) and
/// the [`MetadataMap`](tonic::metadata::MetadataMap) for calls on the caller's behalf.
pub type Mcp = BoxCloneSyncService<Request, Response, Infallible>;

/// Serves a request to [`PATH`].
pub(crate) async fn serve(gateway: &Gateway, mcp: &Mcp, peer: &Peer, request: Request) -> Response {
    let limited = tokio::time::timeout(gateway.options.request_timeout, answer(gateway, mcp, peer, request));
    let answer = limited.await.unwrap_or_else(|_| Err(Failure::timeout()));
    let mut response = answer.unwrap_or_else(Failure::into_response);
    response.extensions_mut().insert(Template(PATH.into()));
    response
}

async fn answer(gateway: &Gateway, mcp: &Mcp, peer: &Peer, mut request: Request) -> Result<Response, Failure> {
    if request.method() != Method::POST {
        return Ok(rest::not_allowed(request.method(), "OPTIONS, POST"));
    }
    if !is_welcome(request.headers(), peer, &gateway.options) {
        return Err(Failure::new(
            StatusCode::FORBIDDEN,
            "PERMISSION_DENIED",
            "pages of this origin may not call: CORS_ORIGINS says which may",
        ));
    }
    let token_sent = request.headers().contains_key(header::AUTHORIZATION);
    let mut metadata = rest::metadata(request.headers(), peer);
    // It names a request of REST.
    metadata.remove("idempotency-key");
    let ask = tonic::Request::from_parts(metadata.clone(), tonic::Extensions::new(), GetMeRequest {});
    let user = AuthServiceClient::new(gateway.backend.clone()).get_me(ask).await;
    let user = user.map_err(|status| Failure::from_status(&status, token_sent).with_plain_challenge())?;
    request.extensions_mut().insert(user.into_inner());
    request.extensions_mut().insert(metadata);
    let Ok(response) = mcp.clone().oneshot(request).await;
    Ok(response)
}

/// Whether a page that calls is one of those which may. Programs send no origin. Our own origin counts only where its
/// name is not one that somebody else's DNS could point here (DNS rebinding): as configured, or no name at all.
fn is_welcome(headers: &HeaderMap, peer: &Peer, options: &Options) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    if options.cors_origins.iter().any(|allowed| allowed == origin || allowed == "*") {
        return true;
    }
    let Some(origin) = Origin::parse(origin) else { return false };
    let public = options.public_url.as_ref().and_then(Origin::of);
    let scheme = if peer.https { "https" } else { "http" };
    let own = peer.host.as_ref().and_then(|host| Origin::of(&format!("{scheme}://{host}").parse().ok()?));
    public.is_some_and(|public| public == origin) || own.is_some_and(|own| own.is_fixed() && own == origin)
}

#[derive(PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    fn parse(header: &HeaderValue) -> Option<Self> {
        Self::of(&header.to_str().ok()?.parse().ok()?)
    }

    fn of(uri: &Uri) -> Option<Self> {
        let scheme = uri.scheme_str()?.to_owned();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        Some(Self { scheme, host: uri.authority().map(Authority::host)?.to_ascii_lowercase(), port })
    }

    fn is_fixed(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use todo_runtime::system::SystemIds;

    use super::*;

    fn welcome(origin: &'static str, host: &str, cors: &[&'static str], public: Option<&'static str>) -> bool {
        let headers = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]);
        let peer = Peer { host: Some(host.to_owned()), ..Peer::default() };
        let mut options = Options::new(Arc::new(SystemIds));
        options.cors_origins = cors.iter().map(|origin| HeaderValue::from_static(origin)).collect();
        options.public_url = public.map(Uri::from_static);
        is_welcome(&headers, &peer, &options)
    }

    #[test]
    fn only_pages_that_were_named_may_call() {
        assert!(welcome("https://app.example", "todo.example", &["https://app.example"], None));
        assert!(welcome("https://any.example", "todo.example", &["*"], None));
        assert!(welcome("https://todo.example", "gateway:8080", &[], Some("https://todo.example/")));
        assert!(!welcome(
            "https://evil.example",
            "todo.example",
            &["https://app.example"],
            Some("https://todo.example")
        ));
        assert!(!welcome("null", "localhost:8080", &[], None));
    }

    #[test]
    fn a_name_that_points_here_is_not_our_own_origin() {
        assert!(welcome("http://localhost:8080", "localhost:8080", &[], None));
        assert!(welcome("http://127.0.0.1:8080", "127.0.0.1:8080", &[], None));
        assert!(welcome("http://[::1]:8080", "[::1]:8080", &[], None));
        assert!(!welcome("http://localhost:9000", "localhost:8080", &[], None));
        assert!(!welcome("http://evil.example:8080", "evil.example:8080", &[], None));
    }
}
