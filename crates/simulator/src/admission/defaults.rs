//! What an object says where its author said nothing, kind by kind.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::pod_defaults::{complete_pod, complete_pod_spec};
use super::services::complete_service;
use crate::catalog::Kind;
use crate::fields::{default, each_mut, items, name, remove, uid};

/// Holds a claim while pods use it.
pub(crate) const CLAIM_PROTECTION: &str = "kubernetes.io/pvc-protection";

const RBAC: &str = "rbac.authorization.k8s.io";

/// Completes a new object, its first status included.
pub(crate) fn complete_new(kind: Kind, object: &mut Value) {
    complete(kind, object);
    match kind {
        Kind::Namespace => {
            object["spec"]["finalizers"] = json!(["kubernetes"]);
            object["status"] = json!({"phase": "Active"});
        }
        Kind::Pod => complete_pod(object),
        Kind::Job => {
            complete_job_selector(object);
            default(object, "status", json!({}));
        }
        Kind::DaemonSet => {
            // What is left of an older way to count templates.
            object["metadata"]["annotations"]["deprecated.daemonset.template.generation"] = "1".into();
        }
        Kind::PersistentVolumeClaim => {
            protect(object);
            object["status"] = json!({"phase": "Pending"});
        }
        Kind::Service => default(object, "status", json!({"loadBalancer": {}})),
        Kind::Ingress => default(object, "status", json!({"loadBalancer": {}})),
        Kind::HorizontalPodAutoscaler => default(object, "status", json!({"desiredReplicas": 0})),
        Kind::Deployment | Kind::CronJob | Kind::ResourceQuota => default(object, "status", json!({})),
        Kind::ReplicaSet | Kind::ReplicationController => default(object, "status", json!({"replicas": 0})),
        Kind::StatefulSet => default(object, "status", json!({"replicas": 0, "availableReplicas": 0})),
        Kind::PodDisruptionBudget => {
            let none = json!({"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0});
            default(object, "status", none);
        }
        _ => {}
    }
    if kind == Kind::DaemonSet {
        default(object, "status", json!({}));
        for count in [
            "currentNumberScheduled",
            "desiredNumberScheduled",
            "numberMisscheduled",
            "numberReady",
        ] {
            default(&mut object["status"], count, 0);
        }
    }
}

/// Claims that pods use are not to go.
fn protect(claim: &mut Value) {
    let mut finalizers = items(&claim["metadata"]["finalizers"]).to_vec();
    if !finalizers.iter().any(|one| one == CLAIM_PROTECTION) {
        finalizers.push(CLAIM_PROTECTION.into());
    }
    claim["metadata"]["finalizers"] = finalizers.into();
}

/// Completes an object, new or changed. Completing twice is completing once.
pub(crate) fn complete(kind: Kind, object: &mut Value) {
    match kind {
        Kind::Namespace => complete_namespace(object),
        Kind::Service => complete_service(&mut object["spec"]),
        Kind::Secret => complete_secret(object),
        Kind::Role | Kind::ClusterRole => default(object, "rules", json!([])),
        Kind::RoleBinding | Kind::ClusterRoleBinding => complete_binding(object),
        Kind::HorizontalPodAutoscaler => {
            default(&mut object["spec"], "minReplicas", 1);
            let target = json!([{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]);
            default(&mut object["spec"], "metrics", target);
        }
        Kind::PersistentVolumeClaim => {
            default(&mut object["spec"], "volumeMode", "Filesystem");
            default(&mut object["spec"], "storageClassName", "standard");
        }
        Kind::CronJob => {
            let spec = &mut object["spec"];
            default(spec, "concurrencyPolicy", "Allow");
            default(spec, "suspend", false);
            default(spec, "successfulJobsHistoryLimit", 3);
            default(spec, "failedJobsHistoryLimit", 1);
            complete_job_template(&mut spec["jobTemplate"]);
        }
        Kind::Pod => complete_pod_spec(&mut object["spec"]),
        Kind::Deployment => complete_deployment(&mut object["spec"]),
        Kind::StatefulSet => complete_stateful_set(&mut object["spec"]),
        Kind::DaemonSet => complete_daemon_set(&mut object["spec"]),
        Kind::ReplicaSet => default(&mut object["spec"], "replicas", 1),
        Kind::ReplicationController => complete_replication_controller(object),
        Kind::NetworkPolicy => complete_network_policy(&mut object["spec"]),
        Kind::Endpoints => {
            for port in each_mut(object, "subsets").flat_map(|subset| each_mut(subset, "ports")) {
                default(port, "protocol", "TCP");
            }
        }
        Kind::LimitRange => {
            for limit in each_mut(&mut object["spec"], "limits").filter(|one| one["type"] == "Container") {
                let amounts = limit["default"].clone();
                if amounts.is_object() {
                    default(limit, "defaultRequest", amounts);
                }
            }
        }
        Kind::Job => complete_job(&mut object["spec"]),
        _ => {}
    }
    if let Some(template) = kind.pod_template().and_then(|place| object.pointer_mut(place)) {
        complete_template(template);
    }
}

fn complete_replication_controller(controller: &mut Value) {
    default(&mut controller["spec"], "replicas", 1);
    let labels = controller["spec"]["template"]["metadata"]["labels"].clone();
    if !labels.is_null() {
        default(&mut controller["spec"], "selector", labels.clone());
        default(&mut controller["metadata"], "labels", labels);
    }
}

fn complete_network_policy(spec: &mut Value) {
    for direction in ["ingress", "egress"] {
        for port in each_mut(spec, direction).flat_map(|rule| each_mut(rule, "ports")) {
            default(port, "protocol", "TCP");
        }
    }
    let mut types = vec!["Ingress"];
    if !items(&spec["egress"]).is_empty() {
        types.push("Egress");
    }
    default(spec, "policyTypes", json!(types));
}

fn complete_template(template: &mut Value) {
    if template.get("spec").is_some() {
        complete_pod_spec(&mut template["spec"]);
    }
}

fn complete_namespace(namespace: &mut Value) {
    let own = name(namespace).to_owned();
    namespace["metadata"]["labels"]["kubernetes.io/metadata.name"] = own.into();
}

fn complete_secret(secret: &mut Value) {
    default(secret, "type", "Opaque");
    if let Some(plain) = secret["stringData"].as_object().cloned() {
        for (key, value) in plain {
            secret["data"][key] = STANDARD.encode(value.as_str().unwrap_or_default()).into();
        }
    }
    remove(secret, "stringData");
}

fn complete_binding(binding: &mut Value) {
    if binding["roleRef"].is_object() {
        default(&mut binding["roleRef"], "apiGroup", RBAC);
    }
    for subject in each_mut(binding, "subjects") {
        if matches!(subject["kind"].as_str(), Some("User" | "Group")) {
            default(subject, "apiGroup", RBAC);
        }
    }
    if binding["subjects"].is_null() {
        remove(binding, "subjects");
    }
}

fn complete_deployment(spec: &mut Value) {
    default(spec, "replicas", 1);
    default(spec, "revisionHistoryLimit", 10);
    default(spec, "progressDeadlineSeconds", 600);
    default(spec, "strategy", json!({}));
    let strategy = &mut spec["strategy"];
    default(strategy, "type", "RollingUpdate");
    if strategy["type"] == "RollingUpdate" {
        default(strategy, "rollingUpdate", json!({}));
        default(&mut strategy["rollingUpdate"], "maxSurge", "25%");
        default(&mut strategy["rollingUpdate"], "maxUnavailable", "25%");
    }
}

fn complete_stateful_set(spec: &mut Value) {
    default(spec, "replicas", 1);
    default(spec, "revisionHistoryLimit", 10);
    default(spec, "podManagementPolicy", "OrderedReady");
    default(spec, "persistentVolumeClaimRetentionPolicy", json!({}));
    let policy = &mut spec["persistentVolumeClaimRetentionPolicy"];
    default(policy, "whenDeleted", "Retain");
    default(policy, "whenScaled", "Retain");
    default(spec, "updateStrategy", json!({}));
    let strategy = &mut spec["updateStrategy"];
    default(strategy, "type", "RollingUpdate");
    if strategy["type"] == "RollingUpdate" {
        default(strategy, "rollingUpdate", json!({}));
        default(&mut strategy["rollingUpdate"], "partition", 0);
    }
    for claim in each_mut(spec, "volumeClaimTemplates") {
        default(claim, "apiVersion", "v1");
        default(claim, "kind", "PersistentVolumeClaim");
        default(&mut claim["spec"], "volumeMode", "Filesystem");
        default(claim, "status", json!({"phase": "Pending"}));
    }
}

fn complete_daemon_set(spec: &mut Value) {
    default(spec, "revisionHistoryLimit", 10);
    default(spec, "updateStrategy", json!({}));
    let strategy = &mut spec["updateStrategy"];
    default(strategy, "type", "RollingUpdate");
    if strategy["type"] == "RollingUpdate" {
        default(strategy, "rollingUpdate", json!({}));
        default(&mut strategy["rollingUpdate"], "maxSurge", 0);
        default(&mut strategy["rollingUpdate"], "maxUnavailable", 1);
    }
}

fn complete_job(spec: &mut Value) {
    if spec["completions"].is_null() && spec["parallelism"].is_null() {
        spec["completions"] = 1.into();
    }
    default(spec, "parallelism", 1);
    default(spec, "backoffLimit", 6);
    default(spec, "completionMode", "NonIndexed");
    default(spec, "suspend", false);
    default(spec, "manualSelector", false);
    default(spec, "podReplacementPolicy", "TerminatingOrFailed");
}

/// What a `CronJob` makes its Jobs from is completed when they are made, apart from its metadata.
fn complete_job_template(template: &mut Value) {
    default(template, "metadata", json!({}));
    if let Some(pods) = template.pointer_mut("/spec/template") {
        default(pods, "metadata", json!({}));
    }
}

/// A Job selects its pods by its UID, unless its author takes care of that.
fn complete_job_selector(job: &mut Value) {
    if job["spec"]["manualSelector"] == true {
        return;
    }
    let (own_uid, own_name) = (uid(job).to_owned(), name(job).to_owned());
    let mut own = json!({});
    for prefix in ["", "batch.kubernetes.io/"] {
        own[format!("{prefix}controller-uid")] = own_uid.as_str().into();
        own[format!("{prefix}job-name")] = own_name.as_str().into();
    }
    for (key, value) in own.as_object().into_iter().flatten() {
        job["spec"]["template"]["metadata"]["labels"][key] = value.clone();
    }
    // A Job without labels of its own takes those of its pods.
    let labels = job["spec"]["template"]["metadata"]["labels"].clone();
    default(&mut job["metadata"], "labels", labels);
    job["spec"]["selector"] = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": own_uid}});
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completing_a_completed_object_changes_nothing() {
        let template =
            json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}});
        for kind in Kind::ALL {
            let mut object = json!({"metadata": {"name": "n"}, "spec": {}});
            if let Some(place) = kind.pod_template() {
                object["spec"] = json!({"template": template, "jobTemplate": {"spec": {"template": template}}});
                assert!(object.pointer(place).is_some());
            }
            complete(*kind, &mut object);
            let once = object.clone();
            complete(*kind, &mut object);
            assert_eq!(object, once, "{kind:?}");
        }
    }

    #[test]
    fn plain_secrets_are_kept_encoded() {
        let mut secret = json!({"metadata": {"name": "s"}, "stringData": {"a": "b"}});
        complete(Kind::Secret, &mut secret);
        assert_eq!(
            secret,
            json!({"metadata": {"name": "s"}, "type": "Opaque", "data": {"a": "Yg=="}})
        );
    }
}
