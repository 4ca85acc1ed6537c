//! Redis asked by its own client, because what is under test must not vouch for itself.

use std::process::Command;

use serde_json::Value;

/// Asks by `redis-cli`; the answer as JSON.
pub(super) fn ask(port: u16, command: &[&str]) -> Value {
    let asked = Command::new("redis-cli").args(["--json", "-p", &port.to_string()]).args(command).output();
    let answer = asked.expect("redis-cli is installed with Redis").stdout;
    serde_json::from_slice(&answer)
        .unwrap_or_else(|error| panic!("{command:?}: {error}: {}", String::from_utf8_lossy(&answer)))
}

/// The envelopes on a topic, which is a stream of entries `[id, ["data", ENVELOPE, ...]]`.
pub(super) fn stream(port: u16, topic: &str) -> Vec<Value> {
    let entries = ask(port, &["XRANGE", topic, "-", "+"]);
    let envelope = |entry: &Value| {
        let fields = entry[1].as_array().expect("an entry has fields");
        let data = fields.iter().position(|field| field == "data").expect("daprd writes a field `data`");
        serde_json::from_str(fields[data + 1].as_str().expect("text")).expect("an envelope is JSON")
    };
    entries.as_array().expect("a list of entries").iter().map(envelope).collect()
}

/// What the scheduler keeps under a key: daprd makes it a hash with a field `data`.
pub(super) fn state(port: u16, key: &str) -> Option<Value> {
    let data = ask(port, &["HGET", &format!("scheduler||{key}"), "data"]);
    data.as_str().map(|data| serde_json::from_str(data).expect("JSON"))
}
