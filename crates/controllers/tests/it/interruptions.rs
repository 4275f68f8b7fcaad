//! Every step of a run, interrupted: the write was made and its answer lost, then the hub stopped. Whoever begins again
//! finds it done, and does nothing twice.

use anyhow::{Context, Result};
use atoll_clusters::OwnRequest;
use atoll_simulator::{Fault, Requests};
use atoll_store::Write;
use serde_json::{Value, json};

use crate::world::{World, config, deployment, path, record_key, until};

const CONFIG: &str = "configmaps";
const DEPLOYMENT: &str = "deployments.apps";

async fn world() -> Result<World> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.until_ok("namespaces", "shop", "shop").await?;
    Ok(world)
}

async fn in_step() -> Result<World> {
    let world = world().await?;
    world.create(CONFIG, "shop", "web", config("blue")).await?;
    world.until_ok(CONFIG, "shop", "web").await?;
    world.until_quiet().await?;
    Ok(world)
}

/// From now on the member does as it is told, and nobody hears of it.
fn lose_answers(world: &World, method: &str, kind: &str) -> Result<()> {
    let part = path(kind, "shop", "web");
    let requests = Requests {
        method: Some(method.parse()?),
        ..Requests::to(part)
    };
    world.members["eu-1"].faults().add(requests, Fault::Truncate);
    Ok(())
}

/// The hub stops, and begins again when answers are heard again.
async fn interrupt(world: &mut World) -> Result<()> {
    world.stop().await;
    world.members["eu-1"].faults().clear();
    world.start().await?;
    world.until_ready("eu-1", true).await
}

/// What a member says about what was written; a workload's status moves by itself.
fn written(object: &Value) -> Value {
    json!([
        object["metadata"]["uid"],
        object["metadata"]["generation"],
        object["data"],
        object["spec"]
    ])
}

