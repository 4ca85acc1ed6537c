//! The distributed system as `dapr/run` starts it: each role a process beside its daprd, over one Redis and one Postgres;
//! and beside a daprd of its own an app of the benchmark. All of it ends with the value.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use todo_domain::{Clock, Ids};
use todo_runtime::{
    access::Keys,
    system::{SystemClock, SystemIds},
};
use todo_sidecar::{
    DaprSidecar, Secret,
    dapr::{CallbackOptions, Options, callback},
};
use todo_test_dapr::{Redis, free_port};
use todo_tests::rest::Rest;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::service::Routes;

use crate::{
    Result, machine,
    probe::Probe,
    stage::{Stage, person},
};

/// How long everything may take to be there: programs of 130 MB on cores that several of them share.
const START: Duration = Duration::from_mins(1);
const API_TOKEN: &str = "the token of daprd's own interface";
const APP_TOKEN: &str = "the token of what daprd calls";
const JWT_SECRET: &str = "a secret of the benchmark that has more than 32 bytes";

/// The running system.
pub(super) struct System {
    // In this order, so that what others lean on ends last.
    pub(super) gateway: Pair,
    pub(super) scheduler: Pair,
    pub(super) backend: Pair,
    /// What the benchmark's own app gets of topic `tasks`.
    pub(super) tasks: Probe,
    /// The same of topic `notifications`.
    pub(super) notifications: Probe,
    _daprd: Program,
    _app: DropGuard,
    /// `None` after a restart that failed.
    pub(super) redis: Option<Redis>,
    stage: Stage,
    keys: Keys,
}

/// A role and the daprd beside it.
pub(super) struct Pair {
    pub(super) role: Program,
    pub(super) daprd: Program,
    port: u16,
    grpc: u16,
}

/// A process that can be killed and started again.
pub(super) struct Program {
    pub(super) name: String,
    command: Command,
    child: Child,
}

impl System {
    /// Starts everything on a stage that is filled, and waits until each part finds all others.
    pub(super) async fn start(stage: Stage, executable: &Path) -> Result<Self> {
        let redis = Redis::start();
        let place = Place::prepare(&stage, &redis, executable)?;
        let ([tasks, notifications], subscriber) = Probe::of(["tasks", "notifications"]);
        let port = free_port();
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
        let mut options = CallbackOptions::new("pubsub");
        options.app_token = Some(Secret::new(APP_TOKEN));
        let routes = callback(subscriber, &options, Routes::default()).prepare().into_axum_router();
        let stop = CancellationToken::new();
        tokio::spawn(todo_runtime::serve::serve(routes, listener, stop.clone()));

        let mut system = Self {
            gateway: place.pair("gateway")?,
            scheduler: place.pair("scheduler")?,
            backend: place.pair("backend")?,
            tasks,
            notifications,
            _daprd: place.daprd("bench", port, free_port(), &place.open()?)?,
            _app: stop.drop_guard(),
            redis: Some(redis),
            stage,
            keys: Keys::parse(JWT_SECRET)?,
        };
        system.ready().await?;
        // The app is there when it is given something.
        let id = crate::event::create(&system.rest(), 0).await?;
        crate::event::of_task(&mut system.tasks, &id).await?;
        Ok(system)
    }

    /// The roles with their daprds.
    pub(super) fn pairs(&self) -> [&Pair; 3] {
        [&self.backend, &self.scheduler, &self.gateway]
    }

    /// What each process has of the memory, or why it is not known. Pages that several share are divided among them, as
    /// Postgres' processes do.
    pub(super) fn memory(&self) -> Vec<(&str, String)> {
        let programs = self.pairs().into_iter().flat_map(|pair| [&pair.role, &pair.daprd]);
        let programs = programs.map(|program| (program.name.as_str(), vec![program.child.id()]));
        let redis = ("Redis", self.redis.iter().map(Redis::id).collect());
        let postgres = ("Postgres", self.stage.postgres.iter().flat_map(|postgres| postgres.ids()).collect());
        let shown = |ids: Vec<u32>| match ids.into_iter().map(machine::share_of_memory).sum::<Result<f64>>() {
            Ok(memory) => format!("{memory:.1} MB"),
            Err(error) => error.to_string(),
        };
        programs.chain([redis, postgres]).map(|(name, ids)| (name, shown(ids))).collect()
    }

    /// Waits until every role says that it has all it wants, and the gateway reaches the backend.
    pub(super) async fn ready(&mut self) -> Result<()> {
        let rest = self.rest();
        for pair in [&mut self.backend, &mut self.scheduler, &mut self.gateway] {
            pair.answers(rest.clone(), "/ready", |body| body["status"] == "ok").await?;
        }
        self.gateway.answers(rest, "/api/tasks", |_| true).await
    }

    /// The first person's client at the gateway.
    pub(super) fn rest(&self) -> Rest {
        let mut rest = Rest::new(format!("http://127.0.0.1:{}", self.gateway.port));
        let email = "person-0@example.org";
        let (session, now) = (SystemIds.random(), SystemClock.now());
        rest.token = Some(self.keys.sign(person(0), email, session, now, TimeDelta::hours(1)));
        rest
    }
}

