//! YAML as people have it, brought into today's form: old spellings, exported objects, dotted paths.

use serde_json::{Map, Value, json};

use crate::{TypeDescriptor, Warning};

/// Metadata that an exported object brings along and a new one cannot have.
const EXPORTED_METADATA: [&str; 7] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "managedFields",
    "selfLink",
];

/// Brings a federated object into today's form. Says nothing about whether it can be meant.
pub fn normalise(kind: &TypeDescriptor, object: &Value, is_new: bool) -> (Value, Vec<Warning>) {
    let mut object = object.clone();
    let mut warnings = Vec::new();
    if is_new {
        drop_exported_fields(&mut object, &mut warnings);
    }
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        for field in ["template", "placement", "overrides", "retainReplicas"] {
            if spec.get(field).is_some_and(Value::is_null) {
                spec.remove(field);
            }
        }
        if spec.contains_key("retainReplicas") && kind.replicas_path.is_none() {
            spec.remove("retainReplicas");
            warn(
                &mut warnings,
                format!(
                    "spec.retainReplicas: {} has no replicas; the field is dropped",
                    kind.target.kind
                ),
            );
        }
        if let Some(placement) = spec.get_mut("placement").and_then(Value::as_object_mut) {
            read_cluster_names(placement, &mut warnings);
        }
        let entries = spec
            .get_mut("overrides")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten();
        for (index, entry) in entries.enumerate() {
            read_dotted_paths(entry, index, &mut warnings);
        }
    }
    (object, warnings)
}

fn warn(warnings: &mut Vec<Warning>, text: String) {
    warnings.push(Warning(text));
}

fn drop_exported_fields(object: &mut Value, warnings: &mut Vec<Warning>) {
    let Some(map) = object.as_object_mut() else {
        return;
    };
    let mut dropped: Vec<String> = Vec::new();
    if map
        .remove("status")
        .is_some_and(|status| status.as_object().is_some_and(|status| !status.is_empty()))
    {
        dropped.push("status".to_owned());
    }
    if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in EXPORTED_METADATA {
            if metadata.remove(field).is_some_and(|value| !value.is_null()) {
                dropped.push(format!("metadata.{field}"));
            }
        }
    }
    if !dropped.is_empty() {
        warn(
            warnings,
            format!(
                "{}: set by the server, dropped from what looks like an exported object",
                dropped.join(", ")
            ),
        );
    }
}

/// `clusterNames: [eu-1]` of the first releases is `clusters: [{name: eu-1}]`.
fn read_cluster_names(placement: &mut Map<String, Value>, warnings: &mut Vec<Warning>) {
    let Some(Value::Array(names)) = placement.remove("clusterNames") else {
        return;
    };
    if placement.get("clusters").is_some_and(|clusters| !clusters.is_null()) {
        warn(
            warnings,
            "spec.placement.clusterNames: dropped, because clusters is there too".to_owned(),
        );
        return;
    }
    let clusters: Vec<Value> = names.into_iter().map(|name| json!({"name": name})).collect();
    warn(
        warnings,
        "spec.placement.clusterNames: read as clusters; write clusters: [{name: …}]".to_owned(),
    );
    placement.insert("clusters".to_owned(), clusters.into());
}

fn read_dotted_paths(entry: &mut Value, index: usize, warnings: &mut Vec<Warning>) {
    let operations = entry
        .get_mut("clusterOverrides")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten();
    for (operation, place) in operations.zip(0..) {
        let Some(path) = operation.get("path").and_then(Value::as_str) else {
            continue;
        };
        if let Some(pointer) = pointer_of(path) {
            warn(
                warnings,
                format!(
                    "spec.overrides[{index}].clusterOverrides[{place}].path: {path:?} is read as {pointer:?}; write it so"
                ),
            );
            operation["path"] = pointer.into();
        }
    }
}

/// The pointer that a path without a leading slash means, if that can be told.
fn pointer_of(path: &str) -> Option<String> {
    if path.is_empty() || path.starts_with('/') {
        return None;
    }
    match (path.contains('/'), path.contains('.')) {
        // A dot may be part of a key such as app.kubernetes.io/name.
        (true, true) => None,
        (true, false) => Some(format!("/{path}")),
        (false, _) => {
            let indexes_are_segments = path.replace('[', ".").replace(']', "");
            let segments = indexes_are_segments
                .trim_start_matches(['$', '.'])
                .split('.')
                .map(|segment| segment.replace('~', "~0"));
            Some(segments.map(|segment| format!("/{segment}")).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_leading_slash_is_read_where_it_can_be() {
        for (path, pointer) in [
            ("spec.replicas", Some("/spec/replicas")),
            (".spec.replicas", Some("/spec/replicas")),
            (
                "spec.template.spec.containers[0].image",
                Some("/spec/template/spec/containers/0/image"),
            ),
            ("spec/replicas", Some("/spec/replicas")),
            ("data", Some("/data")),
            ("/spec/replicas", None),
            ("metadata.labels.app.kubernetes.io/name", None),
            ("", None),
        ] {
            assert_eq!(pointer_of(path).as_deref(), pointer, "{path}");
        }
    }
}
