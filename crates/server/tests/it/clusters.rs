//! Clusters join, change and leave.

use http::Method;
use serde_json::{Value, json};

use super::harness::{Hub, eventually, member};

#[tokio::test]
async fn a_cluster_joins_and_is_ready_with_what_its_nodes_tell() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let eu = member("eu-1").await;
    let answer = hub
        .register(
            &token,
            &eu,
            "eu-1",
            json!({"alias": "Frankfurt", "labels": {"region": "eu"}, "role": "member"}),
        )
        .await;
    assert_eq!(
        (&answer["name"], &answer["alias"], &answer["role"]),
        (&json!("eu-1"), &json!("Frankfurt"), &json!("member"))
    );
    assert_eq!(answer["labels"], json!({"region": "eu"}));
    assert_eq!(answer["createdBy"], "admin");
    let binding =
        json!([{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "name": "atoll:admins"}]);
    assert_eq!(answer["created"], binding);

    let cluster = hub.wait_for_state(&token, "eu-1", "Ready").await;
    assert_eq!(
        (&cluster["nodeCount"], &cluster["readyNodeCount"]),
        (&json!(3), &json!(3))
    );
    assert!(cluster["kubernetesVersion"].as_str().unwrap().starts_with("v1."));
    assert!(cluster["capacity"]["cpuMillis"].as_i64().unwrap() > 0);
    assert!(cluster["uid"].is_string() && cluster["latencyMs"].is_number() && cluster["asOf"].is_string());
    assert_eq!(cluster["endpoint"], eu.endpoint());
    assert_eq!(cluster["conditions"][0]["type"], "Ready");
    eu.stop().await;
}

#[tokio::test]
async fn joining_can_be_followed_stage_by_stage() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let eu = member("eu-1").await;
    let body = json!({"name": "eu-1", "kubeconfig": eu.kubeconfig()});
    let ask = hub
        .post("/api/v1/clusters", &body)
        .bearer(&token)
        .header("accept", "application/x-ndjson");
    let lines = ask.send().await.lines();
    let stages: Vec<&str> = lines
        .iter()
        .filter(|line| line["state"] == "ok")
        .map(|line| line["stage"].as_str().unwrap())
        .collect();
    for stage in [
        "kubeconfig",
        "tcp",
        "tls",
        "signIn",
        "version",
        "permissions",
        "nodes",
        "identity",
    ] {
        assert!(stages.contains(&stage), "{stage} in {stages:?}");
    }
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["cluster"]["name"], &last["created"][0]["name"]),
        (&json!("eu-1"), &json!("atoll:admins"))
    );
    eu.stop().await;
}

#[tokio::test]
async fn a_check_tells_what_would_happen_and_who_has_the_cluster_already() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let eu = member("eu-1").await;
    let check = async || {
        let body = json!({"kubeconfig": eu.kubeconfig()});
        let answer = hub.post("/api/v1/connection-checks", &body).bearer(&token).send().await;
        answer.lines().pop().unwrap()["result"].clone()
    };
    let first = check().await;
    assert_eq!(
        (&first["ok"], &first["alreadyRegisteredAs"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(
        (&first["nodeCount"], &first["server"]),
        (&json!(3), &json!(eu.endpoint()))
    );
    assert_eq!(first["willCreate"][0]["name"], "atoll:admins");
    hub.register(&token, &eu, "frankfurt", json!({})).await;
    assert_eq!(check().await["alreadyRegisteredAs"], "frankfurt");
    eu.stop().await;
}

#[tokio::test]
async fn a_cluster_that_cannot_join_is_named_with_stage_and_hint() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let eu = member("eu-1").await;
    let (good, endpoint) = (eu.kubeconfig(), eu.endpoint().to_owned());
    let cases = [
        (good.replace("token:", "tokenFile:"), 422, "Invalid", "kubeconfig"),
        (good.replace("token: \"", "token: \"not-"), 422, "Invalid", "signIn"),
        (
            good.replace(&endpoint, "https://127.0.0.1:1"),
            503,
            "ServiceUnavailable",
            "tcp",
        ),
    ];
    for (kubeconfig, code, reason, stage) in cases {
        let body = json!({"name": "eu-1", "kubeconfig": kubeconfig});
        let answer = hub.post("/api/v1/clusters", &body).bearer(&token).send().await;
        let details = answer.refused(code, reason)["details"].clone();
        assert_eq!(
            (&details["cluster"], &details["stage"]),
            (&json!("eu-1"), &json!(stage))
        );
        assert!(details["hint"].is_string(), "{details}");
    }
    eu.stop().await;
}

#[tokio::test]
async fn one_cluster_is_registered_once_whatever_it_is_called() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let (eu, us) = (member("eu-1").await, member("us-1").await);
    hub.register(&token, &eu, "eu-1", json!({})).await;
    let again = json!({"name": "eu-2", "kubeconfig": eu.kubeconfig()});
    let status = hub
        .post("/api/v1/clusters", &again)
        .bearer(&token)
        .send()
        .await
        .refused(409, "AlreadyExists");
    assert!(status["message"].as_str().unwrap().contains("eu-1"));
    assert_eq!(
        (&status["details"]["cluster"], &status["details"]["stage"]),
        (&json!("eu-1"), &json!("identity"))
    );
    assert!(status["details"]["hint"].is_string(), "{status}");
    let same_name = json!({"name": "eu-1", "kubeconfig": us.kubeconfig()});
    let status = hub
        .post("/api/v1/clusters", &same_name)
        .bearer(&token)
        .send()
        .await
        .refused(409, "AlreadyExists");
    assert!(
        status["details"].get("stage").is_none(),
        "the name is at fault, not the connection"
    );
    assert_eq!(
        hub.get("/api/v1/clusters").bearer(&token).send().await.ok(200)["totalItems"],
        1
    );
    eu.stop().await;
    us.stop().await;
}

