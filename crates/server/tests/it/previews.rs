//! What would happen, told before it does: by the console API, and in the status of a dry run.

use http::Method;
use serde_json::{Value, json};

use super::harness::{World, eventually};

const HUB: &str = "/k8s/hub/apis/types.kubefed.io/v1beta1/namespaces/shop";

fn federated(kind: &str, name: &str, clusters: &[&str], template: Value) -> Value {
    let clusters: Vec<Value> = clusters.iter().map(|name| json!({"name": name})).collect();
    json!({
        "apiVersion": "types.kubefed.io/v1beta1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"template": template, "placement": {"clusters": clusters}},
    })
}

/// What is told of one cluster.
fn of<'a>(plan: &'a Value, cluster: &str) -> &'a Value {
    let mut clusters = plan["clusters"].as_array().unwrap().iter();
    clusters.find(|one| one["name"] == cluster).unwrap()
}

impl World {
    /// Makes an object with its namespace, and waits until it is where it should be.
    async fn make(&self, resource: &str, object: &Value) {
        let path = format!("/api/v1/federated/{resource}");
        let body = json!({"object": object, "createNamespace": true});
        self.hub.post(&path, &body).bearer(&self.token).send().await.ok(201);
        let path = format!("{path}/shop/{}", object["metadata"]["name"].as_str().unwrap());
        eventually("it is ready", || async {
            let detail = self.hub.get(&path).bearer(&self.token).send().await.ok(200);
            (detail["summary"]["state"] == "Ready").then_some(())
        })
        .await;
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let answer = self.hub.ask(method, path).json(body).bearer(&self.token).send().await;
        assert!(answer.code.is_success(), "{path}: {} {}", answer.code, answer.text);
        answer.json()
    }

    async fn preview(&self, object: &Value) -> Value {
        self.ask(Method::POST, "/api/v1/federated/preview", &json!({"object": object}))
            .await
    }
}

#[tokio::test]
async fn a_dry_run_answers_the_plan_in_the_status_and_saves_nothing() {
    let world = World::start().await;
    let colour = |value: &str, clusters: &[&str]| {
        federated(
            "FederatedConfigMap",
            "web",
            clusters,
            json!({"data": {"colour": value}}),
        )
    };
    world.make("configmaps", &colour("red", &["eu-1"])).await;

    let created = federated("FederatedConfigMap", "new", &["us-1"], json!({"data": {"a": "b"}}));
    let answer = world
        .ask(Method::POST, &format!("{HUB}/federatedconfigmaps?dryRun=All"), &created)
        .await;
    let plan = &answer["status"]["plan"];
    assert_eq!(of(plan, "eu-1")["action"], "none", "{plan}");
    assert_eq!(of(plan, "eu-1")["message"], "spec.placement.clusters does not name it");
    // Its namespace goes to eu-1 alone.
    assert_eq!(of(plan, "us-1")["action"], "none", "{plan}");
    assert!(
        of(plan, "us-1")["message"]
            .as_str()
            .unwrap()
            .contains("FederatedNamespace shop"),
        "{plan}"
    );

    let path = format!("{HUB}/federatedconfigmaps/web");
    let stored = world.ask(Method::GET, &path, &json!({})).await;
    let mut changed = stored.clone();
    changed["spec"]["template"]["data"] = json!({"size": "5"});
    let answer = world.ask(Method::PUT, &format!("{path}?dryRun=All"), &changed).await;
    let eu = of(&answer["status"]["plan"], "eu-1");
    assert_eq!(eu["action"], "update", "{eu}");
    assert_eq!(
        eu["changes"],
        json!([{"path": "data.colour", "before": "red"}, {"path": "data.size", "after": "5"}])
    );
    assert!(eu.get("object").is_none(), "{eu}");

    let patch = world
        .hub
        .ask(Method::PATCH, &format!("{path}?dryRun=All"))
        .text(
            "application/merge-patch+json",
            r#"{"spec": {"placement": {"clusters": []}}}"#,
        )
        .bearer(&world.token)
        .send()
        .await
        .ok(200);
    assert_eq!(of(&patch["status"]["plan"], "eu-1")["action"], "delete", "{patch}");

    let deleted = world
        .ask(Method::DELETE, &format!("{path}?dryRun=All"), &json!({}))
        .await;
    let eu = of(&deleted["status"]["plan"], "eu-1");
    assert_eq!(
        (&eu["action"], &eu["message"]),
        (&json!("delete"), &json!("it goes with the federated object"))
    );
    assert_eq!(of(&deleted["status"]["plan"], "us-1")["action"], "none");

    // What is applied already plans nothing, so that `kubectl diff` stays empty.
    let same = world.ask(Method::PUT, &format!("{path}?dryRun=All"), &stored).await;
    assert!(same["status"]["plan"].is_null(), "{same}");
    let after = world.ask(Method::GET, &path, &json!({})).await;
    assert_eq!(after["metadata"]["generation"], stored["metadata"]["generation"]);
    assert!(after["status"]["plan"].is_null() && after["metadata"]["deletionTimestamp"].is_null());
    world.stop().await;
}

