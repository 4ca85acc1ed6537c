//! Messages to JSON, without a tree between: a `Serialize` that walks the message.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost_reflect::{DynamicMessage, MapKey, ReflectMessage, Value};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap as _, SerializeSeq as _},
};

use super::{
    shape::{self, Count, Field, Form, Holds, Shape},
    time,
};

/// A message, to be serialised.
pub(super) struct Printed<'a> {
    message: &'a DynamicMessage,
    shape: &'static Shape,
}

impl<'a> Printed<'a> {
    pub(super) fn new(message: &'a DynamicMessage) -> Self {
        Self { message, shape: shape::of(&ReflectMessage::descriptor(message)) }
    }

    fn object<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for field in &self.shape.fields {
            if self.message.has_field(&field.descriptor) {
                let value = self.message.get_field(&field.descriptor);
                object.serialize_entry(&field.name, &Member { field, value: &value })?;
            } else if field.choice.is_none() {
                object.serialize_entry(&field.name, &Unset(field))?;
            }
        }
        object.end()
    }

    fn number(&self, field: usize) -> i64 {
        match *self.message.get_field(&self.shape.fields[field].descriptor) {
            Value::I64(n) => n,
            Value::I32(n) => i64::from(n),
            _ => 0,
        }
    }

    /// `google.protobuf.Value`: at most one of its fields is set.
    fn any<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.shape.fields.iter().find(|field| self.message.has_field(&field.descriptor)) {
            Some(field) => Member { field, value: &self.message.get_field(&field.descriptor) }.serialize(serializer),
            None => serializer.serialize_none(),
        }
    }
}

impl Serialize for Printed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.shape.form {
            Form::Object => self.object(serializer),
            Form::Timestamp => match time::print(self.number(0), self.number(1)) {
                Some(text) => serializer.serialize_str(text.as_str()),
                None => serializer.serialize_none(),
            },
            Form::Mask => match self.message.get_field_by_number(1).as_deref() {
                Some(Value::List(paths)) => {
                    let paths: Vec<_> = paths.iter().filter_map(Value::as_str).collect();
                    serializer.serialize_str(&paths.join(","))
                }
                _ => serializer.serialize_str(""),
            },
            Form::Value => self.any(serializer),
            // Their one field is what they stand for.
            Form::Struct | Form::List => {
                let field = &self.shape.fields[0];
                Member { field, value: &self.message.get_field(&field.descriptor) }.serialize(serializer)
            }
        }
    }
}

/// A field that is not set.
struct Unset<'a>(&'a Field);

impl Serialize for Unset<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0.count, &self.0.holds) {
            (Count::List, _) => serializer.serialize_seq(Some(0))?.end(),
            (Count::Map, _) => serializer.serialize_map(Some(0))?.end(),
            (Count::One, _) if self.0.presence => serializer.serialize_none(),
            (Count::One, Holds::Bool) => serializer.serialize_bool(false),
            (Count::One, Holds::String | Holds::Bytes) => serializer.serialize_str(""),
            (Count::One, Holds::Enum(_) | Holds::Message(_)) => serializer.serialize_none(),
            (Count::One, _) => serializer.serialize_i32(0),
        }
    }
}

/// A field that is set, or one of its values.
struct Member<'a> {
    field: &'a Field,
    value: &'a Value,
}

impl Serialize for Member<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let field = self.field;
        match self.value {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::I32(value) => serializer.serialize_i32(*value),
            Value::I64(value) => serializer.serialize_i64(*value),
            Value::U32(value) => serializer.serialize_u32(*value),
            Value::U64(value) => serializer.serialize_u64(*value),
            Value::F32(value) => double(f64::from(*value), serializer),
            Value::F64(value) => double(*value, serializer),
            Value::String(value) => serializer.serialize_str(value),
            Value::Bytes(value) => serializer.serialize_str(&STANDARD.encode(value)),
            Value::EnumNumber(0) => serializer.serialize_none(),
            Value::EnumNumber(number) => match &field.holds {
                Holds::Enum(names) => match names.name(*number) {
                    Some(name) => serializer.serialize_str(name),
                    // From a newer version: a number is honest, null would hide it.
                    None => serializer.serialize_i32(*number),
                },
                _ => serializer.serialize_none(),
            },
            Value::Message(message) => match &field.holds {
                Holds::Message(reference) => Printed { message, shape: reference.shape() }.serialize(serializer),
                _ => serializer.serialize_none(),
            },
            Value::List(values) => serializer.collect_seq(values.iter().map(|value| Member { field, value })),
            Value::Map(values) => map(field, values, serializer),
        }
    }
}

/// Maps come sorted by key, so that equal messages have equal text.
fn map<S: Serializer>(field: &Field, values: &HashMap<MapKey, Value>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut entries: Vec<_> = values.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    let mut object = serializer.serialize_map(Some(entries.len()))?;
    for (key, value) in entries {
        let value = Member { field, value };
        match key {
            MapKey::String(key) => object.serialize_entry(key, &value)?,
            MapKey::Bool(key) => object.serialize_entry(key, &value)?,
            MapKey::I32(key) => object.serialize_entry(key, &value)?,
            MapKey::I64(key) => object.serialize_entry(key, &value)?,
            MapKey::U32(key) => object.serialize_entry(key, &value)?,
            MapKey::U64(key) => object.serialize_entry(key, &value)?,
        }
    }
    object.end()
}

/// A whole double prints as an integer: `Value` has no other numbers, and a revision of `5.0` would surprise.
fn double<S: Serializer>(value: f64, serializer: S) -> Result<S::Ok, S::Error> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        return serializer.serialize_i64(value as i64);
    }
    serializer.serialize_f64(value)
}
