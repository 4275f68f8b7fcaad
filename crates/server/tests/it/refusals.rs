//! Kubeconfigs that are not taken, each with the field at fault and the way out.

use serde_json::{Value, json};

use super::harness::Hub;

fn kubeconfig(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
         contexts: [{{name: a, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {cluster}}}]\n\
         users: [{{name: u, user: {user}}}]\n"
    )
}

const GOOD_CLUSTER: &str = "{server: 'https://192.0.2.1:6443'}";
const GOOD_USER: &str = "{token: abc}";

async fn check(hub: &Hub, token: &str, body: Value) -> Value {
    let answer = hub.post("/api/v1/connection-checks", &body).bearer(token).send().await;
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    answer.lines().pop().unwrap()["result"].clone()
}

#[tokio::test]
async fn each_refusal_names_its_field_and_the_way_out() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let cases = [
        (
            kubeconfig(GOOD_CLUSTER, "{exec: {command: aws}}"),
            "exec",
            "serviceaccount",
        ),
        (
            kubeconfig(GOOD_CLUSTER, "{auth-provider: {name: gcp}}"),
            "auth-provider",
            "serviceaccount",
        ),
        (
            kubeconfig(GOOD_CLUSTER, "{tokenFile: /etc/passwd}"),
            "tokenFile",
            "flatten",
        ),
        (
            kubeconfig(GOOD_CLUSTER, "{client-key: /root/key}"),
            "client-key",
            "flatten",
        ),
        (
            kubeconfig(GOOD_CLUSTER, "{username: a, password: b}"),
            "username",
            "serviceaccount",
        ),
        (kubeconfig(GOOD_CLUSTER, "{}"), "token", "serviceaccount"),
        (
            kubeconfig("{server: 'http://192.0.2.1'}", GOOD_USER),
            "server",
            "https://",
        ),
        (
            kubeconfig("{server: 'https://169.254.169.254'}", GOOD_USER),
            "server",
            "API server",
        ),
        (
            kubeconfig(
                "{server: 'https://192.0.2.1', insecure-skip-tls-verify: true}",
                GOOD_USER,
            ),
            "insecure",
            "authority",
        ),
        (
            kubeconfig("{server: 'https://192.0.2.1', proxy-url: 'http://p'}", GOOD_USER),
            "proxy-url",
            "Remove",
        ),
        (
            kubeconfig("{server: 'https://192.0.2.1', certificate-authority: /ca}", GOOD_USER),
            "certificate-authority",
            "flatten",
        ),
        ("not: [a".to_owned(), "kubeconfig", "flatten"),
    ];
    for (kubeconfig, field, hint) in cases {
        let result = check(&hub, &token, json!({"kubeconfig": kubeconfig})).await;
        assert_eq!(result["ok"], false, "{kubeconfig}");
        let status = &result["status"];
        assert_eq!(
            (&status["reason"], &status["details"]["stage"]),
            (&json!("Invalid"), &json!("kubeconfig")),
            "{status}"
        );
        let cause = status["details"]["causes"][0]["field"].as_str().unwrap();
        assert!(cause.contains(field), "{field}: {cause}");
        let way_out = status["details"]["hint"].as_str().unwrap();
        assert!(way_out.contains(hint), "{hint}: {way_out}");

        let body = json!({"name": "eu-1", "kubeconfig": kubeconfig});
        let refused = hub.post("/api/v1/clusters", &body).bearer(&token).send().await;
        refused.refused(422, "Invalid");
    }
    assert_eq!(
        hub.get("/api/v1/clusters").bearer(&token).send().await.ok(200)["totalItems"],
        0
    );
}

#[tokio::test]
async fn a_choice_of_contexts_is_offered() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let text = "apiVersion: v1\nkind: Config\n\
        contexts: [{name: a, context: {cluster: c, user: u}}, {name: b, context: {cluster: c, user: u}}]\n\
        clusters: [{name: c, cluster: {server: 'https://192.0.2.1'}}]\nusers: [{name: u, user: {token: t}}]\n";
    let result = check(&hub, &token, json!({"kubeconfig": text})).await;
    assert_eq!(result["ok"], false);
    let names: Vec<&Value> = result["contexts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|context| &context["name"])
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(result["contexts"][0]["authentication"], "token");
    let unknown = check(&hub, &token, json!({"kubeconfig": text, "context": "z"})).await;
    assert_eq!(unknown["status"]["details"]["causes"][0]["field"], "context");
}

