//! Federation v1: plain objects in a namespace that says so, or with an annotation
//! of v1, are planned by the same engine; all others rest on the hub.

use anyhow::{Context, Result, ensure};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{member::Member, waiting::eventually, world::World};

const NAMESPACE: &str = "plain";
const MANIFEST: &str = include_str!("manifests/plain.yaml");

pub(crate) async fn told(world: &World) -> Result<()> {
    old_files_are_applied_unchanged(world).await?;
    replicas_are_planned_by_the_annotation(world).await?;
    the_status_is_the_sum_of_the_members(world).await?;
    a_service_leads_where_something_is_ready(world).await?;
    config_maps_go_where_their_selector_says(world).await?;
    an_edit_in_the_old_version_is_followed(world).await?;
    what_is_not_federated_rests_on_the_hub(world).await?;
    preferences_that_are_none_are_refused(world).await?;
    a_second_object_for_the_same_target_is_refused(world).await?;
    deleting_with_orphan_leaves_members_as_they_are(world).await?;
    deleting_without_orphan_deletes_in_every_member(world).await?;
    world.leave_namespace(NAMESPACE).await
}

fn deployment() -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/web")
}

fn map(name: &str) -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/configmaps/{name}")
}

async fn old_files_are_applied_unchanged(world: &World) -> Result<()> {
    let said = world.kubectl.apply(MANIFEST).await?;
    let expected = [
        "namespace/plain created",
        "deployment.extensions/web created",
        "configmap/settings created",
        "configmap/chosen created",
    ];
    ensure!(said.lines().eq(expected), "kubectl said\n{said}");
    Ok(())
}

async fn runs(member: &Member, replicas: i64, image: &str) -> Result<()> {
    eventually(&format!("{replicas} of {image} in {}", member.name()), async || {
        let object = member.get(&deployment()).await?;
        let spec = &object["spec"];
        ensure!(spec["replicas"] == replicas, "{spec}");
        ensure!(spec["template"]["spec"]["containers"][0]["image"] == image, "{spec}");
        ensure!(object["status"]["readyReplicas"] == replicas, "{}", object["status"]);
        ensure!(object["status"]["updatedReplicas"] == replicas, "{}", object["status"]);
        Ok(())
    })
    .await
}

async fn replicas_are_planned_by_the_annotation(world: &World) -> Result<()> {
    for (member, replicas) in [(&world.eu, 5), (&world.us, 2), (&world.ap, 1)] {
        runs(member, replicas, "registry.example/web:1").await?;
    }
    // The selector that old files leave out is made of the labels of the pods.
    let object = world.eu.get(&deployment()).await?;
    ensure!(
        object["spec"]["selector"]["matchLabels"] == json!({"app": "web"}),
        "{object}"
    );
    Ok(())
}

async fn the_status_is_the_sum_of_the_members(world: &World) -> Result<()> {
    eventually("eight replicas on the hub", async || {
        let object = world.hub_object(&format!("/k8s/hub{}", deployment())).await?;
        let status = &object["status"];
        for number in ["replicas", "readyReplicas", "availableReplicas", "updatedReplicas"] {
            ensure!(status[number] == 8, "{status}");
        }
        ensure!(
            status["observedGeneration"] == object["metadata"]["generation"],
            "{object}"
        );
        Ok(())
    })
    .await?;
    let row = world
        .kubectl
        .text(["get", "deployment", "web", "-n", NAMESPACE, "--no-headers"])
        .await?;
    ensure!(row.contains(" 8/8 "), "kubectl shows {row}");
    Ok(())
}

async fn a_service_leads_where_something_is_ready(world: &World) -> Result<()> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/services/web");
    let service = |app: &str| {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": NAMESPACE },
            "spec": { "type": "LoadBalancer", "selector": { "app": app }, "ports": [{ "port": 80 }] },
        })
    };
    world.kubectl.apply(&service("web").to_string()).await?;
    for member in world.members() {
        let what = format!("the Service in {}", member.name());
        eventually(&what, async || member.get(&path).await.map(drop)).await?;
        // These members have no cloud that would do it.
        let address = json!({ "status": { "loadBalancer": { "ingress": [{ "ip": "192.0.2.1" }] } } });
        member.patch(&format!("{path}/status"), &address).await?;
    }
    for (app, addresses) in [("web", json!([{ "ip": "192.0.2.1" }])), ("other", json!([]))] {
        world.kubectl.apply(&service(app).to_string()).await?;
        eventually(&format!("addresses of {app}"), async || {
            let object = world.hub_object(&format!("/k8s/hub{path}")).await?;
            let text = object["metadata"]["annotations"]["federation.kubernetes.io/service-ingresses"].as_str();
            let said: Value = serde_json::from_str(text.context("no annotation")?)?;
            let expected: Vec<Value> = ["ap-1", "eu-1", "us-1"]
                .map(|name| json!({ "cluster": name, "items": addresses }))
                .into();
            ensure!(said == json!({ "items": expected }), "{said}");
            Ok(())
        })
        .await?;
    }
    world
        .kubectl
        .text(["delete", "service", "web", "-n", NAMESPACE, "--timeout=60s"])
        .await
        .map(drop)
}

