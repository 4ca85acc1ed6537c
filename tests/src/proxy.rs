//! A TCP proxy that stands in a link between two processes and fails as networks do, while they run.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Bytes carried at once.
const CHUNK: usize = 16 << 10;
/// Chunks on their way in one direction; what is more waits at its sender.
const ON_THE_WAY: usize = 64;

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Carries everything at once.
    Pass,
    /// Open connections are reset, and new ones are refused.
    Refuse,
    /// Open connections are reset, and new ones are accepted and reset.
    Reset,
    /// Carries everything so much later, from who connects and back to it.
    Delay(Duration, Duration),
    /// Connections stay open, new ones are accepted, and nothing is carried. What was sent meanwhile arrives afterwards,
    /// unless they are [reset](Proxy::reset) or [forgotten](Proxy::forget).
    HalfOpen,
}

#[derive(Clone, Copy, Debug)]
struct State {
    mode: Mode,
    /// How often all connections were reset, and forgotten: one that knows of fewer is.
    resets: u64,
    forgets: u64,
}

/// A proxy; it ends with the value.
#[derive(Debug)]
pub struct Proxy {
    state: watch::Sender<State>,
    _stop: DropGuard,
}

impl Proxy {
    /// Listens at one address and carries to another.
    ///
    /// # Panics
    /// When it cannot listen there.
    pub async fn start(listen: SocketAddr, target: SocketAddr) -> Self {
        let listener = TcpListener::bind(listen).await.expect("a free port");
        let (state, seen) = watch::channel(State { mode: Mode::Pass, resets: 0, forgets: 0 });
        let stop = CancellationToken::new();
        tokio::spawn(stop.clone().run_until_cancelled_owned(accept(listener, listen, target, seen)));
        Self { state, _stop: stop.drop_guard() }
    }

    /// Changes what the link does.
    pub fn set(&self, mode: Mode) {
        self.state.send_modify(|state| {
            state.mode = mode;
            state.resets += u64::from(matches!(mode, Mode::Refuse | Mode::Reset));
        });
    }

    /// Resets the connections that are open.
    pub fn reset(&self) {
        self.state.send_modify(|state| state.resets += 1);
    }

    /// Carries nothing more over the connections that are open, and tells neither end: as when one's machine is gone.
    pub fn forget(&self) {
        self.state.send_modify(|state| state.forgets += 1);
    }
}

async fn accept(listener: TcpListener, listen: SocketAddr, target: SocketAddr, mut state: watch::Receiver<State>) {
    let mut listening = Some(listener);
    loop {
        let mode = state.borrow_and_update().mode;
        if mode == Mode::Refuse {
            listening = None;
        } else if listening.is_none() {
            listening = Some(TcpListener::bind(listen).await.expect("the port is still free"));
        }
        let accepted = async {
            match &listening {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            Ok((stream, _)) = accepted => {
                if mode == Mode::Reset {
                    reset(stream);
                } else {
                    tokio::spawn(carry(stream, target, state.clone()));
                }
            }
        }
    }
}

/// Carries one connection to its end.
async fn carry(mut near: TcpStream, target: SocketAddr, mut state: watch::Receiver<State>) {
    let known = *state.borrow();
    let gate = Gate { state: state.clone(), forgets: known.forgets };
    // The end of the proxy is one, too.
    let cut = async { drop(state.wait_for(|state| state.resets != known.resets).await) };
    let mut far = None;
    let ends_well = {
        let carrying = async {
            gate.clone().open().await;
            let far = far.insert(TcpStream::connect(target).await.ok()?);
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let ((near_read, near_write), (far_read, far_write)) = (near.split(), far.split());
            let there = pump(near_read, far_write, gate.clone(), |there, _| there);
            let back = pump(far_read, near_write, gate.clone(), |_, back| back);
            tokio::try_join!(there, back).ok()
        };
        tokio::select! {
            () = cut => false,
            carried = carrying => carried.is_some(),
        }
    };
    if !ends_well {
        reset(near);
        far.into_iter().for_each(reset);
    }
}

/// Carries one direction to its end.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut gate: Gate,
    direction: impl Fn(Duration, Duration) -> Duration,
) -> std::io::Result<()> {
    let (sender, mut chunks) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let mut last = gate.clone();
    let read = async move {
        loop {
            let mut chunk = vec![0; CHUNK];
            let length = from.read(&mut chunk).await?;
            chunk.truncate(length);
            let delay = match gate.open().await {
                Mode::Delay(there, back) => direction(there, back),
                _ => Duration::ZERO,
            };
            // The other half has failed, and says so.
            let sent = sender.send((Instant::now() + delay, chunk)).await;
            if length == 0 || sent.is_err() {
                return Ok(());
            }
        }
    };
    let write = async move {
        while let Some((at, chunk)) = chunks.recv().await {
            tokio::time::sleep_until(at).await;
            last.open().await;
            if chunk.is_empty() {
                to.shutdown().await?;
            } else {
                to.write_all(&chunk).await?;
            }
        }
        Ok(())
    };
    tokio::try_join!(read, write).map(drop)
}

