//! The core kinds that tools expect of any Kubernetes API. They rest on the hub and touch no member.

use atoll_kubeapi::path::Path;
use atoll_kubeapi::{Column, Resource};
use serde_json::{Value, json};

pub(super) fn resources() -> [Resource; 3] {
    [namespaces(), configmaps(), secrets()]
}

fn built_in(kind: &str, plural: &str) -> Resource {
    Resource::built_in("", "v1", kind, plural).expect("the embedded structures have the core kinds")
}

fn selectable(field: &str) -> (String, Path) {
    (
        field.to_owned(),
        Path::parse(field).expect("a field of this list is a path"),
    )
}

fn count(object: &Value, fields: &[&str]) -> Value {
    let size = |field: &&str| object[*field].as_object().map_or(0, serde_json::Map::len);
    json!(fields.iter().map(size).sum::<usize>())
}

fn namespaces() -> Resource {
    Resource {
        namespaced: false,
        short_names: vec!["ns".into()],
        columns: vec![
            Column::path("Status", "string", ".status.phase")
                .described("Active, or Terminating once it is deleted and until everything in it is gone."),
        ],
        selectable: [selectable("status.phase")].into(),
        description: "A namespace of the hub: where federated objects live. It exists in members only where a \
             FederatedNamespace of the same name says so."
            .into(),
        ..built_in("Namespace", "namespaces")
    }
}

fn configmaps() -> Resource {
    Resource {
        short_names: vec!["cm".into()],
        columns: vec![Column::function("Data", "integer", |object, _| {
            count(object, &["data", "binaryData"])
        })],
        description: "Configuration kept on the hub; it is not propagated. Use a FederatedConfigMap for that.".into(),
        ..built_in("ConfigMap", "configmaps")
    }
}

fn secrets() -> Resource {
    Resource {
        columns: vec![
            Column::path("Type", "string", ".type"),
            Column::function("Data", "integer", |object, _| count(object, &["data"])),
        ],
        selectable: [selectable("type")].into(),
        description: "A secret kept on the hub, sealed; it is not propagated. Those of the namespace \
             kube-federation-system are credentials of clusters: their values can be written and are never shown."
            .into(),
        ..built_in("Secret", "secrets")
    }
}
