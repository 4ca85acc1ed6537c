//! Serving one listener: HTTP/1.1 and HTTP/2 (prior knowledge) side by side, until told to stop; then draining.

use std::{
    convert::Infallible,
    hash::{BuildHasher as _, RandomState},
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::Request, extract::connect_info::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::linger;

/// How long an HTTP/2 connection from another process lasts.
pub const AGE: Duration = Duration::from_mins(5);
/// How long open requests may take to end once the shutdown has begun.
pub const DRAIN: Duration = Duration::from_secs(10);
/// A connection whose peer is gone must not be held for ever.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// A peer that does not begin in this time is dropped.
const BEGIN: Duration = Duration::from_secs(15);
/// How long an HTTP/1.1 connection may rest between requests, and a request's headers may take (slow loris). Longer than
/// proxies keep theirs, mostly 60 s: who sends a request just as we close can't know whether anybody looked at it.
const IDLE: Duration = Duration::from_secs(75);
/// How long a peer that has just connected may take to begin once the shutdown has.
const FIRST: Duration = Duration::from_secs(1);

/// Serves `router` on `listener` until `shutdown`, then accepts nothing more and gives open requests 10 seconds.
/// Streams without end must watch `shutdown` themselves. Each request carries `ConnectInfo<SocketAddr>`.
pub async fn serve(router: Router, listener: TcpListener, shutdown: CancellationToken) {
    serve_for(Duration::MAX, router, listener, shutdown).await;
}

/// As [`serve`], but who comes by HTTP/2 is told to connect anew after `age`, or up to a fifth sooner so that not all are at
/// once, and gets wherever a balancer then leads: else new replicas would stay idle. What is open on the old connection goes
/// on to its end.
pub async fn serve_for(age: Duration, router: Router, listener: TcpListener, shutdown: CancellationToken) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE)
        .max_concurrent_streams(1_000);
    let (open, leave) = (TaskTracker::new(), CancellationToken::new());
    let ages = RandomState::new();
    let attend = |stream, peer| {
        let sooner = age / 1_000 * u32::try_from(ages.hash_one(peer) % 200).unwrap_or_default();
        let age = age.saturating_sub(sooner);
        open.spawn(attend(builder.clone(), stream, peer, age, router.clone(), leave.clone()))
    };

    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => drop(attend(stream, peer)),
                Err(error) => {
                    // Out of file descriptors, mostly: give connections a moment to close instead of spinning.
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    for (stream, peer) in connected(listener) {
        attend(stream, peer);
    }
    // Not before: those who are told to leave connect anew.
    leave.cancel();
    open.close();
    if tokio::time::timeout(DRAIN, open.wait()).await.is_err() {
        tracing::warn!("open requests did not end within {} s and were cut off", DRAIN.as_secs());
    }
}

/// Closes the listener, and answers with who has connected already: they would be reset, and could not know that nobody
/// has looked at what they asked.
fn connected(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let waiting = std::iter::from_fn(|| listener.accept().ok());
    waiting
        .filter_map(|(stream, peer)| {
            stream.set_nonblocking(true).ok()?;
            Some((TcpStream::from_std(stream).ok()?, peer))
        })
        .collect()
}

/// Serves one connection to its end, or until it is told to `leave` and its requests have ended.
async fn attend(
    builder: auto::Builder<TokioExecutor>,
    stream: TcpStream,
    peer: SocketAddr,
    age: Duration,
    router: Router,
    leave: CancellationToken,
) {
    // Small frames such as one event of a stream must not wait for more (Nagle).
    let _ = stream.set_nodelay(true);
    let too_late = async {
        let _ = tokio::time::timeout(BEGIN, leave.cancelled()).await;
        tokio::time::sleep(FIRST).await;
    };
    // A connection that has not begun can only be cut off by a shutdown, though its first request may be on its way.
    // Not `readable`, which is optimistic about a socket that was just accepted.
    let mut first = [0];
    tokio::select! {
        _ = stream.peek(&mut first) => {}
        () = too_late => return,
    }
    let http2 = Arc::new(AtomicBool::default());
    let service = TowerToHyperService::new(with_peer(router, peer, Arc::clone(&http2)));
    // HTTP/1.1 has no way to say that a request which is on its way will not be looked at.
    let old = async {
        tokio::time::sleep(age).await;
        if !http2.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    let (socket, close) = linger::lend(stream);
    let ended = {
        let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(socket), service));
        tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            _ = leave.run_until_cancelled(old) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
    close.await;
}

fn with_peer(
    router: Router,
    peer: SocketAddr,
    http2: Arc<AtomicBool>,
) -> impl tower::Service<
    http::Request<hyper::body::Incoming>,
    Response = axum::response::Response,
    Error = Infallible,
    Future: Send,
> + Clone {
    router.map_request(move |request: http::Request<hyper::body::Incoming>| {
        http2.store(request.version() == http::Version::HTTP_2, Ordering::Relaxed);
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        sync::Notify,
    };

    use super::*;

    const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";

    async fn listen() -> (TcpListener, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (listener, client)
    }

    #[tokio::test]
    async fn who_has_connected_when_the_shutdown_begins_is_served() {
        let (listener, mut client) = listen().await;
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        let serving = tokio::spawn(serve(Router::new().route("/", get("hello")), listener, shutdown));
        // The listener is gone: nothing waits for this request but its connection.
        while TcpStream::connect(client.peer_addr().unwrap()).await.is_ok() {}
        client.write_all(GET).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn who_still_writes_when_the_connection_ends_is_not_reset() {
        let (listener, mut client) = listen().await;
        let (shutdown, begun, go_on) = (CancellationToken::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let late = {
            let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
            async move || {
                begun.notify_one();
                go_on.notified().await;
                "hello"
            }
        };
        let router = Router::new().route("/", get(late)).route("/now", get("hello"));
        let mut other = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let serving = tokio::spawn(serve(router, listener, shutdown.clone()));
        other.write_all(b"GET /now HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
        client.write_all(GET).await.unwrap();
        begun.notified().await;
        shutdown.cancel();
        // Its end says that all were told to leave.
        other.read_to_end(&mut Vec::new()).await.unwrap();
        // More than is read while the first request is answered.
        client.write_all(&GET.repeat(2_000)).await.unwrap();
        go_on.notify_one();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.expect("its end");
        assert!(answer.contains("connection: close") && answer.ends_with("hello"), "{answer}");
        client.write_all(GET).await.expect("somebody reads on");
        drop(client);
        serving.await.unwrap();
    }
}