#[tokio::test]
async fn what_was_handed_in_never_comes_back() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let text = kubeconfig("{server: 'https://127.0.0.1:1'}", "{token: CANARY-7f3a}");
    for path in ["/api/v1/connection-checks", "/api/v1/clusters"] {
        let body = json!({"name": "eu-1", "kubeconfig": text});
        let body = if path.ends_with("checks") {
            json!({"kubeconfig": text})
        } else {
            body
        };
        let answer = hub.post(path, &body).bearer(&token).send().await;
        assert!(!answer.text.contains("CANARY-7f3a"), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_told_by_stage_and_saves_nothing() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let text = kubeconfig("{server: 'https://127.0.0.1:1'}", GOOD_USER);
    let answer = hub
        .post("/api/v1/connection-checks", &json!({"kubeconfig": text}))
        .bearer(&token)
        .send()
        .await;
    let lines = answer.lines();
    let ended: Vec<(&Value, &Value)> = lines
        .iter()
        .filter(|line| line["state"] != "running" && line.get("stage").is_some())
        .map(|line| (&line["stage"], &line["state"]))
        .collect();
    assert_eq!(ended.first(), Some(&(&json!("kubeconfig"), &json!("ok"))));
    assert_eq!(ended.last(), Some(&(&json!("tcp"), &json!("failed"))));
    let status = &lines.last().unwrap()["result"]["status"];
    assert_eq!(
        (&status["reason"], &status["details"]["stage"]),
        (&json!("ServiceUnavailable"), &json!("tcp"))
    );

    let body = json!({"name": "eu-1", "kubeconfig": text});
    let refused = hub.post("/api/v1/clusters", &body).bearer(&token).send().await;
    assert_eq!(refused.refused(503, "ServiceUnavailable")["details"]["stage"], "tcp");
    let streamed = hub
        .post("/api/v1/clusters", &body)
        .bearer(&token)
        .header("accept", "application/x-ndjson");
    assert_eq!(
        streamed.send().await.lines().last().unwrap()["status"]["reason"],
        "ServiceUnavailable"
    );
    assert_eq!(
        hub.get("/api/v1/clusters").bearer(&token).send().await.ok(200)["totalItems"],
        0
    );
}

#[tokio::test]
async fn fields_of_a_cluster_are_judged_before_anything_is_dialled() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let body = json!({
        "name": "Not A Label", "kubeconfig": "", "alias": "x".repeat(64), "description": "x".repeat(257),
        "labels": {"bad key": "x", "k": "bad value!"},
    });
    let status = hub
        .post("/api/v1/clusters", &body)
        .bearer(&token)
        .send()
        .await
        .refused(422, "Invalid");
    let causes = status["details"]["causes"].as_array().unwrap().iter();
    let fields: Vec<&str> = causes.map(|cause| cause["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["name", "alias", "description", "labels[bad key]", "labels[k]"]);
}

#[tokio::test]
async fn unknown_fields_and_broken_bodies_are_named() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let body = json!({"name": "a", "kubeconfig": "x", "colour": "red"});
    let status = hub
        .post("/api/v1/clusters", &body)
        .bearer(&token)
        .send()
        .await
        .refused(400, "BadRequest");
    assert!(status["message"].as_str().unwrap().contains("colour"));
    let broken = hub
        .ask(http::Method::POST, "/api/v1/clusters")
        .bearer(&token)
        .text("application/json", "{\"name\": ");
    broken.send().await.refused(400, "BadRequest");
    let text = hub
        .ask(http::Method::POST, "/api/v1/clusters")
        .bearer(&token)
        .text("text/plain", "{}");
    text.send().await.refused(415, "UnsupportedMediaType");
    let huge = "x".repeat(4 << 20);
    let huge = hub
        .post("/api/v1/clusters", &json!({"name": "a", "kubeconfig": huge}))
        .bearer(&token);
    huge.send().await.refused(413, "RequestEntityTooLarge");
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let deep = hub
        .ask(http::Method::POST, "/api/v1/clusters")
        .bearer(&token)
        .text("application/json", &deep);
    deep.send().await.refused(400, "BadRequest");
}
