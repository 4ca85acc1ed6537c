//! What the mapping needs to know of each message, computed once: reading options and names from descriptors for
//! every field of every message would cost more than the mapping itself.

use std::{
    collections::HashMap,
    sync::{LazyLock, OnceLock},
};

use prost::encoding::WireType;
use prost_reflect::{
    Cardinality, EnumDescriptor, EnumValueDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};

/// A message.
pub(super) struct Shape {
    pub(super) form: Form,
    /// In the order of their numbers.
    pub(super) fields: Vec<Field>,
    by_name: HashMap<String, usize>,
}

/// How a message is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An object of its fields.
    Object,
    /// `google.protobuf.Timestamp`: RFC 3339.
    Timestamp,
    /// `google.protobuf.FieldMask`: its paths, with commas between.
    Mask,
    /// `google.protobuf.Value`: itself.
    Value,
    /// `google.protobuf.Struct`: an object.
    Struct,
    /// `google.protobuf.ListValue`: an array.
    List,
}

/// A field of a message.
pub(super) struct Field {
    pub(super) descriptor: FieldDescriptor,
    pub(super) name: String,
    pub(super) number: u32,
    /// The name as it begins a member of a JSON object.
    pub(super) key: String,
    /// What is printed where it is not set.
    pub(super) unset: &'static str,
    pub(super) count: Count,
    pub(super) holds: Holds,
    pub(super) behavior: Behavior,
    /// The `oneof` it is a member of.
    pub(super) choice: Option<String>,
}

/// How many values a field holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    One,
    List,
    Map,
}

/// What a field holds; of a map, its values.
pub(super) enum Holds {
    Bool,
    I32,
    I64,
    U32,
    U64,
    F32,
    F64,
    String,
    Bytes,
    Enum(Names),
    Message(Reference),
}

/// Another message, whose shape is looked up once.
pub(super) struct Reference {
    pub(super) descriptor: MessageDescriptor,
    shape: OnceLock<&'static Shape>,
}

impl Reference {
    pub(super) fn shape(&self) -> &'static Shape {
        self.shape.get_or_init(|| of(&self.descriptor))
    }
}

/// The short names of an enum, in the order of declaration.
pub(super) struct Names(Vec<(i32, String)>);

impl Names {
    pub(super) fn name(&self, number: i32) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == number).map(|(_, name)| name.as_str())
    }

    pub(super) fn number(&self, name: &str) -> Option<i32> {
        self.0.iter().find(|(_, known)| known == name).map(|(number, _)| *number)
    }

    pub(super) fn list(&self) -> String {
        self.0.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// What `google.api.field_behavior` says of a field (AIP-203).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behavior {
    /// Must be given.
    pub required: bool,
    /// Set by the server; ignored in requests.
    pub output_only: bool,
}

static SHAPES: LazyLock<HashMap<String, Shape>> = LazyLock::new(|| {
    super::pool().all_messages().map(|message| (message.full_name().to_owned(), Shape::new(&message))).collect()
});

/// The shape of a message of the pool.
///
/// # Panics
/// If the message is of another pool, which is a mistake of the caller's code.
pub(super) fn of(message: &MessageDescriptor) -> &'static Shape {
    let name = message.full_name();
    SHAPES.get(name).unwrap_or_else(|| panic!("{name} is no message of the contract"))
}

impl Shape {
    fn new(message: &MessageDescriptor) -> Self {
        let form = match message.full_name() {
            "google.protobuf.Timestamp" => Form::Timestamp,
            "google.protobuf.FieldMask" => Form::Mask,
            "google.protobuf.Value" => Form::Value,
            "google.protobuf.Struct" => Form::Struct,
            "google.protobuf.ListValue" => Form::List,
            _ => Form::Object,
        };
        let fields: Vec<_> = message.fields().map(Field::new).collect();
        let by_name = fields.iter().enumerate().map(|(index, field)| (field.name.clone(), index)).collect();
        Self { form, fields, by_name }
    }

    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.by_name.get(name).map(|&index| &self.fields[index])
    }
}

