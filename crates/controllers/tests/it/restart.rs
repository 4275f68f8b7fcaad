//! A hub that stops in the middle goes on where it was, and one that has nothing to do does nothing.

use anyhow::Result;
use atoll_store::{Propagation, Write};
use serde_json::{Value, json};

use crate::world::{World, config, deployment, record_key, until};

async fn versions(world: &World) -> Result<Vec<(String, Value)>> {
    let mut versions = Vec::new();
    for cluster in world.members.keys() {
        for (kind, name) in [
            ("namespaces", "shop"),
            ("configmaps", "web"),
            ("deployments.apps", "web"),
        ] {
            let object = world.until(cluster, kind, "shop", name, |_| true).await?;
            let metadata = &object["metadata"];
            // The status of a Deployment moves by itself; its generation and what the hub states do not.
            let version = if kind == "deployments.apps" {
                &metadata["generation"]
            } else {
                &metadata["resourceVersion"]
            };
            versions.push((format!("{cluster} {kind}"), json!([metadata["uid"], version])));
        }
    }
    Ok(versions)
}

async fn filled() -> Result<World> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world
        .create(
            "deployments.apps",
            "shop",
            "web",
            deployment(2, "nginx:1", json!({"clusterSelector": {}})),
        )
        .await?;
    for kind in ["configmaps", "deployments.apps"] {
        world.until_ok(kind, "shop", "web").await?;
    }
    world.until_quiet().await?;
    Ok(world)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_writes_nothing() -> Result<()> {
    let mut world = filled().await?;
    let before = (versions(&world).await?, world.store.revision().await?);
    world.restart().await?;
    for name in ["eu-1", "us-1"] {
        world.until_ready(name, true).await?;
    }
    until("everything was looked at", async || {
        Ok((world.controllers.counts().plans >= 3).then_some(()))
    })
    .await?;
    world.until_quiet().await?;
    let counts = world.controllers.counts();
    assert_eq!((counts.writes, counts.failures), (0, 0), "{counts:?}");
    assert_eq!((versions(&world).await?, world.store.revision().await?), before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_while_the_hub_was_down_is_put_right() -> Result<()> {
    let mut world = filled().await?;
    world.stop().await;
    let faults: Vec<_> = world.members.values().map(|member| member.faults().clone()).collect();
    drop(faults);
    world
        .edit("configmaps", "shop", "web", |body| {
            body["spec"]["template"]["data"]["color"] = "red".into()
        })
        .await?;
    world.start().await?;
    for cluster in ["eu-1", "us-1"] {
        world
            .until(cluster, "configmaps", "shop", "web", |object| {
                object["data"]["color"] == "red"
            })
            .await?;
    }
    world.until_ok("configmaps", "shop", "web").await?;
    Ok(())
}

/// The hub was killed after the member had the object and before the store knew: once with nothing on record, once with
/// the intent.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_write_and_record_converges() -> Result<()> {
    let mut world = filled().await?;
    let before = versions(&world).await?;
    world.stop().await;
    let key = record_key("configmaps", "shop", "web");
    let records = world.records("configmaps", "shop", "web").await?;
    let begun = Propagation {
        uid: None,
        applied_hash: None,
        managed_hash: None,
        ..records[0].clone()
    };
    let lost = [(key.clone(), records[1].cluster.clone())];
    world.store.record_propagations(None, &[begun], &lost).await?;
    world.start().await?;
    until("it is recorded again", async || {
        let after = world.records("configmaps", "shop", "web").await?;
        let uids = |records: &[Propagation]| records.iter().map(|record| record.uid.clone()).collect::<Vec<_>>();
        Ok((uids(&after) == uids(&records)).then_some(()))
    })
    .await?;
    world.until_quiet().await?;
    assert!(
        world.controllers.counts().writes <= 2,
        "{:?}",
        world.controllers.counts()
    );
    let uids = |versions: &[(String, Value)]| {
        versions
            .iter()
            .map(|(_, version)| version[0].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(uids(&versions(&world).await?), uids(&before));
    Ok(())
}

/// The hub was killed after the member had the object, and the object was deleted before the hub came back.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_and_never_recorded_is_deleted_too() -> Result<()> {
    let mut world = filled().await?;
    world.stop().await;
    let begun: Vec<Propagation> = world
        .records("configmaps", "shop", "web")
        .await?
        .into_iter()
        .map(|record| Propagation {
            uid: None,
            applied_hash: None,
            managed_hash: None,
            ..record
        })
        .collect();
    world.store.record_propagations(None, &begun, &[]).await?;
    world.delete_federated("configmaps", "shop", "web").await?;
    world.start().await?;
    for cluster in ["eu-1", "us-1"] {
        world.until_ready(cluster, true).await?;
        world.until_gone(cluster, "configmaps", "shop", "web").await?;
    }
    world.until_deleted("configmaps", "shop", "web").await
}

/// The finalizer was taken off by hand: what is there stays there.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_was_forced_off_the_hub_leaves_its_members_alone() -> Result<()> {
    let world = filled().await?;
    let object = world.find("configmaps", "shop", "web").await?.unwrap();
    let key = object.key.clone();
    world.write(vec![Write::Delete { key, expected: None }]).await?;
    until("its records are dropped", async || {
        Ok(world
            .records("configmaps", "shop", "web")
            .await?
            .is_empty()
            .then_some(()))
    })
    .await?;
    world.until_quiet().await?;
    for cluster in ["eu-1", "us-1"] {
        assert!(world.get(cluster, "configmaps", "shop", "web").await?.is_some());
    }
    Ok(())
}
