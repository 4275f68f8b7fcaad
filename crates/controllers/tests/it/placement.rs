//! Where objects go, what differs there, and how they follow.

use anyhow::Result;
use atoll_federation::preview::Action;
use atoll_federation::types;
use atoll_store::Store;
use serde_json::json;

use crate::world::{World, config, deployment, metadata, until};

#[tokio::test(flavor = "multi_thread")]
async fn names_and_selectors_say_where_an_object_goes() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    let named = json!({"clusters": [{"name": "us-1"}, {"name": "mars"}]});
    world
        .create(
            "configmaps",
            "shop",
            "named",
            json!({"template": {"data": {"a": "b"}}, "placement": named}),
        )
        .await?;
    let selected = json!({"clusterSelector": {"matchLabels": {"region": "eu"}}});
    world
        .create(
            "configmaps",
            "shop",
            "selected",
            json!({"template": {"data": {"a": "b"}}, "placement": selected}),
        )
        .await?;

    let object = world.until("us-1", "configmaps", "shop", "named", |_| true).await?;
    assert_eq!(object["data"], json!({"a": "b"}));
    assert_eq!(object["metadata"]["labels"]["kubefed.io/managed"], "true");
    assert_eq!(object["metadata"]["annotations"]["atoll.dev/owner"], "hub-1");
    world.until("eu-1", "configmaps", "shop", "selected", |_| true).await?;
    let status = world.until_ok("configmaps", "shop", "named").await?;
    assert_eq!(status.clusters.len(), 1);
    world.until_ok("configmaps", "shop", "selected").await?;
    assert!(world.get("eu-1", "configmaps", "shop", "named").await?.is_none());
    assert!(world.get("us-1", "configmaps", "shop", "selected").await?.is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_follows_its_clusters_labels() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    // Something else that stays, so that nothing is emptied.
    world.create("configmaps", "shop", "everywhere", config("blue")).await?;
    let selected = json!({"clusterSelector": {"matchLabels": {"tier": "gold"}}});
    world
        .create(
            "configmaps",
            "shop",
            "gold",
            json!({"template": {"data": {}}, "placement": selected}),
        )
        .await?;
    world.until_ok("configmaps", "shop", "gold").await?;
    assert!(world.get("eu-1", "configmaps", "shop", "gold").await?.is_none());

    let label = async |tier: &str| {
        world
            .change(&Store::cluster_key("eu-1"), |body| {
                body["metadata"]["labels"]["tier"] = tier.into()
            })
            .await
    };
    label("gold").await?;
    world.until("eu-1", "configmaps", "shop", "gold", |_| true).await?;
    label("silver").await?;
    world.until_gone("eu-1", "configmaps", "shop", "gold").await?;
    world
        .until("eu-1", "configmaps", "shop", "everywhere", |_| true)
        .await?;
    until("its record is dropped", async || {
        Ok(world
            .records("configmaps", "shop", "gold")
            .await?
            .is_empty()
            .then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn overrides_differ_by_cluster_and_changes_follow() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    let mut spec = deployment(1, "nginx:1", json!({"clusterSelector": {}}));
    spec["overrides"] = json!([{"clusterName": "us-1", "clusterOverrides": [
        {"path": "/spec/replicas", "value": 3},
        {"path": "/spec/template/spec/containers/0/image", "value": "nginx:2"},
    ]}]);
    world.create("deployments.apps", "shop", "web", spec).await?;
    let image = "/spec/template/spec/containers/0/image";
    let is = |replicas: i64, tag: &'static str| {
        move |object: &serde_json::Value| {
            object["spec"]["replicas"] == replicas && object.pointer(image).is_some_and(|image| image == tag)
        }
    };
    world
        .until("eu-1", "deployments.apps", "shop", "web", is(1, "nginx:1"))
        .await?;
    world
        .until("us-1", "deployments.apps", "shop", "web", is(3, "nginx:2"))
        .await?;
    world.until_ok("deployments.apps", "shop", "web").await?;

    world
        .edit("deployments.apps", "shop", "web", |body| {
            body["spec"]["template"]["spec"]["replicas"] = 2.into();
            body["spec"]["template"]["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:3".into();
        })
        .await?;
    world
        .until("eu-1", "deployments.apps", "shop", "web", is(2, "nginx:3"))
        .await?;
    world
        .until("us-1", "deployments.apps", "shop", "web", is(3, "nginx:2"))
        .await?;
    // The status counts what runs.
    until("the replicas are counted", async || {
        let status = world.status("deployments.apps", "shop", "web").await?;
        let ready: Vec<_> = status
            .clusters
            .iter()
            .map(|entry| (entry.desired_replicas, entry.live.ready_replicas))
            .collect();
        Ok((ready == [(Some(2), Some(2)), (Some(3), Some(3))]).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_namespace_follows_as_soon_as_it_is_there() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.create("configmaps", "shop", "early", config("blue")).await?;
    until("it says what is missing", async || {
        let status = world.status("configmaps", "shop", "early").await?;
        let reason = status.propagation().map(|condition| condition.reason.clone());
        Ok((reason.as_deref() == Some("NamespaceNotFederated")).then_some(()))
    })
    .await?;
    world.federate("shop").await?;
    world.until("eu-1", "configmaps", "shop", "early", |_| true).await?;
    world.until_ok("configmaps", "shop", "early").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_joins_gets_what_is_placed_there() -> Result<()> {
    let mut world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    world.join("us-1").await?;
    world.until("us-1", "configmaps", "shop", "web", |_| true).await?;
    until("both are in the status", async || {
        let status = world.status("configmaps", "shop", "web").await?;
        Ok((status.clusters.len() == 2 && status.clusters.iter().all(|entry| entry.is_ok())).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_tells_and_writes_nothing() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    world.until_quiet().await?;
    let before = (world.store.revision().await?, world.controllers.counts());
    let object = |color: &str, name: &str| {
        json!({
            "kind": "FederatedConfigMap",
            "metadata": metadata("shop", name, json!({})),
            "spec": config(color),
        })
    };
    let kind = types::find("configmaps").unwrap();
    let actions = async |color: &str, name: &str| -> Result<Vec<Action>> {
        let preview = world.controllers.preview(kind, &object(color, name), None).await?;
        Ok(preview.clusters.iter().map(|cluster| cluster.action).collect())
    };
    assert_eq!(actions("blue", "web").await?, [Action::Unchanged, Action::Unchanged]);
    assert_eq!(actions("red", "web").await?, [Action::Update, Action::Update]);
    assert_eq!(actions("red", "new").await?, [Action::Create, Action::Create]);
    assert!(
        world
            .controllers
            .preview(kind, &json!({"kind": "Deployment"}), None)
            .await
            .is_err()
    );
    assert_eq!((world.store.revision().await?, world.controllers.counts()), before);
    assert!(world.get("eu-1", "configmaps", "shop", "new").await?.is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_can_be_asked_within_a_namespace_that_is_not_federated_yet() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    let kind = types::find("configmaps").unwrap();
    let object = json!({
        "kind": "FederatedConfigMap",
        "metadata": metadata("shop", "web", json!({})),
        "spec": config("blue"),
    });
    let namespace = json!({
        "kind": "FederatedNamespace",
        "metadata": metadata("shop", "shop", json!({})),
        "spec": {"placement": {"clusters": [{"name": "us-1"}]}},
    });
    let actions = async |within| -> Result<Vec<Action>> {
        let preview = world.controllers.preview(kind, &object, within).await?;
        Ok(preview.clusters.iter().map(|cluster| cluster.action).collect())
    };
    assert_eq!(actions(None).await?, [Action::None, Action::None]);
    assert_eq!(actions(Some(&namespace)).await?, [Action::None, Action::Create]);
    Ok(())
}
