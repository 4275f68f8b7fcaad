//! Rendered examples: `NAME.yaml` holds objects, `NAME.json` what clusters get from them. In `NAME.json` a message that
//! begins with `…` stands for any text that is not empty.

use std::fs;
use std::path::Path;

use atoll_federation::{Scope, render};
use serde_json::{Value, json};

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

#[test]
fn every_example_renders_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/render");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            count += 1;
            let rendered = render(&documents(&fs::read_to_string(&path).unwrap()), Scope::Cluster).unwrap();
            let expected: Value =
                serde_json::from_str(&fs::read_to_string(path.with_extension("json")).unwrap()).unwrap();
            compare(
                &expected,
                &serde_json::to_value(&rendered).unwrap(),
                &path.display().to_string(),
            );
        }
    }
    assert!(count >= 2);
}

fn compare(expected: &Value, found: &Value, place: &str) {
    match (expected, found) {
        (Value::String(expected), Value::String(found)) if expected.starts_with('…') => {
            assert!(!found.is_empty(), "{place}")
        }
        (Value::Object(expected), Value::Object(found)) => {
            let keys =
                |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<std::collections::BTreeSet<_>>();
            assert_eq!(keys(expected), keys(found), "{place}");
            for (key, value) in expected {
                compare(value, &found[key], &format!("{place}/{key}"));
            }
        }
        (Value::Array(expected), Value::Array(found)) => {
            assert_eq!(expected.len(), found.len(), "{place}");
            for (index, value) in expected.iter().enumerate() {
                compare(value, &found[index], &format!("{place}/{index}"));
            }
        }
        _ => assert_eq!(expected, found, "{place}"),
    }
}

const TWO_CLUSTERS: &str = "
{apiVersion: core.kubefed.io/v1beta1, kind: KubeFedCluster, metadata: {name: eu-1, labels: {region: eu}}}
---
{apiVersion: core.kubefed.io/v1beta1, kind: KubeFedCluster, metadata: {name: us-1}}
---
";
const NAMESPACE: &str = "
{apiVersion: types.kubefed.io/v1beta1, kind: FederatedNamespace, metadata: {name: shop, namespace: shop}, spec: {placement: {clusterSelector: {}}}}
---
";

fn rendered(more: &[&str]) -> Value {
    let text = [TWO_CLUSTERS, &more.concat()].concat();
    serde_json::to_value(render(&documents(&text), Scope::Cluster).unwrap()).unwrap()
}

#[test]
fn an_object_outside_a_federated_namespace_goes_nowhere() {
    let object = "{apiVersion: types.kubefed.io/v1beta1, kind: FederatedConfigMap, metadata: {name: a, namespace: shop}, spec: {placement: {clusterSelector: {}}}}";
    let found = rendered(&[object]);
    assert_eq!(found["objects"][0]["error"]["reason"], "NamespaceNotFederated");
    assert_eq!(found["objects"][0]["clusters"], json!({}));
}

#[test]
fn an_excerpt_without_clusters_and_namespaces_is_rendered_for_the_clusters_that_it_names() {
    let list = "
apiVersion: v1
kind: List
items:
- {apiVersion: types.kubefed.io/v1beta1, kind: FederatedConfigMap, metadata: {name: a, namespace: shop}, spec: {template: {data: {x: text}}, placement: {clusters: [{name: eu-1}]}}}
- {apiVersion: types.kubefed.io/v1beta1, kind: FederatedConfigMap, metadata: {name: b, namespace: shop}, spec: {placement: {clusterSelector: {}}}}
";
    let rendered = render(&documents(list), Scope::Cluster).unwrap();
    let found = serde_json::to_value(&rendered).unwrap();
    assert_eq!(found["objects"][0]["clusters"]["eu-1"]["object"]["data"]["x"], "text");
    assert_eq!(found["objects"][1]["clusters"]["eu-1"]["object"]["kind"], "ConfigMap");
    assert!(rendered.is_complete());
    assert!(
        rendered
            .warnings
            .iter()
            .any(|warning| warning.contains("no KubeFedCluster")),
        "{:?}",
        rendered.warnings
    );
}

#[test]
fn a_preference_wins_over_an_override_and_no_clusters_means_all() {
    let object = "
apiVersion: types.kubefed.io/v1beta1
kind: FederatedDeployment
metadata: {name: web, namespace: shop}
spec:
  template: {spec: {replicas: 1}}
  placement: {clusters: []}
  overrides: [{clusterName: eu-1, clusterOverrides: [{path: /spec/replicas, value: 9}]}]
---
apiVersion: scheduling.kubefed.io/v1alpha1
kind: ReplicaSchedulingPreference
metadata: {name: web, namespace: shop}
spec: {targetKind: FederatedDeployment, totalReplicas: 4, clusters: {eu-1: {weight: 3}, us-1: {weight: 1}}}
";
    let found = rendered(&[NAMESPACE, object]);
    let replicas = |cluster: &str| found["objects"][1]["clusters"][cluster]["object"]["spec"]["replicas"].clone();
    assert_eq!((replicas("eu-1"), replicas("us-1")), (json!(3), json!(1)));
}

#[test]
fn a_placement_that_cannot_be_read_is_the_objects_error() {
    let object = "
apiVersion: types.kubefed.io/v1beta1
kind: FederatedConfigMap
metadata: {name: a, namespace: shop}
spec: {placement: {clusterSelector: {matchExpressions: [{key: region, operator: Near, values: [eu]}]}}}
";
    assert_eq!(
        rendered(&[NAMESPACE, object])["objects"][1]["error"]["reason"],
        "ComputePlacementFailed"
    );
}

