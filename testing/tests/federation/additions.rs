//! What a member adds to an object stays there; what it changes is put back, or
//! shown when the object asks for that.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{
    waiting::{eventually, throughout},
    world::World,
};

const NAMESPACE: &str = "additions";
const MANIFEST: &str = include_str!("manifests/additions.yaml");

/// Far longer than the hub takes to put something right.
const A_WHILE: Duration = Duration::from_secs(3);

pub(crate) async fn told(world: &World) -> Result<()> {
    world.federate_namespace(NAMESPACE).await?;
    world.kubectl.apply(MANIFEST).await?;
    world.propagated(NAMESPACE, "federateddeployments", "web").await?;
    world.propagated(NAMESPACE, "federatedserviceaccounts", "web").await?;
    annotations_of_a_template_are_honoured(world).await?;
    what_a_member_adds_stays(world).await?;
    what_a_member_changes_is_put_back(world).await?;
    what_it_changes_is_shown_when_the_object_asks_for_that(world).await?;
    an_adopted_namespace_is_released_and_not_deleted(world).await?;
    world.leave_namespace(NAMESPACE).await
}

fn deployment() -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/web")
}

fn account() -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/web")
}

fn image(object: &Value) -> &Value {
    &object["spec"]["template"]["spec"]["containers"][0]["image"]
}

async fn annotations_of_a_template_are_honoured(world: &World) -> Result<()> {
    for member in world.members() {
        let object = member.get(&deployment()).await?;
        let annotations = &object["metadata"]["annotations"];
        ensure!(
            annotations["example.com/contact"] == "shop",
            "{}: {annotations}",
            member.name()
        );
    }
    Ok(())
}

/// `kubectl rollout restart`, an annotation, a finalizer and a secret of the member's
/// own, all of which outlive an edit on the hub.
async fn what_a_member_adds_stays(world: &World) -> Result<()> {
    let restart = ["rollout", "restart", "deployment/web", "-n", NAMESPACE];
    world.eu.cluster.admin_kubectl().text(restart).await?;
    let note = json!({ "metadata": {
        "annotations": { "example.com/note": "ours" },
        "finalizers": ["example.com/ours"],
    } });
    world.eu.patch(&deployment(), &note).await?;
    world
        .eu
        .patch(&account(), &json!({ "secrets": [{ "name": "ours" }] }))
        .await?;

    let edited = MANIFEST
        .replace("web:1", "web:2")
        .replace("round: \"0\"", "round: \"1\"");
    world.kubectl.apply(&edited).await?;
    eventually("the edit in eu-1", async || {
        let object = world.eu.get(&deployment()).await?;
        ensure!(image(&object) == "registry.example/web:2", "{object}");
        let account = world.eu.get(&account()).await?;
        ensure!(account["metadata"]["labels"]["round"] == "1", "{account}");
        Ok(())
    })
    .await?;
    let object = world.eu.get(&deployment()).await?;
    let (metadata, pods) = (&object["metadata"], &object["spec"]["template"]["metadata"]);
    ensure!(
        pods["annotations"]["kubectl.kubernetes.io/restartedAt"].is_string(),
        "{pods}"
    );
    ensure!(metadata["annotations"]["example.com/note"] == "ours", "{metadata}");
    ensure!(metadata["finalizers"] == json!(["example.com/ours"]), "{metadata}");
    let account = world.eu.get(&account()).await?;
    ensure!(account["secrets"] == json!([{ "name": "ours" }]), "{account}");
    world
        .eu
        .patch(&deployment(), &json!({ "metadata": { "finalizers": null } }))
        .await?;
    Ok(())
}

async fn change_the_image(world: &World) -> Result<()> {
    let arguments = [
        "set",
        "image",
        "deployment/web",
        "web=registry.example/other:1",
        "-n",
        NAMESPACE,
    ];
    world.us.cluster.admin_kubectl().text(arguments).await?;
    Ok(())
}

async fn what_a_member_changes_is_put_back(world: &World) -> Result<()> {
    change_the_image(world).await?;
    eventually("the image that the hub asks for", async || {
        let object = world.us.get(&deployment()).await?;
        ensure!(image(&object) == "registry.example/web:2", "{object}");
        Ok(())
    })
    .await
}

async fn what_it_changes_is_shown_when_the_object_asks_for_that(world: &World) -> Result<()> {
    let hold = [
        "annotate",
        "federateddeployment",
        "web",
        "-n",
        NAMESPACE,
        "atoll.dev/drift=hold",
    ];
    world.kubectl.text(hold).await?;
    world.propagated(NAMESPACE, "federateddeployments", "web").await?;
    change_the_image(world).await?;
    eventually("a note about us-1", async || {
        let object = world.federated(NAMESPACE, "federateddeployments", "web").await?;
        ensure!(object.message("us-1").contains("Drifted"), "{}", object.status());
        ensure!(object.message("eu-1").is_empty(), "{}", object.status());
        object.is_propagated()
    })
    .await?;
    throughout(A_WHILE, "the other image", async || {
        let object = world.us.get(&deployment()).await?;
        ensure!(image(&object) == "registry.example/other:1", "{object}");
        Ok(())
    })
    .await?;
    let answer = [
        "annotate",
        "federateddeployment",
        "web",
        "-n",
        NAMESPACE,
        "atoll.dev/drift-",
    ];
    world.kubectl.text(answer).await?;
    eventually("the end of the drift", async || {
        let object = world.us.get(&deployment()).await?;
        ensure!(image(&object) == "registry.example/web:2", "{object}");
        Ok(())
    })
    .await
}

/// A namespace that was there before, with what others have in it.
async fn an_adopted_namespace_is_released_and_not_deleted(world: &World) -> Result<()> {
    let name = "adopted";
    let path = format!("/api/v1/namespaces/{name}");
    let theirs = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    world.ap.post("/api/v1/namespaces", &theirs).await?;
    world.federate_namespace(name).await?;
    let adopted = world.ap.get(&path).await?;
    ensure!(
        adopted["metadata"]["labels"]["kubefed.io/managed"] == "true",
        "{adopted}"
    );
    world
        .kubectl
        .text(["delete", "namespace", name, "--timeout=60s"])
        .await?;
    eventually("the end of the one that was made", async || world.eu.lacks(&path).await).await?;
    let released = world.ap.get(&path).await?;
    let metadata = &released["metadata"];
    ensure!(metadata["deletionTimestamp"].is_null(), "{metadata}");
    ensure!(metadata["labels"]["kubefed.io/managed"].is_null(), "{metadata}");
    Ok(())
}
