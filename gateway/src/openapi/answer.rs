//! What each route can answer: success, and every error with its reasons.

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use todo_domain::{Error, Reason};

use super::schema::Schemas;
use crate::{contract::Body, cookie, route::Route, status::Failure};

/// Answers by status.
pub(super) fn answers(route: &Route, schemas: &mut Schemas) -> Value {
    let mut answers = Map::new();
    answers.insert(route.rpc.success.as_u16().to_string(), success(route, schemas));
    if route.rpc.gives_task() && route.method == Method::GET {
        answers.insert("304".to_owned(), json!({ "description": "It is still as the client has it." }));
    }
    for (status, codes) in errors(route) {
        answers.insert(status.as_u16().to_string(), error(status, &codes));
    }
    Value::Object(answers)
}

fn success(route: &Route, schemas: &mut Schemas) -> Value {
    let rpc = &*route.rpc;
    let mut answer = json!({ "description": description(rpc.success) });
    let mut headers = Map::new();
    let mut header = |name: &str, description: &str, schema: Value| {
        headers.insert(name.to_owned(), json!({ "description": description, "schema": schema }));
    };
    if rpc.gives_task() {
        header("ETag", "The task's revision in quotes, for If-Match and If-None-Match.", json!({ "type": "string" }));
    }
    if rpc.rules.announces {
        header(
            "X-Event-Published",
            "Whether an event was committed with the change.",
            json!({ "type": "string", "enum": ["true", "false"] }),
        );
    }
    if rpc.rules.announces && rpc.empty() {
        header(
            "X-Revision",
            "The change's revision, which names it for an undo.",
            json!({ "type": "integer", "format": "int64" }),
        );
    }
    if rpc.gives_task() && rpc.success == StatusCode::CREATED {
        header("Location", "Where the task is read.", json!({ "type": "string", "format": "uri-reference" }));
    }
    if cookie::gives(rpc) {
        header("Set-Cookie", "The refresh token, if the cookie was asked for.", json!({ "type": "string" }));
    }
    if !rpc.rules.attachment.is_empty() {
        header("Content-Disposition", "That it is a file, and its name.", json!({ "type": "string" }));
    }
    if !headers.is_empty() {
        answer["headers"] = Value::Object(headers);
    }
    if rpc.streams() && rpc.rules.attachment.is_empty() {
        // Of each event: `itemSchema` comes with OpenAPI 3.2.
        let data = json!({
            "type": "string", "contentMediaType": "application/json", "contentSchema": schemas.answer(&rpc.output),
        });
        let text = json!({ "type": "string" });
        let event = json!({
            "type": "object", "properties": { "event": text, "id": text, "data": data }, "required": ["data"],
        });
        answer["content"] = json!({ "text/event-stream": { "schema": event } });
    } else if rpc.success != StatusCode::NO_CONTENT {
        answer["content"] = json!({ "application/json": { "schema": schemas.answer(&rpc.output) } });
    }
    answer
}

/// The codes of the errors of a route, by status.
fn errors(route: &Route) -> BTreeMap<StatusCode, BTreeSet<String>> {
    let rpc = &*route.rpc;
    let mut reasons = vec![
        Reason::ValidationError,
        Reason::RateLimited,
        Reason::Internal,
        Reason::ServiceUnavailable,
        Reason::DeadlineExceeded,
    ];
    if !rpc.rules.anonymous {
        reasons.extend([Reason::MissingToken, Reason::InvalidToken, Reason::TokenExpired, Reason::UserNotFound]);
    }
    let mut errors: BTreeMap<StatusCode, BTreeSet<String>> = BTreeMap::new();
    let mut add = |failure: &Failure| {
        errors.entry(failure.status()).or_default().insert(failure.code().to_owned());
    };
    for reason in reasons {
        add(&of(reason));
    }
    for name in &rpc.rules.errors {
        match name.parse() {
            Ok(reason) => add(&of(reason)),
            Err(_) => unreachable_reason(name),
        }
    }
    if route.body != Body::None {
        add(&Failure::too_large(0));
        add(&Failure::not_json());
    }
    if cookie::takes(rpc) {
        add(&of(Reason::PermissionDenied));
    }
    errors
}

/// # Panics
/// The contract names a reason that the domain does not know: a mistake of the build, which the tests meet.
fn unreachable_reason(name: &str) -> ! {
    panic!("MethodRules.errors names {name}, which is no reason of todo_domain")
}

/// What a reason is answered with; the same way that it takes at run time.
fn of(reason: Reason) -> Failure {
    Failure::from_status(&todo_runtime::status::from_error(Error::new(reason, "")), true)
}

fn error(status: StatusCode, codes: &BTreeSet<String>) -> Value {
    let mut answer = plain(
        &codes.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        &json!({ "$ref": "#/components/schemas/Error" }),
    );
    answer["x-codes"] = json!(codes);
    match status {
        StatusCode::UNAUTHORIZED => {
            answer["headers"] = json!({ "WWW-Authenticate": { "schema": { "type": "string" } } });
        }
        StatusCode::TOO_MANY_REQUESTS => {
            answer["headers"] = json!({
                "Retry-After": {
                    "description": "Seconds to wait.",
                    "schema": { "type": "integer", "minimum": 0 },
                },
            });
        }
        _ => {}
    }
    answer
}

/// A JSON answer.
pub(super) fn plain(description: &str, schema: &Value) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

fn description(success: StatusCode) -> &'static str {
    match success {
        StatusCode::CREATED => "Created.",
        StatusCode::NO_CONTENT => "Done.",
        _ => "Success.",
    }
}

/// What is answered besides messages of the contract.
pub(super) fn schemas() -> Map<String, Value> {
    let string = || json!({ "type": "string" });
    let schemas = json!({
        "Error": {
            "type": "object",
            "description": "What every error looks like.",
            "required": ["error"],
            "properties": {
                "error": {
                    "type": "object",
                    "required": ["code", "message", "details"],
                    "properties": {
                        "code": { "type": "string", "description": "Why, for software." },
                        "message": { "type": "string", "description": "Why, for people." },
                        "details": {
                            "type": "array",
                            "description": "Everything wrong with the request, by field.",
                            "items": {
                                "type": "object",
                                "required": ["field", "message"],
                                "properties": { "field": string(), "message": string() },
                            },
                        },
                    },
                },
            },
        },
        "Health": {
            "type": "object",
            "required": ["status"],
            "properties": { "status": { "type": "string", "enum": ["ok"] } },
        },
        "Readiness": {
            "type": "object",
            "required": ["status", "checks"],
            "properties": {
                "status": { "type": "string", "enum": ["ok", "degraded", "unavailable"] },
                "checks": { "type": "object", "additionalProperties": string() },
            },
        },
    });
    match schemas {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    }
}
