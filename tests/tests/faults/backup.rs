//! Backups made while the server runs, and what comes of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, SqliteConnection, SqlitePool};
use tempfile::TempDir;
use todo_domain::clock;
use todo_sidecar::local::Faults;
use todo_tests::{
    Postgres, SOON, eventually,
    process::{Ended, Process, ended, todo},
    rest::Rest,
    system::Setup,
};
use tokio_util::sync::CancellationToken;

use crate::load::now;

/// Users who write at the same time.
const WRITERS: usize = 3;

fn scratch() -> TempDir {
    TempDir::new().expect("a scratch directory")
}

async fn run(data: &Path, args: &[&str]) -> Ended {
    let mut command = todo(args);
    command.arg("--data-dir").arg(data);
    ended(command).await
}

async fn backup(data: &Path, file: &Path) -> Ended {
    run(data, &["backup", file.to_str().expect("UTF-8")]).await
}

async fn restore(data: &Path, file: &Path) -> Ended {
    run(data, &["restore", file.to_str().expect("UTF-8")]).await
}

fn well(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// It failed, and said so.
fn refused(ended: &Ended, said: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for part in said {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").file_name());
    entries.map(|name| name.to_str().expect("UTF-8").to_owned()).collect()
}

fn id(task: &Value) -> String {
    task["id"].as_str().expect("an id").to_owned()
}

/// What a writer was told, in order.
type Told = Arc<Mutex<Vec<Value>>>;

/// Creates tasks that ring soon until it is told to stop, and now and then one that recurs.
async fn write(rest: Rest, told: Told, stop: CancellationToken) {
    let mut number = 0;
    while !stop.is_cancelled() {
        let mut task = json!({ "title": format!("Task {number}") });
        if number == 3 {
            task["due_date"] = json!(clock::name(now() - TimeDelta::minutes(1)));
            task["recurrence"] = json!({ "recurrence_type": "custom", "cron_expression": "* * * * *" });
        } else {
            let moment = now() + TimeDelta::milliseconds(1_000);
            task["reminders"] = json!([{ "trigger_at": clock::name(moment) }]);
        }
        number += 1;
        // A moment that has passed on a busy machine is refused.
        let answer = rest.post("/api/tasks", &task).await;
        if answer.status == 201 {
            told.lock().expect("no panic").push(answer.body);
        }
    }
}

/// What is wrong with the tasks and notifications of a user, who was told these at least.
async fn wrong(rest: &Rest, told: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let tasks: BTreeMap<_, _> = rest.tasks("").await.into_iter().map(|task| (id(&task), task)).collect();
    for was in told {
        match tasks.get(&id(was)) {
            Some(task) if task["title"] == was["title"] => {}
            found => wrong.push(format!("{was} is {found:?}")),
        }
    }
    let notifications = rest.notifications().await;
    for reminder in tasks.values().filter_map(|task| task["reminders"].as_array()).flatten() {
        let rang = notifications.iter().filter(|it| it["reminder_id"] == reminder["id"]).count();
        if rang != 1 {
            wrong.push(format!("{rang} notifications of {reminder}"));
        }
    }
    for source in tasks.values().filter(|task| !task["recurrence"].is_null()) {
        let made = tasks.values().filter(|task| task["source_task_id"] == source["id"]);
        let dates: Vec<_> = made.map(|task| task["due_date"].to_string()).collect();
        if dates.is_empty() || dates.iter().collect::<BTreeSet<_>>().len() != dates.len() {
            wrong.push(format!("the tasks of {source} are due at {dates:?}"));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_before_a_backup_is_there_after_its_restore_and_happens_once() {
    let scratch = scratch();
    let (data, file) = (scratch.path().join("data"), scratch.path().join("backup.db"));
    let process = Process::start(&data).await;
    let stop = CancellationToken::new();
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        let mut rest = process.rest();
        rest.sign_up(&format!("user{number}")).await;
        let told = Told::default();
        let writing = tokio::spawn(write(rest.clone(), Arc::clone(&told), stop.clone()));
        writers.push((rest, told, writing));
    }
    let told = |least: usize| writers.iter().all(|(_, told, _)| told.lock().expect("no panic").len() >= least);
    eventually("they write", SOON, || async { told(20).then_some(()) }).await;
    let before: Vec<Vec<_>> = writers.iter().map(|(_, told, _)| told.lock().expect("no panic").clone()).collect();
    well(&backup(&data, &file).await);
    assert_eq!(fs::metadata(&file).expect("the backup").permissions().mode() & 0o777, 0o600);
    let most = writers.iter().map(|(_, told, _)| told.lock().expect("no panic").len()).max().unwrap_or_default();
    eventually("they go on writing", SOON, || async { told(most + 5).then_some(()) }).await;
    stop.cancel();
    let mut users = Vec::new();
    for (rest, told, writing) in writers {
        writing.await.expect("it writes to the end");
        users.push((rest, told.lock().expect("no panic").clone()));
    }
    process.kill();

    let other = scratch.path().join("other");
    well(&restore(&other, &file).await);
    assert_eq!(names(&other), BTreeSet::from(["lock".to_owned(), "todo.db".to_owned()]), "and nothing beside it");
    // With the secret that signed their tokens, nobody has to sign in again.
    fs::copy(data.join("secrets.json"), other.join("secrets.json")).expect("the secrets");
    let process = Process::start(&other).await;
    for ((rest, all), before) in users.iter_mut().zip(&before) {
        rest.move_server(process.base());
        eventually("all is there, and rings once", crate::kill::RECOVERY, || async {
            wrong(rest, before).await.is_empty().then_some(())
        })
        .await;
        // Whoever saw what was lost is told to start over, and never takes what comes for older than that.
        let lost = all.iter().filter_map(|task| task["revision"].as_i64()).max().expect("a revision");
        let watched = rest.request(Method::GET, &format!("/api/events?since={lost}")).send().await.expect("an answer");
        assert_eq!(watched.status(), 400, "{watched:?}");
        for task in rest.tasks("").await {
            assert!(task["revision"].as_i64() > Some(lost), "{task} may be taken for older than revision {lost}");
        }
        let undone = rest.create(json!({ "title": "Undone" })).await;
        let undo = format!("/api/changes/{}/undo", undone["revision"]);
        rest.post(&undo, &Value::Null).await.expect(200);
    }
    process.stop().await;
}

/// A user whose reminder rang and whose notification is still on its way, when nothing of the way is in the backup.
#[tokio::test]
async fn what_was_published_and_not_delivered_comes_again_without_the_sidecars_file() {
    let (mut setup, clock) = Setup::at("2026-03-02T08:00:00Z");
    setup.adjust = |options| {
        options.backend.access_ttl = TimeDelta::days(36_500);
        options.faults =
            Some(Faults { delay: 1.0, longest_delay: std::time::Duration::from_hours(24), ..Faults::default() });
    };
    let system = setup.start().await;
    let ann = system.user("ann").await;
    ann.create(json!({ "title": "Rings", "reminders": [{ "trigger_at": "2026-03-02T08:00:05Z" }] })).await;
    // Nothing tells the scheduler of it but its own look each minute.
    system.advance(&clock, TimeDelta::minutes(2));
    let sidecar = format!("sqlite://{}", setup.directory.path().join("sidecar.db").display());
    let sidecar = SqlitePool::connect(&sidecar).await.expect("the sidecar's file");
    eventually("it is published", SOON, async || {
        let published = "SELECT count(*) FROM message WHERE type = 'com.todo.reminder.triggered'";
        let published: i64 = sqlx::query_scalar(published).fetch_one(&sidecar).await.expect("a number");
        (published == 1).then_some(())
    })
    .await;
    let (data, scratch) = (setup.directory.path().to_owned(), scratch());
    let file = scratch.path().join("backup.db");
    well(&backup(&data, &file).await);
    assert_eq!(ann.notifications().await.len(), 0);

    let (mut again, _) = Setup::at("2026-03-02T08:00:00Z");
    again.clock = setup.clock.clone();
    well(&restore(again.directory.path(), &file).await);
    fs::copy(data.join("secrets.json"), again.directory.path().join("secrets.json")).expect("the secrets");
    let restored = again.start().await;
    let ann = restored.back(&ann);
    restored.pass(&clock, TimeDelta::minutes(1)).await;
    assert_eq!(ann.notifications().await.len(), 1);
    restored.stop().await;
    drop(system);
}

#[tokio::test]
async fn a_backup_is_a_new_file_or_none() {
    let scratch = scratch();
    let (data, file) = (scratch.path().join("data"), scratch.path().join("backup.db"));
    refused(&backup(&data, &file).await, &["there is no database", "--data-dir"]);
    assert!(!data.exists() && !file.exists(), "nothing was made");
    Process::start(&data).await.stop().await;
    fs::write(&file, "mine").expect("a file");
    refused(&backup(&data, &file).await, &["is there already", "name a new file"]);
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "mine");
    let nowhere = scratch.path().join("nowhere/backup.db");
    refused(&backup(&data, &nowhere).await, &["cannot be written", "nowhere/backup.db"]);
    let postgres = run(&data, &["backup", "x", "--database-url", "postgres://h/d"]).await;
    refused(&postgres, &["pg_dump", "docs/operations.md"]);
    assert_eq!(names(scratch.path()), BTreeSet::from(["backup.db".to_owned(), "data".to_owned()]));
}

/// A data directory with one account, and its backup.
async fn kept(scratch: &Path) -> (PathBuf, PathBuf) {
    let (data, file) = (scratch.join("data"), scratch.join("backup.db"));
    let process = Process::start(&data).await;
    process.rest().sign_up("ann").await;
    process.stop().await;
    well(&backup(&data, &file).await);
    (data, file)
}

#[tokio::test]
async fn a_restore_spares_what_runs_and_what_is_there() {
    let scratch = scratch();
    let (data, file) = kept(scratch.path()).await;
    let process = Process::start(&data).await;
    refused(&run(&data, &["restore", "--force", file.to_str().expect("UTF-8")]).await, &["another process uses"]);
    let mut bob = process.rest();
    bob.sign_up("bob").await;
    process.stop().await;
    let before = names(&data);
    refused(&restore(&data, &file).await, &["todo.db is there already", "--data-dir", "--force"]);
    assert_eq!(names(&data), before);

    let forced = run(&data, &["restore", "--force", file.to_str().expect("UTF-8")]).await;
    well(&forced);
    let aside: Vec<_> = names(&data).into_iter().filter(|name| name.starts_with("before-restore-")).collect();
    let [aside] = &aside[..] else { panic!("{aside:?}") };
    assert!(forced.stdout.contains(aside), "it says where: {}", forced.stdout);
    let moved = names(&data.join(aside));
    assert!(moved.is_superset(&BTreeSet::from(["sidecar.db".to_owned(), "todo.db".to_owned()])), "{moved:?}");
    assert!(!names(&data).iter().any(|name| name.starts_with("sidecar.db")), "it knows what was lost");
    assert_eq!(run(&data, &["user", "list"]).await.stdout.lines().count(), 1, "bob came after the backup");
    // What was moved is whole.
    let url = format!("sqlite://{}", data.join(aside).join("todo.db").display());
    let old = run(&data, &["user", "list", "--database-url", &url]).await;
    assert!(old.stdout.contains("bob@example.org"), "{old:?}");
}

#[tokio::test]
async fn what_is_no_backup_is_refused_and_leaves_nothing() {
    let scratch = scratch();
    let (_, good) = kept(scratch.path()).await;
    let bytes = fs::read(&good).expect("the backup");
    let bad = scratch.path().join("bad.db");
    let other = scratch.path().join("other");
    let refuses = async |said: &[&str]| {
        refused(&restore(&other, &bad).await, &[&["bad.db"], said].concat());
        assert_eq!(names(&other), BTreeSet::from(["lock".to_owned()]));
    };
    refuses(&["No such file"]).await;
    fs::write(&bad, "no database at all, but long enough to be looked at").expect("a file");
    refuses(&["it holds no tasks of this program"]).await;
    fs::write(&bad, "").expect("a file");
    refuses(&["it holds no tasks of this program"]).await;
    // Half of it, and all of it with one page overwritten.
    fs::write(&bad, &bytes[..bytes.len() / 2]).expect("a file");
    refuses(&["it is damaged"]).await;
    let mut damaged = bytes.clone();
    let page = damaged.len() / 4096 / 2 * 4096;
    damaged[page..page + 4096].fill(0xff);
    fs::write(&bad, &damaged).expect("a file");
    refuses(&["it is damaged"]).await;
    // From the future.
    fs::write(&bad, &bytes).expect("a file");
    let mut database = SqliteConnection::connect(&format!("sqlite://{}", bad.display())).await.expect("a database");
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
    database.execute(later).await.expect("a migration");
    database.close().await.expect("it is closed");
    refuses(&["a newer release made it", "9999"]).await;
    // Torn out of a running server, without what is beside it.
    fs::write(&bad, &bytes).expect("a file");
    fs::write(bad.with_extension("db-wal"), "what was not yet in it").expect("a file");
    refuses(&["`todo backup` makes one"]).await;
    refused(&run(&other, &["restore"]).await, &["takes the file that `todo backup` wrote"]);
}

#[tokio::test]
async fn postgres_is_restored_by_its_own_programs_and_all_else_follows() {
    let Some(database) = Postgres::start() else { return };
    let scratch = scratch();
    let (data, other, file) = (scratch.path().join("data"), scratch.path().join("other"), scratch.path().join("dump"));
    let start = async |data: &Path, url: &str| {
        let args = ["all", "--listen", "127.0.0.1:0", "--log-level", "warn", "--database-url", url];
        Process::spawn(todo(&args), data).await
    };
    let process = start(&data, &database.url()).await;
    let mut ann = process.rest();
    ann.sign_up("ann").await;
    let rings = clock::name(now() + TimeDelta::seconds(5));
    ann.create(json!({ "title": "Rings", "reminders": [{ "trigger_at": rings }] })).await;
    let dump = Command::new(database.program("pg_dump"))
        .args(["--format=custom", "--file"])
        .arg(&file)
        .arg(database.url())
        .status();
    assert!(dump.expect("pg_dump").success());
    let lost = ann.create(json!({ "title": "Lost" })).await["revision"].as_i64().expect("a revision");
    process.kill();

    // Another database, another data directory: no broker, no state.
    let empty = Postgres::start().expect("it was there a moment ago");
    let loaded = Command::new(database.program("pg_restore"))
        .args(["--exit-on-error", "--no-owner", "--dbname", &empty.url()])
        .arg(&file)
        .status();
    assert!(loaded.expect("pg_restore").success());
    let refusal = run(&other, &["restore", "dump", "--database-url", &empty.url()]).await;
    refused(&refusal, &["pg_restore", "`todo restore` without a file"]);
    well(&run(&other, &["restore", "--database-url", &empty.url()]).await);
    let process = start(&other, &empty.url()).await;
    let session = json!({ "email": "ann@example.org", "password": "correct horse" });
    let session = process.rest().post("/api/auth/signin", &session).await.expect(200);
    let mut ann = process.rest();
    ann.token = session["access_token"].as_str().map(str::to_owned);
    let rang = async || (ann.notifications().await.len() == 1).then_some(());
    eventually("it rings", crate::kill::RECOVERY, rang).await;
    let tasks = ann.tasks("").await;
    assert_eq!(tasks.len(), 1);
    assert!(tasks[0]["revision"].as_i64() > Some(lost), "{}", tasks[0]);
    process.stop().await;
}
