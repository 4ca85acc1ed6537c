//! What is seen of every call: its count and its time as metrics, and its span.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use http::HeaderMap;
use http_body_util::BodyExt as _;
use metrics::{counter, histogram};
use todo_proto::json;
use tokio::time::Instant;
use tonic::{Code, service::Routes};
use tracing::{Instrument as _, Span};

/// An rpc of the contract.
struct Rpc {
    service: String,
    method: String,
    streams: bool,
}

/// By path. A path that a client made up is no label.
static RPCS: LazyLock<HashMap<String, Rpc>> = LazyLock::new(|| {
    let rpcs = json::pool().services().flat_map(|service| service.methods().collect::<Vec<_>>());
    rpcs.map(|rpc| {
        let (service, method) = (rpc.parent_service().full_name().to_owned(), rpc.name().to_owned());
        let streams = rpc.is_server_streaming() || rpc.is_client_streaming();
        (format!("/{service}/{method}"), Rpc { service, method, streams })
    })
    .collect()
});

/// Watches the calls of services.
#[must_use]
pub fn observed(services: Routes) -> Routes {
    services.into_axum_router().layer(middleware::from_fn(observe)).into()
}

async fn observe(request: Request, next: Next) -> Response {
    let Some(rpc) = RPCS.get(request.uri().path()) else { return next.run(request).await };
    let span = todo_trace::request(request.headers());
    todo_trace::name(&span, format!("{}/{}", rpc.service, rpc.method));
    let mut call = Call { rpc, begun: Instant::now(), code: None, span: span.clone() };
    let response = next.run(request).instrument(span).await;
    call.hear(response.headers());
    response.map(|body| {
        axum::body::Body::new(body.map_frame(move |frame| {
            if let Some(trailers) = frame.trailers_ref() {
                call.hear(trailers);
            }
            frame
        }))
    })
}

/// A call under way; it ends when its answer is dropped.
struct Call {
    rpc: &'static Rpc,
    begun: Instant,
    code: Option<Code>,
    span: Span,
}

impl Call {
    fn hear(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get("grpc-status") {
            self.code = Some(Code::from_bytes(code.as_bytes()));
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let Rpc { service, method, streams } = self.rpc;
        let code = self.code.unwrap_or(Code::Cancelled);
        todo_trace::ended(&self.span, "rpc.grpc.status_code", code as i64, is_fault(code));
        let code = match code {
            Code::Ok => "OK".to_owned(),
            code => format!("{code:?}"),
        };
        let (service, method) = (service.as_str(), method.as_str());
        counter!("grpc_server_handled_total", "grpc_service" => service, "grpc_method" => method, "grpc_code" => code)
            .increment(1);
        if !streams {
            histogram!("grpc_server_handling_seconds", "grpc_service" => service, "grpc_method" => method)
                .record(self.begun.elapsed());
        }
    }
}

/// Whether it is the server's fault, and not its caller's
/// (<https://opentelemetry.io/docs/specs/semconv/rpc/grpc/>).
fn is_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}
