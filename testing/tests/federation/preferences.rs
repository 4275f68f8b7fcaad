//! A `ReplicaSchedulingPreference` over three clusters, one of which goes away.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    member::Member,
    outage::NAMESPACE,
    waiting::{PATIENCE, eventually, within},
    world::World,
};

/// `unavailableDelay` of manifests/config.yaml.
const DELAY: SignedDuration = SignedDuration::from_secs(15);

/// Times in a status are whole seconds.
const ROUNDED: SignedDuration = SignedDuration::from_secs(1);

fn path() -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/web")
}

pub(crate) async fn the_deployment_of(member: &Member) -> Result<Value> {
    member.get(&path()).await
}

async fn wanted(member: &Member) -> Result<i64> {
    let object = the_deployment_of(member).await?;
    object["spec"]["replicas"].as_i64().context("no number of replicas")
}

pub(crate) async fn replicas_are_spread_evenly(world: &World) -> Result<()> {
    for member in world.members() {
        eventually(&format!("three replicas in {}", member.name()), async || {
            let object = the_deployment_of(member).await?;
            ensure!(object["spec"]["replicas"] == 3, "{object}");
            ensure!(object["status"]["readyReplicas"] == 3, "{object}");
            Ok(())
        })
        .await?;
    }
    world.propagated(NAMESPACE, "federateddeployments", "web").await?;
    the_preference_says_where(world, json!({ "ap-1": 3, "eu-1": 3, "us-1": 3 })).await
}

/// The status of the preference names each cluster's share.
async fn the_preference_says_where(world: &World, expected: Value) -> Result<()> {
    let path =
        format!("/k8s/hub/apis/scheduling.kubefed.io/v1alpha1/namespaces/{NAMESPACE}/replicaschedulingpreferences/web");
    eventually("the shares in the status of the preference", async || {
        let object = world.hub_object(&path).await?;
        let clusters = object["status"]["clusters"].as_array().into_iter().flatten();
        let shares: Value = clusters
            .filter_map(|entry| Some((entry["name"].as_str()?.to_owned(), entry["replicas"].clone())))
            .filter(|(_, replicas)| *replicas != 0)
            .collect();
        ensure!(shares == expected, "{}", object["status"]);
        Ok(())
    })
    .await
}

/// When the cluster was last seen to change, by its `KubeFedCluster`.
fn since(cluster: &Value) -> Result<Timestamp> {
    let conditions = cluster["status"]["conditions"].as_array().into_iter().flatten();
    let times = conditions.filter_map(|condition| condition["lastTransitionTime"].as_str());
    let times: Result<Vec<Timestamp>, _> = times.map(str::parse).collect();
    times?
        .into_iter()
        .max()
        .with_context(|| format!("no time in {}", cluster["status"]))
}

pub(crate) async fn replicas_move_after_the_delay_and_not_before(world: &World, away: &Value) -> Result<()> {
    let away = since(away)?;
    let mut moved = Timestamp::now();
    within(PATIENCE, "the replicas to move", async || {
        let shares = [wanted(&world.eu).await?, wanted(&world.us).await?];
        moved = Timestamp::now();
        ensure!(shares != [3, 3], "they are where they were");
        Ok(())
    })
    .await?;
    let waited = moved.duration_since(away);
    ensure!(waited >= DELAY - ROUNDED, "they moved after {waited:?} already");

    eventually("all nine replicas in two clusters", async || {
        let mut shares = [wanted(&world.eu).await?, wanted(&world.us).await?];
        shares.sort_unstable();
        ensure!(shares == [4, 5], "{shares:?}");
        Ok(())
    })
    .await
}

pub(crate) async fn nothing_is_created_anew_on_return(world: &World, before: &Value) -> Result<()> {
    within(Duration::from_secs(60), "the replicas to come back", async || {
        for member in world.members() {
            let object = the_deployment_of(member).await?;
            ensure!(object["spec"]["replicas"] == 3, "{}: {}", member.name(), object["spec"]);
            ensure!(
                object["status"]["readyReplicas"] == 3,
                "{}: {}",
                member.name(),
                object["status"]
            );
        }
        Ok(())
    })
    .await?;
    let now = the_deployment_of(&world.ap).await?;
    ensure!(
        now["metadata"]["uid"] == before["metadata"]["uid"],
        "it was deleted and created again: {}",
        now["metadata"]
    );
    world.propagated(NAMESPACE, "federateddeployments", "web").await?;
    Ok(())
}
