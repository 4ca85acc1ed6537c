//! The whole: what a request meets first, and where it goes.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    middleware,
    response::Response,
};
use http::{Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{
    Options,
    backend::Backend,
    contract, edge,
    mcp::{self, Mcp},
    page::Pages,
    peer::Peer,
    proxy::{self, Proxy},
    rest,
    retry::{self, Channel},
    route::Table,
    zone::Zones,
};

/// Everything that requests share.
pub(crate) struct Gateway {
    pub(crate) options: Options,
    pub(crate) backend: Backend,
    pub(crate) routes: Table,
    pub(crate) zones: Zones,
    /// Where a resource of a type is read, without its id.
    pub(crate) locations: HashMap<String, String>,
    pages: Pages,
    proxy: Proxy,
    mcp: Option<Mcp>,
}

impl Gateway {
    /// Whether `GET` at this path is a stream.
    pub(crate) fn streams(&self, template: &str) -> bool {
        self.routes.routes().any(|route| &*route.template == template && route.rpc.streams())
    }
}

/// Builds the gateway before the backend and the assistant. The router expects `ConnectInfo<SocketAddr>` among a request's
/// extensions if the client's address is to be known.
///
/// # Panics
/// If the contract holds what the gateway does not understand; the contract is part of the build.
pub fn build(options: Options, backend: Channel, assistant: Channel) -> Router {
    let pool = todo_proto::json::pool();
    let rpcs = contract::rpcs(pool);
    let routes = Table::new(&rpcs);
    let backend = retry::retrying(backend, assistant, &rpcs);
    let cors = cors(&options);
    let gateway = Arc::new(Gateway {
        pages: Pages::new(),
        proxy: Proxy::new(&rpcs, &backend, &options),
        locations: locations(&routes),
        zones: Zones::default(),
        mcp: options.mcp.as_ref().map(|service| service(backend.clone())),
        routes,
        backend,
        options,
    });
    let mut served = Router::new().fallback(dispatch).with_state(Arc::clone(&gateway));
    if let Some(cors) = cors {
        served = served.layer(cors);
    }
    served.layer(middleware::from_fn_with_state(gateway, edge::edge))
}

async fn dispatch(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
    if proxy::is_grpc(request.headers()) {
        return gateway.proxy.serve(&peer, request).await;
    }
    if let Some(mcp) = gateway.mcp.as_ref().filter(|_| request.uri().path() == mcp::PATH) {
        return mcp::serve(&gateway, mcp, &peer, request).await;
    }
    let (method, path, headers) = (request.method(), request.uri().path(), request.headers());
    if let Some(response) = gateway.pages.serve(method, path, headers, &gateway.options) {
        return response;
    }
    rest::serve(&gateway, &peer, request).await
}

/// Of each type, the path that reads one by its id, up to that id.
fn locations(routes: &Table) -> HashMap<String, String> {
    let reads = routes.routes().filter(|route| {
        route.method == Method::GET && route.template.ends_with("/{id}") && route.variables == [["id"]]
    });
    reads
        .map(|route| (route.rpc.output.full_name().to_owned(), route.template.trim_end_matches("{id}").to_owned()))
        .collect()
}

/// Other origins may call by bearer token; the session's cookie stays with our own.
fn cors(options: &Options) -> Option<CorsLayer> {
    if options.cors_origins.is_empty() {
        return None;
    }
    let origins = if options.cors_origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(options.cors_origins.iter().cloned())
    };
    let name = http::HeaderName::from_static;
    Some(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::ACCEPT,
                header::IF_MATCH,
                header::IF_NONE_MATCH,
                name("idempotency-key"),
                name("last-event-id"),
                name("mcp-method"),
                name("mcp-name"),
                name("mcp-protocol-version"),
                name("x-request-id"),
                name("traceparent"),
                name("tracestate"),
                name("x-grpc-web"),
                name("x-user-agent"),
                name("grpc-timeout"),
            ])
            .expose_headers([
                header::ETAG,
                header::LOCATION,
                header::RETRY_AFTER,
                header::WWW_AUTHENTICATE,
                name("x-event-published"),
                name("x-revision"),
                name("x-request-id"),
                name("grpc-status"),
                name("grpc-message"),
                name("grpc-status-details-bin"),
            ])
            .max_age(std::time::Duration::from_mins(10)),
    )
}
