//! Namespaces of the hub: held by a finalizer, closed to new objects while they end, and two that never do.

use serde_json::json;

use super::hub_fixture::{DEPLOYMENTS, Hub, deployment};

#[tokio::test]
async fn an_object_needs_a_namespace_that_is_there_and_stays() {
    let hub = Hub::start().await;
    let missing = hub.post(DEPLOYMENTS, &deployment("web")).await.failed(404, "NotFound");
    assert_eq!(
        (&missing["details"]["kind"], &missing["details"]["name"]),
        (&json!("namespaces"), &json!("shop"))
    );

    hub.namespace("shop").await;
    let namespace = hub.get("/api/v1/namespaces/shop").await.ok();
    assert_eq!(
        (&namespace["spec"]["finalizers"], &namespace["status"]["phase"]),
        (&json!(["kubernetes"]), &json!("Active"))
    );
    hub.post(DEPLOYMENTS, &deployment("web")).await.ok();

    // Marked by hand as an API server would: what empties namespaces runs beside this test.
    let marked = json!({"metadata": {"finalizers": ["example.com/wait"]}});
    hub.patch("/api/v1/namespaces/shop", super::hub_fixture::MERGE, &marked)
        .await
        .ok();
    let terminating = hub.delete("/api/v1/namespaces/shop").await.ok();
    assert_eq!(terminating["status"]["phase"], "Terminating");
    let refused = hub
        .post(DEPLOYMENTS, &deployment("late"))
        .await
        .failed(403, "Forbidden");
    assert_eq!(refused["details"]["causes"][0]["reason"], "NamespaceTerminating");
    // A second deletion changes nothing.
    hub.delete("/api/v1/namespaces/shop").await.ok();
}

#[tokio::test]
async fn the_namespaces_that_clients_take_for_granted_are_there_and_stay() {
    let hub = Hub::start().await;
    for name in ["default", "kube-federation-system"] {
        assert_eq!(
            hub.get(&format!("/api/v1/namespaces/{name}")).await.ok()["status"]["phase"],
            "Active"
        );
        hub.delete(&format!("/api/v1/namespaces/{name}"))
            .await
            .failed(403, "Forbidden");
    }
    // A second start makes nothing again.
    let before = hub.state.store.revision().await.unwrap();
    atoll_server::hub::seed(&hub.state.store, jiff::Timestamp::now())
        .await
        .unwrap();
    assert_eq!(hub.state.store.revision().await.unwrap(), before);
}

#[tokio::test]
async fn a_federated_namespace_is_called_as_its_namespace() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let path = "/apis/types.kubefed.io/v1beta1/namespaces/shop/federatednamespaces";
    let named = |name: &str| {
        json!({"apiVersion": "types.kubefed.io/v1beta1", "kind": "FederatedNamespace",
        "metadata": {"name": name, "namespace": "shop"}, "spec": {"placement": {"clusterSelector": {}}}})
    };
    assert_eq!(hub.post(path, &named("other")).await.fields(), ["metadata.name"]);
    hub.post(path, &named("shop")).await.ok();
}

#[tokio::test]
async fn finalizers_of_a_namespace_are_released_by_the_subresource_alone() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let freed = json!({"spec": {"finalizers": []}});
    let patched = hub
        .patch("/api/v1/namespaces/shop", super::hub_fixture::MERGE, &freed)
        .await
        .ok();
    assert_eq!(patched["spec"]["finalizers"], json!(["kubernetes"]));
    let mut whole = patched;
    whole["spec"]["finalizers"] = json!([]);
    let released = hub.put("/api/v1/namespaces/shop/finalize", &whole).await.ok();
    assert!(released["spec"]["finalizers"].as_array().is_none_or(Vec::is_empty));
    assert_eq!(hub.delete("/api/v1/namespaces/shop").await.ok()["kind"], "Status");
    hub.get("/api/v1/namespaces/shop").await.failed(404, "NotFound");
}
