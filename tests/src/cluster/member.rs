//! A replica of a role, and the daprd beside it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use reqwest::Method;
use serde_json::Value;
use todo_test_dapr::free_port;

use super::{API_TOKEN, APP_TOKEN, Clock, Daprd, daprd::Running};
use crate::{SOON, eventually, process::todo, rest::Rest};

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// `todo backend`
    Backend,
    /// `todo scheduler`
    Scheduler,
    /// `todo assistant`
    Assistant,
    /// `todo gateway`
    Gateway,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Backend, Self::Scheduler, Self::Assistant, Self::Gateway];

    /// Its app id, and its command.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::Scheduler => "scheduler",
            Self::Assistant => "assistant",
            Self::Gateway => "gateway",
        }
    }
}

/// A replica of a role.
#[derive(Debug)]
pub struct Member {
    /// Which role.
    pub role: Role,
    /// Which replica of it, from 0.
    pub number: usize,
    /// The daprd beside it.
    pub daprd: Daprd,
    /// Where it listens for everyone.
    pub port: u16,
    /// Where it finds its daprd.
    pub(super) sidecar: u16,
    /// What it finds in its environment besides.
    pub environment: Vec<(&'static str, String)>,
    log: PathBuf,
    running: Option<Running>,
}

impl Member {
    pub(super) fn new(role: Role, number: usize, daprd: Daprd, scratch: &Path) -> Self {
        let log = scratch.join(format!("{}-{number}.log", role.id()));
        let sidecar = daprd.grpc;
        Self { role, number, daprd, port: free_port(), sidecar, environment: Vec::new(), log, running: None }
    }

    /// Puts the role's clock into the test's hand, from its next start on. `None`, said aloud, when libfaketime is not
    /// installed; with the environment variable `CI` set that is a failure.
    pub fn hold_clock(&mut self) -> Option<Clock> {
        let (clock, environment) = Clock::new(self.log.with_extension("clock"))?;
        self.environment.extend(environment);
        Some(clock)
    }

    /// A command line with the settings of the role.
    #[must_use]
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = todo(args);
        command
            .env("LOG_LEVEL", "warn")
            .env("LISTEN_ADDR", format!("127.0.0.1:{}", self.port))
            .env("APP_PORT", self.daprd.app_port.to_string())
            .env("DAPR_GRPC_PORT", self.sidecar.to_string())
            .env("DAPR_API_TOKEN", API_TOKEN)
            .env("APP_API_TOKEN", APP_TOKEN)
            .env("SHUTDOWN_DELAY", "1s")
            .env("SIGN_UPS_PER_ADDRESS", "10000")
            .env("SIGN_INS_PER_ACCOUNT", "10000")
            .env("SIGN_INS_PER_ADDRESS", "10000")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts the role itself.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(&mut self) {
        self.running = Some(Running::start(&mut self.command(&[self.role.id()]), &self.log));
    }

    /// Kills the role without any grace, if it runs.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Asks the role to stop, as a supervisor does (SIGTERM).
    ///
    /// # Panics
    /// When it was not started.
    pub fn terminate(&self) {
        self.running.as_ref().expect("it was started").terminate();
    }

    /// Stops the role and its daprd as a pod is stopped, SIGTERM to both at once, and waits until both have ended.
    ///
    /// # Panics
    /// When one was not started, or does not end.
    pub async fn stop(&mut self) {
        let daprd = self.daprd.running().expect("it was started");
        for running in [self.running.as_mut().expect("it was started"), daprd] {
            running.terminate();
        }
        let (status, said) = self.ended().await;
        assert_eq!(status, Some(0), "{said}");
        eventually("its daprd ends", SOON, || {
            let ended = self.daprd.running().and_then(Running::ended);
            async move { ended }
        })
        .await;
    }

    /// Where its REST surface or its health begins.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it serves by HTTP, for nobody yet.
    #[must_use]
    pub fn rest(&self) -> Rest {
        Rest::new(self.base())
    }

    /// What `/ready` answers with 200; nothing when the role cannot serve, or is not there.
    pub async fn ready(&self) -> Option<Value> {
        let answer = self.rest().try_send(Method::GET, "/ready", &[], None).await.ok()?;
        (answer.status == 200).then_some(answer.body)
    }

    /// Waits until `/ready` answers as expected: status and body.
    ///
    /// # Panics
    /// When it does not.
    pub async fn says(&self, what: &str, expected: impl Fn(u16, &Value) -> bool) -> Value {
        let rest = self.rest();
        eventually(what, SOON, || async {
            let answer = rest.try_send(Method::GET, "/ready", &[], None).await.ok()?;
            expected(answer.status.as_u16(), &answer.body).then_some(answer.body)
        })
        .await
    }

    /// Waits until it has ended by itself: its exit code, and what it said.
    ///
    /// # Panics
    /// When it does not end, or was not started.
    pub async fn ended(&mut self) -> (Option<i32>, String) {
        let running = self.running.as_mut().expect("it was started");
        let status = eventually("it ends", SOON, || {
            let ended = running.ended();
            async move { ended }
        })
        .await;
        (status.code(), self.log())
    }

    /// What it logged, and those before it.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}
