//! What happened, as Events on the hub.

use anyhow::Result;
use atoll_simulator::Fault;
use atoll_store::{ObjectKey, Write};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{World, config, metadata, until};

fn reasons(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["reason"].as_str()).collect()
}

async fn until_event(world: &World, namespace: &str, name: &str, reason: &str) -> Result<Value> {
    until(&format!("{reason} of {namespace}/{name}"), async || {
        let events = world.events(namespace, name).await?;
        Ok(events.into_iter().find(|event| event["reason"] == reason))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_is_told_once_and_nothing_when_nothing_is_done() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    world.until_ok("namespaces", "shop", "shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    let event = until_event(&world, "shop", "web", "CreateInCluster").await?;
    let object = world
        .find("configmaps", "shop", "web")
        .await?
        .expect("it was just made");
    assert_eq!(event["type"], "Normal");
    assert_eq!(event["involvedObject"]["kind"], "FederatedConfigMap");
    assert_eq!(event["involvedObject"]["apiVersion"], "types.kubefed.io/v1beta1");
    assert_eq!(event["involvedObject"]["uid"], object.uid.as_str());
    assert_eq!(event["source"]["component"], "federatedconfigmap-controller");
    assert_eq!(event["reportingComponent"], "federatedconfigmap-controller");
    let message = event["message"].as_str().unwrap_or_default();
    assert!(message.contains("eu-1") || message.contains("us-1"), "{message}");
    let name = event["metadata"]["name"].as_str().unwrap_or_default();
    assert!(name.starts_with("web."), "{name}");
    world.until_ok("configmaps", "shop", "web").await?;
    world.until_quiet().await?;
    let before = (world.events("shop", "web").await?, world.store.revision().await?);
    // Looked at again, there is nothing to tell.
    world
        .edit("namespaces", "shop", "shop", |body| {
            body["metadata"]["labels"] = json!({"a": "b"})
        })
        .await?;
    world.until_quiet().await?;
    assert_eq!(world.events("shop", "web").await?, before.0);
    world
        .edit("configmaps", "shop", "web", |body| {
            body["spec"]["template"]["data"]["color"] = "red".into()
        })
        .await?;
    until_event(&world, "shop", "web", "UpdateInCluster").await?;
    world.delete_federated("configmaps", "shop", "web").await?;
    until_event(&world, "shop", "web", "DeleteInCluster").await?;
    assert_eq!(world.controllers.counts().lost_events, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_is_counted() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.until_ok("namespaces", "shop", "shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    until_event(&world, "shop", "web", "CreateInCluster").await?;
    for color in ["red", "green", "blue"] {
        world
            .edit("configmaps", "shop", "web", |body| {
                body["spec"]["template"]["data"]["color"] = color.into()
            })
            .await?;
        world
            .until("eu-1", "configmaps", "shop", "web", |object| {
                object["data"]["color"] == color
            })
            .await?;
    }
    let event = until("three updates are one event", async || {
        let events = world.events("shop", "web").await?;
        assert!(events.len() <= 2, "{:?}", reasons(&events));
        Ok(events
            .into_iter()
            .find(|event| event["reason"] == "UpdateInCluster" && event["count"] == 3))
    })
    .await?;
    assert!(event["firstTimestamp"].as_str() <= event["lastTimestamp"].as_str());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_goes_and_comes_is_told_of_the_cluster_and_of_its_objects() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    let system = "kube-federation-system";
    until_event(&world, system, "eu-1", "ClusterReady").await?;
    world.members["eu-1"].faults().set(Fault::Refuse);
    let event = until_event(&world, system, "eu-1", "RetrievingClusterHealthFailed").await?;
    assert_eq!(event["type"], "Warning");
    assert_eq!(event["involvedObject"]["kind"], "KubeFedCluster");
    let event = until_event(&world, "shop", "web", "ClusterNotReady").await?;
    assert_eq!(event["type"], "Warning");
    world.until_quiet().await?;
    let before = world.store.revision().await?;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(world.store.revision().await?, before, "it is told again and again");
    world.members["eu-1"].faults().clear();
    until("it is back", async || {
        let event = until_event(&world, system, "eu-1", "ClusterReady").await?;
        Ok((event["count"] == 2).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_forgotten_after_an_hour() -> Result<()> {
    let mut world = World::new(&["eu-1"]).await?;
    world.stop().await;
    world.start().await?;
    let now = Timestamp::now();
    for (name, age) in [("old", 61), ("young", 59)] {
        let at = now.checked_sub(SignedDuration::from_mins(age))?.to_string();
        let mut body = json!({"kind": "Event", "metadata": metadata("shop", name, json!({})), "lastTimestamp": at});
        body["metadata"]["creationTimestamp"] = at.into();
        let key = ObjectKey::new("", "events", "shop", name);
        world.write(vec![Write::Create { key, body: body.into() }]).await?;
    }
    world.restart().await?;
    until("the old one is gone", async || {
        let left = world.store.objects("", "events", Some("shop")).await?.objects;
        let names: Vec<&str> = left.iter().map(|event| event.key.name.as_str()).collect();
        Ok((names == ["young"]).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_is_gone_gets_no_events_any_more() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    for name in ["a", "b", "c"] {
        world.create("configmaps", "shop", name, config("blue")).await?;
        world.until_ok("configmaps", "shop", name).await?;
    }
    let namespace = ObjectKey::new("", "namespaces", "", "shop");
    world.delete(&namespace).await?;
    until("the namespace is gone", async || {
        Ok(world.store.object(&namespace).await?.is_none().then_some(()))
    })
    .await?;
    world.until_quiet().await?;
    assert!(world.store.objects_in_namespace("shop").await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_very_many_events_a_namespace_keeps_the_latest() -> Result<()> {
    let mut world = World::new(&["eu-1"]).await?;
    world.stop().await;
    world.start().await?;
    let event = |name: String| {
        let body = json!({"kind": "Event", "metadata": metadata("shop", &name, json!({}))});
        let key = ObjectKey::new("", "events", "shop", &name);
        Write::Create { key, body: body.into() }
    };
    world
        .write((0..30).map(|number| event(format!("old-{number}"))).collect())
        .await?;
    world
        .write((0..2000).map(|number| event(format!("young-{number}"))).collect())
        .await?;
    world.restart().await?;
    until("the oldest are gone", async || {
        let left = world.store.names_in_namespace("shop").await?;
        let events = left.iter().filter(|key| key.resource == "events");
        let (old, young): (Vec<_>, Vec<_>) = events.partition(|key| key.name.starts_with("old-"));
        assert_eq!(young.len(), 2000);
        Ok(old.is_empty().then_some(()))
    })
    .await
}
