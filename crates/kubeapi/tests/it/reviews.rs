use serde_json::json;

use crate::fixture::Server;

#[tokio::test]
async fn whoami_says_who_asks() {
    let server = Server::new();
    let review = server
        .post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json!({}))
        .await
        .ok();
    assert_eq!(
        review["status"]["userInfo"],
        json!({"username": "ann", "groups": ["staff"]})
    );
}

#[tokio::test]
async fn may_i_is_answered_by_authorization() {
    let server = Server::new();
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let review = server
        .post(
            path,
            json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}),
        )
        .await;
    assert_eq!(
        (review.code.as_u16(), &review.body["status"]["allowed"]),
        (201, &json!(true))
    );
    let review = server
        .post(
            path,
            json!({"spec": {"nonResourceAttributes": {"verb": "get", "path": "/version"}}}),
        )
        .await
        .ok();
    assert_eq!(review["status"]["allowed"], true);
    let review = server
        .post(
            path,
            json!({"spec": {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}}),
        )
        .await
        .ok();
    assert_eq!(review["status"]["allowed"], false);
    server.get(path).await.failed(405, "MethodNotAllowed");
}

#[tokio::test]
async fn rules_are_found_by_asking_for_each_verb() {
    let server = Server::new();
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let review = server.post(path, json!({"spec": {"namespace": "shop"}})).await.ok();
    let rules = review["status"]["resourceRules"].as_array().unwrap();
    assert!(
        rules
            .iter()
            .any(|rule| rule["resources"] == json!(["widgets"]) && rule["verbs"].as_array().unwrap().len() == 8)
    );
}
