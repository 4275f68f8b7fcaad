//! Federated objects on the hub become objects on the members.

use anyhow::{Context, Result};
use atoll_testing::{until, until_despite_errors};
use serde_json::Value;

use crate::{
    manifests,
    members::{self, NAMESPACE, Running},
    world::{PATIENCE, World},
};

pub(crate) async fn objects_are_applied_on_the_hub(world: &World) -> Result<()> {
    let kubectl = world.kubectl("hub")?;
    for (manifest, said) in [
        (
            manifests::NAMESPACE,
            "namespace/shop created\nfederatednamespace.types.kubefed.io/shop created\n",
        ),
        (
            manifests::DEPLOYMENT,
            "federateddeployment.types.kubefed.io/web created\n",
        ),
        (
            manifests::CONFIG_MAP,
            "federatedconfigmap.types.kubefed.io/settings created\n",
        ),
    ] {
        assert_eq!(kubectl.apply(manifest).await?, said);
    }
    let again = kubectl.apply(manifests::DEPLOYMENT).await?;
    assert_eq!(again, "federateddeployment.types.kubefed.io/web unchanged\n");
    Ok(())
}

pub(crate) async fn members_hold_what_was_asked_for(world: &World) -> Result<()> {
    runs(
        world,
        (2, "registry.example/shop/web:1.0"),
        (3, "registry.example/shop/web:1.1"),
    )
    .await?;
    for cluster in world.members() {
        let greeting = members::config_value(cluster, "settings", "greeting").await?;
        assert_eq!(greeting.as_deref(), Some("hello"), "{}", cluster.name());
        let deployment = members::deployment(cluster, "web").await?.context("no Deployment")?;
        let labels = deployment.metadata.labels.unwrap_or_default();
        assert_eq!(labels.get("kubefed.io/managed").map(String::as_str), Some("true"));
        assert_eq!(labels.get("app").map(String::as_str), Some("web"));
    }
    assert!(!members::has_namespace(&world.host).await?, "host is not selected");
    Ok(())
}

/// Waits until both members run what they should, all of it available.
pub(crate) async fn runs(world: &World, eu: (i32, &str), us: (i32, &str)) -> Result<()> {
    for (cluster, (replicas, image)) in [(&world.eu, eu), (&world.us, us)] {
        let expected = Running::all(replicas, image);
        let what = format!("{} to run {expected:?}", cluster.name());
        until_despite_errors(&what, PATIENCE, async || {
            Ok(members::running(cluster, "web").await?.as_ref() == Some(&expected))
        })
        .await?;
    }
    Ok(())
}

pub(crate) async fn kubectl_shows_it(world: &World) -> Result<()> {
    let kubectl = world.kubectl("hub")?;
    until("a status that says so", PATIENCE, async || {
        let object = federated_deployment(world).await?;
        Ok(propagation(&object)["status"] == "True" && replicas(&object) == [("eu-1", 2, 2), ("us-1", 3, 3)])
    })
    .await?;
    let object = federated_deployment(world).await?;
    assert_eq!(object["status"]["observedGeneration"], object["metadata"]["generation"]);
    assert_eq!(
        object["metadata"]["finalizers"],
        serde_json::json!(["kubefed.io/sync-controller"])
    );

    let table = kubectl.text(["get", "federateddeployments", "-n", NAMESPACE]).await?;
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 2, "{table}");
    assert!(rows[0].starts_with("NAME ") && rows[1].starts_with("web "), "{table}");
    assert!(rows[1].contains("True"), "{table}");
    let explained = kubectl.text(["explain", "federateddeployment.spec.placement"]).await?;
    assert!(explained.contains("clusterSelector"), "{explained}");
    Ok(())
}

/// The federated Deployment, as kubectl gets it.
pub(crate) async fn federated_deployment(world: &World) -> Result<Value> {
    let kubectl = world.kubectl("hub")?;
    let text = kubectl
        .text(["get", "federateddeployment", "web", "-n", NAMESPACE, "-o", "json"])
        .await?;
    Ok(serde_json::from_str(&text)?)
}

/// Its condition `Propagation`; null while there is none.
pub(crate) fn propagation(object: &Value) -> Value {
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions.and_then(|all| all.iter().find(|condition| condition["type"] == "Propagation"));
    found.cloned().unwrap_or_default()
}

/// The word of one cluster in its status; empty when all is well there.
pub(crate) fn word<'a>(object: &'a Value, cluster: &str) -> Option<&'a str> {
    let clusters = object["status"]["clusters"].as_array()?;
    let entry = clusters.iter().find(|entry| entry["name"] == cluster)?;
    Some(entry["status"].as_str().unwrap_or_default())
}

/// Desired and ready replicas of each cluster.
fn replicas(object: &Value) -> Vec<(&str, i64, i64)> {
    let clusters = object["status"]["clusters"].as_array().into_iter().flatten();
    clusters
        .map(|entry| {
            (
                entry["name"].as_str().unwrap_or_default(),
                entry["desiredReplicas"].as_i64().unwrap_or(-1),
                entry["readyReplicas"].as_i64().unwrap_or(-1),
            )
        })
        .collect()
}

pub(crate) async fn an_edit_is_followed(world: &World) -> Result<()> {
    let newer = manifests::DEPLOYMENT
        .replace("replicas: 2", "replicas: 4")
        .replace("web:1.0", "web:2.0");
    let kubectl = world.kubectl("hub")?;
    let said = kubectl.apply(&newer).await?;
    assert_eq!(said, "federateddeployment.types.kubefed.io/web configured\n");
    runs(
        world,
        (4, "registry.example/shop/web:2.0"),
        (3, "registry.example/shop/web:1.1"),
    )
    .await?;

    // The smallest edit there is, by another verb.
    let patch = r#"[{"op": "replace", "path": "/spec/overrides/0/clusterOverrides/0/value", "value": 1}]"#;
    kubectl
        .text([
            "patch",
            "federateddeployment",
            "web",
            "-n",
            NAMESPACE,
            "--type=json",
            "-p",
            patch,
        ])
        .await?;
    runs(
        world,
        (4, "registry.example/shop/web:2.0"),
        (1, "registry.example/shop/web:1.1"),
    )
    .await
}

pub(crate) async fn deletion_reaches_every_member(world: &World) -> Result<()> {
    let kubectl = world.kubectl("hub")?;
    // kubectl itself waits until the finalizer is released.
    kubectl
        .text([
            "delete",
            "federateddeployment",
            "web",
            "-n",
            NAMESPACE,
            "--timeout=120s",
        ])
        .await?;
    let gone = kubectl
        .run(["get", "federateddeployment", "web", "-n", NAMESPACE])
        .await?;
    assert!(!gone.status.success());
    for cluster in world.members() {
        let what = format!("no Deployment in {}", cluster.name());
        until_despite_errors(&what, PATIENCE, async || {
            Ok(members::deployment(cluster, "web").await?.is_none())
        })
        .await?;
        let other = members::config_map(cluster, "settings").await?;
        assert!(other.is_some(), "the ConfigMap went with it in {}", cluster.name());
    }

    kubectl
        .text(["delete", "namespace", NAMESPACE, "--timeout=180s"])
        .await?;
    for cluster in world.members() {
        let what = format!("no namespace in {}", cluster.name());
        until_despite_errors(&what, PATIENCE, async || Ok(!members::has_namespace(cluster).await?)).await?;
    }
    Ok(())
}
