//! KubeFed's own command line, as it was last released, does on the hub what people know it for.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use atoll_testing::Programs;
use kube::config::Kubeconfig;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    waiting::{eventually, within},
    world::{SYSTEM, World},
};

const NAMESPACE: &str = "by-kubefedctl";
/// How long a controller manager may take to notice that its API server is back.
const TOKEN: Duration = Duration::from_secs(180);
const MANIFEST: &str = include_str!("manifests/kubefedctl.yaml");

/// kubefedctl with one kubeconfig for the hub and for the cluster that it is about.
struct Kubefedctl {
    program: PathBuf,
    home: TempDir,
}

impl Kubefedctl {
    async fn new(world: &World) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let hub = world.kubectl.text(["config", "view", "--raw", "-o", "json"]).await?;
        let both = Kubeconfig::from_yaml(&hub)?.merge(Kubeconfig::from_yaml(world.ap.cluster.kubeconfig())?)?;
        std::fs::write(home.path().join("config"), serde_json::to_vec(&both)?)?;
        Ok(Self {
            program: Programs::kubefedctl()?,
            home,
        })
    }

    async fn text(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.program)
            .env_clear()
            .env("HOME", self.home.path())
            .env("KUBECONFIG", self.home.path().join("config"))
            .args(arguments)
            .args(["--host-cluster-context", "hub"])
            .kill_on_drop(true)
            .output()
            .await
            .context("cannot run kubefedctl")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kubefedctl {arguments:?}: {said}");
        Ok(String::from_utf8(output.stdout)?)
    }
}

pub(crate) async fn told(world: &World) -> Result<()> {
    let kubefedctl = Kubefedctl::new(world).await?;
    a_cluster_joins(world, &kubefedctl).await?;
    a_type_is_enabled_and_disabled(world, &kubefedctl).await?;
    a_namespace_is_federated_with_its_contents(world, &kubefedctl).await?;
    a_deletion_orphans_where_it_was_told_to(world, &kubefedctl).await?;
    a_cluster_leaves_with_what_it_has(world, &kubefedctl).await
}

/// kubefedctl waits for the token of its service account for 30 s, and a cluster whose API server was away takes its time
/// before it makes any.
async fn the_cluster_makes_tokens(world: &World) -> Result<()> {
    let secrets = "/api/v1/namespaces/default/secrets";
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": { "name": "trial", "annotations": { "kubernetes.io/service-account.name": "default" } },
    });
    world.ap.post(secrets, &secret).await?;
    let trial = format!("{secrets}/trial");
    within(TOKEN, "a token in ap-1", async || {
        let found = world.ap.get(&trial).await?;
        ensure!(found["data"]["token"].is_string(), "{}", found["metadata"]);
        Ok(())
    })
    .await?;
    world.ap.delete(&trial).await.map(drop)
}

async fn a_cluster_joins(world: &World, kubefedctl: &Kubefedctl) -> Result<()> {
    the_cluster_makes_tokens(world).await?;
    let context = ["--cluster-context", "admin@ap-1"];
    kubefedctl.text(&[&["join", "ap-1"][..], &context].concat()).await?;
    let path = format!("/k8s/hub/apis/core.kubefed.io/v1beta1/namespaces/{SYSTEM}/kubefedclusters/ap-1");
    eventually("ap-1 is ready again", async || {
        let cluster = world.hub_object(&path).await?;
        let conditions = cluster["status"]["conditions"].as_array().context("no conditions")?;
        let is_ready = |one: &Value| one["type"] == "Ready" && one["status"] == "True";
        ensure!(conditions.iter().any(is_ready), "{conditions:?}");
        Ok(())
    })
    .await
}

async fn a_type_is_enabled_and_disabled(world: &World, kubefedctl: &Kubefedctl) -> Result<()> {
    let name = "leases.coordination.k8s.io";
    kubefedctl.text(&["enable", name]).await?;
    // What is enabled already is so still.
    kubefedctl.text(&["enable", "deployments.apps"]).await?;
    let columns = ["get", "ftc", "-n", SYSTEM, "--no-headers"];
    let types = world.kubectl.text(columns).await?;
    ensure!(types.contains("FederatedLease"), "{types}");
    kubefedctl.text(&["disable", name]).await?;
    let types = world.kubectl.text(columns).await?;
    ensure!(!types.contains("FederatedLease"), "{types}");
    Ok(())
}

fn config_map() -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/configmaps/settings")
}

async fn a_namespace_is_federated_with_its_contents(world: &World, kubefedctl: &Kubefedctl) -> Result<()> {
    world.kubectl.apply(MANIFEST).await?;
    kubefedctl
        .text(&["federate", "namespace", NAMESPACE, "--contents"])
        .await?;
    for plural in ["federatedconfigmaps", "federateddeployments"] {
        let name = if plural == "federatedconfigmaps" {
            "settings"
        } else {
            "web"
        };
        let object = world.propagated(NAMESPACE, plural, name).await?;
        ensure!(object.clusters() == ["ap-1", "eu-1"], "{}", object.status());
    }
    world.ap.get(&config_map()).await.map(drop)
}

async fn a_deletion_orphans_where_it_was_told_to(world: &World, kubefedctl: &Kubefedctl) -> Result<()> {
    let object = ["federatedconfigmap", "settings", "-n", NAMESPACE];
    let orphaning = async |verb: &str| {
        kubefedctl
            .text(&[&["orphaning-deletion", verb][..], &object].concat())
            .await
    };
    ensure!(orphaning("status").await?.trim() == "Disabled");
    orphaning("enable").await?;
    ensure!(orphaning("status").await?.trim() == "Enabled");
    world
        .kubectl
        .text([&["delete"][..], &object, &["--timeout=60s"]].concat())
        .await?;
    for member in [&world.ap, &world.eu] {
        let left = member.get(&config_map()).await?;
        ensure!(left["metadata"]["deletionTimestamp"].is_null(), "{left}");
        ensure!(left["metadata"]["labels"]["kubefed.io/managed"].is_null(), "{left}");
    }
    Ok(())
}

async fn a_cluster_leaves_with_what_it_has(world: &World, kubefedctl: &Kubefedctl) -> Result<()> {
    kubefedctl
        .text(&["unjoin", "ap-1", "--cluster-context", "admin@ap-1"])
        .await?;
    let clusters = world
        .kubectl
        .text(["get", "kubefedclusters", "-n", SYSTEM, "-o", "name"])
        .await?;
    ensure!(!clusters.contains("ap-1"), "{clusters}");
    let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/web");
    let left = world.ap.get(&path).await?;
    ensure!(left["metadata"]["deletionTimestamp"].is_null(), "{left}");
    let object = world.propagated(NAMESPACE, "federateddeployments", "web").await?;
    ensure!(object.clusters() == ["eu-1"], "{}", object.status());
    Ok(())
}
