//! Lists whose items are told apart by a key. A PUT accepts a key twice, server-side apply does not: it answers 500,
//! for ever, so such a list is refused before it is stored.

use serde_json::Value;

use crate::TypeDescriptor;

/// Key fields and what a missing one means.
type Key = &'static [(&'static str, &'static str)];

const NAME: Key = &[("name", "")];
const CONTAINER_PORT: Key = &[("containerPort", ""), ("protocol", "TCP")];
const SERVICE_PORT: Key = &[("port", ""), ("protocol", "TCP")];
const MOUNT: Key = &[("mountPath", "")];

/// Fields of this object that hold a key twice, with the key.
pub(super) fn duplicates(kind: &TypeDescriptor, object: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if kind.is_core("Service") {
        check(&object["spec"]["ports"], "spec.ports", SERVICE_PORT, &mut found);
    }
    if let Some(path) = pod_spec(kind)
        && let Some(pod) = object.pointer(&format!("/{}", path.replace('.', "/")))
    {
        check(&pod["volumes"], &format!("{path}.volumes"), NAME, &mut found);
        for list in ["containers", "initContainers"] {
            let field = format!("{path}.{list}");
            check(&pod[list], &field, NAME, &mut found);
            for (index, container) in pod[list].as_array().into_iter().flatten().enumerate() {
                check(&container["env"], &format!("{field}[{index}].env"), NAME, &mut found);
                check(
                    &container["ports"],
                    &format!("{field}[{index}].ports"),
                    CONTAINER_PORT,
                    &mut found,
                );
                check(
                    &container["volumeMounts"],
                    &format!("{field}[{index}].volumeMounts"),
                    MOUNT,
                    &mut found,
                );
            }
        }
    }
    found
}

fn pod_spec(kind: &TypeDescriptor) -> Option<&'static str> {
    match (kind.target.group.as_ref(), kind.target.kind.as_ref()) {
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet") | ("batch", "Job") => {
            Some("spec.template.spec")
        }
        ("batch", "CronJob") => Some("spec.jobTemplate.spec.template.spec"),
        _ => None,
    }
}

fn check(list: &Value, field: &str, key: Key, found: &mut Vec<(String, String)>) {
    let mut seen: Vec<String> = Vec::new();
    for (index, item) in list.as_array().into_iter().flatten().enumerate() {
        let part = |(name, default): &(&str, &str)| match item.get(name) {
            None | Some(Value::Null) => (*default).to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let text = key.iter().map(part).collect::<Vec<_>>().join("/");
        if seen.contains(&text) {
            found.push((format!("{field}[{index}]"), text));
        } else {
            seen.push(text);
        }
    }
}
