//! What an operator does from the command line, while the server runs and when it does not.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use todo_tests::process::{Ended, Process, ended, todo};

async fn run(data: &Path, args: &[&str]) -> Ended {
    let mut command = todo(args);
    command.arg("--data-dir").arg(data);
    ended(command).await
}

#[tokio::test]
async fn healthcheck_is_0_while_it_serves_and_1_when_nothing_does() {
    let scratch = TempDir::new().expect("a scratch directory");
    let process = Process::start(&scratch.path().join("data")).await;
    let address = process.address.to_string();
    let well = ended(todo(&["healthcheck", "--listen", &address])).await;
    assert_eq!(well.code, Some(0), "{well:?}");
    assert!(well.stdout.contains("ok"), "{}", well.stdout);
    process.stop().await;
    let gone = ended(todo(&["healthcheck", "--listen", &address])).await;
    assert_eq!(gone.code, Some(1));
    assert!(gone.stderr.contains(&address), "{}", gone.stderr);
}

#[tokio::test]
async fn accounts_are_listed_helped_and_closed() {
    let scratch = TempDir::new().expect("a scratch directory");
    let data = scratch.path().join("data");
    let process = Process::start(&data).await;
    let (mut ann, mut bob) = (process.rest(), process.rest());
    ann.sign_up("ann").await;
    bob.sign_up("bob").await;

    let list = run(&data, &["user", "list"]).await;
    assert_eq!(list.code, Some(0), "{list:?}");
    let lines: Vec<_> = list.stdout.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains(&ann.user_id) && lines[0].contains("ann@example.org\tactive"), "{}", lines[0]);

    let reset = run(&data, &["user", "reset-password", "ann@example.org"]).await;
    assert_eq!(reset.code, Some(0), "{reset:?}");
    let sign_in = async |password: &str| {
        let body = json!({ "email": "ann@example.org", "password": password });
        process.rest().post("/api/auth/signin", &body).await.status.as_u16()
    };
    assert_eq!(sign_in("correct horse").await, 401);
    assert_eq!(sign_in(reset.stdout.trim()).await, 200);

    let closed = run(&data, &["user", "disable", "bob@example.org"]).await;
    assert_eq!(closed.code, Some(0), "{closed:?}");
    assert_eq!(bob.get("/api/auth/me").await.code(401), "USER_NOT_FOUND");
    assert!(run(&data, &["user", "list"]).await.stdout.contains("bob@example.org\tdisabled"));
    assert_eq!(run(&data, &["user", "disable", "--undo", "bob@example.org"]).await.code, Some(0));
    assert_eq!(bob.get("/api/auth/me").await.status, 200);

    let unknown = run(&data, &["user", "disable", "nobody@example.org"]).await;
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("nobody@example.org"), "{}", unknown.stderr);
    process.stop().await;

    // Without a server, too.
    assert_eq!(run(&data, &["user", "list"]).await.stdout.lines().count(), 2);
}

#[tokio::test]
async fn an_operator_in_the_wrong_place_makes_no_database_there() {
    let scratch = TempDir::new().expect("a scratch directory");
    let data = scratch.path().join("nowhere");
    let list = run(&data, &["user", "list"]).await;
    assert_eq!(list.code, Some(1), "{list:?}");
    assert!(list.stderr.contains(&data.display().to_string()), "{}", list.stderr);
    assert!(!data.exists());
}
