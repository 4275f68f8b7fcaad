//! One replica acts at a time.

use std::time::Duration;

use anyhow::Result;
use atoll_controllers::Timing;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::world::{World, config, options, until};

fn quick(holder: &str) -> atoll_controllers::Options {
    let mut options = options(holder);
    options.timing = Timing {
        life: Duration::from_millis(1500),
        renew: Duration::from_millis(1000),
        retry: Duration::from_millis(200),
    };
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_replica_takes_over_when_the_leader_stops() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    until("the first leads", async || {
        Ok(world.controllers.is_leader().then_some(()))
    })
    .await?;
    let (other, clusters) = world.replica(quick("other")).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!other.is_leader() && world.controllers.is_leader());
    // Also a replica that does not lead keeps its members open.
    until("its member is open", async || {
        Ok(clusters.member("eu-1").filter(|member| member.is_ready()).map(drop))
    })
    .await?;

    let stopped = Instant::now();
    world.controllers.stop().await;
    until("the other leads", async || Ok(other.is_leader().then_some(()))).await?;
    assert!(stopped.elapsed() < Duration::from_secs(5), "{:?}", stopped.elapsed());
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until("eu-1", "configmaps", "shop", "web", |_| true).await?;
    other.stop().await;
    assert_eq!(world.store.lease("controllers").await?.unwrap().expires_at, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_lease_was_taken_acts_no_more() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.until_ok("namespaces", "shop", "shop").await?;
    until("it leads", async || Ok(world.controllers.is_leader().then_some(()))).await?;
    // Somebody took the lease: as if this process had been stopped for long.
    let row = world.store.lease("controllers").await?.unwrap();
    // Later than the leader may renew it meanwhile.
    let seen = Timestamp::from_millisecond(row.expires_at)? + SignedDuration::from_mins(1);
    let taken = world
        .store
        .take_lease("controllers", "thief", seen, SignedDuration::from_secs(3600))
        .await?;
    assert!(taken.unwrap().epoch > row.epoch);
    world.create("configmaps", "shop", "web", config("blue")).await?;
    until("it has noticed", async || {
        Ok((!world.controllers.is_leader()).then_some(()))
    })
    .await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(
        world.get("eu-1", "configmaps", "shop", "web").await?.is_none(),
        "it acted without the lease"
    );
    assert!(world.records("configmaps", "shop", "web").await?.is_empty());
    let object = world.find("configmaps", "shop", "web").await?.unwrap();
    assert!(object.body["metadata"]["finalizers"].is_null());
    Ok(())
}
