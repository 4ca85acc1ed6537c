//! Messages to JSON, straight from their wire format: whoever prints a message has just received or encoded it, and
//! building it up in memory between costs several times more than printing it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost::encoding::{WireType, decode_key, decode_varint};
use serde::Serialize;

use super::{
    shape::{Count, Field, Form, Holds, Shape},
    time,
};

/// Bytes that are no message of the type they were taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not the wire format of this message")
    }
}

impl std::error::Error for Malformed {}

/// A value as it is on the wire.
#[derive(Clone, Copy)]
pub(super) enum Raw<'a> {
    /// A varint, or the bits of a fixed-size number.
    Number(u64),
    /// Text, bytes, a message or packed numbers.
    Bytes(&'a [u8]),
}

impl<'a> Raw<'a> {
    fn number(self) -> Result<u64, Malformed> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Bytes(_) => Err(Malformed),
        }
    }

    fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Number(_) => Err(Malformed),
        }
    }

    fn text(self) -> Result<&'a str, Malformed> {
        str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }
}

/// The fields of a message with their numbers, as they come.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn raw(&mut self, wire: WireType) -> Result<Raw<'a>, Malformed> {
        Ok(match wire {
            WireType::Varint => Raw::Number(decode_varint(&mut self.0).map_err(|_| Malformed)?),
            WireType::SixtyFourBit => Raw::Number(u64::from_le_bytes(self.take(8)?.try_into().map_err(|_| Malformed)?)),
            WireType::ThirtyTwoBit => {
                Raw::Number(u64::from(u32::from_le_bytes(self.take(4)?.try_into().map_err(|_| Malformed)?)))
            }
            WireType::LengthDelimited => {
                let length = decode_varint(&mut self.0).map_err(|_| Malformed)?;
                Raw::Bytes(self.take(usize::try_from(length).map_err(|_| Malformed)?)?)
            }
            WireType::StartGroup | WireType::EndGroup => return Err(Malformed),
        })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Raw<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = decode_key(&mut self.0).map_err(|_| Malformed);
        let field = field.and_then(|(number, wire)| Ok((number, self.raw(wire)?)));
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// Appends the JSON of a message.
pub(super) fn message(shape: &Shape, wire: &[u8], text: &mut Vec<u8>) -> Result<(), Malformed> {
    Printer { text, open: Vec::with_capacity(64) }.message(shape, wire, DEPTH)
}

/// How deep messages may lie within each other; that of prost.
const DEPTH: u32 = 100;

struct Printer<'a, 'o> {
    text: &'o mut Vec<u8>,
    /// The fields of the messages that are being printed, the innermost last.
    open: Vec<(u32, Raw<'a>)>,
}

impl<'a> Printer<'a, '_> {
    fn message(&mut self, shape: &Shape, wire: &'a [u8], depth: u32) -> Result<(), Malformed> {
        let depth = depth.checked_sub(1).ok_or(Malformed)?;
        match shape.form {
            Form::Object => {
                let start = self.open.len();
                for field in Fields(wire) {
                    self.open.push(field?);
                }
                self.object(shape, start, depth)?;
                self.open.truncate(start);
            }
            Form::Timestamp => self.timestamp(wire)?,
            Form::Mask => {
                let mut paths = Vec::new();
                for field in Fields(wire) {
                    paths.push(field?.1.text()?);
                }
                self.json(&paths.join(","));
            }
            // Of each of these, the field that is set is what it stands for.
            Form::Value => {
                let mut set = None;
                for field in Fields(wire) {
                    set = Some(field?);
                }
                match set.and_then(|(number, raw)| Some((shape.fields.iter().find(|one| one.number == number)?, raw))) {
                    Some((field, raw)) => self.value(&field.holds, raw, depth)?,
                    None => self.text.extend_from_slice(b"null"),
                }
            }
            Form::Struct | Form::List => {
                let start = self.open.len();
                for field in Fields(wire) {
                    self.open.push(field?);
                }
                self.many(&shape.fields[0], start, depth)?;
                self.open.truncate(start);
            }
        }
        Ok(())
    }

    fn object(&mut self, shape: &Shape, start: usize, depth: u32) -> Result<(), Malformed> {
        let before = self.text.len();
        self.text.push(b'{');
        for field in &shape.fields {
            let set = self.open[start..].iter().rev().find(|(number, _)| *number == field.number);
            let Some(&(_, raw)) = set else {
                if field.choice.is_none() {
                    self.text.extend_from_slice(field.key.as_bytes());
                    self.text.extend_from_slice(field.unset.as_bytes());
                    self.text.push(b',');
                }
                continue;
            };
            self.text.extend_from_slice(field.key.as_bytes());
            match field.count {
                Count::One => self.value(&field.holds, raw, depth)?,
                Count::List | Count::Map => self.many(field, start, depth)?,
            }
            self.text.push(b',');
        }
        self.close(before, b'}');
        Ok(())
    }

    /// Puts the end in place of the last comma.
    fn close(&mut self, before: usize, end: u8) {
        if self.text.len() > before + 1 {
            self.text.pop();
        }
        self.text.push(end);
    }

