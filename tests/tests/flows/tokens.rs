//! Personal access tokens: what each scope opens, and how they end.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use todo_tests::{rest::Rest, stream::Stream, system::Ground};

use crate::{MONDAY, access, at, text};

/// What a token with a scope may do: everything that reads, what changes tasks and notifications, or no such thing.
fn need(method: &Method, path: &str) -> &'static str {
    match (method, path) {
        (&Method::GET, "/api/auth/tokens") => "account",
        (_, "/api/auth/me") if method == Method::GET => "read",
        (_, path) if path.starts_with("/api/auth/") => "account",
        (&Method::POST, path) if path.starts_with("/api/notifications/push") => "account",
        (&Method::GET, _) | (_, "/api/recurrence/preview" | "/api/tasks/parse") => "read",
        _ => "write",
    }
}

/// Makes a token; gives its owner as seen through it.
async fn by_token(owner: &Rest, body: Value) -> (String, Rest) {
    let made = owner.post("/api/auth/tokens", &body).await.expect(201);
    let token = text(&made["token"]).to_owned();
    assert!(token.starts_with("todo_pat_") && token.len() == 73, "{token}");
    let mut user = owner.clone();
    user.token = Some(token);
    (text(&made["id"]).to_owned(), user)
}

pub(crate) async fn a_personal_token_opens_what_its_scopes_say(ground: Ground) {
    let (setup, _) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let (_, reader) = by_token(&ann, json!({ "name": "reader", "scopes": ["read"] })).await;
    let (_, writer) = by_token(&ann, json!({ "name": "writer", "scopes": ["write"] })).await;
    for (method, path, body) in access::routes("00000000-0000-4000-8000-000000000000") {
        if path == "/api/events" {
            continue;
        }
        let need = need(&method, &path);
        for (user, refused) in [(&reader, need != "read"), (&writer, need == "account")] {
            let answer = user.send(method.clone(), &path, &[], body.as_ref()).await;
            if refused {
                assert_eq!(answer.code(403), "PERMISSION_DENIED", "{method} {path}");
            } else {
                assert!(![401, 403].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.body);
            }
        }
    }
    let task = writer.create(json!({ "title": "a" })).await;
    assert_eq!(reader.task(text(&task["id"])).await["title"], "a");
    let path = format!("/api/tasks/{}/complete", text(&task["id"]));
    assert_eq!(writer.post(&path, &json!({})).await.expect(200)["status"], "completed");
    let mut stream = Stream::open(&reader, None).await;
    ann.create(json!({ "title": "b" })).await;
    stream.kind("com.todo.task.created").await;
    system.stop().await;
}

pub(crate) async fn a_personal_token_is_good_until_it_expires_or_is_revoked(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    let body = json!({ "name": " robot ", "scopes": ["write", "read"], "expires_at": "2026-03-02T08:30:00Z" });
    let (brief, by_brief) = by_token(&ann, body).await;
    clock.advance(TimeDelta::seconds(1));
    let (lasting, by_lasting) = by_token(&ann, json!({ "name": "agent", "scopes": ["read"] })).await;

    by_brief.get("/api/tasks").await.expect(200);
    let listed = ann.get("/api/auth/tokens").await.expect(200)["access_tokens"].clone();
    let names: Vec<_> = listed.as_array().into_iter().flatten().map(|token| text(&token["name"])).collect();
    assert_eq!(names, ["agent", "robot"]);
    assert_eq!((&listed[0]["last_used_at"], &listed[0]["expires_at"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&listed[1]["last_used_at"], &listed[1]["scopes"]),
        (&json!("2026-03-02T08:00:01Z"), &json!(["read", "write"]))
    );
    assert_eq!(listed[1]["token"], Value::Null, "it is shown once");
    assert_eq!(bob.get("/api/auth/tokens").await.expect(200)["access_tokens"], json!([]));

    let mut stream = Stream::open(&by_lasting, None).await;
    clock.advance(TimeDelta::minutes(30));
    assert_eq!(by_brief.get("/api/tasks").await.code(401), "TOKEN_EXPIRED");
    by_lasting.get("/api/tasks").await.expect(200);
    ann.create(json!({ "title": "a" })).await;
    stream.kind("com.todo.task.created").await;

    let path = format!("/api/auth/tokens/{lasting}");
    assert_eq!(bob.delete(&path).await.code(404), "TOKEN_NOT_FOUND");
    ann.delete(&path).await.expect(204);
    assert_eq!(ann.delete(&path).await.code(404), "TOKEN_NOT_FOUND");
    assert_eq!(ann.delete("/api/auth/tokens/1").await.code(400), "INVALID_ID_FORMAT");
    assert_eq!(by_lasting.get("/api/tasks").await.code(401), "INVALID_TOKEN");
    clock.advance(TimeDelta::minutes(1));
    assert_eq!(stream.kind("error").await.data["error"]["code"], "INVALID_TOKEN", "its stream ends, too");
    ann.delete(&format!("/api/auth/tokens/{brief}")).await.expect(204);
    system.stop().await;
}

pub(crate) async fn a_personal_token_has_a_name_scopes_and_a_time_to_come(ground: Ground) {
    let (setup, _) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    for (body, fields) in [
        (json!({}), vec!["name", "scopes"]),
        (json!({ "name": " ", "scopes": [] }), vec!["name", "scopes"]),
        (json!({ "name": "x".repeat(101), "scopes": ["read"] }), vec!["name"]),
        (json!({ "name": "x", "scopes": ["read", "admin"] }), vec!["scopes[1]"]),
        (json!({ "name": "x", "scopes": ["read"], "expires_at": MONDAY }), vec!["expires_at"]),
        (json!({ "name": "x", "scopes": ["read"], "user_id": "x" }), vec!["user_id"]),
    ] {
        let answer = ann.post("/api/auth/tokens", &body).await;
        assert_eq!(answer.code(400), "VALIDATION_ERROR", "{body}");
        assert_eq!(answer.fields(), fields, "{}", answer.body);
    }
    for number in 0..100 {
        by_token(&ann, json!({ "name": format!("{number}"), "scopes": ["read"] })).await;
    }
    let one_more = ann.post("/api/auth/tokens", &json!({ "name": "x", "scopes": ["read"] })).await;
    assert_eq!(one_more.code(400), "VALIDATION_ERROR");
    assert!(text(&one_more.body["error"]["message"]).contains("revoke one first"), "{}", one_more.body);
    system.stop().await;
}
