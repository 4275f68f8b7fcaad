//! Taking over what KubeFed wrote.
//!
//! KubeFed wrote whole objects, as field manager `controller-manager`; what is older than managed fields appears as
//! `before-first-apply` after the hub's first apply. Unless those two let go, a field that leaves the template stays in
//! the member for ever. So what they state becomes the hub's own, except what was the member's all along: moving that
//! would make the hub's next apply remove it.

use serde_json::{Map, Value, json};

use crate::TypeDescriptor;
use crate::observed::FIELD_MANAGER;

const KUBEFED: [&str; 2] = ["controller-manager", "before-first-apply"];

/// The merge patch that moves KubeFed's fields in `object` (a member's, managedFields included) to the hub's field
/// manager, before or after it applies `stated`. `None` when there is nothing to move.
pub fn hand_over(kind: &TypeDescriptor, object: &Value, stated: &Value) -> Option<Value> {
    let entries = object["metadata"]["managedFields"].as_array()?;
    let states_replicas = kind
        .replicas_path
        .as_deref()
        .is_some_and(|path| stated.pointer(path).is_some());
    let mut moved = Value::Object(Map::new());
    let mut api_version = None;
    let mut rest = Vec::new();
    for entry in entries {
        if !is_kubefed(entry) {
            rest.push(entry.clone());
            continue;
        }
        let (ours, theirs) = split(kind, &entry["fieldsV1"], &mut Vec::new(), states_replicas);
        api_version = api_version.or_else(|| entry.get("apiVersion").cloned());
        unite(&mut moved, &ours);
        if !is_empty(&theirs) {
            let mut kept = entry.clone();
            kept["fieldsV1"] = theirs;
            rest.push(kept);
        }
    }
    if is_empty(&moved) {
        return None;
    }
    match rest.iter_mut().find(|entry| is_ours(entry)) {
        Some(entry) => unite(&mut entry["fieldsV1"], &moved),
        None => rest.push(json!({
            "manager": FIELD_MANAGER,
            "operation": "Apply",
            "apiVersion": api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": moved,
        })),
    }
    // Nothing may have changed since: otherwise the patch would undo what somebody else came to own.
    Some(json!({"metadata": {
        "uid": object["metadata"]["uid"],
        "resourceVersion": object["metadata"]["resourceVersion"],
        "managedFields": rest,
    }}))
}

fn has_no_subresource(entry: &Value) -> bool {
    entry["subresource"].as_str().unwrap_or_default().is_empty()
}

fn is_kubefed(entry: &Value) -> bool {
    let manager = entry["manager"].as_str().unwrap_or_default();
    KUBEFED.contains(&manager) && entry["operation"] == "Update" && has_no_subresource(entry)
}

fn is_ours(entry: &Value) -> bool {
    entry["manager"] == FIELD_MANAGER && entry["operation"] == "Apply" && has_no_subresource(entry)
}

fn is_empty(fields: &Value) -> bool {
    fields.as_object().is_none_or(Map::is_empty)
}

/// Divides fields into those that become the hub's and those that stay the member's.
fn split<'a>(
    kind: &TypeDescriptor,
    fields: &'a Value,
    path: &mut Vec<&'a str>,
    states_replicas: bool,
) -> (Value, Value) {
    let (mut ours, mut theirs) = (Map::new(), Map::new());
    for (key, below) in fields.as_object().into_iter().flatten() {
        path.push(key);
        if is_the_members(kind, path, states_replicas) {
            theirs.insert(key.clone(), below.clone());
        } else if is_empty(below) {
            ours.insert(key.clone(), below.clone());
        } else {
            let (ours_below, theirs_below) = split(kind, below, path, states_replicas);
            for (map, below) in [(&mut ours, ours_below), (&mut theirs, theirs_below)] {
                if !is_empty(&below) {
                    map.insert(key.clone(), below);
                }
            }
        }
        path.pop();
    }
    (Value::Object(ours), Value::Object(theirs))
}

/// Fields that KubeFed copied from the member on every write.
fn is_the_members(kind: &TypeDescriptor, path: &[&str], states_replicas: bool) -> bool {
    match path {
        ["f:metadata", "f:annotations" | "f:finalizers"] => true,
        ["f:spec", "f:clusterIP" | "f:clusterIPs" | "f:healthCheckNodePort"]
        | ["f:spec", "f:ports", _, "f:nodePort"] => kind.is_core("Service"),
        ["f:secrets"] => kind.is_core("ServiceAccount"),
        _ => {
            !states_replicas
                && kind
                    .replicas_path
                    .as_deref()
                    .is_some_and(|pointer| is_pointer(path, pointer))
        }
    }
}

fn is_pointer(path: &[&str], pointer: &str) -> bool {
    let segments = pointer
        .trim_start_matches('/')
        .split('/')
        .map(|segment| format!("f:{segment}"));
    segments.eq(path.iter().map(|segment| (*segment).to_owned()))
}

