//! Federated objects by way of the console API.

use http::Method;
use serde_json::{Value, json};

use super::harness::{Hub, World, eventually, member};

const RESOURCE: &str = "/api/v1/federated/deployments.apps";

fn deployment(namespace: &str, clusters: &[&str]) -> Value {
    let clusters: Vec<Value> = clusters.iter().map(|name| json!({"name": name})).collect();
    json!({
        "apiVersion": "types.kubefed.io/v1beta1",
        "kind": "FederatedDeployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "replicas": 2,
                    "selector": {"matchLabels": {"app": "web"}},
                    "template": {
                        "metadata": {"labels": {"app": "web"}},
                        "spec": {"containers": [{"name": "web", "image": "web:1.0"}]},
                    },
                },
            },
            "placement": {"clusters": clusters},
            "overrides": [{"clusterName": "us-1", "clusterOverrides": [
                {"path": "/spec/replicas", "value": 3},
                {"path": "/spec/template/spec/containers/0/image", "value": "web:1.1"},
            ]}],
        },
    })
}

#[tokio::test]
async fn an_object_made_with_its_namespace_is_ready_on_both_clusters_and_can_be_scaled_and_deleted() {
    let world = World::start().await;
    let World { hub, token, .. } = &world;
    let body = json!({"object": deployment("shop", &["eu-1", "us-1"]), "createNamespace": true});
    let made = hub.post(RESOURCE, &body).bearer(token).send().await.ok(201);
    let kinds: Vec<&Value> = made["created"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["kind"])
        .collect();
    assert_eq!(kinds, ["Namespace", "FederatedNamespace", "FederatedDeployment"]);
    assert_eq!(
        (&made["summary"]["name"], &made["summary"]["images"]),
        (&json!("web"), &json!(["web:1.0"]))
    );

    let path = format!("{RESOURCE}/shop/web");
    let ready = |sum: i64| {
        let path = &path;
        async move {
            let detail = hub.get(path).bearer(token).send().await.ok(200);
            let summary = &detail["summary"];
            (summary["state"] == "Ready" && summary["readyReplicas"] == sum).then_some(detail)
        }
    };
    let detail = eventually("5 replicas are ready", || ready(5)).await;
    let clusters = detail["summary"]["clusters"].as_array().unwrap();
    assert_eq!(
        (&clusters[0]["name"], &clusters[0]["status"], &clusters[0]["images"]),
        (&json!("eu-1"), &json!("OK"), &json!(["web:1.0"]))
    );
    assert_eq!(
        (&clusters[1]["desiredReplicas"], &clusters[1]["images"]),
        (&json!(3), &json!(["web:1.1"]))
    );

    let change = async || {
        let mut object = hub.get(&path).bearer(token).send().await.ok(200)["object"].clone();
        object["spec"]["template"]["spec"]["replicas"] = json!(4);
        hub.put(&path, &json!({"object": object})).bearer(token).send().await
    };
    eventually("a write meets no newer one", || async {
        (change().await.code == 200).then_some(())
    })
    .await;
    eventually("7 replicas are ready", || ready(7)).await;

    hub.delete(&path).bearer(token).send().await.ok(204);
    eventually("it is gone", || async {
        (hub.get(&path).bearer(token).send().await.code == 404).then_some(())
    })
    .await;
    world.stop().await;
}

#[tokio::test]
async fn writes_meet_the_same_admission_and_conflicts_as_kubectl() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let mut bad = deployment("shop", &["eu-1"]);
    bad["spec"]["overrides"][0]["clusterOverrides"][0]["path"] = json!("/metadata/name");
    let body = json!({"object": bad, "createNamespace": true});
    let status = hub
        .post(RESOURCE, &body)
        .bearer(&token)
        .send()
        .await
        .refused(422, "Invalid");
    let field = status["details"]["causes"][0]["field"].as_str().unwrap();
    assert!(field.starts_with("spec.overrides[0].clusterOverrides[0]"), "{field}");
    hub.get("/k8s/hub/api/v1/namespaces/shop")
        .bearer(&token)
        .send()
        .await
        .refused(404, "NotFound");

    let body = json!({"object": deployment("shop", &["eu-1"])});
    hub.post(RESOURCE, &body)
        .bearer(&token)
        .send()
        .await
        .refused(404, "NotFound");
    let body = json!({"object": deployment("shop", &["eu-1"]), "createNamespace": true});
    let made = hub.post(RESOURCE, &body).bearer(&token).send().await.ok(201);
    hub.post(RESOURCE, &body)
        .bearer(&token)
        .send()
        .await
        .refused(409, "AlreadyExists");

    let path = format!("{RESOURCE}/shop/web");
    let mut old = made["object"].clone();
    old["metadata"]["resourceVersion"] = json!("1");
    hub.put(&path, &json!({"object": old}))
        .bearer(&token)
        .send()
        .await
        .refused(409, "Conflict");
    let mut other = made["object"].clone();
    other["metadata"]["name"] = json!("other");
    let status = hub
        .put(&path, &json!({"object": other}))
        .bearer(&token)
        .send()
        .await
        .refused(422, "Invalid");
    assert_eq!(status["details"]["causes"][0]["field"], "object.metadata.name");
    let mut unknown = made["object"].clone();
    unknown["spec"]["colour"] = json!("red");
    let refused = hub.put(&path, &json!({"object": unknown})).bearer(&token).send().await;
    assert!(refused.text.contains("colour"), "{}", refused.text);
    assert!(refused.code.is_client_error());
}

