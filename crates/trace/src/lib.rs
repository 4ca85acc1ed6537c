//! Which request it all began with: W3C Trace Context (<https://www.w3.org/TR/trace-context/>) on the spans of
//! `tracing`, from call to call and from event to event.
//!
//! Nothing here does anything before a propagator and a layer are installed (`todo_runtime::telemetry`). Names and
//! attributes are those of OpenTelemetry's semantic conventions
//! (<https://opentelemetry.io/docs/specs/semconv/rpc/>, <https://opentelemetry.io/docs/specs/semconv/messaging/>).

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    global,
    propagation::Extractor,
    trace::{Status, TraceContextExt as _},
};
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The header, and the extension of an event, that says what something is part of.
pub const TRACEPARENT: &str = "traceparent";

/// The span of a request with these headers. Within another one of this process, it is a part of that.
#[must_use]
pub fn request(headers: &HeaderMap) -> Span {
    // Of this level, so that a log of errors alone has them, too.
    let span = tracing::error_span!("request", trace_id = Empty, otel.kind = "server");
    if Span::current().is_none() {
        join(&span, &Headers(headers));
    }
    span
}

/// What is done with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It is given to the broker.
    Send,
    /// It is handled.
    Process,
}

/// The span of an event of this id on its way, as a part of what its `traceparent` says.
#[must_use]
pub fn event(operation: Operation, topic: &str, id: &str, traceparent: Option<&String>) -> Span {
    let (word, kind) = match operation {
        Operation::Send => ("send", "producer"),
        Operation::Process => ("process", "consumer"),
    };
    let span = tracing::error_span!(parent: None, "event", trace_id = Empty, otel.kind = kind);
    let carrier: HashMap<_, _> = traceparent.map(|it| (TRACEPARENT.to_owned(), it.clone())).into_iter().collect();
    join(&span, &carrier);
    name(&span, format!("{word} {topic}"));
    span.set_attribute("messaging.system", "dapr");
    span.set_attribute("messaging.operation.type", word);
    span.set_attribute("messaging.destination.name", topic.to_owned());
    span.set_attribute("messaging.message.id", id.to_owned());
    span
}

/// Names a span; not by its field `otel.name`, which is of no use once its id was asked for.
pub fn name(span: &Span, name: String) {
    span.context().span().update_name(name);
}

/// What a span is to say of how it ended: under which name, and whether it is to be looked at.
pub fn ended(span: &Span, attribute: &'static str, value: i64, failed: bool) {
    span.set_attribute(attribute, value);
    if failed {
        span.set_status(Status::error(""));
    }
}

/// The `traceparent` of what is being done now, if it is part of anything.
#[must_use]
pub fn current() -> Option<String> {
    let mut carrier = HashMap::new();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&Span::current().context(), &mut carrier));
    carrier.remove(TRACEPARENT)
}

/// Makes a call part of what is being done now; one that is made outside of all spans stays what it is.
pub fn inject(headers: &mut HeaderMap) {
    if let Some(value) = current().and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(HeaderName::from_static(TRACEPARENT), value);
    }
}

fn join(span: &Span, carrier: &dyn Extractor) {
    // Fails where no layer is installed, which then has no use for it.
    let _ = span.set_parent(global::get_text_map_propagator(|propagator| propagator.extract(carrier)));
    span.in_scope(|| {
        if let Some(id) = current().as_deref().and_then(|parent| parent.split('-').nth(1)) {
            span.record("trace_id", id);
        }
    });
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}
