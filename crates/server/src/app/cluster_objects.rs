//! The objects behind a registered cluster: its `KubeFedCluster`, and the Secret that kubectl's door would have made.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoll_clusters::{Connection, Credential};
use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_store::{Object, ObjectKey, Write};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Label on Secrets that a registration made, with the cluster's name: they go with the cluster.
pub(super) const CLUSTER_LABEL: &str = "atoll.dev/cluster";

/// Key of a Secret of the control plane.
pub(super) fn secret_key(name: &str) -> ObjectKey {
    ObjectKey::new("", "secrets", SYSTEM_NAMESPACE, name)
}

/// A new name for a cluster's Secret, as KubeFed makes them.
pub(super) fn new_secret_name(cluster: &str) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let random: [u8; 5] = rand::random();
    let suffix: String = random
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect();
    format!("{cluster}-{suffix}")
}

fn metadata(name: &str, labels: Value, now: Timestamp) -> Value {
    // Kubernetes keeps times to the second.
    let created = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let mut metadata = json!({
        "name": name,
        "namespace": SYSTEM_NAMESPACE,
        "uid": Uuid::new_v4().to_string(),
        "creationTimestamp": created.to_string(),
    });
    if labels.as_object().is_some_and(|labels| !labels.is_empty()) {
        metadata["labels"] = labels;
    }
    metadata
}

/// The Secret with a cluster's credential. The store seals it.
pub(super) fn secret(name: &str, cluster: &str, credential: &Credential, now: Timestamp) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(name, json!({CLUSTER_LABEL: cluster}), now),
        "type": "Opaque",
        "data": secret_data(credential),
    })
}

/// `data` of a cluster's Secret: `token`, as KubeFed has it, or a certificate with its key.
pub(super) fn secret_data(credential: &Credential) -> Value {
    match credential {
        Credential::Token(token) => json!({"token": STANDARD.encode(token.expose_secret())}),
        Credential::ClientCertificate { certificate, key } => json!({
            "tls.crt": STANDARD.encode(certificate),
            "tls.key": STANDARD.encode(key.expose_secret()),
        }),
    }
}

/// The `KubeFedCluster` of a new registration.
pub(super) fn kubefed_cluster(
    name: &str,
    labels: &BTreeMap<String, String>,
    connection: &Connection,
    secret_name: &str,
    now: Timestamp,
) -> Value {
    let mut metadata = metadata(name, json!(labels), now);
    metadata["generation"] = 1.into();
    json!({
        "apiVersion": "core.kubefed.io/v1beta1",
        "kind": "KubeFedCluster",
        "metadata": metadata,
        "spec": spec(connection, secret_name),
    })
}

/// `spec` of a `KubeFedCluster`.
pub(super) fn spec(connection: &Connection, secret_name: &str) -> Value {
    let mut spec = json!({
        "apiEndpoint": connection.endpoint.to_string(),
        "secretRef": {"name": secret_name},
    });
    if let Some(ca) = &connection.ca {
        spec["caBundle"] = STANDARD.encode(ca).into();
    }
    spec
}

/// Labels of a stored object.
pub(crate) fn labels_of(body: &Value) -> BTreeMap<String, String> {
    let labels = body["metadata"]["labels"].as_object().into_iter().flatten();
    labels
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// A stored object with other labels.
pub(super) fn with_labels(body: &Value, labels: &BTreeMap<String, String>) -> Value {
    let mut body = body.clone();
    let Some(metadata) = body["metadata"].as_object_mut() else {
        return body;
    };
    if labels.is_empty() {
        metadata.remove("labels");
    } else {
        let labels: Map<String, Value> = labels
            .iter()
            .map(|(key, value)| (key.clone(), value.as_str().into()))
            .collect();
        metadata.insert("labels".to_owned(), Value::Object(labels));
    }
    body
}

/// A stored object with another spec; its generation counts the change.
pub(super) fn with_spec(body: &Value, spec: Value) -> Value {
    let mut body = body.clone();
    if body["spec"] != spec {
        let generation = body["metadata"]["generation"].as_i64().unwrap_or_default();
        body["metadata"]["generation"] = (generation + 1).into();
        body["spec"] = spec;
    }
    body
}

/// The write that puts `body` in place of a stored object.
pub(super) fn update(object: &Object, body: Value) -> Write {
    Write::Update {
        key: object.key.clone(),
        body: Arc::new(body),
        expected: object.revision,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoll_clusters::Endpoint;

    fn connection() -> Connection {
        let endpoint = Endpoint::parse("https://10.0.0.1:6443").unwrap();
        Connection::new(endpoint, None, None, Credential::Token("abc".to_owned().into())).unwrap()
    }

    #[test]
    fn the_objects_are_those_that_kubefed_knows() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let connection = connection();
        let secret = secret("eu-1-abcde", "eu-1", &connection.credential, now);
        assert_eq!(secret["data"]["token"], "YWJj");
        let cluster = kubefed_cluster("eu-1", &BTreeMap::new(), &connection, "eu-1-abcde", now);
        assert_eq!(
            cluster["spec"],
            json!({"apiEndpoint": "https://10.0.0.1:6443", "secretRef": {"name": "eu-1-abcde"}})
        );
        assert!(
            !cluster.to_string().contains("YWJj"),
            "the credential stands in the Secret alone"
        );
    }

    #[test]
    fn a_new_spec_counts_and_the_same_one_does_not() {
        let body = json!({"metadata": {"generation": 3}, "spec": {"a": 1}});
        assert_eq!(with_spec(&body, json!({"a": 1}))["metadata"]["generation"], 3);
        assert_eq!(with_spec(&body, json!({"a": 2}))["metadata"]["generation"], 4);
    }
}
