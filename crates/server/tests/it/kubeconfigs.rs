//! Kubeconfigs for people: what they hold, and that they work.

use serde_json::{Value, json};

use super::harness::{Hub, member};

async fn kubeconfig(hub: &Hub, token: &str, body: Value) -> Value {
    let answer = hub.post("/api/v1/kubeconfigs", &body).bearer(token).send().await;
    assert_eq!(
        (answer.code.as_u16(), answer.header("content-type")),
        (201, "application/yaml"),
        "{}",
        answer.text
    );
    serde_saphyr::from_str(&answer.text).unwrap()
}

#[tokio::test]
async fn it_holds_the_hub_and_the_clusters_with_a_token_made_for_it() {
    let hub = Hub::start().await;
    let session = hub.sign_in().await;
    let (eu, us) = (member("eu-1").await, member("us-1").await);
    hub.register(&session, &eu, "eu-1", json!({})).await;
    hub.register(&session, &us, "us-1", json!({})).await;
    let contexts = |document: &Value| -> Vec<String> {
        let contexts = document["contexts"].as_array().unwrap().iter();
        contexts
            .map(|context| context["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = kubeconfig(&hub, &session, json!({})).await;
    assert_eq!(
        (&all["kind"], &all["current-context"]),
        (&json!("Config"), &json!("hub"))
    );
    assert_eq!(contexts(&all), ["hub", "eu-1", "us-1"]);
    let some = kubeconfig(&hub, &session, json!({"clusters": ["us-1"]})).await;
    assert_eq!(contexts(&some), ["hub", "us-1"]);
    let servers: Vec<&Value> = some["clusters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["cluster"]["server"])
        .collect();
    assert_eq!(
        servers,
        ["https://hub.example/k8s/hub", "https://hub.example/k8s/clusters/us-1"]
    );
    assert!(some["clusters"][0]["cluster"]["certificate-authority-data"].is_string());

    let token = some["users"][0]["user"]["token"].as_str().unwrap();
    hub.get("/k8s/hub/api/v1/namespaces/default")
        .bearer(token)
        .send()
        .await
        .ok(200);
    let unknown = hub
        .post("/api/v1/kubeconfigs", &json!({"clusters": ["nobody"]}))
        .bearer(&session);
    unknown.send().await.refused(404, "NotFound");
    let tokens = hub.get("/api/v1/tokens").bearer(&session).send().await.ok(200);
    assert_eq!(tokens["totalItems"], 2, "a refused one makes no token");
    eu.stop().await;
    us.stop().await;
}

#[tokio::test]
async fn its_token_reaches_the_members_as_the_person_it_was_made_for() {
    let hub = Hub::start().await;
    let session = hub.sign_in().await;
    let eu = member("eu-1").await;
    hub.register(&session, &eu, "eu-1", json!({})).await;
    hub.wait_for_state(&session, "eu-1", "Ready").await;
    let document = kubeconfig(&hub, &session, json!({})).await;
    let token = document["users"][0]["user"]["token"].as_str().unwrap();
    let nodes = hub
        .get("/k8s/clusters/eu-1/api/v1/nodes")
        .bearer(token)
        .send()
        .await
        .ok(200);
    assert_eq!(nodes["items"].as_array().unwrap().len(), 3);
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let path = "/k8s/clusters/eu-1/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let who = hub.post(path, &review).bearer(token).send().await.ok(201);
    assert_eq!(who["status"]["userInfo"]["username"], "atoll:admin");
    eu.stop().await;
}
