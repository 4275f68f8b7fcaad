use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::fixture::{World, create, deployment, eventually, refusal};

#[tokio::test]
async fn a_new_namespace_is_furnished() {
    let world = World::shop().await;
    let namespace = world.namespaces().get("shop").await.unwrap();
    let owned = namespace.metadata.managed_fields.unwrap();
    assert!(
        owned
            .iter()
            .all(|one| one.fields_v1.as_ref().unwrap().0["f:status"].is_null()),
        "its status belongs to nobody"
    );
    assert_eq!(namespace.status.unwrap().phase.as_deref(), Some("Active"));
    assert_eq!(
        namespace.metadata.labels.unwrap()["kubernetes.io/metadata.name"],
        "shop"
    );
    let accounts: Api<ServiceAccount> = Api::namespaced(world.client.clone(), "shop");
    let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), "shop");
    let finds = async || {
        let account = accounts.get_opt("default").await.unwrap();
        account.is_some() && maps.get_opt("kube-root-ca.crt").await.unwrap().is_some()
    };
    eventually("pods find an account and a CA", finds).await;
    maps.delete("kube-root-ca.crt", &DeleteParams::default()).await.unwrap();
    eventually("what was deleted is put back", finds).await;
}

#[tokio::test]
async fn nothing_can_be_made_where_there_is_no_namespace() {
    let world = World::new().await;
    let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), "nowhere");
    let map: ConfigMap = serde_json::from_value(json!({"metadata": {"name": "a"}})).unwrap();
    let refused = refusal(maps.create(&PostParams::default(), &map).await);
    assert_eq!(refused, (404, "namespaces \"nowhere\" not found".into()));
    assert!(
        maps.list(&ListParams::default()).await.unwrap().items.is_empty(),
        "reading is another matter"
    );
}

#[tokio::test]
async fn a_deleted_namespace_is_emptied_before_it_goes() {
    let world = World::shop().await;
    world.ready(deployment("web", 2)).await;
    let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), "shop");
    create(
        &maps,
        json!({"metadata": {"name": "held", "finalizers": ["example.com/hold"]}}),
    )
    .await;
    let deleted = world
        .namespaces()
        .delete("shop", &DeleteParams::default())
        .await
        .unwrap();
    assert_eq!(
        deleted.left().unwrap().status.unwrap().phase.as_deref(),
        Some("Terminating")
    );
    eventually("only what is held is left", async || {
        world.pod_names().await.is_empty() && maps.list(&ListParams::default()).await.unwrap().items.len() == 1
    })
    .await;
    let map: ConfigMap = serde_json::from_value(json!({"metadata": {"name": "late"}})).unwrap();
    let refused = refusal(maps.create(&PostParams::default(), &map).await);
    assert!(
        refused.0 == 403 && refused.1.contains("because it is being terminated"),
        "{refused:?}"
    );
    eventually("the namespace says what it waits for", async || {
        let namespace = world.namespaces().get("shop").await.unwrap();
        let conditions = namespace.status.unwrap().conditions.unwrap_or_default();
        conditions
            .iter()
            .any(|one| one.type_ == "NamespaceFinalizersRemaining" && one.status == "True")
    })
    .await;
    let patch = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    maps.patch("held", &PatchParams::default(), &patch).await.unwrap();
    eventually("the namespace is gone", async || {
        world.namespaces().get_opt("shop").await.unwrap().is_none()
    })
    .await;
    let others = world.get("/api/v1/pods").await;
    assert_eq!(others["items"], json!([]));
}

#[tokio::test]
async fn the_namespaces_of_the_cluster_itself_cannot_be_deleted() {
    let world = World::new().await;
    let refused = refusal(world.namespaces().delete("kube-system", &DeleteParams::default()).await);
    assert_eq!(
        refused,
        (
            403,
            "namespaces \"kube-system\" is forbidden: this namespace may not be deleted".into()
        )
    );
}
