//! The one JSON mapping of REST bodies and event payloads, walked over the descriptors.
//!
//! It differs from the standard protobuf mapping where contract.md asks for it: names are `snake_case`, enum values
//! are short and in lower case (`RECURRENCE_TYPE_DAILY` is `"daily"`, an unspecified one `null`), 64-bit integers are
//! numbers, every field is present and what is absent is `null`, and a request's violations are reported all at once.
//! Fields come in the order of their numbers; of a `oneof` only the member that is set is printed.
//!
//! Everything here is pure: the time zone of a time without an offset is an argument ([`Options::zone`]).

mod print;
mod read;
mod shape;
#[cfg(test)]
mod tests;
mod time;

use std::sync::LazyLock;

use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, EnumValueDescriptor, FieldDescriptor, MessageDescriptor,
    ReflectMessage as _,
};
use prost_types::FieldMask;
use serde_json::Value;

pub use print::Malformed;
pub use read::{Options, Reading, Refused, Violation};
pub use shape::Behavior;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(crate::DESCRIPTORS).expect("the build wrote descriptors that it had compiled itself")
});

/// The descriptors of the contract and all it imports.
#[must_use]
pub fn pool() -> &'static DescriptorPool {
    &POOL
}

/// The descriptor of a generated message.
///
/// # Panics
/// If `M` is no message of the contract, which is a mistake of the caller's code.
#[must_use]
pub fn descriptor<M: prost::Name>() -> MessageDescriptor {
    let name = M::full_name();
    pool().get_message_by_name(&name).unwrap_or_else(|| panic!("{name} is no message of the contract"))
}

/// Appends the JSON text of an encoded message of [`pool`], fields in the order of their numbers.
///
/// # Errors
/// If `wire` is no such message; what was appended until then stays.
///
/// # Panics
/// If the descriptor is of another pool.
pub fn transcode(descriptor: &MessageDescriptor, wire: &[u8], text: &mut Vec<u8>) -> Result<(), Malformed> {
    print::message(shape::of(descriptor), wire, text)
}

/// A text field of an encoded message; nothing where it is not set.
///
/// # Panics
/// If the descriptor is of another pool.
#[must_use]
pub fn text_field<'a>(descriptor: &MessageDescriptor, wire: &'a [u8], name: &str) -> Option<&'a str> {
    print::text_field(shape::of(descriptor).field(name)?, wire)
}

/// An integer field of an encoded message; nothing where it is not set.
///
/// # Panics
/// If the descriptor is of another pool.
#[must_use]
pub fn int_field(descriptor: &MessageDescriptor, wire: &[u8], name: &str) -> Option<i64> {
    print::int_field(shape::of(descriptor).field(name)?, wire)
}

/// The JSON of a message whose descriptor is of [`pool`]. The object's keys are sorted unless `serde_json` keeps their
/// order.
///
/// # Panics
/// If the descriptor is of another pool.
#[must_use]
pub fn to_json(message: &DynamicMessage) -> Value {
    parse(&text(&message.descriptor(), message))
}

/// The JSON of a generated message. The object's keys are sorted unless `serde_json` keeps their order.
///
/// # Panics
/// As [`descriptor`].
#[must_use]
pub fn of<M: prost::Message + prost::Name>(message: &M) -> Value {
    parse(&text_of(message))
}

/// The JSON text of a generated message, fields in the order of their numbers.
///
/// # Panics
/// As [`descriptor`].
#[must_use]
pub fn text_of<M: prost::Message + prost::Name>(message: &M) -> Vec<u8> {
    text(&descriptor::<M>(), message)
}

fn text(descriptor: &MessageDescriptor, message: &impl prost::Message) -> Vec<u8> {
    let wire = message.encode_to_vec();
    let mut text = Vec::with_capacity(wire.len() * 3 + 64);
    transcode(descriptor, &wire, &mut text).expect("it was encoded here");
    text
}

fn parse(text: &[u8]) -> Value {
    serde_json::from_slice(text).expect("it was printed here")
}

/// A generated message as a dynamic one.
///
/// # Panics
/// As [`descriptor`].
#[must_use]
pub fn dynamic<M: prost::Message + prost::Name>(message: &M) -> DynamicMessage {
    DynamicMessage::decode(descriptor::<M>(), message.encode_to_vec().as_slice())
        .expect("the generated code and the descriptors come from the same files")
}

/// Any JSON as the message that stands for it, as in `FieldChange`. Numbers become doubles.
#[must_use]
pub fn value(json: &Value) -> prost_types::Value {
    read::value(json)
}

/// An object as the message that stands for it. Numbers become doubles.
#[must_use]
pub fn structure(fields: &serde_json::Map<String, Value>) -> prost_types::Struct {
    prost_types::Struct { fields: fields.iter().map(|(name, it)| (name.clone(), value(it))).collect() }
}

/// Reads JSON into a message of `descriptor`, which must be of [`pool`].
///
/// # Errors
/// Every violation at once, or that a time zone is needed.
pub fn from_json(
    descriptor: &MessageDescriptor,
    json: &Value,
    options: &Options<'_>,
) -> Result<DynamicMessage, Refused> {
    match readable(descriptor, json, options) {
        Reading { violations, .. } if !violations.is_empty() => Err(Refused::Invalid(violations)),
        Reading { needs_zone: true, .. } => Err(Refused::NeedsZone),
        Reading { message, .. } => Ok(message),
    }
}

/// Reads what can be read of JSON, as [`from_json`] does, and says what could not.
#[must_use]
pub fn readable(descriptor: &MessageDescriptor, json: &Value, options: &Options<'_>) -> Reading {
    read::message(descriptor, json, options)
}

/// Reads an event's payload: fields this version does not know are passed over, output-only ones are read.
///
/// # Errors
/// Every violation at once.
pub fn read<M: prost::Message + prost::Name + Default>(json: &Value) -> Result<M, Vec<Violation>> {
    match from_json(&descriptor::<M>(), json, &Options::event()) {
        Ok(message) => M::decode(message_bytes(&message).as_slice())
            .map_err(|error| vec![Violation { field: String::new(), message: error.to_string() }]),
        Err(Refused::Invalid(violations)) => Err(violations),
        Err(Refused::NeedsZone) => {
            Err(vec![Violation { field: String::new(), message: "a time has no offset from UTC".to_owned() }])
        }
    }
}

fn message_bytes(message: &DynamicMessage) -> Vec<u8> {
    prost::Message::encode_to_vec(message)
}

/// The update mask that a body stands for: its top-level keys (null clears), without what is output only or unknown.
#[must_use]
pub fn mask_of(json: &Value, descriptor: &MessageDescriptor) -> FieldMask {
    let shape = shape::of(descriptor);
    let keys = json.as_object().into_iter().flat_map(serde_json::Map::keys);
    let known = keys.filter(|key| shape.field(key).is_some_and(|field| !field.behavior.output_only));
    FieldMask { paths: known.cloned().collect() }
}

/// What `google.api.field_behavior` says of a field.
#[must_use]
pub fn behavior(field: &FieldDescriptor) -> Behavior {
    shape::behavior(field)
}

/// The JSON name of an enum value; nothing for the unspecified one, which is `null`.
#[must_use]
pub fn name_of(value: &EnumValueDescriptor) -> Option<String> {
    shape::short(value)
}

/// The JSON names that an enum takes.
#[must_use]
pub fn names_of(descriptor: &EnumDescriptor) -> Vec<String> {
    descriptor.values().filter_map(|value| shape::short(&value)).collect()
}
