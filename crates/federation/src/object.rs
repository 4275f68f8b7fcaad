//! A federated object as the hub stores it, read once: what to make, where, and what differs there.
//!
//! Placement and overrides keep their errors instead of failing the whole: an object that cannot be placed must still
//! show why, and must still be deletable.

mod build;
mod foreign;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use build::{Built, MAX_OBJECT_BYTES, build};
pub(crate) use foreign::{JOB_TTL, strip};

use crate::overrides::Overrides;
use crate::placement::Placement;
use crate::status::FederatedStatus;
use crate::{FieldError, TypeDescriptor};

/// Label on everything the hub wrote into a member; `false` there means "never touch this".
pub const MANAGED_LABEL: &str = "kubefed.io/managed";
/// The label by which tools say that an object is theirs.
pub(crate) const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// Annotation on member objects: the UID of the hub that wrote them.
pub const OWNER_ANNOTATION: &str = "atoll.dev/owner";
/// Annotation on a member namespace that was there before the hub: it is released, never deleted.
pub const ADOPTED_ANNOTATION: &str = "atoll.dev/adopted";
/// Annotation on federated objects: `true` leaves member objects behind on deletion.
pub const ORPHAN_ANNOTATION: &str = "kubefed.io/orphan";
/// Annotation on federated objects: `DeleteOptions` as JSON.
pub const DELETE_OPTION_ANNOTATION: &str = "kubefed.io/deleteoption";
/// Annotation on federated objects: `hold` leaves foreign changes in members until somebody answers.
pub const DRIFT_ANNOTATION: &str = "atoll.dev/drift";
/// Annotation on federated objects: the token of a hold that is confirmed.
pub const CONFIRM_DELETES_ANNOTATION: &str = "atoll.dev/confirm-deletes";
/// Finalizer of every federated object.
pub const FINALIZER: &str = "kubefed.io/sync-controller";

/// How member objects are deleted, from the annotation [`DELETE_OPTION_ANNOTATION`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteOptions {
    /// Seconds that pods get to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_period_seconds: Option<i64>,
    /// `Orphan`, `Background` or `Foreground`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub propagation_policy: Option<String>,
    /// What must hold. The hub always adds the UID it recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preconditions: Option<Preconditions>,
}

/// What must hold for a delete to happen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preconditions {
    /// The object's UID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The object's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
}

impl DeleteOptions {
    /// Reads the annotation's text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let options: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match options.propagation_policy.as_deref() {
            None | Some("Orphan" | "Background" | "Foreground") => Ok(options),
            Some(other) => Err(format!(
                "propagationPolicy {other:?} is none of Orphan, Background, Foreground"
            )),
        }
    }

    /// The same, for exactly this object.
    #[must_use]
    pub fn for_uid(mut self, uid: &str) -> Self {
        self.preconditions.get_or_insert_default().uid = Some(uid.to_owned());
        self
    }

    /// The body of the delete request. What belongs to the object goes with it unless somebody said otherwise: by itself,
    /// the API of Jobs would leave their pods.
    pub fn body(&self) -> Value {
        let mut body = serde_json::to_value(self).unwrap_or_default();
        if self.propagation_policy.is_none() {
            body["propagationPolicy"] = "Background".into();
        }
        body["apiVersion"] = "v1".into();
        body["kind"] = "DeleteOptions".into();
        body
    }
}

/// A federated object, read.
#[derive(Debug, Clone, PartialEq)]
pub struct FederatedObject {
    /// Its namespace, empty if it lives in none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID on the hub.
    pub uid: String,
    /// Its generation.
    pub generation: i64,
    /// When it was deleted.
    pub deletion_timestamp: Option<Timestamp>,
    /// Who still wants a word before it goes.
    pub finalizers: Vec<String>,
    /// `spec.template`.
    pub template: Map<String, Value>,
    /// `spec.placement`, or why it cannot be read.
    pub placement: Result<Placement, Vec<FieldError>>,
    /// `spec.overrides`, or why they cannot be read.
    pub overrides: Result<Overrides, Vec<FieldError>>,
    /// `spec.retainReplicas`: members scale by themselves.
    pub retain_replicas: bool,
    /// Whether member objects stay when it is deleted.
    pub orphan: bool,
    /// How member objects are deleted.
    pub delete_options: DeleteOptions,
    /// Whether foreign changes in members stay until somebody answers.
    pub hold_drift: bool,
    /// The token of the hold that is confirmed.
    pub confirm_deletes: Option<String>,
    /// The last written status.
    pub status: Option<FederatedStatus>,
}