#[test]
fn what_is_no_object_is_unreadable_and_what_is_not_federated_is_left_out() {
    assert!(render(&documents("{a: 1}"), Scope::Cluster).is_err());
    assert!(render(&documents("[1]"), Scope::Cluster).is_err());
    let found = render(
        &documents("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"),
        Scope::Cluster,
    )
    .unwrap();
    assert!(found.objects.is_empty() && found.is_complete());
    assert_eq!(found.warnings.len(), 1);
}

#[test]
fn a_namespaced_control_plane_needs_no_federated_namespace() {
    let object = "{apiVersion: types.kubefed.k8s.io/v1beta1, kind: FederatedConfigMap, metadata: {name: a, namespace: shop}, spec: {placement: {clusterNames: [eu-1]}}}";
    let text = [TWO_CLUSTERS, object].concat();
    let found = render(&documents(&text), Scope::Namespaced).unwrap();
    assert_eq!(found.objects[0].clusters.len(), 1);
}

#[test]
fn the_items_of_a_list_are_documents_of_their_own() {
    let object = "{apiVersion: types.kubefed.io/v1beta1, kind: FederatedConfigMap, metadata: {name: a, namespace: shop}, spec: {placement: {clusterSelector: {}}}}";
    let list = format!(
        "{{apiVersion: v1, kind: List, items: [{}, {object}]}}",
        NAMESPACE.trim().trim_end_matches("---")
    );
    assert_eq!(rendered(&[&list]), rendered(&[NAMESPACE, object]));
    let typed = list.replace("kind: List", "kind: FederatedConfigMapList");
    assert_eq!(rendered(&[&typed]), rendered(&[NAMESPACE, object]));
    assert!(
        render(
            &documents("{apiVersion: v1, kind: List, items: [{a: 1}]}"),
            Scope::Cluster
        )
        .is_err()
    );
}

#[test]
fn old_groups_are_read_as_todays() {
    let text = "
{apiVersion: core.kubefed.k8s.io/v1beta1, kind: KubeFedCluster, metadata: {name: eu-1}}
---
{apiVersion: types.kubefed.k8s.io/v1beta1, kind: FederatedNamespace, metadata: {name: shop, namespace: shop}, spec: {placement: {clusterNames: [eu-1]}}}
---
{apiVersion: types.kubefed.k8s.io/v1beta1, kind: FederatedDeployment, metadata: {name: web, namespace: shop}, spec: {placement: {clusterNames: [eu-1]}, overrides: [{clusterName: eu-1, clusterOverrides: [{path: spec.paused, value: true}]}], template: {spec: {replicas: 1}}}}
---
{apiVersion: scheduling.federation.k8s.io/v1alpha1, kind: ReplicaSchedulingPreference, metadata: {name: web, namespace: shop}, spec: {targetKind: FederatedDeployment, totalReplicas: 4, clusters: {eu-1: {weight: null, minReplicas: 4}}}}
";
    let found = render(&documents(text), Scope::Cluster).unwrap();
    assert!(found.is_complete());
    let found = serde_json::to_value(&found).unwrap();
    let spec = &found["objects"][1]["clusters"]["eu-1"]["object"]["spec"];
    assert_eq!(*spec, json!({"replicas": 4, "paused": true}));
}

const WIDGETS: &str = "
apiVersion: core.kubefed.io/v1beta1
kind: FederatedTypeConfig
metadata: {name: widgets.example.com, namespace: kube-federation-system}
spec:
  propagation: Enabled
  targetType: {group: example.com, version: v1, kind: Widget, pluralName: widgets, scope: Namespaced}
  federatedType: {group: types.example.com, version: v1beta1, kind: FederatedWidget, pluralName: federatedwidgets, scope: Namespaced}
---
{apiVersion: types.example.com/v1beta1, kind: FederatedWidget, metadata: {name: a, namespace: shop}, spec: {template: {spec: {replicas: 1}}, placement: {clusters: [{name: eu-1}]}}}
---
{apiVersion: scheduling.kubefed.io/v1alpha1, kind: ReplicaSchedulingPreference, metadata: {name: a, namespace: shop}, spec: {targetKind: FederatedWidget, totalReplicas: 3}}
";

#[test]
fn a_type_that_stands_in_the_stream_renders_unless_it_is_switched_off() {
    let found = rendered(&[NAMESPACE, WIDGETS]);
    let object = &found["objects"][1]["clusters"]["eu-1"]["object"];
    assert_eq!(object["apiVersion"], "example.com/v1");
    assert_eq!(object["spec"]["replicas"], 3);
    let off = rendered(&[
        NAMESPACE,
        &WIDGETS.replace("propagation: Enabled", "propagation: Disabled"),
    ]);
    assert_eq!(off["objects"].as_array().unwrap().len(), 1);
    let unknown = rendered(&[NAMESPACE, WIDGETS.split_once("---").unwrap().1]);
    assert_eq!(unknown["objects"].as_array().unwrap().len(), 1);
}

#[test]
fn a_namespaced_control_plane_propagates_nothing_that_lives_in_no_namespace() {
    let object = "{apiVersion: types.kubefed.io/v1beta1, kind: FederatedClusterRole, metadata: {name: a}, spec: {placement: {clusterSelector: {}}}}";
    let text = [TWO_CLUSTERS, object].concat();
    let everywhere = render(&documents(&text), Scope::Cluster).unwrap();
    assert_eq!(everywhere.objects[0].clusters.len(), 2);
    let found = render(&documents(&text), Scope::Namespaced).unwrap();
    assert!(found.objects[0].clusters.is_empty() && found.is_complete());
    assert_eq!(found.warnings.len(), 1);
}
