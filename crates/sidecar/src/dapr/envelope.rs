//! What daprd makes of an event on its way to the app.

use dapr::dapr::proto::runtime::v1::TopicEventRequest;
use prost_types::Value as Attribute;
use prost_types::value::Kind;
use serde_json::{Map, Number, Value};
use todo_trace::TRACEPARENT;

use crate::{CloudEvent, Invalid, TOPIC};

/// Extensions that daprd adds and nobody needs: its component's name, and the old name of `traceparent`.
const OWN: [&str; 2] = ["pubsubname", "traceid"];
/// Extensions that daprd adds without a value when nothing is traced.
const TRACE: [&str; 2] = [TRACEPARENT, "tracestate"];

/// Reads what daprd delivers as the event that was published.
///
/// Two things are lost on the way: the data of an event without `datacontenttype` (it arrives empty), and what is finer
/// than a 64-bit float in numbers of the data (daprd reads and writes it anew).
pub(super) fn read(request: TopicEventRequest) -> Result<CloudEvent, Invalid> {
    let mut object = Map::new();
    for (name, attribute) in request.extensions.unwrap_or_default().fields {
        let value = json(attribute);
        let empty = value.as_str().is_some_and(str::is_empty);
        // On a dead-letter topic the extension is the original topic.
        let this_topic = name == TOPIC && value.as_str() == Some(&request.topic);
        let daprds = this_topic || OWN.contains(&name.as_str()) || (empty && TRACE.contains(&name.as_str()));
        if !daprds {
            object.insert(name, value);
        }
    }
    let attributes = [
        ("id", request.id),
        ("type", request.r#type),
        ("source", request.source),
        ("specversion", request.spec_version),
        ("datacontenttype", request.data_content_type),
    ];
    for (name, value) in attributes {
        if !value.is_empty() {
            object.insert(name.to_owned(), Value::String(value));
        }
    }
    if !request.data.is_empty() {
        object.insert("data".to_owned(), serde_json::from_slice(&request.data).map_err(|_| Invalid::NotJson)?);
    }
    CloudEvent::from_object(object)
}

fn json(attribute: Attribute) -> Value {
    match attribute.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(value),
        Some(Kind::StringValue(value)) => Value::String(value),
        Some(Kind::NumberValue(value)) => number(value),
        Some(Kind::ListValue(list)) => Value::Array(list.values.into_iter().map(json).collect()),
        Some(Kind::StructValue(fields)) => {
            Value::Object(fields.fields.into_iter().map(|(name, value)| (name, json(value))).collect())
        }
    }
}

/// A whole number is written without a fraction, as it was before it went through a float.
fn number(value: f64) -> Value {
    let text = value.to_string();
    text.parse::<i64>().map_or_else(|_| Number::from_f64(value).map_or(Value::Null, Value::Number), Value::from)
}

#[cfg(test)]
mod tests {
    use prost_types::Struct;
    use serde_json::json;

    use super::*;

    fn text(value: &str) -> Attribute {
        Attribute { kind: Some(Kind::StringValue(value.to_owned())) }
    }

    fn request(extensions: Vec<(&str, Attribute)>) -> TopicEventRequest {
        let mut fields: std::collections::BTreeMap<_, _> =
            extensions.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        fields.insert("time".to_owned(), text("2026-03-29T01:30:00.123456Z"));
        TopicEventRequest {
            id: "1".into(),
            source: "/backend/tasks".into(),
            r#type: "com.todo.task.created".into(),
            spec_version: "1.0".into(),
            data_content_type: "application/json".into(),
            data: br#"{"revision":7}"#.to_vec(),
            topic: "tasks".into(),
            pubsub_name: "pubsub".into(),
            path: String::new(),
            extensions: Some(Struct { fields }),
        }
    }

    #[test]
    fn an_event_has_what_was_published_and_nothing_of_daprds() {
        let event = read(request(vec![
            ("subject", text("task-1")),
            ("partitionkey", text("user-1")),
            ("sequence", Attribute { kind: Some(Kind::NumberValue(12.0)) }),
            ("sampled", Attribute { kind: Some(Kind::BoolValue(true)) }),
            ("topic", text("tasks")),
            ("pubsubname", text("pubsub")),
            ("traceid", text("")),
            ("traceparent", text("")),
            ("tracestate", text("")),
        ]))
        .unwrap();
        assert_eq!((event.id.as_str(), event.type_.as_str()), ("1", "com.todo.task.created"));
        assert_eq!(event.subject.as_deref(), Some("task-1"));
        assert_eq!(event.time.timestamp_micros(), 1_774_747_800_123_456);
        assert_eq!(event.data, json!({"revision": 7}));
        let expected = [("partitionkey", "user-1"), ("sampled", "true"), ("sequence", "12")];
        assert_eq!(event.extensions, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn a_dead_letter_keeps_its_original_topic() {
        let event = read(request(vec![("topic", text("notifications"))])).unwrap();
        assert_eq!(event.extensions[TOPIC], "notifications");
    }

    #[test]
    fn what_is_not_an_event_is_named() {
        let with = |change: fn(&mut TopicEventRequest)| {
            let mut request = request(vec![]);
            change(&mut request);
            read(request).unwrap_err()
        };
        assert_eq!(with(|request| request.id.clear()), Invalid::Missing("id"));
        assert_eq!(with(|request| request.extensions = None), Invalid::Missing("time"));
        assert_eq!(with(|request| request.data_content_type = "text/plain".into()), Invalid::NotJson);
        assert_eq!(with(|request| request.data = b"{".to_vec()), Invalid::NotJson);
    }
}
