//! JSON patch (RFC 6902), with bounds.
//!
//! A patch of 800 bytes whose operations copy can make gigabytes; so operations, and the size of what they make, are
//! limited.

use serde_json::Value;

use crate::status::{Cause, Status};

const MAX_OPERATIONS: usize = 1000;
/// As deep as bodies may be: deeper ones would exhaust the stack when they are written or dropped.
const MAX_DEPTH: usize = 128;
/// As much as an object may have, in bytes of JSON.
pub const MAX_RESULT: usize = 3 * 512 * 1024;

/// The object after the patch.
///
/// # Errors
/// 400 for what is no patch, 422 for one that does not apply.
pub fn apply(object: &Value, patch: &Value) -> Result<Value, Status> {
    let operations = patch
        .as_array()
        .ok_or_else(|| Status::bad_request("a JSON patch is a list of operations"))?;
    if operations.len() > MAX_OPERATIONS {
        return Err(refused(format!("a patch may have at most {MAX_OPERATIONS} operations")));
    }
    let mut result = object.clone();
    let mut size = object.to_string().len();
    for (index, operation) in operations.iter().enumerate() {
        size += one(&mut result, operation).map_err(|why| refused(format!("operation {index}: {why}")))?;
        if size > MAX_RESULT {
            return Err(refused(format!(
                "the patched object would have more than {MAX_RESULT} bytes"
            )));
        }
    }
    Ok(result)
}

fn refused(message: String) -> Status {
    Status::invalid("", "", "", vec![Cause::invalid("patch", message)])
}

/// Carries out one operation; answers with how many bytes it may have added.
fn one(document: &mut Value, operation: &Value) -> Result<usize, String> {
    let text = |name: &str| {
        operation[name]
            .as_str()
            .ok_or_else(|| format!("{name} must be a string"))
    };
    let value = || {
        operation
            .get("value")
            .cloned()
            .ok_or_else(|| "value is missing".to_owned())
    };
    let path = text("path")?;
    match text("op")? {
        "add" => {
            let value = value()?;
            let size = value.to_string().len();
            add(document, path, value)?;
            Ok(size)
        }
        "replace" => {
            let value = value()?;
            let size = value.to_string().len();
            if path.matches('/').count() + depth(&value) > MAX_DEPTH {
                return Err(format!("the patched object would be more than {MAX_DEPTH} levels deep"));
            }
            *document
                .pointer_mut(path)
                .ok_or_else(|| format!("{path:?} does not exist"))? = value;
            Ok(size)
        }
        "remove" => remove(document, path).map(|_| 0),
        "test" => {
            let found = document
                .pointer(path)
                .ok_or_else(|| format!("{path:?} does not exist"))?;
            if *found == value()? {
                Ok(0)
            } else {
                Err(format!("the value at {path:?} is another one"))
            }
        }
        "copy" => {
            let from = text("from")?;
            let value = document
                .pointer(from)
                .cloned()
                .ok_or_else(|| format!("{from:?} does not exist"))?;
            let size = value.to_string().len();
            add(document, path, value)?;
            Ok(size)
        }
        "move" => {
            let from = text("from")?;
            if path.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
                return Err(format!("{from:?} cannot be moved into itself"));
            }
            let value = remove(document, from)?;
            add(document, path, value)?;
            Ok(0)
        }
        other => Err(format!("{other:?} is no operation")),
    }
}

fn split(path: &str) -> Result<(&str, String), String> {
    let (parent, last) = path
        .rsplit_once('/')
        .ok_or_else(|| format!("{path:?} must begin with a slash"))?;
    Ok((parent, last.replace("~1", "/").replace("~0", "~")))
}

