//! JSON to messages: everything wrong with it is said at once.

use std::{collections::HashMap, fmt, ops::RangeInclusive};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, NaiveDateTime, Utc};
use prost_reflect::{DynamicMessage, MapKey, MessageDescriptor, Value};
use prost_types::value::Kind;
use serde_json::Value as Json;

use super::{
    shape::{self, Count, Field, Form, Holds, Names, Shape},
    time::{self, Written},
};

/// How JSON is read.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// What instant a local time means in the caller's zone, odd ones at a change of clocks included. Without it, a
    /// time without an offset is [`Refused::NeedsZone`].
    pub zone: Option<&'a dyn Fn(NaiveDateTime) -> DateTime<Utc>>,
    /// Reads what only we write: output-only fields count, unknown fields are passed over (from a newer version).
    /// Otherwise output-only fields are ignored (AIP-203) and unknown ones refused.
    pub ours: bool,
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("zone", &self.zone.is_some()).field("ours", &self.ours).finish()
    }
}

impl<'a> Options<'a> {
    /// For requests of clients, in a zone where it is known.
    #[must_use]
    pub fn request(zone: Option<&'a dyn Fn(NaiveDateTime) -> DateTime<Utc>>) -> Self {
        Self { zone, ours: false }
    }

    /// For payloads of events.
    #[must_use]
    pub fn event() -> Self {
        Self { zone: None, ours: true }
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where: `reminders[2].trigger_at`; empty for the whole.
    pub field: String,
    /// What it takes.
    pub message: String,
}

/// Why JSON was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// All that is wrong with it.
    Invalid(Vec<Violation>),
    /// Nothing so far, but a time has no offset from UTC and [`Options::zone`] is not given.
    NeedsZone,
}

/// JSON as far as it could be read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The message, without what is wrong.
    pub message: DynamicMessage,
    /// All that is wrong.
    pub violations: Vec<Violation>,
    /// A time has no offset from UTC and [`Options::zone`] is not given; it is left out too.
    pub needs_zone: bool,
}

pub(super) fn message(descriptor: &MessageDescriptor, json: &Json, options: &Options<'_>) -> Reading {
    let mut reader = Reader { options, path: String::new(), violations: Vec::new(), needs_zone: false };
    let message = reader.message(descriptor, shape::of(descriptor), json);
    let message = message.unwrap_or_else(|| DynamicMessage::new(descriptor.clone()));
    Reading { message, violations: reader.violations, needs_zone: reader.needs_zone }
}

struct Reader<'a> {
    options: &'a Options<'a>,
    path: String,
    violations: Vec<Violation>,
    needs_zone: bool,
}

