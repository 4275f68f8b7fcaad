//! Columns of roles and bindings.

use atoll_kubeapi::Column;
use serde_json::Value;

/// Kinds that print when they were made instead of how old they are.
pub(super) fn created_at() -> Vec<Column> {
    vec![
        Column::path("Name", "string", ".metadata.name"),
        Column::function("Created At", "date", |object, _| {
            object["metadata"]["creationTimestamp"].clone()
        }),
    ]
}

pub(super) fn bindings() -> Vec<Column> {
    vec![
        Column::function("Role", "string", |object, _| {
            let text = |field: &str| object["roleRef"][field].as_str().unwrap_or_default();
            format!("{}/{}", text("kind"), text("name")).into()
        }),
        Column::path("Age", "date", ".metadata.creationTimestamp"),
        Column::function("Users", "string", |object, _| subjects(object, "User")).wide(),
        Column::function("Groups", "string", |object, _| subjects(object, "Group")).wide(),
        Column::function("ServiceAccounts", "string", |object, _| {
            subjects(object, "ServiceAccount")
        })
        .wide(),
    ]
}

fn subjects(object: &Value, kind: &str) -> Value {
    let names: Vec<String> = object["subjects"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|subject| subject["kind"] == kind)
        .map(|subject| {
            let name = subject["name"].as_str().unwrap_or_default();
            match subject["namespace"].as_str() {
                Some(namespace) if kind == "ServiceAccount" => format!("{namespace}/{name}"),
                _ => name.to_owned(),
            }
        })
        .collect();
    names.join(", ").into()
}
