use serde_json::json;

use crate::fixture::{Server, WIDGETS, widget};

fn event(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

async fn paint(server: &Server, name: &str, color: &str) {
    let patch = json!({"metadata": {"labels": {"color": color}}});
    server.patch(&format!("{WIDGETS}/{name}"), "merge", patch).await.ok();
}

#[tokio::test]
async fn a_watch_from_a_revision_misses_nothing_and_repeats_nothing() {
    let server = Server::new();
    server.post(WIDGETS, widget("a", json!({}))).await.ok();
    let mut watch = server.watch(&format!("{WIDGETS}?watch=true&resourceVersion=2")).await;
    server.post(WIDGETS, widget("b", json!({}))).await.ok();
    server
        .post("/apis/example.io/v1/namespaces/other/widgets", widget("x", json!({})))
        .await
        .ok();
    server
        .post("/api/v1/namespaces/shop/configmaps", json!({"metadata": {"name": "y"}}))
        .await
        .ok();
    paint(&server, "a", "red").await;
    server.delete(&format!("{WIDGETS}/b"), json!({})).await.ok();
    let line = watch.line().await.unwrap();
    assert!(line.starts_with(r#"{"type":"ADDED","object":{"#), "{line}");
    assert_eq!(watch.next().await, event("MODIFIED", "a"));
    assert_eq!(watch.next().await, event("DELETED", "b"));
}

#[tokio::test]
async fn without_a_revision_a_watch_begins_with_what_there_is() {
    let server = Server::new();
    server.post(WIDGETS, widget("a", json!({}))).await.ok();
    for query in ["watch=1", "watch=true&resourceVersion=0"] {
        let mut watch = server.watch(&format!("{WIDGETS}?{query}")).await;
        assert_eq!(watch.next().await, event("ADDED", "a"));
    }
    let mut watch = server.watch(&format!("{WIDGETS}?watch=1")).await;
    assert_eq!(watch.next().await, event("ADDED", "a"));
    paint(&server, "a", "red").await;
    assert_eq!(watch.next().await, event("MODIFIED", "a"));
}

#[tokio::test]
async fn an_object_that_leaves_the_selection_is_deleted_for_the_watcher() {
    let server = Server::new();
    server.post(WIDGETS, widget("a", json!({}))).await.ok();
    let mut watch = server
        .watch(&format!(
            "{WIDGETS}?watch=true&resourceVersion=2&labelSelector=color%3Dred"
        ))
        .await;
    for color in ["blue", "red", "blue"] {
        paint(&server, "a", color).await;
    }
    assert_eq!(watch.next().await, event("ADDED", "a"));
    let left = watch.event().await;
    assert_eq!(
        (&left["type"], &left["object"]["metadata"]["labels"]["color"]),
        (&json!("DELETED"), &json!("red"))
    );
    assert_eq!(left["object"]["metadata"]["resourceVersion"], "5");
}

#[tokio::test]
async fn a_watch_of_one_name_tells_of_that_object_alone() {
    let server = Server::new();
    let mut by_name = server.watch(&format!("{WIDGETS}/b?watch=true&resourceVersion=1")).await;
    let mut by_field = server
        .watch(&format!(
            "{WIDGETS}?watch=true&resourceVersion=1&fieldSelector=metadata.name%3Db"
        ))
        .await;
    for name in ["a", "b"] {
        server.post(WIDGETS, widget(name, json!({}))).await.ok();
    }
    assert_eq!(by_name.next().await, event("ADDED", "b"));
    assert_eq!(by_field.next().await, event("ADDED", "b"));
}

#[tokio::test]
async fn the_end_of_the_initial_events_is_marked() {
    let server = Server::new();
    server.post(WIDGETS, widget("a", json!({}))).await.ok();
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = server.watch(&format!("{WIDGETS}?{query}")).await;
    assert_eq!(watch.next().await, event("ADDED", "a"));
    let end = watch.event().await;
    assert_eq!(
        (&end["type"], &end["object"]["metadata"]["resourceVersion"]),
        (&json!("BOOKMARK"), &json!("2"))
    );
    assert_eq!(
        end["object"]["metadata"]["annotations"],
        json!({"k8s.io/initial-events-end": "true"})
    );
    paint(&server, "a", "red").await;
    assert_eq!(watch.next().await, event("MODIFIED", "a"));
}

#[tokio::test]
async fn a_watch_ends_when_it_was_asked_to_with_a_bookmark() {
    let server = Server::new();
    server
        .post("/api/v1/namespaces/shop/configmaps", json!({"metadata": {"name": "y"}}))
        .await
        .ok();
    let mut watch = server
        .watch(&format!(
            "{WIDGETS}?watch=true&resourceVersion=1&timeoutSeconds=1&allowWatchBookmarks=true"
        ))
        .await;
    let bookmark = watch.event().await;
    assert_eq!(
        (&bookmark["type"], &bookmark["object"]["kind"]),
        (&json!("BOOKMARK"), &json!("Widget"))
    );
    assert_eq!(
        bookmark["object"]["metadata"]["resourceVersion"], "2",
        "what concerns others counts as well"
    );
    assert_eq!(watch.line().await, None);
}

#[tokio::test]
async fn history_that_is_gone_is_expired() {
    let server = Server::new();
    server.post(WIDGETS, widget("a", json!({}))).await.ok();
    let running = server.watch(&format!("{WIDGETS}?watch=true&resourceVersion=1")).await;
    paint(&server, "a", "red").await;
    server.backend.memory().compact();
    let late = server.watch(&format!("{WIDGETS}?watch=true&resourceVersion=2")).await;
    let ahead = server.watch(&format!("{WIDGETS}?watch=true&resourceVersion=999")).await;
    for mut watch in [running, late, ahead] {
        let error = watch.event().await;
        assert_eq!(
            (&error["type"], &error["object"]["code"], &error["object"]["reason"]),
            (&json!("ERROR"), &json!(410), &json!("Expired"))
        );
        assert_eq!(watch.line().await, None);
    }
}

#[tokio::test]
async fn tables_are_watched_row_by_row() {
    let server = Server::new();
    server.post(WIDGETS, widget("a", json!({"size": 3}))).await.ok();
    let mut watch = server
        .watch_as(
            &format!("{WIDGETS}?watch=true"),
            "application/json;as=Table;v=v1;g=meta.k8s.io",
        )
        .await;
    let first = watch.event().await;
    assert_eq!(
        (&first["object"]["kind"], &first["object"]["rows"][0]["cells"][1]),
        (&json!("Table"), &json!(3))
    );
    assert_eq!(first["object"]["columnDefinitions"][0]["name"], "Name");
    paint(&server, "a", "red").await;
    let second = watch.event().await;
    assert_eq!(
        (
            &second["object"]["columnDefinitions"],
            &second["object"]["rows"][0]["cells"][0]
        ),
        (&json!(null), &json!("a"))
    );
}
