//! Columns of what holds data, and of its limits.

use atoll_kubeapi::Column;
use serde_json::Value;

fn entries(object: &Value, fields: &[&str]) -> Value {
    let count = |field: &&str| object[*field].as_object().map_or(0, serde_json::Map::len);
    fields.iter().map(count).sum::<usize>().into()
}

pub(super) fn config_maps() -> Vec<Column> {
    vec![Column::function("Data", "string", |object, _| {
        entries(object, &["data", "binaryData"])
    })]
}

pub(super) fn secrets() -> Vec<Column> {
    vec![
        Column::path("Type", "string", ".type"),
        Column::function("Data", "string", |object, _| entries(object, &["data"])),
    ]
}

pub(super) fn claims() -> Vec<Column> {
    vec![
        Column::function("Status", "string", |object, _| {
            if object["metadata"]["deletionTimestamp"].is_null() {
                object["status"]["phase"].clone()
            } else {
                "Terminating".into()
            }
        }),
        Column::path("Volume", "string", ".spec.volumeName"),
        Column::path("Capacity", "string", ".status.capacity.storage"),
        Column::function("Access Modes", "string", |object, _| {
            let modes: Vec<&str> = object["status"]["accessModes"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|mode| match mode.as_str() {
                    Some("ReadWriteOnce") => "RWO",
                    Some("ReadOnlyMany") => "ROX",
                    Some("ReadWriteMany") => "RWX",
                    Some("ReadWriteOncePod") => "RWOP",
                    _ => "",
                })
                .collect();
            modes.join(",").into()
        }),
        Column::path("StorageClass", "string", ".spec.storageClassName"),
        Column::function("VolumeAttributesClass", "string", |object, _| {
            object["spec"]["volumeAttributesClassName"]
                .as_str()
                .unwrap_or("<unset>")
                .into()
        }),
        Column::path("Age", "date", ".metadata.creationTimestamp"),
        Column::path("VolumeMode", "string", ".spec.volumeMode").wide(),
    ]
}

pub(super) fn quotas() -> Vec<Column> {
    vec![
        Column::function("Request", "string", |object, _| quota(object, |name| !is_limit(name))),
        Column::function("Limit", "string", |object, _| quota(object, is_limit)),
    ]
}

fn is_limit(name: &str) -> bool {
    name.starts_with("limits.")
}

fn quota(object: &Value, is_wanted: fn(&str) -> bool) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or("0").to_owned();
    let parts: Vec<String> = object["spec"]["hard"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| is_wanted(name))
        .map(|(name, hard)| format!("{name}: {}/{}", text(&object["status"]["used"][name]), text(hard)))
        .collect();
    parts.join(", ").into()
}
