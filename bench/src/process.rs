//! The executable as it is shipped: memory, start, size.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_domain::{Clock, Ids};
use todo_runtime::{
    access::Keys,
    system::{SystemClock, SystemIds},
};
use todo_tests::rest::Rest;
use tokio::{net::TcpListener, task::spawn_blocking};

use crate::{
    Plan, Result, library, machine, seed,
    stage::{Stage, person},
    stats::{Times, megabytes, ms},
    table::{Row, Section},
};

const START: Duration = Duration::from_millis(50);
const SIZE: f64 = 25.0;
const IDLE: f64 = 20.0;
const FULL: f64 = 60.0;

/// Measures the executable.
pub(crate) async fn run(plan: Plan, executable: &Path, section: &mut Section) -> Result<()> {
    section.describe(
        "The executable `todo all` as a process of its own, with its defaults, on SQLite. Start: from the spawn to the \
         first 200 of `/ready`, asked every half a millisecond. Memory: resident, by /proc.",
    );
    let size = megabytes(std::fs::metadata(executable)?.len());
    section.push(
        Row::plain("size of the stripped executable", format!("{size:.1} MB"))
            .goal("at most 25 MB, with the page (which is not in it yet)", size <= SIZE),
    );

    let (mut fresh, mut again) = (Vec::new(), Vec::new());
    for _ in 0..plan.pick(11, 2) {
        let scratch = tempfile::tempdir()?;
        for taken in [&mut fresh, &mut again] {
            let process = Process::start(executable, scratch.path()).await?;
            taken.push(process.ready);
            process.stop().await?;
        }
    }
    for (what, taken) in [("on an empty directory", fresh), ("on its data", again)] {
        let taken = Times::new(taken);
        section.push(
            Row::plain(
                format!("start to ready {what}"),
                format!("p50 {}, longest {}", ms(taken.p50()), ms(taken.max())),
            )
            .goal("p50 at most 50 ms", taken.p50() <= START),
        );
    }
    memory(plan, executable, section).await?;
    Ok(())
}

async fn memory(plan: Plan, executable: &Path, section: &mut Section) -> Result<()> {
    let count = plan.pick(100_000, 2_000);
    let stage = Stage::sqlite();
    stage.people(1).await?;
    let process = Process::start(executable, stage.directory()).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = process.resident()?;
    section.push(Row::plain("memory, idle", format!("{idle:.1} MB")).goal("at most 20 MB", idle <= IDLE));
    let (own, mapped) = (process.status("RssAnon")?, process.status("RssFile")?);
    section.push(Row::plain(
        "of it its own; mapped from the executable and its libraries",
        format!("{own:.1} MB; {mapped:.1} MB"),
    ));
    process.stop().await?;

    // Most tasks come by SQL, so that there are as many as wanted; the rest as people make them.
    let created = plan.pick(5_000, 100);
    let mut connection = stage.connect().await?;
    seed::tasks(&mut connection, 0, 0, count - created, 1_000, SystemClock.now().timestamp_micros()).await?;
    connection.tidy().await?;
    drop(connection);
    let process = Process::start(executable, stage.directory()).await?;
    let rest = process.rest(stage.directory())?;
    let clients = (0..8).map(|client| {
        let rest = rest.clone();
        tokio::spawn(async move {
            for number in 0..created / 8 {
                let _ = rest.post("/api/tasks", &json!({"title": format!("Task {client}/{number}")})).await.expect(201);
            }
        })
    });
    for client in futures::future::join_all(clients).await {
        client?;
    }
    let after_creates = process.resident()?;
    let first = "/api/tasks?limit=50&skip_total=true".to_owned();
    let mut path = Some(first.clone());
    while let Some(asked) = path {
        let page: Value = serde_json::from_slice(&library::get(&rest, &asked).await?)?;
        path = page["next_page_token"].as_str().map(|token| format!("{first}&page_token={token}"));
    }
    for path in ["/api/tasks?limit=1000", "/api/tasks?search=quarterly", "/api/tasks?search=qu", "/api/tasks/counts"] {
        library::get(&rest, path).await?;
    }
    let full = process.resident()?;
    section.push(
        Row::plain(format!("memory, {count} tasks after all were listed by pages"), format!("{full:.1} MB"))
            .goal("at most 60 MB", full <= FULL),
    );
    section.push(Row::plain(
        format!("memory on the way, after {created} creates by 8 clients; and at its peak"),
        format!("{after_creates:.1} MB; {:.1} MB", process.peak()?),
    ));
    process.stop().await
}

/// Builds the executable as `make run` does; says where it is.
pub(crate) fn build() -> Result<PathBuf> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--locked", "-p", "todo"]).current_dir(machine::root());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    if !command.status()?.success() {
        return Err("the executable could not be built".into());
    }
    let own = std::env::current_exe()?;
    Ok(own.parent().unwrap_or(Path::new(".")).join("todo"))
}

/// A running executable.
struct Process {
    child: Child,
    address: SocketAddr,
    /// How long it took until it was.
    ready: Duration,
}

impl Process {
    async fn start(executable: &Path, directory: &Path) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let client = reqwest::Client::new();
        let began = Instant::now();
        let child = Command::new(executable)
            .args(["all", "--listen", &address.to_string(), "--data-dir"])
            .arg(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut process = Self { child, address, ready: Duration::ZERO };
        while !is_ready(&client, address).await {
            if began.elapsed() > Duration::from_secs(30) {
                return Err("the executable is not ready after 30 s".into());
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        process.ready = began.elapsed();
        Ok(process)
    }

    /// The first person's client.
    fn rest(&self, directory: &Path) -> Result<Rest> {
        let secrets: Value = serde_json::from_slice(&std::fs::read(directory.join("secrets.json"))?)?;
        let keys = Keys::parse(secrets["jwt-secret"].as_str().unwrap_or_default())?;
        let mut rest = Rest::new(format!("http://{}", self.address));
        let now = SystemClock.now();
        rest.token = Some(keys.sign(person(0), "person-0@example.org", SystemIds.random(), now, TimeDelta::hours(1)));
        Ok(rest)
    }

    fn resident(&self) -> Result<f64> {
        self.status("VmRSS")
    }

    fn peak(&self) -> Result<f64> {
        self.status("VmHWM")
    }

    fn status(&self, name: &str) -> Result<f64> {
        machine::memory(self.child.id(), name)
    }

    /// Ends it as an operator would.
    async fn stop(mut self) -> Result<()> {
        spawn_blocking(move || {
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
            let ended = self.child.wait()?;
            if ended.success() { Ok(()) } else { Err(format!("the executable ended with {ended}").into()) }
        })
        .await?
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has mostly ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn is_ready(client: &reqwest::Client, address: SocketAddr) -> bool {
    let answer = client.get(format!("http://{address}/ready")).send().await;
    answer.is_ok_and(|answer| answer.status() == 200)
}
