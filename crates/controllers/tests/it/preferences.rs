//! Replicas by preference: shared out over the clusters where an object may go, by what runs there.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use atoll_federation::ClusterName;
use atoll_simulator::{Fault, Requests};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::world::{World, deployment, preference_key, until};

const KIND: &str = "deployments.apps";

fn everywhere() -> Value {
    json!({"clusterSelector": {}})
}

async fn world(members: &[&str]) -> Result<World> {
    let world = World::new(members).await?;
    world.federate("shop").await?;
    Ok(world)
}

async fn replicas(world: &World) -> Result<BTreeMap<String, i64>> {
    let mut found = BTreeMap::new();
    for cluster in world.members.keys() {
        if let Ok(Some(object)) = world.get(cluster, KIND, "shop", "web").await {
            let replicas = object["spec"]["replicas"].as_i64().unwrap_or_default();
            found.insert(cluster.clone(), replicas);
        }
    }
    Ok(found)
}

async fn until_shared(world: &World, expected: &[(&str, i64)]) -> Result<()> {
    let expected: BTreeMap<String, i64> = expected
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect();
    let mut last = BTreeMap::new();
    let shared = until("the replicas are shared out", async || {
        last = replicas(world).await?;
        Ok((last == expected).then_some(()))
    })
    .await;
    shared.with_context(|| format!("{last:?} instead of {expected:?}"))
}

/// Two members with half of these replicas each, as a preference says, and all of it in step.
async fn two_with_half_each_of(total: i64) -> Result<World> {
    let world = world(&["eu-1", "us-1"]).await?;
    share_evenly(&world, total).await?;
    Ok(world)
}

async fn share_evenly(world: &World, total: i64) -> Result<()> {
    world
        .create(KIND, "shop", "web", deployment(1, "nginx:1", everywhere()))
        .await?;
    let spec = json!({"targetKind": "FederatedDeployment", "totalReplicas": total});
    world.prefer("shop", "web", spec).await?;
    until_shared(world, &[("eu-1", total / 2), ("us-1", total / 2)]).await
}

