//! Taking objects away: only what is ours, everywhere it can be reached, and the rest later.

use anyhow::Result;
use atoll_simulator::Fault;
use atoll_store::{ObjectKey, Store};
use serde_json::json;

use crate::world::{World, config, deployment, until};

async fn in_step() -> Result<World> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.create("configmaps", "shop", "other", config("blue")).await?;
    for name in ["web", "other"] {
        world.until_ok("configmaps", "shop", name).await?;
    }
    Ok(world)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_reaches_every_member_and_then_ends() -> Result<()> {
    let world = in_step().await?;
    let finalizers = world.find("configmaps", "shop", "web").await?.unwrap().body["metadata"]["finalizers"].clone();
    assert_eq!(finalizers, json!(["kubefed.io/sync-controller"]));
    world.delete_federated("configmaps", "shop", "web").await?;
    world.until_deleted("configmaps", "shop", "web").await?;
    for cluster in ["eu-1", "us-1"] {
        assert!(world.get(cluster, "configmaps", "shop", "web").await?.is_none());
        assert!(world.get(cluster, "configmaps", "shop", "other").await?.is_some());
    }
    assert!(world.records("configmaps", "shop", "web").await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_finalizer_is_waited_for() -> Result<()> {
    let world = in_step().await?;
    world
        .edit("configmaps", "shop", "web", |body| {
            body["metadata"]["finalizers"]
                .as_array_mut()
                .unwrap()
                .push("example.com/other".into());
        })
        .await?;
    world.delete_federated("configmaps", "shop", "web").await?;
    let object = until("only the other finalizer is left", async || {
        let object = world.find("configmaps", "shop", "web").await?.unwrap();
        Ok((object.body["metadata"]["finalizers"] == json!(["example.com/other"])).then_some(object))
    })
    .await?;
    assert!(object.deletion_at.is_some());
    world.until_gone("eu-1", "configmaps", "shop", "web").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_away_is_cleaned_on_its_return() -> Result<()> {
    let world = in_step().await?;
    let away = world.members["us-1"].faults();
    away.set(Fault::Refuse);
    world.until_ready("us-1", false).await?;
    world.delete_federated("configmaps", "shop", "web").await?;
    world.until_deleted("configmaps", "shop", "web").await?;
    world.until_gone("eu-1", "configmaps", "shop", "web").await?;
    let records = world.records("configmaps", "shop", "web").await?;
    assert_eq!(records.len(), 1, "{records:?}");
    assert!(records[0].leftover && records[0].cluster == "us-1");

    away.clear();
    world.until_ready("us-1", true).await?;
    world.until_gone("us-1", "configmaps", "shop", "web").await?;
    until("the leftover is forgotten", async || {
        Ok(world
            .records("configmaps", "shop", "web")
            .await?
            .is_empty()
            .then_some(()))
    })
    .await?;
    assert!(world.get("us-1", "configmaps", "shop", "other").await?.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_anew_meanwhile_is_not_deleted_on_return() -> Result<()> {
    let world = in_step().await?;
    let before = world.until("us-1", "configmaps", "shop", "web", |_| true).await?;
    let away = world.members["us-1"].faults();
    away.set(Fault::Refuse);
    world.until_ready("us-1", false).await?;
    world.delete_federated("configmaps", "shop", "web").await?;
    world.until_deleted("configmaps", "shop", "web").await?;
    world.create("configmaps", "shop", "web", config("red")).await?;
    world
        .until("eu-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "red"
        })
        .await?;
    away.clear();
    let after = world
        .until("us-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "red"
        })
        .await?;
    assert_eq!(
        after["metadata"]["uid"], before["metadata"]["uid"],
        "it was deleted and made again"
    );
    world.until_ok("configmaps", "shop", "web").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphaned_object_stays_without_the_hubs_marks() -> Result<()> {
    let world = in_step().await?;
    world
        .edit("configmaps", "shop", "web", |body| {
            body["metadata"]["annotations"] = json!({"kubefed.io/orphan": "true"});
        })
        .await?;
    world.until_ok("configmaps", "shop", "web").await?;
    world.delete_federated("configmaps", "shop", "web").await?;
    world.until_deleted("configmaps", "shop", "web").await?;
    for cluster in ["eu-1", "us-1"] {
        let object = world.until(cluster, "configmaps", "shop", "web", |_| true).await?;
        assert!(object["metadata"]["labels"]["kubefed.io/managed"].is_null(), "{object}");
        assert!(
            object["metadata"]["annotations"]["atoll.dev/owner"].is_null(),
            "{object}"
        );
        assert_eq!(object["data"]["color"], "blue");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_would_empty_two_clusters_is_held_until_it_is_confirmed() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    world.until_ok("namespaces", "shop", "shop").await?;
    world
        .edit("namespaces", "shop", "shop", |body| {
            body["spec"]["placement"] = json!({"clusters": []})
        })
        .await?;
    for cluster in ["eu-1", "us-1"] {
        world.until_word("namespaces", "shop", "shop", cluster, "Held").await?;
        assert!(world.get(cluster, "namespaces", "", "shop").await?.is_some());
    }
    let status = world.status("namespaces", "shop", "shop").await?;
    let token = status.clusters[0].message.rsplit_once('=').unwrap().1.to_owned();
    world
        .edit("namespaces", "shop", "shop", |body| {
            body["metadata"]["annotations"] = json!({"atoll.dev/confirm-deletes": token});
        })
        .await?;
    for cluster in ["eu-1", "us-1"] {
        world.until_gone(cluster, "namespaces", "", "shop").await?;
    }
    Ok(())
}

/// Each object is one delete; the change on the cluster is many.
#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_displaces_many_objects_is_held_until_it_is_confirmed_or_taken_back() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    let names = world.many_by_region().await?;
    let label = async |region: &str, token: Option<String>| {
        world
            .change(&Store::cluster_key("eu-1"), |body| {
                body["metadata"]["labels"]["region"] = region.into();
                if let Some(token) = &token {
                    body["metadata"]["annotations"] = json!({"atoll.dev/confirm-deletes": token});
                }
            })
            .await
    };
    label("ue", None).await?;
    for name in &names {
        world.until_word("configmaps", "shop", name, "eu-1", "Held").await?;
    }
    let token = async || -> Result<String> {
        let status = world.status("configmaps", "shop", "o-00").await?;
        assert!(
            status.clusters[0].message.contains("12 of 26"),
            "{}",
            status.clusters[0].message
        );
        Ok(status.clusters[0].message.rsplit_once('=').unwrap().1.to_owned())
    };
    let first = token().await?;
    label("eu", None).await?;
    for name in &names {
        world.until_ok("configmaps", "shop", name).await?;
        assert!(world.get("eu-1", "configmaps", "shop", name).await?.is_some());
    }
    label("ue", None).await?;
    world.until_word("configmaps", "shop", "o-11", "eu-1", "Held").await?;
    world.until_word("configmaps", "shop", "o-00", "eu-1", "Held").await?;
    assert_eq!(token().await?, first);
    label("ue", Some(first)).await?;
    for name in &names {
        world.until_gone("eu-1", "configmaps", "shop", name).await?;
        assert!(world.get("us-1", "configmaps", "shop", name).await?.is_some());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_with_strangers_in_it_is_not_deleted_unasked() -> Result<()> {
    let world = in_step().await?;
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "shop"}});
    let path = "/api/v1/namespaces/shop/configmaps";
    world
        .ask("eu-1", atoll_clusters::OwnRequest::json("POST".parse()?, path, theirs))
        .await?;
    for name in ["web", "other"] {
        world.delete_federated("configmaps", "shop", name).await?;
        world.until_deleted("configmaps", "shop", name).await?;
    }
    world.delete_federated("namespaces", "shop", "shop").await?;
    world.until_word("namespaces", "shop", "shop", "eu-1", "Held").await?;
    assert!(world.get("eu-1", "configmaps", "shop", "theirs").await?.is_some());
    world
        .ask(
            "eu-1",
            atoll_clusters::OwnRequest::delete(format!("{path}/theirs"), None),
        )
        .await?;
    world.until_deleted("namespaces", "shop", "shop").await?;
    world.until_gone("eu-1", "namespaces", "", "shop").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_of_the_hub_empties_itself() -> Result<()> {
    let world = in_step().await?;
    world
        .create(
            "deployments.apps",
            "shop",
            "web",
            deployment(1, "nginx:1", json!({"clusterSelector": {}})),
        )
        .await?;
    world.until_ok("deployments.apps", "shop", "web").await?;
    let plain = ObjectKey::new("", "configmaps", "shop", "plain");
    let body = json!({"kind": "ConfigMap", "metadata": crate::world::metadata("shop", "plain", json!({}))});
    world
        .write(vec![atoll_store::Write::Create {
            key: plain.clone(),
            body: body.into(),
        }])
        .await?;

    let namespace = ObjectKey::new("", "namespaces", "", "shop");
    world.delete(&namespace).await?;
    until("the namespace is gone", async || {
        Ok(world.store.object(&namespace).await?.is_none().then_some(()))
    })
    .await?;
    assert!(world.store.objects_in_namespace("shop").await?.is_empty());
    assert!(world.store.object(&plain).await?.is_none());
    for cluster in ["eu-1", "us-1"] {
        world.until_gone(cluster, "namespaces", "", "shop").await?;
    }
    until("nothing is recorded any more", async || {
        Ok(world.store.propagations_in(None).await?.is_empty().then_some(()))
    })
    .await
}
