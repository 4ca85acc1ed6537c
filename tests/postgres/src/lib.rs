//! A real Postgres server for the tests of one process, and a database of its own for each test.

use std::{
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;

static SERVER: Mutex<Weak<Server>> = Mutex::new(Weak::new());
static DURABLE: Mutex<Weak<Server>> = Mutex::new(Weak::new());
const DURABLE_SETTINGS: &[&str] = &["fsync=on"];
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A running server; it ends with the last test that uses it.
#[derive(Debug)]
struct Server {
    child: Mutex<Child>,
    port: u16,
    bin: PathBuf,
    settings: &'static [&'static str],
    directory: TempDir,
}

/// A database of a test's own.
#[derive(Debug)]
pub struct Postgres {
    server: Arc<Server>,
    name: String,
}

impl Postgres {
    /// Makes a database, starting the server if none runs. `None`, said aloud, when no Postgres is installed; with the
    /// environment variable `CI` set that is a failure.
    ///
    /// # Panics
    /// When Postgres is installed and does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        // The tests are about what is committed, not about what a power cut leaves.
        Self::on(&SERVER, &["fsync=off"])
    }

    /// The same on a server that forces every commit to disk, as one in production does: for measurements.
    ///
    /// # Panics
    /// When Postgres is installed and does not start.
    #[must_use]
    pub fn start_durable() -> Option<Self> {
        Self::on(&DURABLE, DURABLE_SETTINGS)
    }

    /// A database on a server of its own, which forces every commit to disk and listens on `port`, where it can be
    /// killed and started again.
    ///
    /// # Panics
    /// When Postgres is installed and does not start.
    #[must_use]
    pub fn start_own(port: u16) -> Option<Self> {
        let server = Arc::new(Server::start(installed()?, port, DURABLE_SETTINGS));
        Some(Self { server, name: "postgres".to_owned() })
    }

    fn on(server: &Mutex<Weak<Server>>, settings: &'static [&'static str]) -> Option<Self> {
        let bin = installed()?;
        let mut running = server.lock().unwrap_or_else(PoisonError::into_inner);
        let server = running.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Server::start(bin, free_port(), settings));
            *running = Arc::downgrade(&server);
            server
        });
        drop(running);
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
        server.sql("postgres", &format!("CREATE DATABASE {name}"));
        Some(Self { server, name })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(self.server.port)
    }

    /// Where it is for those who reach it by another port.
    #[must_use]
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{}", self.name)
    }

    /// Where its server listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// The ids of its processes.
    #[must_use]
    pub fn ids(&self) -> Vec<u32> {
        let postmaster = self.server.child().id();
        [vec![postmaster], children(postmaster)].concat()
    }

    /// A program of this server's version, such as `pgbench`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.server.bin.join(name)
    }

    /// Kills the server without any grace, and with it every connection.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&self) {
        let mut child = self.server.child();
        let others = children(child.id());
        child.kill().expect("it is killed");
        child.wait().expect("it has ended");
        // What was frozen cannot see that it is orphaned.
        signal("-CONT", &others);
    }

    /// Freezes the server: it holds its connections and answers nothing, until it is [killed](Self::kill).
    ///
    /// # Panics
    /// When it cannot be frozen.
    pub fn freeze(&self) {
        let postmaster = self.server.child().id();
        // First who makes the others.
        signal("-STOP", &[postmaster]);
        signal("-STOP", &children(postmaster));
    }

    /// Starts the server again after its death, with all that it acknowledged.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&self) {
        *self.server.child() = self.server.run();
        self.server.await_answer();
    }

    /// Runs statements by `psql`.
    ///
    /// # Panics
    /// When they fail.
    pub fn sql(&self, sql: &str) {
        self.server.sql(&self.name, sql);
    }
}

impl Server {
    fn start(bin: PathBuf, port: u16, settings: &'static [&'static str]) -> Self {
        let directory = tempfile::Builder::new().prefix("todo-postgres-").tempdir().expect("a scratch directory");
        // Postgres refuses to run as root.
        assert!(as_postgres("chown", directory.path()).status().is_ok_and(|status| status.success()) || !is_root());
        let data = directory.path().join("data");
        let init = unprivileged(&bin.join("initdb"))
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .status();
        assert!(init.is_ok_and(|status| status.success()), "initdb failed");
        let child = Mutex::new(run(&bin, &data, port, settings));
        let server = Self { child, port, bin, settings, directory };
        server.await_answer();
        server
    }

    fn run(&self) -> Child {
        run(&self.bin, &self.directory.path().join("data"), self.port, self.settings)
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn await_answer(&self) {
        for _ in 0..600 {
            let asked = Command::new(self.bin.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status();
            if asked.is_ok_and(|status| status.success()) {
                return;
            }
            let mut child = self.child();
            if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                // It refuses as long as a process of a killed one lives, which is not for long.
                *child = self.run();
            }
            drop(child);
            wait(Duration::from_millis(50));
        }
        panic!("postgres does not answer");
    }

    fn sql(&self, database: &str, sql: &str) {
        let done = Command::new(self.bin.join("psql"))
            .args(["-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "postgres", "-d", database])
            .args(["-p", &self.port.to_string(), "-c", sql])
            .status();
        assert!(done.is_ok_and(|status| status.success()), "psql failed: {sql}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGQUIT to the postmaster: immediate shutdown of all its processes.
        let mut child = self.child();
        if child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
        }
        let _ = child.wait();
    }
}

fn run(bin: &Path, data: &Path, port: u16, settings: &[&str]) -> Child {
    unprivileged(&bin.join("postgres"))
        .arg("-D")
        .arg(data)
        .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
        .args(["-c", "max_connections=400", "-c", "log_min_messages=fatal"])
        .args(settings.iter().flat_map(|setting| ["-c", setting]))
        .stderr(Stdio::null())
        .spawn()
        .expect("postgres starts")
}

/// The processes that a process has started.
fn children(id: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).expect("Linux knows");
    children.split_whitespace().map(|id| id.parse().expect("a process id")).collect()
}

fn signal(signal: &str, ids: &[u32]) {
    // One of them may have ended meanwhile.
    let _ = Command::new("kill").arg(signal).args(ids.iter().map(u32::to_string)).stderr(Stdio::null()).status();
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port()
}

/// Where the programs are; said aloud when they are nowhere, which in CI is a failure.
fn installed() -> Option<PathBuf> {
    let bin = binaries();
    if bin.is_none() {
        #[expect(clippy::disallowed_methods, reason = "a skip is visible here and a failure in CI")]
        let in_ci = std::env::var("CI").is_ok();
        assert!(!in_ci, "Postgres is not installed, and CI skips nothing");
        // Past the test harness's capture.
        let _ = writeln!(std::io::stderr(), "SKIPPED: Postgres is not installed (apt-get install postgresql)");
    }
    bin
}

#[expect(clippy::disallowed_methods, reason = "polls a process that only answers when asked")]
fn wait(time: Duration) {
    std::thread::sleep(time);
}

fn binaries() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop()
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n")
}

fn as_postgres(chown: &str, directory: &Path) -> Command {
    let mut command = Command::new(chown);
    command.arg("postgres:postgres").arg(directory);
    command
}

fn unprivileged(program: &Path) -> Command {
    if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}
