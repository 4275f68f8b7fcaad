use serde_json::json;

use super::*;
use crate::test_values::merge;
use crate::{FieldReason, types};

fn federated(name: &str, extra: Value) -> (&'static TypeDescriptor, Value) {
    let kind = types::find(name).unwrap();
    let mut object = json!({
        "apiVersion": "types.kubefed.io/v1beta1", "kind": kind.federated.kind,
        "metadata": {"name": "shop", "namespace": "shop"}, "spec": {"placement": {"clusterSelector": {}}},
    });
    merge(&mut object, extra);
    (kind, object)
}

fn deployment(extra: Value) -> (&'static TypeDescriptor, Value) {
    let pods = json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "nginx"}]},
    });
    let (kind, mut object) = federated(
        "deployments.apps",
        json!({"spec": {"template": {"spec": {"selector": {"matchLabels": {"app": "web"}}, "template": pods}}}}),
    );
    merge(&mut object, extra);
    (kind, object)
}

fn accepted((kind, object): (&TypeDescriptor, Value)) -> (Value, Vec<String>) {
    let (object, warnings) = admit(kind, &object, None).unwrap();
    (object, warnings.into_iter().map(|warning| warning.0).collect())
}

fn refused((kind, object): (&TypeDescriptor, Value)) -> (String, FieldReason, String) {
    let mut errors = admit(kind, &object, None).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    let error = errors.remove(0);
    (error.field, error.reason, error.message)
}

fn overrides(operations: Value) -> Value {
    json!({"spec": {"overrides": [{"clusterName": "eu-1", "clusterOverrides": operations}]}})
}

#[test]
fn a_sound_object_passes_unchanged_and_without_a_word() {
    let (kind, object) = deployment(overrides(json!([{"path": "/spec/replicas", "value": 3}])));
    assert_eq!(accepted((kind, object.clone())), (object, Vec::new()));
}

#[test]
fn dotted_paths_and_cluster_names_are_read_with_a_warning() {
    let mut extra = overrides(json!([{"path": "spec.replicas", "value": 3}]));
    merge(
        &mut extra,
        json!({"spec": {"placement": {"clusterSelector": null, "clusterNames": ["eu-1", "us-1"]}}}),
    );
    let (object, warnings) = accepted(deployment(extra));
    assert_eq!(
        object["spec"]["overrides"][0]["clusterOverrides"][0]["path"],
        "/spec/replicas"
    );
    assert_eq!(
        object["spec"]["placement"]["clusters"],
        json!([{"name": "eu-1"}, {"name": "us-1"}])
    );
    assert_eq!(warnings.len(), 2, "{warnings:?}");
}

