//! What waits for a confirmation, as anybody may ask for it.

use anyhow::Result;
use atoll_clusters::OwnRequest;
use atoll_controllers::{HeldChange, HoldCause};
use atoll_simulator::{Fault, Requests};
use atoll_store::Store;
use serde_json::json;

use crate::world::{World, stored_key, until};

async fn until_held(world: &World) -> Result<HeldChange> {
    until("something is held", async || {
        let mut holds = world.controllers.holds().await?;
        assert!(holds.len() <= 1, "{holds:?}");
        Ok(holds.pop())
    })
    .await
}

async fn until_nothing_is_held(world: &World) -> Result<()> {
    until("nothing is held", async || {
        Ok(world.controllers.holds().await?.is_empty().then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_names_its_cause_and_what_would_go_and_where_to_confirm_it() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    let names = world.many_by_region().await?;
    assert_eq!(world.controllers.holds().await?, []);
    world.relabel("ue").await?;
    let hold = until_held(&world).await?;
    assert_eq!(hold.cause, HoldCause::Cluster("eu-1".into()));
    assert_eq!(hold.annotate, Store::cluster_key("eu-1"));
    assert_eq!(hold.deletes.len(), 12);
    assert!(
        hold.deletes
            .iter()
            .all(|delete| delete.cluster == "eu-1" && delete.kind == "FederatedConfigMap")
    );
    assert!(hold.message.contains("12 of 26"), "{}", hold.message);
    world.until_word("configmaps", "shop", "o-00", "eu-1", "Held").await?;
    let status = world.status("configmaps", "shop", "o-00").await?;
    assert!(
        status.clusters[0].message.ends_with(&hold.token),
        "{}",
        status.clusters[0].message
    );
    world.relabel("eu").await?;
    until_nothing_is_held(&world).await?;
    world.relabel("ue").await?;
    let again = until_held(&world).await?;
    assert_eq!(again, hold);
    world.confirm(&again).await?;
    for name in &names {
        world.until_gone("eu-1", "configmaps", "shop", name).await?;
    }
    until_nothing_is_held(&world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_can_be_left_to_its_cluster_instead() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    let names = world.many_by_region().await?;
    world.relabel("ue").await?;
    let hold = until_held(&world).await?;
    let released = world.controllers.release(&hold.deletes).await?;
    assert_eq!((released.objects, released.left), (names.len(), Vec::new()));
    // Once more, there is nothing that could be let go of.
    let again = world.controllers.release(&hold.deletes).await?;
    assert_eq!((again.objects, again.left.len()), (0, names.len()));
    assert!(
        again
            .left
            .iter()
            .all(|left| left.message == "eu-1: it is not what was shown any more"),
        "{:?}",
        again.left
    );
    until_nothing_is_held(&world).await?;
    for name in &names {
        until("the status forgets the cluster", async || {
            let status = world.status("configmaps", "shop", name).await?;
            Ok((status.clusters.len() == 1).then_some(()))
        })
        .await?;
        let object = world.until("eu-1", "configmaps", "shop", name, |_| true).await?;
        assert!(object["metadata"]["labels"]["kubefed.io/managed"].is_null(), "{object}");
        assert_eq!(world.records("configmaps", "shop", name).await?.len(), 1);
    }
    Ok(())
}

/// The hub stops in the middle of what was confirmed, and the confirmation is taken off meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_goes_on_after_a_restart() -> Result<()> {
    let mut world = World::new(&["eu-1", "us-1"]).await?;
    let names = world.many_by_region().await?;
    world.relabel("ue").await?;
    let hold = until_held(&world).await?;
    for name in &names {
        world.until_word("configmaps", "shop", name, "eu-1", "Held").await?;
    }
    // Some of them cannot be deleted now.
    let faults = world.members["eu-1"].faults().clone();
    for name in &names[..6] {
        let requests = Requests {
            method: Some("DELETE".parse()?),
            ..Requests::to(format!("/configmaps/{name}"))
        };
        faults.add(requests, Fault::Status("500".parse()?));
    }
    world.confirm(&hold).await?;
    for name in &names[6..] {
        world.until_gone("eu-1", "configmaps", "shop", name).await?;
    }
    world.stop().await;
    faults.clear();
    world
        .change(&hold.annotate, |body| body["metadata"]["annotations"] = json!({}))
        .await?;
    world.start().await?;
    for name in &names[..6] {
        world.until_gone("eu-1", "configmaps", "shop", name).await?;
        assert!(world.get("us-1", "configmaps", "shop", name).await?.is_some());
    }
    until_nothing_is_held(&world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_object_that_would_go_everywhere_confirms_for_itself() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    world.until_ok("namespaces", "shop", "shop").await?;
    world
        .edit("namespaces", "shop", "shop", |body| {
            body["spec"]["placement"] = json!({"clusters": []})
        })
        .await?;
    let hold = until_held(&world).await?;
    assert_eq!(hold.cause, HoldCause::Namespace("shop".into()));
    assert_eq!(hold.deletes.len(), 2);
    world.confirm(&hold).await?;
    for cluster in ["eu-1", "us-1"] {
        world.until_gone(cluster, "namespaces", "", "shop").await?;
    }
    until_nothing_is_held(&world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_with_strangers_in_it_can_be_confirmed() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.until_ok("namespaces", "shop", "shop").await?;
    make_stranger(&world).await?;
    world.delete_federated("namespaces", "shop", "shop").await?;
    let hold = until_held(&world).await?;
    assert_eq!(hold.cause, HoldCause::Namespace("shop".into()));
    let row = atoll_federation::types::find("namespaces").expect("a built-in type");
    assert_eq!(hold.annotate, stored_key(row, "shop", "shop"));
    world.confirm(&hold).await?;
    world.until_deleted("namespaces", "shop", "shop").await?;
    world.until_gone("eu-1", "namespaces", "", "shop").await
}

/// The object that could be annotated is gone, so the cluster is.
#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_was_left_behind_is_confirmed_at_its_cluster() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.until_ok("namespaces", "shop", "shop").await?;
    make_stranger(&world).await?;
    let faults = world.members["eu-1"].faults();
    faults.set(Fault::Refuse);
    world.until_ready("eu-1", false).await?;
    world.delete_federated("namespaces", "shop", "shop").await?;
    world.until_deleted("namespaces", "shop", "shop").await?;
    faults.clear();
    world.until_ready("eu-1", true).await?;
    let hold = until_held(&world).await?;
    let cause = HoldCause::Leftover {
        namespace: "shop".into(),
        cluster: "eu-1".into(),
    };
    assert_eq!((&hold.cause, &hold.annotate), (&cause, &Store::cluster_key("eu-1")));
    assert!(world.get("eu-1", "namespaces", "", "shop").await?.is_some());
    world.confirm(&hold).await?;
    world.until_gone("eu-1", "namespaces", "", "shop").await?;
    until_nothing_is_held(&world).await?;
    until_nothing_is_confirmed(&world).await
}

/// The namespace is the same one, so what would go has the same token again.
#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_of_a_leftover_does_not_outlive_it() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.until_ok("namespaces", "shop", "shop").await?;
    make_stranger(&world).await?;
    let faults = world.members["eu-1"].faults();
    let leave = async || {
        faults.set(Fault::Refuse);
        world.until_ready("eu-1", false).await?;
        world.delete_federated("namespaces", "shop", "shop").await?;
        world.until_deleted("namespaces", "shop", "shop").await
    };
    leave().await?;
    faults.clear();
    let hold = until_held(&world).await?;
    faults.set(Fault::Refuse);
    world.until_ready("eu-1", false).await?;
    world.confirm(&hold).await?;
    // Before it can count, the namespace is wanted again.
    let everywhere = json!({"placement": {"clusterSelector": {}}});
    world.create("namespaces", "shop", "shop", everywhere).await?;
    faults.clear();
    world.until_ok("namespaces", "shop", "shop").await?;
    leave().await?;
    faults.clear();
    until_held(&world).await?;
    until_nothing_is_confirmed(&world).await?;
    assert!(world.get("eu-1", "namespaces", "", "shop").await?.is_some());
    world.confirm(&hold).await?;
    world.until_gone("eu-1", "namespaces", "", "shop").await
}

async fn until_nothing_is_confirmed(world: &World) -> Result<()> {
    until("no cluster is annotated", async || {
        let stored = world.store.object(&Store::cluster_key("eu-1")).await?;
        let annotations = stored.map(|stored| stored.body["metadata"]["annotations"].to_string());
        Ok(annotations.filter(|text| !text.contains("confirm-deletes")).map(drop))
    })
    .await
}

async fn make_stranger(world: &World) -> Result<()> {
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "shop"}});
    let path = "/api/v1/namespaces/shop/configmaps";
    world
        .ask("eu-1", OwnRequest::json("POST".parse()?, path, theirs))
        .await?;
    Ok(())
}
