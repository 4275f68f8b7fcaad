//! One target, one source: the second object that aims at the same object of the members is refused with the name of
//! the first.

use serde_json::{Value, json};

use super::hub_fixture::{CONFIG_MAPS, DEPLOYMENTS, Hub, MERGE, deployment};
use super::hub_plain::{PLAIN_DEPLOYMENTS, federated, plain_deployment};

const NAMESPACES: &str = "/api/v1/namespaces";
const FEDERATED_NAMESPACES: &str = "/apis/types.kubefed.io/v1beta1/namespaces/shop/federatednamespaces";

async fn start() -> Hub {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    hub
}

#[track_caller]
fn names(refused: &Value, first: &str) {
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains(first) && message.contains("is the source of"),
        "{message}"
    );
    let cause = &refused["details"]["causes"][0];
    assert_eq!(cause["reason"], "TargetTaken");
}

#[tokio::test]
async fn a_plain_object_that_is_federated_and_a_federated_object_do_not_share_a_target() {
    let hub = start().await;
    hub.post(DEPLOYMENTS, &deployment("web")).await.ok();
    let refused = hub.post(PLAIN_DEPLOYMENTS, &federated(plain_deployment("web"))).await;
    names(
        &refused.failed(409, "Conflict"),
        "federateddeployments.types.kubefed.io shop/web",
    );

    hub.post(PLAIN_DEPLOYMENTS, &federated(plain_deployment("api")))
        .await
        .ok();
    let refused = hub.post(DEPLOYMENTS, &deployment("api")).await;
    names(&refused.failed(409, "Conflict"), "deployments.apps shop/api");
    // The same for what would only be tried.
    let refused = hub.post(&format!("{DEPLOYMENTS}?dryRun=All"), &deployment("api")).await;
    names(&refused.failed(409, "Conflict"), "deployments.apps shop/api");
    // Other names, other targets.
    hub.post(DEPLOYMENTS, &deployment("other")).await.ok();
}

#[tokio::test]
async fn a_plain_object_that_rests_on_the_hub_is_no_source_until_it_becomes_one() {
    let hub = start().await;
    hub.post(PLAIN_DEPLOYMENTS, &plain_deployment("web")).await.ok();
    hub.post(DEPLOYMENTS, &deployment("web")).await.ok();
    let annotate = json!({"metadata": {"annotations": {"federation.kubernetes.io/deployment-preferences": "{}"}}});
    let path = format!("{PLAIN_DEPLOYMENTS}/web");
    let refused = hub.patch(&path, MERGE, &annotate).await;
    names(
        &refused.failed(409, "Conflict"),
        "federateddeployments.types.kubefed.io shop/web",
    );
    // Anything else may be written.
    hub.patch(&path, MERGE, &json!({"spec": {"replicas": 4}})).await.ok();
    // The first gone, the second may be it.
    hub.delete(&format!("{DEPLOYMENTS}/web")).await.ok();
    hub.patch(&path, MERGE, &annotate).await.ok();
}

#[tokio::test]
async fn a_namespace_of_v1_and_its_federated_namespace_are_the_same_target() {
    let hub = start().await;
    let federated = json!({"apiVersion": "types.kubefed.io/v1beta1", "kind": "FederatedNamespace",
        "metadata": {"name": "shop", "namespace": "shop"}, "spec": {"placement": {"clusterSelector": {}}}});
    let label = json!({"metadata": {"labels": {"atoll.dev/federation-v1": "true"}}});
    let shop = format!("{NAMESPACES}/shop");
    hub.post(FEDERATED_NAMESPACES, &federated).await.ok();
    let refused = hub.patch(&shop, MERGE, &label).await;
    names(
        &refused.failed(409, "Conflict"),
        "federatednamespaces.types.kubefed.io shop/shop",
    );
    hub.delete(&format!("{FEDERATED_NAMESPACES}/shop")).await.ok();
    hub.patch(&shop, MERGE, &label).await.ok();
    let refused = hub.post(FEDERATED_NAMESPACES, &federated).await;
    names(&refused.failed(409, "Conflict"), "namespaces shop");
}

#[tokio::test]
async fn a_label_that_would_make_contents_second_sources_is_refused() {
    let hub = start().await;
    hub.post(
        "/api/v1/namespaces/shop/configmaps",
        &json!({"metadata": {"name": "app"}, "data": {"a": "b"}}),
    )
    .await
    .ok();
    let federated = json!({"metadata": {"name": "app"}, "spec": {"template": {"data": {"a": "c"}}, "placement": {"clusterSelector": {}}}});
    hub.post(CONFIG_MAPS, &federated).await.ok();
    let label = json!({"metadata": {"labels": {"atoll.dev/federation-v1": "true"}}});
    let refused = hub.patch(&format!("{NAMESPACES}/shop"), MERGE, &label).await;
    names(
        &refused.failed(409, "Conflict"),
        "federatedconfigmaps.types.kubefed.io shop/app",
    );
    // Within a namespace that is labelled already, a plain object is a source by lying there.
    hub.post(
        NAMESPACES,
        &json!({"metadata": {"name": "old", "labels": {"atoll.dev/federation-v1": "true"}}}),
    )
    .await
    .ok();
    let old = |path: &str| path.replace("/shop/", "/old/");
    hub.post(
        &old("/api/v1/namespaces/shop/configmaps"),
        &json!({"metadata": {"name": "app"}}),
    )
    .await
    .ok();
    let refused = hub.post(&old(CONFIG_MAPS), &federated).await;
    names(&refused.failed(409, "Conflict"), "configmaps old/app");
}

#[tokio::test]
async fn of_two_that_are_written_at_once_one_is_first() {
    let hub = start().await;
    for round in 0..10 {
        let name = format!("web-{round}");
        let (one, two) = (deployment(&name), federated(plain_deployment(&name)));
        let (one, two) = tokio::join!(hub.post(DEPLOYMENTS, &one), hub.post(PLAIN_DEPLOYMENTS, &two));
        let codes = [one.code.as_u16(), two.code.as_u16()];
        assert!(codes == [201, 409] || codes == [409, 201], "{codes:?}");
    }
}

#[tokio::test]
async fn a_label_and_what_is_written_meanwhile_do_not_miss_each_other() {
    let hub = start().await;
    let label = json!({"metadata": {"labels": {"atoll.dev/federation-v1": "true"}}});
    for round in 0..8 {
        let name = format!("shop-{round}");
        hub.namespace(&name).await;
        let of = |path: &str| path.replace("/shop/", &format!("/{name}/"));
        let (plain, federated) = (of("/api/v1/namespaces/shop/configmaps"), of(CONFIG_MAPS));
        let body = json!({"metadata": {"name": "app"}, "spec": {"template": {"data": {"a": "c"}}, "placement": {"clusterSelector": {}}}});
        let path = format!("{NAMESPACES}/{name}");
        let plain_body = json!({"metadata": {"name": "app"}});
        let (one, two, three) = tokio::join!(
            hub.post(&plain, &plain_body),
            hub.post(&federated, &body),
            hub.patch(&path, MERGE, &label)
        );
        let codes = [one.code.as_u16(), two.code.as_u16(), three.code.as_u16()];
        // All three cannot be: whoever came last was refused, or asked to try again.
        assert!(codes.contains(&409), "{codes:?}");
        assert!(codes.iter().all(|code| matches!(code, 200 | 201 | 409)), "{codes:?}");
    }
}
