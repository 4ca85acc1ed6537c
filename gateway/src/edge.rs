//! What every request meets, whatever it asks for: a request id, the access log, security headers; and a panic that
//! ends one request and not the process.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use metrics::{counter, histogram};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::{gateway::Gateway, peer::Peer, proxy, status::Failure};

/// The route that a response comes from, for the log: the path itself may name what is nobody's business.
#[derive(Clone, Debug)]
pub(crate) struct Template(pub(crate) Arc<str>);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_ID: usize = 128;

const SECURITY: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
    ),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
];

pub(crate) async fn edge(State(gateway): State<Arc<Gateway>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let options = &gateway.options;
    let peer = Peer::of(&request, &options.trusted_proxies, options.public_url.as_ref());
    let id = match request.headers().get(REQUEST_ID).filter(|id| is_sane(id)) {
        Some(id) => id.clone(),
        None => HeaderValue::from_str(&options.ids.random().to_string()).expect("a UUID is hex and dashes"),
    };
    request.headers_mut().insert(REQUEST_ID, id.clone());
    request.extensions_mut().insert(peer);
    let method = request.method().clone();
    let grpc = proxy::is_grpc(request.headers());

    let span = todo_trace::request(request.headers());
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let _within = span.enter();
    let mut response = answered.unwrap_or_else(|_| {
        tracing::error!(request.id = ?id, "a request panicked");
        if grpc { proxy::internal() } else { Failure::internal().into_response() }
    });
    let template = response.extensions_mut().remove::<Template>();
    let headers = response.headers_mut();
    if !grpc {
        for (name, value) in SECURITY {
            headers.entry(name).or_insert(value);
        }
    }
    let status = response.status();
    let route = template.as_ref().map_or("", |template| &*template.0);
    count(known(&method), route, status, started);
    todo_trace::name(&span, format!("{} {route}", known(&method)).trim_end().to_owned());
    todo_trace::ended(&span, "http.response.status_code", status.as_u16().into(), status.is_server_error());
    let id_text = id.to_str().unwrap_or_default();
    tracing::info!(
        http.method = method.as_str(),
        http.route = route,
        http.status = status.as_u16(),
        grpc.status = response.headers().get("grpc-status").and_then(|status| status.to_str().ok()),
        duration.us = started.elapsed().as_micros(),
        request.id = id_text,
        "served"
    );
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// By what cannot be made up: else a client could fill the memory with labels.
fn count(method: &'static str, route: &str, status: StatusCode, started: Instant) {
    let route = route.to_owned();
    let status = status.as_str().to_owned();
    counter!("http_requests_total", "method" => method, "route" => route.clone(), "status" => status).increment(1);
    histogram!("http_request_duration_seconds", "method" => method, "route" => route).record(started.elapsed());
}

fn known(method: &Method) -> &'static str {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    KNOWN.iter().find(|known| *known == method).map_or("other", Method::as_str)
}

fn is_sane(id: &HeaderValue) -> bool {
    !id.is_empty() && id.len() <= LONGEST_ID && id.as_bytes().iter().all(u8::is_ascii_graphic)
}
