//! A cluster leaves: what the hub wrote there stays unless it is asked for.

use anyhow::{Context, Result};
use atoll_simulator::Fault;
use atoll_store::{Store, Write};
use serde_json::json;

use crate::world::{World, config, deployment, until};

async fn in_step() -> Result<World> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world
        .create(
            "deployments.apps",
            "shop",
            "web",
            deployment(1, "nginx:1", json!({"clusterSelector": {}})),
        )
        .await?;
    for kind in ["configmaps", "deployments.apps"] {
        world.until_ok(kind, "shop", "web").await?;
    }
    Ok(world)
}

async fn unregister(world: &World, name: &str) -> Result<()> {
    let delete = Write::Delete {
        key: Store::cluster_key(name),
        expected: None,
    };
    world.write(vec![Write::DeleteCluster(name.into()), delete]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_an_unregistered_cluster_stays_there() -> Result<()> {
    let world = in_step().await?;
    unregister(&world, "us-1").await?;
    until("the member is closed", async || {
        Ok(world.clusters.member("us-1").is_none().then_some(()))
    })
    .await?;
    until("the status forgets it", async || {
        let status = world.status("configmaps", "shop", "web").await?;
        Ok((status.clusters.len() == 1).then_some(()))
    })
    .await?;
    world.until_quiet().await?;
    assert!(world.store.propagations_in(Some("us-1")).await?.is_empty());
    // It comes back as it was, and with it its objects.
    let member = &world.members["us-1"];
    world.register("us-1", member, json!({"name": "us-1"})).await?;
    world.until_ready("us-1", true).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    let object = world.until("us-1", "configmaps", "shop", "web", |_| true).await?;
    assert_eq!(object["data"]["color"], "blue");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_managed_goes_when_that_is_asked_for() -> Result<()> {
    let world = in_step().await?;
    let left = world.controllers.delete_managed("us-1").await?;
    assert_eq!(left, []);
    for (kind, name) in [
        ("configmaps", "web"),
        ("deployments.apps", "web"),
        ("namespaces", "shop"),
    ] {
        assert!(world.get("us-1", kind, "shop", name).await?.is_none(), "{kind}");
    }
    // Nothing new is written there, although everything is still placed there.
    world
        .edit("configmaps", "shop", "web", |body| {
            body["spec"]["template"]["data"]["color"] = "red".into()
        })
        .await?;
    world
        .until("eu-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "red"
        })
        .await?;
    world.until_quiet().await?;
    assert!(world.get("us-1", "namespaces", "", "shop").await?.is_none());
    // Its status says what is going on, and not that it does not answer.
    let status = world.status("configmaps", "shop", "web").await?;
    let entry = status.clusters.iter().find(|entry| entry.name.as_str() == "us-1");
    let entry = entry.context("it is placed there")?;
    assert_eq!(entry.status, "WaitingForRemoval");
    assert!(entry.message.contains("is being unregistered"), "{}", entry.message);
    unregister(&world, "us-1").await?;
    until("the status forgets it", async || {
        let status = world.status("configmaps", "shop", "web").await?;
        Ok((status.clusters.len() == 1).then_some(()))
    })
    .await?;
    assert!(world.get("eu-1", "configmaps", "shop", "web").await?.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_deleted_is_told() -> Result<()> {
    let world = in_step().await?;
    world.members["us-1"].faults().set(Fault::Refuse);
    world.until_ready("us-1", false).await?;
    let left = world.controllers.delete_managed("us-1").await?;
    let resources: Vec<&str> = left
        .iter()
        .map(|left| left.resource.split('.').next().unwrap())
        .collect();
    assert_eq!(
        resources,
        ["federatedconfigmaps", "federateddeployments", "federatednamespaces"]
    );
    assert!(
        left.iter().all(|left| left.message.contains("does not answer")),
        "{left:?}"
    );
    assert!(world.controllers.delete_managed("mars").await.is_err());
    Ok(())
}
