//! Fields of Kubernetes objects, read from JSON.

use serde_json::{Value, json};

/// Name.
pub(crate) fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// Namespace; empty for none.
pub(crate) fn namespace(object: &Value) -> &str {
    object["metadata"]["namespace"].as_str().unwrap_or_default()
}

/// UID.
pub(crate) fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

/// A label; empty for none.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"]["labels"][key].as_str().unwrap_or_default()
}

/// An annotation; empty for none.
pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"]["annotations"][key].as_str().unwrap_or_default()
}

/// Whether the object is marked for deletion.
pub(crate) fn is_deleting(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// A whole number, 0 for none.
pub(crate) fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

/// The items of a list; nothing for what is none.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The items of a list field, to be changed. Nothing is put where there is no list.
pub(crate) fn each_mut<'a>(object: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> {
    object
        .get_mut(field)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

/// The owner reference that says who controls the object.
pub(crate) fn controller(object: &Value) -> Option<&Value> {
    items(&object["metadata"]["ownerReferences"])
        .iter()
        .find(|reference| reference["controller"] == true)
}

/// Whether the object is controlled by the one with this UID.
pub(crate) fn is_controlled_by(object: &Value, uid: &str) -> bool {
    controller(object).is_some_and(|reference| reference["uid"] == uid)
}

/// A reference to the controller of an object.
pub(crate) fn controller_reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// A condition of the object's status.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    items(&object["status"]["conditions"])
        .iter()
        .find(|one| one["type"] == kind)
}

/// Whether a condition of the object's status is true.
pub(crate) fn is_true(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|one| one["status"] == "True")
}

/// The moment that a field states.
pub(crate) fn time(value: &Value) -> Option<jiff::Timestamp> {
    value.as_str()?.parse().ok()
}

/// Takes out a field of an object.
pub(crate) fn remove(object: &mut Value, field: &str) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(field);
    }
}

/// Sets a field that is missing. What is no object stays as it is.
pub(crate) fn default(object: &mut Value, field: &str, value: impl Into<Value>) {
    if (object.is_object() || object.is_null()) && object[field].is_null() {
        object[field] = value.into();
    }
}

/// A percentage or a number, of a total.
pub(crate) fn share(value: &Value, total: i64, round_up: bool) -> i64 {
    match value {
        Value::String(text) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or_default();
            let whole = percent.saturating_mul(total);
            if round_up {
                (whole + 99).div_euclid(100)
            } else {
                whole.div_euclid(100)
            }
        }
        other => number(other),
    }
}

/// Puts a condition into a list of conditions. Its `lastTransitionTime` moves only with its status. Answers whether
/// anything else than times changed.
pub(crate) fn set_condition(
    object: &mut Value,
    kind: &str,
    status: &str,
    reason: &str,
    message: &str,
    now: &str,
) -> bool {
    if !object["status"].is_object() {
        object["status"] = json!({});
    }
    let list = &mut object["status"]["conditions"];
    if !list.is_array() {
        *list = json!([]);
    }
    let Some(list) = list.as_array_mut() else { return false };
    let mut fresh = json!({"type": kind, "status": status, "lastTransitionTime": now});
    for (field, text) in [("reason", reason), ("message", message)] {
        if !text.is_empty() {
            fresh[field] = text.into();
        }
    }
    let Some(found) = list.iter_mut().find(|one| one["type"] == kind) else {
        list.push(fresh);
        return true;
    };
    if found["status"] == status {
        fresh["lastTransitionTime"] = found["lastTransitionTime"].clone();
    }
    for field in [
        "lastUpdateTime",
        "lastProbeTime",
        "lastHeartbeatTime",
        "observedGeneration",
    ] {
        if !found[field].is_null() {
            fresh[field] = found[field].clone();
        }
    }
    let changed = *found != fresh;
    *found = fresh;
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_as_asked() {
        assert_eq!(share(&json!("25%"), 3, true), 1);
        assert_eq!(share(&json!("25%"), 3, false), 0);
        assert_eq!(share(&json!(2), 10, false), 2);
        assert_eq!(share(&json!("100%"), 4, true), 4);
    }

    #[test]
    fn a_condition_keeps_its_time_while_its_status_stays() {
        let mut object = json!({});
        assert!(set_condition(&mut object, "Ready", "False", "A", "", "1"));
        assert!(!set_condition(&mut object, "Ready", "False", "A", "", "2"));
        assert!(set_condition(&mut object, "Ready", "False", "B", "", "3"));
        assert_eq!(object["status"]["conditions"][0]["lastTransitionTime"], "1");
        assert!(set_condition(&mut object, "Ready", "True", "B", "", "4"));
        assert_eq!(object["status"]["conditions"][0]["lastTransitionTime"], "4");
    }
}
