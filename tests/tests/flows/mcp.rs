//! Tools for agents, as a plain JSON-RPC client sees them over HTTP.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use reqwest::{Method, header::HeaderValue};
use serde_json::{Map, Value, json};
use todo_proto::{
    json as mapping,
    v1::{CreateTaskRequest, Task, task_service_client::TaskServiceClient},
};
use todo_tests::{
    rest::{Answer, Rest},
    system::Ground,
};

use crate::{MONDAY, at, text};

const ACCEPT: (&str, &str) = ("accept", "application/json, text/event-stream");
const NOBODY: &str = "00000000-0000-4000-8000-000000000001";

/// A user's agent.
pub(crate) struct Agent<'a> {
    user: &'a Rest,
    tools: Vec<Value>,
}

impl<'a> Agent<'a> {
    pub(crate) async fn new(user: &'a Rest) -> Self {
        let mut agent = Self { user, tools: Vec::new() };
        let hello = json!({
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
        });
        let hello = agent.ask("initialize", hello).await;
        assert_eq!((&hello["serverInfo"]["name"], &hello["protocolVersion"]), (&json!("todo"), &json!("2025-06-18")));
        let listed = agent.ask("tools/list", json!({})).await;
        agent.tools.clone_from(listed["tools"].as_array().expect("tools"));
        agent
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        let answer = post(self.user, method, &params, &[ACCEPT]).await;
        assert_eq!(answer.header("mcp-session-id"), None, "any replica serves any request");
        let body = answer.expect(200);
        assert_eq!((&body["jsonrpc"], &body["id"]), (&json!("2.0"), &json!(7)), "{body}");
        body["result"].clone()
    }

    /// The result of a call, which is as its schema says, in both its forms.
    pub(crate) async fn call(&self, name: &str, arguments: Value) -> Value {
        let answer = self.ask("tools/call", json!({ "name": name, "arguments": arguments })).await;
        let result = answer["structuredContent"].clone();
        let shown: Value = serde_json::from_str(text(&answer["content"][0]["text"])).expect("JSON");
        assert_eq!(shown, result);
        assert_eq!(answer["isError"], json!(result["success"] == json!(false)), "{answer}");
        let tool = self.tools.iter().find(|tool| tool["name"] == name).expect("a tool that is listed");
        if let Err(error) = jsonschema::validate(&tool["outputSchema"], &result) {
            panic!("{name}: {error} in {result}");
        }
        result
    }

    /// What came of a call that succeeds.
    async fn done(&self, name: &str, arguments: Value) -> Value {
        let result = self.call(name, arguments).await;
        assert_eq!((&result["success"], &result["error"]), (&json!(true), &Value::Null), "{name}: {result}");
        result["data"].clone()
    }

    /// The code of a call that fails, and why it did.
    async fn refused(&self, name: &str, arguments: Value) -> (String, String) {
        let result = self.call(name, arguments).await;
        assert_eq!((&result["success"], &result["data"]), (&json!(false), &Value::Null), "{name}: {result}");
        (text(&result["error_code"]).to_owned(), text(&result["error"]).to_owned())
    }
}

async fn post(user: &Rest, method: &str, params: &Value, headers: &[(&str, &str)]) -> Answer {
    let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    user.send(Method::POST, "/mcp", headers, Some(&body)).await
}

