//! What other software reads: the description of the API and the bodies of errors, compared with what was agreed.

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use todo_tests::system::Ground;

use crate::{MONDAY, at};

/// Compares with `NAME.json` beside this file, or writes it where `UPDATE_SNAPSHOTS=1` says so.
fn compare(name: &str, value: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/flows").join(name).with_extension("json");
    let text = format!("{value:#}\n");
    #[expect(clippy::disallowed_methods, reason = "asked of whoever runs the test")]
    if std::env::var("UPDATE_SNAPSHOTS").is_ok_and(|update| update == "1") {
        std::fs::write(&path, text).expect("a writable directory");
        return;
    }
    let agreed = std::fs::read_to_string(&path).unwrap_or_default();
    let differing = agreed.lines().zip(text.lines()).enumerate().find(|(_, (old, new))| old != new);
    assert!(
        agreed == text,
        "{} differs, first at {differing:?}; if that is meant, run again with UPDATE_SNAPSHOTS=1",
        path.display()
    );
}

pub(crate) async fn the_description_is_what_was_agreed_and_true_to_what_is_served(ground: Ground) {
    let (setup, _clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let document = system.rest().get("/api/openapi.json").await.expect(200);
    compare("openapi", &document);

    for (path, methods) in document["paths"].as_object().expect("paths") {
        let real = path.replace("{revision}", "1").replace("{task.id}", "7").replace("{id}", "7");
        for method in methods.as_object().expect("methods").keys().filter(|name| *name != "parameters") {
            let method = method.to_uppercase().parse().expect("a method");
            let answer = ann.send(method, &real, &[("last-event-id", "x")], None).await;
            assert!(answer.status != 405 && answer.status.as_u16() < 500, "{path}: {}", answer.status);
            assert_ne!(answer.body["error"]["code"], "NOT_FOUND", "{path} is described and not served");
        }
    }
    system.stop().await;
}

pub(crate) async fn the_bodies_of_errors_are_what_was_agreed(ground: Ground) {
    let (setup, _clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    let wrong = json!({ "title": "", "tags": [1], "recurrence": { "recurrence_type": "hourly" }, "x": 1 });
    let answers = [
        ("a task that is not there", ann.get(&format!("/api/tasks/{nobody}")).await),
        ("no id", ann.get("/api/tasks/7").await),
        ("everything wrong", ann.post("/api/tasks", &wrong).await),
        ("a bad query", ann.get("/api/tasks?limit=0&sort_by=colour&status=done&x=1").await),
        ("no token", system.rest().get("/api/tasks").await),
        ("a change that is not there", ann.act("/api/changes/9/undo").await),
        ("a notification that is not there", ann.act(&format!("/api/notifications/{nobody}/read")).await),
        ("nothing here", ann.get("/api/nothing").await),
        ("not in this way", ann.delete("/api/tasks").await),
        ("a feed from the future", ann.get("/api/events?since=99").await),
        ("an address that is taken", {
            let body = json!({ "email": "ann@example.org", "password": "correct horse", "display_name": "a" });
            ann.post("/api/auth/signup", &body).await
        }),
        ("a wrong password", {
            let body = json!({ "email": "ann@example.org", "password": "wrong" });
            system.rest().post("/api/auth/signin", &body).await
        }),
    ];
    let bodies = answers
        .into_iter()
        .map(|(name, answer)| (name.to_owned(), json!({ "status": answer.status.as_u16(), "body": answer.body })));
    compare("errors", &bodies.collect::<Map<_, _>>().into());
    system.stop().await;
}
