//! Watches of the hub's objects: complete, in order, resumable.

use serde_json::json;

use super::hub_fixture::{DEPLOYMENTS, Hub, Lines, MERGE, deployment};

#[tokio::test]
async fn a_watch_resumes_where_it_was_left_without_loss_or_repetition() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let from = hub.get(DEPLOYMENTS).await.ok()["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut first = Lines::open(&hub, &format!("{DEPLOYMENTS}?watch=1&resourceVersion={from}")).await;
    hub.post(DEPLOYMENTS, &deployment("a")).await.ok();
    let added = first.next().await.unwrap();
    assert_eq!(
        (&added["type"], &added["object"]["metadata"]["name"]),
        (&json!("ADDED"), &json!("a"))
    );
    drop(first);

    hub.patch(
        &format!("{DEPLOYMENTS}/a"),
        MERGE,
        &json!({"spec": {"template": {"spec": {"replicas": 3}}}}),
    )
    .await
    .ok();
    hub.post(DEPLOYMENTS, &deployment("b")).await.ok();
    hub.delete(&format!("{DEPLOYMENTS}/a")).await.ok();
    let seen = added["object"]["metadata"]["resourceVersion"].as_str().unwrap();
    let mut second = Lines::open(&hub, &format!("{DEPLOYMENTS}?watch=1&resourceVersion={seen}")).await;
    let mut events = Vec::new();
    for _ in 0..3 {
        events.push(second.named().await);
    }
    let expected = [("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "a")];
    assert_eq!(events, expected.map(|(kind, name)| (kind.to_owned(), name.to_owned())));
}

#[tokio::test]
async fn an_object_that_leaves_the_selection_is_deleted_for_its_watcher() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let mut labelled = deployment("a");
    labelled["metadata"]["labels"] = json!({"tier": "web"});
    hub.post(DEPLOYMENTS, &labelled).await.ok();
    let mut lines = Lines::open(&hub, &format!("{DEPLOYMENTS}?watch=1&labelSelector=tier%3Dweb")).await;
    assert_eq!(lines.named().await, ("ADDED".to_owned(), "a".to_owned()));
    hub.post(DEPLOYMENTS, &deployment("other")).await.ok();
    hub.patch(
        &format!("{DEPLOYMENTS}/a"),
        MERGE,
        &json!({"metadata": {"labels": {"tier": null}}}),
    )
    .await
    .ok();
    assert_eq!(lines.named().await, ("DELETED".to_owned(), "a".to_owned()));
}

#[tokio::test]
async fn history_that_is_gone_is_410_and_so_is_a_version_that_never_was() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    for name in ["a", "b", "c"] {
        hub.post(DEPLOYMENTS, &deployment(name)).await.ok();
    }
    hub.state.store.compact(1).await.unwrap();
    for version in ["1", "999999"] {
        let mut lines = Lines::open(&hub, &format!("{DEPLOYMENTS}?watch=1&resourceVersion={version}")).await;
        let event = lines.next().await.unwrap();
        let told = (&event["type"], &event["object"]["code"], &event["object"]["reason"]);
        assert_eq!(told, (&json!("ERROR"), &json!(410), &json!("Expired")), "{version}");
        assert!(lines.next().await.is_none(), "{version}");
    }
}

#[tokio::test]
async fn a_list_and_what_follows_it_are_one_history() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let writer = async {
        for number in 0..20 {
            hub.post(DEPLOYMENTS, &deployment(&format!("d{number}"))).await.ok();
        }
    };
    let watcher = async {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let list = hub.get(DEPLOYMENTS).await.ok();
        let mut names: Vec<String> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["metadata"]["name"].as_str().unwrap().to_owned())
            .collect();
        let revision = list["metadata"]["resourceVersion"].as_str().unwrap();
        let mut lines = Lines::open(&hub, &format!("{DEPLOYMENTS}?watch=1&resourceVersion={revision}")).await;
        while names.len() < 20 {
            let (kind, name) = lines.named().await;
            assert_eq!(kind, "ADDED");
            assert!(!names.contains(&name), "{name} came twice");
            names.push(name);
        }
    };
    futures::join!(writer, watcher);
}

#[tokio::test]
async fn a_watch_with_initial_events_says_where_they_end() {
    let hub = Hub::start().await;
    let path =
        "/api/v1/namespaces?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut lines = Lines::open(&hub, path).await;
    let names = [lines.named().await, lines.named().await];
    assert_eq!(names.map(|(kind, _)| kind), ["ADDED", "ADDED"]);
    let bookmark = lines.next().await.unwrap();
    assert_eq!(bookmark["type"], "BOOKMARK");
    assert_eq!(
        bookmark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"],
        "true"
    );
}

#[tokio::test]
async fn a_watch_ends_at_the_time_its_client_asked_for() {
    let hub = Hub::start().await;
    let revision = hub.state.store.revision().await.unwrap();
    let mut lines = Lines::open(
        &hub,
        &format!("/api/v1/namespaces?watch=1&timeoutSeconds=1&resourceVersion={revision}"),
    )
    .await;
    assert!(lines.next().await.is_none());
}
