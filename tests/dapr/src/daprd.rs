//! A daprd.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::time::Duration;

use crate::components::Resources;
use crate::process::{exists, free_port, kill, spawn, until};

/// Its program has 130 MB; two cores may be busy with several of them.
const START: Duration = Duration::from_mins(1);

/// How a [`Daprd`] is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The app's id.
    pub app_id: String,
    /// Where the app listens for daprd's calls; `None` for an app that only asks.
    pub app_port: Option<u16>,
    /// What the app must show.
    pub api_token: Option<String>,
    /// What the app is shown.
    pub app_token: Option<String>,
}

impl Options {
    /// An app that only asks, without tokens.
    #[must_use]
    pub fn new(app_id: impl Into<String>) -> Self {
        Self { app_id: app_id.into(), app_port: None, api_token: None, app_token: None }
    }
}

/// A running daprd, on ports of loopback that stay the same over restarts.
#[derive(Debug)]
pub struct Daprd {
    child: Child,
    options: Options,
    resources: Resources,
    grpc: u16,
    http: u16,
    internal: u16,
}

impl Daprd {
    /// Starts one and waits until it takes calls. It reads the app's subscriptions once the app answers its health
    /// checks, which it makes each second; a topic that is new to the app is then read from its beginning.
    ///
    /// # Panics
    /// When it does not start; see [`installed`](crate::installed).
    #[must_use]
    pub fn start(resources: &Resources, options: Options) -> Self {
        let (grpc, http, internal) = (free_port(), free_port(), free_port());
        let child = run(resources, &options, grpc, http, internal);
        Self { child, options, resources: resources.clone(), grpc, http, internal }
    }

    /// Where it takes the app's calls.
    #[must_use]
    pub fn grpc_port(&self) -> u16 {
        self.grpc
    }

    /// Where it answers over HTTP.
    #[must_use]
    pub fn http_port(&self) -> u16 {
        self.http
    }

    /// What it logged since it was started.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(log(&self.resources, self.grpc)).unwrap_or_default()
    }

    /// Kills it without any grace.
    pub fn kill(&mut self) {
        kill(&mut self.child);
    }

    /// Starts it again, killing it first if it runs.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        self.child = run(&self.resources, &self.options, self.grpc, self.http, self.internal);
    }
}

impl Drop for Daprd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The daprd that is used: an installed one, or what `tools/daprd/build` made.
#[must_use]
pub fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    PROGRAM.get_or_init(find).as_deref()
}

fn find() -> Option<PathBuf> {
    if exists("daprd") {
        return Some("daprd".into());
    }
    #[expect(clippy::disallowed_methods, reason = "where the Dapr CLI installs it")]
    let home = std::env::var_os("HOME").unwrap_or_default();
    let installed = Path::new(&home).join(".dapr/bin/daprd");
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/daprd");
    [installed, built].into_iter().find(|path| path.is_file())
}

/// How a daprd is started that listens on loopback, at these ports for gRPC, HTTP and other daprds.
///
/// # Panics
/// When none is installed.
#[must_use]
pub fn command(app_id: &str, (grpc, http, internal): (u16, u16, u16)) -> Command {
    let mut command = Command::new(program().expect("daprd is installed"));
    command
        .args(["--app-id", app_id, "--enable-metrics=false"])
        // Neither actors nor jobs are used.
        .args(["--placement-host-address=", "--scheduler-host-address="])
        .args(["--dapr-listen-addresses", "127.0.0.1", "--dapr-internal-grpc-listen-address", "127.0.0.1"])
        .args(["--dapr-grpc-port", &grpc.to_string(), "--dapr-http-port", &http.to_string()])
        .args(["--dapr-internal-grpc-port", &internal.to_string()]);
    command
}

fn log(resources: &Resources, grpc: u16) -> PathBuf {
    resources.path(&format!("daprd-{grpc}.log"))
}

fn run(resources: &Resources, options: &Options, grpc: u16, http: u16, internal: u16) -> Child {
    let mut command = command(&options.app_id, (grpc, http, internal));
    command
        .args(["--log-level", "info", "--resources-path"])
        .arg(resources.components())
        .arg("--config")
        .arg(resources.configuration())
        .env_remove("DAPR_API_TOKEN")
        .env_remove("APP_API_TOKEN");
    if let Some(port) = options.app_port {
        command.args(["--app-protocol", "grpc", "--app-port", &port.to_string(), "--enable-app-health-check"]).args([
            "--app-health-probe-interval",
            "1",
            "--app-health-probe-timeout",
            "1000",
        ]);
    }
    for (name, token) in [("DAPR_API_TOKEN", &options.api_token), ("APP_API_TOKEN", &options.app_token)] {
        if let Some(token) = token {
            command.env(name, token);
        }
    }
    let log = log(resources, grpc);
    let mut child = spawn(&mut command, &log);
    until(&mut child, START, &log, || is_healthy(http));
    child
}

/// <https://docs.dapr.io/reference/api/health_api/>: 204 when it is ready for calls. It wants no token.
fn is_healthy(http: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", http)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(b"GET /v1.0/healthz HTTP/1.1\r\nHost: daprd\r\nConnection: close\r\n\r\n").ok()?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).ok()?;
        Some(status == *b"HTTP/1.1 204")
    };
    ask() == Some(true)
}
