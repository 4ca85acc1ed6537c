//! The distributed system of real processes, as `dapr/run` starts it: Postgres, Redis, and replicas of backend, scheduler
//! and gateway, each beside a daprd of its own, on the components that are shipped. Each process can be killed and
//! started again by itself; all end with the value.

mod broker;
mod clock;
mod daprd;
mod link;
mod member;

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use todo_sidecar::{DaprSidecar, Secret};
use todo_test_dapr::{Redis, free_port};

use self::link::Links;
use crate::{Postgres, books::served::Reader, eventually, proxy::Proxy, rest::Rest};

pub use self::{
    clock::Clock,
    daprd::Daprd,
    link::Link,
    member::{Member, Role},
};

/// Longest time for everything to be there: programs of 130 MB on a machine whose cores may be busy with several.
pub const START: Duration = Duration::from_mins(2);
/// What daprd wants to be shown.
const API_TOKEN: &str = "the token of daprd's own interface";
/// What daprd shows.
const APP_TOKEN: &str = "the token of what daprd calls";
/// The number one, as a private key.
const VAPID: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE";
/// What the system's parts show each other.
const INTERNAL_TOKEN: &str = "the token of internal calls";
/// The secret that signs access tokens.
pub const JWT_SECRET: &str = "a secret of tests that has more than 32 bytes";

/// A distributed system.
#[derive(Debug)]
pub struct Cluster {
    // In this order, so that what others lean on ends last.
    members: Vec<Member>,
    /// The broker and state store.
    pub redis: Redis,
    /// The database, on a server of its own.
    pub postgres: Postgres,
    links: Links,
    /// Where the backend finds the database.
    database_url: String,
    scratch: TempDir,
}

