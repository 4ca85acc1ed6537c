//! JSON schemas of messages. One message has up to three: as an answer, where every field is present; as input, where
//! unknown fields are refused; and as a patch, where nothing is required.

use std::collections::{BTreeMap, btree_map::Entry};

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};
use todo_proto::{comments::Comments, json};

/// The schemas that were asked for, by name.
#[derive(Default)]
pub(super) struct Schemas {
    wanted: BTreeMap<String, Wanted>,
}

struct Wanted {
    message: MessageDescriptor,
    side: Side,
    /// Fields that come from elsewhere.
    without: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Answer,
    Input,
    Patch,
}

impl Schemas {
    /// As part of an answer.
    pub(super) fn answer(&mut self, message: &MessageDescriptor) -> Value {
        self.want(message, Side::Answer, message.name().to_owned(), &[])
    }

    /// As a whole request.
    pub(super) fn request(&mut self, message: &MessageDescriptor, without: &[&str]) -> Value {
        self.want(message, Side::Input, message.name().to_owned(), without)
    }

    /// As part of a request.
    pub(super) fn input(&mut self, message: &MessageDescriptor) -> Value {
        self.want(message, Side::Input, format!("{}Input", message.name()), &[])
    }

    /// As the new values of an update.
    pub(super) fn patch(&mut self, message: &MessageDescriptor, without: &[&str]) -> Value {
        self.want(message, Side::Patch, format!("{}Patch", message.name()), without)
    }

    fn want(&mut self, message: &MessageDescriptor, side: Side, name: String, without: &[&str]) -> Value {
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        if let Entry::Vacant(entry) = self.wanted.entry(name) {
            let without = without.iter().map(|&name| name.to_owned()).collect();
            entry.insert(Wanted { message: message.clone(), side, without });
            for field in message.fields() {
                if let Some(message) = nested(&field) {
                    if side == Side::Answer || json::behavior(&field).output_only {
                        self.answer(&message);
                    } else {
                        self.input(&message);
                    }
                }
            }
        }
        reference
    }

    /// All of them, written out.
    pub(super) fn finish(&self, comments: &Comments<'_>) -> Map<String, Value> {
        self.wanted.iter().map(|(name, wanted)| (name.clone(), wanted.write(comments))).collect()
    }
}

impl Wanted {
    fn write(&self, comments: &Comments<'_>) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in self.message.fields() {
            let choice = field.containing_oneof().filter(|choice| !choice.is_synthetic());
            let behavior = json::behavior(&field);
            let name = field.name().to_owned();
            let must = match self.side {
                Side::Answer => choice.is_none(),
                Side::Input => behavior.required && !self.without.contains(&name),
                Side::Patch => false,
            };
            // What the path says may be repeated in the body, as long as it is the same.
            let ours = behavior.output_only || self.without.contains(&name);
            let nullable = choice.is_none()
                && match self.side {
                    Side::Answer => !field.is_list() && !field.is_map() && (absent(&field) && !behavior.required),
                    Side::Input => !must,
                    Side::Patch => true,
                };
            let mut schema = self.field(&field, ours);
            if nullable {
                schema = or_null(schema);
            }
            if ours && self.side != Side::Answer || behavior.output_only {
                schema["readOnly"] = json!(true);
            }
            let comment = comments.of(&field.parent_file(), field.path());
            if !comment.is_empty() {
                schema["description"] = json!(comment);
            }
            if must {
                required.push(name.clone());
            }
            properties.insert(name, schema);
        }
        let mut schema = json!({
            "type": "object",
            "description": comments.of(&self.message.parent_file(), self.message.path()),
            "properties": properties,
        });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if self.side != Side::Answer {
            schema["additionalProperties"] = json!(false);
        }
        schema
    }

    fn field(&self, field: &FieldDescriptor, ours: bool) -> Value {
        let one = |kind: &Kind| match kind {
            Kind::Message(message) if known(message).is_none() => {
                let suffix = if self.side == Side::Answer || ours { "" } else { "Input" };
                json!({ "$ref": format!("#/components/schemas/{}{suffix}", message.name()) })
            }
            kind => scalar(kind),
        };
        if field.is_map() {
            let kind = field.kind();
            let value = kind.as_message().map(|entry| entry.map_entry_value_field().kind());
            return json!({ "type": "object", "additionalProperties": value.as_ref().map(one) });
        }
        if field.is_list() {
            return json!({ "type": "array", "items": one(&field.kind()) });
        }
        one(&field.kind())
    }
}

/// The message that a field holds, if it has a schema of its own.
fn nested(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    let kind = field.kind();
    let message = kind.as_message()?;
    if field.is_map() {
        return nested(&message.map_entry_value_field());
    }
    known(message).is_none().then(|| message.clone())
}

/// Whether a field of an answer can be null.
fn absent(field: &FieldDescriptor) -> bool {
    field.supports_presence() || matches!(field.kind(), Kind::Enum(_))
}

fn or_null(mut schema: Value) -> Value {
    if schema.get("$ref").is_some() {
        return json!({ "anyOf": [schema, { "type": "null" }] });
    }
    if let Some(kind) = schema.get("type").and_then(Value::as_str) {
        schema["type"] = json!([kind, "null"]);
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    schema
}

/// The schema of one value that is no message of ours.
pub(super) fn scalar(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            json!({ "type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX })
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({ "type": "integer", "format": "int64" }),
        Kind::Uint32 | Kind::Fixed32 => {
            json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": u32::MAX })
        }
        Kind::Uint64 | Kind::Fixed64 => json!({ "type": "integer", "minimum": 0 }),
        Kind::Float => json!({ "type": "number", "format": "float" }),
        Kind::Double => json!({ "type": "number", "format": "double" }),
        Kind::String => json!({ "type": "string" }),
        Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        Kind::Enum(descriptor) => json!({ "type": "string", "enum": json::names_of(descriptor) }),
        Kind::Message(message) => known(message).unwrap_or_else(|| json!({ "type": "object" })),
    }
}

/// The schema of what JSON prints in its own way.
fn known(message: &MessageDescriptor) -> Option<Value> {
    Some(match message.full_name() {
        "google.protobuf.Timestamp" => json!({ "type": "string", "format": "date-time" }),
        "google.protobuf.FieldMask" => json!({ "type": "string" }),
        "google.protobuf.Value" => json!({}),
        "google.protobuf.Struct" | "google.protobuf.Empty" => json!({ "type": "object" }),
        "google.protobuf.ListValue" => json!({ "type": "array" }),
        _ => return None,
    })
}
