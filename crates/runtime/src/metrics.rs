//! What is counted, in Prometheus' text format. Who counts uses the macros of `metrics`, which do nothing until
//! [`Metrics::install`] was called; the names are those of [`ALL`].

use std::time::Duration;

use axum::{Router, routing::get};
use metrics::gauge;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::serve::serve;

/// The upper ends of the buckets of every histogram, in seconds: from what stays in memory to what gives up.
const BUCKETS: [f64; 16] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];
/// How often samples that nobody has asked for are put into their buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// A kind of metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Is what it is now.
    Gauge,
    /// Seconds, in buckets.
    Histogram,
}

/// Every metric: its name, its kind and what it says, with its labels.
pub const ALL: &[(&str, Kind, &str)] = &[
    ("http_requests_total", Kind::Counter, "requests that the gateway answered, by method, route and status"),
    ("http_request_duration_seconds", Kind::Histogram, "until the head of the answer, by method and route"),
    ("grpc_server_handled_total", Kind::Counter, "calls that ended, by grpc_service, grpc_method and grpc_code"),
    ("grpc_server_handling_seconds", Kind::Histogram, "calls that are no streams, by grpc_service and grpc_method"),
    ("todo_check", Kind::Gauge, "what /ready says, by name: 1 ok, 0.5 degraded, 0 it cannot serve"),
    ("todo_outbox_events", Kind::Gauge, "committed events that wait to be published, of all replicas"),
    ("todo_outbox_age_seconds", Kind::Gauge, "for how long the oldest of them waits"),
    ("todo_outbox_lag_seconds", Kind::Histogram, "from the commit of an event to its publication"),
    ("todo_outbox_failures_total", Kind::Counter, "events that the sidecar did not take, each try"),
    ("todo_dead_letters_total", Kind::Counter, "events that were put aside, by topic"),
    ("todo_events_total", Kind::Counter, "events that were handled, by topic and outcome: done, retry or drop"),
    ("todo_watchers", Kind::Gauge, "open streams of changes"),
    ("todo_timers", Kind::Gauge, "timers that this scheduler holds: what is due in the next minutes"),
    ("todo_fire_lateness_seconds", Kind::Histogram, "from when it was due to the decision that it fires, by kind"),
    ("todo_turn_seconds", Kind::Histogram, "a message to the assistant until its answer"),
    ("todo_model_calls_total", Kind::Counter, "calls of the language model, by outcome: answered or failed"),
    ("todo_model_call_seconds", Kind::Histogram, "a call of the language model until its last word"),
];

/// What was counted in this process.
#[derive(Clone, Debug)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Begins to count, for the whole process.
    ///
    /// # Errors
    /// When the process counts already.
    pub fn install() -> Result<Self, String> {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).map_err(|error| error.to_string())?;
        let handle = builder.install_recorder().map_err(|error| error.to_string())?;
        for &(name, kind, what) in ALL {
            match kind {
                Kind::Counter => metrics::describe_counter!(name, what),
                Kind::Gauge => metrics::describe_gauge!(name, what),
                Kind::Histogram => metrics::describe_histogram!(name, metrics::Unit::Seconds, what),
            }
        }
        Ok(Self(handle))
    }

    /// Serves `GET /metrics` until the shutdown.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        let handle = self.0.clone();
        let upkeep = shutdown.run_until_cancelled(async {
            loop {
                tokio::time::sleep(UPKEEP).await;
                handle.run_upkeep();
            }
        });
        let shown = async move || ([("content-type", "text/plain; version=0.0.4")], self.0.render());
        tokio::join!(upkeep, serve(Router::new().route("/metrics", get(shown)), listener, shutdown.clone()));
    }
}

/// Something that is there as long as this is.
#[derive(Debug)]
pub struct Held(&'static str);

impl Held {
    /// One more of a gauge.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        gauge!(name).increment(1.0);
        Self(name)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1.0);
    }
}
