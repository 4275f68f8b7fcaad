//! Pods from templates, and what is counted of pods.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::fields::{condition, controller_reference, is_deleting, is_true, name, namespace, number, time};

/// A pod of this template, controlled by its owner. It still lacks a name.
pub(super) fn pod(owner: &Value, template: &Value) -> Value {
    let mut metadata = json!({
        "namespace": namespace(owner),
        "labels": template["metadata"]["labels"],
        "ownerReferences": [controller_reference(owner)],
    });
    for field in ["annotations", "finalizers"] {
        if !template["metadata"][field].is_null() {
            metadata[field] = template["metadata"][field].clone();
        }
    }
    json!({"metadata": metadata, "spec": template["spec"], "status": {"phase": "Pending"}})
}

/// The same with a name that begins with the owner's.
pub(super) fn named_pod(owner: &Value, template: &Value) -> Value {
    let mut pod = pod(owner, template);
    pod["metadata"]["generateName"] = format!("{}-", name(owner)).into();
    pod
}

/// A short name for a value: equal values have equal ones.
pub(super) fn hash(value: &Value) -> String {
    // No vowels and no look-alikes, as in the names that Kubernetes generates.
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let text = value.to_string();
    digest(&SHA256, text.as_bytes()).as_ref()[..10]
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect()
}

/// Whether the pod has ended by itself.
pub(super) fn is_over(pod: &Value) -> bool {
    matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

/// Whether the pod runs, or will.
pub(super) fn is_active(pod: &Value) -> bool {
    !is_over(pod) && !is_deleting(pod)
}

/// Whether the pod serves.
pub(super) fn is_ready(pod: &Value) -> bool {
    is_true(pod, "Ready")
}

/// When the pod will have been ready for as long as it has to be.
pub(super) fn available_at(pod: &Value, min_ready: &Value) -> Option<Timestamp> {
    if !is_ready(pod) {
        return None;
    }
    let since = time(&condition(pod, "Ready")?["lastTransitionTime"])?;
    since.checked_add(SignedDuration::from_secs(number(min_ready))).ok()
}

/// Whether the pod has been ready for long enough.
pub(super) fn is_available(pod: &Value, min_ready: &Value, now: Timestamp) -> bool {
    available_at(pod, min_ready).is_some_and(|at| at <= now)
}

/// The next moment at which one of these pods becomes available.
pub(super) fn next_available(pods: &[&Arc<Value>], min_ready: &Value, now: Timestamp) -> Option<Timestamp> {
    pods.iter()
        .filter_map(|pod| available_at(pod, min_ready))
        .filter(|at| *at > now)
        .min()
}

/// Pods in the order in which they are given up: those first that do least, or have done it for the shortest time.
pub(super) fn by_worth(mut pods: Vec<&Arc<Value>>) -> Vec<&Arc<Value>> {
    pods.sort_by_key(|pod| {
        let is_placed = pod["spec"]["nodeName"].as_str().is_some_and(|node| !node.is_empty());
        let age = pod["metadata"]["creationTimestamp"].as_str().unwrap_or_default();
        (
            is_placed,
            is_ready(pod),
            std::cmp::Reverse(age.to_owned()),
            name(pod).to_owned(),
        )
    });
    pods
}

/// Writes a count into a status; zero is left out, as API servers leave it out.
pub(super) fn count(status: &mut Value, field: &str, value: i64) {
    if value == 0 {
        crate::fields::remove(status, field);
    } else {
        status[field] = value.into();
    }
}
