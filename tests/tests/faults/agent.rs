//! `todo mcp`: what an agent's program starts.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use todo_tests::process::{Process, ended, todo};

fn line(id: u32, method: &str, params: &Value) -> String {
    format!("{}\n", json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
}

/// Asks in one session; every line of the answer is JSON-RPC and nothing else. Sorted by id.
fn session(mut command: Command, asks: &[String]) -> Vec<Value> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let hello = json!({
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
    });
    let mut answers = Vec::new();
    stdin.write_all(line(0, "initialize", &hello).as_bytes()).expect("it reads");
    answers.push(lines.next().expect("an answer").expect("text"));
    stdin.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n").expect("it reads");
    for ask in asks {
        stdin.write_all(ask.as_bytes()).expect("it reads");
        answers.push(lines.next().expect("an answer").expect("text"));
    }
    drop(stdin);
    answers.extend(lines.map(|line| line.expect("text")));
    assert!(child.wait().expect("it ends with its client").success());
    let parse = |line: &String| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let answers: Vec<_> = answers.iter().map(parse).collect();
    assert!(answers.iter().all(|answer| answer["jsonrpc"] == "2.0"), "{answers:?}");
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_output_is_the_protocols_alone() {
    let scratch = TempDir::new().expect("a scratch directory");
    let process = Process::start(&scratch.path().join("data")).await;
    let mut ann = process.rest();
    ann.sign_up("ann").await;
    let file = scratch.path().join("token");
    std::fs::write(&file, format!("{}\n", ann.token.clone().unwrap_or_default())).expect("it is written");
    let add = |title: &str| {
        line(
            1,
            "tools/call",
            &json!({ "name": "add_task", "arguments": { "title": title, "due_date": "2030-01-01T09:00" } }),
        )
    };
    let asks = |title: &str| {
        [add(title), line(2, "tools/call", &json!({ "name": "no_such_tool" })), line(3, "no/such", &json!({}))]
    };
    let environments: [Vec<(&str, &str)>; 3] = [
        vec![("TODO_TOKEN", ann.token.as_deref().unwrap_or_default())],
        vec![("TODO_TOKEN_FILE", file.to_str().expect("a path"))],
        vec![("TODO_EMAIL", "ann@example.org"), ("TODO_PASSWORD", "correct horse")],
    ];
    for environment in environments {
        let title = environment[0].0;
        let mut command = todo(&["mcp", "--url", &process.base(), "--log-level", "trace"]);
        command.envs(environment.iter().copied()).stderr(Stdio::null());
        let answers = tokio::task::block_in_place(|| session(command, &asks(title)));
        assert_eq!(answers.len(), 4, "{answers:?}");
        assert_eq!(answers[1]["result"]["structuredContent"]["data"]["title"], title);
        assert_eq!((&answers[2]["error"]["code"], &answers[3]["error"]["code"]), (&json!(-32602), &json!(-32601)));
    }
    assert_eq!(ann.tasks("").await.len(), 3);
    process.stop().await;
}

#[tokio::test]
async fn what_keeps_an_agent_out_is_said_in_a_sentence() {
    let scratch = TempDir::new().expect("a scratch directory");
    let process = Process::start(&scratch.path().join("data")).await;
    let nowhere = "http://127.0.0.1:9";
    let missing = scratch.path().join("missing").display().to_string();
    for (url, environment, parts) in [
        (nowhere, vec![], vec!["TODO_TOKEN", "TODO_TOKEN_FILE", "TODO_EMAIL", "TODO_PASSWORD"]),
        (nowhere, vec![("TODO_EMAIL", "ann@example.org")], vec!["TODO_PASSWORD"]),
        (nowhere, vec![("TODO_TOKEN_FILE", missing.as_str())], vec!["TODO_TOKEN_FILE", "missing"]),
        (nowhere, vec![("TODO_TOKEN", "x")], vec!["cannot be reached", "TODO_URL", nowhere]),
        (&process.base(), vec![("TODO_TOKEN", "x")], vec!["refuses the token"]),
        (&process.base(), vec![("TODO_EMAIL", "a@example.org"), ("TODO_PASSWORD", "x")], vec!["refuses", "password"]),
    ] {
        let mut command = todo(&["mcp", "--url", url]);
        command.envs(environment);
        let ended = ended(command).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("todo: ") && parts.iter().all(|part| last.contains(part)), "{}", ended.stderr);
    }
    process.stop().await;
}
