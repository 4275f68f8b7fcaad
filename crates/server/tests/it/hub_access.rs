//! Who gets into the hub's API, and what they are told.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use super::hub_fixture::{Answer, DEPLOYMENTS, Hub, Lines};

async fn with_authorization(hub: &Hub, path: &str, authorization: &str) -> Answer {
    let request = Request::get(format!("/k8s/hub{path}")).header("authorization", authorization);
    Answer::read(hub.send(request, Body::empty()).await).await
}

#[tokio::test]
async fn nothing_is_answered_without_a_bearer() {
    let hub = Hub::start().await;
    for path in [
        "/api",
        "/apis",
        "/version",
        "/openapi/v3",
        "/livez",
        "/api/v1/namespaces",
        DEPLOYMENTS,
        "/nothing",
    ] {
        for authorization in ["", "Bearer ", "Bearer atoll_wrong", "Basic YTpi", "Bearer a.b.c"] {
            let answer = with_authorization(&hub, path, authorization).await;
            assert!(
                matches!(answer.code.as_u16(), 400 | 401),
                "{path} {authorization:?}: {}",
                answer.code
            );
            assert_eq!(answer.body["kind"], "Status");
        }
        let cookie = Request::get(format!("/k8s/hub{path}"))
            .header("authorization", "")
            .header("cookie", format!("atoll-session={}", hub.token));
        assert!(!hub.send(cookie, Body::empty()).await.status().is_success(), "{path}");
    }
    assert_eq!(hub.get("/livez").await.ok(), "ok");
    assert_eq!(hub.get("/readyz").await.ok(), "ok");
}

#[tokio::test]
async fn who_is_no_administrator_is_refused_in_kubernetes_words() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let bearer = format!("Bearer {}", hub.person("bob", false).await);
    let refused = with_authorization(&hub, DEPLOYMENTS, &bearer)
        .await
        .failed(403, "Forbidden");
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("User \"atoll:bob\" cannot list resource \"federateddeployments\""),
        "{message}"
    );
    // Discovery is for everybody who is signed in.
    with_authorization(&hub, "/apis", &bearer).await.ok();
}

#[tokio::test]
async fn callers_learn_who_they_are_and_what_they_may() {
    let hub = Hub::start().await;
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let answer = hub
        .post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &review)
        .await
        .ok();
    assert_eq!(
        answer["status"]["userInfo"],
        json!({"username": "atoll:ada", "groups": ["atoll:admins", "system:authenticated"]})
    );
    let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "delete", "group": "types.kubefed.io", "resource": "federateddeployments", "namespace": "shop"}}});
    let answer = hub
        .post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review)
        .await
        .ok();
    assert_eq!(answer["status"]["allowed"], true);
}

#[tokio::test]
async fn a_call_from_within_takes_the_way_of_a_request() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let kind = atoll_federation::types::find("deployments.apps").unwrap();
    let who = |token: String| {
        let headers = [("authorization", format!("Bearer {token}"))];
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        async move { headers }
    };
    let caller = |headers: http::HeaderMap| {
        let state = hub.state.clone();
        async move { atoll_server::auth::any_caller(&headers, true, &state).await.unwrap() }
    };
    let ada = caller(who(hub.token.clone()).await).await;
    let path = atoll_server::hub::collection_path(kind, "shop");
    let body = super::hub_fixture::deployment("web");
    let made = atoll_server::hub::call(&hub.state, ada.context("1"), Method::POST, &path, Some(&body))
        .await
        .unwrap();
    assert_eq!(made.value["metadata"]["managedFields"][0]["manager"], "atoll-console");
    let path = atoll_server::hub::object_path(kind, "shop", "web");
    let change = json!({"spec": {"placement": {"clusterNames": ["eu-1"]}}});
    let changed = atoll_server::hub::call(&hub.state, ada.context("2"), Method::PATCH, &path, Some(&change))
        .await
        .unwrap();
    assert!(
        changed
            .warnings
            .iter()
            .any(|warning| warning.contains("clusters: [{name: …}]")),
        "{:?}",
        changed.warnings
    );
    let bad = json!({"spec": {"template": {"spec": {"replicas": "x"}}}});
    let refused = atoll_server::hub::call(&hub.state, ada.context("3"), Method::PATCH, &path, Some(&bad))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code, refused.details.unwrap().causes[0].field.as_str()),
        (422, "spec.template.spec.replicas")
    );
    let bob = caller(who(hub.person("bob", false).await).await).await;
    let refused = atoll_server::hub::call(&hub.state, bob.context("4"), Method::GET, &path, None)
        .await
        .unwrap_err();
    assert_eq!(refused.code, 403);
}

/// AU-11
#[tokio::test]
async fn a_watch_ends_when_its_token_is_revoked() {
    let hub = Hub::start().await;
    let mut lines = Lines::open(&hub, "/api/v1/namespaces?watch=1&resourceVersion=0").await;
    assert_eq!(lines.named().await.0, "ADDED");
    hub.state.store.delete_token("ada", hub.token_id).await.unwrap();
    // Streams ask again after 20 s in any case.
    let ended = tokio::time::timeout(std::time::Duration::from_secs(15), async {
        while lines.next().await.is_some() {}
    });
    ended.await.expect("the watch ends");
}

#[tokio::test]
async fn discovery_names_kinds_short_names_and_subresources() {
    let hub = Hub::start().await;
    let list = hub.get("/apis/core.kubefed.io/v1beta1").await.ok();
    let resources = list["resources"].as_array().unwrap();
    let find = |name: &str| resources.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(find("kubefedclusters")["shortNames"], json!(["kfc"]));
    assert_eq!(find("kubefedclusters/status")["kind"], "KubeFedCluster");
    let version: Value = hub.get("/version").await.ok();
    assert!(version["gitVersion"].as_str().unwrap().starts_with("v1."));
}