#[tokio::test]
async fn a_change_is_told_field_by_field_and_secrets_by_name_alone() {
    let world = World::start().await;
    let secret = |data: Value| {
        federated(
            "FederatedSecret",
            "key",
            &["eu-1"],
            json!({"type": "Opaque", "data": data}),
        )
    };
    world
        .make(
            "secrets",
            &secret(json!({"password": "b2xkLXBhc3N3b3Jk", "gone": "Z29uZS1zZWNyZXQ="})),
        )
        .await;
    let told = world.preview(&secret(json!({"password": "bmV3LXBhc3N3b3Jk"}))).await;
    let eu = of(&told, "eu-1");
    assert_eq!(eu["action"], "update", "{eu}");
    assert_eq!(
        eu["changes"],
        json!([
            {"path": "data.gone", "before": "******", "after": null},
            {"path": "data.password", "before": "******", "after": "******"},
        ])
    );
    let text = told.to_string();
    for value in ["b2xkLXBhc3N3b3Jk", "bmV3LXBhc3N3b3Jk", "Z29uZS1zZWNyZXQ="] {
        assert!(!text.contains(value), "{text}");
    }
    assert_eq!(of(&told, "us-1")["message"], "spec.placement.clusters does not name it");
    world.stop().await;
}

#[tokio::test]
async fn namespaces_preferences_and_yaml_are_previewed_too() {
    let world = World::start().await;
    let template = json!({"spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}},
    }});
    world
        .make(
            "deployments.apps",
            &federated("FederatedDeployment", "web", &["eu-1", "us-1"], template),
        )
        .await;

    let narrower = federated("FederatedNamespace", "shop", &["eu-1"], json!({}));
    let told = world.preview(&narrower).await;
    assert_eq!(of(&told, "eu-1")["action"], "unchanged", "{told}");
    assert_eq!(of(&told, "us-1")["action"], "delete", "{told}");

    let preference = json!({
        "apiVersion": "scheduling.kubefed.io/v1alpha1", "kind": "ReplicaSchedulingPreference",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"targetKind": "FederatedDeployment", "totalReplicas": 9, "clusters": {"eu-1": {"weight": 2}, "us-1": {"weight": 1}}},
    });
    let told = world.preview(&preference).await;
    assert_eq!(
        (&of(&told, "eu-1")["replicas"], &of(&told, "us-1")["replicas"]),
        (&json!(6), &json!(3)),
        "{told}"
    );
    assert_eq!(
        of(&told, "eu-1")["changes"],
        json!([{"path": "spec.replicas", "before": 2, "after": 6}])
    );
    let path = "/k8s/hub/apis/scheduling.kubefed.io/v1alpha1/namespaces/shop/replicaschedulingpreferences";
    let answer = world
        .ask(Method::POST, &format!("{path}?dryRun=All"), &preference)
        .await;
    assert_eq!(of(&answer["status"]["plan"], "us-1")["replicas"], 3, "{answer}");
    let mut elsewhere = preference.clone();
    elsewhere["metadata"]["name"] = json!("other");
    let body = json!({"object": elsewhere});
    world
        .hub
        .post("/api/v1/federated/preview", &body)
        .bearer(&world.token)
        .send()
        .await
        .refused(404, "NotFound");

    let yaml = "apiVersion: types.kubefed.io/v1beta1\nkind: FederatedConfigMap\nmetadata: {name: a, namespace: shop}\nspec:\n  template:\n    data: {a: b}\n  placement:\n    clusters: [{name: us-1}]\n";
    assert_eq!(of(&world.preview(&json!(yaml)).await, "us-1")["action"], "create");
    let body = json!({"object": "a: [b"});
    let broken = world
        .hub
        .post("/api/v1/federated/preview", &body)
        .bearer(&world.token)
        .send()
        .await;
    broken.refused(400, "BadRequest");
    world.stop().await;
}

#[tokio::test]
async fn the_types_are_those_that_are_configured_with_what_happened_to_their_objects() {
    let world = World::start().await;
    let types = world.ask(Method::GET, "/api/v1/federated/types", &json!({})).await;
    let items = types["items"].as_array().unwrap();
    assert!(items.len() >= 23, "{}", items.len());
    let deployments = items.iter().find(|one| one["resource"] == "deployments.apps").unwrap();
    assert_eq!(
        deployments,
        &json!({
            "resource": "deployments.apps", "kind": "FederatedDeployment", "group": "types.kubefed.io",
            "version": "v1beta1", "namespaced": true, "shortNames": ["fdeploy"], "hasReplicas": true, "propagated": true,
            "target": {"group": "apps", "version": "v1", "kind": "Deployment", "namespaced": true},
        })
    );
    let object = federated("FederatedConfigMap", "web", &["eu-1"], json!({"data": {"a": "b"}}));
    world.make("configmaps", &object).await;
    eventually("its creation is told", || async {
        let path = "/api/v1/federated/configmaps/shop/web/events";
        let events = world.ask(Method::GET, path, &json!({})).await;
        let told = events["items"]
            .as_array()?
            .iter()
            .find(|one| one["reason"] == "CreateInCluster")?
            .clone();
        (told["warning"] == false && told["message"].as_str()?.contains("eu-1")).then_some(())
    })
    .await;
    world.stop().await;
}
