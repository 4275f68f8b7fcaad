//! Plain objects in the manner of Federation v1.

mod holds;
mod services;
mod shares;

use anyhow::{Context, Result};
use atoll_federation::plain::{DELETE_FINALIZER, DEPLOYMENT_PREFERENCES, NAMESPACE_LABEL, ORPHAN_FINALIZER};
use atoll_federation::types;
use atoll_store::{ObjectKey, PropagationKey, Store, Write};
use serde_json::{Value, json};

use crate::world::{World, metadata, until};

const SELECTOR: &str = "federation.alpha.kubernetes.io/cluster-selector";

fn key(resource: &str, namespace: &str, name: &str) -> ObjectKey {
    let target = &types::find_plain(resource).unwrap().target;
    ObjectKey::new(&target.group, &target.plural, namespace, name)
}

impl World {
    /// Makes `shop`, a namespace of Federation v1.
    async fn label(&self, namespace: &str) -> Result<()> {
        let labels = json!({"labels": {NAMESPACE_LABEL: "true"}});
        let body = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": metadata("", namespace, labels), "spec": {"finalizers": ["kubernetes"]},
        });
        let key = key("namespaces", "", namespace);
        self.write(vec![Write::Create { key, body: body.into() }]).await
    }

    async fn post(&self, resource: &str, name: &str, extra: Value, content: Value) -> Result<()> {
        let target = &types::find_plain(resource).unwrap().target;
        let mut body = json!({
            "apiVersion": target.api_version(), "kind": target.kind, "metadata": metadata("shop", name, extra),
        });
        for (field, value) in content.as_object().into_iter().flatten() {
            body[field] = value.clone();
        }
        let key = key(resource, "shop", name);
        self.write(vec![Write::Create { key, body: body.into() }]).await
    }

    async fn plain(&self, resource: &str, name: &str) -> Result<Value> {
        let namespace = if resource == "namespaces" { "" } else { "shop" };
        let stored = self.store.object(&key(resource, namespace, name)).await?;
        Ok((*stored.context("there is no such object")?.body).clone())
    }

    async fn until_plain(&self, resource: &str, name: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
        until(&format!("{resource} {name} on the hub"), async || {
            Ok(Some(self.plain(resource, name).await?).filter(|object| is_so(object)))
        })
        .await
    }

    async fn plain_records(&self, resource: &str, name: &str) -> Result<usize> {
        let namespace = if resource == "namespaces" { "" } else { "shop" };
        let key = PropagationKey {
            resource: resource.into(),
            namespace: namespace.into(),
            name: name.into(),
        };
        Ok(self.store.propagations(&key).await?.len())
    }

    async fn until_plain_gone(&self, key: &ObjectKey) -> Result<()> {
        until("the object is gone", async || match self.store.object(key).await? {
            None => Ok(Some(())),
            Some(left) => anyhow::bail!("it is left: {}", left.body),
        })
        .await
    }

    /// Deletes as the API does for whoever does not ask for orphans.
    async fn delete_with_copies(&self, key: &ObjectKey) -> Result<()> {
        self.change(key, |body| {
            if let Some(finalizers) = body["metadata"]["finalizers"].as_array_mut() {
                finalizers.retain(|one| one != ORPHAN_FINALIZER);
            }
        })
        .await?;
        self.delete(key).await
    }
}

fn workload(replicas: i64) -> Value {
    json!({"spec": {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx:1"}]},
        },
    }})
}

fn is_well(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions
        .filter(|condition| condition["type"] == "Propagation")
        .any(|condition| condition["status"] == "True")
}

