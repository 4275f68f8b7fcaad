//! What KubeFed wrote with PUT, as the field manager `controller-manager`, becomes
//! the hub's: once, and without touching what the member has added.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{member::Member, waiting::eventually, world::World};

const NAMESPACE: &str = "takeover";

/// As a client that never applies names itself.
const KUBEFED: &str = "fieldManager=controller-manager";

pub(crate) async fn told(world: &World) -> Result<()> {
    world.federate_namespace(NAMESPACE).await?;
    let before = kubefed_has_written_a_deployment(&world.eu).await?;
    the_object_is_taken_over(world, &before).await?;
    what_leaves_the_template_leaves_the_member(world, &before).await?;
    a_stranger_is_not_taken_over(world).await?;
    world.leave_namespace(NAMESPACE).await
}

fn path(name: &str) -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}")
}

async fn kubefed_has_written_a_deployment(member: &Member) -> Result<Value> {
    let collection = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments?{KUBEFED}");
    let object = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "labels": { "app": "web", "kubefed.io/managed": "true" },
        },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{
                    "name": "web",
                    "image": "registry.example/web:1",
                    "env": [{ "name": "KEPT", "value": "1" }],
                }] },
            },
        },
    });
    member.post(&collection, &object).await?;

    // Somebody in the member leaves a note, and KubeFed updates the object around it.
    let note = json!({ "metadata": { "annotations": { "example.com/note": "ours" } } });
    member
        .patch(&format!("{}?fieldManager=somebody", path("web")), &note)
        .await?;
    let mut object = json!(null);
    eventually("an update by KubeFed", async || {
        object = member.get(&path("web")).await?;
        object["spec"]["minReadySeconds"] = json!(1);
        object["spec"]["template"]["spec"]["containers"][0]["env"] =
            json!([{ "name": "KEPT", "value": "1" }, { "name": "DROPPED", "value": "1" }]);
        object = member.put(&format!("{}?{KUBEFED}", path("web")), &object).await?;
        Ok(())
    })
    .await?;
    ensure!(writes_as(&object, "controller-manager"), "{}", object["metadata"]);
    Ok(object)
}

/// Whether somebody owns fields by having written them, as opposed to applied.
fn writes_as(object: &Value, manager: &str) -> bool {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    entries
        .filter(|entry| entry["subresource"].is_null())
        .any(|entry| entry["manager"] == manager && entry["operation"] == "Update")
}

async fn the_object_is_taken_over(world: &World, before: &Value) -> Result<()> {
    world.kubectl.apply(include_str!("manifests/takeover.yaml")).await?;
    world.propagated(NAMESPACE, "federateddeployments", "web").await?;
    let object = world.eu.get(&path("web")).await?;
    keeps_what_is_the_members(&object, before)?;
    let spec = &object["spec"];
    ensure!(spec["minReadySeconds"] == 1, "{spec}");
    ensure!(names(&object) == ["KEPT", "DROPPED"], "{spec}");
    Ok(())
}

fn names(object: &Value) -> Vec<&str> {
    let containers = &object["spec"]["template"]["spec"]["containers"];
    let variables = containers[0]["env"].as_array().into_iter().flatten();
    variables.filter_map(|variable| variable["name"].as_str()).collect()
}

fn keeps_what_is_the_members(object: &Value, before: &Value) -> Result<()> {
    let metadata = &object["metadata"];
    ensure!(
        metadata["uid"] == before["metadata"]["uid"],
        "it was created anew: {metadata}"
    );
    ensure!(
        metadata["annotations"]["example.com/note"] == "ours",
        "the note is lost: {metadata}"
    );
    let revision = "deployment.kubernetes.io/revision";
    ensure!(
        metadata["annotations"][revision].is_string(),
        "the revision is lost: {metadata}"
    );
    ensure!(metadata["labels"]["kubefed.io/managed"] == "true", "{metadata}");
    ensure!(metadata["annotations"]["atoll.dev/owner"].is_string(), "{metadata}");
    Ok(())
}

async fn what_leaves_the_template_leaves_the_member(world: &World, before: &Value) -> Result<()> {
    let manifest = include_str!("manifests/takeover.yaml")
        .replace("      minReadySeconds: 1\n", "")
        .replace("            - name: DROPPED\n              value: \"1\"\n", "");
    world.kubectl.apply(&manifest).await?;
    for member in [&world.eu, &world.us] {
        eventually(
            &format!("the end of what was dropped in {}", member.name()),
            async || {
                let object = member.get(&path("web")).await?;
                ensure!(names(&object) == ["KEPT"], "{}", object["spec"]);
                // The API server's own default is not stated.
                ensure!(object["spec"]["minReadySeconds"].is_null(), "{}", object["spec"]);
                Ok(())
            },
        )
        .await?;
    }
    let object = world.eu.get(&path("web")).await?;
    keeps_what_is_the_members(&object, before)?;
    ensure!(!writes_as(&object, "controller-manager"), "{}", object["metadata"]);
    Ok(())
}

/// Another tool's object of the same name stays as it is, in that member only.
async fn a_stranger_is_not_taken_over(world: &World) -> Result<()> {
    let collection = format!("/api/v1/namespaces/{NAMESPACE}/configmaps");
    let theirs = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "settings", "labels": { "app.kubernetes.io/managed-by": "Helm" } },
        "data": { "owner": "helm" },
    });
    world.us.post(&collection, &theirs).await?;
    world.kubectl.apply(include_str!("manifests/stranger.yaml")).await?;
    eventually("AlreadyExists in us-1 only", async || {
        let object = world.federated(NAMESPACE, "federatedconfigmaps", "settings").await?;
        object.is_only("us-1", "AlreadyExists")?;
        ensure!(!object.message("us-1").is_empty(), "no message: {}", object.status());
        Ok(())
    })
    .await?;
    let stays = world.us.get(&format!("{collection}/settings")).await?;
    ensure!(stays["data"] == theirs["data"], "{stays}");
    ensure!(stays["metadata"]["labels"] == theirs["metadata"]["labels"], "{stays}");
    let made = world.ap.get(&format!("{collection}/settings")).await?;
    ensure!(made["data"]["owner"] == "hub", "{made}");
    // With it in the way, the namespace would not be deleted without a word.
    world.us.delete(&format!("{collection}/settings")).await?;
    Ok(())
}
