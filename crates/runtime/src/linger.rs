//! Closing a connection so that the peer gets to read our last words: a socket that is closed while there is something
//! unread in it resets the connection, and what it sent last is lost. A peer that is told by GOAWAY which of its requests
//! were not looked at would not know (RFC 9112, section 9.6).

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    sync::oneshot,
};

/// How long the peer may take to close its side.
const LINGER: Duration = Duration::from_secs(1);

/// A socket that comes back when it is dropped.
pub(crate) struct Lent {
    stream: Option<TcpStream>,
    owner: Option<oneshot::Sender<TcpStream>>,
}

/// Lends a socket; the answer waits until it comes back, and closes it.
pub(crate) fn lend(stream: TcpStream) -> (Lent, impl Future<Output = ()>) {
    let (owner, back) = oneshot::channel::<TcpStream>();
    let close = async {
        let Ok(mut stream) = back.await else { return };
        let read_on = async {
            stream.shutdown().await?;
            tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
        };
        let _ = tokio::time::timeout(LINGER, read_on).await;
    };
    (Lent { stream: Some(stream), owner: Some(owner) }, close)
}

impl Lent {
    fn stream(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(self.stream.as_mut().expect("it is there until the drop"))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(owner), Some(stream)) = (self.owner.take(), self.stream.take()) {
            let _ = owner.send(stream);
        }
    }
}

impl AsyncRead for Lent {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buf)
    }
}

impl AsyncWrite for Lent {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}
