//! YAML as people still have it, in the shapes of KubeFed's documents: applied with kubectl as it stands. What is brought
//! into today's form is warned of; what cannot be meant is refused with the field and the mended line.

use serde_json::{Value, json};

use super::forward_fixture::Served;
use super::hub_fixture::{CLUSTERS, Hub};
use super::hub_kubectl::Kubectl;

const NAMESPACE: &str = "namespaces/test-namespace";
const TYPES: &str = "/apis/types.kubefed.io/v1beta1";

struct World {
    hub: Hub,
    _served: Served,
    kubectl: Kubectl,
}

impl World {
    async fn start() -> Self {
        let hub = Hub::start().await;
        hub.namespace("test-namespace").await;
        let served = Served::start(&hub).await;
        let kubectl = Kubectl::new(&hub, &served);
        Self {
            hub,
            _served: served,
            kubectl,
        }
    }

    /// Applies a file; answers with what kubectl says of it, and with the warnings.
    async fn apply(&self, file: &str) -> (String, String) {
        self.kubectl.told(&["apply", "-f", &path(file)], "").await
    }

    async fn refused(&self, file: &str) -> String {
        self.kubectl.fails(&["apply", "-f", &path(file)], "").await
    }

    async fn get(&self, plural: &str, name: &str) -> Value {
        self.hub.get(&format!("{TYPES}/{NAMESPACE}/{plural}/{name}")).await.ok()
    }
}

