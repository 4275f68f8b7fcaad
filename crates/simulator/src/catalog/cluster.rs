//! Columns of namespaces and nodes.

use atoll_kubeapi::Column;
use serde_json::Value;

use super::workloads::or_none;

pub(super) fn namespaces() -> Vec<Column> {
    vec![Column::path("Status", "string", ".status.phase")]
}

pub(super) fn nodes() -> Vec<Column> {
    vec![
        Column::function("Status", "string", |object, _| node_status(object).into()),
        Column::function("Roles", "string", |object, _| node_roles(object)),
        Column::path("Age", "date", ".metadata.creationTimestamp"),
        Column::path("Version", "string", ".status.nodeInfo.kubeletVersion"),
        Column::function("Internal-IP", "string", |object, _| node_address(object, "InternalIP")).wide(),
        Column::function("External-IP", "string", |object, _| node_address(object, "ExternalIP")).wide(),
        Column::path("OS-Image", "string", ".status.nodeInfo.osImage").wide(),
        Column::path("Kernel-Version", "string", ".status.nodeInfo.kernelVersion").wide(),
        Column::path(
            "Container-Runtime",
            "string",
            ".status.nodeInfo.containerRuntimeVersion",
        )
        .wide(),
    ]
}

fn node_status(node: &Value) -> String {
    let ready = node["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["type"] == "Ready");
    let mut words = vec![match ready.and_then(|one| one["status"].as_str()) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }];
    if node["spec"]["unschedulable"] == true {
        words.push("SchedulingDisabled");
    }
    words.join(",")
}

fn node_roles(node: &Value) -> Value {
    let roles: Vec<&str> = node["metadata"]["labels"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/"))
        .collect();
    or_none(&roles.join(","))
}

fn node_address(node: &Value, kind: &str) -> Value {
    let found = node["status"]["addresses"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["type"] == kind);
    or_none(found.and_then(|one| one["address"].as_str()).unwrap_or_default())
}
