use serde_json::{Value, json};

use super::*;

fn stored(api_version: &str, kind: &str, object: Value) -> Value {
    let (group, version) = api_version.split_once('/').unwrap();
    to_stored(group, version, kind, object).unwrap()
}

fn refused(api_version: &str, kind: &str, object: Value) -> Vec<String> {
    let (group, version) = api_version.split_once('/').unwrap();
    let errors = to_stored(group, version, kind, object).unwrap_err();
    errors.into_iter().map(|error| error.field).collect()
}

/// What is shown in every version and written back as shown.
fn comes_back(kind: &str, object: &Value) {
    for view in VIEWS.iter().filter(|view| view.kind == kind) {
        let shown = to_version(view.group, view.version, kind, object.clone());
        assert_eq!(shown["apiVersion"], format!("{}/{}", view.group, view.version));
        let back = to_stored(view.group, view.version, kind, shown.clone()).unwrap();
        assert_eq!(back, *object, "by way of {shown}");
    }
}

#[test]
fn a_selector_that_is_left_out_is_the_labels_of_the_pods() {
    let written = json!({"apiVersion": "extensions/v1beta1", "kind": "ReplicaSet", "spec": {
        "replicas": 9, "template": {"metadata": {"labels": {"app": "web"}}},
    }});
    let found = stored("extensions/v1beta1", "ReplicaSet", written.clone());
    assert_eq!(found["apiVersion"], "apps/v1");
    assert_eq!(found["spec"]["selector"], json!({"matchLabels": {"app": "web"}}));
    let mut explicit = written.clone();
    explicit["spec"]["selector"] = json!({"matchLabels": {"tier": "front"}});
    let found = stored("extensions/v1beta1", "ReplicaSet", explicit);
    assert_eq!(found["spec"]["selector"], json!({"matchLabels": {"tier": "front"}}));
    // As on an API server, from this version on it has to be stated.
    assert_eq!(
        stored("apps/v1beta2", "ReplicaSet", written)["spec"].get("selector"),
        None
    );
}

#[test]
fn a_part_of_a_workload_gets_nothing_that_it_did_not_say() {
    let part = json!({"kind": "Deployment", "spec": {"replicas": 3}});
    assert_eq!(
        stored("extensions/v1beta1", "Deployment", part)["spec"],
        json!({"replicas": 3})
    );
    let without_spec = stored(
        "apps/v1beta1",
        "Deployment",
        json!({"metadata": {"labels": {"a": "b"}}}),
    );
    assert_eq!(
        without_spec,
        json!({"apiVersion": "apps/v1", "metadata": {"labels": {"a": "b"}}})
    );
}

#[test]
fn a_rollback_within_a_spec_is_refused_and_a_servers_count_dropped() {
    let back = json!({"spec": {"rollbackTo": {"revision": 2}}});
    assert_eq!(refused("extensions/v1beta1", "Deployment", back), ["spec.rollbackTo"]);
    let counted = json!({"spec": {"templateGeneration": 4, "minReadySeconds": 1}});
    assert_eq!(
        stored("extensions/v1beta1", "DaemonSet", counted)["spec"],
        json!({"minReadySeconds": 1})
    );
}

#[test]
fn an_old_ingress_names_service_and_port_side_by_side() {
    let written = json!({"spec": {
        "backend": {"serviceName": "rest", "servicePort": 80},
        "rules": [{"host": "a.example", "http": {"paths": [
            {"path": "/", "backend": {"serviceName": "web", "servicePort": "http"}},
            {"path": "/b", "pathType": "Prefix", "backend": {"serviceName": "web", "servicePort": "8080"}},
            {"path": "/c", "backend": {"resource": {"kind": "Bucket", "name": "x"}}},
        ]}}],
    }});
    for version in ["extensions/v1beta1", "networking.k8s.io/v1beta1"] {
        let found = stored(version, "Ingress", written.clone());
        assert_eq!(
            found,
            json!({"apiVersion": "networking.k8s.io/v1", "spec": {
                "defaultBackend": {"service": {"name": "rest", "port": {"number": 80}}},
                "rules": [{"host": "a.example", "http": {"paths": [
                    {"path": "/", "pathType": "ImplementationSpecific", "backend": {"service": {"name": "web", "port": {"name": "http"}}}},
                    {"path": "/b", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 8080}}}},
                    {"path": "/c", "pathType": "ImplementationSpecific", "backend": {"resource": {"kind": "Bucket", "name": "x"}}},
                ]}}],
            }})
        );
        comes_back("Ingress", &found);
    }
    let both = json!({"spec": {"backend": {"serviceName": "a", "servicePort": 1}, "defaultBackend": {}}});
    assert_eq!(refused("extensions/v1beta1", "Ingress", both), ["spec.defaultBackend"]);
    let no_port =
        json!({"spec": {"rules": [{"http": {"paths": [{"backend": {"serviceName": "a", "servicePort": true}}]}}]}});
    assert_eq!(
        refused("extensions/v1beta1", "Ingress", no_port),
        ["spec.rules[0].http.paths[0].backend.servicePort"]
    );
}

