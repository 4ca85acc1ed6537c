//! The real executable: started, asked, stopped and killed as an operator, a supervisor or a power cut does.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use tempfile::NamedTempFile;

use crate::{SOON, eventually, rest::Rest};

/// Where the executable is: beside the tests' own.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn executable() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    let path = own.ancestors().nth(2).expect("a directory above deps").join("todo");
    assert!(path.exists(), "{} is missing: build it first by `cargo build -p todo`", path.display());
    path
}

/// A command line of the executable, with no environment but what the test gives.
#[must_use]
pub fn todo(args: &[&str]) -> Command {
    let mut command = Command::new(executable());
    command.env_clear().args(args).stdin(Stdio::null());
    command
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said on standard error.
    pub stderr: String,
}

/// Runs a command to its end, killing it when that does not come.
///
/// # Panics
/// When it does not end in time.
pub async fn ended(mut command: Command) -> Ended {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it is started");
    let (mut stdout, mut stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let log = NamedTempFile::new().expect("a log");
    let mut process = Process { child, log, address: SocketAddr::from(([0, 0, 0, 0], 0)) };
    let read = tokio::task::spawn_blocking(move || {
        let (mut out, mut err) = (String::new(), String::new());
        let read = stdout.read_to_string(&mut out).and_then(|_| stderr.read_to_string(&mut err));
        read.expect("text");
        (out, err)
    });
    let status = process.ended(SOON).await;
    let (stdout, stderr) = read.await.expect("it is read");
    Ended { code: status.code(), stdout, stderr }
}

/// A running `todo all`; it is killed with the test.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: NamedTempFile,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Process {
    /// Starts `todo all` on a free port and waits until it listens.
    ///
    /// # Panics
    /// When it does not.
    pub async fn start(data_dir: &Path) -> Self {
        Self::spawn(todo(&["all", "--listen", "127.0.0.1:0", "--log-level", "warn"]), data_dir).await
    }

    /// Starts a command line of `todo all` on a data directory.
    ///
    /// # Panics
    /// When it does not say where it listens.
    pub async fn spawn(mut command: Command, data_dir: &Path) -> Self {
        let log = NamedTempFile::new().expect("a log");
        let file = log.reopen().expect("a log");
        let mut child =
            command.arg("--data-dir").arg(data_dir).stdout(Stdio::piped()).stderr(file).spawn().expect("it is started");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut process = Self { child, log, address: SocketAddr::from(([0, 0, 0, 0], 0)) };
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).expect("text");
            // The rest is read too, so that the process never waits for a full pipe.
            std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
            line
        });
        let line = tokio::time::timeout(SOON, line).await.expect("it speaks in time").expect("it is read");
        let address = line.split_once("http://").and_then(|(_, rest)| rest.split('/').next()?.parse().ok());
        process.address = address.unwrap_or_else(|| panic!("it did not start: {line}\n{}", process.log()));
        process
    }

    /// Its REST surface, for nobody yet.
    #[must_use]
    pub fn rest(&self) -> Rest {
        Rest::new(self.base())
    }

    /// Where its REST surface begins.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap_or_default()
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut does: at once, wherever it is.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it has ended");
    }

    /// Asks it to stop, as a supervisor does (SIGTERM).
    ///
    /// # Panics
    /// When the signal cannot be sent.
    pub fn terminate(&self) {
        let sent = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.id())]).status();
        assert!(sent.expect("a shell").success(), "the signal was not sent");
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn ended(&mut self, deadline: Duration) -> ExitStatus {
        let child = &mut self.child;
        eventually("the process ends", deadline, || {
            let status = child.try_wait().expect("it is a child");
            async move { status }
        })
        .await
    }

    /// Stops it as a supervisor does and waits for its end.
    ///
    /// # Panics
    /// When it does not drain well.
    pub async fn stop(mut self) {
        self.terminate();
        let status = self.ended(SOON).await;
        assert!(status.success(), "{status}: {}", self.log());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
