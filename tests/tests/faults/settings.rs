//! Settings: where they come from, which of them wins, and what is said of a bad one.

use std::fs;

use tempfile::TempDir;
use todo_tests::process::{Process, ended, todo};

#[tokio::test]
async fn a_bad_value_names_itself_and_says_what_it_takes() {
    let cases: [(&str, &str, &str, &str); 14] = [
        ("--listen", "LISTEN_ADDR", "nowhere", "ADDRESS:PORT"),
        ("--access-token-ttl", "ACCESS_TOKEN_TTL", "soon", "takes a duration"),
        ("--refresh-token-ttl", "REFRESH_TOKEN_TTL", "0s", "takes a duration"),
        ("--sign-up", "SIGN_UP", "perhaps", "open"),
        ("--log-format", "LOG_FORMAT", "xml", "takes text or json"),
        ("--log-level", "LOG_LEVEL", "todo=loud", "takes error, warn"),
        ("--database-url", "DATABASE_URL", "mysql://x", "postgres://"),
        ("--trusted-proxies", "TRUSTED_PROXIES", "my-proxy", "takes an address"),
        ("--sign-ups-per-address", "SIGN_UPS_PER_ADDRESS", "0", "1.."),
        ("--llm-base-url", "LLM_BASE_URL", "localhost:11434", "takes an http:// or https:// URL"),
        ("--llm-timeout", "LLM_TIMEOUT", "1h", "takes a duration from 1ms to 100s"),
        ("--llm-temperature", "LLM_TEMPERATURE", "3", "takes a number from 0 to 2"),
        ("--llm-max-tokens", "LLM_MAX_TOKENS", "0", "1.."),
        ("--max-tool-iterations", "MAX_TOOL_ITERATIONS", "21", "1..=20"),
    ];
    for (flag, variable, value, takes) in cases {
        let by_flag = ended(todo(&["all", flag, value])).await;
        let mut by_variable = todo(&["all"]);
        by_variable.env(variable, value);
        let by_variable = ended(by_variable).await;
        for it in [by_flag, by_variable] {
            assert!(it.code.is_some_and(|code| code != 0), "{flag}: {it:?}");
            assert!(it.stderr.contains(flag), "{flag} is not named: {}", it.stderr);
            assert!(it.stderr.contains(takes), "{flag} does not say that it takes {takes:?}: {}", it.stderr);
            assert!(it.stdout.is_empty(), "{}", it.stdout);
        }
    }
}

#[tokio::test]
async fn a_language_model_needs_a_name_and_a_provider() {
    for (given, missing) in
        [(["--llm-base-url", "http://localhost:1/v1"], "LLM_MODEL"), (["--llm-model", "x"], "LLM_BASE_URL")]
    {
        let scratch = TempDir::new().expect("a scratch directory");
        let mut command = todo(&["all", "--listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(scratch.path()).args(given);
        let it = ended(command).await;
        assert!(it.code.is_some_and(|code| code != 0) && it.stderr.contains(missing), "{it:?}");
    }
}

/// Whether sign-up is open at a server that is started like this.
async fn is_open(file: Option<&str>, variable: Option<&str>, flag: Option<&str>) -> bool {
    let scratch = TempDir::new().expect("a scratch directory");
    let config = scratch.path().join("todo.conf");
    let mut command = todo(&["all", "--listen", "127.0.0.1:0"]);
    if let Some(value) = file {
        fs::write(&config, format!("# A comment\n\nSIGN_UP = {value}\n")).expect("the file is written");
        command.arg("--config").arg(&config);
    }
    if let Some(value) = variable {
        command.env("SIGN_UP", value);
    }
    if let Some(value) = flag {
        command.args(["--sign-up", value]);
    }
    let process = Process::spawn(command, &scratch.path().join("data")).await;
    let body = serde_json::json!({ "email": "ann@example.org", "password": "correct horse", "display_name": "Ann" });
    let answer = process.rest().post("/api/auth/signup", &body).await;
    process.stop().await;
    assert!([201, 403].contains(&answer.status.as_u16()), "{} {}", answer.status, answer.body);
    answer.status == 201
}

#[tokio::test]
async fn default_then_file_then_environment_then_flag() {
    assert!(is_open(None, None, None).await);
    assert!(!is_open(Some("closed"), None, None).await);
    assert!(is_open(Some("closed"), Some("open"), None).await);
    assert!(!is_open(Some("open"), Some("open"), Some("closed")).await);
    assert!(!is_open(None, Some("closed"), None).await);
}

#[tokio::test]
async fn a_bad_file_is_refused_by_line_and_name() {
    let scratch = TempDir::new().expect("a scratch directory");
    let config = scratch.path().join("todo.conf");
    let path = config.display().to_string();
    for (text, said) in [
        (Some("SIGN_UP=closed\nnonsense\n"), "line 2"),
        (Some("SIGNUP=closed\n"), "SIGNUP"),
        (Some("SIGN_UP=perhaps\n"), "--sign-up"),
        (None, "cannot be read"),
    ] {
        match text {
            Some(text) => fs::write(&config, text).expect("the file is written"),
            None => fs::remove_file(&config).expect("it was there"),
        }
        let ended = ended(todo(&["all", "--config", &path])).await;
        assert!(ended.code.is_some_and(|code| code != 0), "{ended:?}");
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_made_is_named() {
    let scratch = TempDir::new().expect("a scratch directory");
    let file = scratch.path().join("file");
    fs::write(&file, "in the way").expect("the file is written");
    // Even root can make no directory below a file.
    for data in [file.clone(), file.join("data")] {
        let mut command = todo(&["all", "--listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(&data);
        let ended = ended(command).await;
        assert_eq!(ended.code, Some(1));
        let said = format!("the data directory {} cannot be used", data.display());
        assert!(ended.stderr.contains(&said), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn roles_of_their_own_say_what_they_need() {
    for (role, sidecar) in [("backend", "local"), ("scheduler", "local"), ("gateway", "local"), ("all", "dapr")] {
        let ended = ended(todo(&[role, "--sidecar", sidecar])).await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("todo all") && ended.stderr.contains("SIDECAR="), "{}", ended.stderr);
    }
}
