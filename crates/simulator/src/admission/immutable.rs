//! Fields that may not change once they are set.

use atoll_kubeapi::{Cause, Status};
use serde_json::Value;

use crate::access::refused;
use crate::catalog::Kind;
use crate::fields::{items, name};

/// Compares a changed object with the one that is there.
///
/// # Errors
/// 422, or 403 where an API server says so.
pub(super) fn check(kind: Kind, old: &Value, new: &Value) -> Result<(), Status> {
    let resource = kind.resource();
    let invalid = |field: &str, message: String| {
        let causes = vec![Cause::invalid(field, message)];
        Err(Status::invalid(&resource.group, &resource.kind, name(new), causes))
    };
    let fixed: &[&str] = match kind {
        Kind::Deployment | Kind::ReplicaSet | Kind::DaemonSet => &["/spec/selector"],
        Kind::Job => &["/spec/selector", "/spec/template", "/spec/completionMode"],
        Kind::Secret => &["/type"],
        Kind::RoleBinding | Kind::ClusterRoleBinding => &["/roleRef"],
        _ => &[],
    };
    for place in fixed {
        let (before, after) = (old.pointer(place), new.pointer(place));
        if before != after {
            let field = place.trim_start_matches('/').replace('/', ".");
            let value = after.unwrap_or(&Value::Null);
            let what = if field == "roleRef" {
                format!("Invalid value: {value}: cannot change roleRef")
            } else {
                format!("Invalid value: {value}: field is immutable")
            };
            return invalid(&field, what);
        }
    }
    match kind {
        Kind::ConfigMap | Kind::Secret if old["immutable"] == true => {
            for field in ["data", "binaryData", "immutable"] {
                if old[field] != new[field] {
                    let message = "Forbidden: field is immutable when `immutable` is set";
                    let causes = vec![Cause::new("FieldValueForbidden", field, message)];
                    return Err(Status::invalid(&resource.group, &resource.kind, name(new), causes));
                }
            }
        }
        Kind::StatefulSet => {
            const FREE: [&str; 7] = [
                "replicas",
                "ordinals",
                "template",
                "updateStrategy",
                "revisionHistoryLimit",
                "persistentVolumeClaimRetentionPolicy",
                "minReadySeconds",
            ];
            if without(&old["spec"], &FREE) != without(&new["spec"], &FREE) {
                let message = "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                    'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
                let causes = vec![Cause::new("FieldValueForbidden", "spec", message)];
                return Err(Status::invalid(&resource.group, &resource.kind, name(new), causes));
            }
        }
        Kind::Pod if pod(&old["spec"]) != pod(&new["spec"]) => {
            let message = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`, `spec.initContainers[*].image`, \
                `spec.activeDeadlineSeconds`, `spec.tolerations` (only additions to existing tolerations), `spec.terminationGracePeriodSeconds`";
            let causes = vec![Cause::new("FieldValueForbidden", "spec", message)];
            return Err(Status::invalid(&resource.group, &resource.kind, name(new), causes));
        }
        Kind::PersistentVolumeClaim => {
            const FREE: [&str; 2] = ["resources", "volumeName"];
            if without(&old["spec"], &FREE) != without(&new["spec"], &FREE) {
                let message = "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
                let causes = vec![Cause::new("FieldValueForbidden", "spec", message)];
                return Err(Status::invalid(&resource.group, &resource.kind, name(new), causes));
            }
        }
        Kind::Namespace if old["spec"]["finalizers"] != new["spec"]["finalizers"] => {
            let why = "finalizers of a namespace are changed by its finalize subresource";
            return Err(refused("", "namespaces", name(new), why));
        }
        Kind::Service => {
            let (before, after) = (&old["spec"]["clusterIP"], &new["spec"]["clusterIP"]);
            let was_given = before.as_str().is_some_and(|ip| !ip.is_empty());
            let stays = old["spec"]["type"] != "ExternalName" && new["spec"]["type"] != "ExternalName";
            if was_given && stays && before != after {
                return invalid(
                    "spec.clusterIPs[0]",
                    format!("Invalid value: [{after}]: may not change once set"),
                );
            }
        }
        _ => {}
    }
    Ok(())
}

fn without(value: &Value, fields: &[&str]) -> Value {
    let mut value = value.clone();
    for field in fields {
        crate::fields::remove(&mut value, field);
    }
    value
}

/// The part of a pod's specification that stays.
fn pod(spec: &Value) -> Value {
    let mut spec = without(
        spec,
        &["tolerations", "activeDeadlineSeconds", "terminationGracePeriodSeconds"],
    );
    for list in ["containers", "initContainers"] {
        let bare: Vec<Value> = items(&spec[list])
            .iter()
            .map(|container| without(container, &["image", "imagePullPolicy"]))
            .collect();
        spec[list] = bare.into();
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_fixed_is_named_when_it_changes() {
        let deployment = |app: &str, replicas: u32| json!({"metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": {"app": app}}, "replicas": replicas}});
        assert!(check(Kind::Deployment, &deployment("a", 1), &deployment("a", 2)).is_ok());
        let refused = check(Kind::Deployment, &deployment("a", 1), &deployment("b", 1)).unwrap_err();
        assert_eq!(
            (refused.code, refused.details.unwrap().causes[0].field.as_str()),
            (422, "spec.selector")
        );
        let map = |immutable: bool, value: &str| json!({"metadata": {"name": "a"}, "immutable": immutable, "data": {"k": value}});
        assert!(check(Kind::ConfigMap, &map(false, "1"), &map(false, "2")).is_ok());
        assert!(check(Kind::ConfigMap, &map(true, "1"), &map(true, "2")).is_err());
    }

    #[test]
    fn a_running_pod_may_change_its_image_alone() {
        let pod = |image: &str, node: &str| json!({"metadata": {"name": "a"}, "spec": {"nodeName": node, "containers": [{"name": "c", "image": image}]}});
        assert!(check(Kind::Pod, &pod("i:1", "n"), &pod("i:2", "n")).is_ok());
        assert!(check(Kind::Pod, &pod("i:1", "n"), &pod("i:1", "m")).is_err());
    }
}
