//! From a template to the object for one cluster: template, identity, overrides, preferred replicas, marks of ownership.
//!
//! The result is an apply configuration: it states what the hub wants and nothing else, so status and whatever servers
//! set for themselves are taken out, also after the overrides.

use serde_json::{Map, Value, json};

use super::{ADOPTED_ANNOTATION, FederatedObject, MANAGED_LABEL, OWNER_ANNOTATION, foreign};
use crate::overrides::{self, Operation};
use crate::{Error, TypeDescriptor, retain};

/// The most bytes that an API server accepts of one object.
pub const MAX_OBJECT_BYTES: usize = 3 * 512 * 1024;

/// Marks that say whose object it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Built<'a> {
    /// The hub's UID; none offline.
    pub hub_uid: Option<&'a str>,
    /// Replicas that a preference gives to this cluster.
    pub replicas: Option<i64>,
    /// Whether the object was there before the hub.
    pub adopted: bool,
    /// What the member has assigned ([`crate::Present::retained`]): it wins over the template, and overrides win over it.
    pub retained: Option<&'a Value>,
}

/// Makes the object for one cluster.
///
/// # Errors
/// When the template is no object of its kind, an operation does not apply, the overrides change which object it is,
/// or the result is too large.
pub fn build(
    kind: &TypeDescriptor,
    object: &FederatedObject,
    operations: &[Operation],
    marks: Built<'_>,
) -> Result<Value, Error> {
    let mut built = from_template(kind, object)?;
    if let Some(retained) = marks.retained {
        retain::retain(kind, &mut built, retained);
    }
    overrides::apply(&mut built, operations)?;
    check_identity(kind, object, &built)?;
    if let (Some(replicas), Some(path)) = (marks.replicas, kind.replicas_path.as_deref()) {
        state(&mut built, path, replicas.into())?;
    }
    // Overrides may have brought it back.
    foreign::strip(kind, &mut built);
    retain::leave_secrets(kind, &mut built);
    mark(&mut built, marks)?;
    let bytes = built.to_string().len();
    if bytes > MAX_OBJECT_BYTES {
        return Err(Error::TooLarge {
            bytes,
            limit: MAX_OBJECT_BYTES,
        });
    }
    Ok(built)
}

fn from_template(kind: &TypeDescriptor, object: &FederatedObject) -> Result<Value, Error> {
    let mut built = object.template.clone();
    let api_version = match built.get("apiVersion").and_then(Value::as_str) {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => kind.target.api_version(),
    };
    built.insert("apiVersion".to_owned(), api_version.into());
    built.insert("kind".to_owned(), kind.target.kind.as_ref().into());
    let metadata = built.entry("metadata").or_insert(Value::Null);
    if metadata.is_null() {
        *metadata = json!({});
    }
    let Value::Object(metadata) = metadata else {
        return Err(Error::Template {
            field: "spec.template.metadata".to_owned(),
            problem: "must be an object".to_owned(),
        });
    };
    metadata.insert("name".to_owned(), object.name.as_str().into());
    if kind.target.namespaced {
        metadata.insert("namespace".to_owned(), object.namespace.as_str().into());
    } else {
        metadata.remove("namespace");
    }
    let mut built = Value::Object(built);
    foreign::strip_identity(&mut built);
    match check_identity(kind, object, &built) {
        Err(Error::Identity { field, before, after }) => Err(Error::Template {
            field: "spec.template.apiVersion".to_owned(),
            problem: format!(
                "{field} must be {before:?}, not {after:?}; write {} or leave it out",
                kind.target.api_version()
            ),
        }),
        Err(other) => Err(other),
        Ok(()) => Ok(built),
    }
}

/// The exact paths are forbidden already; this also catches whoever replaces what holds them.
fn check_identity(kind: &TypeDescriptor, object: &FederatedObject, built: &Value) -> Result<(), Error> {
    let namespace = if kind.target.namespaced {
        object.namespace.as_str()
    } else {
        ""
    };
    let group = |api_version: &str| api_version.rsplit_once('/').map_or("", |(group, _)| group).to_owned();
    let text = |pointer: &str| {
        built
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let version = text("/apiVersion");
    if version.is_empty() || version.ends_with('/') {
        return Err(Error::Identity {
            field: "apiVersion",
            before: kind.target.api_version(),
            after: built.get("apiVersion").map(Value::to_string).unwrap_or_default(),
        });
    }
    let checks = [
        ("kind", kind.target.kind.to_string(), text("/kind")),
        ("metadata.name", object.name.clone(), text("/metadata/name")),
        ("metadata.namespace", namespace.to_owned(), text("/metadata/namespace")),
        ("metadata.generateName", String::new(), text("/metadata/generateName")),
        (
            "the group of apiVersion",
            kind.target.group.to_string(),
            group(&version),
        ),
    ];
    match checks.into_iter().find(|(_, before, after)| before != after) {
        None => Ok(()),
        Some((field, before, after)) => Err(Error::Identity { field, before, after }),
    }
}

fn mark(built: &mut Value, marks: Built<'_>) -> Result<(), Error> {
    text_map(built, "labels")?.insert(MANAGED_LABEL.to_owned(), "true".into());
    let annotations = text_map(built, "annotations")?;
    // Marks are ours to set: one that came with a template would claim what never happened.
    annotations.remove(OWNER_ANNOTATION);
    annotations.remove(ADOPTED_ANNOTATION);
    if let Some(uid) = marks.hub_uid {
        annotations.insert(OWNER_ANNOTATION.to_owned(), uid.into());
    }
    if marks.adopted {
        annotations.insert(ADOPTED_ANNOTATION.to_owned(), "true".into());
    }
    if annotations.is_empty()
        && let Some(metadata) = built["metadata"].as_object_mut()
    {
        metadata.remove("annotations");
    }
    Ok(())
}

/// `metadata.labels` or `metadata.annotations` of an object, made when missing.
fn text_map<'a>(object: &'a mut Value, field: &str) -> Result<&'a mut Map<String, Value>, Error> {
    let problem = |problem: String| Error::Template {
        field: format!("metadata.{field}"),
        problem,
    };
    let place = &mut object["metadata"][field];
    if place.is_null() {
        *place = json!({});
    }
    let map = place
        .as_object_mut()
        .ok_or_else(|| problem("must be a map of texts".to_owned()))?;
    match map.iter().find(|(_, value)| !value.is_string()) {
        Some((key, value)) => Err(problem(format!("{key} must be a text; write \"{value}\" in quotes"))),
        None => Ok(map),
    }
}

