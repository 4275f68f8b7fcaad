//! `KubeFedCluster`: a registered cluster as Kubernetes' clients see it.

use atoll_kubeapi::{Column, Resource, Schema};
use serde_json::{Value, json};

use super::CORE_GROUP;

/// Plural of the kind.
pub(super) const PLURAL: &str = "kubefedclusters";

pub(super) fn resource() -> Resource {
    Resource {
        singular: "kubefedcluster".into(),
        short_names: vec!["kfc".into()],
        categories: vec!["federated".into()],
        status: true,
        columns: vec![
            Column::path("Age", "date", ".metadata.creationTimestamp"),
            Column::function("Ready", "string", |object, _| ready(object))
                .described("Whether the cluster answers and is planned for."),
            Column::path("Kubernetes-Version", "string", ".status.kubernetesVersion"),
            Column::path("Endpoint", "string", ".spec.apiEndpoint").wide(),
            Column::path("Region", "string", ".status.region").wide(),
        ],
        schema: Schema::new(schema()),
        description: "A cluster that is registered with this hub.".into(),
        ..Resource::new(CORE_GROUP, "v1beta1", "KubeFedCluster", PLURAL)
    }
}

/// A cluster that does not answer has no condition `Ready`: then any other says that it is not.
fn ready(object: &Value) -> Value {
    let conditions = object["status"]["conditions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
    match ready {
        Some(condition) => condition["status"].clone(),
        None if conditions.is_empty() => "Unknown".into(),
        None => "False".into(),
    }
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn schema() -> Value {
    let condition = json!({"type": "object", "required": ["type", "status"], "properties": {
        "type": text("Ready, Offline, ConfigMalformed, AuthFailed, CertInvalid, WrongIdentity or Degraded."),
        "status": text("True, False or Unknown."),
        "reason": text("One word for programs."),
        "message": text("For people."),
        "lastProbeTime": text("When the cluster was last asked."),
        "lastTransitionTime": text("When the status last changed."),
    }});
    json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {
            "type": "object",
            "description": "How the cluster is reached.",
            "required": ["apiEndpoint", "secretRef"],
            "properties": {
                "apiEndpoint": text("Where its API server is: a host, host:port or an https URL. When it changes, the \
                    Secret must be written again: the stored credential is not sent to a new address."),
                "caBundle": {"type": "string", "format": "byte", "description": "Certificate authority of the API \
                    server in PEM, as base64. Without it the system's authorities count."},
                "secretRef": {
                    "type": "object",
                    "required": ["name"],
                    "description": "The Secret in kube-federation-system whose key token is a bearer token.",
                    "properties": {"name": text("Name of the Secret.")},
                },
                "disabledTLSValidations": {
                    "type": "array",
                    "items": {"type": "string"},
                    "x-kubernetes-list-type": "atomic",
                    "x-atoll-hint": "it lists what is not verified, and certificates are always verified: write \
                        disabledTLSValidations: []",
                    "description": "KubeFed's switches against verification. This hub always verifies: leave it empty.",
                },
                "proxyURL": text("KubeFed's proxy towards the cluster. This hub uses none: leave it empty."),
            },
        },
        "status": {
            "type": "object",
            "description": "What the hub last found.",
            "x-kubernetes-preserve-unknown-fields": true,
            "properties": {
                "conditions": {"type": "array", "items": condition, "x-kubernetes-list-type": "atomic"},
                "kubernetesVersion": text("Version of its API server."),
                "region": text("Region of most of its nodes."),
                "zones": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "atomic",
                    "description": "Zones of its nodes, sorted."},
            },
        },
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_told_even_of_a_cluster_that_does_not_answer() {
        let with = |conditions: Value| ready(&json!({"status": {"conditions": conditions}}));
        assert_eq!(
            with(json!([{"type": "Offline", "status": "False"}, {"type": "Ready", "status": "True"}])),
            "True"
        );
        assert_eq!(with(json!([{"type": "Offline", "status": "True"}])), "False");
        assert_eq!(ready(&json!({})), "Unknown");
    }
}
