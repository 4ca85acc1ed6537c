//! What an operator does from the command line, while the server runs and when it does not.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use todo_backend::store::{Outgoing, Store as _, sqlite};
use todo_tests::{
    SOON, eventually,
    process::{Ended, Process, ended, todo},
};

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
async fn decisions_are_exported() {
    let scratch = TempDir::new().expect("a scratch directory");
    let data = scratch.path().join("data");
    let process = Process::start(&data).await;
    let (mut ann, mut bob) = (process.rest(), process.rest());
    ann.sign_up("ann").await;
    bob.sign_up("bob").await;
    let export = async |args: &[&str]| {
        let done = run(&data, &[&["decisions", "export"], args].concat()).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        done.stdout
    };
    let array = |text: &str| serde_json::from_str::<Vec<Value>>(text).expect("an array");
    assert_eq!((array(&export(&[]).await).len(), &*export(&["--format", "jsonl"]).await), (0, ""));

    for (user, says) in [(&ann, "add milk"), (&bob, "hi"), (&ann, "show my tasks")] {
        user.post("/api/chat", &json!({ "content": says })).await.expect(200);
    }
    let all = array(&export(&[]).await);
    let said: Vec<_> = all.iter().map(|it| it["decision"]["message"].as_str().unwrap_or_default()).collect();
    assert_eq!(said, ["show my tasks", "add milk", "hi"]);
    let id = all[1]["decision"]["decision_id"].as_str().expect("an id");
    assert_eq!(all[1], ann.get(&format!("/api/observability/decisions/{id}/trace")).await.expect(200));
    let lines = export(&["--format", "jsonl", "--email", "Bob@example.org"]).await;
    assert_eq!(
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<Value>>(),
        [all[2].clone()]
    );

    let unknown = run(&data, &["decisions", "export", "--email", "eve@example.org"]).await;
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("eve@example.org"), "{}", unknown.stderr);
    process.stop().await;
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

/// The columns of the dead letters that are listed.
async fn letters(data: &Path) -> Vec<Vec<String>> {
    let list = run(data, &["dead-letters", "list"]).await;
    assert_eq!(list.code, Some(0), "{list:?}");
    list.stdout.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// What the outbox holds: unpublished and published events.
async fn outbox(data: &Path) -> (u32, u32) {
    let status = run(data, &["outbox", "status"]).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    let said = |name: &str| {
        let line = status.stdout.lines().find_map(|line| line.strip_prefix(&format!("{name}\t")));
        line.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {name} in {}", status.stdout))
    };
    (said("unpublished"), said("published"))
}

/// An event that no consumer can read, committed as if it were ours.
async fn poison(data: &Path) -> String {
    let id = "5b1e0a52-3a38-4a6e-8f55-7c9a7e5f2a10";
    let event = json!({
        "specversion": "1.0", "id": id, "type": "com.todo.reminder.triggered", "source": "/elsewhere",
        "time": "2026-03-02T08:00:00Z", "data": { "task_id": "none" },
    });
    let store = sqlite::Store::open(&data.join("todo.db")).await.expect("the database");
    let mut tx = store.begin().await.expect("a transaction");
    let outgoing = Outgoing {
        id: id.parse().expect("a UUID"),
        topic: "notifications".to_owned(),
        event: event.to_string().into_bytes(),
        created_at: chrono::DateTime::UNIX_EPOCH,
        attempts: 0,
    };
    tx.add_outgoing(&[outgoing]).await.expect("it is written");
    tx.commit().await.expect("it is committed");
    store.close().await;
    id.to_owned()
}

#[tokio::test]
async fn dead_letters_are_listed_shown_and_replayed() {
    let scratch = TempDir::new().expect("a scratch directory");
    let data = scratch.path().join("data");
    let process = Process::start(&data).await;
    assert_eq!(letters(&data).await, Vec::<Vec<String>>::new());
    let event_id = poison(&data).await;
    let listed = async || letters(&data).await.pop();
    let letter = eventually("it is listed", SOON, listed).await;
    let [id, time, topic, type_, reason, event] = &letter[..] else { panic!("{letter:?}") };
    assert!(time.ends_with('Z') && time.parse::<chrono::DateTime<chrono::Utc>>().is_ok(), "{time}");
    assert_eq!((topic.as_str(), type_.as_str()), ("notifications", "com.todo.reminder.triggered"));
    assert_eq!((reason.as_str(), event), ("the event's id or task is no UUID", &event_id));

    let shown = run(&data, &["dead-letters", "show", id]).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.stdout.lines().count() > 10, "for people: {}", shown.stdout);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
    assert_eq!((&shown["id"], &shown["topic"], &shown["reason"]), (&json!(id), &json!(topic), &json!(reason)));
    assert_eq!((&shown["event"]["id"], &shown["event"]["data"]), (&json!(event_id), &json!({ "task_id": "none" })));

    // The server publishes it, and it fails again: at a later time.
    let replay = run(&data, &["dead-letters", "replay", id]).await;
    assert_eq!((replay.code, replay.stdout), (Some(0), format!("{id} will be published again\n")), "{}", replay.stderr);
    let again = eventually("it is listed again", SOON, async || listed().await.filter(|again| again[1] > *time)).await;
    assert_eq!((&again[0], &again[5]), (id, &event_id));
    process.stop().await;

    for (args, said) in [
        (&["show", "nonsense"][..], "`todo dead-letters list` shows"),
        (&["replay", "nonsense"], "`todo dead-letters list` shows"),
        (&["replay"], "--all"),
        (&["replay", "--all", id], "--all"),
        (&["show", &event_id], "there is no dead letter"),
        (&["replay", &event_id], "there is no dead letter"),
    ] {
        let ended = run(&data, &[&["dead-letters"], args].concat()).await;
        assert!(ended.code.is_some_and(|code| code != 0), "{args:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{args:?}: {}", ended.stderr);
    }
    // Without a server it waits for one.
    let all = run(&data, &["dead-letters", "replay", "--all"]).await;
    assert_eq!((all.code, all.stdout.contains(id.as_str())), (Some(0), true), "{}", all.stderr);
    assert_eq!(letters(&data).await, Vec::<Vec<String>>::new());
    assert_eq!(outbox(&data).await, (1, 0));
    let none = run(&data, &["dead-letters", "replay", "--all"]).await;
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""));
    let process = Process::start(&data).await;
    eventually("it is listed again", SOON, listed).await;
    process.stop().await;
}

