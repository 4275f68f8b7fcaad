//! What the hub makes at its first start, once: the `FederatedTypeConfig`s of the built-in types.

use atoll_controllers::configuration::seeded_key;
use atoll_store::{Transaction, Write};
use http::Method;
use serde_json::json;

use super::hub_fixture::{Hub, JSON, MERGE};

const TYPES: &str = "/apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/federatedtypeconfigs";

#[tokio::test]
async fn built_in_types_are_made_once_and_what_people_did_to_them_stays() {
    let hub = Hub::start().await;
    let listed = hub.get(TYPES).await.ok();
    let names: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 23);
    assert!(names.contains(&"customresourcedefinitions.apiextensions.k8s.io") && names.contains(&"namespaces"));

    let path = |name: &str| format!("{TYPES}/{name}");
    let off = json!({"spec": {"propagation": "Disabled"}});
    hub.patch(&path("secrets"), MERGE, &off).await.ok();
    hub.delete(&path("services")).await.ok();
    let release = json!({"metadata": {"finalizers": null}});
    hub.patch(&path("services"), MERGE, &release).await.ok();
    for _ in 0..2 {
        atoll_server::hub::seed(&hub.state.store, jiff::Timestamp::now())
            .await
            .unwrap();
    }
    hub.get(&path("services")).await.failed(404, "NotFound");
    assert_eq!(hub.get(&path("secrets")).await.ok()["spec"]["propagation"], "Disabled");
}

#[tokio::test]
async fn a_database_from_before_and_one_of_an_older_release_get_what_they_lack_once() {
    let hub = Hub::start().await;
    let store = &hub.state.store;
    let delete = |key| Write::Delete { key, expected: None };
    let listed = store
        .objects("core.kubefed.io", "federatedtypeconfigs", None)
        .await
        .unwrap()
        .objects;
    let all = listed
        .into_iter()
        .map(|object| delete(object.key))
        .chain([delete(seeded_key())]);
    let writes = all.collect();
    store.write(Transaction { writes, lease: None }).await.unwrap();
    let now = jiff::Timestamp::now();
    let (one, two) = tokio::join!(atoll_server::hub::seed(store, now), atoll_server::hub::seed(store, now));
    one.unwrap();
    two.unwrap();
    assert_eq!(hub.get(TYPES).await.ok()["items"].as_array().unwrap().len(), 23);

    // A release that did not know Ingress yet, where somebody has deleted Services.
    let marker = store.object(&seeded_key()).await.unwrap().unwrap();
    let mut body = (*marker.body).clone();
    body["types"]
        .as_array_mut()
        .unwrap()
        .retain(|name| name != "ingresses.networking.k8s.io");
    let key = |name: &str| {
        atoll_store::ObjectKey::new(
            "core.kubefed.io",
            "federatedtypeconfigs",
            "kube-federation-system",
            name,
        )
    };
    let writes = vec![
        Write::Update {
            key: seeded_key(),
            body: body.into(),
            expected: marker.revision,
        },
        delete(key("ingresses.networking.k8s.io")),
        delete(key("services")),
    ];
    store.write(Transaction { writes, lease: None }).await.unwrap();
    atoll_server::hub::seed(store, now).await.unwrap();
    hub.get(&format!("{TYPES}/ingresses.networking.k8s.io")).await.ok();
    hub.get(&format!("{TYPES}/services")).await.failed(404, "NotFound");
}

#[tokio::test]
async fn a_built_in_type_that_is_written_again_as_people_have_it_is_unchanged() {
    let hub = Hub::start().await;
    let path = format!("{TYPES}/deployments.apps");
    let before = hub.get(&path).await.ok();
    let mut file = before.clone();
    for field in [
        "uid",
        "creationTimestamp",
        "generation",
        "resourceVersion",
        "finalizers",
        "managedFields",
    ] {
        file["metadata"].as_object_mut().unwrap().remove(field);
    }
    let after = hub.ask(Method::PUT, &path, JSON, Some(&file)).await.ok();
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(after["metadata"]["finalizers"], before["metadata"]["finalizers"]);
}
