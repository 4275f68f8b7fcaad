//! What people change in members of what the hub states, and what is told of it.

use anyhow::{Context, Result};
use atoll_clusters::OwnRequest;
use atoll_federation::status::ClusterStatus;
use atoll_simulator::{Fault, Faults, Requests};
use serde_json::{Value, json};

use crate::world::{World, config, deployment, path, until};

async fn by_hand(world: &World, kind: &str, name: &str, patch: Value) -> Result<Value> {
    let path = format!("{}?fieldManager=kubectl", path(kind, "shop", name));
    Ok(world.ask("eu-1", OwnRequest::merge_patch(path, patch)).await?)
}

async fn until_told(world: &World, kind: &str, name: &str, parts: &[&str]) -> Result<String> {
    until(&format!("the status of {name} tells {parts:?}"), async || {
        let status = world.status(kind, "shop", name).await?;
        let entry = status.clusters.into_iter().find(|entry| entry.name.as_str() == "eu-1");
        let entry = entry.filter(|entry| entry.is_ok()).context("eu-1 is well")?;
        Ok(Some(entry.message).filter(|message| parts.iter().all(|part| message.contains(part))))
    })
    .await
}

/// The one object cannot be read any more, except by watching all of them.
fn fail_looks(world: &World) -> Result<Faults> {
    let requests = Requests {
        method: Some("GET".parse()?),
        ..Requests::to("/configmaps/web")
    };
    let faults = world.members["eu-1"].faults().clone();
    faults.add(requests, Fault::Status("500".parse()?));
    Ok(faults)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_back_is_told_with_who_changed_it_until_the_object_changes() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    let spec = deployment(2, "nginx:1", json!({"clusterSelector": {}}));
    world.create("deployments.apps", "shop", "web", spec).await?;
    world.until_ok("deployments.apps", "shop", "web").await?;
    world.until_quiet().await?;
    by_hand(&world, "deployments.apps", "web", json!({"spec": {"replicas": 5}})).await?;
    let parts = ["Drifted: put back at 2", "spec.replicas (5 instead of 2, by kubectl)"];
    let told = until_told(&world, "deployments.apps", "web", &parts).await?;
    world
        .until("eu-1", "deployments.apps", "shop", "web", |object| {
            object["spec"]["replicas"] == 2
        })
        .await?;
    world.until_quiet().await?;
    let status = world.until_ok("deployments.apps", "shop", "web").await?;
    let messages: Vec<&str> = status.clusters.iter().map(|entry| entry.message.as_str()).collect();
    assert_eq!(messages, [told.as_str(), ""]);
    let events = world.events("shop", "web").await?;
    let told = |event: &&Value| {
        let message = event["message"].as_str().unwrap_or_default();
        message.contains("put back what was changed in the Deployment: spec.replicas (by kubectl) in eu-1")
    };
    assert_eq!(events.iter().filter(told).count(), 1, "{events:?}");
    world
        .edit("deployments.apps", "shop", "web", |body| {
            body["spec"]["template"]["spec"]["replicas"] = 3.into()
        })
        .await?;
    let status = world.until_ok("deployments.apps", "shop", "web").await?;
    assert!(
        status.clusters.iter().all(|entry| entry.message.is_empty()),
        "{status:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_that_is_to_stay_is_told_and_looked_into_once() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    world
        .edit("configmaps", "shop", "web", |body| {
            body["metadata"]["annotations"] = json!({"atoll.dev/drift": "hold"})
        })
        .await?;
    world.until_quiet().await?;
    by_hand(&world, "configmaps", "web", json!({"data": {"color": "red"}})).await?;
    let parts = [
        "Drifted",
        "stay so",
        "data.color (\"red\" instead of \"blue\", by kubectl)",
    ];
    until_told(&world, "configmaps", "web", &parts).await?;
    world.until_quiet().await?;
    // Whoever asked again would be told nothing.
    let faults = fail_looks(&world)?;
    for number in 0..3 {
        // Any change of the object is a reason to look at it.
        world
            .edit("configmaps", "shop", "web", |body| {
                body["metadata"]["labels"] = json!({"round": number.to_string()})
            })
            .await?;
        world.until_ok("configmaps", "shop", "web").await?;
        until_told(&world, "configmaps", "web", &parts).await?;
    }
    faults.clear();
    let object = world.get("eu-1", "configmaps", "shop", "web").await?;
    assert_eq!(object.context("it stays")?["data"]["color"], "red");
    // It is answered.
    world
        .edit("configmaps", "shop", "web", |body| {
            body["metadata"]["annotations"] = json!({})
        })
        .await?;
    world
        .until("eu-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "blue"
        })
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_looked_into_is_put_back_all_the_same() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    world.until_quiet().await?;
    let faults = fail_looks(&world)?;
    by_hand(&world, "configmaps", "web", json!({"data": {"color": "red"}})).await?;
    world.until_quiet().await?;
    faults.clear();
    let object = world.get("eu-1", "configmaps", "shop", "web").await?;
    assert_eq!(object.context("it stays")?["data"]["color"], "blue");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changes_back_each_time_is_not_put_back_at_once_for_ever() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    world.until_quiet().await?;
    let until_color = async |color: &str| {
        let is_so = |object: &Value| object["data"]["color"] == color;
        world.until("eu-1", "configmaps", "shop", "web", is_so).await
    };
    let fight = async {
        loop {
            until_color("blue").await?;
            by_hand(&world, "configmaps", "web", json!({"data": {"color": "red"}})).await?;
        }
    };
    let told = until_told(&world, "configmaps", "web", &["again each time", "3 times so far"]);
    let told: Result<String> = tokio::select! {
        told = told => told,
        broken = fight => broken,
    };
    told?;
    world.until_quiet().await?;
    let object = world.get("eu-1", "configmaps", "shop", "web").await?;
    assert_eq!(object.context("it is there")?["data"]["color"], "red");
    let status = world.status("configmaps", "shop", "web").await?;
    let messages: Vec<&str> = status.clusters.iter().map(|entry| entry.message.as_str()).collect();
    assert_eq!(messages[1], "", "us-1 has no part in it");
    // A change of the object itself does not wait.
    world
        .edit("configmaps", "shop", "web", |body| {
            body["spec"]["template"]["data"]["color"] = "green".into()
        })
        .await?;
    until_color("green").await?;
    // Nor is it left so for ever.
    by_hand(&world, "configmaps", "web", json!({"data": {"color": "red"}})).await?;
    until_color("green").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_deletes_each_time_is_not_made_again_at_once_for_ever() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    world.until_quiet().await?;
    let fight = async {
        loop {
            world.until("eu-1", "configmaps", "shop", "web", |_| true).await?;
            let delete = OwnRequest::delete(path("configmaps", "shop", "web"), None);
            // The hub may have been slower to make it than the last look.
            let _ = world.ask("eu-1", delete).await;
        }
    };
    let told = until("the status tells that it is deleted each time", async || {
        let status = world.status("configmaps", "shop", "web").await?;
        let entry = status.clusters.into_iter().find(|entry| entry.name.as_str() == "eu-1");
        let is_told = |entry: &ClusterStatus| {
            entry.status == "CreationFailed" && entry.message.contains("again each time it is made, 3 times so far")
        };
        Ok(entry.filter(is_told).map(drop))
    });
    let told: Result<()> = tokio::select! {
        told = told => told,
        broken = fight => broken,
    };
    told?;
    assert_eq!(world.get("eu-1", "configmaps", "shop", "web").await?, None);
    assert_eq!(
        world.word("configmaps", "shop", "web", "us-1").await?.as_deref(),
        Some("")
    );
    // A change of the object itself does not wait.
    world
        .edit("configmaps", "shop", "web", |body| {
            body["spec"]["template"]["data"]["color"] = "green".into()
        })
        .await?;
    world.until("eu-1", "configmaps", "shop", "web", |_| true).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    Ok(())
}