/// `None` everywhere below: a violation or the need of a zone was noted, and reading goes on beside it. An object in
/// which something is wrong is there without it.
impl Reader<'_> {
    fn wrong<T>(&mut self, message: impl Into<String>) -> Option<T> {
        self.violations.push(Violation { field: self.path.clone(), message: message.into() });
        None
    }

    fn at<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let len = self.path.len();
        if len > 0 && !step.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(step);
        let result = read(self);
        self.path.truncate(len);
        result
    }

    fn message(&mut self, descriptor: &MessageDescriptor, shape: &Shape, json: &Json) -> Option<DynamicMessage> {
        match shape.form {
            Form::Object => self.object(descriptor, shape, json),
            Form::Timestamp => self.timestamp(descriptor, json),
            Form::Mask => match json {
                Json::String(paths) => {
                    let paths = paths.split(',').map(str::trim).filter(|path| !path.is_empty());
                    let paths = paths.map(|path| Value::String(path.to_owned())).collect();
                    Some(with(descriptor, [(1, Value::List(paths))]))
                }
                _ => self.wrong("must be a string of field names with commas between"),
            },
            Form::Value => Some(any(descriptor, json)),
            Form::Struct => match json {
                Json::Object(_) => Some(any_object(descriptor, json)),
                _ => self.wrong("must be an object"),
            },
            Form::List => match json {
                Json::Array(_) => Some(any_list(descriptor, json)),
                _ => self.wrong("must be an array"),
            },
        }
    }

    fn object(&mut self, descriptor: &MessageDescriptor, shape: &Shape, json: &Json) -> Option<DynamicMessage> {
        let Json::Object(members) = json else {
            return self.wrong("must be an object");
        };
        let mut message = DynamicMessage::new(descriptor.clone());
        let mut chosen: HashMap<&str, &str> = HashMap::new();
        for (name, json) in members {
            let Some(field) = shape.field(name) else {
                if !self.options.ours {
                    self.at(name, |reader| reader.wrong::<()>("unknown field"));
                }
                continue;
            };
            if field.behavior.output_only && !self.options.ours || is_absent(field, json) {
                continue;
            }
            if let Some(choice) = &field.choice
                && let Some(other) = chosen.insert(choice, &field.name)
            {
                self.at(name, |reader| reader.wrong::<()>(format!("excludes {other}")));
                continue;
            }
            if let Some(value) = self.at(name, |reader| reader.field(field, json)) {
                message.set_field(&field.descriptor, value);
            }
        }
        Some(message)
    }

    fn field(&mut self, field: &Field, json: &Json) -> Option<Value> {
        match field.count {
            Count::One => self.single(&field.holds, json),
            Count::List => {
                let Json::Array(items) = json else {
                    return self.wrong("must be an array");
                };
                let items: Vec<_> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.at(&format!("[{index}]"), |reader| reader.single(&field.holds, item)))
                    .collect();
                items.into_iter().collect::<Option<_>>().map(Value::List)
            }
            Count::Map => {
                let Json::Object(members) = json else {
                    return self.wrong("must be an object");
                };
                let entries: Vec<_> = members
                    .iter()
                    .map(|(key, json)| {
                        let value = self.at(key, |reader| reader.single(&field.holds, json))?;
                        Some((MapKey::String(key.clone()), value))
                    })
                    .collect();
                entries.into_iter().collect::<Option<_>>().map(Value::Map)
            }
        }
    }

    fn single(&mut self, holds: &Holds, json: &Json) -> Option<Value> {
        match holds {
            Holds::Bool => match json {
                Json::Bool(value) => Some(Value::Bool(*value)),
                _ => self.wrong("must be true or false"),
            },
            Holds::I32 => self.integer(json, i32::MIN..=i32::MAX).map(Value::I32),
            Holds::I64 => self.integer(json, i64::MIN..=i64::MAX).map(Value::I64),
            Holds::U32 => self.integer(json, u32::MIN..=u32::MAX).map(Value::U32),
            Holds::U64 => self.integer(json, u64::MIN..=u64::MAX).map(Value::U64),
            Holds::F32 => match json.as_f64() {
                #[expect(clippy::cast_possible_truncation, reason = "a float keeps what it can of a double")]
                Some(value) if (value as f32).is_finite() => Some(Value::F32(value as f32)),
                _ => self.wrong("must be a number"),
            },
            Holds::F64 => match json.as_f64() {
                Some(value) => Some(Value::F64(value)),
                None => self.wrong("must be a number"),
            },
            Holds::String => match json {
                Json::String(value) => Some(Value::String(value.clone())),
                _ => self.wrong("must be a string"),
            },
            Holds::Bytes => match json.as_str().and_then(|text| STANDARD.decode(text).ok()) {
                Some(bytes) => Some(Value::Bytes(bytes.into())),
                None => self.wrong("must be a string of base64"),
            },
            Holds::Enum(names) => self.choice(names, json),
            Holds::Message(other) => self.message(&other.descriptor, other.shape(), json).map(Value::Message),
        }
    }

    fn choice(&mut self, names: &Names, json: &Json) -> Option<Value> {
        match json.as_str().and_then(|name| names.number(name)) {
            Some(number) => Some(Value::EnumNumber(number)),
            None => self.wrong(format!("must be one of {}", names.list())),
        }
    }

    /// A whole number however it is written: JSON has one kind of number, and to JSON Schema 5.0 is an integer.
    fn integer<N: TryFrom<i128> + fmt::Display>(&mut self, json: &Json, range: RangeInclusive<N>) -> Option<N> {
        let whole = match json {
            Json::Number(number) => number.as_i128().or_else(|| {
                let double = number.as_f64().filter(|double| double.fract() == 0.0)?;
                #[expect(clippy::cast_possible_truncation, reason = "saturates, and the range is checked next")]
                Some(double as i128)
            }),
            _ => None,
        };
        let Some(whole) = whole else {
            return self.wrong("must be a whole number");
        };
        match N::try_from(whole) {
            Ok(number) => Some(number),
            Err(_) => self.wrong(format!("must be a whole number from {} to {}", range.start(), range.end())),
        }
    }

    fn timestamp(&mut self, descriptor: &MessageDescriptor, json: &Json) -> Option<DynamicMessage> {
        let instant = match json.as_str().and_then(time::parse) {
            Some(Written::Instant(instant)) => instant,
            Some(Written::Local(local)) => {
                let Some(zone) = self.options.zone else {
                    self.needs_zone = true;
                    return None;
                };
                zone(local)
            }
            None => {
                return self.wrong(
                    "must be a time as in RFC 3339, such as 2026-11-21T09:00:00Z, 2026-11-21T09:00:00+01:00, or \
                     2026-11-21T09:00 in your time zone",
                );
            }
        };
        match time::parts(instant) {
            Some((seconds, nanos)) => Some(with(descriptor, [(1, Value::I64(seconds)), (2, Value::I32(nanos))])),
            None => self.wrong("must be in the years 1 to 9999"),
        }
    }
}