    /// All values of a list or map that are open from `start`.
    fn many(&mut self, field: &Field, start: usize, depth: u32) -> Result<(), Malformed> {
        let end = self.open.len();
        if field.count == Count::Map {
            return self.map(field, start..end, depth);
        }
        let before = self.text.len();
        self.text.push(b'[');
        for index in start..end {
            let (number, raw) = self.open[index];
            if number != field.number {
                continue;
            }
            match (raw, field.holds.packs()) {
                (Raw::Bytes(packed), Some(wire)) => {
                    let mut packed = Fields(packed);
                    while !packed.0.is_empty() {
                        let raw = packed.raw(wire)?;
                        self.value(&field.holds, raw, depth)?;
                        self.text.push(b',');
                    }
                }
                (raw, _) => {
                    self.value(&field.holds, raw, depth)?;
                    self.text.push(b',');
                }
            }
        }
        self.close(before, b']');
        Ok(())
    }

    /// Maps come sorted by key, so that equal messages have equal text; of equal keys the last counts.
    fn map(&mut self, field: &Field, range: std::ops::Range<usize>, depth: u32) -> Result<(), Malformed> {
        let mut entries = Vec::new();
        for &(number, raw) in &self.open[range] {
            if number == field.number {
                let (mut key, mut value) = (None, None);
                for part in Fields(raw.bytes()?) {
                    match part? {
                        (1, raw) => key = Some(raw.text()?),
                        (2, raw) => value = Some(raw),
                        _ => {}
                    }
                }
                entries.push((key.unwrap_or_default(), value));
            }
        }
        entries.reverse();
        entries.sort_by_key(|(key, _)| *key);
        entries.dedup_by_key(|(key, _)| *key);
        let before = self.text.len();
        self.text.push(b'{');
        for (key, value) in entries {
            self.json(key);
            self.text.push(b':');
            match (value, &field.holds) {
                (Some(raw), holds) => self.value(holds, raw, depth)?,
                (None, Holds::Message(_)) => self.value(&field.holds, Raw::Bytes(&[]), depth)?,
                (None, Holds::String | Holds::Bytes) => self.text.extend_from_slice(b"\"\""),
                (None, holds) => self.value(holds, Raw::Number(0), depth)?,
            }
            self.text.push(b',');
        }
        self.close(before, b'}');
        Ok(())
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "the wire keeps every number in 64 bits; the upper ones of a negative int32 are its sign"
    )]
    fn value(&mut self, holds: &Holds, raw: Raw<'a>, depth: u32) -> Result<(), Malformed> {
        match holds {
            Holds::Bool => self.json(&(raw.number()? != 0)),
            Holds::I32 => self.json(&(raw.number()? as i32)),
            Holds::I64 => self.json(&(raw.number()? as i64)),
            Holds::U32 => self.json(&(raw.number()? as u32)),
            Holds::U64 => self.json(&raw.number()?),
            Holds::F32 => self.double(f64::from(f32::from_bits(raw.number()? as u32))),
            Holds::F64 => self.double(f64::from_bits(raw.number()?)),
            Holds::String => self.json(raw.text()?),
            Holds::Bytes => self.json(&STANDARD.encode(raw.bytes()?)),
            Holds::Enum(names) => match raw.number()? as i32 {
                0 => self.text.extend_from_slice(b"null"),
                number => match names.name(number) {
                    Some(name) => self.json(name),
                    // From a newer version: a number is honest, null would hide it.
                    None => self.json(&number),
                },
            },
            Holds::Message(other) => self.message(other.shape(), raw.bytes()?, depth)?,
        }
        Ok(())
    }

    fn json<T: Serialize + ?Sized>(&mut self, value: &T) {
        serde_json::to_writer(&mut *self.text, value).expect("numbers and text are JSON, and a Vec takes all");
    }

    /// A whole double prints as an integer: `google.protobuf.Value` has no other numbers, and a revision of `5.0`
    /// would surprise.
    fn double(&mut self, value: f64) {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && value.abs() <= EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
            self.json(&(value as i64));
        } else {
            self.json(&value);
        }
    }

    #[expect(clippy::cast_possible_wrap, reason = "signed numbers are kept so on the wire")]
    fn timestamp(&mut self, wire: &[u8]) -> Result<(), Malformed> {
        let (mut seconds, mut nanos) = (0, 0);
        for field in Fields(wire) {
            match field? {
                (1, raw) => seconds = raw.number()? as i64,
                (2, raw) => nanos = raw.number()? as i64,
                _ => {}
            }
        }
        match time::print(seconds, nanos) {
            Some(time) => self.json(time.as_str()),
            None => self.text.extend_from_slice(b"null"),
        }
        Ok(())
    }
}

/// The last value of a field of text, without the rest being read.
pub(super) fn text_field<'a>(field: &Field, wire: &'a [u8]) -> Option<&'a str> {
    last(field, wire)?.text().ok()
}

/// The last value of a field of a 64-bit integer, without the rest being read.
#[expect(clippy::cast_possible_wrap, reason = "signed numbers are kept so on the wire")]
pub(super) fn int_field(field: &Field, wire: &[u8]) -> Option<i64> {
    last(field, wire)?.number().ok().map(|number| number as i64)
}

fn last<'a>(field: &Field, wire: &'a [u8]) -> Option<Raw<'a>> {
    let fields = Fields(wire).filter_map(Result::ok).filter(|(number, _)| *number == field.number);
    fields.last().map(|(_, raw)| raw)
}
