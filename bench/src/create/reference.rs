//! The statements of one create, in a bare loop. They are those of `backend/src/write.rs`; a create of the system and
//! one of the loop are compared by what they add to each table, so that this copy cannot become stale unseen.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, Connection as _, SqliteConnection};
use todo::database::Database;
use todo_domain::{Clock, Ids};
use todo_runtime::system::{SystemClock, SystemIds};
use todo_test_postgres::Postgres;
use uuid::Uuid;

use super::{DESCRIPTION, TAG, TITLE, difference};
use crate::{
    Result, database,
    load::Load,
    stage::{Stage, person},
};

const OWNER: &str = "SELECT o.revision, o.floor, u.time_zone, u.disabled_at FROM owners o
     JOIN users u ON u.id = o.user_id WHERE o.user_id = $1";
const TASK: &str =
    "INSERT INTO tasks (id, user_id, title, title_key, description, status, priority, tags, due_at, due_asc,
         due_desc, due_all_day, created_at, updated_at, completed_at, revision, content_revision, source_task_id,
         request_hash, search)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
     ON CONFLICT (id) DO NOTHING";
const TAGS: &str = "INSERT INTO task_tags (user_id, tag_key, task_id, tag) VALUES ($1, $2, $3, $4)";
const CHANGE: &str = "INSERT INTO changes (user_id, revision, kind, entity_id, before, fields, at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)";
const REVISION: &str = "UPDATE owners SET revision = $2 WHERE user_id = $1";
const OUTBOX: &str =
    "INSERT INTO outbox (id, topic, event, created_at, attempts, due_at) VALUES ($1, $2, $3, $4, 0, $4)";

/// 2030-01-07T09:00:00Z in microseconds.
const DUE: i64 = 1_893_998_400_000_000;

/// A database beside the measured one, with the same people.
pub(super) struct Reference {
    stage: Stage,
    /// Bytes of an event.
    event: usize,
}

impl Reference {
    pub(super) async fn open(measured: &Stage, people: i64, event: i64) -> Result<Self> {
        let stage = match measured.postgres {
            None => Stage::sqlite(),
            Some(_) => Stage::postgres().ok_or("Postgres is gone")?,
        };
        stage.people(people).await?;
        Ok(Self { stage, event: usize::try_from(event)? })
    }

    /// What one turn of the loop adds to each table.
    pub(super) async fn grows(&self) -> Result<Vec<(String, i64)>> {
        let mut look = self.stage.connect().await?;
        let before = look.sizes().await?;
        match &self.stage.postgres {
            None => drop(self.sqlite(Duration::ZERO).await?),
            Some(postgres) => drop(self.pgbench(postgres, 1, &["-t", "1"]).await?),
        }
        Ok(difference(&before, &look.sizes().await?))
    }

    /// Runs the loop.
    pub(super) async fn run(&self, clients: i64, span: Duration) -> Result<Load> {
        match &self.stage.postgres {
            // SQLite has one writer: more connections would only wait for each other.
            None => self.sqlite(span).await,
            Some(postgres) => {
                let seconds = span.as_secs_f64().ceil().to_string();
                self.pgbench(postgres, clients, &["-T", &seconds]).await
            }
        }
    }

    /// At least once.
    async fn sqlite(&self, span: Duration) -> Result<Load> {
        let Database::Sqlite(path) = self.stage.database() else { return Err("no file".into()) };
        let mut connection = database::durable(&path).disable_statement_logging().connect().await?;
        let event = vec![b'x'; self.event];
        let mut seen = Load::default();
        let began = Instant::now();
        loop {
            let called = Instant::now();
            create(&mut connection, person(0), &event).await?;
            seen.times.push(called.elapsed());
            if began.elapsed() >= span {
                break;
            }
        }
        seen.took = began.elapsed();
        connection.close().await?;
        Ok(seen)
    }

