use serde_json::json;

use crate::fixture::{DEPLOYMENTS, Server, WIDGETS, deployment, widget};

#[tokio::test]
async fn merge_and_json_patches_change_any_kind() {
    let server = Server::new();
    server
        .post(WIDGETS, widget("a", json!({"size": 1, "color": "red"})))
        .await
        .ok();
    let one = format!("{WIDGETS}/a");
    let made = server
        .patch(&one, "merge", json!({"spec": {"size": 2, "color": null}}))
        .await
        .ok();
    assert_eq!(made["spec"], json!({"size": 2}));
    let patch =
        json!([{"op": "test", "path": "/spec/size", "value": 2}, {"op": "add", "path": "/spec/tags", "value": ["x"]}]);
    let made = server.patch(&one, "json", patch.clone()).await.ok();
    assert_eq!(made["spec"], json!({"size": 2, "tags": ["x"]}));
    server
        .patch(&one, "json", json!([{"op": "test", "path": "/spec/size", "value": 3}]))
        .await
        .failed(422, "Invalid");
    server
        .patch(&one, "merge", json!({"metadata": {"name": "b"}}))
        .await
        .failed(400, "BadRequest");
    server
        .patch(&format!("{WIDGETS}/none"), "merge", json!({}))
        .await
        .failed(404, "NotFound");
    let status = server
        .patch(&one, "strategic-merge", json!({}))
        .await
        .failed(415, "UnsupportedMediaType");
    let message = status["message"].as_str().unwrap();
    assert!(
        message.contains("application/merge-patch+json") && !message.ends_with("strategic-merge-patch+json"),
        "{message}"
    );
}

#[tokio::test]
async fn strategic_patches_change_compiled_in_kinds() {
    let server = Server::new();
    server.post(DEPLOYMENTS, deployment("web")).await.ok();
    let patch = json!({"spec": {"template": {"spec": {
        "$setElementOrder/containers": [{"name": "log"}, {"name": "web"}],
        "containers": [{"name": "web", "image": "web:2"}, {"name": "log", "image": "log:1"}]}}}});
    let made = server
        .patch(&format!("{DEPLOYMENTS}/web"), "strategic-merge", patch)
        .await
        .ok();
    let expected =
        json!([{"name": "log", "image": "log:1"}, {"name": "web", "image": "web:2", "ports": [{"containerPort": 80}]}]);
    assert_eq!(made["spec"]["template"]["spec"]["containers"], expected);
    assert_eq!(made["metadata"]["generation"], 2);
}

#[tokio::test]
async fn a_status_patch_leaves_the_rest() {
    let server = Server::new();
    server.post(WIDGETS, widget("a", json!({"size": 1}))).await.ok();
    let patch = json!({"status": {"ready": true}, "spec": {"size": 9}, "metadata": {"labels": {"x": "y"}}});
    let made = server.patch(&format!("{WIDGETS}/a/status"), "merge", patch).await.ok();
    assert_eq!(
        (
            &made["status"]["ready"],
            &made["spec"]["size"],
            &made["metadata"]["labels"]
        ),
        (&json!(true), &json!(1), &json!(null))
    );
    let made = server
        .patch(&format!("{WIDGETS}/a"), "merge", json!({"status": {"ready": false}}))
        .await
        .ok();
    assert_eq!(made["status"]["ready"], true);
    assert_eq!(server.get(&format!("{WIDGETS}/a/status")).await.ok(), made);
    server.get(&format!("{WIDGETS}/a/scale")).await.failed(404, "NotFound");
}

#[tokio::test]
async fn hostile_patches_end_early() {
    let server = Server::new();
    server
        .post(WIDGETS, widget("a", json!({"free": {"x": ["y"]}})))
        .await
        .ok();
    let copies: Vec<_> = (0..40)
        .map(|_| json!({"op": "copy", "from": "/spec/free/x", "path": "/spec/free/x/-"}))
        .collect();
    server
        .patch(&format!("{WIDGETS}/a"), "json", json!(copies))
        .await
        .failed(422, "Invalid");
    let nested = |levels: usize| {
        format!(
            "{{\"spec\": {{\"free\": {}1{} }} }}",
            "{\"a\":".repeat(levels),
            "}".repeat(levels)
        )
    };
    let headers = [("content-type", "application/merge-patch+json")];
    for (levels, code, reason) in [(200, 400, "BadRequest"), (110, 422, "Invalid")] {
        server
            .send("PATCH", &format!("{WIDGETS}/a"), &headers, nested(levels))
            .await
            .failed(code, reason);
    }
}

#[tokio::test]
async fn an_object_cannot_grow_without_end() {
    let server = Server::new();
    server.post(WIDGETS, widget("a", json!({"free": {}}))).await.ok();
    let one = format!("{WIDGETS}/a");
    let piece = "x".repeat(1 << 20);
    server
        .patch(&one, "merge", json!({"spec": {"free": {"a": piece}}}))
        .await
        .ok();
    server
        .patch(&one, "merge", json!({"spec": {"free": {"b": piece}}}))
        .await
        .failed(413, "RequestEntityTooLarge");
}

#[tokio::test]
async fn concurrent_patches_all_arrive() {
    let server = Server::new();
    server.post(WIDGETS, widget("a", json!({"free": {}}))).await.ok();
    let one = format!("{WIDGETS}/a");
    let patches =
        (0..6).map(|number| server.patch(&one, "merge", json!({"spec": {"free": {format!("k{number}"): number}}})));
    for answer in futures::future::join_all(patches).await {
        answer.ok();
    }
    assert_eq!(
        server.get(&one).await.ok()["spec"]["free"].as_object().unwrap().len(),
        6
    );
}