fn state(object: &mut Value, pointer: &str, value: Value) -> Result<(), Error> {
    let mut place = object;
    for segment in pointer.trim_start_matches('/').split('/') {
        if place.is_null() {
            *place = json!({});
        }
        let Value::Object(map) = place else {
            return Err(Error::Template {
                field: pointer.to_owned(),
                problem: "cannot be set, because what should hold it is no map".to_owned(),
            });
        };
        place = map.entry(segment).or_insert(Value::Null);
    }
    *place = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overrides::Overrides;
    use crate::types;

    fn built(name: &str, template: Value, operations: Value) -> Result<Value, Error> {
        let kind = types::find(name).unwrap();
        let object = json!({
            "kind": kind.federated.kind, "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"template": template, "overrides": [{"clusterName": "c", "clusterOverrides": operations}]},
        });
        let object = FederatedObject::parse(kind, &object).unwrap();
        let overrides: &Overrides = object.overrides.as_ref().unwrap();
        build(kind, &object, &overrides.entries()[0].operations, Built::default())
    }

    #[test]
    fn identity_is_forced_and_foreign_metadata_dropped() {
        let template = json!({
            "apiVersion": "v1", "kind": "Pod", "status": {"phase": "x"}, "data": {"a": "1"},
            "metadata": {
                "name": "other", "namespace": "kube-system", "generateName": "g-", "uid": "u", "resourceVersion": "1", "creationTimestamp": null,
                "ownerReferences": [{}], "finalizers": ["x"], "managedFields": [], "labels": {"app": "web"}, "annotations": {"team": "a"},
            },
        });
        assert_eq!(
            built("configmaps", template, json!([])).unwrap(),
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"},
                "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web", MANAGED_LABEL: "true"}, "annotations": {"team": "a"}},
            })
        );
    }

    #[test]
    fn an_empty_template_is_an_object_with_a_name() {
        let namespace = built("namespaces", json!(null), json!([])).unwrap();
        assert_eq!(
            namespace,
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web", "labels": {MANAGED_LABEL: "true"}}})
        );
    }

    #[test]
    fn replacing_metadata_may_not_rename() {
        let error = built(
            "configmaps",
            json!({}),
            json!([{"path": "/metadata", "value": {"name": "other", "namespace": "shop"}}]),
        )
        .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Identity {
                    field: "metadata.name",
                    ..
                }
            ),
            "{error}"
        );
        let keeps = json!([{"path": "/metadata", "value": {"name": "web", "namespace": "shop", "labels": {"a": "b"}}}]);
        assert_eq!(
            built("configmaps", json!({}), keeps).unwrap()["metadata"]["labels"]["a"],
            "b"
        );
    }

    #[test]
    fn another_version_may_be_asked_for_but_no_other_group() {
        let version = |to: &str| {
            built(
                "deployments.apps",
                json!({"spec": {}}),
                json!([{"path": "/apiVersion", "value": to}]),
            )
        };
        assert_eq!(version("apps/v1beta2").unwrap()["apiVersion"], "apps/v1beta2");
        assert!(version("v1").is_err() && version("evil.example/v1").is_err());
        for none in [json!(null), json!(""), json!(1)] {
            assert!(built("configmaps", json!({}), json!([{"path": "/apiVersion", "value": none}])).is_err());
        }
        assert!(
            built(
                "configmaps",
                json!({}),
                json!([{"op": "remove", "path": "/apiVersion"}])
            )
            .is_err()
        );
    }

    #[test]
    fn overrides_cannot_bring_back_status_owners_or_take_the_label() {
        let operations = json!([
            {"path": "/status", "value": {"x": 1}},
            {"op": "add", "path": "/metadata/ownerReferences", "value": [{}]},
            {"path": "/metadata/labels", "value": {MANAGED_LABEL: "false"}},
            {"path": "/metadata/annotations", "value": {OWNER_ANNOTATION: "somebody"}},
        ]);
        let built = built("configmaps", json!({}), operations).unwrap();
        assert_eq!(
            built["metadata"],
            json!({"name": "web", "namespace": "shop", "labels": {MANAGED_LABEL: "true"}})
        );
        assert_eq!(built.get("status"), None);
    }

    #[test]
    fn labels_that_are_no_texts_are_refused() {
        let error = built("configmaps", json!({"metadata": {"labels": {"version": 1}}}), json!([])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "metadata.labels: version must be a text; write \"1\" in quotes"
        );
    }

    #[test]
    fn an_object_beyond_what_servers_accept_is_refused() {
        let text = "x".repeat(MAX_OBJECT_BYTES);
        assert!(matches!(
            built("configmaps", json!({"data": {"a": text}}), json!([])),
            Err(Error::TooLarge { .. })
        ));
    }
}
