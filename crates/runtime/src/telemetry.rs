//! Logs: one line a fact, with fields, on standard error. And traces: spans that go to a collector by OTLP, and whose
//! ids are in the logs.

use std::str::FromStr;

use http::Uri;
use opentelemetry::{global, trace::TracerProvider as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::dynamic_filter_fn, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("takes text or json".to_owned()),
        }
    }
}

/// Starts logging for the whole process; a second call changes nothing.
///
/// # Errors
/// A sentence when `level` is neither a level nor a filter as `tracing-subscriber` reads it.
pub fn init(level: &str, format: Format, traces: Option<&Traces>) -> Result<(), String> {
    let filter = EnvFilter::try_new(format!("rmcp=error,{level}")).map_err(|_| {
        format!("takes error, warn, info, debug, trace, or a filter like info,todo_backend=debug; got {level:?}")
    })?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        Format::Text => lines.with_target(false).boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    let traces = traces.map(|Traces(provider)| {
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("todo"));
        let plain = layer.with_location(false).with_threads(false).with_target(false).with_tracked_inactivity(false);
        // Only ours: what exports them makes spans, too. Asked each time: an answer that is remembered would be mixed up
        // with that to the last `enabled!` on the same thread, of which sqlx makes many.
        let ours = dynamic_filter_fn(|it, _| it.is_span() && it.target().starts_with("todo"));
        plain.with_filter(ours.with_max_level_hint(LevelFilter::ERROR))
    });
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).with(traces).try_init();
    Ok(())
}

/// Where spans go.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to export the spans of a service to a collector (OTLP by gRPC), of each so many traces: a trace is whole or
    /// not there, since all services decide by its id. Without a collector, spans still have ids, for the logs and for
    /// whoever is called.
    ///
    /// Must be called within a Tokio runtime. The collector may come later, and go: what it misses is lost.
    ///
    /// # Errors
    /// A sentence when the exporter's own environment variables (`OTEL_EXPORTER_OTLP_*`) cannot be read.
    pub fn begin(service: &str, collector: Option<&Uri>, ratio: f64) -> Result<Self, String> {
        global::set_text_map_propagator(TraceContextPropagator::new());
        let resource = Resource::builder_empty();
        let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let builder = SdkTracerProvider::builder()
            .with_resource(resource.with_service_name(service.to_owned()).with_attribute(version).build());
        let provider = match collector {
            None => builder.with_sampler(Sampler::AlwaysOff).build(),
            Some(collector) => {
                let exporter = SpanExporter::builder().with_tonic().with_endpoint(collector.to_string()).build();
                let exporter = exporter.map_err(|error| error.to_string())?;
                builder.with_sampler(Sampler::TraceIdRatioBased(ratio)).with_batch_exporter(exporter).build()
            }
        };
        Ok(Self(provider))
    }

    /// Exports what is left; blocks for up to 5 seconds.
    pub fn end(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last spans did not reach the collector");
        }
    }
}
