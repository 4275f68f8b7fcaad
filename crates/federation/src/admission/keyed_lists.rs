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
const DEVICE: Key = &[("devicePath", "")];
const HOST_ALIAS: Key = &[("ip", "")];
const SPREAD: Key = &[("topologyKey", ""), ("whenUnsatisfiable", "")];

/// Lists of a pod.
const POD: [(&str, Key); 6] = [
    ("volumes", NAME),
    ("imagePullSecrets", NAME),
    ("hostAliases", HOST_ALIAS),
    ("topologySpreadConstraints", SPREAD),
    ("resourceClaims", NAME),
    ("schedulingGates", NAME),
];

/// Lists of a container.
const CONTAINER: [(&str, Key); 4] = [
    ("env", NAME),
    ("ports", CONTAINER_PORT),
    ("volumeMounts", MOUNT),
    ("volumeDevices", DEVICE),
];

/// Fields of this object that hold a key twice, with the key.
pub(super) fn duplicates(kind: &TypeDescriptor, object: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if kind.is_core("Service") {
        check(&object["spec"]["ports"], "spec.ports", SERVICE_PORT, &mut found);
    }
    if kind.target.group == "apiextensions.k8s.io" {
        let versions = object["spec"]["versions"].as_array().into_iter().flatten();
        for (version, index) in versions.zip(0..) {
            let field = format!("spec.versions[{index}].schema.openAPIV3Schema");
            check_rules(&version["schema"]["openAPIV3Schema"], &field, &mut found);
        }
    }
    if kind.target.group == "batch" {
        let job = match kind.target.kind.as_ref() {
            "CronJob" => "spec.jobTemplate.spec",
            _ => "spec",
        };
        let rules = object.pointer(&format!("/{}/podFailurePolicy/rules", job.replace('.', "/")));
        for (rule, index) in rules.and_then(Value::as_array).into_iter().flatten().zip(0..) {
            let field = format!("{job}.podFailurePolicy.rules[{index}].onExitCodes.values");
            check_set(&rule["onExitCodes"]["values"], &field, &mut found);
        }
    }
    if kind.is_core("ServiceAccount") {
        check(&object["secrets"], "secrets", NAME, &mut found);
    }
    if let Some(path) = pod_spec(kind)
        && let Some(pod) = object.pointer(&format!("/{}", path.replace('.', "/")))
    {
        for (list, key) in POD {
            check(&pod[list], &format!("{path}.{list}"), key, &mut found);
        }
        for list in ["containers", "initContainers"] {
            let field = format!("{path}.{list}");
            check(&pod[list], &field, NAME, &mut found);
            for (index, container) in pod[list].as_array().into_iter().flatten().enumerate() {
                let field = format!("{field}[{index}]");
                for (list, key) in CONTAINER {
                    check(&container[list], &format!("{field}.{list}"), key, &mut found);
                }
                let claims = &container["resources"]["claims"];
                check(claims, &format!("{field}.resources.claims"), NAME, &mut found);
                let rules = container["restartPolicyRules"].as_array().into_iter().flatten();
                for (rule, index) in rules.zip(0..) {
                    let codes = &rule["exitCodes"]["values"];
                    let field = format!("{field}.restartPolicyRules[{index}].exitCodes.values");
                    check_set(codes, &field, &mut found);
                }
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

/// The rules of a schema, at every depth.
fn check_rules(schema: &Value, field: &str, found: &mut Vec<(String, String)>) {
    const RULES: &str = "x-kubernetes-validations";
    match schema {
        Value::Object(map) => {
            for (key, below) in map {
                let field = format!("{field}.{key}");
                if key == RULES {
                    check(below, &field, &[("rule", "")], found);
                } else {
                    check_rules(below, &field, found);
                }
            }
        }
        Value::Array(items) => {
            for (item, index) in items.iter().zip(0..) {
                check_rules(item, &format!("{field}[{index}]"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A list that may hold each value once.
fn check_set(list: &Value, field: &str, found: &mut Vec<(String, String)>) {
    let items = list.as_array().map_or(&[][..], Vec::as_slice);
    for (index, item) in items.iter().enumerate() {
        if items[..index].contains(item) {
            found.push((format!("{field}[{index}]"), item.to_string()));
        }
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
