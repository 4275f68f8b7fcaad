//! JSON patch as KubeFed applies it, which is not quite RFC 6902:
//! `replace` of a map key that is missing puts it there, and negative list indexes count from the end.

use serde_json::Value;

use super::{Op, Operation};
use crate::Error;

/// Applies the operations in order, all or none.
///
/// # Errors
/// With the first operation that does not apply; the object is then unchanged.
pub fn apply(object: &mut Value, operations: &[Operation]) -> Result<(), Error> {
    if operations.is_empty() {
        return Ok(());
    }
    let mut patched = object.clone();
    for (index, operation) in operations.iter().enumerate() {
        apply_one(&mut patched, operation).map_err(|problem| Error::Patch {
            index,
            op: operation.op.as_str(),
            path: operation.path.clone(),
            problem,
        })?;
    }
    *object = patched;
    Ok(())
}

fn apply_one(object: &mut Value, operation: &Operation) -> Result<(), String> {
    let Some((key, parents)) = operation.segments.split_last() else {
        return Err("the path names nothing".to_owned());
    };
    let parent = descend(object, parents)?;
    match parent {
        Value::Object(map) => match operation.op {
            Op::Add | Op::Replace => {
                map.insert(key.clone(), operation.value.clone());
                Ok(())
            }
            Op::Remove => map
                .remove(key)
                .map(drop)
                .ok_or_else(|| format!("there is no {key:?} to remove")),
        },
        Value::Array(items) => change_list(items, key, operation),
        other => Err(format!(
            "{} is {}, which holds nothing",
            pointer(parents),
            describe(other)
        )),
    }
}

fn descend<'a>(object: &'a mut Value, segments: &[String]) -> Result<&'a mut Value, String> {
    let mut place = object;
    for (depth, segment) in segments.iter().enumerate() {
        let here = || pointer(&segments[..=depth]);
        place = match place {
            Value::Object(map) => map
                .get_mut(segment)
                .ok_or_else(|| format!("{} does not exist in the template; add it first", here()))?,
            Value::Array(items) => {
                let index = position(segment, items.len()).map_err(|problem| format!("{}: {problem}", here()))?;
                &mut items[index]
            }
            other => {
                return Err(format!(
                    "{} is {}, which holds nothing",
                    pointer(&segments[..depth]),
                    describe(other)
                ));
            }
        };
    }
    Ok(place)
}

fn change_list(items: &mut Vec<Value>, key: &str, operation: &Operation) -> Result<(), String> {
    match operation.op {
        Op::Add if key == "-" => items.push(operation.value.clone()),
        Op::Add => {
            // One place more than there are items: behind the last one, which is also where -1 points.
            let index = position(key, items.len() + 1)?;
            items.insert(index, operation.value.clone());
        }
        Op::Replace => {
            let index = position(key, items.len())?;
            items[index] = operation.value.clone();
        }
        Op::Remove => {
            let index = position(key, items.len())?;
            items.remove(index);
        }
    }
    Ok(())
}

/// The place that an index names among `places`; negative ones count from the end.
fn position(index: &str, places: usize) -> Result<usize, String> {
    let number: i64 = index.parse().map_err(|_| format!("{index:?} is no list index"))?;
    let place = if number < 0 {
        places.checked_sub(usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX))
    } else {
        usize::try_from(number).ok()
    };
    place
        .filter(|place| *place < places)
        .ok_or_else(|| format!("index {index} is out of range, there are {places} places"))
}

