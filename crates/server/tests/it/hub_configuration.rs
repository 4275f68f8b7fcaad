//! `KubeFedConfig`, and the definitions of federated kinds that people have beside their types.

use serde_json::{Value, json};

use super::forward_fixture::Served;
use super::hub_fixture::{Change, Hub, MERGE};
use super::hub_kubectl::Kubectl;

const CONFIGS: &str = "/apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/kubefedconfigs";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

fn config() -> Value {
    json!({"apiVersion": "core.kubefed.io/v1beta1", "kind": "KubeFedConfig",
        "metadata": {"name": "kubefed", "namespace": "kube-federation-system"}, "spec": {"scope": "Cluster"}})
}

fn path() -> String {
    format!("{CONFIGS}/kubefed")
}

#[tokio::test]
async fn there_is_a_configuration_with_all_defaults_from_the_start() {
    let hub = Hub::start().await;
    let found = hub.get(&path()).await.ok();
    assert_eq!(found["spec"]["scope"], "Cluster");
    assert_eq!(found["spec"]["clusterHealthCheck"]["period"], "10s");
    assert_eq!(found["spec"]["featureGates"].as_array().unwrap().len(), 3);
    assert_eq!(found["metadata"]["generation"], 1);
    assert_eq!(
        hub.table(CONFIGS).await["rows"][0]["cells"].as_array().unwrap()[..3],
        [json!("kubefed"), json!("Cluster"), json!("Enabled")]
    );
    hub.post(CONFIGS, &config()).await.failed(409, "AlreadyExists");
}

#[tokio::test]
async fn a_configuration_that_was_deleted_stays_so_and_may_be_made_with_another_scope() {
    let hub = Hub::live().await;
    let other = json!({"spec": {"scope": "Namespaced"}});
    assert_eq!(hub.patch(&path(), MERGE, &other).await.fields(), ["spec.scope"]);
    hub.delete(&path()).await.ok();
    atoll_server::hub::seed(&hub.state.store, jiff::Timestamp::now())
        .await
        .unwrap();
    hub.get(&path()).await.failed(404, "NotFound");
    let mut new = config();
    new["spec"] = json!({"scope": "Namespaced", "syncController": {"adoptResources": "Disabled"}});
    let made = hub.post(CONFIGS, &new).await.ok();
    assert_eq!(made["spec"]["controllerDuration"]["unavailableDelay"], "1m0s");
    // It counts from the answer on.
    let settings = &hub.state.configuration().settings;
    assert_eq!(
        (settings.scope, settings.adopt_resources),
        (atoll_federation::Scope::Namespaced, false)
    );
}

#[tokio::test]
async fn a_setting_that_cannot_be_meant_is_refused_with_its_field() {
    let hub = Hub::start().await;
    for (patch, field) in [
        (
            json!({"clusterHealthCheck": {"period": "10"}}),
            "spec.clusterHealthCheck.period",
        ),
        (
            json!({"clusterHealthCheck": {"failureThreshold": 0}}),
            "spec.clusterHealthCheck.failureThreshold",
        ),
        (
            json!({"controllerDuration": {"unavailableDelay": "-1s"}}),
            "spec.controllerDuration.unavailableDelay",
        ),
        (
            json!({"leaderElect": {"leaseDuration": "1s"}}),
            "spec.leaderElect.leaseDuration",
        ),
        (
            json!({"syncController": {"adoptResources": "Yes"}}),
            "spec.syncController.adoptResources",
        ),
        (json!({"scope": 1}), "spec.scope"),
    ] {
        let answer = hub.patch(&path(), MERGE, &json!({"spec": patch})).await;
        assert_eq!(answer.fields(), [field]);
    }
    let mut other = config();
    other["metadata"]["name"] = json!("other");
    assert_eq!(hub.post(CONFIGS, &other).await.fields(), ["metadata.name"]);
}

#[tokio::test]
async fn a_setting_of_the_first_releases_is_taken_with_a_warning() {
    let hub = Hub::start().await;
    let old = json!({"spec": {"controllerDuration": {"clusterMonitorPeriod": "40s"}, "featureGates": [
        {"name": "FederatedIngress", "configuration": "Enabled"},
        {"name": "PushReconciler", "configuration": "Enabled"},
    ]}});
    let answer = hub
        .patch(&format!("{}?fieldValidation=Strict", path()), MERGE, &old)
        .await;
    let warnings = answer.warnings();
    assert!(
        warnings.len() == 1 && warnings[0].contains("clusterMonitorPeriod"),
        "{warnings:?}"
    );
    let gates = &answer.ok()["spec"]["featureGates"];
    let names: Vec<&str> = gates
        .as_array()
        .unwrap()
        .iter()
        .map(|gate| gate["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "FederatedIngress",
            "PushReconciler",
            "RawResourceStatusCollection",
            "SchedulerPreferences"
        ]
    );
}