impl FederatedObject {
    /// Reads an object as it is stored, that is, admitted ([`crate::admit`]).
    ///
    /// # Errors
    /// When it has no name, is of another kind, or its parts are no objects.
    pub fn parse(kind: &TypeDescriptor, object: &Value) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let found = text("/kind");
        if found != kind.federated.kind {
            errors.push(FieldError::invalid(
                "kind",
                format!("is {found:?}, and must be {}", kind.federated.kind),
            ));
        }
        let name = text("/metadata/name");
        if name.is_empty() {
            errors.push(FieldError::required(
                "metadata.name",
                "names the object, here and in every cluster",
            ));
        }
        for field in ["spec", "spec.template"] {
            let value = object.pointer(&format!("/{}", field.replace('.', "/")));
            if value.is_some_and(|value| !value.is_object() && !value.is_null()) {
                errors.push(FieldError::invalid(field, "must be an object"));
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let annotation = |key: &str| object["metadata"]["annotations"][key].as_str();
        let spec = &object["spec"];
        Ok(Self {
            namespace: text("/metadata/namespace"),
            name,
            uid: text("/metadata/uid"),
            generation: object["metadata"]["generation"].as_i64().unwrap_or_default(),
            deletion_timestamp: object["metadata"]["deletionTimestamp"]
                .as_str()
                .and_then(|at| at.parse().ok()),
            finalizers: strings(&object["metadata"]["finalizers"]),
            template: spec["template"].as_object().cloned().unwrap_or_default(),
            placement: Placement::parse(spec.get("placement")),
            overrides: Overrides::parse(spec.get("overrides")),
            retain_replicas: spec["retainReplicas"].as_bool().unwrap_or_default() && kind.replicas_path.is_some(),
            orphan: annotation(ORPHAN_ANNOTATION) == Some("true"),
            delete_options: annotation(DELETE_OPTION_ANNOTATION)
                .and_then(|text| DeleteOptions::parse(text).ok())
                .unwrap_or_default(),
            hold_drift: annotation(DRIFT_ANNOTATION) == Some("hold"),
            confirm_deletes: annotation(CONFIRM_DELETES_ANNOTATION).map(str::to_owned),
            status: serde_json::from_value(object["status"].clone()).ok(),
        })
    }

    /// Whether it is on its way out.
    pub fn is_deleting(&self) -> bool {
        self.deletion_timestamp.is_some()
    }

    /// Whether it waits for the hub before it goes.
    pub fn has_finalizer(&self) -> bool {
        self.finalizers.iter().any(|finalizer| finalizer == FINALIZER)
    }

    /// `namespace/name`, or the name alone.
    pub fn key(&self) -> String {
        if self.namespace.is_empty() {
            self.name.clone()
        } else {
            format!("{}/{}", self.namespace, self.name)
        }
    }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types;

    fn deployment(extra: Value) -> Value {
        let mut object =
            json!({"kind": "FederatedDeployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {}});
        crate::test_values::merge(&mut object, extra);
        object
    }

    fn parse(object: &Value) -> Result<FederatedObject, Vec<FieldError>> {
        FederatedObject::parse(types::find("deployments.apps").unwrap(), object)
    }

    #[test]
    fn an_object_with_a_broken_placement_is_still_read() {
        let read = parse(&deployment(
            json!({"spec": {"placement": {"clusters": 3}, "overrides": 4}}),
        ))
        .unwrap();
        assert!(read.placement.is_err() && read.overrides.is_err());
    }

    #[test]
    fn an_object_without_name_or_of_another_kind_is_none() {
        assert!(parse(&json!({"kind": "FederatedDeployment", "metadata": {}})).is_err());
        assert!(parse(&json!({"kind": "Deployment", "metadata": {"name": "web"}})).is_err());
        assert!(parse(&deployment(json!({"spec": {"template": []}}))).is_err());
    }

    #[test]
    fn deletion_reads_its_annotations() {
        let read = parse(&deployment(json!({"metadata": {
            "deletionTimestamp": "2026-01-02T03:04:05Z",
            "finalizers": [FINALIZER],
            "annotations": {
                ORPHAN_ANNOTATION: "true",
                DELETE_OPTION_ANNOTATION: r#"{"gracePeriodSeconds":5,"propagationPolicy":"Foreground","dryRun":["All"]}"#,
            },
        }})))
        .unwrap();
        assert!(read.is_deleting() && read.has_finalizer() && read.orphan);
        assert_eq!(
            read.delete_options.for_uid("u-1").body(),
            json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 5, "propagationPolicy": "Foreground", "preconditions": {"uid": "u-1"}})
        );
    }

    #[test]
    fn replicas_are_retained_only_where_there_are_any() {
        let asks = json!({"spec": {"retainReplicas": true}});
        assert!(parse(&deployment(asks.clone())).unwrap().retain_replicas);
        let mut service = deployment(asks);
        service["kind"] = "FederatedService".into();
        assert!(
            !FederatedObject::parse(types::find("services").unwrap(), &service)
                .unwrap()
                .retain_replicas
        );
    }
}
