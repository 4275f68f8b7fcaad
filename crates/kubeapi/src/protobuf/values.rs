//! From protobuf's wire format to JSON, field by field.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Buf;
use prost::DecodeError;
use prost::encoding::{WireType, decode_key, decode_varint};
use serde_json::{Map, Number, Value, json};

use super::messages::{self, Count, Field, Kind, Message};

/// No kind is nested as deep as this.
const MAX_DEPTH: usize = 64;

fn broken(why: &'static str) -> DecodeError {
    #[expect(
        deprecated,
        reason = "the only way to say what is wrong beside the library's own errors"
    )]
    DecodeError::new(why)
}

/// What stands on the wire.
enum Wire<'a> {
    Plain(u64),
    Long(&'a [u8]),
}

/// The next field: its number and what stands there.
fn next<'a>(bytes: &mut &'a [u8]) -> Result<(u32, Wire<'a>), DecodeError> {
    let (number, wire_type) = decode_key(bytes)?;
    let wire = match wire_type {
        WireType::Varint => Wire::Plain(decode_varint(bytes)?),
        WireType::SixtyFourBit if bytes.len() >= 8 => Wire::Plain(bytes.get_u64_le()),
        WireType::ThirtyTwoBit if bytes.len() >= 4 => Wire::Plain(bytes.get_u32_le().into()),
        WireType::LengthDelimited => {
            let length = usize::try_from(decode_varint(bytes)?).unwrap_or(usize::MAX);
            let (long, rest) = bytes
                .split_at_checked(length)
                .ok_or_else(|| broken("a field ends early"))?;
            *bytes = rest;
            Wire::Long(long)
        }
        _ => return Err(broken("a field of a kind that is not used here, or that ends early")),
    };
    Ok((number, wire))
}

/// Reads a message.
pub(super) fn message(mut bytes: &[u8], message: &Message, depth: usize) -> Result<Map<String, Value>, DecodeError> {
    if depth > MAX_DEPTH {
        return Err(broken("the message is nested too deep"));
    }
    let mut object = Map::new();
    while !bytes.is_empty() {
        let (number, wire) = next(&mut bytes)?;
        // Newer clients may know more fields.
        let Some(field) = message.get(&number) else { continue };
        match field.count {
            Count::One => {
                let found = value(&field.kind, &wire, depth)?;
                if field.name.is_empty() {
                    object.extend(found.as_object().cloned().unwrap_or_default());
                } else if says_something(field, &found) {
                    object.insert(field.name.clone(), found);
                }
            }
            Count::Many => {
                let list = object.entry(field.name.clone()).or_insert_with(|| json!([]));
                if let Some(list) = list.as_array_mut() {
                    list.extend(several(&field.kind, &wire, depth)?);
                }
            }
            Count::Map => {
                let Wire::Long(entry) = wire else {
                    return Err(broken("an entry of a map is a message"));
                };
                let (key, found) = self::entry(entry, &field.kind, depth)?;
                let map = object.entry(field.name.clone()).or_insert_with(|| json!({}));
                map[key] = found;
            }
        }
    }
    Ok(object)
}

/// Fields are written even when they are empty, unless nothing is something else than empty.
fn says_something(field: &Field, value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_set) => *is_set || field.is_optional,
        Value::Number(number) => field.is_optional || number.as_f64() != Some(0.0),
        Value::String(text) => field.is_optional || !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

fn entry(mut bytes: &[u8], kind: &Kind, depth: usize) -> Result<(String, Value), DecodeError> {
    let (mut key, mut found) = (String::new(), empty(kind));
    while !bytes.is_empty() {
        match next(&mut bytes)? {
            (1, Wire::Long(text)) => key = self::text(text)?,
            (2, wire) => found = value(kind, &wire, depth)?,
            _ => {}
        }
    }
    Ok((key, found))
}

/// What an entry of a map without a value holds.
fn empty(kind: &Kind) -> Value {
    match kind {
        Kind::Integer | Kind::Number => 0.into(),
        Kind::Bool => false.into(),
        Kind::Items => json!([]),
        Kind::Message(_) => json!({}),
        _ => "".into(),
    }
}