fn definition(group: &str, kind: &str) -> Value {
    let plural = format!("{}s", kind.to_lowercase());
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": format!("{plural}.{group}")},
    "spec": {
        "group": group, "scope": "Namespaced",
        "names": {"kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": kind.to_lowercase(), "shortNames": ["fx"]},
        "versions": [{"name": "v1beta1", "served": true, "storage": true, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}}}],
    }})
}

#[tokio::test]
async fn a_definition_of_a_federated_kind_is_taken_beside_its_type() {
    let hub = Hub::start().await;
    let answer = hub
        .post(DEFINITIONS, &definition("types.kubefed.io", "FederatedService"))
        .await;
    assert_eq!(answer.warnings(), Vec::<String>::new());
    let made = answer.ok();
    let conditions = made["status"]["conditions"].as_array().unwrap();
    assert!(
        conditions
            .iter()
            .any(|one| one["type"] == "Established" && one["status"] == "True")
    );
    assert_eq!(made["status"]["storedVersions"], json!(["v1beta1"]));
    // Its FederatedTypeConfig may come after it.
    let early = hub
        .post(DEFINITIONS, &definition("types.example.com", "FederatedWidget"))
        .await;
    assert_eq!(early.warnings().len(), 1);
    early.ok();
    // KubeFed's own kinds are served anyway.
    hub.post(DEFINITIONS, &definition("core.kubefed.io", "KubeFedCluster"))
        .await
        .ok();
}

#[tokio::test]
async fn a_definition_of_any_other_kind_is_refused_with_the_way_out() {
    let hub = Hub::start().await;
    let refused = hub.post(DEFINITIONS, &definition("example.com", "Widget")).await;
    let status = refused.failed(422, "Invalid");
    let cause = &status["details"]["causes"][0];
    assert_eq!(cause["field"], "spec.names.kind");
    let message = cause["message"].as_str().unwrap();
    assert!(message.contains("FederatedCustomResourceDefinition"), "{message}");
    let misnamed: Change = |object| object["metadata"]["name"] = json!("other.types.kubefed.io");
    let mut object = definition("types.kubefed.io", "FederatedService");
    misnamed(&mut object);
    assert_eq!(hub.post(DEFINITIONS, &object).await.fields(), ["metadata.name"]);
}

#[tokio::test]
async fn a_definition_as_kubefedctl_prints_it_is_applied_and_waited_for() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    let name = "customresourcedefinition.apiextensions.k8s.io/federatedservices.types.kubefed.io";
    let mut file = definition("types.kubefed.io", "FederatedService");
    for (label, said) in [("a", "created"), ("a", "unchanged"), ("b", "configured")] {
        file["metadata"]["labels"] = json!({"app": label});
        let out = kubectl.ok(&["apply", "-f", "-"], &file.to_string()).await;
        assert_eq!(out, format!("{name} {said}\n"));
    }
    let wait = ["wait", "--for=condition=established", "--timeout=20s", name];
    assert_eq!(kubectl.ok(&wait, "").await, format!("{name} condition met\n"));

    let mut old = definition("types.kubefed.io", "FederatedSecret");
    old["apiVersion"] = json!("apiextensions.k8s.io/v1beta1");
    old["spec"].as_object_mut().unwrap().remove("versions");
    old["spec"]["version"] = json!("v1beta1");
    old["spec"]["validation"] = json!({"openAPIV3Schema": {"type": "object"}});
    old["spec"]["subresources"] = json!({"status": {}});
    kubectl.ok(&["create", "-f", "-"], &old.to_string()).await;
    let read = hub
        .get(&format!("{DEFINITIONS}/federatedsecrets.types.kubefed.io"))
        .await
        .ok();
    assert_eq!(read["apiVersion"], "apiextensions.k8s.io/v1");
    assert_eq!(read["status"]["storedVersions"], json!(["v1beta1"]));
}