fn is_managed(object: &Value) -> bool {
    object["metadata"]["labels"]["kubefed.io/managed"] == "true"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_shared_out_scaled_and_summed_up() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.label("shop").await?;
    let text = r#"{"rebalance": true, "clusters": {"eu-1": {"weight": 2}, "us-1": {"weight": 1}}}"#;
    let annotations = json!({"annotations": {DEPLOYMENT_PREFERENCES: text}});
    world.post("deployments.apps", "web", annotations, workload(9)).await?;
    world
        .until("eu-1", "deployments.apps", "shop", "web", |object| {
            object["spec"]["replicas"] == 6
        })
        .await?;
    world
        .until("us-1", "deployments.apps", "shop", "web", |object| {
            object["spec"]["replicas"] == 3
        })
        .await?;
    let web = world
        .until_plain("deployments.apps", "web", |object| {
            object["status"]["readyReplicas"] == 9 && is_well(object)
        })
        .await?;
    assert_eq!(web["status"]["replicas"], 9);
    assert_eq!(
        web["metadata"]["finalizers"],
        json!([DELETE_FINALIZER, ORPHAN_FINALIZER])
    );
    assert_eq!(
        web["spec"]["replicas"], 9,
        "the hub's own object stays as it was written"
    );
    let copy = world
        .get("eu-1", "deployments.apps", "shop", "web")
        .await?
        .context("it is there")?;
    assert_eq!(copy["metadata"]["annotations"].get(DEPLOYMENT_PREFERENCES), None);

    let web = key("deployments.apps", "shop", "web");
    world.change(&web, |body| body["spec"]["replicas"] = 3.into()).await?;
    world
        .until("eu-1", "deployments.apps", "shop", "web", |object| {
            object["spec"]["replicas"] == 2
        })
        .await?;
    world
        .until_plain("deployments.apps", "web", |object| object["status"]["replicas"] == 3)
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_federated_rests_on_the_hub() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata("", "shop", json!({}))});
    let namespace = key("namespaces", "", "shop");
    world
        .write(vec![Write::Create {
            key: namespace.clone(),
            body: body.into(),
        }])
        .await?;
    world
        .post(
            "secrets",
            "sh.helm.release.v1.web.v1",
            json!({}),
            json!({"data": {"release": "eA=="}}),
        )
        .await?;
    world
        .post("configmaps", "settings", json!({}), json!({"data": {"color": "blue"}}))
        .await?;
    // Once the namespace says so everything in it goes, which shows that it had been seen, too.
    world
        .change(&namespace, |body| body["metadata"]["labels"] = json!({"team": "a"}))
        .await?;
    assert_eq!(
        world.plain("configmaps", "settings").await?["metadata"].get("finalizers"),
        None
    );
    assert!(world.get("eu-1", "configmaps", "shop", "settings").await?.is_none());
    world
        .change(&namespace, |body| {
            body["metadata"]["labels"] = json!({NAMESPACE_LABEL: "true"})
        })
        .await?;
    world
        .until("eu-1", "configmaps", "shop", "settings", is_managed)
        .await?;
    world
        .until("eu-1", "secrets", "shop", "sh.helm.release.v1.web.v1", is_managed)
        .await?;
    let copy = world.until("eu-1", "namespaces", "", "shop", is_managed).await?;
    assert_eq!(copy["metadata"]["labels"].get(NAMESPACE_LABEL), None);
    world.until_plain("configmaps", "settings", is_well).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_takes_copies_along_unless_they_are_orphaned() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.label("shop").await?;
    for name in ["kept", "taken"] {
        world
            .post("configmaps", name, json!({}), json!({"data": {"color": "blue"}}))
            .await?;
    }
    for name in ["kept", "taken"] {
        for cluster in ["eu-1", "us-1"] {
            world.until(cluster, "configmaps", "shop", name, is_managed).await?;
        }
        world.until_plain("configmaps", name, is_well).await?;
    }
    let (kept, taken) = (key("configmaps", "shop", "kept"), key("configmaps", "shop", "taken"));
    world.delete(&kept).await?;
    world.until_plain_gone(&kept).await?;
    world.delete_with_copies(&taken).await?;
    world.until_plain_gone(&taken).await?;
    for cluster in ["eu-1", "us-1"] {
        let copy = world
            .get(cluster, "configmaps", "shop", "kept")
            .await?
            .context("it was orphaned")?;
        assert!(!is_managed(&copy));
        assert!(world.get(cluster, "configmaps", "shop", "taken").await?.is_none());
    }
    for name in ["kept", "taken"] {
        assert_eq!(world.plain_records("configmaps", name).await?, 0);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stops_being_federated_is_let_go_and_not_deleted() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.label("shop").await?;
    world
        .post("configmaps", "settings", json!({}), json!({"data": {"color": "blue"}}))
        .await?;
    world
        .until("eu-1", "configmaps", "shop", "settings", is_managed)
        .await?;
    world.until_plain("configmaps", "settings", is_well).await?;
    let namespace = key("namespaces", "", "shop");
    world
        .change(&namespace, |body| body["metadata"]["labels"] = json!({}))
        .await?;
    world
        .until("eu-1", "configmaps", "shop", "settings", |copy| !is_managed(copy))
        .await?;
    world
        .until("eu-1", "namespaces", "", "shop", |copy| !is_managed(copy))
        .await?;
    let left = world
        .until_plain("configmaps", "settings", |object| {
            object["metadata"].get("finalizers").is_none()
        })
        .await?;
    assert_eq!(left.get("status"), None);
    assert_eq!(world.plain_records("configmaps", "settings").await?, 0);
    let left = world
        .until_plain("namespaces", "shop", |object| {
            object["metadata"].get("finalizers").is_none()
        })
        .await?;
    assert_eq!(left["spec"]["finalizers"], json!(["kubernetes"]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selector_that_would_empty_all_clusters_is_held() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.label("shop").await?;
    world
        .post("configmaps", "settings", json!({}), json!({"data": {"color": "blue"}}))
        .await?;
    for cluster in ["eu-1", "us-1"] {
        world
            .until(cluster, "configmaps", "shop", "settings", is_managed)
            .await?;
    }
    let nowhere = r#"[{"key": "region", "operator": "=", "values": ["mars"]}]"#;
    let namespace = key("namespaces", "", "shop");
    world
        .change(&namespace, |body| {
            body["metadata"]["annotations"] = json!({SELECTOR: nowhere})
        })
        .await?;
    let held = |object: &Value| {
        let clusters = object["status"]["clusters"].as_array().into_iter().flatten();
        clusters.filter(|entry| entry["status"] == "Held").count() == 2
    };
    world.until_plain("configmaps", "settings", held).await?;
    world.until_plain("namespaces", "shop", held).await?;
    for cluster in ["eu-1", "us-1"] {
        assert!(world.get(cluster, "configmaps", "shop", "settings").await?.is_some());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selector_moves_an_object_from_one_cluster_to_the_other() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.label("shop").await?;
    let selects = |region: &str| json!([{"key": "region", "operator": "in", "values": [region]}]).to_string();
    let annotations = json!({"annotations": {SELECTOR: selects("eu")}});
    world
        .post(
            "configmaps",
            "settings",
            annotations,
            json!({"data": {"color": "blue"}}),
        )
        .await?;
    world
        .until("eu-1", "configmaps", "shop", "settings", is_managed)
        .await?;
    assert!(world.get("us-1", "configmaps", "shop", "settings").await?.is_none());
    let settings = key("configmaps", "shop", "settings");
    world
        .change(&settings, |body| {
            body["metadata"]["annotations"][SELECTOR] = selects("us").into()
        })
        .await?;
    world
        .until("us-1", "configmaps", "shop", "settings", is_managed)
        .await?;
    until("it is gone from eu-1", async || {
        Ok(world
            .get("eu-1", "configmaps", "shop", "settings")
            .await?
            .is_none()
            .then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_goes_after_everything_in_it() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.label("shop").await?;
    world
        .post("configmaps", "settings", json!({}), json!({"data": {"color": "blue"}}))
        .await?;
    world
        .until("eu-1", "configmaps", "shop", "settings", is_managed)
        .await?;
    world.until_plain("namespaces", "shop", is_well).await?;
    let namespace = key("namespaces", "", "shop");
    world.delete_with_copies(&namespace).await?;
    world.until_plain_gone(&key("configmaps", "shop", "settings")).await?;
    world.until_plain_gone(&namespace).await?;
    assert!(world.get("eu-1", "namespaces", "", "shop").await?.is_none());
    assert_eq!(world.plain_records("namespaces", "shop").await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_object_that_is_nowhere_yet_follows_a_cluster_that_is_labelled_for_it() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.label("shop").await?;
    let selector = r#"[{"key": "tier", "operator": "in", "values": ["gold"]}]"#;
    let extra = json!({"annotations": {SELECTOR: selector}});
    let data = || json!({"data": {"color": "blue"}});
    world.post("configmaps", "selective", extra, data()).await?;
    world.until_plain("configmaps", "selective", is_well).await?;
    world.until_quiet().await?;
    assert!(world.get("eu-1", "configmaps", "shop", "selective").await?.is_none());
    world
        .change(&Store::cluster_key("eu-1"), |body| {
            body["metadata"]["labels"]["tier"] = "gold".into()
        })
        .await?;
    world
        .until("eu-1", "configmaps", "shop", "selective", is_managed)
        .await?;
    Ok(())
}