async fn preference_status(world: &World) -> Result<Value> {
    let object = world.store.object(&preference_key("shop", "web")).await?;
    Ok(object.map(|object| object.body["status"].clone()).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preference_shares_replicas_out_and_taking_it_away_gives_the_templates_back() -> Result<()> {
    let world = world(&["eu-1", "us-1"]).await?;
    world
        .create(KIND, "shop", "web", deployment(1, "nginx:1", everywhere()))
        .await?;
    until_shared(&world, &[("eu-1", 1), ("us-1", 1)]).await?;
    let spec = json!({"targetKind": "FederatedDeployment", "totalReplicas": 9, "rebalance": true, "clusters": {
        "eu-1": {"weight": 2}, "us-1": {"weight": 1},
    }});
    world.prefer("shop", "web", spec).await?;
    until_shared(&world, &[("eu-1", 6), ("us-1", 3)]).await?;
    let status = until("the preference says so", async || {
        let status = preference_status(&world).await?;
        Ok((status["placedReplicas"] == 9).then_some(status))
    })
    .await?;
    assert_eq!(status["conditions"][0]["status"], "True", "{status}");
    assert_eq!(status["clusters"][0]["replicas"], 6);
    until("the object says so", async || {
        let status = world.status(KIND, "shop", "web").await?;
        let desired: Vec<_> = status.clusters.iter().map(|entry| entry.desired_replicas).collect();
        Ok((desired == [Some(6), Some(3)]).then_some(()))
    })
    .await?;
    // Nothing of it is written into the object.
    let object = world.find(KIND, "shop", "web").await?.context("it was just made")?;
    assert!(object.body["spec"]["overrides"].is_null());

    world
        .change(&preference_key("shop", "web"), |body| {
            body["spec"]["totalReplicas"] = 12.into()
        })
        .await?;
    until_shared(&world, &[("eu-1", 8), ("us-1", 4)]).await?;
    world.until_quiet().await?;
    let before = world.store.revision().await?;
    sleep(Duration::from_millis(500)).await;
    assert_eq!(world.store.revision().await?, before, "it is written again and again");
    world.delete(&preference_key("shop", "web")).await?;
    until_shared(&world, &[("eu-1", 1), ("us-1", 1)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preference_that_is_there_first_makes_no_replica_too_many() -> Result<()> {
    let world = world(&["eu-1", "us-1"]).await?;
    let spec = json!({"targetKind": "FederatedDeployment", "totalReplicas": 3, "clusters": {"eu-1": {"weight": 1}}});
    world.prefer("shop", "web", spec).await?;
    until("the preference looks for its object", async || {
        let status = preference_status(&world).await?;
        Ok((status["conditions"][0]["reason"] == "TargetNotFound").then_some(()))
    })
    .await?;
    // No placement at all means everywhere, for whoever writes a preference.
    world
        .create(KIND, "shop", "web", deployment(7, "nginx:1", json!({})))
        .await?;
    until_shared(&world, &[("eu-1", 3), ("us-1", 0)]).await?;
    for cluster in ["eu-1", "us-1"] {
        let object = world.until(cluster, KIND, "shop", "web", |_| true).await?;
        assert_eq!(
            object["metadata"]["generation"], 1,
            "{cluster} was asked for something else first"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preference_for_another_kind_of_the_same_name_is_for_that_kind() -> Result<()> {
    let world = world(&["eu-1"]).await?;
    world
        .create(KIND, "shop", "web", deployment(2, "nginx:1", everywhere()))
        .await?;
    let spec = json!({"targetKind": "FederatedReplicaSet", "totalReplicas": 5});
    world.prefer("shop", "web", spec).await?;
    until("it finds no ReplicaSet", async || {
        let status = preference_status(&world).await?;
        Ok((status["conditions"][0]["reason"] == "TargetNotFound").then_some(()))
    })
    .await?;
    until_shared(&world, &[("eu-1", 2)]).await?;
    world
        .change(&preference_key("shop", "web"), |body| {
            body["spec"]["targetKind"] = "FederatedDeployment".into()
        })
        .await?;
    until_shared(&world, &[("eu-1", 5)]).await?;
    world
        .change(&preference_key("shop", "web"), |body| {
            body["spec"]["targetKind"] = "FederatedReplicaSet".into()
        })
        .await?;
    until_shared(&world, &[("eu-1", 2)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preference_that_cannot_be_meant_changes_nothing_and_says_so() -> Result<()> {
    let world = two_with_half_each_of(6).await?;
    world
        .change(&preference_key("shop", "web"), |body| {
            body["spec"]["totalReplicas"] = (-4).into()
        })
        .await?;
    until("the object says so", async || {
        let status = world.status(KIND, "shop", "web").await?;
        let condition = status.propagation();
        Ok(condition
            .is_some_and(|condition| {
                condition.reason == "InvalidPreference" && condition.message.contains("totalReplicas")
            })
            .then_some(()))
    })
    .await?;
    world.until_quiet().await?;
    until_shared(&world, &[("eu-1", 3), ("us-1", 3)]).await?;
    assert_eq!(world.records(KIND, "shop", "web").await?.len(), 2);
    world
        .change(&preference_key("shop", "web"), |body| {
            body["spec"]["totalReplicas"] = 8.into()
        })
        .await?;
    until_shared(&world, &[("eu-1", 4), ("us-1", 4)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_keeps_its_share_for_one_delay_and_has_it_back_after_the_other() -> Result<()> {
    let world = world(&["eu-1", "us-1"]).await?;
    world
        .configure(
            json!({"scope": "Cluster", "controllerDuration": {"unavailableDelay": "10s", "availableDelay": "8s"}}),
        )
        .await?;
    world
        .create(KIND, "shop", "web", deployment(1, "nginx:1", everywhere()))
        .await?;
    let spec = json!({"targetKind": "FederatedDeployment", "totalReplicas": 6, "rebalance": true});
    world.prefer("shop", "web", spec).await?;
    until_shared(&world, &[("eu-1", 3), ("us-1", 3)]).await?;
    world.until_ok(KIND, "shop", "web").await?;
    let before = world.until("us-1", KIND, "shop", "web", |_| true).await?["metadata"].clone();

    let away = Instant::now();
    world.members["us-1"].faults().set(Fault::Refuse);
    world.until_ready("us-1", false).await?;
    world.until_word(KIND, "shop", "web", "us-1", "ClusterNotReady").await?;
    while away.elapsed() < Duration::from_secs(6) {
        sleep(Duration::from_millis(200)).await;
        let now = replicas(&world).await?;
        let Some(eu) = now.get("eu-1") else { continue };
        assert_eq!(*eu, 3, "moved after {:?}", away.elapsed());
    }
    world
        .until("eu-1", KIND, "shop", "web", |object| object["spec"]["replicas"] == 6)
        .await?;
    let lost = away.elapsed();
    assert!(
        lost >= Duration::from_secs(10) && lost < Duration::from_secs(30),
        "{lost:?}"
    );

    let back = Instant::now();
    world.members["us-1"].faults().clear();
    world.until_ready("us-1", true).await?;
    world.until_ok(KIND, "shop", "web").await?;
    while back.elapsed() < Duration::from_secs(5) {
        sleep(Duration::from_millis(200)).await;
        let now = replicas(&world).await?;
        let Some((eu, us)) = now.get("eu-1").zip(now.get("us-1")) else {
            continue;
        };
        assert_eq!((*eu, *us), (6, 3), "moved after {:?}", back.elapsed());
    }
    until_shared(&world, &[("eu-1", 3), ("us-1", 3)]).await?;
    assert!(back.elapsed() >= Duration::from_secs(8), "{:?}", back.elapsed());
    let object = world.until("us-1", KIND, "shop", "web", |_| true).await?;
    assert_eq!(
        object["metadata"]["uid"], before["uid"],
        "it was deleted and made again"
    );
    assert_eq!(
        object["metadata"]["generation"], before["generation"],
        "it was scaled meanwhile"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_cannot_be_listed_keep_the_last_plan_and_delay_nobody() -> Result<()> {
    let world = world(&["eu-1", "us-1"]).await?;
    // From the beginning: an answer would be good for a while.
    let faults = world.members["eu-1"].faults();
    faults.add(Requests::to("/api/v1/namespaces/shop/pods"), Fault::Hang);
    share_evenly(&world, 4).await?;
    world.until_ok(KIND, "shop", "web").await?;
    let nodes = world
        .ask("eu-1", atoll_clusters::OwnRequest::get("/api/v1/nodes"))
        .await?;
    for node in nodes["items"].as_array().into_iter().flatten() {
        let name = node["metadata"]["name"].as_str().unwrap_or_default();
        world.members["eu-1"]
            .set_node_ready(name, false)
            .map_err(|status| anyhow::anyhow!("{status:?}"))?;
    }
    // Until the hub has seen it, there is no reason to ask for pods.
    let eu = ClusterName::parse("eu-1")?;
    until("the hub sees that not all are ready", async || {
        let status = world.status(KIND, "shop", "web").await?;
        let ready = status.cluster(&eu).and_then(|cluster| cluster.live.ready_replicas);
        Ok(ready.is_some_and(|ready| ready < 2).then_some(()))
    })
    .await?;
    world
        .change(&preference_key("shop", "web"), |body| {
            body["spec"]["totalReplicas"] = 8.into()
        })
        .await?;
    // The template still follows, everywhere, while the question is never answered.
    world
        .edit(KIND, "shop", "web", |body| {
            body["spec"]["template"]["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2".into();
        })
        .await?;
    let image = "/spec/template/spec/containers/0/image";
    for cluster in ["eu-1", "us-1"] {
        world
            .until(cluster, KIND, "shop", "web", |object| {
                object.pointer(image).is_some_and(|image| image == "nginx:2")
            })
            .await?;
    }
    assert_eq!(
        replicas(&world).await?,
        [("eu-1".to_owned(), 2), ("us-1".to_owned(), 2)].into()
    );
    faults.clear();
    until("the new total is shared out", async || {
        Ok((replicas(&world).await?.values().sum::<i64>() == 8).then_some(()))
    })
    .await
}

/// What finds no node for a minute is given up there and runs elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_find_no_node_go_elsewhere() -> Result<()> {
    let world = two_with_half_each_of(2).await?;
    world.until_ok(KIND, "shop", "web").await?;
    // From now on eu-1 has no room for more.
    let nodes = world
        .ask("eu-1", atoll_clusters::OwnRequest::get("/api/v1/nodes"))
        .await?;
    for node in nodes["items"].as_array().into_iter().flatten() {
        let name = node["metadata"]["name"].as_str().unwrap_or_default();
        let cordon = json!({"spec": {"unschedulable": true}});
        let path = format!("/api/v1/nodes/{name}?fieldManager=kubectl");
        world
            .ask("eu-1", atoll_clusters::OwnRequest::merge_patch(path, cordon))
            .await?;
    }
    world
        .change(&preference_key("shop", "web"), |body| {
            body["spec"]["totalReplicas"] = 8.into()
        })
        .await?;
    world
        .until("eu-1", KIND, "shop", "web", |object| object["spec"]["replicas"] == 4)
        .await?;
    let pods = "/api/v1/namespaces/shop/pods";
    let pending = until("three pods find no node", async || {
        let list = world.ask("eu-1", atoll_clusters::OwnRequest::get(pods)).await?;
        let pods = list["items"].as_array().cloned().unwrap_or_default();
        let pending: Vec<Value> = pods
            .into_iter()
            .filter(|pod| pod["status"]["phase"] == "Pending")
            .collect();
        Ok((pending.len() == 3).then_some(pending))
    })
    .await?;
    // A minute passes.
    for pod in pending {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let mut conditions = pod["status"]["conditions"].clone();
        for condition in conditions.as_array_mut().into_iter().flatten() {
            condition["lastTransitionTime"] = "2026-01-01T00:00:00Z".into();
        }
        let path = format!("{pods}/{name}/status?fieldManager=scheduler");
        let patch = json!({"status": {"conditions": conditions}});
        world
            .ask("eu-1", atoll_clusters::OwnRequest::merge_patch(path, patch))
            .await?;
    }
    until_shared(&world, &[("eu-1", 1), ("us-1", 7)]).await?;
    let status = until("the preference says why", async || {
        let status = preference_status(&world).await?;
        Ok((status["clusters"][1]["replicas"] == 7).then_some(status))
    })
    .await?;
    assert_eq!(status["placedReplicas"], 8, "{status}");
    Ok(())
}
