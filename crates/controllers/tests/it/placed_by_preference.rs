//! An object that a replica preference alone has placed: nobody means to delete it who takes the preference away.

use anyhow::Result;
use atoll_controllers::HoldCause;
use serde_json::{Value, json};

use crate::world::{World, deployment, preference_key};

const KIND: &str = "deployments.apps";

/// A workload with this placement, two replicas of which a preference has put into each cluster and is then gone.
async fn left_alone(placement: Value) -> Result<World> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    world
        .create(KIND, "shop", "web", deployment(1, "nginx:1", placement))
        .await?;
    let spec = json!({"targetKind": "FederatedDeployment", "totalReplicas": 4});
    world.prefer("shop", "web", spec).await?;
    until_replicas(&world, 2).await?;
    world.until_ok(KIND, "shop", "web").await?;
    world.delete(&preference_key("shop", "web")).await?;
    for cluster in ["eu-1", "us-1"] {
        world.until_word(KIND, "shop", "web", cluster, "Held").await?;
        assert!(world.get(cluster, KIND, "shop", "web").await?.is_some());
    }
    Ok(world)
}

async fn until_replicas(world: &World, replicas: i64) -> Result<()> {
    for cluster in ["eu-1", "us-1"] {
        world
            .until(cluster, KIND, "shop", "web", |object| {
                object["spec"]["replicas"] == replicas
            })
            .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_the_preference_away_deletes_nothing_and_a_placement_gives_the_templates_replicas_back() -> Result<()> {
    let world = left_alone(json!({})).await?;
    world
        .edit(KIND, "shop", "web", |body| {
            body["spec"]["placement"] = json!({"clusterSelector": {}})
        })
        .await?;
    until_replicas(&world, 1).await?;
    world.until_ok(KIND, "shop", "web").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_preference_left_behind_goes_when_the_object_says_so() -> Result<()> {
    let world = left_alone(json!({"clusters": []})).await?;
    let holds = world.controllers.holds().await?;
    let [hold] = holds.as_slice() else {
        panic!("one object waits: {holds:?}")
    };
    assert_eq!(hold.cause, HoldCause::Object(hold.annotate.clone()));
    assert_eq!(hold.deletes.len(), 2);
    world
        .change(&hold.annotate, |body| {
            body["metadata"]["annotations"] = json!({"atoll.dev/confirm-deletes": hold.token});
        })
        .await?;
    for cluster in ["eu-1", "us-1"] {
        world.until_gone(cluster, KIND, "shop", "web").await?;
    }
    Ok(())
}
