//! `make bench`: measures what docs/benchmarks.md shows, each figure beside a reference taken in the same run, so that
//! a slow or busy machine moves both. `--quick` only shows that everything still runs; `--only` measures a part.

mod chat;
mod create;
mod dapr;
mod database;
mod event;
mod lateness;
mod library;
mod list;
mod load;
mod machine;
mod probe;
mod process;
mod search;
mod seed;
mod stage;
mod stats;
mod table;
mod watch;

use std::{fs::File, path::PathBuf, process::ExitCode, sync::Mutex, time::Duration};

use clap::{Parser, ValueEnum};

use crate::{library::Library, stage::Stage, table::Section};

/// Whatever goes wrong ends a section, and is shown in its place.
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Failure>;

/// Measures the system and prints a table.
#[derive(Debug, Parser)]
#[command(name = "todo-bench")]
struct Cli {
    /// Small sizes: shows that it runs, not how fast it is.
    #[arg(long)]
    quick: bool,
    /// Only these parts, separated by commas.
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Part>,
    /// Only this database.
    #[arg(long, value_enum)]
    database: Option<Kind>,
    /// Where the table is written; docs/benchmarks.md for a whole run, nowhere else.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A database to measure on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Sqlite,
    Postgres,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Create,
    List,
    Search,
    Event,
    Lateness,
    Watch,
    Chat,
    Process,
    Dapr,
}

/// How large everything is.
#[derive(Clone, Copy, Debug)]
struct Plan {
    quick: bool,
    /// Both unless said.
    database: Option<Kind>,
}

impl Plan {
    fn pick<T>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the system gives no threads: {error}")),
    };
    match runtime.block_on(run(&cli)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => fail("a part could not be measured"),
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("todo-bench: {why}");
    ExitCode::FAILURE
}

/// Measures; says whether every part could be.
async fn run(cli: &Cli) -> Result<bool> {
    let log = log()?;
    // Before there is any load of our own.
    let machine = machine::describe();
    let plan = Plan { quick: cli.quick, database: cli.database };
    let wants = |part| cli.only.is_empty() || cli.only.contains(&part);
    let mut sections = Vec::new();
    if plan.database != Some(Kind::Sqlite) && Stage::postgres().is_none() {
        sections.push(Section::new("Postgres", "**Skipped: it is not installed.**"));
    }
    if wants(Part::Create) {
        sections.push(bounded("Create", 240, async |section| create::run(plan, section).await).await);
    }
    if wants(Part::List) || wants(Part::Search) {
        for stage in Stage::every(plan) {
            let name = stage.name();
            let library = match Library::open(plan, stage).await {
                Ok(library) => library,
                Err(error) => {
                    sections.push(Section::failed(&format!("List and search, {name}"), &error));
                    continue;
                }
            };
            if wants(Part::List) {
                sections.push(
                    bounded(&format!("List, {name}"), 90, async |section| list::run(plan, &library, section).await)
                        .await,
                );
            }
            if wants(Part::Search) {
                sections.push(
                    bounded(&format!("Search, {name}"), 90, async |section| search::run(plan, &library, section).await)
                        .await,
                );
            }
            library.close().await;
        }
    }
    if wants(Part::Event) {
        sections.push(bounded("Commit to event", 60, async |section| event::run(plan, section).await).await);
    }
    if wants(Part::Lateness) {
        for stage in Stage::every_dated(plan) {
            let title = format!("Lateness of reminders, {}", stage.name());
            sections.push(bounded(&title, 300, async |section| lateness::run(plan, &stage, section).await).await);
        }
    }
    if wants(Part::Watch) {
        sections.push(bounded("Watch", 90, async |section| watch::run(plan, section).await).await);
    }
    if wants(Part::Chat) {
        sections.push(bounded("Chat", 60, async |section| chat::run(plan, section).await).await);
    }
    let distributed = wants(Part::Dapr) && plan.database != Some(Kind::Sqlite);
    if wants(Part::Process) || distributed {
        // Not bounded: where nothing is built yet, this takes minutes.
        eprintln!("building the executable ...");
        match tokio::task::spawn_blocking(process::build).await? {
            Ok(executable) => {
                if wants(Part::Process) {
                    sections.push(
                        bounded("Process", 120, async |section| process::run(plan, &executable, section).await).await,
                    );
                }
                if distributed {
                    sections.extend(dapr::run(plan, &executable).await);
                }
            }
            Err(error) => sections.push(Section::failed("The executable", &error)),
        }
    }

    let measured = sections.iter().all(|section| section.failure.is_none());
    let text = table::document(&sections, &machine, plan.quick);
    println!("{text}");
    println!("The log of the measured systems: {}", log.display());
    let whole = cli.only.is_empty() && cli.database.is_none() && !plan.quick;
    let out = cli.out.clone().or_else(|| whole.then(|| machine::root().join("docs/benchmarks.md")));
    if let Some(out) = out {
        std::fs::write(&out, text)?;
        println!("Written to {}", out.display());
    }
    Ok(measured)
}

/// Measures a part, but not for ever. What it had measured when it failed stays.
async fn bounded(title: &str, seconds: u64, part: impl AsyncFnOnce(&mut Section) -> Result<()>) -> Section {
    eprintln!("measuring: {title} ...");
    let mut section = Section::new(title, "");
    section.failure = match tokio::time::timeout(Duration::from_secs(seconds), part(&mut section)).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("it took longer than {seconds} s")),
    };
    section
}

/// Systems log as they do by default, because users pay for that too; here into a file.
fn log() -> Result<PathBuf> {
    let path = std::env::temp_dir().join("todo-bench.log");
    tracing_subscriber::fmt()
        .with_env_filter("info")
        .with_target(false)
        .with_ansi(false)
        .with_writer(Mutex::new(File::create(&path)?))
        .init();
    Ok(path)
}
