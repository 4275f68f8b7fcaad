//! What would happen with plain objects in the manner of Federation v1: a dry run warns of it, and puts the plan into
//! the status where there is one.

use http::Method;
use serde_json::{Value, json};

use super::harness::{Answer, World};

const HUB: &str = "/k8s/hub";
const SELECTOR: &str = "federation.alpha.kubernetes.io/cluster-selector";

impl World {
    async fn dry(&self, path: &str, body: &Value) -> Answer {
        let path = format!("{HUB}{path}?dryRun=All");
        let request = self.hub.post(&path, body);
        request.bearer(&self.token).send().await
    }

    async fn save(&self, path: &str, body: &Value) {
        let request = self.hub.post(&format!("{HUB}{path}"), body);
        request.bearer(&self.token).send().await.ok(201);
    }
}

fn warnings(answer: &Answer) -> Vec<String> {
    let values = answer.headers.get_all("warning").iter();
    values
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect()
}

fn settings() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop"},
        "data": {"colour": "red"},
    })
}

#[tokio::test]
async fn a_dry_run_of_a_plain_object_says_where_it_would_go() {
    let world = World::start().await;
    let label = json!({"atoll.dev/federation-v1": "true"});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": label}});
    let answer = world.dry("/api/v1/namespaces", &namespace).await;
    let found = answer.ok(201);
    assert_eq!(found["status"]["plan"]["clusters"][0]["action"], "create", "{found}");
    let told = warnings(&answer).join("\n");
    assert!(told.contains("would be created in: eu-1, us-1"), "{told}");
    world.save("/api/v1/namespaces", &namespace).await;

    let cluster = format!("{HUB}/apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/kubefedclusters/eu-1");
    let labelled = world
        .hub
        .ask(Method::PATCH, &cluster)
        .text(
            "application/merge-patch+json",
            r#"{"metadata": {"labels": {"region": "eu"}}}"#,
        )
        .bearer(&world.token)
        .send()
        .await;
    labelled.ok(200);

    // There is no status to put it into.
    let mut config = settings();
    config["metadata"]["annotations"] = json!({SELECTOR: r#"[{"key": "region", "operator": "In", "values": ["eu"]}]"#});
    let maps = "/api/v1/namespaces/shop/configmaps";
    let answer = world.dry(maps, &config).await;
    assert!(answer.ok(201).get("status").is_none(), "{}", answer.text);
    let told = warnings(&answer).join("\n");
    let elsewhere = format!("not in: us-1 (annotation {SELECTOR} does not match its labels)");
    for expected in ["would be created in: eu-1", &elsewhere] {
        assert!(told.contains(expected), "{told}");
    }

    let web = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "replicas": 4,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "nginx:1"}]},
            },
        },
    });
    let deployments = "/apis/apps/v1/namespaces/shop/deployments";
    let answer = world.dry(deployments, &web).await;
    let found = answer.ok(201);
    let replicas: Vec<&Value> = found["status"]["plan"]["clusters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cluster| &cluster["replicas"])
        .collect();
    assert_eq!(replicas, [2, 2], "{found}");
    // As `kubectl apply --dry-run=server` asks.
    let path = format!("{HUB}{deployments}/web?dryRun=All&fieldManager=kubectl");
    let applied = world
        .hub
        .ask(Method::PATCH, &path)
        .text("application/apply-patch+yaml", &web.to_string())
        .bearer(&world.token)
        .send()
        .await;
    assert_eq!(applied.ok(201)["status"]["plan"], found["status"]["plan"]);

    for path in [format!("{HUB}{maps}/settings"), format!("{HUB}{deployments}/web")] {
        let saved = world.hub.get(&path).bearer(&world.token).send().await;
        saved.refused(404, "NotFound");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_dry_run_of_what_rests_on_the_hub_says_nothing() {
    let world = World::start().await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    world.save("/api/v1/namespaces", &namespace).await;
    let answer = world.dry("/api/v1/namespaces/shop/configmaps", &settings()).await;
    answer.ok(201);
    assert_eq!(warnings(&answer), Vec::<String>::new());
    world.stop().await;
}
