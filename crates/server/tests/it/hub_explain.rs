//! What kubectl learns about the kinds that the hub serves, and the kinds of its configuration by kubectl's verbs.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoll_kubeapi::{Resource, Schema, structures};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::custom_member::CustomMember;
use super::forward_fixture::Served;
use super::hub_fixture::{Hub, eventually};
use super::hub_kubectl::Kubectl;

#[tokio::test]
async fn every_kind_is_listed_and_explained() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    let listed = kubectl.ok(&["api-resources", "--no-headers", "-o", "name"], "").await;
    let names: Vec<&str> = listed.lines().collect();
    for name in [
        "kubefedclusters.core.kubefed.io",
        "kubefedconfigs.core.kubefed.io",
        "federatedtypeconfigs.core.kubefed.io",
        "replicaschedulingpreferences.scheduling.kubefed.io",
        "events",
        "leases.coordination.k8s.io",
        "customresourcedefinitions.apiextensions.k8s.io",
        "federatedcronjobs.types.kubefed.io",
        "federatedcustomresourcedefinitions.types.kubefed.io",
    ] {
        assert!(names.contains(&name), "{name} in {listed}");
    }
    let federated = names.iter().filter(|name| name.ends_with(".types.kubefed.io")).count();
    assert_eq!(federated, 23);
    // Reviews are questions and are not stored; they have no structure to explain.
    for name in names.into_iter().filter(|name| !name.starts_with("selfsubject")) {
        let said = kubectl.ok(&["explain", name], "").await;
        assert!(said.contains("KIND:") && said.contains("FIELDS:"), "{name}: {said}");
        let description = said.split("DESCRIPTION:").nth(1).unwrap_or_default();
        assert!(
            !description.trim_start().starts_with("<empty>"),
            "{name} says what it is"
        );
    }
}

#[tokio::test]
async fn explain_reaches_into_each_kind() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    for (path, said) in [
        (
            "kubefedconfigs.spec.clusterHealthCheck.failureThreshold",
            "until a cluster counts as away",
        ),
        (
            "federatedtypeconfigs.spec.federatedType.pluralName",
            "Without it, that of the name",
        ),
        ("ftc.status.propagationController", "kept in step"),
        ("rsp.spec.clusters", "* for all others"),
        ("rsp.status.clusters.reason", "Why so many"),
        ("crd.spec.names.plural", "as in paths"),
        ("events.involvedObject", "<ObjectReference>"),
        ("leases.spec.holderIdentity", "<string>"),
        ("fdeploy.spec.template.spec.template.spec.containers.image", "<string>"),
        (
            "federatedcronjobs.spec.template.spec.jobTemplate.spec.template.spec.volumes",
            "<[]Volume>",
        ),
        (
            "federatednetworkpolicies.spec.template.spec.podSelector",
            "<LabelSelector>",
        ),
        (
            "fsvc.spec.placement.clusterSelector.matchExpressions",
            "<[]LabelSelectorRequirement>",
        ),
    ] {
        let found = kubectl.ok(&["explain", path], "").await;
        assert!(found.contains(said), "{path}: {found}");
    }
}

