//! `scale`: the replicas of a workload as an object of their own, the same for all kinds that have them.

use serde_json::{Value, json};

use crate::resource::Subresource;
use crate::status::Cause;

/// The subresource as a workload declares it.
pub fn subresource() -> Subresource {
    Subresource {
        name: "scale".into(),
        group: "autoscaling".into(),
        version: "v1".into(),
        kind: "Scale".into(),
        verbs: ["get", "patch", "update"].map(str::to_owned).into(),
    }
}

/// The scale of a workload.
pub fn scale(object: &Value) -> Value {
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        metadata[field] = object["metadata"][field].clone();
    }
    let selector = object["spec"]["selector"]
        .get("matchLabels")
        .unwrap_or(&object["spec"]["selector"]);
    let selector: Vec<String> = selector
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
        .collect();
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": object["spec"]["replicas"].as_i64().unwrap_or_default()},
        "status": {
            "replicas": object["status"]["replicas"].as_i64().unwrap_or_default(),
            "selector": selector.join(","),
        },
    })
}

/// The replicas that a scale asks for.
///
/// # Errors
/// The field, when it is no number or below zero.
pub fn replicas(scale: &Value) -> Result<i64, Cause> {
    let value = &scale["spec"]["replicas"];
    match value.as_i64() {
        Some(replicas) if replicas >= 0 => Ok(replicas),
        // As in Kubernetes' own type, where no number is zero.
        None if value.is_null() => Ok(0),
        _ => Err(Cause::invalid(
            "spec.replicas",
            format!("Invalid value: {value}: must be greater than or equal to 0"),
        )),
    }
}
