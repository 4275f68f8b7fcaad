//! Types that start and stop while the hub runs.

use std::time::Duration;

use anyhow::Result;
use atoll_simulator::Fault;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::world::{World, config, path, type_key, until};

const FINALIZER: &str = "core.kubefed.io/federated-type-config";

async fn in_step() -> Result<World> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world
        .configure_types(&["namespaces", "configmaps", "secrets", "deployments.apps"])
        .await?;
    world.federate("shop").await?;
    for name in ["web", "other"] {
        world.create("configmaps", "shop", name, config("blue")).await?;
        world.until_ok("configmaps", "shop", name).await?;
    }
    Ok(world)
}

async fn until_running(world: &World, name: &str, word: &str) -> Result<Value> {
    until(&format!("{name} is {word}"), async || {
        let stored = world.store.object(&type_key(name)).await?;
        let is_so = |status: &Value, generation: i64| {
            status["propagationController"] == word && status["observedGeneration"] == generation
        };
        Ok(stored
            .filter(|stored| is_so(&stored.body["status"], stored.generation))
            .map(|stored| stored.body["status"].clone()))
    })
    .await
}

async fn paint(world: &World, color: &str) -> Result<()> {
    world
        .edit("configmaps", "shop", "web", |body| {
            body["spec"]["template"]["data"]["color"] = color.into()
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_is_disabled_leaves_everything_alone_and_takes_up_again_at_once() -> Result<()> {
    let world = in_step().await?;
    let status = until_running(&world, "configmaps", "Running").await?;
    assert_eq!(status["statusController"], "NotRunning");
    world.switch_type("configmaps", "Disabled").await?;
    until_running(&world, "configmaps", "NotRunning").await?;
    until_running(&world, "deployments.apps", "Running").await?;
    world.until_quiet().await?;
    let before = world.controllers.counts();
    paint(&world, "red").await?;
    world
        .ask(
            "eu-1",
            atoll_clusters::OwnRequest::delete(path("configmaps", "shop", "other"), None),
        )
        .await?;
    sleep(Duration::from_millis(800)).await;
    world.until_quiet().await?;
    assert_eq!(world.controllers.counts().writes, before.writes);
    assert!(world.get("eu-1", "configmaps", "shop", "other").await?.is_none());
    // Nobody watches it any more: a watch that breaks off is not opened anew, as that of another type is.
    let watches = world.members["us-1"].counts().watches;
    world.members["us-1"].faults().cut_watches();
    until("the watch of namespaces is back", async || {
        Ok((world.members["us-1"].counts().watches > watches).then_some(()))
    })
    .await?;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(world.members["us-1"].counts().watches, watches + 1);
    let object = world.until("us-1", "configmaps", "shop", "web", |_| true).await?;
    assert_eq!(object["data"]["color"], "blue");
    assert_eq!(world.records("configmaps", "shop", "web").await?.len(), 2);

    world.switch_type("configmaps", "Enabled").await?;
    world
        .until("us-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "red"
        })
        .await?;
    world.until("eu-1", "configmaps", "shop", "other", |_| true).await?;
    until_running(&world, "configmaps", "Running").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_while_its_type_is_disabled_is_let_go_and_stays_in_members() -> Result<()> {
    let world = in_step().await?;
    world.switch_type("configmaps", "Disabled").await?;
    until_running(&world, "configmaps", "NotRunning").await?;
    // Nobody waits for a cluster that is away.
    world.members["us-1"].faults().set(Fault::Refuse);
    world.until_ready("us-1", false).await?;
    world.delete_federated("configmaps", "shop", "web").await?;
    world.until_deleted("configmaps", "shop", "web").await?;
    let object = world.until("eu-1", "configmaps", "shop", "web", |_| true).await?;
    assert_eq!(object["data"]["color"], "blue");
    assert!(object["metadata"]["labels"]["kubefed.io/managed"].is_null(), "{object}");
    assert!(world.records("configmaps", "shop", "web").await?.is_empty());
    world.members["us-1"].faults().clear();
    world.until_ready("us-1", true).await?;
    world.until_quiet().await?;
    world.until("us-1", "configmaps", "shop", "web", |_| true).await?;
    // The rest of its kind was not touched.
    let other = world.until("eu-1", "configmaps", "shop", "other", |_| true).await?;
    assert_eq!(other["metadata"]["labels"]["kubefed.io/managed"], "true");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_is_deleted_goes_with_the_last_of_its_kind() -> Result<()> {
    let world = in_step().await?;
    until_running(&world, "configmaps", "Running").await?;
    world.delete(&type_key("configmaps")).await?;
    until("it says that nothing runs any more", async || {
        let stored = world.store.object(&type_key("configmaps")).await?;
        let status = stored.map(|stored| stored.body["status"]["propagationController"].clone());
        Ok((status == Some("NotRunning".into())).then_some(()))
    })
    .await?;
    world.delete_federated("configmaps", "shop", "web").await?;
    world.until_deleted("configmaps", "shop", "web").await?;
    sleep(Duration::from_millis(500)).await;
    let kept = world
        .store
        .object(&type_key("configmaps"))
        .await?
        .expect("one of its kind is left");
    assert_eq!(kept.body["metadata"]["finalizers"], json!([FINALIZER]));
    world.delete_federated("configmaps", "shop", "other").await?;
    until("the type is gone", async || {
        Ok(world
            .store
            .object(&type_key("configmaps"))
            .await?
            .is_none()
            .then_some(()))
    })
    .await?;
    for name in ["web", "other"] {
        for cluster in ["eu-1", "us-1"] {
            world.until(cluster, "configmaps", "shop", name, |_| true).await?;
        }
        assert!(world.records("configmaps", "shop", name).await?.is_empty());
    }
    // What nobody knows any more is in nobody's way.
    let left = world.controllers.delete_managed("us-1").await?;
    let left: Vec<_> = left
        .iter()
        .map(|left| (left.resource.as_str(), left.message.as_str()))
        .collect();
    let strangers = "the namespace holds 2 objects that the hub does not manage";
    assert_eq!(left, [("federatednamespaces.types.kubefed.io", strangers)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_whose_federatedtypeconfig_has_no_finalizer_gets_one() -> Result<()> {
    let world = in_step().await?;
    world
        .change(&type_key("secrets"), |body| body["metadata"]["finalizers"] = json!([]))
        .await?;
    until("it has its finalizer", async || {
        let stored = world.store.object(&type_key("secrets")).await?;
        let finalizers = stored.map(|stored| stored.body["metadata"]["finalizers"].clone());
        Ok((finalizers == Some(json!([FINALIZER]))).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_namespaces_nothing_in_a_namespace_is_kept_in_step() -> Result<()> {
    let world = in_step().await?;
    world.switch_type("namespaces", "Disabled").await?;
    until_running(&world, "configmaps", "NotRunning").await?;
    paint(&world, "red").await?;
    world.until_quiet().await?;
    let object = world.until("us-1", "configmaps", "shop", "web", |_| true).await?;
    assert_eq!(object["data"]["color"], "blue");
    world.switch_type("namespaces", "Enabled").await?;
    world
        .until("us-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "red"
        })
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_was_disabled_is_left_alone_after_a_restart_too() -> Result<()> {
    let mut world = in_step().await?;
    world.switch_type("configmaps", "Disabled").await?;
    until_running(&world, "configmaps", "NotRunning").await?;
    world.stop().await;
    world.start().await?;
    for name in ["eu-1", "us-1"] {
        world.until_ready(name, true).await?;
    }
    paint(&world, "red").await?;
    world.until_quiet().await?;
    assert_eq!(world.controllers.counts().writes, 0);
    assert_eq!(world.records("configmaps", "shop", "web").await?.len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_with_objects_of_disabled_types_empties_itself() -> Result<()> {
    let world = in_step().await?;
    world
        .prefer(
            "shop",
            "web",
            json!({"targetKind": "FederatedDeployment", "totalReplicas": 2}),
        )
        .await?;
    world.switch_type("configmaps", "Disabled").await?;
    until_running(&world, "configmaps", "NotRunning").await?;
    let namespace = atoll_store::ObjectKey::new("", "namespaces", "", "shop");
    world.delete(&namespace).await?;
    // What was left to the members is not the hub's any more, so the namespace there waits for a word.
    until("only the FederatedNamespace is left", async || {
        let inside = world.store.objects_in_namespace("shop").await?;
        Ok((inside.len() == 1 && inside[0].key.resource == "federatednamespaces").then_some(()))
    })
    .await?;
    let token = until("it is held", async || {
        let holds = world.controllers.holds().await?;
        Ok(holds.into_iter().next().map(|hold| hold.token))
    })
    .await?;
    world
        .edit("namespaces", "shop", "shop", |body| {
            body["metadata"]["annotations"] = json!({"atoll.dev/confirm-deletes": token});
        })
        .await?;
    until("the namespace is gone", async || {
        Ok(world.store.object(&namespace).await?.is_none().then_some(()))
    })
    .await?;
    assert!(world.store.objects_in_namespace("shop").await?.is_empty());
    Ok(())
}
