//! Strategic merge patch: a merge patch in which lists merge by key.
//!
//! kubectl sends it for the kinds it has compiled in, on every second `apply`. Which lists merge, and by which key, is
//! in the structure of the kind. Directives: `$patch: replace|delete|merge`, `$retainKeys`,
//! `$deleteFromPrimitiveList/FIELD` and `$setElementOrder/FIELD`.

use serde_json::{Map, Value};

use crate::schema::{Node, Schema};
use crate::status::Status;

const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

/// The object after the patch.
///
/// # Errors
/// 400 for a directive that cannot be understood.
pub fn apply(object: &Value, patch: &Value, schema: &Schema) -> Result<Value, Status> {
    let patch = patch
        .as_object()
        .ok_or_else(|| Status::bad_request("a strategic merge patch is an object"))?;
    let mut result = object.clone();
    merge_map(&mut result, patch, schema.node())?;
    Ok(result)
}

fn merge_map(target: &mut Value, patch: &Map<String, Value>, node: Node<'_>) -> Result<(), Status> {
    match patch.get("$patch").and_then(Value::as_str) {
        None | Some("merge") => {}
        Some("replace") => {
            *target = without_directives(patch);
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        Some(other) => return Err(Status::bad_request(format!("$patch: {other} is no directive"))),
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return Ok(()) };
    if let Some(kept) = patch.get("$retainKeys").and_then(Value::as_array) {
        fields.retain(|key, _| kept.iter().any(|one| one == key));
    }
    for (key, change) in patch {
        if let Some(field) = key.strip_prefix(DELETE_FROM) {
            if let (Some(Value::Array(items)), Some(gone)) = (fields.get_mut(field), change.as_array()) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if key.starts_with('$') {
            continue;
        }
        let child = node.field(key);
        match change {
            Value::Null => {
                fields.remove(key);
            }
            Value::Object(change) if change.get("$patch").is_some_and(|directive| directive == "delete") => {
                fields.remove(key);
            }
            Value::Object(change) => merge_map(fields.entry(key).or_insert(Value::Null), change, child)?,
            Value::Array(change) if child.patch_merge_key().is_some() => {
                let merge_key = child.patch_merge_key().unwrap_or_default();
                merge_list(
                    fields.entry(key).or_insert_with(|| Value::Array(Vec::new())),
                    change,
                    merge_key,
                    child,
                )?;
            }
            other => {
                fields.insert(key.clone(), other.clone());
            }
        }
    }
    for (key, order) in patch {
        if let (Some(field), Some(order)) = (key.strip_prefix(ORDER), order.as_array())
            && let Some(Value::Array(items)) = fields.get_mut(field)
        {
            let merge_key = node.field(field).patch_merge_key().unwrap_or_default();
            reorder(items, order, merge_key);
        }
    }
    Ok(())
}

fn merge_list(target: &mut Value, patch: &[Value], merge_key: &str, node: Node<'_>) -> Result<(), Status> {
    if patch.iter().any(|item| item["$patch"] == "replace") {
        let kept = patch
            .iter()
            .filter(|item| item["$patch"] != "replace")
            .cloned()
            .collect();
        *target = Value::Array(kept);
        return Ok(());
    }
    if !target.is_array() {
        *target = Value::Array(Vec::new());
    }
    let Value::Array(items) = target else { return Ok(()) };
    for change in patch {
        if merge_key.is_empty() {
            if !items.contains(change) {
                items.push(change.clone());
            }
            continue;
        }
        let Some(fields) = change.as_object() else {
            return Err(Status::bad_request(format!(
                "items of this list must be objects with the key {merge_key}"
            )));
        };
        let identity = fields
            .get(merge_key)
            .ok_or_else(|| Status::bad_request(format!("an item of the patch lacks its merge key {merge_key}")))?;
        let found = items.iter().position(|item| item.get(merge_key) == Some(identity));
        match (found, change["$patch"] == "delete") {
            (Some(index), true) => {
                items.remove(index);
            }
            (None, true) => {}
            (Some(index), false) => merge_map(&mut items[index], fields, node.items())?,
            (None, false) => {
                let mut fresh = Value::Object(Map::new());
                merge_map(&mut fresh, fields, node.items())?;
                items.push(fresh);
            }
        }
    }
    Ok(())
}

/// Puts the items that `order` names into its order; others keep their place after the item they followed.
fn reorder(items: &mut [Value], order: &[Value], merge_key: &str) {
    let place = |item: &Value| {
        order.iter().position(|one| {
            if merge_key.is_empty() {
                one == item
            } else {
                one.get(merge_key) == item.get(merge_key)
            }
        })
    };
    let mut last = 0;
    let mut keyed: Vec<(usize, usize, Value)> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        last = place(item).unwrap_or(last);
        keyed.push((last, index, item.clone()));
    }
    keyed.sort_by_key(|(place, index, _)| (*place, *index));
    for (slot, (_, _, item)) in items.iter_mut().zip(keyed) {
        *slot = item;
    }
}

fn without_directives(patch: &Map<String, Value>) -> Value {
    Value::Object(
        patch
            .iter()
            .filter(|(key, _)| !key.starts_with('$'))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(containers: Value) -> Value {
        json!({"spec": {"template": {"spec": {"containers": containers}}}})
    }

    fn patched(object: &Value, patch: &Value) -> Value {
        apply(object, patch, &Schema::built_in("apps", "v1", "Deployment").unwrap()).unwrap()
    }

    #[test]
    fn containers_merge_by_name() {
        let object = deployment(json!([{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]));
        let patch = deployment(json!([{"name": "b", "image": "b:2"}, {"name": "c", "image": "c:1"}]));
        assert_eq!(
            patched(&object, &patch),
            deployment(
                json!([{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:2"}, {"name": "c", "image": "c:1"}])
            )
        );
    }

    #[test]
    fn directives_delete_replace_and_order() {
        let object = deployment(json!([{"name": "a"}, {"name": "b"}]));
        assert_eq!(
            patched(&object, &deployment(json!([{"name": "a", "$patch": "delete"}]))),
            deployment(json!([{"name": "b"}]))
        );
        assert_eq!(
            patched(&object, &deployment(json!([{"$patch": "replace"}, {"name": "z"}]))),
            deployment(json!([{"name": "z"}]))
        );
        let patch = json!({"spec": {"template": {"spec": {
            "$setElementOrder/containers": [{"name": "b"}, {"name": "a"}], "containers": [{"name": "a", "image": "x"}]}}}});
        assert_eq!(
            patched(&object, &patch),
            deployment(json!([{"name": "b"}, {"name": "a", "image": "x"}]))
        );
    }

    #[test]
    fn maps_are_deleted_and_replaced() {
        let object = json!({"metadata": {"labels": {"a": "1"}, "annotations": {"x": "y"}}});
        let patch =
            json!({"metadata": {"labels": {"$patch": "replace", "b": "2"}, "annotations": {"$patch": "delete"}}});
        assert_eq!(patched(&object, &patch), json!({"metadata": {"labels": {"b": "2"}}}));
    }

    #[test]
    fn retained_keys_and_primitive_lists() {
        let object = json!({"metadata": {"finalizers": ["a", "b"]}, "spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {}}}});
        let patch = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]},
            "spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
        assert_eq!(
            patched(&object, &patch),
            json!({"metadata": {"finalizers": ["b"]}, "spec": {"strategy": {"type": "Recreate"}}})
        );
    }
}
