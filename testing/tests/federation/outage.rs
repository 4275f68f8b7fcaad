//! A cluster goes away for longer than the delay, and comes back: what happens to
//! the replicas that it had, and to what was deleted meanwhile.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{
    preferences,
    registration::counts_as,
    waiting::{eventually, within},
    world::World,
};

pub(crate) const NAMESPACE: &str = "outage";

/// What people wait for a delete that one cluster cannot take part in.
const DELETED_WITHIN: Duration = Duration::from_secs(60);

pub(crate) async fn told(world: &World) -> Result<()> {
    world.federate_namespace(NAMESPACE).await?;
    world.kubectl.apply(include_str!("manifests/outage.yaml")).await?;
    world.propagated(NAMESPACE, "federatedconfigmaps", "doomed").await?;
    preferences::replicas_are_spread_evenly(world).await?;
    let before = preferences::the_deployment_of(&world.ap).await?;

    world.ap.cluster.kill_api_server().await?;
    let during = an_outage(world).await;
    // Whatever came of it: the chapters that follow find three clusters.
    world.ap.cluster.start_api_server().await?;
    counts_as(world, &world.ap, true).await?;
    during?;

    what_was_deleted_meanwhile_is_cleaned_up(world).await?;
    preferences::nothing_is_created_anew_on_return(world, &before).await?;
    world.leave_namespace(NAMESPACE).await
}

async fn an_outage(world: &World) -> Result<()> {
    let away = counts_as(world, &world.ap, false).await?;
    preferences::replicas_move_after_the_delay_and_not_before(world, &away).await?;
    a_delete_finishes_without_it(world).await
}

fn doomed() -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/configmaps/doomed")
}

async fn a_delete_finishes_without_it(world: &World) -> Result<()> {
    let limit = format!("--timeout={}s", DELETED_WITHIN.as_secs());
    let arguments = ["delete", "federatedconfigmap", "doomed", "-n", NAMESPACE, &limit];
    world.kubectl.text(arguments).await?;
    for member in [&world.eu, &world.us] {
        eventually(&format!("the end of it in {}", member.name()), async || {
            member.lacks(&doomed()).await
        })
        .await?;
    }
    let left = world
        .kubectl
        .run(["get", "federatedconfigmap", "doomed", "-n", NAMESPACE])
        .await?;
    ensure!(!left.status.success(), "it is still on the hub");
    Ok(())
}

async fn what_was_deleted_meanwhile_is_cleaned_up(world: &World) -> Result<()> {
    within(Duration::from_secs(60), "what was left behind to go", async || {
        world.ap.lacks(&doomed()).await
    })
    .await
}
