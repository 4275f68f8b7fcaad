//! What people do in members by hand.

use std::time::Duration;

use anyhow::{Context, Result};
use atoll_clusters::OwnRequest;
use serde_json::json;
use tokio::time::Instant;

use crate::world::{World, config, deployment, path, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_by_hand_is_back_soon() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    world
        .create(
            "deployments.apps",
            "shop",
            "web",
            deployment(1, "nginx:1", json!({"clusterSelector": {}})),
        )
        .await?;
    world.until_ok("deployments.apps", "shop", "web").await?;
    let before = world.until("eu-1", "deployments.apps", "shop", "web", |_| true).await?;
    let other = world.until("us-1", "deployments.apps", "shop", "web", |_| true).await?;

    world
        .ask(
            "eu-1",
            OwnRequest::delete(path("deployments.apps", "shop", "web"), None),
        )
        .await?;
    let deleted = Instant::now();
    let uid = before["metadata"]["uid"].clone();
    world
        .until("eu-1", "deployments.apps", "shop", "web", |object| {
            object["metadata"]["uid"] != uid
        })
        .await?;
    assert!(
        deleted.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        deleted.elapsed()
    );
    let after = world.until("us-1", "deployments.apps", "shop", "web", |_| true).await?;
    assert_eq!(after["metadata"]["uid"], other["metadata"]["uid"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_scaled_by_hand_is_scaled_back() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world
        .create(
            "deployments.apps",
            "shop",
            "web",
            deployment(2, "nginx:1", json!({"clusterSelector": {}})),
        )
        .await?;
    world.until_ok("deployments.apps", "shop", "web").await?;
    let scale = json!({"spec": {"replicas": 5}});
    let by_hand = format!("{}?fieldManager=kubectl", path("deployments.apps", "shop", "web"));
    let scaled = world.ask("eu-1", OwnRequest::merge_patch(by_hand, scale)).await?;
    assert_eq!(scaled["spec"]["replicas"], 5);
    let version = scaled["metadata"]["resourceVersion"].clone();
    world
        .until("eu-1", "deployments.apps", "shop", "web", |object| {
            object["metadata"]["resourceVersion"] != version && object["spec"]["replicas"] == 2
        })
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_somebody_else_writes_is_put_back() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    let spec = json!({"template": {"data": {"a": "b"}}, "placement": {"clusterSelector": {}}});
    world.create("configmaps", "shop", "settings", spec).await?;
    world.until_ok("configmaps", "shop", "settings").await?;
    world.until_quiet().await?;
    let found = world.find("configmaps", "shop", "settings").await?;
    let before = found.context("it was just made")?;
    for _ in 0..2 {
        world
            .change(&before.key, |body| {
                body["status"] = json!({"clusters": [], "conditions": []});
                body["metadata"]["managedFields"] = json!([{"manager": "kubectl-patch", "subresource": "status"}]);
            })
            .await?;
        let status = world.until_ok("configmaps", "shop", "settings").await?;
        assert_eq!(status.clusters.len(), 1);
        world.until_quiet().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_add_is_left_alone_and_what_the_hub_states_is_put_back() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    let by_hand = format!("{}?fieldManager=kubectl", path("configmaps", "shop", "web"));
    let patch = json!({"metadata": {"annotations": {"theirs": "1"}}, "data": {"size": "L", "color": "red"}});
    world.ask("eu-1", OwnRequest::merge_patch(by_hand, patch)).await?;
    let object = world
        .until("eu-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "blue"
        })
        .await?;
    assert_eq!(object["data"]["size"], "L");
    assert_eq!(object["metadata"]["annotations"]["theirs"], "1");
    world.until_quiet().await?;
    let after = world.until("eu-1", "configmaps", "shop", "web", |_| true).await?;
    assert_eq!(
        after["metadata"]["resourceVersion"], object["metadata"]["resourceVersion"],
        "it is written again and again"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_label_is_no_deletion() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    let before = world.until("eu-1", "configmaps", "shop", "web", |_| true).await?;
    let by_hand = format!("{}?fieldManager=kubectl", path("configmaps", "shop", "web"));
    let patch = json!({"metadata": {"labels": {"kubefed.io/managed": null}}});
    world.ask("eu-1", OwnRequest::merge_patch(by_hand, patch)).await?;
    let object = world
        .until("eu-1", "configmaps", "shop", "web", |object| {
            object["metadata"]["labels"]["kubefed.io/managed"] == "true"
        })
        .await?;
    assert_eq!(object["metadata"]["uid"], before["metadata"]["uid"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_a_watch_is_broken_is_not_missed() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    world.until_quiet().await?;
    let faults = world.members["eu-1"].faults();
    for round in 0..3 {
        let before = world.until("eu-1", "configmaps", "shop", "web", |_| true).await?;
        world
            .ask("eu-1", OwnRequest::delete(path("configmaps", "shop", "web"), None))
            .await?;
        faults.cut_watches();
        if round == 1 {
            faults.drop_history();
        }
        let uid = before["metadata"]["uid"].clone();
        world
            .until("eu-1", "configmaps", "shop", "web", |object| {
                object["metadata"]["uid"] != uid
            })
            .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn retained_replicas_are_the_members_own() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    let mut spec = deployment(2, "nginx:1", json!({"clusterSelector": {}}));
    spec["retainReplicas"] = true.into();
    world.create("deployments.apps", "shop", "web", spec).await?;
    world
        .until("eu-1", "deployments.apps", "shop", "web", |object| {
            object["spec"]["replicas"] == 2
        })
        .await?;
    world.until_ok("deployments.apps", "shop", "web").await?;
    let scale = json!({"spec": {"replicas": 5}});
    let by_hand = format!(
        "{}?fieldManager=kube-controller-manager",
        path("deployments.apps", "shop", "web")
    );
    world.ask("eu-1", OwnRequest::merge_patch(by_hand, scale)).await?;
    world
        .edit("deployments.apps", "shop", "web", |body| {
            body["spec"]["template"]["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2".into();
        })
        .await?;
    let image = "/spec/template/spec/containers/0/image";
    let is_changed = |object: &serde_json::Value| object.pointer(image).is_some_and(|image| image == "nginx:2");
    let object = world
        .until("eu-1", "deployments.apps", "shop", "web", is_changed)
        .await?;
    assert_eq!(object["spec"]["replicas"], 5);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn retaining_that_is_switched_on_later_keeps_the_live_value() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world
        .create(
            "deployments.apps",
            "shop",
            "web",
            deployment(3, "nginx:1", json!({"clusterSelector": {}})),
        )
        .await?;
    world.until_ok("deployments.apps", "shop", "web").await?;
    world
        .edit("deployments.apps", "shop", "web", |body| {
            body["spec"]["retainReplicas"] = true.into()
        })
        .await?;
    let object = until("the second field manager holds the replicas", async || {
        let object = world.get("eu-1", "deployments.apps", "shop", "web").await?;
        Ok(object.filter(|object| {
            let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
            let mut states = entries.filter(|entry| !entry["fieldsV1"]["f:spec"]["f:replicas"].is_null());
            states.next().is_some_and(|entry| entry["manager"] == "atoll-replicas") && states.next().is_none()
        }))
    })
    .await?;
    assert_eq!(object["spec"]["replicas"], 3);
    Ok(())
}
