//! The status of a pod, from being accepted by its node to its end.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::fields::{items, set_condition, uid};
use crate::objects::now_text;

/// The conditions of a pod, in the order in which nodes state them.
const CONDITIONS: [&str; 5] = [
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
];

/// Sixty-four hexadecimal digits that always follow from the same text.
fn fingerprint(text: &str) -> String {
    digest(&SHA256, text.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn node_address(node: &Value) -> &str {
    items(&node["status"]["addresses"])
        .iter()
        .find(|one| one["type"] == "InternalIP")
        .and_then(|one| one["address"].as_str())
        .unwrap_or_default()
}

fn container_status(pod: &Value, container: &Value, state: Value) -> Value {
    let image = container["image"].as_str().unwrap_or_default();
    let is_running = state["running"].is_object();
    let has_run = is_running || state["terminated"].is_object();
    let mut status = json!({
        "name": container["name"],
        "image": image,
        "imageID": "",
        "ready": is_running,
        "started": is_running,
        "restartCount": 0,
        "state": state,
        "lastState": {},
    });
    if has_run {
        let bare = image.split('@').next().unwrap_or_default();
        let name = match bare.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => name,
            _ => bare,
        };
        let id = fingerprint(&format!("{}/{}", uid(pod), container["name"]));
        status["imageID"] = format!("{name}@sha256:{}", fingerprint(image)).into();
        status["containerID"] = format!("containerd://{id}").into();
    }
    status
}

fn set_containers(pod: &mut Value, state: &Value) {
    let statuses: Vec<Value> = items(&pod["spec"]["containers"])
        .iter()
        .map(|container| container_status(pod, container, state.clone()))
        .collect();
    pod["status"]["containerStatuses"] = statuses.into();
    let first: Vec<Value> = items(&pod["spec"]["initContainers"])
        .iter()
        .map(|container| {
            let state = if state["waiting"].is_object() {
                json!({"waiting": {"reason": "PodInitializing"}})
            } else {
                let now = now_text();
                json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}})
            };
            let is_done = state["terminated"].is_object();
            let mut status = container_status(pod, container, state);
            status["ready"] = is_done.into();
            status
        })
        .collect();
    if !first.is_empty() {
        pod["status"]["initContainerStatuses"] = first.into();
    }
}

/// The node has taken the pod and prepares it.
pub(in crate::controllers) fn accept(pod: &mut Value, node: &Value) {
    let now = now_text();
    for kind in CONDITIONS {
        let (status, reason) = match kind {
            "Initialized" | "PodScheduled" => ("True", ""),
            "PodReadyToStartContainers" => ("False", ""),
            _ => ("False", "ContainersNotReady"),
        };
        set_condition(pod, kind, status, reason, "", &now);
    }
    let address = node_address(node);
    let status = &mut pod["status"];
    status["phase"] = "Pending".into();
    status["hostIP"] = address.into();
    status["hostIPs"] = json!([{"ip": address}]);
    if status["startTime"].is_null() {
        status["startTime"] = now.into();
    }
    if !status["containerStatuses"].is_array() {
        set_containers(pod, &json!({"waiting": {"reason": "ContainerCreating"}}));
    }
}

/// An image of the pod is nowhere to be found.
pub(super) fn wait_for_image(pod: &mut Value, image: &str) {
    let message = format!("Back-off pulling image \"{image}\"");
    set_containers(
        pod,
        &json!({"waiting": {"reason": "ImagePullBackOff", "message": message}}),
    );
}

/// The pod runs and serves.
pub(super) fn run(pod: &mut Value, node: &Value, host: u8) {
    let now = now_text();
    for kind in CONDITIONS {
        set_condition(pod, kind, "True", "", "", &now);
    }
    let network = node["spec"]["podCIDR"].as_str().unwrap_or("10.244.255.0/24");
    let prefix = network.rsplit_once('.').map_or("10.244.255", |(prefix, _)| prefix);
    let address = if pod["spec"]["hostNetwork"] == true {
        node_address(node).to_owned()
    } else {
        format!("{prefix}.{host}")
    };
    let was_running = pod["status"]["phase"] == "Running";
    let status = &mut pod["status"];
    status["phase"] = "Running".into();
    status["podIP"] = address.as_str().into();
    status["podIPs"] = json!([{"ip": address}]);
    if !was_running {
        set_containers(pod, &json!({"running": {"startedAt": now}}));
    }
}

/// The pod has done its work, or was told to stop.
pub(super) fn finish(pod: &mut Value) {
    let now = now_text();
    let started = pod["status"]["startTime"].clone();
    pod["status"]["phase"] = "Succeeded".into();
    for kind in ["Initialized", "Ready", "ContainersReady"] {
        let status = if kind == "Initialized" { "True" } else { "False" };
        set_condition(pod, kind, status, "PodCompleted", "", &now);
    }
    set_condition(pod, "PodReadyToStartContainers", "False", "", "", &now);
    let state = json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": started, "finishedAt": now}});
    set_containers(pod, &state);
}
