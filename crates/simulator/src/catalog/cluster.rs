//! Columns of namespaces, nodes, events and leases.

use atoll_kubeapi::Column;
use atoll_kubeapi::table::age;
use jiff::Timestamp;
use serde_json::Value;

use super::workloads::or_none;

pub(super) fn namespaces() -> Vec<Column> {
    vec![Column::path("Status", "string", ".status.phase")]
}

pub(super) fn leases() -> Vec<Column> {
    vec![Column::path("Holder", "string", ".spec.holderIdentity")]
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

pub(super) fn events() -> Vec<Column> {
    vec![
        Column::function("Last Seen", "string", last_seen),
        Column::path("Type", "string", ".type"),
        Column::path("Reason", "string", ".reason"),
        Column::function("Object", "string", |object, _| {
            let text = |field: &str| object["involvedObject"][field].as_str().unwrap_or_default();
            format!("{}/{}", text("kind").to_ascii_lowercase(), text("name")).into()
        }),
        Column::path("Subobject", "string", ".involvedObject.fieldPath").wide(),
        Column::function("Source", "string", |object, _| {
            let text = |field: &str| object["source"][field].as_str().unwrap_or_default();
            match (text("component"), text("host")) {
                (component, "") => component.into(),
                (component, host) => format!("{component}, {host}").into(),
            }
        })
        .wide(),
        Column::function("Message", "string", |object, _| {
            object["message"].as_str().unwrap_or_default().trim().into()
        }),
        Column::path("First Seen", "date", ".firstTimestamp").wide(),
        Column::function("Count", "string", |object, _| object["count"].clone()).wide(),
        Column::path("Name", "string", ".metadata.name").wide(),
    ]
}

fn last_seen(event: &Value, now: Timestamp) -> Value {
    let time = ["lastTimestamp", "eventTime", "firstTimestamp"]
        .iter()
        .find_map(|field| event[*field].as_str());
    age(time, now).into()
}