#[test]
fn version_1_of_an_autoscaler_knows_the_use_of_cpu() {
    let written = json!({"spec": {"maxReplicas": 9, "targetCPUUtilizationPercentage": 70}});
    let found = stored("autoscaling/v1", "HorizontalPodAutoscaler", written.clone());
    assert_eq!(
        found["spec"],
        json!({"maxReplicas": 9, "metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}},
        ]})
    );
    let shown = to_version("autoscaling", "v1", "HorizontalPodAutoscaler", found);
    assert_eq!(shown["spec"], written["spec"]);
    assert_eq!(shown.get("metadata"), None);
}

#[test]
fn what_version_1_has_no_field_for_stands_in_annotations() {
    let cpu = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}});
    let memory = json!({"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}});
    let of_container = json!({"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "app", "target": {"type": "Utilization", "averageUtilization": 5}}});
    let pods = json!({"type": "Pods", "pods": {"metric": {"name": "rps", "selector": {"matchLabels": {"a": "b"}}}, "target": {"type": "AverageValue", "averageValue": "5"}}});
    let object = json!({"type": "Object", "object": {
        "describedObject": {"kind": "Service", "name": "web", "apiVersion": "v1"}, "metric": {"name": "hits"}, "target": {"type": "Value", "value": "3"},
    }});
    let external = json!({"type": "External", "external": {"metric": {"name": "queue", "selector": {"matchLabels": {"q": "1"}}}, "target": {"type": "AverageValue", "averageValue": "9"}}});
    for metrics in [
        json!([]),
        json!([cpu]),
        json!([memory]),
        json!([cpu, memory]),
        json!([memory, cpu]),
        json!([of_container, pods, object, external, cpu]),
    ] {
        let stored = json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "annotations": {"team": "a"}},
            "spec": {"maxReplicas": 5, "metrics": metrics, "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}},
            "status": {
                "desiredReplicas": 1, "conditions": [{"type": "AbleToScale", "status": "True"}],
                "currentMetrics": [
                    {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 12, "averageValue": "3m"}}},
                    {"type": "Pods", "pods": {"metric": {"name": "rps"}, "current": {"averageValue": "4"}}},
                ],
            },
        });
        // The versions in between have room for conditions, and all have for metrics.
        comes_back("HorizontalPodAutoscaler", &stored);
    }
}

#[test]
fn another_use_of_cpu_is_written_where_it_stood() {
    let memory = json!({"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}});
    let cpu = |percentage: i64| json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": percentage}}});
    for (metrics, expected) in [
        (json!([memory, cpu(70)]), json!([memory, cpu(80)])),
        (json!([cpu(70), memory]), json!([cpu(80), memory])),
    ] {
        let mut shown = to_version(
            "autoscaling",
            "v1",
            "HorizontalPodAutoscaler",
            json!({"spec": {"metrics": metrics}}),
        );
        assert_eq!(shown["spec"]["targetCPUUtilizationPercentage"], 70);
        shown["spec"]["targetCPUUtilizationPercentage"] = 80.into();
        let back = stored("autoscaling/v1", "HorizontalPodAutoscaler", shown);
        assert_eq!(back["spec"]["metrics"], expected);
    }
}

#[test]
fn an_annotation_that_is_no_json_is_refused() {
    let object = json!({"metadata": {"annotations": {"autoscaling.alpha.kubernetes.io/metrics": "[{"}}});
    assert_eq!(
        refused("autoscaling/v1", "HorizontalPodAutoscaler", object),
        ["metadata.annotations[autoscaling.alpha.kubernetes.io/metrics]"]
    );
}

#[test]
fn todays_versions_and_other_kinds_are_left_as_they_are() {
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"metadata": {"labels": {"a": "b"}}}}});
    assert_eq!(stored("apps/v1", "Deployment", object.clone()), object);
    assert_eq!(to_version("apps", "v1", "Deployment", object.clone()), object);
    assert_eq!(find("apps", "v1beta1", "ReplicaSet"), None);
    comes_back(
        "Deployment",
        &json!({"apiVersion": "apps/v1", "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}}}}),
    );
}
