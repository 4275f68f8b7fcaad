//! A stable fingerprint of JSON values.
//!
//! FNV-1a with 128 bits over the value's canonical text (keys sorted, no spaces). It is stored in records and must
//! therefore never change from one release to the next, which is why it is written out here rather than borrowed.
//! It tells values apart; it is no protection against somebody who looks for collisions.

use std::fmt::Write;

use serde_json::Value;

const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// The fingerprint of a value, as 32 hexadecimal digits.
pub fn hash(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    hash_text(&text)
}

/// The fingerprint of a text.
pub(crate) fn hash_text(text: &str) -> String {
    let sum = text
        .bytes()
        .fold(OFFSET, |sum, byte| (sum ^ u128::from(byte)).wrapping_mul(PRIME));
    format!("{sum:032x}")
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            // `serde_json`'s map keeps either order, by a feature that any crate of the build may switch on.
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_scalar(&Value::String(key.clone()), text);
                text.push(':');
                write_canonical(&map[key], text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        scalar => write_scalar(scalar, text),
    }
}

fn write_scalar(scalar: &Value, text: &mut String) {
    write!(text, "{scalar}").expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_fingerprint_is_fnv_1a_of_the_canonical_text() {
        assert_eq!(hash_text(""), "6c62272e07bb014262b821756295c58d");
        assert_eq!(hash_text("a"), "d228cb696f1a8caf78912b704e4a8964");
        assert_eq!(
            hash(&json!({"b": [1, null], "a": "x\"y"})),
            hash_text(r#"{"a":"x\"y","b":[1,null]}"#)
        );
    }

    #[test]
    fn the_order_of_keys_does_not_matter_and_everything_else_does() {
        let one: Value = serde_json::from_str(r#"{"a":1,"b":{"c":2,"d":3}}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"b":{"d":3,"c":2},"a":1}"#).unwrap();
        assert_eq!(hash(&one), hash(&other));
        assert_ne!(hash(&json!([1, 2])), hash(&json!([2, 1])));
        assert_ne!(hash(&json!({"a": null})), hash(&json!({})));
    }
}