#[tokio::test]
async fn types_settings_and_preferences_are_applied_in_each_way_that_kubectl_has() {
    let hub = Hub::live().await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    hub.namespace("shop").await;
    let config = json!({"apiVersion": "core.kubefed.io/v1beta1", "kind": "FederatedTypeConfig", "metadata": {"name": "widgets.example.com", "namespace": "kube-federation-system"},
        "spec": {"targetType": {"group": "example.com", "version": "v1", "kind": "Widget", "pluralName": "widgets", "scope": "Namespaced"},
            "federatedType": {"group": "types.kubefed.io", "version": "v1beta1", "kind": "FederatedWidget", "pluralName": "federatedwidgets", "scope": "Namespaced"},
            "propagation": "Enabled"}});
    let preference = json!({"apiVersion": "scheduling.kubefed.io/v1alpha1", "kind": "ReplicaSchedulingPreference",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": {"targetKind": "FederatedDeployment", "totalReplicas": 9, "clusters": {"*": {"weight": 1}}}});
    let settings = json!({"apiVersion": "core.kubefed.io/v1beta1", "kind": "KubeFedConfig", "metadata": {"name": "kubefed", "namespace": "kube-federation-system"},
        "spec": {"scope": "Cluster", "clusterHealthCheck": {"period": "5s"}}});
    for (object, name, first) in [
        (
            &config,
            "federatedtypeconfig.core.kubefed.io/widgets.example.com",
            "created",
        ),
        (
            &preference,
            "replicaschedulingpreference.scheduling.kubefed.io/web",
            "created",
        ),
        (&settings, "kubefedconfig.core.kubefed.io/kubefed", "configured"),
    ] {
        let text = object.to_string();
        let dry = kubectl.ok(&["apply", "--dry-run=server", "-f", "-"], &text).await;
        assert_eq!(dry, format!("{name} {first} (server dry run)\n"));
        assert_eq!(
            kubectl.ok(&["apply", "-f", "-"], &text).await,
            format!("{name} {first}\n")
        );
        assert_eq!(
            kubectl.ok(&["apply", "-f", "-"], &text).await,
            format!("{name} unchanged\n")
        );
        let applied = kubectl.ok(&["apply", "--server-side", "-f", "-"], &text).await;
        assert_eq!(applied, format!("{name} serverside-applied\n"));
    }
    // The kind is there for the next command.
    let widget = json!({"apiVersion": "types.kubefed.io/v1beta1", "kind": "FederatedWidget", "metadata": {"name": "w", "namespace": "shop"},
        "spec": {"template": {"spec": {"size": 1}}, "placement": {"clusters": []}}});
    let made = kubectl.ok(&["apply", "-f", "-"], &widget.to_string()).await;
    assert_eq!(made, "federatedwidget.types.kubefed.io/w created\n");
    let table = kubectl
        .ok(
            &["get", "ftc", "-n", "kube-federation-system", "widgets.example.com"],
            "",
        )
        .await;
    let heading: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["NAME", "FEDERATED", "PROPAGATION", "CONTROLLER", "AGE"]);
    assert!(
        kubectl
            .ok(&["get", "rsp", "-A"], "")
            .await
            .contains("FederatedDeployment")
    );
    let said = kubectl
        .fails(
            &[
                "patch",
                "kubefedconfig",
                "kubefed",
                "-n",
                "kube-federation-system",
                "--type=merge",
                "-p",
                r#"{"spec":{"scope":"Namespaced"}}"#,
            ],
            "",
        )
        .await;
    assert!(said.contains("spec.scope: is Cluster and cannot be changed"), "{said}");
}

#[tokio::test]
async fn fields_of_a_template_are_described_as_a_member_describes_them() {
    let hub = Hub::live().await;
    let document = "/openapi/v3/apis/types.kubefed.io/v1beta1";
    let text = "Number of desired pods, as this cluster says.";
    assert!(!hub.get(document).await.ok().to_string().contains(text));
    let mut definitions = BTreeMap::clone(&structures::definitions());
    let spec = definitions.get_mut("io.k8s.api.apps.v1.DeploymentSpec").unwrap();
    spec["properties"]["replicas"]["description"] = json!(text);
    let deployments = Resource {
        schema: Schema::with_definitions(json!({"$ref": "io.k8s.api.apps.v1.Deployment"}), Arc::new(definitions)),
        ..Resource::built_in("apps", "v1", "Deployment", "deployments").unwrap()
    };
    let member = CustomMember::start(vec![deployments]).await;
    member.join(&hub, "eu-1").await;
    let end = CancellationToken::new();
    let learning = atoll_server::hub::learn(hub.state.clone(), end.clone());
    hub.state.tasks.spawn(learning);
    eventually("the field is described", || async {
        hub.get(document).await.ok().to_string().contains(text)
    })
    .await;
    end.cancel();
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    let said = kubectl
        .ok(&["explain", "fdeploy.spec.template.spec.replicas"], "")
        .await;
    assert!(said.contains(text), "{said}");
}
