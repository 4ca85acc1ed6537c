//! The description says what is served.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::Value;

use super::harness::{System, request};

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if name == "$ref" {
                    found.insert(value.as_str().unwrap());
                }
                references(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_route_is_described_and_every_reference_resolves() {
    let answer = System::new().get("/api/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, Some("application/json")));
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");

    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }

    let mut ids = BTreeSet::new();
    for route in crate::route::Table::new(&crate::contract::rpcs(todo_proto::json::pool())).routes() {
        let path = route.template.replace("{task.id}", "{id}");
        let operation = &document["paths"][&path][route.method.as_str().to_lowercase()];
        assert_eq!(operation["operationId"], route.rpc.descriptor.name(), "{path}");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()));
        for variable in path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')) {
            let parameters = operation["parameters"].as_array().unwrap();
            assert!(parameters.iter().any(|one| one["in"] == "path" && one["name"] == variable), "{path}");
        }
        for status in ["400", "429", "500", "503", "504"] {
            assert!(operation["responses"][status].is_object(), "{path} {status}");
        }
        assert_eq!(
            operation["responses"]["401"].is_object(),
            operation["security"].is_null()
                || route
                    .rpc
                    .rules
                    .errors
                    .iter()
                    .any(|error| error.starts_with("INVALID_") && error != "INVALID_ID_FORMAT"),
            "{path}"
        );
        assert_eq!(operation["responses"]["413"].is_object(), operation["requestBody"].is_object(), "{path}");
    }
    for path in ["/health", "/api/health", "/ready", "/api/openapi.json"] {
        assert!(document["paths"][path]["get"].is_object(), "{path}");
    }
}

#[test]
fn the_description_is_the_same_each_time() {
    assert_eq!(serde_json::to_vec(&crate::document()).unwrap(), serde_json::to_vec(&crate::document()).unwrap());
}

#[test]
fn schemas_tell_requests_from_answers() {
    let document = crate::document();
    let schemas = &document["components"]["schemas"];
    let (task, input, patch) = (&schemas["Task"], &schemas["TaskInput"], &schemas["TaskPatch"]);

    assert!(task["required"].as_array().unwrap().contains(&"due_date".into()), "every field of an answer is present");
    assert_eq!(task["properties"]["due_date"]["type"], serde_json::json!(["string", "null"]));
    assert_eq!(task["properties"]["due_date"]["format"], "date-time");
    assert_eq!(task["properties"]["title"]["description"], "1 to 200 characters after trimming.");
    assert_eq!(task["properties"]["reminders"]["items"]["$ref"], "#/components/schemas/Reminder");

    assert_eq!(input["required"], serde_json::json!(["title"]));
    assert_eq!(input["additionalProperties"], false);
    assert_eq!(input["properties"]["revision"]["readOnly"], true);
    assert_eq!(input["properties"]["priority"]["enum"], serde_json::json!(["high", "medium", "low", null]));
    assert!(patch["required"].is_null());
    assert_eq!(patch["properties"]["id"]["readOnly"], true);

    let operation = &document["paths"]["/api/tasks/{id}"]["patch"];
    assert_eq!(
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/TaskPatch"
    );
    let names: Vec<_> = operation["parameters"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["id", "If-Match", "Idempotency-Key"]);
    assert!(operation["responses"]["409"]["description"].as_str().unwrap().contains("REVISION_CONFLICT"));
    assert_eq!(operation["parameters"][0]["schema"]["format"], "uuid");

    let watch = &document["paths"]["/api/events"]["get"]["responses"]["200"]["content"]["text/event-stream"];
    assert_eq!(watch["schema"]["properties"]["data"]["contentSchema"]["$ref"], "#/components/schemas/WatchResponse");
    assert!(schemas["WatchResponse"]["properties"]["task"]["$ref"].is_string());
    assert!(!schemas["WatchResponse"]["required"].as_array().unwrap().contains(&"task".into()));
}

#[tokio::test]
async fn the_pages_need_nothing_from_elsewhere() {
    let system = System::new();
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/api/docs", "text/html; charset=utf-8"),
        ("/api/docs.js", "text/javascript; charset=utf-8"),
        ("/api/docs.css", "text/css; charset=utf-8"),
    ] {
        let answer = system.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, Some(kind)), "{path}");
        let text = str::from_utf8(&answer.text).unwrap();
        assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("<style"), "{path}");
        assert!(!text.contains("onclick") && !text.contains("innerHTML"), "{path}");
        let tag = answer.header("etag").unwrap();
        let again = system.send(request(Method::GET, path, &[("if-none-match", tag)], "")).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    }
    let start = system.get("/").await;
    let text = str::from_utf8(&start.text).unwrap();
    assert!(text.contains("/api/docs") && text.contains("/api/openapi.json") && !text.contains("{version}"));
}
