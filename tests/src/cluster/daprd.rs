//! A daprd on the components that are shipped.

use std::{
    fs::File,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use todo_test_dapr::free_port;

use super::{API_TOKEN, APP_TOKEN};

/// A process that is killed with its value.
#[derive(Debug)]
pub(super) struct Running(Child);

impl Running {
    /// Starts a program; what it says is added to the log.
    pub(super) fn start(command: &mut Command, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).expect("a log in the scratch directory");
        let errors = log.try_clone().expect("a second handle of the log");
        Self(command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().expect("the program starts"))
    }

    /// Asks it to stop.
    pub(super) fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the signal was not sent");
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.0.try_wait().expect("the state of a child")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGKILL: no grace. It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The daprd of an app, on ports of loopback that stay the same over restarts.
#[derive(Debug)]
pub struct Daprd {
    id: String,
    number: usize,
    components: PathBuf,
    scratch: PathBuf,
    /// Where it finds Redis.
    pub(super) redis: u16,
    /// What it speaks to the app: `grpc`, or else `http`.
    pub protocol: &'static str,
    /// Where the app listens for it.
    pub app_port: u16,
    /// Where it finds the app.
    pub(super) app: u16,
    /// Where it listens for the app.
    pub grpc: u16,
    /// What it is told besides.
    pub flags: Vec<&'static str>,
    http: u16,
    /// Where it listens for other daprds, and where they are told that it does.
    pub(super) internal: u16,
    pub(super) inner: Ipv4Addr,
    pub(super) outer: Ipv4Addr,
    running: Option<Running>,
}

impl Daprd {
    pub(super) fn new(app: &str, number: usize, components: &Path, scratch: &Path, redis: u16) -> Self {
        let app_port = free_port();
        Self {
            id: app.to_owned(),
            number,
            components: components.to_owned(),
            scratch: scratch.to_owned(),
            redis,
            protocol: "grpc",
            app_port,
            app: app_port,
            grpc: free_port(),
            flags: Vec::new(),
            http: free_port(),
            internal: free_port(),
            inner: Ipv4Addr::LOCALHOST,
            outer: Ipv4Addr::LOCALHOST,
            running: None,
        }
    }

    /// Makes it one more daprd of an app that listens for another.
    pub fn share_app(&mut self, other: &Self) {
        (self.app_port, self.app) = (other.app_port, other.app_port);
    }

    /// Starts it. Whoever needs it waits until it answers, as apps do.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(&mut self) {
        let mut command = todo_test_dapr::command(&self.id, (self.grpc, self.http, self.internal));
        command
            .args(["--app-protocol", self.protocol, "--app-port", &self.app.to_string()])
            // Sooner than in production, where an app that came back is noticed within 5 s.
            .args(["--enable-app-health-check", "--app-health-probe-interval", "1"])
            .args(["--dapr-block-shutdown-duration", "1m"])
            .args(["--dapr-internal-grpc-listen-address", &self.inner.to_string()])
            .args(["--log-level", "warn", "--resources-path"])
            .arg(&self.components)
            .arg("--config")
            .arg(self.scratch.join("config.yaml"))
            .args(&self.flags)
            // Believed only where it listens somewhere else than at 127.0.0.1.
            .env("DAPR_HOST_IP", self.outer.to_string())
            .env("REDIS_HOST", format!("127.0.0.1:{}", self.redis))
            .env("SECRETS_FILE", self.scratch.join("secrets.json"))
            .env("DAPR_API_TOKEN", API_TOKEN)
            .env("APP_API_TOKEN", APP_TOKEN);
        let log = self.scratch.join(format!("{}-{}-daprd.log", self.id, self.number));
        self.running = Some(Running::start(&mut command, &log));
    }

    /// Starts it again if it ended by itself, as a supervisor does: a daprd that starts while a component is away gives
    /// up.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn supervise(&mut self) {
        if self.running.as_mut().is_some_and(|running| running.ended().is_some()) {
            self.start();
        }
    }

    /// Kills it without any grace, if it runs.
    pub fn kill(&mut self) {
        self.running = None;
    }

    pub(super) fn running(&mut self) -> Option<&mut Running> {
        self.running.as_mut()
    }
}
