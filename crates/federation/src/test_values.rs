//! Test values are written as differences from a small whole one.

use serde_json::Value;

/// Puts `extra` over `value`, map by map.
pub(crate) fn merge(value: &mut Value, extra: Value) {
    match (value, extra) {
        (Value::Object(map), Value::Object(extra)) => {
            for (key, extra) in extra {
                merge(map.entry(key).or_insert(Value::Null), extra);
            }
        }
        (value, extra) => *value = extra,
    }
}