#[test]
fn an_exported_object_loses_what_servers_set_and_keeps_its_finalizer() {
    let (object, warnings) = accepted(federated(
        "configmaps",
        json!({
            "metadata": {"uid": "u", "resourceVersion": "7", "managedFields": [{}], "creationTimestamp": null, "finalizers": ["kubefed.io/sync-controller"]},
            "status": {"conditions": []},
        }),
    ));
    assert_eq!(
        object["metadata"],
        json!({"name": "shop", "namespace": "shop", "finalizers": ["kubefed.io/sync-controller"]})
    );
    assert_eq!(object.get("status"), None);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[test]
fn a_template_that_reaches_elsewhere_is_warned_about_because_it_is_forced_home() {
    let template = json!({"kind": "Secret", "metadata": {"namespace": "kube-system", "ownerReferences": [{}], "finalizers": ["x"]}, "status": {"a": 1}});
    let (_, warnings) = accepted(federated("configmaps", json!({"spec": {"template": template}})));
    let all = warnings.join("\n");
    for part in [
        "ownerReferences",
        "finalizers",
        "spec.template.status",
        "\"kube-system\" has no effect",
        "spec.template.kind",
    ] {
        assert!(all.contains(part), "{part} is not in {all}");
    }
}

#[test]
fn a_bad_selector_is_refused_with_its_field() {
    let placement = json!({"spec": {"placement": {"clusterSelector": {"matchExpressions": [{"key": "a", "operator": "Like", "values": ["b"]}]}}}});
    let (field, reason, message) = refused(federated("configmaps", placement));
    assert_eq!(
        (field.as_str(), reason),
        (
            "spec.placement.clusterSelector.matchExpressions[0].operator",
            FieldReason::Invalid
        )
    );
    assert!(message.contains("NotIn"), "{message}");
}

#[test]
fn a_cluster_or_path_that_stands_there_twice_is_refused() {
    let twice = json!({"spec": {"overrides": [{"clusterName": "eu-1"}, {"clusterName": "eu-1"}]}});
    assert_eq!(refused(federated("configmaps", twice)).1, FieldReason::Duplicate);
    let paths = overrides(json!([{"path": "/data", "value": {}}, {"path": "data", "value": {}}]));
    assert_eq!(
        refused(federated("configmaps", paths)).0,
        "spec.overrides[0].clusterOverrides[1].path"
    );
}

#[test]
fn identity_may_not_be_overridden_in_any_spelling() {
    for path in [
        "/kind",
        "/metadata/name",
        "metadata.namespace",
        "/metadata/generateName",
    ] {
        let (field, reason, _) = refused(federated(
            "configmaps",
            overrides(json!([{"path": path, "value": "x"}])),
        ));
        assert_eq!(
            (field.as_str(), reason),
            ("spec.overrides[0].clusterOverrides[0].path", FieldReason::Forbidden),
            "{path}"
        );
    }
    let (field, reason, message) = refused(federated(
        "configmaps",
        overrides(json!([{"path": "/metadata", "value": {"name": "other", "namespace": "shop"}}])),
    ));
    assert_eq!((field.as_str(), reason), ("spec.overrides[0]", FieldReason::Forbidden));
    assert!(
        message.contains("eu-1") && message.contains("metadata.name"),
        "{message}"
    );
}

#[test]
fn a_patch_that_cannot_apply_is_refused_for_its_cluster() {
    let (field, reason, message) = refused(federated(
        "configmaps",
        overrides(json!([{"op": "remove", "path": "/data/b"}])),
    ));
    assert_eq!(
        (field.as_str(), reason),
        ("spec.overrides[0].clusterOverrides[0]", FieldReason::Invalid)
    );
    assert!(message.contains("eu-1") && message.contains("/data"), "{message}");
}

#[test]
fn a_path_that_cannot_be_told_is_refused() {
    let (field, _, message) = refused(federated(
        "configmaps",
        overrides(json!([{"path": "metadata.labels.example.com/a", "value": "b"}])),
    ));
    assert_eq!(field, "spec.overrides[0].clusterOverrides[0].path");
    assert!(message.contains("begin it with '/'"), "{message}");
}

#[test]
fn a_deployment_without_selector_is_refused_with_the_line_to_write() {
    let (field, reason, message) = refused(deployment(json!({"spec": {"template": {"spec": {"selector": null}}}})));
    assert_eq!(
        (field.as_str(), reason),
        ("spec.template.spec.selector", FieldReason::Required)
    );
    assert!(message.contains("selector: {matchLabels: {app: web}}"), "{message}");
}

#[test]
fn a_federated_namespace_is_called_as_its_namespace_and_none_of_the_clusters_own() {
    assert_eq!(accepted(federated("namespaces", json!({}))).1, Vec::<String>::new());
    assert_eq!(
        refused(federated("namespaces", json!({"metadata": {"name": "other"}}))).0,
        "metadata.name"
    );
    for name in [
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "kube-federation-system",
    ] {
        let object = federated("namespaces", json!({"metadata": {"name": name, "namespace": name}}));
        assert_eq!(refused(object).1, FieldReason::Forbidden, "{name}");
    }
    let (_, warnings) = accepted(federated(
        "namespaces",
        json!({"metadata": {"name": "default", "namespace": "default"}}),
    ));
    assert!(warnings[0].contains("left alone"), "{warnings:?}");
}

#[test]
fn keys_that_apply_would_choke_on_are_refused() {
    let containers = json!([{"name": "web", "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}]);
    let (field, reason, _) = refused(deployment(
        json!({"spec": {"template": {"spec": {"template": {"spec": {"containers": containers}}}}}}),
    ));
    assert_eq!(
        (field.as_str(), reason),
        (
            "spec.template.spec.template.spec.containers[0].env[1]",
            FieldReason::Duplicate
        )
    );
    let ports = json!({"spec": {"template": {"spec": {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}, {"port": 53, "protocol": "TCP"}]}}}});
    assert_eq!(refused(federated("services", ports)).0, "spec.template.spec.ports[2]");
    let added = overrides(json!([{"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "web"}}]));
    assert_eq!(refused(deployment(added)).0, "spec.overrides[0]");
}

#[test]
fn annotations_are_checked_when_they_are_written_not_when_they_are_needed() {
    let annotated =
        |key: &str, value: &str| federated("configmaps", json!({"metadata": {"annotations": {key: value}}}));
    assert_eq!(
        refused(annotated("kubefed.io/deleteoption", "5 seconds")).0,
        "metadata.annotations[kubefed.io/deleteoption]"
    );
    assert_eq!(
        refused(annotated(
            "kubefed.io/deleteoption",
            r#"{"propagationPolicy":"Sideways"}"#
        ))
        .1,
        FieldReason::Invalid
    );
    assert_eq!(
        refused(annotated("atoll.dev/drift", "keep")).0,
        "metadata.annotations[atoll.dev/drift]"
    );
    assert_eq!(accepted(annotated("kubefed.io/orphan", "yes")).1.len(), 1);
    assert!(
        accepted(annotated("kubefed.io/deleteoption", r#"{"gracePeriodSeconds":0}"#))
            .1
            .is_empty()
    );
}

#[test]
fn a_group_that_is_not_the_targets_is_refused() {
    let (field, _, message) = refused(deployment(
        json!({"spec": {"template": {"apiVersion": "extensions/v1beta1"}}}),
    ));
    assert_eq!(field, "spec.template.apiVersion");
    assert!(message.contains("write apps/v1"), "{message}");
}

#[test]
fn retain_replicas_of_a_kind_without_any_is_dropped_with_a_warning() {
    let (object, warnings) = accepted(federated("configmaps", json!({"spec": {"retainReplicas": true}})));
    assert_eq!(object["spec"].get("retainReplicas"), None);
    assert_eq!(warnings.len(), 1);
}

#[test]
fn an_object_stored_under_looser_rules_can_still_lose_its_finalizer() {
    let (kind, old) = federated("configmaps", overrides(json!([{"op": "remove", "path": "/data/b"}])));
    let mut new = old.clone();
    new["metadata"]["finalizers"] = json!([]);
    assert!(admit(kind, &new, Some(&old)).is_ok());
    new["spec"]["template"] = json!({"data": {"a": "1"}});
    assert!(admit(kind, &new, Some(&old)).is_err());
}

#[test]
fn an_update_keeps_the_metadata_that_makes_it_one() {
    let (kind, mut object) = federated(
        "configmaps",
        json!({"metadata": {"uid": "u", "resourceVersion": "7"}, "status": {"observedGeneration": 1}}),
    );
    let old = object.clone();
    object["spec"]["template"] = json!({"data": {"a": "1"}});
    assert_eq!(admit(kind, &object, Some(&old)).unwrap().0, object);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let (kind, object) = federated(
        "namespaces",
        json!({"metadata": {"name": "other", "annotations": {"atoll.dev/drift": "x"}}, "spec": {"placement": {"clusters": [{}]}, "overrides": {}}}),
    );
    assert_eq!(admit(kind, &object, None).unwrap_err().len(), 4);
}
