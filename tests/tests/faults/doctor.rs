//! What `todo doctor` finds about `todo all`.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use tempfile::TempDir;
use todo_tests::{
    Postgres,
    process::{Ended, Process, ended, todo},
    provider::{self, Provider},
};

/// Where nothing listens.
const NOWHERE: &str = "127.0.0.1:9";

async fn examined(data: &Path, args: &[&str]) -> Ended {
    examined_at(NOWHERE, data, args).await
}

async fn examined_at(listen: &str, data: &Path, args: &[&str]) -> Ended {
    let mut command = todo(&["doctor", "--listen", listen, "--data-dir"]);
    command.arg(data).args(args);
    ended(command).await
}

/// It says this in one line, and ends with 1 if that is a failure.
fn says(found: &Ended, line: &str, words: &[&str]) {
    assert_eq!(found.code, Some(i32::from(line.starts_with("failed"))), "{found:?}");
    let line = found.stdout.lines().find(|it| it.starts_with(line)).unwrap_or_else(|| panic!("no {line}: {found:?}"));
    for word in words {
        assert!(line.contains(word), "{word}: {line}");
    }
}

#[tokio::test]
async fn before_the_first_start_and_while_it_runs_all_is_well() {
    let scratch = TempDir::new().expect("a scratch directory");
    let data = scratch.path().join("data");
    let before = examined(&data, &[]).await;
    says(&before, "ok        data directory:", &["the first start makes it"]);
    says(&before, "ok        secret jwt-secret:", &["the first start makes it"]);
    says(&before, "ok        database:", &["the first start makes it"]);
    says(&before, "degraded  running:", &["nothing answers at 127.0.0.1:9", "start it by `todo all`"]);
    assert!(!data.exists(), "it made something");

    let process = Process::start(&data).await;
    let listen = process.address.to_string();
    let well = examined_at(&listen, &data, &[]).await;
    assert_eq!(well.code, Some(0), "{well:?}");
    assert!(well.stdout.lines().all(|line| line.starts_with("ok ")), "{}", well.stdout);
    says(&well, "ok        running:", &["`todo all` is ready at", &listen]);
    process.stop().await;
}

#[tokio::test]
async fn what_is_wrong_on_disk_is_named_with_what_mends_it() {
    let scratch = TempDir::new().expect("a scratch directory");
    let data = scratch.path().join("data");
    Process::start(&data).await.stop().await;
    let secrets = data.join("secrets.json");
    let kept = fs::read(&secrets).expect("the secrets");

    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o644)).expect("its mode is changed");
    says(
        &examined(&data, &[]).await,
        "degraded  data directory:",
        &["others may look into", "chmod go= ", "secrets.json"],
    );
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).expect("its mode is changed");
    fs::write(&secrets, r#"{"jwt-secret": "hunter2", "vapid-private-key": "hunter2"}"#).expect("it is written");
    let found = examined(&data, &[]).await;
    says(&found, "failed    secret jwt-secret:", &["32 bytes", "mend it"]);
    says(&found, "failed    secret vapid-private-key:", &["mend it"]);
    assert!(!found.stdout.contains("hunter2"), "{}", found.stdout);
    fs::write(&secrets, "{").expect("it is written");
    says(&examined(&data, &[]).await, "failed    secret jwt-secret:", &["mend secrets.json"]);
    fs::write(&secrets, kept).expect("it is written");

    fs::write(data.join("todo.db"), "no database at all, but long enough to be looked at").expect("it is written");
    says(&examined(&data, &[]).await, "failed    database:", &["todo.db cannot be used", "--database-url"]);
    let file = scratch.path().join("file");
    fs::write(&file, "in the way").expect("it is written");
    says(&examined(&file, &[]).await, "failed    data directory:", &["cannot be written", "--data-dir"]);
}

#[tokio::test]
async fn a_postgres_is_looked_at_without_being_changed() {
    let Some(database) = Postgres::start() else { return };
    let scratch = TempDir::new().expect("a scratch directory");
    let url = database.url();
    let examined = async |url: &str| examined(scratch.path(), &["--database-url", url]).await;
    says(&examined(&url).await, "ok        database:", &["is empty", "the first start makes the schema"]);
    let migrated = ended(todo(&["migrate", "--database-url", &url])).await;
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
    let well = examined(&url).await;
    says(&well, "ok        database:", &["schema "]);
    says(&well, "ok        clock:", &["ms from this machine's"]);
    database.sql("DELETE FROM _sqlx_migrations WHERE version > 1");
    says(&examined(&url).await, "ok        database:", &["schema 1", "`todo migrate`"]);
    database.sql("UPDATE _sqlx_migrations SET version = 9999");
    says(&examined(&url).await, "ok        database:", &["schema 9999", "newer than this release knows"]);
    database.sql(
        "CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA public TO reader; \
                  GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
    );
    let reads = url.replace("postgres@", "reader@");
    says(&examined(&reads).await, "failed    database:", &["can be read and not written", "the right to write"]);
    let away = examined("postgres://postgres:hunter2@127.0.0.1:9/todo").await;
    says(&away, "failed    database:", &["postgres://127.0.0.1:9/todo cannot be used", "start it", "DATABASE_URL"]);
    assert!(!away.stdout.contains("hunter2"), "{}", away.stdout);
}

#[tokio::test]
async fn a_language_model_is_asked_only_on_demand() {
    let scratch = TempDir::new().expect("a scratch directory");
    let nowhere = ["--llm-model", "m", "--llm-base-url", "http://127.0.0.1:9/v1", "--llm-timeout", "1s"];
    let examined = async |args: &[&str]| examined(scratch.path(), args).await;
    says(&examined(&nowhere).await, "ok        model:", &["--model asks it"]);
    says(
        &examined(&[&nowhere[..], &["--model"]].concat()).await,
        "degraded  model:",
        &["does not answer", "LLM_BASE_URL"],
    );
    let provider = Provider::start().await;
    let url = format!("http://{}/v1", provider.address);
    provider.then([provider::says("pong")]);
    says(&examined(&["--llm-model", "m", "--llm-base-url", &url, "--model"]).await, "ok        model:", &["m answers"]);
    says(&examined(&["--llm-model", "m"]).await, "failed    model:", &["LLM_BASE_URL"]);
}
