//! Credentials of clusters can be written and are never shown, on any path.

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::hub_fixture::{APPLY, Hub, Lines, MERGE, SECRETS};

const CANARY: &str = "canary-7f3a9c";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// As `kubectl apply` writes it.
fn secret() -> Value {
    let applied =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "eu-1"}, "stringData": {"token": CANARY}});
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "eu-1", "annotations": {LAST_APPLIED: format!("{applied}\n")}},
        "stringData": {"token": CANARY}, "data": {"ca.crt": STANDARD.encode(CANARY)}})
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for spelling in [CANARY.to_owned(), STANDARD.encode(CANARY)] {
        assert!(!text.contains(&spelling), "{what} shows it: {text}");
    }
}

/// SE-01, SE-08
#[tokio::test]
async fn no_answer_of_the_api_shows_a_credential() {
    let hub = Hub::start().await;
    let path = format!("{SECRETS}/eu-1");
    let mut watch = Lines::open(&hub, &format!("{SECRETS}?watch=1&resourceVersion=1")).await;
    let made = hub.post(SECRETS, &secret()).await.ok();
    assert_clean("create", &made.to_string());
    assert_eq!(made["data"].as_object().unwrap().len(), 2);

    let reads = [
        hub.get(&path).await.ok(),
        hub.get(SECRETS).await.ok(),
        hub.get("/api/v1/secrets").await.ok(),
        hub.table(&format!("{SECRETS}?includeObject=Object")).await,
        hub.patch(&path, MERGE, &json!({"metadata": {"labels": {"a": "b"}}}))
            .await
            .ok(),
        hub.patch(
            &format!("{path}?dryRun=All"),
            MERGE,
            &json!({"stringData": {"token": CANARY}}),
        )
        .await
        .ok(),
        hub.patch(
            &format!("{path}?fieldManager=k"),
            APPLY,
            &json!({"apiVersion": "v1", "kind": "Secret", "data": {"token": "eA=="}}),
        )
        .await
        .body,
        hub.patch(
            &path,
            "application/json-patch+json",
            &json!([{"op": "copy", "from": "/data/token", "path": "/metadata/labels/copied"}]),
        )
        .await
        .body,
    ];
    for (number, read) in reads.into_iter().enumerate() {
        assert_clean(&format!("answer {number}"), &read.to_string());
    }
    let stored = hub.state.store.object(&key()).await.unwrap().unwrap();
    assert_clean("a label", &stored.body["metadata"]["labels"].to_string());
    assert_eq!(
        stored.body["data"]["token"],
        STANDARD.encode(CANARY),
        "what is kept is the value"
    );
    assert_clean("the annotation", &stored.body["metadata"]["annotations"].to_string());

    for _ in 0..2 {
        assert_clean("a watch", &watch.next().await.unwrap().to_string());
    }
    let deleted = hub.delete(&path).await.ok();
    assert_clean("delete", &deleted.to_string());
    let mut replay = Lines::open(&hub, &format!("{SECRETS}?watch=1&resourceVersion=1")).await;
    for _ in 0..3 {
        assert_clean("a replayed watch", &replay.next().await.unwrap().to_string());
    }
}

fn key() -> atoll_store::ObjectKey {
    atoll_store::ObjectKey::new("", "secrets", "kube-federation-system", "eu-1")
}

#[tokio::test]
async fn a_mask_that_is_written_back_leaves_the_value() {
    let hub = Hub::start().await;
    let path = format!("{SECRETS}/eu-1");
    hub.post(SECRETS, &secret()).await.ok();
    let mut masked = hub.get(&path).await.ok();
    masked["metadata"]["labels"] = json!({"edited": "yes"});
    hub.put(&path, &masked).await.ok();
    let stored = hub.state.store.object(&key()).await.unwrap().unwrap();
    assert_eq!(
        (
            &stored.body["data"]["token"],
            &stored.body["metadata"]["labels"]["edited"]
        ),
        (&json!(STANDARD.encode(CANARY)), &json!("yes"))
    );

    masked["data"]["invented"] = masked["data"]["token"].clone();
    masked["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    assert_eq!(hub.put(&path, &masked).await.fields(), ["data[invented]"]);
}

#[tokio::test]
async fn writing_the_same_credential_again_is_no_change() {
    let hub = Hub::start().await;
    let path = format!("{SECRETS}/eu-1");
    let made = hub.post(SECRETS, &secret()).await.ok();
    let same = json!({"stringData": {"token": CANARY}, "metadata": {"annotations": {LAST_APPLIED: secret()["metadata"]["annotations"][LAST_APPLIED]}}});
    let again = hub.patch(&path, MERGE, &same).await.ok();
    assert_eq!(
        again["metadata"]["resourceVersion"],
        made["metadata"]["resourceVersion"]
    );
    let other = hub
        .patch(&path, MERGE, &json!({"stringData": {"token": "another"}}))
        .await
        .ok();
    assert_ne!(
        other["metadata"]["resourceVersion"],
        made["metadata"]["resourceVersion"]
    );
}

#[tokio::test]
async fn other_secrets_are_returned_to_whoever_may_read_them() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let path = "/api/v1/namespaces/shop/secrets";
    let body =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": "x"}});
    let made = hub.post(path, &body).await.ok();
    assert_eq!(
        (&made["data"], &made["type"], &made["stringData"]),
        (&json!({"password": "eA=="}), &json!("Opaque"), &Value::Null)
    );
    let bad =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bad"}, "data": {"password": "not base64"}});
    assert_eq!(hub.post(path, &bad).await.fields(), ["data[password]"]);
    let bearer = format!("Bearer {}", hub.person("bob", false).await);
    let request = Request::get(format!("/k8s/hub{path}")).header("authorization", bearer);
    let response = hub.send(request, Body::empty()).await;
    assert_eq!(response.status(), 403);
    let text = String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
    assert!(!text.contains("eA=="));
}
