//! Members and the hub die as in a power cut, and come back.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use atoll_testing::{Cluster, until, until_despite_errors};
use http::StatusCode;

use crate::{
    manifests, members,
    propagation::{federated_deployment, propagation, word},
    registration::listed,
    world::{PATIENCE, World},
};

/// A dead member must not cost the others so much as one of its time-outs.
const WITHOUT_DELAY: Duration = Duration::from_secs(10);

pub(crate) async fn a_dead_member_delays_nobody_and_catches_up(world: &World) -> Result<()> {
    world.eu.kill_api_server().await?;
    set_greeting(world, "while eu-1 is dead").await?;
    has_greeting(&world.us, "while eu-1 is dead", WITHOUT_DELAY).await?;

    until("eu-1 to count as not ready", PATIENCE, async || {
        let object = federated_deployment(world).await?;
        Ok(word(&object, "eu-1") == Some("ClusterNotReady"))
    })
    .await?;
    let object = federated_deployment(world).await?;
    assert_eq!(word(&object, "us-1"), Some(""), "{}", object["status"]);
    assert_eq!(propagation(&object)["reason"], "CheckClusters");
    let clusters = listed(world).await?;
    let eu = clusters
        .iter()
        .find(|cluster| cluster["name"] == "eu-1")
        .context("eu-1")?;
    assert_eq!(eu["state"], "Offline");
    forwarding_says_why(world).await?;

    set_greeting(world, "while eu-1 is known to be dead").await?;
    has_greeting(&world.us, "while eu-1 is known to be dead", WITHOUT_DELAY).await?;

    world.eu.start_api_server().await?;
    has_greeting(&world.eu, "while eu-1 is known to be dead", PATIENCE).await?;
    until("all to be well again", PATIENCE, async || {
        let object = federated_deployment(world).await?;
        Ok(propagation(&object)["status"] == "True")
    })
    .await
}

async fn forwarding_says_why(world: &World) -> Result<()> {
    let answer = world.admin.get("/k8s/clusters/eu-1/api/v1/nodes").await?;
    let status = answer.body(StatusCode::SERVICE_UNAVAILABLE)?;
    assert_eq!(status["kind"], "Status");
    assert_eq!(status["reason"], "ServiceUnavailable");
    assert_eq!(status["details"]["cluster"], "eu-1");
    Ok(())
}

async fn set_greeting(world: &World, greeting: &str) -> Result<()> {
    let manifest = manifests::CONFIG_MAP.replace("greeting: hello", &format!("greeting: {greeting}"));
    world.kubectl("hub")?.apply(&manifest).await?;
    Ok(())
}

async fn has_greeting(cluster: &Cluster, greeting: &str, limit: Duration) -> Result<()> {
    until_despite_errors(&format!("{greeting:?} in {}", cluster.name()), limit, async || {
        let value = members::config_value(cluster, "settings", "greeting").await?;
        Ok(value.as_deref() == Some(greeting))
    })
    .await
}

pub(crate) async fn a_killed_hub_loses_nothing_and_rewrites_nothing(world: &mut World) -> Result<()> {
    let clusters = listed(world).await?;
    let generation = federated_deployment(world).await?["metadata"]["generation"].clone();
    let mut before = Vec::new();
    for cluster in world.members() {
        before.push(members::written(cluster).await?);
    }
    let is_whole = |objects: &Vec<(String, Vec<String>)>| {
        objects.len() == 3 && objects.iter().all(|(_, written)| !written.is_empty())
    };
    ensure!(before.iter().all(is_whole), "{before:?}");

    world.hub.kill()?;
    world.hub.start_again().await?;

    // The session of before is still good, and so is the kubeconfig.
    let names = |clusters: &[serde_json::Value]| -> Vec<_> {
        let kept = |cluster: &serde_json::Value| {
            ["name", "uid", "role", "labels", "createdAt", "nodeCount"].map(|field| cluster[field].clone())
        };
        clusters.iter().map(kept).collect()
    };
    assert_eq!(names(&listed(world).await?), names(&clusters));
    until("three Ready clusters", PATIENCE, async || {
        let clusters = listed(world).await?;
        Ok(clusters.len() == 3 && clusters.iter().all(|cluster| cluster["state"] == "Ready"))
    })
    .await?;
    until("the first look at every object", PATIENCE, async || {
        Ok(metric(world, "atoll_controllers_plans_total").await? >= 3
            && metric(world, "atoll_controllers_queue_length").await? == 0)
    })
    .await?;
    assert_eq!(metric(world, "atoll_controllers_writes_total").await?, 0);
    for (cluster, before) in world.members().into_iter().zip(before) {
        assert_eq!(members::written(cluster).await?, before, "{}", cluster.name());
    }
    assert_eq!(federated_deployment(world).await?["metadata"]["generation"], generation);

    set_greeting(world, "after the restart").await?;
    for cluster in world.members() {
        has_greeting(cluster, "after the restart", PATIENCE).await?;
    }
    Ok(())
}

/// A number that the hub exports.
async fn metric(world: &World, name: &str) -> Result<i64> {
    let answer = world.hub.metrics().get("/metrics").await?;
    let line = answer.text.lines().find(|line| line.starts_with(&format!("{name} ")));
    let value = line
        .and_then(|line| line.split(' ').nth(1))
        .with_context(|| format!("no {name}:\n{}", answer.text))?;
    Ok(value.parse()?)
}