pub(crate) async fn every_tool_does_what_it_says(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    ann.move_to("Europe/Berlin").await;
    let agent = Agent::new(&ann).await;
    let made = agent
        .done(
            "add_task",
            json!({
                "title": "Pay rent", "description": "to the landlord", "priority": "high", "tags": ["home"],
                "due_date": "2026-03-03T09:00", "reminders": [{ "before_due_seconds": 3600 }],
                "recurrence": { "recurrence_type": "rrule", "rrule": "FREQ=MONTHLY", "overlap": "skip" },
            }),
        )
        .await;
    assert_eq!((&made["due_date"], &made["due_all_day"]), (&json!("2026-03-03T08:00:00Z"), &json!(false)));
    assert_eq!(made["recurrence"]["time_zone"], "Europe/Berlin");
    let id = &made["id"];
    assert_eq!(agent.done("get_task", json!({ "id": id })).await, made);
    assert_eq!(ann.task(text(id)).await, made);
    clock.advance(TimeDelta::seconds(1));
    let christmas = agent.done("add_task", json!({ "title": "Rest", "due_date": "2026-12-24" })).await;
    assert_eq!((&christmas["due_date"], &christmas["due_all_day"]), (&json!("2026-12-23T23:00:00Z"), &json!(true)));

    let listed = agent.done("list_tasks", json!({})).await;
    assert_eq!((&listed["tasks"][0]["title"], &listed["total"]), (&json!("Rest"), &json!(2)), "newest first");
    let filter = json!({
        "status": ["pending"], "priority": ["high"], "tag": ["HOME"], "search": "land", "due_after": "2026-03-03",
        "due_before": "2026-03-04", "sort_by": "due_date", "sort_order": "asc", "limit": 1, "offset": 0,
    });
    let listed = agent.done("list_tasks", filter).await;
    assert_eq!((&listed["tasks"][0]["id"], &listed["total"]), (id, &json!(1)));
    assert_eq!(agent.done("list_tags", json!({})).await["tags"], json!([{ "tag": "home", "count": 1 }]));

    let moved = agent.done("update_task", json!({ "id": id, "due_date": "2026-03-05", "description": null })).await;
    assert_eq!((&moved["due_date"], &moved["due_all_day"]), (&json!("2026-03-04T23:00:00Z"), &json!(true)));
    assert_eq!((&moved["description"], &moved["title"]), (&json!(""), &json!("Pay rent")));
    assert_eq!(moved["recurrence"]["id"], made["recurrence"]["id"], "moving the date keeps the series");
    let moved = agent.done("update_task", json!({ "id": id, "due_date": "2026-03-05T10:00:00Z" })).await;
    assert_eq!((&moved["due_date"], &moved["due_all_day"]), (&json!("2026-03-05T10:00:00Z"), &json!(false)));
    let undone = agent.done("undo_change", json!({ "revision": moved["revision"] })).await;
    assert_eq!(undone["task"]["due_date"], "2026-03-04T23:00:00Z");

    let first = agent.done("complete_task", json!({ "id": id })).await;
    assert_eq!(first["status"], "completed");
    assert_eq!(agent.done("complete_task", json!({ "id": id })).await, first, "once more changes nothing");
    assert_eq!(agent.done("reopen_task", json!({ "id": id })).await["status"], "pending");

    let mut batch =
        json!({ "ids": [id, christmas["id"]], "action": "update", "task": { "tags": null, "priority": "low" } });
    let shown = agent.done("batch_change", batch.clone()).await;
    assert_eq!((shown["tasks"].as_array().map(Vec::len), &shown["revisions"]), (Some(2), &json!([])));
    assert_eq!(ann.task(text(id)).await["priority"], "high", "the first call only shows");
    batch["confirm_token"] = shown["confirm_token"].clone();
    let changed = agent.done("batch_change", batch).await;
    assert_eq!((&changed["tasks"][0]["priority"], &changed["tasks"][0]["tags"]), (&json!("low"), &json!([])));
    assert_eq!(changed["revisions"].as_array().map(Vec::len), Some(2));

    let gone = agent.done("delete_task", json!({ "id": id })).await;
    assert_eq!((&gone["id"], &gone["deleted"]), (id, &json!(true)));
    let again = agent.done("delete_task", json!({ "id": id })).await;
    assert_eq!(again, json!({ "id": id, "deleted": false, "revision": null }));
    assert_eq!(agent.done("delete_task", json!({ "id": NOBODY })).await["deleted"], false);
    let back = agent.done("undo_change", json!({ "revision": gone["revision"] })).await;
    assert_eq!(back["task"]["id"], *id);

    let preview = json!({ "recurrence": { "recurrence_type": "daily" }, "due_date": "2026-03-03T09:00", "limit": 2 });
    let preview = agent.done("preview_occurrences", preview).await;
    assert_eq!(preview["occurrences"], json!(["2026-03-04T08:00:00Z", "2026-03-05T08:00:00Z"]));
    system.stop().await;
}

