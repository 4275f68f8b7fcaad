//! Events and Leases on the hub, through REST and as kubectl shows them.

use serde_json::{Value, json};

use super::forward_fixture::Served;
use super::hub_fixture::{DEPLOYMENTS, Hub, MERGE, deployment};
use super::hub_kubectl::Kubectl;

const EVENTS: &str = "/api/v1/namespaces/shop/events";

fn event(name: &str, about: &str, uid: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "shop"},
        "involvedObject": {"apiVersion": "types.kubefed.io/v1beta1", "kind": "FederatedDeployment", "name": about, "namespace": "shop", "uid": uid},
        "type": "Normal", "reason": "CreateInCluster", "message": "created in eu-1", "count": 1,
        "source": {"component": "federateddeployment-controller"},
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z"})
}

async fn start() -> Hub {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    hub
}

#[tokio::test]
async fn events_are_found_by_what_they_are_about() {
    let hub = start().await;
    hub.post(EVENTS, &event("one", "web", &json!("u-1"))).await.ok();
    hub.post(EVENTS, &event("two", "api", &json!("u-2"))).await.ok();
    for selector in [
        "involvedObject.name=web",
        "involvedObject.uid=u-1",
        "involvedObject.kind=FederatedDeployment,involvedObject.name!=api",
        "reason=CreateInCluster,involvedObject.namespace=shop,involvedObject.name=web,type=Normal",
        "source=federateddeployment-controller,involvedObject.name=web",
    ] {
        let found = hub
            .get(&format!("{EVENTS}?fieldSelector={}", selector.replace(',', "%2C")))
            .await
            .ok();
        let items = found["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{selector}");
        assert_eq!(items[0]["metadata"]["name"], "one", "{selector}");
    }
    hub.get(&format!("{EVENTS}?fieldSelector=message%3Dx"))
        .await
        .failed(400, "BadRequest");
}

#[tokio::test]
async fn describe_and_get_events_show_what_happened() {
    let hub = start().await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    let made = hub.post(DEPLOYMENTS, &deployment("web")).await.ok();
    hub.post(EVENTS, &event("one", "web", &made["metadata"]["uid"]))
        .await
        .ok();
    let described = kubectl.ok(&["describe", "fdeploy", "web", "-n", "shop"], "").await;
    assert!(
        described.contains("CreateInCluster") && described.contains("created in eu-1"),
        "{described}"
    );
    let table = kubectl.ok(&["get", "events", "-n", "shop"], "").await;
    let heading: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]);
    assert!(table.contains("federateddeployment/web"), "{table}");
    let listed = kubectl
        .ok(&["events", "-n", "shop", "--for", "federateddeployment/web"], "")
        .await;
    assert!(listed.contains("CreateInCluster"), "{listed}");
}

#[tokio::test]
async fn a_lease_is_held_by_whoever_wrote_it_first() {
    let hub = start().await;
    let path = "/apis/coordination.k8s.io/v1/namespaces/shop/leases";
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"},
        "spec": {"holderIdentity": "one", "leaseDurationSeconds": 15}});
    let made = hub.post(path, &lease).await.ok();
    hub.post(path, &lease).await.failed(409, "AlreadyExists");
    let mut taken = made.clone();
    taken["spec"]["holderIdentity"] = json!("two");
    hub.put(&format!("{path}/l"), &taken).await.ok();
    hub.put(&format!("{path}/l"), &taken).await.failed(409, "Conflict");
    hub.patch(
        &format!("{path}/l"),
        MERGE,
        &json!({"spec": {"leaseDurationSeconds": "x"}}),
    )
    .await
    .failed(422, "Invalid");
    assert_eq!(hub.table(path).await["rows"][0]["cells"][1], "two");
}