impl Field {
    fn new(descriptor: FieldDescriptor) -> Self {
        let (count, kind) = match descriptor.kind() {
            Kind::Message(entry) if descriptor.is_map() => (Count::Map, entry.map_entry_value_field().kind()),
            kind if descriptor.cardinality() == Cardinality::Repeated => (Count::List, kind),
            kind => (Count::One, kind),
        };
        if let (Count::Map, Kind::Message(entry)) = (count, descriptor.kind()) {
            assert!(entry.map_entry_key_field().kind() == Kind::String, "the contract's maps have text for keys");
        }
        let holds = Holds::new(kind);
        Self {
            name: descriptor.name().to_owned(),
            number: descriptor.number(),
            key: format!("\"{}\":", descriptor.name()),
            unset: match (count, &holds) {
                (Count::List, _) => "[]",
                (Count::Map, _) => "{}",
                (Count::One, Holds::Enum(_) | Holds::Message(_)) => "null",
                (Count::One, _) if descriptor.supports_presence() => "null",
                (Count::One, Holds::Bool) => "false",
                (Count::One, Holds::String | Holds::Bytes) => "\"\"",
                (Count::One, _) => "0",
            },
            count,
            holds,
            behavior: behavior(&descriptor),
            choice: descriptor
                .containing_oneof()
                .filter(|choice| !choice.is_synthetic())
                .map(|choice| choice.name().to_owned()),
            descriptor,
        }
    }
}

impl Holds {
    /// How packed values of a list lie on the wire; nothing for what is never packed.
    pub(super) fn packs(&self) -> Option<WireType> {
        match self {
            Self::Bool | Self::I32 | Self::I64 | Self::U32 | Self::U64 | Self::Enum(_) => Some(WireType::Varint),
            Self::F32 => Some(WireType::ThirtyTwoBit),
            Self::F64 => Some(WireType::SixtyFourBit),
            Self::String | Self::Bytes | Self::Message(_) => None,
        }
    }

    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Bool => Self::Bool,
            Kind::Int32 => Self::I32,
            Kind::Int64 => Self::I64,
            Kind::Uint32 => Self::U32,
            Kind::Uint64 => Self::U64,
            Kind::Sint32 | Kind::Sint64 | Kind::Fixed32 | Kind::Fixed64 | Kind::Sfixed32 | Kind::Sfixed64 => {
                panic!("the contract uses int32, int64, uint32 and uint64 only")
            }
            Kind::Float => Self::F32,
            Kind::Double => Self::F64,
            Kind::String => Self::String,
            Kind::Bytes => Self::Bytes,
            Kind::Enum(descriptor) => Self::Enum(Names(
                descriptor.values().filter_map(|value| Some((value.number(), short(&value)?))).collect(),
            )),
            Kind::Message(descriptor) => Self::Message(Reference { descriptor, shape: OnceLock::new() }),
        }
    }
}

/// `RECURRENCE_TYPE_DAILY` is `daily`; the value 0 (unspecified) has no name.
pub(super) fn short(value: &EnumValueDescriptor) -> Option<String> {
    if value.number() == 0 {
        return None;
    }
    let prefix = prefix(value.parent_enum());
    Some(value.name().strip_prefix(prefix.as_str()).unwrap_or(value.name()).to_lowercase())
}

/// `RecurrenceType` gives `RECURRENCE_TYPE_`, as buf's `ENUM_VALUE_PREFIX` demands.
fn prefix(descriptor: &EnumDescriptor) -> String {
    let mut prefix = String::new();
    for (index, letter) in descriptor.name().chars().enumerate() {
        if letter.is_ascii_uppercase() && index > 0 {
            prefix.push('_');
        }
        prefix.push(letter.to_ascii_uppercase());
    }
    prefix.push('_');
    prefix
}

pub(super) fn behavior(field: &FieldDescriptor) -> Behavior {
    // google.api.FieldBehavior: REQUIRED = 2, OUTPUT_ONLY = 3.
    const REQUIRED: i32 = 2;
    const OUTPUT_ONLY: i32 = 3;

    let mut behavior = Behavior::default();
    let Some(extension) = field.parent_pool().get_extension_by_name("google.api.field_behavior") else {
        return behavior;
    };
    let options = field.options();
    if let Value::List(values) = options.get_extension(&extension).as_ref() {
        behavior.required = values.contains(&Value::EnumNumber(REQUIRED));
        behavior.output_only = values.contains(&Value::EnumNumber(OUTPUT_ONLY));
    }
    behavior
}