#[tokio::test]
async fn a_namespace_that_lists_its_clusters_is_widened_for_a_new_object() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let body = json!({"object": deployment("shop", &["eu-1"]), "createNamespace": true});
    hub.post(RESOURCE, &body).bearer(&token).send().await.ok(201);
    let mut second = deployment("shop", &["eu-1", "us-1"]);
    second["metadata"]["name"] = json!("api");
    let made = hub
        .post(RESOURCE, &json!({"object": second, "createNamespace": true}))
        .bearer(&token)
        .send()
        .await
        .ok(201);
    assert_eq!(made["created"].as_array().unwrap().len(), 1);
    let path = "/k8s/hub/apis/types.kubefed.io/v1beta1/namespaces/shop/federatednamespaces/shop";
    let namespace = hub.get(path).bearer(&token).send().await.ok(200);
    assert_eq!(
        namespace["spec"]["placement"]["clusters"],
        json!([{"name": "eu-1"}, {"name": "us-1"}])
    );
}

#[tokio::test]
async fn a_preview_tells_what_would_happen_and_saves_nothing() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let (eu, us) = (member("eu-1").await, member("us-1").await);
    for (one, name) in [(&eu, "eu-1"), (&us, "us-1")] {
        hub.register(&token, one, name, json!({})).await;
        hub.wait_for_state(&token, name, "Ready").await;
    }
    let preview = async |object: Value| {
        hub.post("/api/v1/federated/preview", &json!({"object": object}))
            .bearer(&token)
            .send()
            .await
    };
    let answer = preview(deployment("shop", &["eu-1", "us-1"])).await.ok(200);
    let told: Vec<(&Value, &Value, &Value)> = answer["clusters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cluster| (&cluster["name"], &cluster["action"], &cluster["replicas"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("eu-1"), &json!("create"), &json!(2)),
            (&json!("us-1"), &json!("create"), &json!(3))
        ],
        "{answer}"
    );
    let image = answer["clusters"][1]["object"].pointer("/spec/template/spec/containers/0/image");
    assert_eq!(image, Some(&json!("web:1.1")));
    hub.get("/k8s/hub/api/v1/namespaces/shop")
        .bearer(&token)
        .send()
        .await
        .refused(404, "NotFound");
    assert_eq!(hub.get(RESOURCE).bearer(&token).send().await.ok(200)["totalItems"], 0);

    let mut bad = deployment("shop", &["eu-1"]);
    bad["spec"]["placement"]["clusters"] = json!("eu-1");
    preview(bad).await.refused(422, "Invalid");
    for (object, said) in [
        (
            json!({"kind": "Deployment"}),
            "object.kind: \"Deployment\" is no federated kind of this hub",
        ),
        (json!("text"), "object.kind: must be there, such as FederatedDeployment"),
    ] {
        assert_eq!(preview(object).await.refused(422, "Invalid")["message"], said);
    }
    eu.stop().await;
    us.stop().await;
}

#[tokio::test]
async fn lists_are_by_type_and_unknown_types_are_not_found() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    for (namespace, name) in [("shop", "b"), ("pay", "a"), ("shop", "c")] {
        let mut object = deployment(namespace, &["eu-1"]);
        object["metadata"]["name"] = json!(name);
        hub.post(RESOURCE, &json!({"object": object, "createNamespace": true}))
            .bearer(&token)
            .send()
            .await
            .ok(201);
    }
    let names = async |query: &str| {
        let list = hub
            .get(&format!("{RESOURCE}?{query}"))
            .bearer(&token)
            .send()
            .await
            .ok(200);
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names("").await, "a b c");
    assert_eq!(names("namespace=shop").await, "b c");
    assert_eq!(names("sortBy=namespace&ascending=false").await, "c b a");
    assert_eq!(names("name=b").await, "b");
    for path in [
        "/api/v1/federated/pods",
        "/api/v1/federated/deployments.apps/shop/none",
        "/api/v1/federated/deployments.apps/..%2f/x",
    ] {
        hub.get(path).bearer(&token).send().await.refused(404, "NotFound");
    }
    let odd = hub
        .ask(Method::GET, &format!("{RESOURCE}?colour=red"))
        .bearer(&token)
        .send()
        .await;
    odd.refused(400, "BadRequest");
}
