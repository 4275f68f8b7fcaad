//! Every operation of the console API's document, asked by nobody, by a stranger, and by somebody without rights.
//! A new operation is tested here without being named.

use atoll_server::openapi::{console, operations};
use http::Method;
use serde_json::json;

use super::harness::Hub;

/// Operations that need no credential.
const OPEN: [&str; 1] = ["create_session"];
/// Operations that everybody may call who has signed in: they are about the caller.
const OWN: [&str; 5] = [
    "delete_session",
    "get_me",
    "list_tokens",
    "create_token",
    "delete_token",
];

struct Operation {
    id: String,
    method: Method,
    path: String,
}

fn all() -> Vec<Operation> {
    let mut document = console();
    let mut all = Vec::new();
    for (path, item) in &mut document.paths.paths {
        let methods = [
            (Method::GET, item.get.is_some()),
            (Method::PUT, item.put.is_some()),
            (Method::POST, item.post.is_some()),
            (Method::DELETE, item.delete.is_some()),
            (Method::PATCH, item.patch.is_some()),
        ];
        let methods = methods
            .into_iter()
            .filter(|(_, there)| *there)
            .map(|(method, _)| method);
        for (method, operation) in methods.zip(operations(item)) {
            all.push(Operation {
                id: operation.operation_id.clone().unwrap(),
                method,
                path: path
                    .replace("{id}", &uuid::Uuid::nil().to_string())
                    .replace(['{', '}'], ""),
            });
        }
    }
    all
}

#[tokio::test]
async fn nobody_and_strangers_get_401_from_every_operation() {
    let hub = Hub::start().await;
    let other_hub = Hub::start().await;
    let foreign = other_hub.sign_in().await;
    let wrong = [
        "Bearer x",
        "Bearer a.b.c",
        "Bearer atoll_wrong",
        &format!("Bearer {foreign}"),
        "Basic YWRtaW46eA==",
    ];
    let operations = all();
    assert!(operations.len() >= 20);
    for operation in operations
        .iter()
        .filter(|operation| !OPEN.contains(&operation.id.as_str()))
    {
        let ask = || hub.ask(operation.method.clone(), &operation.path).json(&json!({}));
        ask().send().await.refused(401, "Unauthorized");
        for authorization in wrong {
            ask()
                .header("authorization", authorization)
                .send()
                .await
                .refused(401, "Unauthorized");
        }
        ask()
            .header("cookie", "__Host-atoll=x")
            .header("x-atoll-key", "x")
            .send()
            .await
            .refused(401, "Unauthorized");
        let in_query = hub.ask(
            operation.method.clone(),
            &format!("{}?token={foreign}&access_token={foreign}", operation.path),
        );
        in_query.json(&json!({})).send().await.refused(401, "Unauthorized");
    }
}

#[tokio::test]
async fn somebody_without_rights_gets_nothing_but_their_own() {
    let hub = Hub::start().await;
    hub.person("bob", false).await;
    let token = hub.sign_in_as("bob").await;
    for operation in all() {
        if OPEN.contains(&operation.id.as_str()) || OWN.contains(&operation.id.as_str()) {
            continue;
        }
        let body = json!({"name": "x", "kubeconfig": "x", "object": {"kind": "FederatedDeployment"}});
        let body = match operation.id.as_str() {
            "create_kubeconfig" => json!({}),
            "update_cluster" => json!({"alias": "x"}),
            "check_connection" | "replace_credential" => json!({"kubeconfig": "x"}),
            "create_federated" | "replace_federated" | "preview_federated" => json!({"object": {}}),
            "answer_hold" => json!({"answer": "delete", "token": "x"}),
            "register_cluster" => json!({"name": "x", "kubeconfig": "x"}),
            _ => body,
        };
        let answer = hub
            .ask(operation.method.clone(), &operation.path)
            .json(&body)
            .bearer(&token)
            .send()
            .await;
        assert!(
            matches!(answer.code.as_u16(), 403 | 404),
            "{}: {} {}",
            operation.id,
            answer.code,
            answer.text
        );
        assert_eq!(answer.json()["kind"], "Status", "{}", operation.id);
    }
    hub.get("/k8s/hub/api/v1/namespaces")
        .bearer(&token)
        .send()
        .await
        .refused(403, "Forbidden");
    hub.get("/k8s/clusters/eu-1/api/v1/pods")
        .bearer(&token)
        .send()
        .await
        .refused(404, "NotFound");
}

#[tokio::test]
async fn a_cluster_that_exists_looks_the_same_as_none_to_who_may_not_know() {
    let hub = Hub::start().await;
    hub.person("bob", false).await;
    let admin = hub.sign_in().await;
    let bob = hub.sign_in_as("bob").await;
    let member = super::harness::member("eu-1").await;
    hub.register(&admin, &member, "eu-1", json!({})).await;
    let ask = async |name: &str| {
        let answer = hub.get(&format!("/api/v1/clusters/{name}")).bearer(&bob).send().await;
        (answer.code, answer.text.replace(name, "NAME"))
    };
    assert_eq!(ask("eu-1").await, ask("us-1").await);
    member.stop().await;
}