#[tokio::test]
async fn the_outbox_tells_its_state_and_is_replayed() {
    let scratch = TempDir::new().expect("a scratch directory");
    let data = scratch.path().join("data");
    let process = Process::start(&data).await;
    let mut ann = process.rest();
    ann.sign_up("ann").await;
    for title in ["a", "b", "c"] {
        ann.create(json!({ "title": title })).await;
    }
    let published = async || (outbox(&data).await == (0, 3)).then_some(());
    eventually("all are published", SOON, published).await;
    process.stop().await;

    for (since, said) in [("soon", "takes a time such as"), ("2026-03-02", "takes a time such as")] {
        let refused = run(&data, &["outbox", "replay", "--since", since]).await;
        assert!(refused.code.is_some_and(|code| code != 0), "{refused:?}");
        assert!(refused.stderr.contains("--since") && refused.stderr.contains(said), "{}", refused.stderr);
    }
    for (since, events) in [("2999-01-01T00:00:00Z", 0), ("0s", 0), ("1h", 3), ("2000-01-01T01:00:00+01:00", 0)] {
        let replay = run(&data, &["outbox", "replay", "--since", since]).await;
        assert_eq!(replay.code, Some(0), "{replay:?}");
        assert!(replay.stdout.starts_with(&format!("{events} events published since ")), "{}", replay.stdout);
    }
    assert_eq!(outbox(&data).await, (3, 0));
    let process = Process::start(&data).await;
    eventually("all are published again", SOON, published).await;
    ann.move_server(process.base());
    assert_eq!(ann.tasks("").await.len(), 3);
    process.stop().await;
}

#[tokio::test]
async fn an_operator_in_the_wrong_place_makes_no_database_there() {
    let scratch = TempDir::new().expect("a scratch directory");
    let data = scratch.path().join("nowhere");
    for command in [&["user", "list"][..], &["dead-letters", "list"], &["outbox", "status"]] {
        let ended = run(&data, command).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(&data.display().to_string()), "{}", ended.stderr);
        assert!(!data.exists());
    }
}
