//! How the control plane behaves, changed while it runs.

use std::time::Duration;

use anyhow::Result;
use atoll_clusters::OwnRequest;
use atoll_simulator::Fault;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::world::{Probes, World, config, until};

#[tokio::test(flavor = "multi_thread")]
async fn adoption_that_is_switched_off_and_on_counts_at_once() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.until_ok("namespaces", "shop", "shop").await?;
    world
        .configure(json!({"scope": "Cluster", "syncController": {"adoptResources": "Disabled"}}))
        .await?;
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}});
    let path = "/api/v1/namespaces/shop/configmaps";
    world
        .ask("eu-1", OwnRequest::json("POST".parse()?, path, theirs))
        .await?;
    until("it is known", async || {
        let known = world.controllers.configuration();
        let is_off = !known.borrow().settings.adopt_resources;
        Ok(is_off.then_some(()))
    })
    .await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world
        .until_word("configmaps", "shop", "web", "eu-1", "AlreadyExists")
        .await?;
    world
        .configure(json!({"scope": "Cluster", "syncController": {"adoptResources": "Enabled"}}))
        .await?;
    world
        .until("eu-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "blue"
        })
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_probed_as_it_is_configured_without_a_new_connection() -> Result<()> {
    let world = World::with(&["eu-1"], Probes::Once).await?;
    let member = world.clusters.member("eu-1").expect("it is ready");
    world.members["eu-1"].faults().set(Fault::Refuse);
    let check = json!({"period": "200ms", "timeout": "300ms", "failureThreshold": 2, "successThreshold": 3});
    let said = Instant::now();
    world
        .configure(json!({"scope": "Cluster", "clusterHealthCheck": check}))
        .await?;
    world.until_ready("eu-1", false).await?;
    assert!(said.elapsed() < Duration::from_secs(10), "{:?}", said.elapsed());
    assert!(std::sync::Arc::ptr_eq(
        &member,
        &world.clusters.member("eu-1").expect("it is still there")
    ));
    let now = world.clusters.health_check();
    assert_eq!((now.thresholds.failures, now.thresholds.successes), (2, 3));
    assert_eq!(now.timeout, Duration::from_millis(300));
    world.members["eu-1"].faults().clear();
    world.until_ready("eu-1", true).await?;
    // Taken back, it is as the hub was started.
    world.configure(json!({"scope": "Cluster"})).await?;
    until("the old period is back", async || {
        Ok((world.clusters.health_check().period > Duration::from_secs(60)).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespaced_control_plane_stays_in_its_namespace() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.configure(json!({"scope": "Namespaced"})).await?;
    until("it is known", async || {
        let known = world.controllers.configuration();
        let is_namespaced = known.borrow().settings.scope == atoll_federation::Scope::Namespaced;
        Ok(is_namespaced.then_some(()))
    })
    .await?;
    let system = "kube-federation-system";
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": system}});
    world
        .ask(
            "eu-1",
            OwnRequest::json("POST".parse()?, "/api/v1/namespaces", namespace),
        )
        .await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.create("configmaps", system, "web", config("blue")).await?;
    let role = json!({"template": {"rules": []}, "placement": {"clusterSelector": {}}});
    world
        .create("clusterroles.rbac.authorization.k8s.io", "", "reader", role)
        .await?;
    world.until("eu-1", "configmaps", system, "web", |_| true).await?;
    world.until_quiet().await?;
    let untouched = |object: Option<atoll_store::Object>| {
        object.is_some_and(|object| object.body["metadata"]["finalizers"].is_null() && object.body["status"].is_null())
    };
    assert!(untouched(world.find("configmaps", "shop", "web").await?));
    assert!(untouched(
        world
            .find("clusterroles.rbac.authorization.k8s.io", "", "reader")
            .await?
    ));
    let found = world
        .get("eu-1", "clusterroles.rbac.authorization.k8s.io", "", "reader")
        .await?;
    assert_eq!(found, None::<Value>);
    Ok(())
}