/// What a connection waits at.
#[derive(Clone)]
struct Gate {
    state: watch::Receiver<State>,
    forgets: u64,
}

impl Gate {
    /// Waits until something is carried; answers with how.
    async fn open(&mut self) -> Mode {
        let forgets = self.forgets;
        let opened = self.state.wait_for(|state| state.mode != Mode::HalfOpen && state.forgets == forgets).await;
        // Without a proxy its connections end, too.
        opened.map_or(Mode::HalfOpen, |state| state.mode)
    }
}

/// Ends a connection as one does whose peer is gone.
fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
    drop(stream);
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::{SOON, eventually};

    /// A server that answers with what it is told, a proxy before it, and where that listens.
    async fn echo() -> (Proxy, SocketAddr) {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = server.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = server.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        let listen = SocketAddr::from(([127, 0, 0, 1], todo_test_dapr::free_port()));
        (Proxy::start(listen, target).await, listen)
    }

    /// Says something and hears it.
    async fn says(stream: &mut TcpStream, word: &[u8; 4]) -> std::io::Result<()> {
        stream.write_all(word).await?;
        hears(stream, word).await
    }

    async fn hears(stream: &mut TcpStream, word: &[u8; 4]) -> std::io::Result<()> {
        let mut heard = [0; 4];
        tokio::time::timeout(SOON, stream.read_exact(&mut heard)).await.expect("an answer or an end")?;
        assert_eq!(&heard, word);
        Ok(())
    }

    #[tokio::test]
    async fn it_carries_both_ways_and_to_the_end() {
        let (_proxy, address) = echo().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        says(&mut stream, b"here").await.unwrap();
        stream.write_all(b"last").await.unwrap();
        stream.shutdown().await.unwrap();
        hears(&mut stream, b"last").await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn cut_it_resets_what_is_open_and_refuses_or_resets_what_is_new() {
        let (proxy, address) = echo().await;
        let connect_and_say = async || says(&mut TcpStream::connect(address).await?, b"here").await;
        for mode in [Mode::Refuse, Mode::Reset] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            says(&mut stream, b"here").await.unwrap();
            proxy.set(mode);
            assert_eq!(stream.read(&mut [0]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
            let new = connect_and_say().await.unwrap_err().kind();
            assert_eq!(new == ErrorKind::ConnectionRefused, mode == Mode::Refuse, "{new}");
            proxy.set(Mode::Pass);
            eventually("it carries again", SOON, async || connect_and_say().await.ok()).await;
        }
    }

    #[tokio::test]
    async fn each_direction_has_its_delay_and_its_order() {
        let (proxy, address) = echo().await;
        let (there, back) = (Duration::from_millis(40), Duration::from_millis(70));
        proxy.set(Mode::Delay(there, back));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let begun = Instant::now();
        stream.write_all(b"one ").await.unwrap();
        stream.write_all(b"two ").await.unwrap();
        hears(&mut stream, b"one ").await.unwrap();
        hears(&mut stream, b"two ").await.unwrap();
        assert!(begun.elapsed() >= there + back, "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn half_open_it_takes_everything_and_carries_it_afterwards_unless_reset_or_forgotten() {
        let (proxy, address) = echo().await;
        let mut old = TcpStream::connect(address).await.unwrap();
        says(&mut old, b"here").await.unwrap();
        proxy.set(Mode::HalfOpen);
        let mut new = TcpStream::connect(address).await.unwrap();
        for stream in [&mut old, &mut new] {
            stream.write_all(b"held").await.unwrap();
        }
        let hears_nothing = async |stream: &mut TcpStream| {
            let heard = tokio::time::timeout(Duration::from_millis(100), stream.read(&mut [0])).await;
            assert!(heard.is_err(), "{heard:?}");
        };
        hears_nothing(&mut old).await;
        proxy.set(Mode::Pass);
        for stream in [&mut old, &mut new] {
            hears(stream, b"held").await.unwrap();
        }
        proxy.forget();
        old.write_all(b"lost").await.unwrap();
        hears_nothing(&mut old).await;
        says(&mut TcpStream::connect(address).await.unwrap(), b"here").await.unwrap();
        proxy.reset();
        assert_eq!(old.read(&mut [0]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
}