fn pointer(segments: &[String]) -> String {
    if segments.is_empty() {
        return "the object".to_owned();
    }
    segments
        .iter()
        .map(|segment| format!("/{}", segment.replace('~', "~0").replace('/', "~1")))
        .collect()
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::overrides::Overrides;

    fn patched(object: Value, operations: Value) -> Result<Value, String> {
        let overrides = json!([{"clusterName": "c", "clusterOverrides": operations}]);
        let overrides = Overrides::parse(Some(&overrides)).unwrap();
        let mut object = object;
        apply(&mut object, &overrides.entries()[0].operations)
            .map(|()| object)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn replace_of_a_missing_key_adds_it_when_its_parent_is_there() {
        assert_eq!(
            patched(json!({"spec": {}}), json!([{"path": "/spec/replicas", "value": 3}])).unwrap(),
            json!({"spec": {"replicas": 3}})
        );
        for op in ["add", "replace", "remove"] {
            assert!(
                patched(json!({}), json!([{"op": op, "path": "/spec/replicas", "value": 3}])).is_err(),
                "{op}"
            );
        }
    }

    #[test]
    fn null_zero_false_and_empty_text_are_values() {
        for value in [json!(null), json!(0), json!(false), json!("")] {
            assert_eq!(
                patched(json!({"a": 1}), json!([{"path": "/a", "value": value}])).unwrap(),
                json!({"a": value})
            );
        }
        assert_eq!(
            patched(json!({"a": 1}), json!([{"path": "/a"}])).unwrap(),
            json!({"a": null})
        );
    }

    #[test]
    fn lists_are_indexed_from_both_ends() {
        let list = || json!({"l": ["a", "b", "c"]});
        for (operation, expected) in [
            (json!({"path": "/l/0", "value": "x"}), json!(["x", "b", "c"])),
            (json!({"path": "/l/-1", "value": "x"}), json!(["a", "b", "x"])),
            (json!({"path": "/l/-3", "value": "x"}), json!(["x", "b", "c"])),
            (json!({"op": "remove", "path": "/l/-2"}), json!(["a", "c"])),
            (json!({"op": "remove", "path": "/l/1"}), json!(["a", "c"])),
            (
                json!({"op": "add", "path": "/l/0", "value": "x"}),
                json!(["x", "a", "b", "c"]),
            ),
            (
                json!({"op": "add", "path": "/l/3", "value": "x"}),
                json!(["a", "b", "c", "x"]),
            ),
            (
                json!({"op": "add", "path": "/l/-", "value": "x"}),
                json!(["a", "b", "c", "x"]),
            ),
            (
                json!({"op": "add", "path": "/l/-1", "value": "x"}),
                json!(["a", "b", "c", "x"]),
            ),
        ] {
            assert_eq!(
                patched(list(), json!([operation])).unwrap(),
                json!({"l": expected}),
                "{operation}"
            );
        }
        for operation in [
            json!({"path": "/l/3", "value": "x"}),
            json!({"path": "/l/-4", "value": "x"}),
            json!({"op": "remove", "path": "/l/3"}),
            json!({"op": "add", "path": "/l/4", "value": "x"}),
            json!({"path": "/l/-", "value": "x"}),
            json!({"path": "/l/first", "value": "x"}),
        ] {
            assert!(patched(list(), json!([operation])).is_err(), "{operation}");
        }
    }

    #[test]
    fn escapes_name_keys_with_slash_and_tilde() {
        let object = json!({"metadata": {"labels": {"a/b": "1", "c~d": "2"}}});
        let operations =
            json!([{"path": "/metadata/labels/a~1b", "value": "x"}, {"op": "remove", "path": "/metadata/labels/c~0d"}]);
        assert_eq!(
            patched(object, operations).unwrap(),
            json!({"metadata": {"labels": {"a/b": "x"}}})
        );
    }

    #[test]
    fn removing_what_is_not_there_fails() {
        let error = patched(
            json!({"data": {"a": "1"}}),
            json!([{"op": "remove", "path": "/data/b"}]),
        )
        .unwrap_err();
        assert_eq!(
            error,
            r#"operation 1 of this cluster's overrides, remove "/data/b": there is no "b" to remove"#
        );
    }

    #[test]
    fn a_path_through_a_scalar_fails() {
        for parent in [json!(null), json!("text"), json!(1)] {
            assert!(patched(json!({"a": parent}), json!([{"op": "add", "path": "/a/b", "value": 1}])).is_err());
        }
    }

    #[test]
    fn all_operations_apply_or_none() {
        let mut object = json!({"a": 1});
        let overrides = json!([{"clusterName": "c", "clusterOverrides": [{"path": "/a", "value": 2}, {"op": "remove", "path": "/b"}]}]);
        let overrides = Overrides::parse(Some(&overrides)).unwrap();
        assert!(apply(&mut object, &overrides.entries()[0].operations).is_err());
        assert_eq!(object, json!({"a": 1}));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-c/~]{1,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn any_path() -> impl Strategy<Value = String> {
        let segment = prop_oneof![
            "[a-c]{1,2}",
            Just("0".to_owned()),
            Just("-1".to_owned()),
            Just("-".to_owned()),
            Just("a~1b".to_owned())
        ];
        proptest::collection::vec(segment, 1..4)
            .prop_map(|segments| segments.iter().map(|segment| format!("/{segment}")).collect())
    }

    proptest! {
        #[test]
        fn what_was_put_in_can_be_read_back(object in any_json(), path in any_path(), value in any_json()) {
            let operations = json!([{"path": path, "value": value}]);
            // RFC 6901 knows no negative index, so only paths without one are read back by it.
            if let (Ok(after), false) = (patched(object, operations), path.contains("/-")) {
                prop_assert_eq!(after.pointer(&path), Some(&value));
            }
        }

        #[test]
        fn replacing_twice_is_replacing_once(object in any_json(), path in any_path(), value in any_json()) {
            let operations = json!([{"path": path, "value": value}]);
            if let Ok(once) = patched(object, operations.clone()) {
                prop_assert_eq!(patched(once.clone(), operations).unwrap(), once);
            }
        }

        #[test]
        fn removing_what_was_added_at_the_end_changes_nothing(items in proptest::collection::vec(any_json(), 0..5), value in any_json()) {
            let before = json!({"l": items});
            let added = patched(before.clone(), json!([{"op": "add", "path": "/l/-", "value": value}])).unwrap();
            prop_assert_eq!(patched(added, json!([{"op": "remove", "path": "/l/-1"}])).unwrap(), before);
        }
    }
}
