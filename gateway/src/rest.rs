//! One REST call, from request to response.

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use prost_reflect::DynamicMessage;
use todo_domain::zone;
use todo_proto::json;
use tonic::{
    Status,
    metadata::{MetadataMap, MetadataValue},
};

use crate::{
    backend,
    contract::{self, Rpc},
    cookie, document,
    edge::Template,
    events,
    gateway::Gateway,
    peer::Peer,
    request::Draft,
    route::{Found, Route},
    status::Failure,
};

/// Request headers that are metadata to the backend.
const FORWARDED: [HeaderName; 5] = [
    header::AUTHORIZATION,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-request-id"),
];
/// Metadata of the backend's answers that are response headers.
const RETURNED: [HeaderName; 3] =
    [PUBLISHED, HeaderName::from_static("x-revision"), HeaderName::from_static("retry-after")];
const PUBLISHED: HeaderName = HeaderName::from_static("x-event-published");

/// Serves a path of the REST surface.
pub(crate) async fn serve(gateway: &Gateway, peer: &Peer, request: Request) -> Response {
    let head = request.method() == Method::HEAD;
    let path = request.uri().path().to_owned();
    match gateway.routes.find(request.method(), &path) {
        Found::Route(route, values) => {
            let timeout = gateway.options.timeout(&route.rpc);
            let limited = tokio::time::timeout(timeout, answer(gateway, peer, route, values, request));
            let answer = limited.await.unwrap_or_else(|_| Err(Failure::timeout()));
            let mut response = answer.unwrap_or_else(Failure::into_response);
            response.extensions_mut().insert(Template(route.template.clone()));
            if head { without_body(response) } else { response }
        }
        Found::NotAllowed(template, methods) => {
            let mut allow: Vec<_> = methods.iter().map(|method| method.as_str()).collect();
            if allow.contains(&"GET") && !gateway.streams(template) {
                allow.push("HEAD");
            }
            allow.push("OPTIONS");
            allow.sort_unstable();
            not_allowed(request.method(), &allow.join(", "))
        }
        Found::Nothing => Failure::not_found().into_response(),
    }
}

/// Says which methods a path takes: with an error, or to who asks.
pub(crate) fn not_allowed(method: &Method, allow: &str) -> Response {
    if *method == Method::OPTIONS {
        let mut response = StatusCode::NO_CONTENT.into_response();
        if let Ok(allow) = HeaderValue::from_str(allow) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        return response;
    }
    Failure::not_allowed(allow).into_response()
}

/// What `HEAD` gets of the answer to `GET`.
pub(crate) fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = http_body::Body::size_hint(&body).exact() {
        parts.headers.insert(header::CONTENT_LENGTH, length.into());
    }
    Response::from_parts(parts, Body::empty())
}

async fn answer(
    gateway: &Gateway,
    peer: &Peer,
    route: &Route,
    values: Vec<String>,
    request: Request,
) -> Result<Response, Failure> {
    let rpc = &*route.rpc;
    let (parts, body) = request.into_parts();
    let token_sent = parts.headers.contains_key(header::AUTHORIZATION);
    let prefix = match &route.body {
        contract::Body::Field(field) => Some(field.as_str()),
        _ => None,
    };
    let relative = |failure: Failure| failure.relative_to(prefix);

    let body = match route.body {
        contract::Body::None => Bytes::new(),
        _ => read(&parts.headers, body, gateway.options.body_limit).await?,
    };
    let query = parts.uri.query().unwrap_or_default();
    let mut draft = Draft::new(route, values, query, &parts.headers, &body).map_err(relative)?;
    let cookie = cookie::take(rpc, &parts.headers, peer, gateway.options.public_url.as_ref(), &mut draft)?;
    let metadata = metadata(&parts.headers, peer);
    let mut reading = draft.read(None);
    if reading.needs_zone {
        let zone = gateway.zones.of(gateway.backend.clone(), &metadata).await;
        let zone = zone.map_err(|status| Failure::from_status(&status, token_sent))?;
        reading = draft.read(Some(&|local| zone::resolve(zone, local)));
    }
    let failed = |status: Status| relative(Failure::from_status(&status, token_sent));
    if !reading.violations.is_empty() {
        let judged = judge(gateway, rpc, metadata, reading.message).await;
        return Err(relative(Failure::invalid(reading.violations)).and(judged.map(failed)));
    }
    if rpc.streams() {
        let messages =
            backend::stream(gateway.backend.clone(), rpc, metadata, reading.message).await.map_err(failed)?;
        let options = &gateway.options;
        if !rpc.rules.attachment.is_empty() {
            return document::respond(messages, rpc, options.end(rpc), token_sent).await;
        }
        return events::respond(messages, rpc.output.clone(), options.heartbeat, options.end(rpc), token_sent).await;
    }
    let (returned, mut message, _) =
        backend::unary(gateway.backend.clone(), rpc, metadata, reading.message).await.map_err(failed)?.into_parts();
    if rpc.output.full_name() == "todo.v1.User" {
        gateway.zones.learn(&parts.headers, json::text_field(&rpc.output, &message, "time_zone"));
    }
    let set_cookie = cookie.settle(rpc, &mut message, peer.https, gateway.options.cookie_max_age);
    let mut response = respond(gateway, route, &parts, &returned, &message)?;
    if let Some(set_cookie) = set_cookie {
        response.headers_mut().insert(header::SET_COOKIE, set_cookie);
    }
    Ok(response)
}