pub(crate) async fn two_users_tools_never_see_each_others_tasks(ground: Ground) {
    let (setup, _) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    let (hers, his) = (Agent::new(&ann).await, Agent::new(&bob).await);
    let task = hers.done("add_task", json!({ "title": "Secret plan", "tags": ["private"] })).await;
    let id = &task["id"];
    for (tool, arguments) in [
        ("get_task", json!({ "id": id })),
        ("update_task", json!({ "id": id, "title": "Mine" })),
        ("complete_task", json!({ "id": id })),
        ("reopen_task", json!({ "id": id })),
        ("undo_change", json!({ "revision": task["revision"] })),
        ("batch_change", json!({ "ids": [id], "action": "delete" })),
    ] {
        let (code, why) = his.refused(tool, arguments).await;
        assert_eq!(code, "NOT_FOUND", "{tool}: {why}");
        assert!(!why.contains("Secret") && !why.contains(text(&task["user_id"])), "{tool}: {why}");
    }
    assert_eq!(his.done("delete_task", json!({ "id": id })).await["deleted"], false);
    assert_eq!(his.done("list_tasks", json!({})).await["total"], 0);
    assert_eq!(his.done("list_tasks", json!({ "search": "Secret", "tag": ["private"] })).await["total"], 0);
    assert_eq!(his.done("list_tags", json!({})).await["tags"], json!([]));
    let (code, _) = his.refused("add_task", json!({ "title": "For you", "user_id": ann.user_id })).await;
    assert_eq!(code, "VALIDATION_ERROR", "no tool takes a user id");
    assert_eq!(hers.done("get_task", json!({ "id": id })).await, task);
    assert_eq!(hers.done("list_tasks", json!({})).await["total"], 1);
    system.stop().await;
}

pub(crate) async fn a_tool_says_what_was_wrong(ground: Ground) {
    let (setup, _) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let agent = Agent::new(&ann).await;
    let task = agent.done("add_task", json!({ "title": "a" })).await;
    let id = &task["id"];
    for (tool, arguments, parts) in [
        ("add_task", json!({}), vec!["title must be 1 to 200 characters"]),
        ("add_task", json!({ "title": "x".repeat(201), "tags": [""] }), vec!["title must", "tags[0] must"]),
        (
            "add_task",
            json!({ "title": 1, "priority": "urgent" }),
            vec!["title must be a string", "priority must be one of"],
        ),
        ("add_task", json!({ "title": "a", "color": "red" }), vec!["color unknown field"]),
        ("add_task", json!({ "title": "a", "due_date": "tomorrow" }), vec!["due_date must be a time"]),
        ("add_task", json!({ "title": "a", "due_date": "2026-13-45" }), vec!["due_date must be a time"]),
        ("add_task", json!({ "title": "a", "reminders": [{ "at": 1 }] }), vec!["reminders[0].at unknown field"]),
        ("update_task", json!({ "id": id, "status": "completed" }), vec!["status must be pending or in_progress"]),
        ("update_task", json!({ "id": id, "title": null }), vec!["title must"]),
        ("update_task", json!({ "id": id, "update_mask": "title" }), vec!["update_mask unknown field"]),
        ("get_task", json!({ "id": "seven" }), vec!["id"]),
        ("delete_task", json!({ "id": "seven" }), vec!["id"]),
        ("complete_task", json!({}), vec!["id"]),
        ("list_tasks", json!({ "limit": 0, "offset": -1 }), vec!["limit must", "offset must"]),
        ("batch_change", json!({ "ids": [id], "action": "explode" }), vec!["action must be one of"]),
        ("preview_occurrences", json!({ "recurrence": { "recurrence_type": "custom" } }), vec!["cron_expression"]),
    ] {
        let (code, why) = agent.refused(tool, arguments.clone()).await;
        assert_eq!(code, "VALIDATION_ERROR", "{tool} {arguments}: {why}");
        assert!(parts.iter().all(|part| why.contains(part)), "{tool} {arguments}: {why}");
        assert!(!why.contains("task."), "fields are as the arguments call them: {why}");
    }
    for tool in ["get_task", "update_task", "complete_task", "reopen_task"] {
        assert_eq!(agent.refused(tool, json!({ "id": NOBODY })).await.0, "NOT_FOUND", "{tool}");
    }
    assert_eq!(ann.task(text(id)).await, task, "nothing was changed");

    let unknown = post(&ann, "tools/call", &json!({ "name": "drop_tables" }), &[ACCEPT]).await.expect(200);
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");

    let token = json!({ "name": "reader", "scopes": ["read"] });
    let token = ann.post("/api/auth/tokens", &token).await.expect(201)["token"].clone();
    let mut reader = ann.clone();
    reader.token = Some(text(&token).to_owned());
    let reader = Agent::new(&reader).await;
    for tool in &reader.tools {
        let name = text(&tool["name"]);
        let mut arguments = json!({});
        for required in tool["inputSchema"]["required"].as_array().into_iter().flatten() {
            arguments[text(required)] = match text(required) {
                "id" => id.clone(),
                "ids" => json!([id]),
                "action" => json!("delete"),
                "recurrence" => json!({ "recurrence_type": "daily" }),
                "revision" => task["revision"].clone(),
                _ => json!("a"),
            };
        }
        if tool["annotations"]["readOnlyHint"] == true {
            reader.done(name, arguments).await;
        } else {
            assert_eq!(reader.refused(name, arguments).await.0, "ACCESS_DENIED", "{name}");
        }
    }
    system.stop().await;
}

