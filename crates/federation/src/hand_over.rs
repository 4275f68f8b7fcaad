//! Taking over what others wrote, so that the hub's next apply can drop it.
//!
//! KubeFed wrote whole objects, as field manager `controller-manager`; what is older than managed fields appears as
//! `before-first-apply` after the hub's first apply. Unless those two let go, a field that leaves the template stays in
//! the member for ever. So what they state becomes the hub's own, except what was the member's all along: moving that
//! would make the hub's next apply remove it.

use serde_json::{Map, Value, json};

mod ports;

use ports::Ports;

use crate::TypeDescriptor;
use crate::observed::FIELD_MANAGER;

const KUBEFED: [&str; 2] = ["controller-manager", "before-first-apply"];

/// Whose fields become the hub's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOver {
    /// What KubeFed wrote.
    OfKubefed,
    /// Ports of a Service that the hub does not state, whoever stated them. API servers merge ports by number and
    /// protocol, so beside others that the hub states they would stay, and mostly make the Service invalid.
    OfPorts,
}

impl HandOver {
    /// The field managers that KubeFed wrote as.
    pub(crate) const KUBEFED: [&'static str; 2] = KUBEFED;
}

/// The merge patch that moves fields in `object` (a member's, managedFields included) to the hub's field manager,
/// before or after it applies `stated`. `None` when there is nothing to move.
pub fn hand_over(kind: &TypeDescriptor, whose: HandOver, object: &Value, stated: &Value) -> Option<Value> {
    let entries = object["metadata"]["managedFields"].as_array()?;
    let states_replicas = kind
        .replicas_path
        .as_deref()
        .is_some_and(|path| stated.pointer(path).is_some());
    let ports = Ports::of(kind, object, stated, entries.iter().find(|entry| is_ours(entry)));
    let mut moved = Value::Object(Map::new());
    let mut api_version = None;
    let mut rest = Vec::new();
    for entry in entries {
        if is_ours(entry) || !has_no_subresource(entry) {
            rest.push(entry.clone());
            continue;
        }
        let is_kubefeds = whose == HandOver::OfKubefed && is_kubefed(entry);
        let mut theirs = entry["fieldsV1"].clone();
        let mut ours = ports
            .as_ref()
            .map_or(Value::Null, |ports| ports.take(&mut theirs, is_kubefeds));
        if is_kubefeds {
            let (more, left) = split(kind, &theirs, &mut Vec::new(), states_replicas);
            unite(&mut ours, &more);
            theirs = left;
        }
        if is_empty(&ours) {
            rest.push(entry.clone());
            continue;
        }
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
mod tests;
