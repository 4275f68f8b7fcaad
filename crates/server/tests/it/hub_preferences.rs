//! `ReplicaSchedulingPreference` on the hub's API.

use serde_json::{Value, json};

use super::hub_fixture::{APPLY, Hub, MERGE};

const PREFERENCES: &str = "/apis/scheduling.kubefed.io/v1alpha1/namespaces/shop/replicaschedulingpreferences";

fn preference(spec: Value) -> Value {
    let mut spec = spec;
    for (field, value) in [
        ("targetKind", json!("FederatedDeployment")),
        ("totalReplicas", json!(9)),
    ] {
        if spec[field].is_null() {
            spec[field] = value;
        }
    }
    json!({"apiVersion": "scheduling.kubefed.io/v1alpha1", "kind": "ReplicaSchedulingPreference",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": spec})
}

async fn start() -> Hub {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    hub
}

#[tokio::test]
async fn what_the_planner_could_only_stumble_over_is_refused_with_its_field() {
    let hub = start().await;
    for (spec, field) in [
        (json!({"targetKind": "FederatedConfigMap"}), "spec.targetKind"),
        (json!({"targetKind": "Deployment"}), "spec.targetKind"),
        (json!({"totalReplicas": -1}), "spec.totalReplicas"),
        (
            json!({"clusters": {"*": {"minReplicas": 3, "maxReplicas": 2}}}),
            "spec.clusters[*].minReplicas",
        ),
        (
            json!({"clusters": {"eu-1": {"weight": -1}}}),
            "spec.clusters[eu-1].weight",
        ),
        (json!({"clusters": {"EU": {"weight": 1}}}), "spec.clusters[EU]"),
        (
            json!({"clusters": {"eu-1": {"weight": "1"}}}),
            "spec.clusters.eu-1.weight",
        ),
        (json!({"rebalance": "yes"}), "spec.rebalance"),
    ] {
        let answer = hub.post(PREFERENCES, &preference(spec)).await;
        assert_eq!(answer.fields(), [field]);
    }
    let mut without = preference(json!({}));
    without["spec"].as_object_mut().unwrap().remove("totalReplicas");
    assert_eq!(hub.post(PREFERENCES, &without).await.fields(), ["spec.totalReplicas"]);
}

#[tokio::test]
async fn a_preference_as_people_have_it_is_normalised_and_warned_of() {
    let hub = start().await;
    let spec = json!({"rebalance": true, "intersectWithClusterSelector": true,
        "clusters": {"*": {"weight": null, "minReplicas": 1}, "eu-1": {"weight": 2}}});
    let answer = hub
        .post(&format!("{PREFERENCES}?fieldValidation=Strict"), &preference(spec))
        .await;
    let warnings = answer.warnings();
    assert!(
        warnings.len() == 2
            && warnings[0].contains("spec.clusters[*].weight")
            && warnings[1].contains("no cluster \\\"eu-1\\\" is registered"),
        "{warnings:?}"
    );
    let made = answer.ok();
    assert_eq!(made["spec"]["clusters"]["*"], json!({"weight": 0, "minReplicas": 1}));
    assert_eq!(made["spec"]["intersectWithClusterSelector"], true);
    // What was warned of once is no news to a change of something else.
    let labelled = json!({"metadata": {"labels": {"a": "b"}}});
    let again = hub.patch(&format!("{PREFERENCES}/web"), MERGE, &labelled).await;
    assert_eq!(again.warnings(), Vec::<String>::new());
}

#[tokio::test]
async fn the_status_is_written_apart_and_shown_in_columns() {
    let hub = start().await;
    let mut new = preference(json!({}));
    new["status"] = json!({"placedReplicas": 4});
    let made = hub.post(PREFERENCES, &new).await.ok();
    assert_eq!(made["status"], Value::Null);
    let status = json!({"status": {"placedReplicas": 7, "unplacedReplicas": 2,
        "conditions": [{"type": "Scheduled", "status": "False", "reason": "Unplaced", "message": "2 of 9"}],
        "clusters": [{"name": "eu-1", "replicas": 7, "reason": "has its maximum of 7"}]}});
    hub.patch(&format!("{PREFERENCES}/web/status"), MERGE, &status)
        .await
        .ok();
    let table = hub.table(PREFERENCES).await;
    let names: Vec<&str> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "Name", "Target", "Total", "Placed", "Unplaced", "Reason", "Age", "Clusters", "Message"
        ]
    );
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!(
        cells[..6],
        [
            json!("web"),
            json!("FederatedDeployment"),
            json!(9),
            json!(7),
            json!(2),
            json!("Unplaced")
        ]
    );
}

#[tokio::test]
async fn two_managers_may_prefer_for_one_cluster_each() {
    let hub = start().await;
    for (manager, cluster) in [("one", "eu-1"), ("two", "us-1")] {
        let mut clusters = json!({});
        clusters[cluster] = json!({"weight": 1});
        let path = format!("{PREFERENCES}/web?fieldManager={manager}");
        hub.patch(&path, APPLY, &preference(json!({"clusters": clusters})))
            .await
            .ok();
    }
    let both = hub.get(&format!("{PREFERENCES}/web")).await.ok();
    assert_eq!(
        both["spec"]["clusters"],
        json!({"eu-1": {"weight": 1}, "us-1": {"weight": 1}})
    );
}

#[tokio::test]
async fn an_old_spelling_of_the_group_is_the_same_preference() {
    let hub = start().await;
    let mut old = preference(json!({}));
    old["apiVersion"] = json!("scheduling.federation.k8s.io/v1alpha1");
    let path = PREFERENCES.replace("scheduling.kubefed.io", "scheduling.federation.k8s.io");
    hub.post(&path, &old).await.ok();
    let read = hub.get(&format!("{PREFERENCES}/web")).await.ok();
    assert_eq!(read["apiVersion"], "scheduling.kubefed.io/v1alpha1");
}
