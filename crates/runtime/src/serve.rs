//! Serving one listener: HTTP/1.1 and HTTP/2 (prior knowledge) side by side, until told to stop; then draining.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{Router, extract::Request, extract::connect_info::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How long open requests may take to end once the shutdown has begun.
const DRAIN: Duration = Duration::from_secs(10);
/// A connection whose peer is gone must not be held for ever.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// A peer that does not finish its headers in this time is dropped (slow loris).
const HEADERS: Duration = Duration::from_secs(15);

/// Serves `router` on `listener` until `shutdown`, then accepts nothing more and gives open requests 10 seconds.
/// Streams without end must watch `shutdown` themselves. Each request carries `ConnectInfo<SocketAddr>`.
pub async fn serve(router: Router, listener: TcpListener, shutdown: CancellationToken) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE)
        .max_concurrent_streams(1_000);
    let open = GracefulShutdown::new();

    loop {
        let (stream, peer) = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, mostly: give connections a moment to close instead of spinning.
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        // Small frames such as one event of a stream must not wait for more (Nagle).
        let _ = stream.set_nodelay(true);
        let service = with_peer(router.clone(), peer);
        let connection = builder
            .serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service))
            .into_owned();
        let connection = open.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, open.shutdown()).await.is_err() {
        tracing::warn!("open requests did not end within {} s and were cut off", DRAIN.as_secs());
    }
}

fn with_peer(
    router: Router,
    peer: SocketAddr,
) -> impl tower::Service<
    http::Request<hyper::body::Incoming>,
    Response = axum::response::Response,
    Error = Infallible,
    Future: Send,
> + Clone {
    router.map_request(move |request: http::Request<hyper::body::Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    })
}