/// How deep a value is nested.
pub(crate) fn depth(value: &Value) -> usize {
    match value {
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

fn add(document: &mut Value, path: &str, value: Value) -> Result<(), String> {
    // What is copied was no deeper than this before, so counting it is safe.
    if path.matches('/').count() + depth(&value) > MAX_DEPTH {
        return Err(format!("the patched object would be more than {MAX_DEPTH} levels deep"));
    }
    if path.is_empty() {
        *document = value;
        return Ok(());
    }
    let (parent, last) = split(path)?;
    match document.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.insert(last, value);
            Ok(())
        }
        Some(Value::Array(items)) => {
            let index = if last == "-" {
                items.len()
            } else {
                index(&last, items.len())?
            };
            items.insert(index, value);
            Ok(())
        }
        _ => Err(format!("{parent:?} is no map and no list")),
    }
}

fn remove(document: &mut Value, path: &str) -> Result<Value, String> {
    let (parent, last) = split(path)?;
    match document.pointer_mut(parent) {
        Some(Value::Object(fields)) => fields.remove(&last).ok_or_else(|| format!("{path:?} does not exist")),
        Some(Value::Array(items)) if !items.is_empty() => {
            let index = index(&last, items.len() - 1)?;
            Ok(items.remove(index))
        }
        _ => Err(format!("{path:?} does not exist")),
    }
}

fn index(text: &str, most: usize) -> Result<usize, String> {
    let plain = text == "0" || !text.starts_with('0');
    text.parse()
        .ok()
        .filter(|index| plain && *index <= most)
        .ok_or_else(|| format!("{text:?} is no index of this list"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operations_do_what_rfc_6902_says() {
        let object = json!({"a": {"b~/c": 1}, "l": [1, 2]});
        let patch = json!([
            {"op": "test", "path": "/a/b~0~1c", "value": 1},
            {"op": "add", "path": "/l/1", "value": 9},
            {"op": "add", "path": "/l/-", "value": 3},
            {"op": "copy", "from": "/l", "path": "/m"},
            {"op": "remove", "path": "/l/0"},
            {"op": "move", "from": "/a", "path": "/n"},
            {"op": "replace", "path": "/n/b~0~1c", "value": 2}
        ]);
        assert_eq!(
            apply(&object, &patch).unwrap(),
            json!({"l": [9, 2, 3], "m": [1, 9, 2, 3], "n": {"b~/c": 2}})
        );
    }

    #[test]
    fn a_patch_applies_whole_or_not_at_all() {
        let object = json!({"a": 1, "l": []});
        for bad in [
            json!([{"op": "replace", "path": "/b", "value": 1}]),
            json!([{"op": "remove", "path": "/l/0"}]),
            json!([{"op": "add", "path": "/l/1", "value": 1}]),
            json!([{"op": "add", "path": "/x/y", "value": 1}]),
            json!([{"op": "test", "path": "/a", "value": 2}]),
            json!([{"op": "jump", "path": "/a"}]),
            json!([{"op": "add", "path": "a", "value": 1}]),
            json!([{"op": "move", "from": "/a", "path": "/a/b"}]),
            json!({"op": "add"}),
        ] {
            assert!(apply(&object, &bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn copies_that_double_are_stopped_early() {
        let patch: Vec<Value> = (0..40)
            .map(|_| json!({"op": "copy", "from": "/a", "path": "/a/-"}))
            .collect();
        let status = apply(&json!({"a": ["0123456789"]}), &Value::from(patch)).unwrap_err();
        assert_eq!(status.code, 422);
        let mut deep = vec![json!({"op": "add", "path": "/a", "value": {}})];
        deep.extend((0..20).map(|_| json!({"op": "copy", "from": "", "path": "/a/b"})));
        deep.extend((0..900).map(|level| json!({"op": "add", "path": "/a".repeat(level + 1), "value": {}})));
        assert!(
            apply(&json!({}), &Value::from(deep))
                .unwrap_err()
                .message
                .contains("deep")
        );
        let many: Vec<Value> = (0..1001)
            .map(|_| json!({"op": "test", "path": "/a", "value": []}))
            .collect();
        assert_eq!(apply(&json!({"a": []}), &Value::from(many)).unwrap_err().code, 422);
    }
}