/// In step again, with the same object, and after that nothing is written any more.
async fn settles(world: &mut World, kind: &str, object: &Value) -> Result<()> {
    world.until_ok(kind, "shop", "web").await?;
    world.until_quiet().await?;
    let after = world.until("eu-1", kind, "shop", "web", |_| true).await?;
    assert_eq!(
        written(&after),
        written(object),
        "it was written once more, or made anew"
    );
    let records = world.records(kind, "shop", "web").await?;
    assert_eq!(records[0].uid.as_deref(), object["metadata"]["uid"].as_str());
    assert!(
        records[0].applied_hash.is_some() && records[0].managed_hash.is_some(),
        "{records:?}"
    );
    world.restart().await?;
    world.until_ready("eu-1", true).await?;
    world.until_quiet().await?;
    assert_eq!(world.controllers.counts().writes, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation() -> Result<()> {
    let mut world = world().await?;
    lose_answers(&world, "PATCH", CONFIG)?;
    world.create(CONFIG, "shop", "web", config("blue")).await?;
    let made = world.until("eu-1", CONFIG, "shop", "web", |_| true).await?;
    interrupt(&mut world).await?;
    settles(&mut world, CONFIG, &made).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change() -> Result<()> {
    let mut world = in_step().await?;
    lose_answers(&world, "PATCH", CONFIG)?;
    world
        .edit(CONFIG, "shop", "web", |body| {
            body["spec"]["template"]["data"]["color"] = "red".into()
        })
        .await?;
    let changed = world
        .until("eu-1", CONFIG, "shop", "web", |object| object["data"]["color"] == "red")
        .await?;
    interrupt(&mut world).await?;
    settles(&mut world, CONFIG, &changed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adoption() -> Result<()> {
    let mut world = world().await?;
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"size": "L"}});
    let collection = "/api/v1/namespaces/shop/configmaps?fieldManager=them";
    world
        .ask("eu-1", OwnRequest::json("POST".parse()?, collection, theirs))
        .await?;
    lose_answers(&world, "PATCH", CONFIG)?;
    world.create(CONFIG, "shop", "web", config("blue")).await?;
    let adopted = world
        .until("eu-1", CONFIG, "shop", "web", |object| {
            object["data"]["color"] == "blue"
        })
        .await?;
    assert_eq!(adopted["data"]["size"], "L");
    interrupt(&mut world).await?;
    settles(&mut world, CONFIG, &adopted).await
}

/// Taking over what KubeFed wrote is several writes; each of them may be the last one.
#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_from_kubefed() -> Result<()> {
    let mut world = world().await?;
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "web", "labels": {"kubefed.io/managed": "true"}, "annotations": {"members": "own"}},
        "data": {"color": "old", "dropped": "long ago"},
    });
    let by_kubefed = "/api/v1/namespaces/shop/configmaps?fieldManager=controller-manager";
    let made = world
        .ask("eu-1", OwnRequest::json("POST".parse()?, by_kubefed, object))
        .await?;
    lose_answers(&world, "PATCH", CONFIG)?;
    world.create(CONFIG, "shop", "web", config("blue")).await?;
    world
        .until("eu-1", CONFIG, "shop", "web", |object| {
            object["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]
        })
        .await?;
    interrupt(&mut world).await?;
    let after = world
        .until("eu-1", CONFIG, "shop", "web", |object| {
            object["data"] == json!({"color": "blue"})
        })
        .await?;
    assert_eq!(after["metadata"]["uid"], made["metadata"]["uid"]);
    assert_eq!(after["metadata"]["annotations"]["members"], "own");
    settles(&mut world, CONFIG, &after).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion() -> Result<()> {
    let mut world = in_step().await?;
    lose_answers(&world, "DELETE", CONFIG)?;
    world.delete_federated(CONFIG, "shop", "web").await?;
    world.until_gone("eu-1", CONFIG, "shop", "web").await?;
    interrupt(&mut world).await?;
    world.until_deleted(CONFIG, "shop", "web").await?;
    world.until_quiet().await?;
    assert!(world.records(CONFIG, "shop", "web").await?.is_empty());
    assert_eq!(
        world.controllers.counts().writes,
        0,
        "what was gone was deleted once more"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_from_where_it_is_not_placed_any_more() -> Result<()> {
    let mut world = in_step().await?;
    lose_answers(&world, "DELETE", CONFIG)?;
    world
        .edit(CONFIG, "shop", "web", |body| {
            body["spec"]["placement"] = json!({"clusters": []})
        })
        .await?;
    world.until_gone("eu-1", CONFIG, "shop", "web").await?;
    interrupt(&mut world).await?;
    until("its record is dropped", async || {
        Ok(world.records(CONFIG, "shop", "web").await?.is_empty().then_some(()))
    })
    .await?;
    world.until_ok(CONFIG, "shop", "web").await?;
    assert_eq!(world.controllers.counts().writes, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release() -> Result<()> {
    let mut world = in_step().await?;
    world
        .edit(CONFIG, "shop", "web", |body| {
            body["metadata"]["annotations"] = json!({"kubefed.io/orphan": "true"})
        })
        .await?;
    world.until_ok(CONFIG, "shop", "web").await?;
    lose_answers(&world, "PATCH", CONFIG)?;
    world.delete_federated(CONFIG, "shop", "web").await?;
    let is_released = |object: &Value| object["metadata"]["labels"]["kubefed.io/managed"].is_null();
    let released = world.until("eu-1", CONFIG, "shop", "web", is_released).await?;
    interrupt(&mut world).await?;
    world.until_deleted(CONFIG, "shop", "web").await?;
    world.until_quiet().await?;
    let after = world.until("eu-1", CONFIG, "shop", "web", |_| true).await?;
    assert_eq!(
        after["metadata"]["resourceVersion"],
        released["metadata"]["resourceVersion"]
    );
    assert!(world.records(CONFIG, "shop", "web").await?.is_empty());
    Ok(())
}

/// The object is made, and its replicas are set by a second write.
#[tokio::test(flavor = "multi_thread")]
async fn a_creation_with_replicas_of_the_members_own() -> Result<()> {
    let mut world = world().await?;
    lose_answers(&world, "PATCH", DEPLOYMENT)?;
    let mut spec = deployment(3, "nginx:1", json!({"clusterSelector": {}}));
    spec["retainReplicas"] = true.into();
    world.create(DEPLOYMENT, "shop", "web", spec).await?;
    world.until("eu-1", DEPLOYMENT, "shop", "web", |_| true).await?;
    interrupt(&mut world).await?;
    let made = world
        .until("eu-1", DEPLOYMENT, "shop", "web", |object| {
            object["spec"]["replicas"] == 3
        })
        .await?;
    settles(&mut world, DEPLOYMENT, &made).await
}

/// The replicas are first taken by the second field manager, and then let go by the first.
#[tokio::test(flavor = "multi_thread")]
async fn handing_replicas_over() -> Result<()> {
    let mut world = world().await?;
    let spec = deployment(3, "nginx:1", json!({"clusterSelector": {}}));
    world.create(DEPLOYMENT, "shop", "web", spec).await?;
    world.until_ok(DEPLOYMENT, "shop", "web").await?;
    world.until_quiet().await?;
    lose_answers(&world, "PATCH", DEPLOYMENT)?;
    world
        .edit(DEPLOYMENT, "shop", "web", |body| {
            body["spec"]["retainReplicas"] = true.into()
        })
        .await?;
    let states = |object: &Value| -> Vec<String> {
        let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
        let stating = entries.filter(|entry| !entry["fieldsV1"]["f:spec"]["f:replicas"].is_null());
        stating
            .filter_map(|entry| Some(entry["manager"].as_str()?.to_owned()))
            .collect()
    };
    world
        .until("eu-1", DEPLOYMENT, "shop", "web", |object| {
            states(object).contains(&"atoll-replicas".to_owned())
        })
        .await?;
    interrupt(&mut world).await?;
    let after = world
        .until("eu-1", DEPLOYMENT, "shop", "web", |object| {
            states(object) == ["atoll-replicas"]
        })
        .await?;
    assert_eq!(after["spec"]["replicas"], 3);
    settles(&mut world, DEPLOYMENT, &after).await
}

/// The hub stopped right after it had put its finalizer on.
#[tokio::test(flavor = "multi_thread")]
async fn after_the_finalizer_was_put_on() -> Result<()> {
    let mut world = world().await?;
    world.until_quiet().await?;
    world.stop().await;
    world.create(CONFIG, "shop", "web", config("blue")).await?;
    world
        .edit(CONFIG, "shop", "web", |body| {
            body["metadata"]["finalizers"] = json!(["kubefed.io/sync-controller"])
        })
        .await?;
    world.start().await?;
    world.until_ok(CONFIG, "shop", "web").await?;
    let object = world.find(CONFIG, "shop", "web").await?.context("it is there")?;
    assert_eq!(
        object.body["metadata"]["finalizers"],
        json!(["kubefed.io/sync-controller"])
    );
    let made = world.until("eu-1", CONFIG, "shop", "web", |_| true).await?;
    settles(&mut world, CONFIG, &made).await
}

/// The hub stopped after the member and the records were written, and before the status was.
#[tokio::test(flavor = "multi_thread")]
async fn before_the_status_was_written() -> Result<()> {
    let mut world = in_step().await?;
    let before = world.status(CONFIG, "shop", "web").await?;
    let made = world.until("eu-1", CONFIG, "shop", "web", |_| true).await?;
    world.stop().await;
    world
        .edit(CONFIG, "shop", "web", |body| {
            body.as_object_mut().map(|body| body.remove("status"));
        })
        .await?;
    world.start().await?;
    world.until_ready("eu-1", true).await?;
    let after = world.until_ok(CONFIG, "shop", "web").await?;
    assert_eq!(after.clusters[0].status, before.clusters[0].status);
    world.until_quiet().await?;
    assert_eq!(world.controllers.counts().writes, 0);
    settles(&mut world, CONFIG, &made).await
}

/// The hub stopped after everything of a deleted object was gone and recorded, and before it let the object go.
#[tokio::test(flavor = "multi_thread")]
async fn before_the_finalizer_was_taken_off() -> Result<()> {
    let mut world = in_step().await?;
    world.stop().await;
    let key = record_key(CONFIG, "shop", "web");
    world
        .store
        .record_propagations(None, &[], &[(key, "eu-1".to_owned())])
        .await?;
    world.delete_federated(CONFIG, "shop", "web").await?;
    world.start().await?;
    world.until_ready("eu-1", true).await?;
    world.until_deleted(CONFIG, "shop", "web").await?;
    world.until_quiet().await?;
    assert_eq!(world.controllers.counts().writes, 0);
    Ok(())
}

/// The hub stopped after it had noted that it begins, and before it wrote anything.
#[tokio::test(flavor = "multi_thread")]
async fn before_what_was_begun_was_written() -> Result<()> {
    let mut world = in_step().await?;
    let record = world.records(CONFIG, "shop", "web").await?.remove(0);
    world.stop().await;
    let object = world.find(CONFIG, "shop", "web").await?.context("it is there")?;
    let mut body = (*object.body).clone();
    body["metadata"]["name"] = "new".into();
    body["metadata"]["uid"] = "another".into();
    body.as_object_mut().map(|body| body.remove("status"));
    let mut key = object.key.clone();
    key.name = "new".into();
    world.write(vec![Write::Create { key, body: body.into() }]).await?;
    let begun = atoll_store::Propagation {
        key: record_key(CONFIG, "shop", "new"),
        uid: None,
        applied_hash: None,
        managed_hash: None,
        ..record
    };
    world.store.record_propagations(None, &[begun], &[]).await?;
    world.start().await?;
    world.until_ok(CONFIG, "shop", "new").await?;
    let made = world.until("eu-1", CONFIG, "shop", "new", |_| true).await?;
    let records = world.records(CONFIG, "shop", "new").await?;
    assert_eq!(records[0].uid.as_deref(), made["metadata"]["uid"].as_str());
    world.until_quiet().await?;
    assert_eq!(world.controllers.counts().writes, 1);
    Ok(())
}