/// The items that one field of a list adds: one, or several numbers packed together.
fn several(kind: &Kind, wire: &Wire<'_>, depth: usize) -> Result<Vec<Value>, DecodeError> {
    let (Kind::Integer | Kind::Bool, Wire::Long(packed)) = (kind, wire) else {
        return Ok(vec![value(kind, wire, depth)?]);
    };
    let mut bytes = *packed;
    let mut found = Vec::new();
    while !bytes.is_empty() {
        found.push(value(kind, &Wire::Plain(decode_varint(&mut bytes)?), depth)?);
    }
    Ok(found)
}

fn text(bytes: &[u8]) -> Result<String, DecodeError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| broken("a text is not UTF-8"))
}

fn value(kind: &Kind, wire: &Wire<'_>, depth: usize) -> Result<Value, DecodeError> {
    let plain = || match wire {
        Wire::Plain(number) => Ok(*number),
        Wire::Long(_) => Err(broken("a number was expected")),
    };
    let long = || match wire {
        Wire::Long(bytes) => Ok(*bytes),
        Wire::Plain(_) => Err(broken("a message or a text was expected")),
    };
    Ok(match kind {
        // Negative numbers are written as their two's complement.
        Kind::Integer => plain()?.cast_signed().into(),
        Kind::Bool => (plain()? != 0).into(),
        Kind::Number => Number::from_f64(f64::from_bits(plain()?)).map_or(Value::Null, Value::Number),
        Kind::Text => text(long()?)?.into(),
        Kind::Bytes => STANDARD.encode(long()?).into(),
        Kind::Quantity => parts(long()?)?.text(1)?.into(),
        Kind::IntOrString => {
            let parts = parts(long()?)?;
            if parts.number(1) == 1 {
                parts.text(3)?.into()
            } else {
                parts.number(2).into()
            }
        }
        Kind::Time => time(long()?, 0)?,
        Kind::MicroTime => time(long()?, 6)?,
        Kind::Raw => serde_json::from_slice(parts(long()?)?.bytes(1)).unwrap_or_default(),
        Kind::Items => {
            let mut bytes = long()?;
            let mut items = Vec::new();
            while !bytes.is_empty() {
                if let (1, Wire::Long(item)) = next(&mut bytes)? {
                    items.push(Value::from(text(item)?));
                }
            }
            items.into()
        }
        Kind::Message(name) => {
            let inner = messages::named(name).ok_or_else(|| broken("a message that is not known"))?;
            Value::Object(message(long()?, inner, depth + 1)?)
        }
    })
}

/// The fields of a small message, by number; of each the last.
struct Parts<'a>(Vec<(u32, Wire<'a>)>);

fn parts(mut bytes: &[u8]) -> Result<Parts<'_>, DecodeError> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        found.push(next(&mut bytes)?);
    }
    Ok(Parts(found))
}

impl<'a> Parts<'a> {
    fn get(&self, number: u32) -> Option<&Wire<'a>> {
        self.0
            .iter()
            .rev()
            .find(|(own, _)| *own == number)
            .map(|(_, wire)| wire)
    }

    fn number(&self, number: u32) -> i64 {
        match self.get(number) {
            Some(Wire::Plain(value)) => value.cast_signed(),
            _ => 0,
        }
    }

    fn bytes(&self, number: u32) -> &'a [u8] {
        match self.get(number) {
            Some(Wire::Long(bytes)) => bytes,
            _ => &[],
        }
    }

    fn text(&self, number: u32) -> Result<String, DecodeError> {
        text(self.bytes(number))
    }
}

/// A time with this many decimals; null for none.
fn time(bytes: &[u8], decimals: usize) -> Result<Value, DecodeError> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let parts = parts(bytes)?;
    let nanos = i32::try_from(parts.number(2)).unwrap_or_default();
    let time = jiff::Timestamp::new(parts.number(1), nanos).map_err(|_| broken("a time is out of range"))?;
    Ok(format!("{time:.decimals$}").into())
}
