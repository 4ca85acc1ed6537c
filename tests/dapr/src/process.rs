//! Ports and processes.

use std::fs::File;
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

static NEXT: AtomicU16 = AtomicU16::new(0);
/// Below the ports that Linux gives to outgoing connections, which could take one between its choice and its use.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// Says to other processes of tests that a port is taken, also while nothing listens on it: what was killed comes back.
static TAKEN: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// A port of loopback that nothing listens on, and that one process of tests gives out once.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    // Processes start at places of their own.
    let start = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or(0);
    (0..COUNT)
        .map(|_| FIRST + (start + NEXT.fetch_add(1, Ordering::SeqCst)) % COUNT)
        // Not tried by listening: a child that is being started just then has a copy of that listener until its exec.
        .find(|port| take(*port) && TcpStream::connect(("127.0.0.1", *port)).is_err())
        .expect("a free port")
}

/// By the UDP port of that number, which ends with the process; nothing here speaks UDP.
fn take(port: u16) -> bool {
    let Ok(taken) = UdpSocket::bind(("127.0.0.1", port)) else { return false };
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner).push(taken);
    true
}

/// Whether a program can be started.
pub(crate) fn exists(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Starts a program whose output goes to `log`.
pub(crate) fn spawn(command: &mut Command, log: &Path) -> Child {
    let log = File::create(log).expect("a log in the scratch directory");
    let errors = log.try_clone().expect("a second handle of the log");
    command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().expect("the program starts")
}

/// Waits until a started program does what it should.
pub(crate) fn until(child: &mut Child, deadline: Duration, log: &Path, ready: impl Fn() -> bool) {
    let give_up = Instant::now() + deadline;
    while !ready() {
        let ended = child.try_wait().expect("the state of a child");
        if ended.is_some() || Instant::now() > give_up {
            kill(child);
            let log = std::fs::read_to_string(log).unwrap_or_default();
            panic!("not ready within {} s, {ended:?}:\n{log}", deadline.as_secs());
        }
        wait(Duration::from_millis(20));
    }
}

/// SIGKILL: no grace.
pub(crate) fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

#[expect(clippy::disallowed_methods, reason = "polls a process that only answers when asked")]
fn wait(time: Duration) {
    std::thread::sleep(time);
}
