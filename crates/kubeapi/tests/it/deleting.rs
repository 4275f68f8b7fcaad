use serde_json::json;

use crate::fixture::{CONFIGMAPS, Server, WIDGETS, widget};

#[tokio::test]
async fn a_deletion_answers_with_the_uid_of_what_is_gone() {
    let server = Server::new();
    let made = server.post(WIDGETS, widget("a", json!({}))).await.ok();
    let status = server
        .delete(&format!("{WIDGETS}/a"), json!({"propagationPolicy": "Background"}))
        .await
        .ok();
    assert_eq!(
        (&status["status"], &status["details"]["uid"]),
        (&json!("Success"), &made["metadata"]["uid"])
    );
    server
        .delete(&format!("{WIDGETS}/a"), json!({}))
        .await
        .failed(404, "NotFound");
}

#[tokio::test]
async fn finalizers_hold_an_object_until_the_last_is_gone() {
    let server = Server::new();
    let one = format!("{WIDGETS}/a");
    let mut object = widget("a", json!({"size": 1}));
    object["metadata"]["finalizers"] = json!(["example.io/x", "example.io/y"]);
    server.post(WIDGETS, object).await.ok();
    let mut watch = server.watch(&format!("{WIDGETS}?watch=true&resourceVersion=2")).await;
    let marked = server.delete(&one, json!({})).await.ok();
    assert_eq!(
        (
            &marked["metadata"]["generation"],
            &marked["metadata"]["deletionGracePeriodSeconds"]
        ),
        (&json!(2), &json!(0))
    );
    let again = server.delete(&one, json!({})).await.ok();
    assert_eq!(marked, again, "it is marked once");
    let added = json!({"metadata": {"finalizers": ["example.io/x", "example.io/z"]}});
    server.patch(&one, "merge", added).await.failed(422, "Invalid");
    server
        .patch(
            &one,
            "merge",
            json!({"metadata": {"finalizers": ["example.io/x"], "deletionTimestamp": null}}),
        )
        .await
        .ok();
    assert_eq!(
        server.get(&one).await.ok()["metadata"]["deletionTimestamp"],
        marked["metadata"]["deletionTimestamp"]
    );
    server
        .patch(&one, "json", json!([{"op": "remove", "path": "/metadata/finalizers"}]))
        .await
        .ok();
    server.get(&one).await.failed(404, "NotFound");
    assert_eq!(watch.next().await.0, "MODIFIED");
    assert_eq!(watch.next().await.0, "MODIFIED");
    let gone = watch.event().await;
    assert_eq!(
        (&gone["type"], &gone["object"]["spec"]["size"]),
        (&json!("DELETED"), &json!(1))
    );
    assert_eq!(gone["object"]["metadata"]["resourceVersion"], "5");
}

#[tokio::test]
async fn preconditions_name_the_object_that_is_meant() {
    let server = Server::new();
    let made = server.post(WIDGETS, widget("a", json!({}))).await.ok();
    let one = format!("{WIDGETS}/a");
    server
        .delete(&one, json!({"preconditions": {"uid": "another"}}))
        .await
        .failed(409, "Conflict");
    server
        .delete(&one, json!({"preconditions": {"resourceVersion": "1"}}))
        .await
        .failed(409, "Conflict");
    server
        .delete(
            &one,
            json!({"preconditions": {"uid": made["metadata"]["uid"], "resourceVersion": "2"}}),
        )
        .await
        .ok();
}

#[tokio::test]
async fn a_selection_is_deleted_at_once() {
    let server = Server::new();
    for (name, tier) in [("a", "x"), ("b", "x"), ("c", "y")] {
        server
            .post(
                CONFIGMAPS,
                json!({"metadata": {"name": name, "labels": {"tier": tier}}}),
            )
            .await
            .ok();
    }
    server
        .delete(&format!("{CONFIGMAPS}?labelSelector=tier%3Dx"), json!({}))
        .await
        .ok();
    let left = server.get(CONFIGMAPS).await.ok();
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_namespace_is_held_by_the_finalizers_of_its_spec() {
    let server = Server::new();
    server
        .post(
            "/api/v1/namespaces",
            json!({"metadata": {"name": "shop"}, "spec": {"finalizers": ["kubernetes"]}}),
        )
        .await
        .ok();
    let marked = server.delete("/api/v1/namespaces/shop", json!({})).await.ok();
    assert_eq!(marked["status"]["phase"], "Terminating");
    let mut released = marked;
    released["spec"]["finalizers"] = json!([]);
    server.put("/api/v1/namespaces/shop/finalize", released).await.ok();
    server.get("/api/v1/namespaces/shop").await.failed(404, "NotFound");
}