#[tokio::test]
async fn there_is_one_host_at_most() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let (host, eu) = (member("host").await, member("eu-1").await);
    hub.register(&token, &host, "host", json!({"role": "host"})).await;
    let second = json!({"name": "eu-1", "role": "host", "kubeconfig": eu.kubeconfig()});
    let status = hub
        .post("/api/v1/clusters", &second)
        .bearer(&token)
        .send()
        .await
        .refused(409, "Conflict");
    assert_eq!(status["details"]["causes"][0]["field"], "role");
    hub.register(&token, &eu, "eu-1", json!({})).await;
    let patch = hub.ask(Method::PATCH, "/api/v1/clusters/eu-1").bearer(&token);
    let patch = patch.text("application/merge-patch+json", "{\"role\": \"host\"}");
    patch.send().await.refused(409, "Conflict");
    host.stop().await;
    eu.stop().await;
}

#[tokio::test]
async fn a_registered_cluster_is_a_kubefedcluster_whose_credential_nobody_reads() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let eu = member("eu-1").await;
    hub.register(&token, &eu, "eu-1", json!({"labels": {"region": "eu"}}))
        .await;
    let path = "/k8s/hub/apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/kubefedclusters/eu-1";
    let object = hub.get(path).bearer(&token).send().await.ok(200);
    assert_eq!(object["metadata"]["labels"], json!({"region": "eu"}));
    assert_eq!(object["spec"]["apiEndpoint"], eu.endpoint());
    let secret = object["spec"]["secretRef"]["name"].as_str().unwrap();
    let path = format!("/k8s/hub/api/v1/namespaces/kube-federation-system/secrets/{secret}");
    let secret = hub.get(&path).bearer(&token).send().await;
    let bearer = eu.kubeconfig().lines().find_map(|line| {
        line.trim()
            .strip_prefix("token: ")
            .map(|t| t.trim_matches('"').to_owned())
    });
    let bearer = bearer.expect("the kubeconfig of a simulated member has a token");
    secret.ok(200);
    for text in [
        &secret.text,
        &object.to_string(),
        &hub.get("/api/v1/clusters").bearer(&token).send().await.text,
    ] {
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &bearer);
        assert!(!text.contains(&bearer) && !text.contains(&encoded));
    }
    eu.stop().await;
}

#[tokio::test]
async fn a_merge_patch_changes_what_it_names_and_null_takes_away() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let eu = member("eu-1").await;
    hub.register(
        &token,
        &eu,
        "eu-1",
        json!({"alias": "A", "description": "D", "labels": {"a": "1", "b": "2"}}),
    )
    .await;
    let patch = async |body: Value| {
        let ask = hub.ask(Method::PATCH, "/api/v1/clusters/eu-1").bearer(&token);
        ask.text("application/merge-patch+json", &body.to_string()).send().await
    };
    let cluster = patch(json!({"alias": null, "labels": {"a": null, "c": "3"}}))
        .await
        .ok(200);
    assert_eq!(
        (&cluster["alias"], &cluster["description"]),
        (&Value::Null, &json!("D"))
    );
    assert_eq!(cluster["labels"], json!({"b": "2", "c": "3"}));
    let status = patch(json!({"labels": {"bad key": "x"}})).await.refused(422, "Invalid");
    assert_eq!(status["details"]["causes"][0]["field"], "labels[bad key]");
    patch(json!({"endpoint": "https://x"})).await.refused(400, "BadRequest");
    let nobody = hub
        .ask(Method::PATCH, "/api/v1/clusters/nobody")
        .bearer(&token)
        .json(&json!({"alias": "x"}));
    nobody.send().await.refused(404, "NotFound");
    eu.stop().await;
}