impl Cluster {
    /// Starts everything, with so many replicas of each role, and waits until each part finds all others. `None`, said
    /// aloud, when Postgres, Redis or daprd is not installed; with the environment variable `CI` set that is a failure.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(replicas: usize) -> Option<Self> {
        let mut cluster = Self::empty()?;
        for role in Role::ALL {
            for _ in 0..replicas {
                let member = cluster.add(role);
                member.start();
                member.daprd.start();
            }
        }
        cluster.ready().await;
        Some(cluster)
    }

    /// One replica of each role, with a [`link`](Self::link) wherever one process opens connections to another.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_linked() -> Option<Self> {
        let mut cluster = Self::empty()?;
        let port = cluster.links.add(Link::Database, cluster.postgres.port()).await;
        cluster.database_url = cluster.postgres.url_at(port);
        cluster.write_secrets(&json!(JWT_SECRET));
        for role in Role::ALL {
            cluster.add(role);
            let member = cluster.members.last_mut().expect("it was added");
            cluster.links.surround(member).await;
            member.start();
            member.daprd.start();
        }
        cluster.ready().await;
        Some(cluster)
    }

    /// Starts another gateway, which reaches the first backend without the daprds and has none of its own.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_direct_gateway(&mut self) -> &Member {
        let backend = self.member(Role::Backend, 0).base();
        let gateway = self.add(Role::Gateway);
        gateway.environment.push(("BACKEND_URL", backend));
        gateway.start();
        self.serves().await;
        self.members.last().expect("it was added")
    }

    /// The proxy in a link.
    ///
    /// # Panics
    /// When the cluster was started without.
    #[must_use]
    pub fn link(&self, link: Link) -> &Proxy {
        self.links.get(link)
    }

    /// Starts Postgres and Redis, and writes what daprds read. `None` as for [`start`](Self::start).
    ///
    /// # Panics
    /// When they do not start.
    #[must_use]
    pub fn empty() -> Option<Self> {
        if !todo_test_dapr::installed() {
            return None;
        }
        let postgres = Postgres::start_own(free_port())?;
        let scratch = tempfile::Builder::new().prefix("todo-cluster-").tempdir().expect("a scratch directory");
        let (links, database_url) = (Links::default(), postgres.url());
        let cluster = Self { members: Vec::new(), redis: Redis::start(), postgres, links, database_url, scratch };
        // By default 5, too little on a busy machine.
        cluster.write_configuration(8);
        cluster.write_secrets(&json!(JWT_SECRET));
        Some(cluster)
    }

    /// Another replica of a role, of which nothing runs yet.
    ///
    /// # Panics
    /// Never: it was added.
    pub fn add(&mut self, role: Role) -> &mut Member {
        let number = self.members.iter().filter(|member| member.role == role).count();
        let daprd = self.daprd(role.id(), number, &shipped().join("components"));
        self.members.push(Member::new(role, number, daprd, self.scratch.path()));
        self.members.last_mut().expect("it was added")
    }

    /// A daprd of this system for an app, of which nothing runs yet.
    #[must_use]
    pub fn daprd(&self, app: &str, number: usize, components: &Path) -> Daprd {
        Daprd::new(app, number, components, self.scratch.path(), self.redis.port())
    }

    /// A directory of the test's own.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// A replica.
    ///
    /// # Panics
    /// When there is no such.
    #[must_use]
    pub fn member(&self, role: Role, number: usize) -> &Member {
        let found = self.members.iter().find(|member| member.role == role && member.number == number);
        found.unwrap_or_else(|| panic!("no {role:?} {number}"))
    }

    /// A replica, to be killed and started.
    ///
    /// # Panics
    /// When there is no such.
    pub fn member_mut(&mut self, role: Role, number: usize) -> &mut Member {
        let found = self.members.iter_mut().find(|member| member.role == role && member.number == number);
        found.unwrap_or_else(|| panic!("no {role:?} {number}"))
    }

    /// All replicas of a role.
    pub fn replicas(&self, role: Role) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |member| member.role == role)
    }

    /// All of them.
    pub fn members_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.members.iter_mut()
    }

    /// The REST surface of the first gateway, for nobody yet.
    #[must_use]
    pub fn rest(&self) -> Rest {
        self.member(Role::Gateway, 0).rest()
    }

    /// A new user's REST surface.
    pub async fn user(&self, name: &str) -> Rest {
        let mut rest = self.rest();
        rest.sign_up(name).await;
        rest
    }

    /// How an app reaches its daprd.
    #[must_use]
    pub fn sidecar_options(&self, daprd: &Daprd) -> todo_sidecar::dapr::Options {
        let mut options = todo_sidecar::dapr::Options::new(daprd.grpc.to_string());
        options.api_token = Some(Secret::new(API_TOKEN));
        options
    }

    /// What an app may do by its daprd.
    ///
    /// # Panics
    /// Never: the port is one.
    #[must_use]
    pub fn sidecar(&self, daprd: &Daprd) -> DaprSidecar {
        DaprSidecar::new(self.sidecar_options(daprd)).expect("a port")
    }

    /// What daprd shows the apps.
    #[must_use]
    pub fn app_token(&self) -> Secret {
        Secret::new(APP_TOKEN)
    }

    /// A gRPC request with the token of internal calls.
    ///
    /// # Panics
    /// Never: the token is ASCII.
    #[must_use]
    pub fn internal<M>(&self, message: M) -> tonic::Request<M> {
        let mut request = tonic::Request::new(message);
        request.metadata_mut().insert("internal-token", INTERNAL_TOKEN.parse().expect("ASCII"));
        request
    }

    /// The secrets as the environment of a role has them.
    #[must_use]
    pub fn secrets(&self) -> [(&'static str, String); 3] {
        [
            ("JWT_SECRET", JWT_SECRET.to_owned()),
            ("DATABASE_URL", self.database_url.clone()),
            ("INTERNAL_TOKEN", INTERNAL_TOKEN.to_owned()),
        ]
    }

    /// Writes the configuration of the daprds: the one that is shipped, but apps find each other by a file, without mDNS,
    /// which not every machine has. An app is believed for so many seconds that it is there, and 5 s earlier says it again.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_configuration(&self, believed: u32) {
        let names = self.scratch.path().join("names.db");
        let shipped = fs::read_to_string(shipped().join("config.yaml")).expect("the configuration that is shipped");
        let configuration = format!(
            "{shipped}  nameResolution:\n    component: sqlite\n    version: v1\n    configuration: {{connectionString: \
             \"{}\", updateInterval: {believed}s, timeout: 5s}}\n",
            names.display()
        );
        fs::write(self.scratch.path().join("config.yaml"), configuration).expect("it is written");
    }

    /// Has the daprds that start from now on send their spans to a collector.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn trace_daprds(&self, collector: &str) {
        let path = self.scratch.path().join("config.yaml");
        let configuration = fs::read_to_string(&path).expect("it was written");
        let tracing = format!(
            "  tracing:\n    samplingRate: \"1\"\n    otel: {{endpointAddress: \"{collector}\", isSecure: false, \
             protocol: grpc}}\n"
        );
        fs::write(path, configuration + &tracing).expect("it is written");
    }

    /// Writes the file of secrets, with another `jwt-secret`. daprd reads it when it starts, and only then.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_secrets(&self, jwt_secret: &Value) {
        let secret = jwt_secret.as_str().map_or_else(|| jwt_secret.to_string(), str::to_owned);
        let secrets = json!({ "app-secrets": {
            "jwt-secret": secret, "database-url": self.database_url, "internal-token": INTERNAL_TOKEN,
            "vapid-private-key": VAPID,
        } });
        self.write_secrets_file(&secrets);
    }

    /// Writes anything as the file of secrets.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_secrets_file(&self, secrets: &Value) {
        fs::write(self.scratch.path().join("secrets.json"), secrets.to_string()).expect("it is written");
    }

    /// Waits until every replica says that it has all it wants.
    ///
    /// # Panics
    /// When one does not.
    pub async fn ready(&self) {
        for member in &self.members {
            let what = format!("{} {} is ready", member.role.id(), member.number);
            eventually(&what, START, || async {
                let ready = member.ready().await?;
                (ready["status"] == "ok").then_some(())
            })
            .await;
        }
        self.serves().await;
    }

    /// Waits until every gateway reaches every backend.
    ///
    /// # Panics
    /// When one does not.
    pub async fn serves(&self) {
        for member in self.members.iter().filter(|member| member.role == Role::Gateway) {
            let rest = member.rest();
            eventually("the backend is reached", START, || async {
                // daprd picks one by chance: so often in a row, it hardly leaves one out.
                for _ in 0..10 {
                    let answer = rest.try_send(reqwest::Method::GET, "/api/tasks", &[], None).await.ok()?;
                    (answer.status == 401).then_some(())?;
                }
                Some(())
            })
            .await;
        }
    }

    /// What a topic holds, as Redis has it, in its order.
    #[must_use]
    pub fn stream(&self, topic: &str) -> Vec<Value> {
        broker::stream(self.redis.port(), topic)
    }

    /// What all topics hold, each event with its topic.
    #[must_use]
    pub fn events(&self) -> Vec<(String, Value)> {
        let topics = ["tasks", "notifications", "tasks-dead-letter", "notifications-dead-letter"];
        let of = |topic: &'static str| self.stream(topic).into_iter().map(|event| (topic.to_owned(), event));
        topics.into_iter().flat_map(of).collect()
    }

    /// A connection of the test's own to the database.
    pub async fn reader(&self) -> Reader {
        Reader::open(&self.postgres.url()).await
    }

    /// What the scheduler keeps under a key, as Redis has it.
    #[must_use]
    pub fn state(&self, key: &str) -> Option<Value> {
        broker::state(self.redis.port(), key)
    }

    /// Sends Redis a command.
    #[expect(clippy::must_use_candidate, reason = "that it is done may be all that is asked")]
    pub fn ask_redis(&self, command: &[&str]) -> Value {
        broker::ask(self.redis.port(), command)
    }
}

impl Drop for Cluster {
    /// What the processes said helps to tell why a test failed, and goes away with them.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let logs = fs::read_dir(self.scratch.path()).into_iter().flatten().flatten().map(|entry| entry.path());
        for path in logs.filter(|path| path.extension().is_some_and(|extension| extension == "log")) {
            let log = fs::read(&path).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<_> = log.lines().collect();
            let tail = lines.len().saturating_sub(25);
            eprintln!("-- {}\n{}", path.display(), lines[tail..].join("\n"));
        }
    }
}

/// The directory of what is shipped for Dapr.
#[must_use]
pub fn shipped() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dapr")
}
