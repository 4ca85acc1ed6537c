//! A collector of spans: what OpenTelemetry's would be sent.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
    resource::v1::Resource,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, async_trait, transport::Server};

/// A span that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whose it is.
    pub service: String,
    /// What it is called.
    pub name: String,
    /// Its trace, in hexadecimal digits as all ids here.
    pub trace: String,
    /// Its id.
    pub id: String,
    /// What it is a part of; empty at a trace's root.
    pub parent: String,
}

/// A collector on loopback, for as long as the test's runtime lives.
#[derive(Clone, Debug)]
pub struct Collector {
    /// Where it listens: host and port.
    pub address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Collector {
    /// Starts one.
    ///
    /// # Panics
    /// When loopback has no port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let collector = Self { address, seen: Arc::default() };
        let service = TraceServiceServer::new(collector.clone());
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)));
        collector
    }

    /// The spans of a trace that have come so far.
    #[must_use]
    pub fn trace(&self, id: &str) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|span| span.trace == id).cloned().collect()
    }
}

/// Which service did what.
#[must_use]
pub fn steps(spans: &[Seen]) -> BTreeSet<(&str, &str)> {
    spans.iter().map(|span| (span.service.as_str(), span.name.as_str())).collect()
}

#[async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for group in request.into_inner().resource_spans {
            let service = service(group.resource.unwrap_or_default());
            let spans = group.scope_spans.into_iter().flat_map(|scope| scope.spans);
            let spans = spans.map(|span| Seen {
                service: service.clone(),
                name: span.name,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
            });
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn service(resource: Resource) -> String {
    let named = resource.attributes.into_iter().find(|attribute| attribute.key == "service.name");
    match named.and_then(|attribute| attribute.value?.value) {
        Some(Value::StringValue(name)) => name,
        _ => String::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