pub(crate) async fn who_calls_tools_has_a_token_and_comes_from_a_known_page(ground: Ground) {
    let (mut setup, _) = at(MONDAY, ground);
    setup.adjust = |options| {
        options.backend.access_ttl = TimeDelta::days(36_500);
        options.gateway.cors_origins = vec![HeaderValue::from_static("https://app.example")];
    };
    let system = setup.start().await;
    let mut ann = system.user("ann").await;
    for (token, code) in [(None, "MISSING_TOKEN"), (Some("x".to_owned()), "INVALID_TOKEN")] {
        let mut stranger = ann.clone();
        stranger.token = token;
        let answer = post(&stranger, "initialize", &json!({}), &[ACCEPT]).await;
        assert_eq!((answer.code(401), answer.header("www-authenticate")), (code, Some("Bearer")));
    }
    let made = ann.post("/api/auth/tokens", &json!({ "name": "agent", "scopes": ["write"] })).await.expect(201);
    let owner = ann.clone();
    ann.token = Some(text(&made["token"]).to_owned());
    Agent::new(&ann).await.done("add_task", json!({ "title": "a" })).await;
    for method in [Method::GET, Method::DELETE] {
        let answer = ann.send(method, "/mcp", &[ACCEPT], None).await;
        assert_eq!((answer.code(405), answer.header("allow")), ("METHOD_NOT_ALLOWED", Some("OPTIONS, POST")));
    }
    for (origin, status) in [("https://app.example", 200), ("https://evil.example", 403), ("null", 403)] {
        let answer = post(&ann, "tools/list", &json!({}), &[ACCEPT, ("origin", origin)]).await;
        assert_eq!(answer.status.as_u16(), status, "{origin}: {}", answer.body);
    }
    let large = json!({ "name": "add_task", "arguments": { "title": "x".repeat(1_100_000) } });
    assert_eq!(post(&ann, "tools/call", &large, &[ACCEPT]).await.status, 413);
    owner.delete(&format!("/api/auth/tokens/{}", text(&made["id"]))).await.expect(204);
    assert_eq!(post(&ann, "tools/list", &json!({}), &[ACCEPT]).await.code(401), "INVALID_TOKEN");
    system.stop().await;
}

pub(crate) async fn the_same_task_by_tool_rest_and_grpc_is_equal(ground: Ground) {
    let (setup, _) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let agent = Agent::new(&ann).await;
    let task = json!({
        "title": " Water the plants ", "description": "all", "priority": "low", "tags": ["home", "Garden"],
        "due_date": "2026-03-04T09:00:00+01:00", "due_all_day": false,
        "reminders": [{ "before_due_seconds": 600 }, { "trigger_at": "2026-03-03T08:00:00Z" }],
        "recurrence": {
            "recurrence_type": "rrule", "rrule": "FREQ=WEEKLY;BYDAY=WE", "time_zone": "Asia/Tokyo", "overlap": "skip",
            "catch_up": "none", "lead_seconds": 60, "count": 4,
        },
    });
    let by_tool = agent.done("add_task", task.clone()).await;
    let by_rest = ann.create(task.clone()).await;
    let message: Task = mapping::read(&task).expect("a task");
    let request = ann.call(CreateTaskRequest { task: Some(message) });
    let by_grpc = TaskServiceClient::new(system.grpc()).create_task(request).await.expect("a task").into_inner();
    let by_grpc = mapping::of(&by_grpc);
    assert_eq!(common(&by_tool), common(&by_rest));
    assert_eq!(common(&by_grpc), common(&by_rest));
    assert_eq!(agent.done("get_task", json!({ "id": by_rest["id"] })).await, by_rest);
    assert_eq!(agent.done("get_task", json!({ "id": by_grpc["id"] })).await, by_grpc);
    let ids: BTreeSet<_> = [&by_tool, &by_rest, &by_grpc].map(|task| text(&task["id"])).into();
    assert_eq!(ids.len(), 3);
    system.stop().await;
}

/// A task without what is one task's own.
fn common(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(common).collect(),
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !["id", "revision"].contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), common(value))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}
