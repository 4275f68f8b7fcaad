//! Plain Namespaces that wait for a confirmation.

use anyhow::{Context, Result};
use atoll_clusters::OwnRequest;
use atoll_controllers::HoldCause;
use serde_json::json;

use super::{is_well, key};
use crate::world::{World, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_with_strangers_in_it_is_listed_and_can_be_confirmed() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.label("shop").await?;
    world.until_plain("namespaces", "shop", is_well).await?;
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "shop"}});
    let path = "/api/v1/namespaces/shop/configmaps";
    world
        .ask("eu-1", OwnRequest::json("POST".parse()?, path, theirs))
        .await?;
    let namespace = key("namespaces", "", "shop");
    world.delete_with_copies(&namespace).await?;
    let held = until("it is held", async || Ok(world.controllers.holds().await?.pop())).await?;
    assert_eq!(held.cause, HoldCause::Object(namespace.clone()));
    assert_eq!(held.annotate, namespace);
    assert_eq!(held.deletes.len(), 1);
    let delete = held.deletes.first().context("it would go from eu-1")?;
    assert_eq!((delete.kind.as_str(), delete.cluster.as_str()), ("Namespace", "eu-1"));
    world
        .change(&namespace, |body| {
            body["metadata"]["annotations"] = json!({"atoll.dev/confirm-deletes": held.token});
        })
        .await?;
    world.until_plain_gone(&namespace).await?;
    world.until_gone("eu-1", "namespaces", "", "shop").await?;
    assert_eq!(world.controllers.holds().await?, []);
    Ok(())
}
