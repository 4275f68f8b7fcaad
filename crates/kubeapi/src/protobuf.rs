//! Protobuf bodies, as kubectl sends them for a few core kinds although it accepts JSON in return.
//!
//! A body is the four bytes `k8s\0` and a `runtime.Unknown` with the kind and the object's own bytes. The messages
//! declared here are those that typed clients send to the hub: namespaces, `ConfigMap`s, `Secret`s, options of
//! deletions, and access reviews. Field numbers are those of Kubernetes' own `generated.proto` files.

use base64::Engine;
use prost::Message;
use serde_json::{Map, Value, json};

use crate::status::Status;

const MAGIC: &[u8] = b"k8s\0";

#[derive(Clone, PartialEq, Message)]
struct Unknown {
    #[prost(message, optional, tag = "1")]
    type_meta: Option<TypeMeta>,
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct TypeMeta {
    #[prost(string, tag = "1")]
    api_version: String,
    #[prost(string, tag = "2")]
    kind: String,
}

#[derive(Clone, PartialEq, Message)]
struct ObjectMeta {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    generate_name: String,
    #[prost(string, tag = "3")]
    namespace: String,
    #[prost(string, tag = "5")]
    uid: String,
    #[prost(string, tag = "6")]
    resource_version: String,
    #[prost(map = "string, string", tag = "11")]
    labels: std::collections::HashMap<String, String>,
    #[prost(map = "string, string", tag = "12")]
    annotations: std::collections::HashMap<String, String>,
    #[prost(string, repeated, tag = "14")]
    finalizers: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Namespace {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ObjectMeta>,
}

#[derive(Clone, PartialEq, Message)]
struct ConfigMap {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ObjectMeta>,
    #[prost(map = "string, string", tag = "2")]
    data: std::collections::HashMap<String, String>,
    #[prost(map = "string, bytes", tag = "3")]
    binary_data: std::collections::HashMap<String, Vec<u8>>,
    #[prost(bool, optional, tag = "4")]
    immutable: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
struct Secret {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ObjectMeta>,
    #[prost(map = "string, bytes", tag = "2")]
    data: std::collections::HashMap<String, Vec<u8>>,
    #[prost(string, tag = "3")]
    kind: String,
    #[prost(map = "string, string", tag = "4")]
    string_data: std::collections::HashMap<String, String>,
    #[prost(bool, optional, tag = "5")]
    immutable: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
struct Preconditions {
    #[prost(string, optional, tag = "1")]
    uid: Option<String>,
    #[prost(string, optional, tag = "2")]
    resource_version: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct DeleteOptions {
    #[prost(int64, optional, tag = "1")]
    grace_period_seconds: Option<i64>,
    #[prost(message, optional, tag = "2")]
    preconditions: Option<Preconditions>,
    #[prost(bool, optional, tag = "3")]
    orphan_dependents: Option<bool>,
    #[prost(string, optional, tag = "4")]
    propagation_policy: Option<String>,
    #[prost(string, repeated, tag = "5")]
    dry_run: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct AccessReview {
    #[prost(message, optional, tag = "2")]
    spec: Option<AccessReviewSpec>,
}

#[derive(Clone, PartialEq, Message)]
struct AccessReviewSpec {
    #[prost(message, optional, tag = "1")]
    resource: Option<ResourceAttributes>,
    #[prost(message, optional, tag = "2")]
    non_resource: Option<NonResourceAttributes>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceAttributes {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    verb: String,
    #[prost(string, tag = "3")]
    group: String,
    #[prost(string, tag = "4")]
    version: String,
    #[prost(string, tag = "5")]
    resource: String,
    #[prost(string, tag = "6")]
    subresource: String,
    #[prost(string, tag = "7")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct NonResourceAttributes {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(string, tag = "2")]
    verb: String,
}

impl ObjectMeta {
    fn json(self) -> Value {
        let mut fields = Map::new();
        for (name, value) in [
            ("name", self.name),
            ("generateName", self.generate_name),
            ("namespace", self.namespace),
            ("uid", self.uid),
            ("resourceVersion", self.resource_version),
        ] {
            if !value.is_empty() {
                fields.insert(name.into(), value.into());
            }
        }
        if !self.labels.is_empty() {
            fields.insert("labels".into(), json!(self.labels));
        }
        if !self.annotations.is_empty() {
            fields.insert("annotations".into(), json!(self.annotations));
        }
        if !self.finalizers.is_empty() {
            fields.insert("finalizers".into(), json!(self.finalizers));
        }
        Value::Object(fields)
    }
}

/// The object in a protobuf body, as JSON.
///
/// # Errors
/// 400 when it cannot be read, 415 for a kind that is taken as JSON only.
pub fn decode(body: &[u8]) -> Result<Value, Status> {
    let bad = |error: prost::DecodeError| Status::bad_request(format!("the body is not valid protobuf: {error}"));
    let body = body
        .strip_prefix(MAGIC)
        .ok_or_else(|| Status::bad_request("the body lacks the protobuf prefix of Kubernetes"))?;
    let unknown = Unknown::decode(body).map_err(bad)?;
    let meta = unknown.type_meta.unwrap_or_default();
    let raw = unknown.raw.as_slice();
    let mut object = match meta.kind.as_str() {
        "Namespace" => json!({"metadata": Namespace::decode(raw).map_err(bad)?.metadata.unwrap_or_default().json()}),
        "ConfigMap" => config_map(ConfigMap::decode(raw).map_err(bad)?),
        "Secret" => secret(Secret::decode(raw).map_err(bad)?),
        "DeleteOptions" => delete_options(DeleteOptions::decode(raw).map_err(bad)?),
        "SelfSubjectAccessReview" => access_review(AccessReview::decode(raw).map_err(bad)?),
        "SelfSubjectReview" => json!({}),
        other => {
            return Err(Status::unsupported_media_type(
                &format!("application/vnd.kubernetes.protobuf of kind {other}"),
                &["application/json", "application/yaml"],
            ));
        }
    };
    object["apiVersion"] = meta.api_version.into();
    object["kind"] = meta.kind.into();
    Ok(object)
}

fn config_map(map: ConfigMap) -> Value {
    let mut object = json!({"metadata": map.metadata.unwrap_or_default().json()});
    if !map.data.is_empty() {
        object["data"] = json!(map.data);
    }
    if !map.binary_data.is_empty() {
        object["binaryData"] = encoded(map.binary_data);
    }
    if let Some(immutable) = map.immutable {
        object["immutable"] = immutable.into();
    }
    object
}

fn secret(secret: Secret) -> Value {
    let mut object = json!({"metadata": secret.metadata.unwrap_or_default().json()});
    if !secret.data.is_empty() {
        object["data"] = encoded(secret.data);
    }
    if !secret.string_data.is_empty() {
        object["stringData"] = json!(secret.string_data);
    }
    if !secret.kind.is_empty() {
        object["type"] = secret.kind.into();
    }
    if let Some(immutable) = secret.immutable {
        object["immutable"] = immutable.into();
    }
    object
}

/// Bytes as JSON carries them.
fn encoded(values: std::collections::HashMap<String, Vec<u8>>) -> Value {
    let encode = |bytes: Vec<u8>| base64::engine::general_purpose::STANDARD.encode(bytes);
    let fields: Map<String, Value> = values
        .into_iter()
        .map(|(key, bytes)| (key, encode(bytes).into()))
        .collect();
    Value::Object(fields)
}

fn delete_options(options: DeleteOptions) -> Value {
    let mut object = json!({});
    if let Some(seconds) = options.grace_period_seconds {
        object["gracePeriodSeconds"] = seconds.into();
    }
    if let Some(preconditions) = options.preconditions {
        object["preconditions"] = json!({"uid": preconditions.uid, "resourceVersion": preconditions.resource_version});
    }
    if let Some(orphan) = options.orphan_dependents {
        object["orphanDependents"] = orphan.into();
    }
    if let Some(policy) = options.propagation_policy {
        object["propagationPolicy"] = policy.into();
    }
    if !options.dry_run.is_empty() {
        object["dryRun"] = json!(options.dry_run);
    }
    object
}

fn access_review(review: AccessReview) -> Value {
    let spec = review.spec.unwrap_or_default();
    let mut object = json!({"spec": {}});
    if let Some(attributes) = spec.resource {
        object["spec"]["resourceAttributes"] = json!({
            "namespace": attributes.namespace, "verb": attributes.verb, "group": attributes.group, "version": attributes.version,
            "resource": attributes.resource, "subresource": attributes.subresource, "name": attributes.name,
        });
    }
    if let Some(attributes) = spec.non_resource {
        object["spec"]["nonResourceAttributes"] = json!({"path": attributes.path, "verb": attributes.verb});
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(kind: &str, message: &impl Message) -> Vec<u8> {
        let unknown = Unknown {
            type_meta: Some(TypeMeta {
                api_version: "v1".into(),
                kind: kind.into(),
            }),
            raw: message.encode_to_vec(),
        };
        [MAGIC, &unknown.encode_to_vec()].concat()
    }

    #[test]
    fn a_namespace_is_read() {
        let namespace = Namespace {
            metadata: Some(ObjectMeta {
                name: "shop".into(),
                labels: [("a".into(), "b".into())].into(),
                ..ObjectMeta::default()
            }),
        };
        let expected =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"a": "b"}}});
        assert_eq!(decode(&body("Namespace", &namespace)).unwrap(), expected);
    }

    #[test]
    fn a_secret_is_read_with_its_bytes_in_base64() {
        let secret = Secret {
            metadata: Some(ObjectMeta {
                name: "db".into(),
                ..ObjectMeta::default()
            }),
            data: [("password".into(), b"x".to_vec())].into(),
            kind: "Opaque".into(),
            ..Secret::default()
        };
        let expected = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "type": "Opaque", "data": {"password": "eA=="}});
        assert_eq!(decode(&body("Secret", &secret)).unwrap(), expected);
    }

    #[test]
    fn a_dry_run_of_a_deletion_is_seen() {
        let options = DeleteOptions {
            dry_run: vec!["All".into()],
            ..DeleteOptions::default()
        };
        assert_eq!(
            decode(&body("DeleteOptions", &options)).unwrap()["dryRun"],
            json!(["All"])
        );
    }

    #[test]
    fn other_kinds_are_told_to_come_as_json() {
        assert_eq!(decode(&body("Pod", &Namespace::default())).unwrap_err().code, 415);
        assert_eq!(decode(b"nonsense").unwrap_err().code, 400);
        assert_eq!(decode(b"k8s\0\xff\xff\xff").unwrap_err().code, 400);
    }
}