impl Pair {
    /// Waits until the role answers as expected.
    async fn answers(&mut self, mut rest: Rest, path: &str, expected: impl Fn(&Value) -> bool) -> Result<()> {
        rest.move_server(format!("http://127.0.0.1:{}", self.port));
        let began = Instant::now();
        loop {
            let said = match rest.try_send(Method::GET, path, &[], None).await {
                Ok(answer) if answer.status == 200 && expected(&answer.body) => return Ok(()),
                Ok(answer) => answer.body.to_string(),
                Err(error) => error.to_string(),
            };
            let ended = [self.role.child.try_wait()?, self.daprd.child.try_wait()?].into_iter().flatten().next();
            if ended.is_some() || began.elapsed() > START {
                let (name, logs) = (&self.role.name, logs());
                let why = ended.map_or(said, |status| format!("one ended with {status}"));
                return Err(format!("{name} or its daprd is not ready: {why}; see {}", logs.display()).into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Another client of this daprd.
    pub(super) fn sidecar(&self) -> Result<DaprSidecar> {
        let mut options = Options::new(self.grpc.to_string());
        options.api_token = Some(Secret::new(API_TOKEN));
        Ok(DaprSidecar::new(options)?)
    }
}

impl Program {
    fn start(name: String, mut command: Command) -> Result<Self> {
        let log = File::create(logs().join(format!("{}.log", name.replace("'s ", "-"))))?;
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(Self { name, command, child })
    }

    /// Kills it without any grace.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Kills it, if it runs, and starts it again at once.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.kill()?;
        self.child = self.command.spawn()?;
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where processes say what they do; it outlives them.
fn logs() -> PathBuf {
    std::env::temp_dir().join("todo-bench-dapr")
}

/// What processes are started on.
struct Place<'a> {
    scratch: &'a Path,
    executable: &'a Path,
    redis: u16,
    /// What is shipped.
    shipped: PathBuf,
}

impl<'a> Place<'a> {
    /// Writes what daprds read.
    fn prepare(stage: &'a Stage, redis: &Redis, executable: &'a Path) -> Result<Self> {
        let postgres = stage.postgres.as_ref().ok_or("roles need Postgres")?;
        let scratch = stage.directory();
        let shipped = machine::root().join("dapr");
        fs::create_dir_all(logs())?;
        let secrets = json!({ "app-secrets": {
            "jwt-secret": JWT_SECRET, "database-url": postgres.url(), "internal-token": "the token of internal calls",
        } });
        fs::write(scratch.join("secrets.json"), secrets.to_string())?;
        // Without mDNS, which not every machine has, apps find each other by a file.
        let configuration = format!(
            "{}  nameResolution:\n    component: sqlite\n    version: v1\n    configuration: {{connectionString: \"{}\"}}\n",
            fs::read_to_string(shipped.join("config.yaml"))?,
            scratch.join("names.db").display()
        );
        fs::write(scratch.join("config.yaml"), configuration)?;
        Ok(Self { scratch, executable, redis: redis.port(), shipped })
    }

    /// The components for the benchmark's own app: as shipped, but for the lines that name who may use them.
    fn open(&self) -> Result<PathBuf> {
        let (from, to) = (self.shipped.join("components"), self.scratch.join("components"));
        fs::create_dir(&to)?;
        let pubsub = fs::read_to_string(from.join("pubsub.yaml"))?;
        let open: Vec<_> = pubsub.lines().filter(|line| !line.starts_with("scopes:")).collect();
        fs::write(to.join("pubsub.yaml"), open.join("\n"))?;
        fs::copy(from.join("resiliency.yaml"), to.join("resiliency.yaml"))?;
        Ok(to)
    }

    /// A role beside a daprd on what is shipped.
    fn pair(&self, role: &str) -> Result<Pair> {
        let (port, app, grpc) = (free_port(), free_port(), free_port());
        let mut command = Command::new(self.executable);
        command
            .arg(role)
            .env_clear()
            .env("LISTEN_ADDR", format!("127.0.0.1:{port}"))
            .env("APP_PORT", app.to_string())
            .env("DAPR_GRPC_PORT", grpc.to_string())
            .env("DAPR_API_TOKEN", API_TOKEN)
            .env("APP_API_TOKEN", APP_TOKEN);
        let role_itself = Program::start(role.to_owned(), command)?;
        let daprd = self.daprd(role, app, grpc, &self.shipped.join("components"))?;
        Ok(Pair { role: role_itself, daprd, port, grpc })
    }

    /// The daprd of an app, with the settings of `dapr/run`.
    fn daprd(&self, app: &str, app_port: u16, grpc: u16, components: &Path) -> Result<Program> {
        let mut command = todo_test_dapr::command(app, (grpc, free_port(), free_port()));
        command
            .args(["--app-protocol", "grpc", "--app-port", &app_port.to_string()])
            .args(["--enable-app-health-check", "--app-health-probe-interval", "3", "--app-health-threshold", "2"])
            .args(["--log-level", "warn", "--resources-path"])
            .arg(components)
            .arg("--config")
            .arg(self.scratch.join("config.yaml"))
            .env("REDIS_HOST", format!("127.0.0.1:{}", self.redis))
            .env("SECRETS_FILE", self.scratch.join("secrets.json"))
            .env("DAPR_API_TOKEN", API_TOKEN)
            .env("APP_API_TOKEN", APP_TOKEN);
        Program::start(format!("{app}'s daprd"), command)
    }
}
