//! Clusters leave: what the hub wrote into one stays, or is deleted when that is
//! asked for.

use anyhow::{Context, Result, ensure};
use http::StatusCode;

use crate::{
    waiting::eventually,
    world::{SYSTEM, World},
};

const NAMESPACE: &str = "leaving";

pub(crate) async fn told(world: &World) -> Result<()> {
    world.federate_namespace(NAMESPACE).await?;
    world.kubectl.apply(include_str!("manifests/leaving.yaml")).await?;
    world.propagated(NAMESPACE, "federatedconfigmaps", "settings").await?;
    a_cluster_that_is_deleted_keeps_its_objects(world).await?;
    a_cluster_can_be_emptied_first(world).await?;
    the_others_are_none_the_worse(world).await
}

fn map() -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/configmaps/settings")
}

async fn a_cluster_that_is_deleted_keeps_its_objects(world: &World) -> Result<()> {
    world
        .kubectl
        .text(["delete", "kubefedcluster", "ap-1", "-n", SYSTEM, "--timeout=60s"])
        .await?;
    eventually("a status without ap-1", async || {
        let object = world.federated(NAMESPACE, "federatedconfigmaps", "settings").await?;
        ensure!(object.clusters() == ["eu-1", "us-1"], "{}", object.status());
        object.is_propagated()
    })
    .await?;
    let object = world.ap.get(&map()).await?;
    ensure!(object["data"]["greeting"] == "hello", "{object}");
    ensure!(object["metadata"]["deletionTimestamp"].is_null(), "{object}");
    Ok(())
}

async fn a_cluster_can_be_emptied_first(world: &World) -> Result<()> {
    let answer = world.admin.delete("/api/v1/clusters/us-1?managed=delete").await?;
    let removed = answer.body(StatusCode::OK)?;
    let left = removed["left"].as_array().context("nothing is said of what is left")?;
    ensure!(left.is_empty(), "{removed}");
    world.us.lacks(&map()).await?;
    let namespace = format!("/api/v1/namespaces/{NAMESPACE}");
    eventually("the end of the namespace in us-1", async || {
        world.us.lacks(&namespace).await
    })
    .await
}

async fn the_others_are_none_the_worse(world: &World) -> Result<()> {
    world.eu.get(&map()).await?;
    let object = world.propagated(NAMESPACE, "federatedconfigmaps", "settings").await?;
    ensure!(object.clusters() == ["eu-1"], "{}", object.status());
    Ok(())
}
