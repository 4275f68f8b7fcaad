//! What is known of members goes on record, when it is new.

use std::time::Duration;

use anyhow::Result;
use atoll_simulator::Fault;
use atoll_store::Store;
use serde_json::{Value, json};

use crate::world::{World, until};

async fn cluster_object(world: &World, name: &str) -> Result<Value> {
    Ok((*world.store.object(&Store::cluster_key(name)).await?.unwrap().body).clone())
}

async fn until_condition(world: &World, name: &str, kind: &str, status: &str) -> Result<Value> {
    until(&format!("{kind}={status} of {name}"), async || {
        let object = cluster_object(world, name).await?;
        let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
        let found = conditions
            .into_iter()
            .any(|one| one["type"] == kind && one["status"] == status);
        Ok(found.then_some(object))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_learns_what_a_member_is() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    let object = until_condition(&world, "eu-1", "Ready", "True").await?;
    assert_eq!(object["status"]["conditions"][0]["reason"], "ClusterReady");
    let row = until("the facts are recorded", async || {
        Ok(world
            .store
            .cluster("eu-1")
            .await?
            .filter(|row| row.probe["facts"]["nodeCount"] == 3))
    })
    .await?;
    assert_eq!(row.uid, world.clusters.member("eu-1").unwrap().uid());
    assert!(row.uid.is_some());
    assert_eq!((row.state.as_str(), row.region.as_str()), ("Ready", "north"));
    assert!(!row.provider.is_empty());
    let object = cluster_object(&world, "eu-1").await?;
    assert_eq!(object["status"]["kubernetesVersion"], "v1.36.3");
    assert_eq!(object["status"]["region"], "north");
    assert_eq!(object["metadata"]["generation"], 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_while_nothing_is_new() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    until("the facts are recorded", async || {
        Ok(world
            .store
            .cluster("eu-1")
            .await?
            .filter(|row| row.probe["facts"]["nodeCount"] == 3))
    })
    .await?;
    world.until_quiet().await?;
    let before = world.store.revision().await?;
    let probed = world.clusters.member("eu-1").unwrap().health().as_of;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(
        world.clusters.member("eu-1").unwrap().health().as_of > probed,
        "nobody probed meanwhile"
    );
    assert_eq!(world.store.revision().await?, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_goes_and_comes_is_told_twice() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    until_condition(&world, "eu-1", "Ready", "True").await?;
    world.members["eu-1"].faults().set(Fault::Refuse);
    let object = until_condition(&world, "eu-1", "Offline", "True").await?;
    assert_eq!(object["status"]["conditions"].as_array().unwrap().len(), 1, "{object}");
    until("the row says so", async || {
        Ok(world.store.cluster("eu-1").await?.filter(|row| row.state == "Offline"))
    })
    .await?;
    world.members["eu-1"].faults().clear();
    until_condition(&world, "eu-1", "Ready", "True").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_connection_says_why() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    let mut row = world.store.cluster("eu-1").await?.unwrap();
    let unusable = json!({"unusable": {"missing": "the Secret eu-1 is missing"}}).to_string();
    row.credential = world.store.seal_credential("eu-1", &unusable.into_bytes().into())?;
    row.credential_revision = 2;
    world.write(vec![atoll_store::Write::PutCluster(Box::new(row))]).await?;
    let object = until_condition(&world, "eu-1", "ConfigMalformed", "True").await?;
    assert!(
        object["status"].to_string().contains("the Secret eu-1 is missing"),
        "{object}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_registered_under_another_name_is_malformed() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    until("the identity is recorded", async || {
        Ok(world.store.cluster("eu-1").await?.filter(|row| row.uid.is_some()))
    })
    .await?;
    world.register("twin", &world.members["eu-1"], json!({})).await?;
    let object = until_condition(&world, "twin", "ConfigMalformed", "True").await?;
    assert!(object["status"].to_string().contains("registered as eu-1"), "{object}");
    assert!(world.clusters.member("eu-1").unwrap().is_ready());
    assert_eq!(world.store.cluster("twin").await?.unwrap().uid, None);
    Ok(())
}
