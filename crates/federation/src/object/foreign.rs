//! What a template may bring along from the cluster it was exported from, and what no hub may state for others.
//!
//! A field that a controller in the member sets for itself must not be stated: the two would write it in turn for ever,
//! or the member would refuse the object.

use serde_json::{Map, Value};

use crate::TypeDescriptor;

/// Metadata that belongs to the member, or that a hub may not set for others.
const METADATA: [&str; 11] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
    "ownerReferences",
    "finalizers",
    "generateName",
];

/// Annotations by which controllers in a member, and kubectl, keep their own accounts.
const ANNOTATIONS: [&str; 10] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.daemonset.template.generation",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.kubernetes.io/selected-node",
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
];

/// Labels by which a job finds its pods. The member makes them from the job's UID, and the selector with them.
const JOB_LABELS: [&str; 2] = ["controller-uid", "batch.kubernetes.io/controller-uid"];

/// When a cluster removes a job that is done. The hub would make it again, and it would run again.
pub(crate) const JOB_TTL: &str = "ttlSecondsAfterFinished";

/// Takes such fields out of an object that is to be applied, and tells which were there.
pub(crate) fn strip(kind: &TypeDescriptor, object: &mut Value) -> Vec<String> {
    let mut stripped = strip_identity(object);
    for key in ANNOTATIONS {
        if take(object, "/metadata/annotations", key).is_some() {
            stripped.push(format!("metadata.annotations[{key}]"));
        }
    }
    if kind.is_core("Namespace") && take(object, "/spec", "finalizers").is_some() {
        stripped.push("spec.finalizers".to_owned());
    }
    let is_job = kind.target.group == "batch" && kind.target.kind == "Job";
    if is_job && take(object, "/spec", JOB_TTL).is_some() {
        stripped.push(format!("spec.{JOB_TTL}"));
    }
    if is_job && object["spec"]["manualSelector"] != true {
        if is_something(take(object, "/spec", "selector").as_ref()) {
            stripped.push("spec.selector".to_owned());
        }
        for key in JOB_LABELS {
            if take(object, "/spec/template/metadata/labels", key).is_some() {
                stripped.push(format!("spec.template.metadata.labels[{key}]"));
            }
        }
    }
    stripped
}

/// Takes out what says of one object in one cluster that it is that one.
pub(super) fn strip_identity(object: &mut Value) -> Vec<String> {
    let mut stripped = Vec::new();
    if is_something(take(object, "", "status").as_ref()) {
        stripped.push("status".to_owned());
    }
    for field in METADATA {
        if is_something(take(object, "/metadata", field).as_ref()) {
            stripped.push(format!("metadata.{field}"));
        }
    }
    stripped
}

fn take(object: &mut Value, parent: &str, field: &str) -> Option<Value> {
    object.pointer_mut(parent)?.as_object_mut()?.remove(field)
}

/// Exported objects carry `creationTimestamp: null` and `status: {}`, which say nothing.
fn is_something(value: Option<&Value>) -> bool {
    value.is_some_and(|value| !value.is_null() && !value.as_object().is_some_and(Map::is_empty))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types;

    fn stripped(name: &str, mut object: Value) -> (Value, Vec<String>) {
        let told = strip(types::find(name).unwrap(), &mut object);
        (object, told)
    }

    #[test]
    fn what_controllers_set_for_themselves_is_not_stated() {
        let object = json!({
            "metadata": {"creationTimestamp": null, "uid": "u", "annotations": {"team": "a", "deployment.kubernetes.io/revision": "7"}},
            "spec": {"replicas": 1}, "status": {},
        });
        let (left, told) = stripped("deployments.apps", object);
        assert_eq!(
            left,
            json!({"metadata": {"annotations": {"team": "a"}}, "spec": {"replicas": 1}})
        );
        assert_eq!(
            told,
            [
                "metadata.uid",
                "metadata.annotations[deployment.kubernetes.io/revision]"
            ]
        );
    }

    #[test]
    fn a_job_finds_its_pods_by_itself_unless_it_says_otherwise() {
        let job = |manual: bool| {
            json!({"spec": {
                "manualSelector": manual,
                "selector": {"matchLabels": {"controller-uid": "u"}},
                "template": {"metadata": {"labels": {"app": "a", "controller-uid": "u"}}},
            }})
        };
        let (left, told) = stripped("jobs.batch", job(false));
        assert_eq!(
            left,
            json!({"spec": {"manualSelector": false, "template": {"metadata": {"labels": {"app": "a"}}}}})
        );
        assert_eq!(told.len(), 2);
        assert_eq!(stripped("jobs.batch", job(true)), (job(true), Vec::new()));
        assert_eq!(stripped("deployments.apps", job(false)).0, job(false));
    }

    #[test]
    fn the_finalizers_of_a_namespace_are_its_clusters() {
        let (left, told) = stripped("namespaces", json!({"spec": {"finalizers": ["kubernetes"]}}));
        assert_eq!((left, told.len()), (json!({"spec": {}}), 1));
    }
}
