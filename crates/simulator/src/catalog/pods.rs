//! Columns of pods: what `kubectl get pods` says of their state.

use atoll_kubeapi::Column;
use atoll_kubeapi::table::age;
use jiff::Timestamp;
use serde_json::Value;

use super::workloads::{number, or_none};

pub(super) fn columns() -> Vec<Column> {
    vec![
        Column::function("Ready", "string", |object, _| {
            let total = object["spec"]["containers"].as_array().map_or(0, Vec::len);
            let ready = statuses(object, "containerStatuses")
                .iter()
                .filter(|one| one["ready"] == true)
                .count();
            format!("{ready}/{total}").into()
        }),
        Column::function("Status", "string", |object, _| status(object).into()),
        Column::function("Restarts", "string", restarts),
        Column::path("Age", "date", ".metadata.creationTimestamp"),
        Column::function("IP", "string", |object, _| {
            or_none(object["status"]["podIP"].as_str().unwrap_or_default())
        })
        .wide(),
        Column::function("Node", "string", |object, _| {
            or_none(object["spec"]["nodeName"].as_str().unwrap_or_default())
        })
        .wide(),
        Column::function("Nominated Node", "string", |object, _| {
            or_none(object["status"]["nominatedNodeName"].as_str().unwrap_or_default())
        })
        .wide(),
        Column::function("Readiness Gates", "string", |_, _| or_none("")).wide(),
    ]
}

fn statuses<'a>(pod: &'a Value, field: &str) -> &'a [Value] {
    pod["status"][field].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The word that kubectl prints: the phase, or better the reason why a container is not running.
fn status(pod: &Value) -> String {
    let mut word = pod["status"]["reason"]
        .as_str()
        .or_else(|| pod["status"]["phase"].as_str())
        .unwrap_or("Unknown")
        .to_owned();
    let mut runs = false;
    for container in statuses(pod, "containerStatuses").iter().rev() {
        let state = &container["state"];
        if let Some(reason) = state["waiting"]["reason"]
            .as_str()
            .or_else(|| state["terminated"]["reason"].as_str())
        {
            word = reason.to_owned();
        } else if container["ready"] == true && state["running"].is_object() {
            runs = true;
        }
    }
    if word == "Completed" && runs {
        word = "Running".into();
    }
    if !pod["metadata"]["deletionTimestamp"].is_null() {
        return if pod["status"]["reason"] == "NodeLost" {
            "Unknown".into()
        } else if matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed")) {
            word
        } else {
            "Terminating".into()
        };
    }
    word
}

fn restarts(pod: &Value, now: Timestamp) -> Value {
    let count: i64 = statuses(pod, "containerStatuses")
        .iter()
        .map(|one| number(&one["restartCount"]))
        .sum();
    let last = statuses(pod, "containerStatuses")
        .iter()
        .filter_map(|one| one["lastState"]["terminated"]["finishedAt"].as_str())
        .max();
    match last {
        Some(time) if count > 0 => format!("{count} ({} ago)", age(Some(time), now)).into(),
        _ => count.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_s_state_reads_as_kubectl_prints_it() {
        let waiting = json!({"status": {"phase": "Pending", "containerStatuses": [{"ready": false, "state": {"waiting": {"reason": "ContainerCreating"}}}]}});
        assert_eq!(status(&waiting), "ContainerCreating");
        let mut running = json!({"metadata": {}, "status": {"phase": "Running", "containerStatuses": [{"ready": true, "state": {"running": {}}}]}});
        assert_eq!(status(&running), "Running");
        running["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(status(&running), "Terminating");
        let done = json!({"status": {"phase": "Succeeded", "containerStatuses": [{"ready": false, "state": {"terminated": {"reason": "Completed"}}}]}});
        assert_eq!(status(&done), "Completed");
    }
}
