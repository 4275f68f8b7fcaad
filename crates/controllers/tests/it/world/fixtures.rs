//! Names and objects that tests write.

use atoll_federation::{TypeDescriptor, types};
use atoll_store::{ObjectKey, PropagationKey};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) fn metadata(namespace: &str, name: &str, extra: Value) -> Value {
    let mut metadata = json!({
        "name": name,
        "uid": Uuid::new_v4().to_string(),
        "generation": 1,
        "creationTimestamp": "2026-01-02T03:04:05Z",
    });
    if !namespace.is_empty() {
        metadata["namespace"] = namespace.into();
    }
    for (key, value) in extra.as_object().into_iter().flatten() {
        metadata[key] = value.clone();
    }
    metadata
}

pub(crate) fn stored_key(row: &TypeDescriptor, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey::new(&row.federated.group, &row.federated.plural, namespace, name)
}

pub(crate) fn record_key(kind: &str, namespace: &str, name: &str) -> PropagationKey {
    PropagationKey {
        resource: types::find(kind).unwrap().federated.resource(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

/// Path of a member's object.
pub(crate) fn path(kind: &str, namespace: &str, name: &str) -> String {
    let target = &types::find(kind).unwrap().target;
    let root = if target.group.is_empty() { "api" } else { "apis" };
    let inside = if target.namespaced {
        format!("/namespaces/{namespace}")
    } else {
        String::new()
    };
    format!("/{root}/{}{inside}/{}/{name}", target.api_version(), target.plural)
}

/// A workload as people federate one.
pub(crate) fn deployment(replicas: i64, image: &str, placement: Value) -> Value {
    json!({
        "template": {
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "web", "image": image}]},
                },
            },
        },
        "placement": placement,
    })
}

/// Data that goes everywhere.
pub(crate) fn config(color: &str) -> Value {
    json!({"template": {"data": {"color": color}}, "placement": {"clusterSelector": {}}})
}
