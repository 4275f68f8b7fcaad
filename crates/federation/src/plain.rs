//! Plain objects in the manner of Federation v1: a `Deployment` posted to the hub is itself the federated object. Where
//! it goes and how its replicas are shared out stands in its annotations.
//!
//! What is here brings such an object into the form that every plan takes ([`read`], then [`PlainObject::settle`]), and
//! what came out of the plan back into the object's own status ([`status()`]). The engine in between is the same as for the
//! federated kinds. [`admit`] refuses what v1 ignored; [`view`] knows the versions that people have in files.

mod admission;
pub mod hpa;
mod ingresses;
mod jobs;
mod object;
mod preference;
mod selector;
mod settle;
mod status;
pub mod view;

use serde_json::Value;

pub use admission::admit;
pub use ingresses::{read_slice, service_ingresses};
pub(crate) use jobs::asked_completions;
pub use object::PlainObject;
pub use preference::{DEPLOYMENT_PREFERENCES, JOB_PREFERENCES, REPLICA_SET_PREFERENCES};
pub use settle::{Settled, Situation};
pub use status::status;
pub(crate) use status::{is_at_most, kept};

use crate::types::SYSTEM_NAMESPACE;
use crate::{FieldError, TypeDescriptor};

/// Annotation: which clusters, as a JSON list of requirements.
pub const CLUSTER_SELECTOR: &str = "federation.alpha.kubernetes.io/cluster-selector";
/// What v1's own namespace has there: it is for the control plane alone.
const AT_HOME: &str = "federation.kubernetes.io/federation-control-plane=true";
/// Annotation that the hub writes on what an autoscaler scales: in which clusters it does.
pub const HPA_TARGETS: &str = "federation.kubernetes.io/hpa-target-cluster-list";
/// Annotation that the hub writes on Services: the addresses of each cluster.
pub const SERVICE_INGRESSES: &str = "federation.kubernetes.io/service-ingresses";
/// Label of a Namespace of the hub that is federated with every plain object in it.
pub const NAMESPACE_LABEL: &str = "atoll.dev/federation-v1";
/// Holds a federated object until members are as its deletion says.
pub const DELETE_FINALIZER: &str = "federation.kubernetes.io/delete-from-underlying-clusters";
/// While it stands on an object that is deleted, members keep their copies.
pub const ORPHAN_FINALIZER: &str = "orphan";

/// Whether a plain object is federated: by one of v1's annotations, or because its Namespace says so for everything in
/// it. `namespace` is the hub's Namespace that it lies in; a Namespace speaks for itself.
pub fn is_federated(row: &TypeDescriptor, object: &Value, namespace: Option<&Value>) -> bool {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    let in_system = text("namespace") == SYSTEM_NAMESPACE || row.is_namespace() && text("name") == SYSTEM_NAMESPACE;
    if in_system || !row.is_plain() {
        return false;
    }
    let annotations = &object["metadata"]["annotations"];
    let of_v1 = preference::ALL.iter().chain([&CLUSTER_SELECTOR]);
    let is_labelled = |object: &Value| object["metadata"]["labels"][NAMESPACE_LABEL] == "true";
    let is_annotated = of_v1.into_iter().any(|key| match annotations[*key].as_str() {
        Some(text) => !(row.is_namespace() && text == AT_HOME),
        None => false,
    });
    is_annotated || namespace.is_some_and(is_labelled) || row.is_namespace() && is_labelled(object)
}

/// Reads a plain object as it is stored. `None` when it rests on the hub; one that was federated and is not any more is
/// read too, until members are rid of the hub's marks.
///
/// # Errors
/// When it is no object of its kind.
pub fn read(
    row: &TypeDescriptor,
    object: &Value,
    namespace: Option<&Value>,
) -> Result<Option<PlainObject>, Vec<FieldError>> {
    let is_federated = is_federated(row, object, namespace);
    if !is_federated && !is_held(object) {
        return Ok(None);
    }
    PlainObject::read(row, object, is_federated).map(Some)
}

/// Reads a plain object of which members still have copies although it is not federated any more.
///
/// # Errors
/// As [`read`].
pub fn read_released(row: &TypeDescriptor, object: &Value) -> Result<PlainObject, Vec<FieldError>> {
    let mut held = object.clone();
    match held["metadata"]["finalizers"].as_array_mut() {
        Some(finalizers) => finalizers.push(DELETE_FINALIZER.into()),
        None => held["metadata"]["finalizers"] = serde_json::json!([DELETE_FINALIZER]),
    }
    PlainObject::read(row, &held, false)
}

/// Whether v1's finalizer holds the object.
pub fn is_held(object: &Value) -> bool {
    let finalizers = object["metadata"]["finalizers"].as_array().into_iter().flatten();
    finalizers.into_iter().any(|finalizer| finalizer == DELETE_FINALIZER)
}
