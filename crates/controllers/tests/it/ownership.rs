//! What is somebody else's stays so.

use anyhow::Result;
use atoll_clusters::OwnRequest;
use serde_json::{Value, json};

use crate::world::{World, config, path, until};

async fn with_stranger(metadata: Value) -> Result<(World, Value)> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    world.until_ok("namespaces", "shop", "shop").await?;
    let mut object =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"color": "theirs"}});
    object["metadata"]["name"] = "web".into();
    let request = OwnRequest::json(
        "POST".parse()?,
        "/api/v1/namespaces/shop/configmaps?fieldManager=them",
        object,
    );
    let made = world.ask("eu-1", request).await?;
    Ok((world, made))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_somebody_else_is_neither_written_nor_deleted() -> Result<()> {
    for metadata in [
        json!({"annotations": {"atoll.dev/owner": "hub-2"}, "labels": {"kubefed.io/managed": "true"}}),
        json!({"labels": {"app.kubernetes.io/managed-by": "Helm"}}),
        json!({"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x", "controller": true}]}),
    ] {
        let (world, made) = with_stranger(metadata.clone()).await?;
        world.create("configmaps", "shop", "web", config("blue")).await?;
        world.until("us-1", "configmaps", "shop", "web", |_| true).await?;
        let word = until("the status tells", async || {
            world.word("configmaps", "shop", "web", "eu-1").await
        })
        .await?;
        // The garbage collector of a member may have taken an object whose owner does not exist.
        let Some(theirs) = world.get("eu-1", "configmaps", "shop", "web").await? else {
            continue;
        };
        if theirs["metadata"]["uid"] != made["metadata"]["uid"] {
            continue;
        }
        assert_eq!(word, "AlreadyExists", "{metadata}");
        assert_eq!(
            theirs["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"],
            "{metadata}"
        );
        world.delete_federated("configmaps", "shop", "web").await?;
        world.until_deleted("configmaps", "shop", "web").await?;
        let after = world.until("eu-1", "configmaps", "shop", "web", |_| true).await?;
        assert_eq!(
            after["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"],
            "{metadata}"
        );
        world.until_gone("us-1", "configmaps", "shop", "web").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_marked_as_off_limits_is_not_touched() -> Result<()> {
    let (world, made) = with_stranger(json!({"labels": {"kubefed.io/managed": "false"}})).await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world
        .until_word("configmaps", "shop", "web", "eu-1", "ManagedLabelFalse")
        .await?;
    let after = world.until("eu-1", "configmaps", "shop", "web", |_| true).await?;
    assert_eq!(
        after["metadata"]["resourceVersion"],
        made["metadata"]["resourceVersion"]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nobodys_is_taken_over() -> Result<()> {
    let (world, made) = with_stranger(json!({})).await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    let after = world
        .until("eu-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "blue"
        })
        .await?;
    assert_eq!(after["metadata"]["uid"], made["metadata"]["uid"]);
    world.until_ok("configmaps", "shop", "web").await?;
    Ok(())
}

/// What KubeFed stated and the template no longer does goes with the take-over; what the member added stays.
#[tokio::test(flavor = "multi_thread")]
async fn what_kubefed_wrote_is_taken_over_with_its_fields() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.until_ok("namespaces", "shop", "shop").await?;
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "web", "labels": {"kubefed.io/managed": "true"}, "annotations": {"members": "own"}},
        "data": {"color": "old", "dropped": "long ago"},
    });
    let by_kubefed = "/api/v1/namespaces/shop/configmaps?fieldManager=controller-manager";
    let made = world
        .ask("eu-1", OwnRequest::json("POST".parse()?, by_kubefed, object))
        .await?;
    let by_hand = format!("{}?fieldManager=kubectl", path("configmaps", "shop", "web"));
    world
        .ask(
            "eu-1",
            OwnRequest::merge_patch(by_hand, json!({"data": {"theirs": "1"}})),
        )
        .await?;

    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    let after = world
        .until("eu-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "blue"
        })
        .await?;
    assert_eq!(after["metadata"]["uid"], made["metadata"]["uid"]);
    assert_eq!(after["data"], json!({"color": "blue", "theirs": "1"}));
    assert_eq!(after["metadata"]["annotations"]["members"], "own");
    Ok(())
}