/// Null is absent, except where null is a value.
fn is_absent(field: &Field, json: &Json) -> bool {
    json.is_null()
        && match &field.holds {
            Holds::Message(other) => field.count != Count::One || other.shape().form != Form::Value,
            _ => true,
        }
}

fn with<const N: usize>(descriptor: &MessageDescriptor, fields: [(u32, Value); N]) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for (number, value) in fields {
        message.set_field_by_number(number, value);
    }
    message
}

/// The message of a field of `google.protobuf.Value`, `Struct` or `ListValue`; a map's is that of its values.
fn inner(descriptor: &MessageDescriptor, number: u32) -> MessageDescriptor {
    let kind = descriptor.get_field(number).map(|field| field.kind());
    let message = kind.as_ref().and_then(|kind| kind.as_message()).expect("struct.proto is what it always was");
    if message.is_map_entry() { inner(message, 2) } else { message.clone() }
}

/// `google.protobuf.Value`.
fn any(descriptor: &MessageDescriptor, json: &Json) -> DynamicMessage {
    let (number, value) = match json {
        Json::Null => (1, Value::EnumNumber(0)),
        Json::Number(number) => (2, Value::F64(number.as_f64().unwrap_or_default())),
        Json::String(text) => (3, Value::String(text.clone())),
        Json::Bool(value) => (4, Value::Bool(*value)),
        Json::Object(_) => (5, Value::Message(any_object(&inner(descriptor, 5), json))),
        Json::Array(_) => (6, Value::Message(any_list(&inner(descriptor, 6), json))),
    };
    with(descriptor, [(number, value)])
}

fn any_object(descriptor: &MessageDescriptor, json: &Json) -> DynamicMessage {
    let value = inner(descriptor, 1);
    let members = json.as_object().into_iter().flatten();
    let entries = members.map(|(key, json)| (MapKey::String(key.clone()), Value::Message(any(&value, json))));
    with(descriptor, [(1, Value::Map(entries.collect()))])
}

fn any_list(descriptor: &MessageDescriptor, json: &Json) -> DynamicMessage {
    let value = inner(descriptor, 1);
    let items = json.as_array().into_iter().flatten();
    with(descriptor, [(1, Value::List(items.map(|json| Value::Message(any(&value, json))).collect()))])
}

pub(super) fn value(json: &Json) -> prost_types::Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(*value),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Json::String(text) => Kind::StringValue(text.clone()),
        Json::Array(items) => Kind::ListValue(prost_types::ListValue { values: items.iter().map(value).collect() }),
        Json::Object(members) => Kind::StructValue(prost_types::Struct {
            fields: members.iter().map(|(key, json)| (key.clone(), value(json))).collect(),
        }),
    };
    prost_types::Value { kind: Some(kind) }
}