#[tokio::test]
async fn a_credential_is_replaced_only_by_one_of_the_same_cluster() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let (eu, us) = (member("eu-1").await, member("us-1").await);
    hub.register(&token, &eu, "eu-1", json!({})).await;
    hub.wait_for_state(&token, "eu-1", "Ready").await;
    let path = "/api/v1/clusters/eu-1/credential";
    let other = hub
        .put(path, &json!({"kubeconfig": us.kubeconfig()}))
        .bearer(&token)
        .send()
        .await;
    assert_eq!(other.refused(409, "Conflict")["details"]["stage"], "identity");
    hub.put(path, &json!({"kubeconfig": eu.kubeconfig()}))
        .bearer(&token)
        .send()
        .await
        .ok(200);
    hub.wait_for_state(&token, "eu-1", "Ready").await;
    let nobody = hub.put(
        "/api/v1/clusters/nobody/credential",
        &json!({"kubeconfig": eu.kubeconfig()}),
    );
    nobody.bearer(&token).send().await.refused(404, "NotFound");
    eu.stop().await;
    us.stop().await;
}

#[tokio::test]
async fn a_cluster_can_be_removed_even_when_it_is_gone() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let (eu, us) = (member("eu-1").await, member("us-1").await);
    hub.register(&token, &eu, "eu-1", json!({})).await;
    hub.register(&token, &us, "us-1", json!({})).await;
    hub.wait_for_state(&token, "eu-1", "Ready").await;
    eu.stop().await;
    let removed = hub
        .delete("/api/v1/clusters/eu-1?managed=orphan")
        .bearer(&token)
        .send()
        .await
        .ok(200);
    assert_eq!(removed, json!({"name": "eu-1", "left": []}));
    hub.delete("/api/v1/clusters/us-1").bearer(&token).send().await.ok(200);
    hub.delete("/api/v1/clusters/us-1")
        .bearer(&token)
        .send()
        .await
        .refused(404, "NotFound");
    assert_eq!(
        hub.get("/api/v1/clusters").bearer(&token).send().await.ok(200)["totalItems"],
        0
    );
    let secrets = hub
        .get("/k8s/hub/api/v1/namespaces/kube-federation-system/secrets")
        .bearer(&token)
        .send()
        .await
        .ok(200);
    assert_eq!(secrets["items"], json!([]), "the credential goes with the cluster");
    eventually("the members are closed", || async {
        hub.state.clusters.members().is_empty().then_some(())
    })
    .await;
    // The name and the cluster are free again.
    hub.register(&token, &us, "us-1", json!({})).await;
    us.stop().await;
}

#[tokio::test]
async fn removing_takes_only_what_it_knows() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let odd = hub
        .delete("/api/v1/clusters/eu-1?managed=burn")
        .bearer(&token)
        .send()
        .await;
    assert!(
        odd.refused(400, "BadRequest")["message"]
            .as_str()
            .unwrap()
            .contains("burn")
    );
    let unknown = hub
        .delete("/api/v1/clusters/eu-1?force=true")
        .bearer(&token)
        .send()
        .await;
    assert!(
        unknown.refused(400, "BadRequest")["message"]
            .as_str()
            .unwrap()
            .contains("force")
    );
}

#[tokio::test]
async fn lists_of_clusters_are_filtered_sorted_and_paged() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let mut members = Vec::new();
    for (name, region, role) in [
        ("eu-1", "eu", "member"),
        ("us-1", "us", "member"),
        ("host", "eu", "host"),
    ] {
        let one = member(name).await;
        hub.register(
            &token,
            &one,
            name,
            json!({"labels": {"region": region}, "role": role, "alias": format!("Alias {name}")}),
        )
        .await;
        members.push(one);
    }
    let names = async |query: &str| {
        let list = hub
            .get(&format!("/api/v1/clusters?{query}"))
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
    assert_eq!(names("").await, "eu-1 host us-1");
    assert_eq!(names("ascending=false").await, "us-1 host eu-1");
    assert_eq!(names("limit=2&page=2").await, "us-1");
    assert_eq!(names("role=host").await, "host");
    assert_eq!(names("labelSelector=region%3Deu").await, "eu-1 host");
    assert_eq!(names("labelSelector=region%20notin%20(eu)").await, "us-1");
    assert_eq!(names("name=ALIAS%20u").await, "us-1");
    assert_eq!(names("sortBy=role").await.split(' ').next(), Some("host"));
    for (query, named) in [
        ("colour=red", "colour"),
        ("state=Fine", "Fine"),
        ("sortBy=colour", "sortBy"),
        ("limit=0", "limit"),
        ("page=x", "x"),
        ("labelSelector=a%20like%20b", "label selector"),
    ] {
        let answer = hub
            .get(&format!("/api/v1/clusters?{query}"))
            .bearer(&token)
            .send()
            .await;
        let status = answer.refused(400, "BadRequest");
        assert!(status["message"].as_str().unwrap().contains(named), "{query}: {status}");
    }
    for one in members {
        one.stop().await;
    }
}