async fn config_maps_go_where_their_selector_says(world: &World) -> Result<()> {
    for member in world.members() {
        let what = format!("the ConfigMap of all in {}", member.name());
        eventually(&what, async || {
            let object = member.get(&map("settings")).await?;
            ensure!(object["data"]["greeting"] == "hello", "{object}");
            ensure!(
                object["metadata"]["annotations"]["example.com/note"] == "copied",
                "{object}"
            );
            Ok(())
        })
        .await?;
    }
    for member in [&world.eu, &world.us] {
        let what = format!("the chosen ConfigMap in {}", member.name());
        eventually(&what, async || member.get(&map("chosen")).await.map(drop)).await?;
    }
    world.ap.lacks(&map("chosen")).await
}

async fn an_edit_in_the_old_version_is_followed(world: &World) -> Result<()> {
    world.kubectl.apply(&MANIFEST.replace("web:1", "web:2")).await?;
    for (member, replicas) in [(&world.eu, 5), (&world.us, 2), (&world.ap, 1)] {
        runs(member, replicas, "registry.example/web:2").await?;
    }
    Ok(())
}

async fn what_is_not_federated_rests_on_the_hub(world: &World) -> Result<()> {
    world
        .kubectl
        .text(["create", "configmap", "resting", "-n", "default", "--from-literal=a=b"])
        .await?;
    // Something made later is everywhere: the other would have been, too.
    let manifest = MANIFEST
        .replace("greeting: hello", "greeting: later")
        .replace("web:1", "web:2");
    world.kubectl.apply(&manifest).await?;
    for member in world.members() {
        eventually(&format!("the later one in {}", member.name()), async || {
            let object = member.get(&map("settings")).await?;
            ensure!(object["data"]["greeting"] == "later", "{object}");
            Ok(())
        })
        .await?;
        member.lacks("/api/v1/namespaces/default/configmaps/resting").await?;
    }
    Ok(())
}

async fn preferences_that_are_none_are_refused(world: &World) -> Result<()> {
    // The others in the file would be applied all the same.
    let mut documents = MANIFEST.split("---\n");
    let deployment = documents.find(|document| document.contains("kind: Deployment"));
    let deployment = deployment.context("no Deployment")?;
    for (found, instead) in [
        ("\"rebalance\": true", "\"rebalance\": yes"),
        ("\"maxReplicas\": 1", "\"minReplicas\": 2, \"maxReplicas\": 1"),
    ] {
        let refused = world.kubectl.apply(&deployment.replace(found, instead)).await;
        let message = refused.err().map(|error| format!("{error:#}")).unwrap_or_default();
        ensure!(
            message.contains("federation.kubernetes.io/deployment-preferences"),
            "{instead} is not refused, but: {message:?}"
        );
    }
    Ok(())
}

async fn a_second_object_for_the_same_target_is_refused(world: &World) -> Result<()> {
    let second = json!({
        "apiVersion": "types.kubefed.io/v1beta1",
        "kind": "FederatedConfigMap",
        "metadata": { "name": "settings", "namespace": NAMESPACE },
        "spec": { "placement": { "clusterSelector": {} }, "template": { "data": { "a": "b" } } },
    });
    let path = format!("/k8s/hub/apis/types.kubefed.io/v1beta1/namespaces/{NAMESPACE}/federatedconfigmaps");
    let refused: Value = world.admin.post(&path, second).await?.body(StatusCode::CONFLICT)?;
    let message = refused["message"].as_str().unwrap_or_default();
    ensure!(message.contains("configmaps plain/settings on this hub"), "{refused}");
    Ok(())
}

async fn deleting_with_orphan_leaves_members_as_they_are(world: &World) -> Result<()> {
    let arguments = [
        "delete",
        "configmap",
        "settings",
        "-n",
        NAMESPACE,
        "--cascade=orphan",
        "--timeout=60s",
    ];
    world.kubectl.text(arguments).await?;
    for member in world.members() {
        let object = member.get(&map("settings")).await?;
        ensure!(object["data"]["greeting"] == "later", "{object}");
        ensure!(object["metadata"]["deletionTimestamp"].is_null(), "{object}");
        // With it in the way, the namespace would not be deleted without a word.
        member.delete(&map("settings")).await?;
    }
    Ok(())
}

async fn deleting_without_orphan_deletes_in_every_member(world: &World) -> Result<()> {
    world
        .kubectl
        .text(["delete", "deployment", "web", "-n", NAMESPACE, "--timeout=60s"])
        .await?;
    for member in world.members() {
        let what = format!("the end of the Deployment in {}", member.name());
        eventually(&what, async || member.lacks(&deployment()).await).await?;
    }
    Ok(())
}