fn unite(into: &mut Value, fields: &Value) {
    if into.is_null() {
        *into = Value::Object(Map::new());
    }
    if let (Some(into), Some(fields)) = (into.as_object_mut(), fields.as_object()) {
        for (key, below) in fields {
            unite(into.entry(key.clone()).or_insert(Value::Null), below);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{hash, types};

    fn same(one: &Value, other: &Value) -> bool {
        hash(one) == hash(other)
    }

    fn live(managed_fields: Value) -> Value {
        json!({"metadata": {"uid": "u-1", "resourceVersion": "7", "managedFields": managed_fields}})
    }

    fn kubefed(fields: Value) -> Value {
        json!({"manager": "controller-manager", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    fn entry<'a>(patch: &'a Value, manager: &str, operation: &str) -> Option<&'a Value> {
        let entries = patch["metadata"]["managedFields"].as_array().unwrap();
        let mut found = entries
            .iter()
            .filter(|entry| entry["manager"] == manager && entry["operation"] == operation);
        let first = found.next();
        assert!(found.next().is_none(), "{manager} has two entries: {patch}");
        first
    }

    #[test]
    fn what_kubefed_stated_becomes_the_hubs() {
        let kind = types::find("configmaps").unwrap();
        let fields = json!({"f:data": {"f:old": {}}, "f:metadata": {"f:labels": {"f:kubefed.io/managed": {}}}});
        let stranger = json!({"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {"f:theirs": {}}}});
        let patch = hand_over(kind, &live(json!([kubefed(fields.clone()), stranger])), &json!({})).unwrap();
        assert_eq!(patch["metadata"]["uid"], "u-1");
        assert_eq!(patch["metadata"]["resourceVersion"], "7");
        assert!(entry(&patch, "controller-manager", "Update").is_none());
        assert_eq!(entry(&patch, "kubectl", "Update"), Some(&stranger));
        let ours = entry(&patch, "atoll", "Apply").unwrap();
        assert!(same(&ours["fieldsV1"], &fields));
        assert_eq!(ours["apiVersion"], "v1");
    }

    #[test]
    fn the_members_own_stay_where_they_are() {
        let kind = types::find("services").unwrap();
        let theirs = json!({
            "f:metadata": {"f:annotations": {".": {}, "f:cloud/id": {}}, "f:finalizers": {".": {}, "v:\"cloud\"": {}}},
            "f:spec": {"f:clusterIP": {}, "f:clusterIPs": {}, "f:ports": {"k:{\"port\":80}": {"f:nodePort": {}}}},
        });
        let ours = json!({"f:spec": {"f:selector": {}, "f:ports": {"k:{\"port\":80}": {".": {}, "f:port": {}}}}});
        let mut all = theirs.clone();
        unite(&mut all, &ours);
        let patch = hand_over(kind, &live(json!([kubefed(all)])), &json!({})).unwrap();
        assert!(same(
            &entry(&patch, "controller-manager", "Update").unwrap()["fieldsV1"],
            &theirs
        ));
        assert!(same(&entry(&patch, "atoll", "Apply").unwrap()["fieldsV1"], &ours));
    }

    #[test]
    fn replicas_move_only_when_the_hub_goes_on_stating_them() {
        let kind = types::find("deployments.apps").unwrap();
        let object = live(json!([kubefed(
            json!({"f:spec": {"f:replicas": {}, "f:template": {}}})
        )]));
        let states = |patch: &Value| {
            entry(patch, "atoll", "Apply").unwrap()["fieldsV1"]["f:spec"]
                .get("f:replicas")
                .is_some()
        };
        assert!(states(
            &hand_over(kind, &object, &json!({"spec": {"replicas": 2}})).unwrap()
        ));
        assert!(!states(&hand_over(kind, &object, &json!({"spec": {}})).unwrap()));
    }

    #[test]
    fn fields_join_those_that_the_hub_has_already() {
        let kind = types::find("configmaps").unwrap();
        let ours = json!({"manager": "atoll", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:new": {}}}});
        let before = json!({"manager": "before-first-apply", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:old": {}}}});
        let status = json!({"manager": "controller-manager", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}});
        let patch = hand_over(kind, &live(json!([ours, before, status])), &json!({})).unwrap();
        let fields = &entry(&patch, "atoll", "Apply").unwrap()["fieldsV1"];
        assert!(same(fields, &json!({"f:data": {"f:new": {}, "f:old": {}}})));
        assert_eq!(entry(&patch, "controller-manager", "Update"), Some(&status));
    }

    #[test]
    fn where_kubefed_states_nothing_nothing_is_moved() {
        let kind = types::find("configmaps").unwrap();
        let only_theirs = kubefed(json!({"f:metadata": {"f:annotations": {"f:a": {}}}}));
        for managed_fields in [json!(null), json!([]), json!([only_theirs])] {
            assert_eq!(hand_over(kind, &live(managed_fields), &json!({})), None);
        }
    }
}
