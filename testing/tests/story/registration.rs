//! Clusters join the hub and leave it.

use anyhow::{Context, Result, ensure};
use atoll_testing::{Cluster, NEWEST_KUBERNETES, until};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{PATIENCE, World};

pub(crate) async fn three_clusters_join(world: &mut World) -> Result<()> {
    for (cluster, role, labels) in [
        (&world.host, "host", json!({})),
        (&world.eu, "member", json!({ "tier": "production", "region": "eu" })),
        (&world.us, "member", json!({ "tier": "production", "region": "us" })),
    ] {
        let joined = register(world, cluster, role, &labels).await?;
        assert_eq!(joined["name"], cluster.name());
        assert_eq!(joined["role"], role);
        let created = joined["created"]
            .as_array()
            .context("it is not told what was created")?;
        assert_eq!(created.len(), 1, "{created:?}");
        assert_eq!(created[0]["kind"], "ClusterRoleBinding");
        assert_eq!(created[0]["name"], "atoll:admins");
    }
    until("three Ready clusters", PATIENCE, async || {
        let clusters = listed(world).await?;
        Ok(clusters.len() == 3 && clusters.iter().all(|cluster| cluster["state"] == "Ready"))
    })
    .await?;

    let clusters = listed(world).await?;
    assert_eq!(clusters.len(), 3);
    for cluster in &clusters {
        shows_what_people_look_for(cluster)?;
    }
    let roles: Vec<_> = clusters
        .iter()
        .map(|cluster| (&cluster["name"], &cluster["role"]))
        .collect();
    let expected = [("eu-1", "member"), ("host", "host"), ("us-1", "member")].map(|(a, b)| (json!(a), json!(b)));
    assert_eq!(roles, expected.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>());
    Ok(())
}

/// Registers a cluster by its admin's kubeconfig.
pub(crate) async fn register(world: &World, cluster: &Cluster, role: &str, labels: &Value) -> Result<Value> {
    let body = json!({
        "name": cluster.name(),
        "role": role,
        "labels": labels,
        "kubeconfig": cluster.kubeconfig(),
    });
    let answer = world.admin.post("/api/v1/clusters", body).await?;
    answer.body(StatusCode::CREATED)
}

/// The registered clusters, by name.
pub(crate) async fn listed(world: &World) -> Result<Vec<Value>> {
    let list = world
        .admin
        .get("/api/v1/clusters?sortBy=name")
        .await?
        .body(StatusCode::OK)?;
    let items = list["items"].as_array().context("a list without items")?;
    assert_eq!(list["totalItems"], items.len());
    Ok(items.clone())
}

fn shows_what_people_look_for(cluster: &Value) -> Result<()> {
    assert_eq!(cluster["nodeCount"], 3, "{cluster}");
    assert_eq!(cluster["readyNodeCount"], 3, "{cluster}");
    let version = cluster["kubernetesVersion"].as_str().context("no version")?;
    assert!(version.starts_with(&format!("v{NEWEST_KUBERNETES}.")), "{version}");
    let created: Timestamp = cluster["createdAt"].as_str().context("no created time")?.parse()?;
    let age = Timestamp::now().duration_since(created);
    assert!(
        age >= SignedDuration::ZERO && age < SignedDuration::from_mins(10),
        "{created}"
    );
    assert!(cluster["uid"].is_string(), "{cluster}");
    assert!(cluster["credentialExpiresAt"].is_string(), "{cluster}");
    assert!(
        cluster["capacity"]["cpuMillis"].as_i64().is_some_and(|cpu| cpu > 0),
        "{cluster}"
    );
    let text = cluster.to_string();
    for secret in ["PRIVATE KEY", "client-key", "kubeconfig"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    Ok(())
}

/// The registry through its other door.
pub(crate) async fn kubectl_lists_them(world: &mut World) -> Result<()> {
    world.download_kubeconfig().await?;
    let kubectl = world.kubectl("hub")?;
    let names = kubectl
        .text(["get", "kubefedclusters", "-n", "kube-federation-system", "-o", "name"])
        .await?;
    let expected = ["eu-1", "host", "us-1"].map(|name| format!("kubefedcluster.core.kubefed.io/{name}"));
    assert_eq!(names.lines().collect::<Vec<_>>(), expected);
    until("KubeFed's own condition", PATIENCE, async || {
        let path = r#"jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}"#;
        let ready = kubectl
            .text(["get", "kubefedclusters", "-n", "kube-federation-system", "-o", path])
            .await?;
        Ok(ready == "True True True")
    })
    .await
}

/// Nobody has to bring a cluster back to life to get rid of it.
pub(crate) async fn a_dead_cluster_can_be_removed(world: &mut World) -> Result<()> {
    world.us.kill_api_server().await?;
    let removed = world
        .admin
        .delete("/api/v1/clusters/us-1")
        .await?
        .body(StatusCode::OK)?;
    assert_eq!(removed["name"], "us-1");
    let names: Vec<_> = listed(world)
        .await?
        .iter()
        .map(|cluster| cluster["name"].clone())
        .collect();
    assert_eq!(names, [json!("eu-1"), json!("host")]);
    until("the end of forwarding there", PATIENCE, async || {
        let answer = world.admin.get("/k8s/clusters/us-1/version").await?;
        Ok(answer.status == StatusCode::NOT_FOUND)
    })
    .await?;
    let still = world.admin.get("/k8s/clusters/eu-1/version").await?;
    ensure!(still.status.is_success(), "eu-1: {}", still.text);
    Ok(())
}