    async fn pgbench(&self, postgres: &Postgres, clients: i64, length: &[&str]) -> Result<Load> {
        let directory = self.stage.directory();
        let script = directory.join("create.sql");
        fs::write(&script, self.script())?;
        let mut command = Command::new(postgres.program("pgbench"));
        command
            .args(["-n", "-M", "prepared", "-j", "2", "-l", "-c", &clients.to_string(), "-f"])
            .arg(&script)
            .args(length)
            .arg(postgres.url())
            .current_dir(directory);
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        if !output.status.success() {
            return Err(format!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let tps = said.split("tps = ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        let tps = tps.ok_or("pgbench says no throughput")?;
        let times = logged(directory)?;
        #[expect(clippy::cast_precision_loss, reason = "a count of transactions")]
        let took = Duration::from_secs_f64(times.len() as f64 / tps);
        Ok(Load { times, took, errors: 0, first_error: None })
    }

    /// The same statements as pgbench takes them.
    fn script(&self) -> String {
        let owner = "('00000001-0000-4000-8000-' || lpad(to_hex(:client_id::bigint), 12, '0'))::uuid";
        let new =
            |random| format!("(lpad(to_hex(:at::bigint), 16, '0') || lpad(to_hex({random}::bigint), 16, '0'))::uuid");
        let (id, event_id) = (new(":task"), new(":event"));
        let mut script = String::from("BEGIN;\n");
        let _ = writeln!(script, "{} FOR UPDATE OF o \\gset", filled(OWNER, &[owner]));
        script.push_str("\\set revision :revision + 1\n\\set at 1750000000000000 + :revision * 1000\n");
        script.push_str("\\set task random(1, 9000000000000000)\n\\set event random(1, 9000000000000000)\n");
        let (title, key, description, tag) =
            (quoted(TITLE), quoted(&TITLE.to_lowercase()), quoted(DESCRIPTION), quoted(TAG));
        let (tags, due, search) = (quoted(&format!("[\"{TAG}\"]")), DUE.to_string(), quoted(&searchable()));
        let task = [
            &id,
            owner,
            &title,
            &key,
            &description,
            "1",
            "1",
            &tags,
            &due,
            &due,
            &due,
            "FALSE",
            ":at",
            ":at",
            "NULL",
            ":revision",
            ":revision",
            "NULL",
            "NULL",
            &search,
        ];
        let _ = writeln!(script, "{};", filled(TASK, &task));
        let _ = writeln!(script, "{};", filled(TAGS, &[owner, &tag, &id, &tag]));
        let _ = writeln!(script, "{};", filled(CHANGE, &[owner, ":revision", "1", &id, "NULL", "'[]'", ":at"]));
        let _ = writeln!(script, "{};", filled(REVISION, &[owner, ":revision"]));
        let event = format!("convert_to(repeat('x', {}), 'UTF8')", self.event);
        let _ = writeln!(script, "{};\nCOMMIT;", filled(OUTBOX, &[&event_id, "'tasks'", &event, ":at"]));
        script
    }
}

/// One create.
async fn create(connection: &mut SqliteConnection, owner: Uuid, event: &[u8]) -> Result<()> {
    let now = SystemClock.now();
    let (id, at) = (SystemIds.new_id(now), now.timestamp_micros());
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let (revision, ..): (i64, i64, String, Option<i64>) = sqlx::query_as(OWNER).bind(owner).fetch_one(&mut *tx).await?;
    let revision = revision + 1;
    sqlx::query(TASK)
        .bind(id)
        .bind(owner)
        .bind(TITLE)
        .bind(TITLE.to_lowercase())
        .bind(DESCRIPTION)
        .bind(1_i64)
        .bind(1_i64)
        .bind(format!("[\"{TAG}\"]"))
        .bind(DUE)
        .bind(DUE)
        .bind(DUE)
        .bind(false)
        .bind(at)
        .bind(at)
        .bind(None::<i64>)
        .bind(revision)
        .bind(revision)
        .bind(None::<Uuid>)
        .bind(None::<Vec<u8>>)
        .bind(searchable())
        .execute(&mut *tx)
        .await?;
    sqlx::query(TAGS).bind(owner).bind(TAG).bind(id).bind(TAG).execute(&mut *tx).await?;
    sqlx::query(CHANGE)
        .bind(owner)
        .bind(revision)
        .bind(1_i64)
        .bind(id)
        .bind(None::<String>)
        .bind("[]")
        .bind(at)
        .execute(&mut *tx)
        .await?;
    sqlx::query(REVISION).bind(owner).bind(revision).execute(&mut *tx).await?;
    sqlx::query(OUTBOX).bind(SystemIds.new_id(now)).bind("tasks").bind(event).bind(at).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

fn searchable() -> String {
    [TITLE, DESCRIPTION, TAG].join("\u{1f}").to_lowercase()
}

/// How long each transaction took, by the logs that pgbench left; the third column is microseconds.
fn logged(directory: &Path) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pgbench_log.")) {
            let text = fs::read_to_string(&path)?;
            let micros = text.lines().filter_map(|line| line.split(' ').nth(2)?.parse().ok());
            times.extend(micros.map(Duration::from_micros));
            fs::remove_file(&path)?;
        }
    }
    Ok(times)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The statement on one line with its placeholders filled in, the last first: `$1` is the beginning of `$10`.
fn filled(sql: &str, values: &[&str]) -> String {
    let mut sql = sql.replace('\n', " ");
    for (index, value) in values.iter().enumerate().rev() {
        sql = sql.replace(&format!("${}", index + 1), value);
    }
    sql
}