fn path(file: &str) -> String {
    format!("{}/tests/data/old_yaml/{file}", env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn warns(warnings: &str, words: &[&str]) {
    for word in words {
        assert!(warnings.contains(word), "{word} in {warnings}");
    }
}

#[tokio::test]
async fn the_documents_of_kubefed_work_under_its_old_groups() {
    let world = World::start().await;
    let (said, warnings) = world.apply("old_groups.yaml").await;
    assert_eq!(said.matches(" created\n").count(), 3, "{said}");
    warns(
        &warnings,
        &[
            "types.kubefed.k8s.io/v1beta1 FederatedNamespace is the old name",
            "types.kubefed.k8s.io/v1beta1 FederatedDeployment is the old name",
            "scheduling.kubefed.k8s.io/v1alpha1 ReplicaSchedulingPreference is the old name",
        ],
    );
    let (said, _) = world.apply("old_groups.yaml").await;
    assert_eq!(said.matches(" unchanged\n").count(), 4, "{said}");
    let stored = world.get("federateddeployments", "test-deployment").await;
    assert_eq!(
        stored["spec"]["overrides"][0]["clusterOverrides"][0]["path"],
        "/spec/replicas"
    );
    // The same file with today's groups is about the same objects.
    let today = std::fs::read_to_string(path("old_groups.yaml"))
        .unwrap()
        .replace("kubefed.k8s.io", "kubefed.io");
    let (said, warnings) = world.kubectl.told(&["apply", "-f", "-"], &today).await;
    assert!(
        !said.contains("created") && !warnings.contains("old name"),
        "{said}{warnings}"
    );
}

#[tokio::test]
async fn a_cluster_is_joined_by_a_file_without_namespace_and_of_the_old_group() {
    let world = World::start().await;
    let (said, warnings) = world.apply("old_join.yaml").await;
    assert!(
        said.contains("kubefedcluster.core.kubefed.k8s.io/cluster1 created"),
        "{said}"
    );
    warns(
        &warnings,
        &[
            "core.kubefed.k8s.io/v1beta1 KubeFedCluster is the old name",
            "live in kube-federation-system",
        ],
    );
    let cluster = world.hub.get(&format!("{CLUSTERS}/cluster1")).await.ok();
    assert_eq!(cluster["metadata"]["namespace"], "kube-federation-system");
    // Applied again it is not written: kubectl states the namespace that it assumed, which is read as it was.
    world.apply("old_join.yaml").await;
    let again = world.hub.get(&format!("{CLUSTERS}/cluster1")).await.ok();
    assert_eq!(again["spec"], cluster["spec"]);
    assert_eq!(again["metadata"]["generation"], cluster["metadata"]["generation"]);
    world.kubectl.ok(&["delete", "-f", &path("old_join.yaml")], "").await;
    world
        .hub
        .get(&format!("{CLUSTERS}/cluster1"))
        .await
        .failed(404, "NotFound");
}

#[tokio::test]
async fn a_type_without_namespace_is_one_of_the_system_namespace() {
    let world = World::start().await;
    let (said, warnings) = world.apply("type_without_namespace.yaml").await;
    assert!(said.contains("widgets.example.com created"), "{said}");
    warns(&warnings, &["federatedtypeconfigs live in kube-federation-system"]);
    let path = CLUSTERS.replace("kubefedclusters", "federatedtypeconfigs/widgets.example.com");
    world.hub.get(&path).await.ok();
}

#[tokio::test]
async fn dotted_paths_and_names_of_clusters_become_todays() {
    let world = World::start().await;
    let (_, warnings) = world.apply("dotted_paths.yaml").await;
    warns(
        &warnings,
        &[
            "spec.placement.clusterNames: read as clusters",
            "\"spec.replicas\" is read as \"/spec/replicas\"",
        ],
    );
    let spec = world.get("federateddeployments", "dotted").await["spec"].clone();
    assert_eq!(
        spec["placement"],
        json!({"clusters": [{"name": "cluster1"}, {"name": "cluster2"}]})
    );
    assert_eq!(spec["overrides"][0]["clusterOverrides"][0]["path"], "/spec/replicas");
}

#[tokio::test]
async fn a_weight_that_is_null_is_none() {
    let world = World::start().await;
    let (_, warnings) = world.apply("null_weight.yaml").await;
    warns(
        &warnings,
        &["scheduling.federation.k8s.io/v1alpha1 ReplicaSchedulingPreference is the old name"],
    );
    let path = format!("/apis/scheduling.kubefed.io/v1alpha1/{NAMESPACE}/replicaschedulingpreferences/weights");
    let clusters = world.hub.get(&path).await.ok()["spec"]["clusters"].clone();
    assert_eq!(clusters["cluster1"]["minReplicas"], 2);
    assert!(
        !clusters["cluster1"]["weight"].is_null() || clusters["cluster1"].get("weight").is_none(),
        "{clusters}"
    );
}

#[tokio::test]
async fn an_exported_object_is_created_without_what_a_server_sets() {
    let world = World::start().await;
    let (said, warnings) = world.apply("exported.yaml").await;
    assert!(said.contains("exported created"), "{said}");
    warns(
        &warnings,
        &["metadata.uid", "metadata.managedFields", "status", "exported object"],
    );
    let made = world.get("federatedconfigmaps", "exported").await;
    assert_ne!(made["metadata"]["uid"], "6f1cb4ef-0d66-4d3b-9d4a-2c4f0e4a1c55");
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(made["status"], Value::Null);
    // And it can be applied again, changed or not.
    let (said, _) = world.apply("exported.yaml").await;
    assert!(
        said.contains("exported unchanged") || said.contains("exported configured"),
        "{said}"
    );
    let changed = std::fs::read_to_string(path("exported.yaml"))
        .unwrap()
        .replace("      A: ala ma kota", "      A: changed");
    world.kubectl.ok(&["apply", "-f", "-"], &changed).await;
    let now = world.get("federatedconfigmaps", "exported").await;
    assert_eq!(now["spec"]["template"]["data"]["A"], "changed");
    assert_eq!(now["metadata"]["uid"], made["metadata"]["uid"]);
    // So it is by server-side apply.
    world
        .kubectl
        .ok(
            &[
                "apply",
                "--server-side",
                "--force-conflicts",
                "-f",
                &path("exported.yaml"),
            ],
            "",
        )
        .await;
    assert_eq!(
        world.get("federatedconfigmaps", "exported").await["spec"]["template"]["data"]["A"],
        "ala ma kota"
    );
}

#[tokio::test]
async fn an_exported_object_of_federation_v1_is_taken_in_an_old_version_too() {
    let world = World::start().await;
    let (said, warnings) = world.apply("exported_v1.yaml").await;
    assert!(said.contains("exported created"), "{said}");
    warns(&warnings, &["metadata.uid", "status", "old version of apps/v1"]);
    // kubectl has the kind compiled in and sends another form of patch; nothing of what a server sets is taken from it.
    let changed = std::fs::read_to_string(path("exported_v1.yaml"))
        .unwrap()
        .replace("replicas: 9", "replicas: 12");
    world.kubectl.ok(&["apply", "-f", "-"], &changed).await;
    let stored = world
        .hub
        .get(&format!("/apis/apps/v1/{NAMESPACE}/replicasets/exported"))
        .await
        .ok();
    assert_eq!(stored["spec"]["replicas"], 12);
    assert_ne!(stored["metadata"]["uid"], "ad3b1c9e-4a4e-11e7-a919-92ebcb67fe33");
    assert_eq!(stored["metadata"]["finalizers"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_exported_cluster_loses_the_finalizer_that_nobody_here_would_take_off() {
    let world = World::start().await;
    let (_, warnings) = world.apply("exported_cluster.yaml").await;
    warns(&warnings, &["metadata.finalizers", "status"]);
    let cluster = world.hub.get(&format!("{CLUSTERS}/cluster9")).await.ok();
    assert_eq!(
        (
            &cluster["metadata"]["finalizers"],
            &cluster["metadata"]["labels"]["region"]
        ),
        (&json!([]), &json!("eu"))
    );
    world.apply("exported_cluster.yaml").await;
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_the_field_and_the_mended_line() {
    let world = World::start().await;
    for (file, words) in [
        (
            "no_tls_switch.yaml",
            &["spec.disabledTLSValidations", "disabledTLSValidations: []"][..],
        ),
        (
            "no_selector.yaml",
            &["spec.template.spec.selector", "matchLabels: {app: nginx}"],
        ),
        (
            "preferences_no_json.yaml",
            &[
                "metadata.annotations[federation.kubernetes.io/replica-set-preferences]",
                r#"write {"clusters":{"*":{"weight":1}},"rebalance":true}"#,
            ],
        ),
    ] {
        let said = world.refused(file).await;
        warns(&said, words);
    }
}