/// Has the backend judge what could be read of a request that is refused anyway, so that everything wrong with it is
/// said at once: what is not of the contract's form, which is found here, and what breaks a rule.
async fn judge(gateway: &Gateway, rpc: &Rpc, mut metadata: MetadataMap, message: DynamicMessage) -> Option<Status> {
    if !rpc.rules.validates {
        return None;
    }
    metadata.insert("x-validate-only", MetadataValue::from_static("true"));
    backend::unary(gateway.backend.clone(), rpc, metadata, message).await.err()
}

/// The body, if it is JSON and not too large.
async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Failure> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(Failure::too_large(limit));
    }
    let body = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Failure::too_large(limit)),
        Err(_) => {
            return Err(Failure::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", "the body broke off"));
        }
    };
    if !body.is_empty() && !headers.get(header::CONTENT_TYPE).is_none_or(is_json) {
        return Err(Failure::not_json());
    }
    Ok(body)
}

fn is_json(kind: &HeaderValue) -> bool {
    let Ok(kind) = kind.to_str() else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json")
}

pub(crate) fn metadata(headers: &HeaderMap, peer: &Peer) -> MetadataMap {
    let mut metadata = HeaderMap::with_capacity(FORWARDED.len() + 1);
    for name in FORWARDED {
        if let Some(value) = headers.get(&name) {
            metadata.insert(name, value.clone());
        }
    }
    peer.vouch(&mut metadata);
    MetadataMap::from_headers(metadata)
}

fn respond(
    gateway: &Gateway,
    route: &Route,
    parts: &Parts,
    returned: &MetadataMap,
    message: &[u8],
) -> Result<Response, Failure> {
    let rpc = &*route.rpc;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = rpc.success;
    let headers = response.headers_mut();
    for name in RETURNED {
        if let Some(value) = returned.as_ref().get(&name) {
            headers.insert(name, value.clone());
        }
    }
    if rpc.rules.announces {
        headers.entry(PUBLISHED).or_insert(HeaderValue::from_static("false"));
    }
    let caching = if rpc.gives_task() { "private, no-cache" } else { "no-store" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if rpc.gives_task()
        && let revision = json::int_field(&rpc.output, message, "revision").unwrap_or_default()
        && let Ok(tag) = HeaderValue::from_str(&format!("\"{revision}\""))
    {
        let fresh = route.method == Method::GET && is_fresh(&parts.headers, &tag);
        headers.insert(header::ETAG, tag);
        if fresh {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
    }
    if rpc.success == StatusCode::CREATED
        && let Some(path) = gateway.locations.get(rpc.output.full_name())
        && let Some(id) = json::text_field(&rpc.output, message, "id")
        && let Ok(location) = HeaderValue::from_str(&format!("{path}{id}"))
    {
        headers.insert(header::LOCATION, location);
    }
    if rpc.success != StatusCode::NO_CONTENT {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // JSON of a task is about three times as long as its wire format.
        let mut text = Vec::with_capacity(message.len() * 3 + 512);
        json::transcode(&rpc.output, message, &mut text).map_err(|error| {
            tracing::error!(rpc = rpc.path.as_str(), %error, "the backend's answer cannot be read");
            Failure::internal()
        })?;
        *response.body_mut() = Body::from(text);
    }
    Ok(response)
}

/// `If-None-Match` (RFC 9110, section 13.1.2): the client has this already.
fn is_fresh(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let Ok(tag) = tag.to_str() else { return false };
    let given = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    given
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}
