//! Clusters join, one by the console's API and two as KubeFed's did: by a
//! service account in the member, a Secret with its token and a `KubeFedCluster`.

use anyhow::{Context, Result, ensure};
use atoll_testing::{NEWEST_KUBERNETES, OLDEST_KUBERNETES};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    member::Member,
    waiting::eventually,
    world::{SYSTEM, World},
};

/// What `kubefedctl join` leaves in a member.
const JOINED: &str = include_str!("manifests/member.yaml");

pub(crate) async fn told(world: &World) -> Result<()> {
    the_configuration_is_applied(world).await?;
    a_cluster_joins_by_its_kubeconfig(world, &world.eu).await?;
    for member in [&world.us, &world.ap] {
        a_cluster_joins_by_a_secret_and_a_kubefedcluster(world, member).await?;
    }
    every_version_is_shown(world).await
}

/// Short times, so that nobody has to wait for what they rule.
async fn the_configuration_is_applied(world: &World) -> Result<()> {
    world.kubectl.apply(include_str!("manifests/config.yaml")).await?;
    Ok(())
}

async fn a_cluster_joins_by_its_kubeconfig(world: &World, member: &Member) -> Result<()> {
    let body = json!({
        "name": member.name(),
        "labels": { "region": region(member) },
        "kubeconfig": member.cluster.kubeconfig(),
    });
    let answer = world.admin.post("/api/v1/clusters", body).await?;
    answer.body(StatusCode::CREATED)?;
    Ok(())
}

async fn a_cluster_joins_by_a_secret_and_a_kubefedcluster(world: &World, member: &Member) -> Result<()> {
    member.cluster.apply(JOINED).await?;
    let path = format!("/api/v1/namespaces/{SYSTEM}/secrets/member-hub");
    let mut token = String::new();
    eventually("the token of the service account", async || {
        let secret = member.get(&path).await?;
        token = secret["data"]["token"].as_str().context("no token")?.to_owned();
        Ok(())
    })
    .await?;
    let manifest = include_str!("manifests/join.yaml")
        .replace("NAME", member.name())
        .replace("REGION", region(member))
        .replace("TOKEN", &token)
        .replace("ENDPOINT", member.cluster.endpoint())
        .replace("BUNDLE", &BASE64_STANDARD.encode(member.cluster.authority()));
    let said = world.kubectl.apply(&manifest).await?;
    let name = member.name();
    ensure!(
        said == format!("secret/{name}-token created\nkubefedcluster.core.kubefed.io/{name} created\n"),
        "kubectl said {said}"
    );
    Ok(())
}

fn region(member: &Member) -> &str {
    let name = member.name();
    name.split('-').next().unwrap_or(name)
}

/// Waits until a cluster is what KubeFed calls ready, or is not.
pub(crate) async fn counts_as(world: &World, member: &Member, ready: bool) -> Result<Value> {
    let path = format!(
        "/k8s/hub/apis/core.kubefed.io/v1beta1/namespaces/{SYSTEM}/kubefedclusters/{}",
        member.name()
    );
    eventually(&format!("{} to count as ready: {ready}", member.name()), async || {
        let cluster = world.hub_object(&path).await?;
        let conditions = cluster["status"]["conditions"].as_array().into_iter().flatten();
        let is_ready = conditions
            .clone()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
        ensure!(is_ready == ready, "{}", cluster["status"]);
        Ok(())
    })
    .await?;
    world.hub_object(&path).await
}

async fn every_version_is_shown(world: &World) -> Result<()> {
    for member in world.members() {
        counts_as(world, member, true).await?;
    }
    let table = world.kubectl.text(["get", "kubefedclusters", "-n", SYSTEM]).await?;
    for (member, release) in [
        (&world.ap, OLDEST_KUBERNETES),
        (&world.eu, NEWEST_KUBERNETES),
        (&world.us, NEWEST_KUBERNETES),
    ] {
        let row = table.lines().find(|row| row.starts_with(member.name()));
        let row = row.with_context(|| format!("{} is not in\n{table}", member.name()))?;
        ensure!(row.contains("True"), "{table}");
        ensure!(row.contains(&format!("v{release}.")), "{table}");
    }
    Ok(())
}
