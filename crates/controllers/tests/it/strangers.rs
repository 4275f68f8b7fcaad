//! What others put into a namespace goes with it only when somebody says so, whatever made the hub delete it.

use anyhow::Result;
use atoll_clusters::OwnRequest;
use atoll_controllers::HeldChange;
use serde_json::{Value, json};

use crate::world::{World, until};

const CONFIG_MAPS: &str = "/api/v1/namespaces/shop/configmaps";

async fn federated(clusters: &[&str]) -> Result<World> {
    let world = World::new(clusters).await?;
    world.federate("shop").await?;
    world.until_ok("namespaces", "shop", "shop").await?;
    Ok(world)
}

async fn post(world: &World, path: &str, object: Value) -> Result<()> {
    let request = OwnRequest::json("POST".parse()?, path, object);
    world.ask("eu-1", request).await?;
    Ok(())
}

fn config_map(metadata: Value) -> Value {
    let mut metadata = metadata;
    metadata["namespace"] = "shop".into();
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
}

async fn until_held(world: &World) -> Result<HeldChange> {
    world.until_word("namespaces", "shop", "shop", "eu-1", "Held").await?;
    until("the namespace is held", async || {
        Ok(world.controllers.holds().await?.pop())
    })
    .await
}

/// The namespace in eu-1 is deleted on the hub, and waits there.
async fn until_its_deletion_is_held(world: &World) -> Result<()> {
    world.delete_federated("namespaces", "shop", "shop").await?;
    until_held(world).await?;
    assert!(world.get("eu-1", "namespaces", "", "shop").await?.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_is_placed_elsewhere_waits_with_what_others_put_there() -> Result<()> {
    let world = federated(&["eu-1", "us-1"]).await?;
    post(&world, CONFIG_MAPS, config_map(json!({"name": "theirs"}))).await?;
    world
        .edit("namespaces", "shop", "shop", |body| {
            body["spec"]["placement"] = json!({"clusters": [{"name": "us-1"}]})
        })
        .await?;
    let hold = until_held(&world).await?;
    assert!(
        hold.message.contains("at least 1 object in this namespace"),
        "{}",
        hold.message
    );
    assert!(world.get("eu-1", "configmaps", "shop", "theirs").await?.is_some());
    world.confirm(&hold).await?;
    world.until_gone("eu-1", "namespaces", "", "shop").await?;
    assert!(world.get("us-1", "namespaces", "", "shop").await?.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_behind_a_page_of_managed_objects_is_found() -> Result<()> {
    let world = federated(&["eu-1"]).await?;
    let managed = json!({"kubefed.io/managed": "true"});
    for index in 0..100 {
        let metadata = json!({"name": format!("a-{index:03}"), "labels": managed});
        post(&world, CONFIG_MAPS, config_map(metadata)).await?;
    }
    post(&world, CONFIG_MAPS, config_map(json!({"name": "theirs"}))).await?;
    until_its_deletion_is_held(&world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_hub_manages_in_the_namespace_is_a_stranger() -> Result<()> {
    let world = federated(&["eu-1"]).await?;
    let metadata = json!({
        "name": "theirs",
        "labels": {"kubefed.io/managed": "true"},
        "annotations": {"atoll.dev/owner": "hub-2"},
    });
    post(&world, CONFIG_MAPS, config_map(metadata)).await?;
    until_its_deletion_is_held(&world).await
}

/// Nobody federates these: only the member knows that it has them.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_a_kind_that_the_hub_does_not_know_is_a_stranger() -> Result<()> {
    let world = federated(&["eu-1"]).await?;
    let theirs = json!({
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": "theirs", "namespace": "shop"},
        "spec": {
            "replicas": 0,
            "selector": {"app": "web"},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "nginx:1"}]},
            },
        },
    });
    post(&world, "/api/v1/namespaces/shop/replicationcontrollers", theirs).await?;
    until_its_deletion_is_held(&world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owned_by_something_outside_of_the_namespace_is_a_stranger() -> Result<()> {
    let world = federated(&["eu-1"]).await?;
    let node = world.ask("eu-1", OwnRequest::get("/api/v1/nodes?limit=1")).await?;
    let owner = &node["items"][0]["metadata"];
    let reference = json!({"apiVersion": "v1", "kind": "Node", "name": owner["name"], "uid": owner["uid"]});
    let metadata = json!({"name": "theirs", "ownerReferences": [reference]});
    post(&world, CONFIG_MAPS, config_map(metadata)).await?;
    until_its_deletion_is_held(&world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kubernetes_keeps_for_itself_holds_no_namespace_back() -> Result<()> {
    let world = federated(&["eu-1"]).await?;
    world
        .create(
            "deployments.apps",
            "shop",
            "web",
            crate::world::deployment(1, "nginx:1", json!({"clusterSelector": {}})),
        )
        .await?;
    world.until_ok("deployments.apps", "shop", "web").await?;
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "leader", "namespace": "shop"},
        "spec": {"holderIdentity": "one"},
    });
    post(&world, "/apis/coordination.k8s.io/v1/namespaces/shop/leases", lease).await?;
    until("its pod runs", async || {
        let pods = world
            .ask("eu-1", OwnRequest::get("/api/v1/namespaces/shop/pods"))
            .await?;
        let pods = pods["items"].as_array().is_some_and(|pods| !pods.is_empty());
        Ok(pods.then_some(()))
    })
    .await?;
    world.delete_federated("namespaces", "shop", "shop").await?;
    world.until_gone("eu-1", "namespaces", "", "shop").await?;
    world.until_deleted("namespaces", "shop", "shop").await
}
