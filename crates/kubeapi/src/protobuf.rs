//! Protobuf bodies, as typed clients (and kubectl for what it makes itself) send them for Kubernetes' own kinds,
//! although they accept JSON in return.
//!
//! A body is the four bytes `k8s\0` and a `runtime.Unknown` with the kind and the object's own bytes. How a kind is
//! written stands in `data/messages.json`, a message a line (`examples/messages.rs` makes it), so that a kind is data.

mod messages;
mod values;

use prost::Message;
use serde_json::Value;

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
    let message = messages::of_kind(&meta.api_version, &meta.kind).ok_or_else(|| {
        Status::unsupported_media_type(
            &format!("application/vnd.kubernetes.protobuf of kind {}", meta.kind),
            &["application/json", "application/yaml"],
        )
    })?;
    let mut object = Value::Object(values::message(&unknown.raw, message, 0).map_err(bad)?);
    object["apiVersion"] = meta.api_version.into();
    object["kind"] = meta.kind.into();
    Ok(object)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    #[derive(Clone, PartialEq, Message)]
    struct ObjectMeta {
        #[prost(string, required, tag = "1")]
        name: String,
        #[prost(string, required, tag = "2")]
        generate_name: String,
        #[prost(message, required, tag = "8")]
        created: Nothing,
        #[prost(map = "string, string", tag = "11")]
        labels: HashMap<String, String>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Nothing {}

    #[derive(Clone, PartialEq, Message)]
    struct Secret {
        #[prost(message, required, tag = "1")]
        metadata: ObjectMeta,
        #[prost(map = "string, bytes", tag = "2")]
        data: HashMap<String, Vec<u8>>,
        #[prost(string, required, tag = "3")]
        kind: String,
        #[prost(bool, optional, tag = "5")]
        immutable: Option<bool>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct DeleteOptions {
        #[prost(int64, optional, tag = "1")]
        grace: Option<i64>,
        #[prost(string, repeated, tag = "5")]
        dry_run: Vec<String>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct IntOrString {
        #[prost(int64, required, tag = "1")]
        kind: i64,
        #[prost(int32, required, tag = "2")]
        number: i32,
        #[prost(string, required, tag = "3")]
        text: String,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Service {
        #[prost(message, required, tag = "2")]
        spec: ServiceSpec,
    }

    #[derive(Clone, PartialEq, Message)]
    struct ServiceSpec {
        #[prost(message, repeated, tag = "1")]
        ports: Vec<ServicePort>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct ServicePort {
        #[prost(int32, required, tag = "3")]
        port: i32,
        #[prost(message, required, tag = "4")]
        target: IntOrString,
        #[prost(int32, required, tag = "5")]
        node_port: i32,
        #[prost(string, required, tag = "99")]
        newer: String,
    }

    fn body(api_version: &str, kind: &str, message: &impl Message) -> Vec<u8> {
        let unknown = Unknown {
            type_meta: Some(TypeMeta {
                api_version: api_version.into(),
                kind: kind.into(),
            }),
            raw: message.encode_to_vec(),
        };
        [MAGIC, &unknown.encode_to_vec()].concat()
    }

    fn metadata(name: &str) -> ObjectMeta {
        ObjectMeta {
            name: name.into(),
            labels: [("a".into(), "b".into())].into(),
            ..ObjectMeta::default()
        }
    }

    #[test]
    fn zero_is_nothing_unless_the_field_may_be_either() {
        let secret = Secret {
            metadata: metadata("db"),
            data: [("password".into(), b"x".to_vec())].into(),
            kind: "Opaque".into(),
            immutable: Some(false),
        };
        let expected = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "labels": {"a": "b"}},
            "type": "Opaque", "data": {"password": "eA=="}, "immutable": false});
        assert_eq!(decode(&body("v1", "Secret", &secret)).unwrap(), expected);
    }

    #[test]
    fn numbers_or_texts_are_what_they_say_and_unknown_fields_are_passed_over() {
        let port = |port: i32, kind: i64, number: i32, text: &str| ServicePort {
            port,
            target: IntOrString {
                kind,
                number,
                text: text.into(),
            },
            node_port: 0,
            newer: "field".into(),
        };
        let spec = ServiceSpec {
            ports: vec![port(80, 1, 0, "http"), port(81, 0, 8081, ""), port(82, 0, 0, "")],
        };
        assert_eq!(
            decode(&body("v1", "Service", &Service { spec })).unwrap()["spec"]["ports"],
            json!([{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8081}, {"port": 82}])
        );
    }

    #[test]
    fn options_of_a_deletion_come_under_the_version_of_what_is_deleted() {
        let options = DeleteOptions {
            grace: Some(0),
            dry_run: vec!["All".into()],
        };
        let read = decode(&body("apps/v1", "DeleteOptions", &options)).unwrap();
        assert_eq!(
            (&read["dryRun"], &read["gracePeriodSeconds"]),
            (&json!(["All"]), &json!(0))
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let thing = body("example.io/v1", "Thing", &Nothing {});
        assert_eq!(decode(&thing).unwrap_err().code, 415);
        assert_eq!(decode(b"nonsense").unwrap_err().code, 400);
        assert_eq!(decode(b"k8s\0\xff\xff\xff").unwrap_err().code, 400);
        let mut short = body("v1", "Secret", &Nothing {});
        // A field of the secret that is longer than the body.
        let unknown = Unknown {
            raw: vec![0x0a, 0x7f],
            ..Unknown::decode(&short[4..]).unwrap()
        };
        short = [MAGIC, &unknown.encode_to_vec()].concat();
        assert_eq!(decode(&short).unwrap_err().code, 400);
    }
}
