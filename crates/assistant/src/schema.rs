//! JSON Schemas plain enough for strict clients: written out, without references, alternatives or formats; an absent
//! value is a `null` among the types.

use std::{fmt::Write as _, sync::LazyLock};

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};
use todo_proto::{comments::Comments, json};

static COMMENTS: LazyLock<Comments<'static>> = LazyLock::new(|| Comments::new(json::pool()));

/// Arguments: what a client may say of a message but for some fields, and nothing else. In those of a patch nothing is
/// required, and `null` clears.
pub(crate) fn input(message: &MessageDescriptor, without: &[&str], patch: bool) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in message.fields() {
        let behavior = json::behavior(&field);
        if behavior.output_only || without.contains(&field.name()) {
            continue;
        }
        let mut schema = of(&field, |message| input(message, &["id"], false));
        schema["description"] = description(&field).into();
        if behavior.required && !patch {
            required.push(field.name().to_owned());
        }
        properties.insert(field.name().to_owned(), if patch { or_null(schema) } else { schema });
    }
    closed(&properties, &required)
}

/// A result: every field is there. What it means, the arguments say.
pub(crate) fn output(message: &MessageDescriptor) -> Value {
    let mut properties = Map::new();
    for field in message.fields() {
        let schema = of(&field, output);
        let absent = !field.is_list() && (field.supports_presence() || matches!(field.kind(), Kind::Enum(_)));
        properties.insert(field.name().to_owned(), if absent { or_null(schema) } else { schema });
    }
    // A server of the next version may say more.
    let required: Vec<_> = properties.keys().cloned().collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// The field's comment, those of the values that it takes, and how a time is written.
fn description(field: &FieldDescriptor) -> String {
    let mut description = COMMENTS.of(&field.parent_file(), field.path());
    match field.kind() {
        Kind::Enum(values) => {
            for value in values.values() {
                let comment = COMMENTS.of(&values.parent_file(), value.path());
                if let Some(name) = json::name_of(&value).filter(|_| !comment.is_empty()) {
                    let _ = write!(description, " {name}: {comment}");
                }
            }
        }
        Kind::Message(message) if is_time(&message) => {
            description.push_str(TIME);
            description.push_str(if field.full_name() == "todo.v1.Task.due_date" { DAY } else { "" });
        }
        _ => {}
    }
    description
}

fn of(field: &FieldDescriptor, nested: impl Fn(&MessageDescriptor) -> Value) -> Value {
    let one = match field.kind() {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::String => json!({ "type": "string" }),
        Kind::Int32 | Kind::Int64 => json!({ "type": "integer" }),
        Kind::Enum(values) => json!({ "type": "string", "enum": json::names_of(&values) }),
        Kind::Message(message) if is_time(&message) => json!({ "type": "string" }),
        Kind::Message(message) => nested(&message),
        kind => panic!("a tool has no schema for {kind:?}"),
    };
    if field.is_list() { json!({ "type": "array", "items": one }) } else { one }
}

fn is_time(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.protobuf.Timestamp"
}

const TIME: &str = " RFC 3339, such as 2026-12-24T09:00:00Z; without an offset it is in the user's time zone.";
const DAY: &str = " A date alone, such as 2026-12-24, means the whole day (due_all_day).";

/// An object of these properties and no others.
pub(crate) fn closed(properties: &Map<String, Value>, required: &[String]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// The same, or null.
pub(crate) fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema["type"].as_str() {
        schema["type"] = json!([kind, "null"]);
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    schema
}
