//! A Redis server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{free_port, kill, spawn, until};

/// A running Redis, on a port of loopback. What it acknowledged survives its own death (not the machine's).
#[derive(Debug)]
pub struct Redis {
    child: Child,
    port: u16,
    directory: TempDir,
}

impl Redis {
    /// Starts an empty one.
    ///
    /// # Panics
    /// When it does not start; see [`installed`](crate::installed).
    #[must_use]
    pub fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("todo-redis-").tempdir().expect("a scratch directory");
        let port = free_port();
        let child = run(&directory, port);
        Self { child, port, directory }
    }

    /// Where it listens; stays the same over restarts.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The id of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it without any grace.
    pub fn kill(&mut self) {
        kill(&mut self.child);
    }

    /// Freezes it: it holds its connections and answers nothing, until [`resume`](Self::resume).
    ///
    /// # Panics
    /// When the signal cannot be sent.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When the signal cannot be sent.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the signal was not sent");
    }

    /// Starts it again, killing it first if it runs: with what it acknowledged, or empty.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self, keep_data: bool) {
        self.kill();
        if !keep_data {
            let data = self.directory.path().join("appendonlydir");
            std::fs::remove_dir_all(data).expect("the data can be removed");
        }
        self.child = run(&self.directory, self.port);
    }

    /// Sends a command of words without spaces; answers with the first bytes of the reply, as they come (RESP).
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn ask(&self, command: &str) -> String {
        ask(self.port, command).expect("Redis answers")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run(directory: &TempDir, port: u16) -> Child {
    let log = directory.path().join("log");
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
        // Written before it answers, not forced to disk: that outlives the process.
        .args(["--appendonly", "yes", "--appendfsync", "no", "--dir"])
        .arg(directory.path());
    let mut child = spawn(&mut command, &log);
    until(&mut child, Duration::from_secs(20), &log, || {
        ask(port, "PING").is_some_and(|reply| reply.starts_with("+PONG"))
    });
    child
}

/// One command in Redis's inline form.
fn ask(port: u16, command: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(format!("{command}\r\n").as_bytes()).ok()?;
    let mut reply = [0; 512];
    let length = stream.read(&mut reply).ok()?;
    Some(String::from_utf8_lossy(&reply[..length]).into_owned())
}
