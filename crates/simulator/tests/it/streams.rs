use std::time::Duration;

use futures::{AsyncBufReadExt, Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, LogParams};
use kube::runtime::watcher;
use serde_json::json;
use tokio::time::timeout;

use crate::fixture::{World, create, deployment, refusal};

#[tokio::test]
async fn logs_are_read_tailed_and_followed_to_the_end_of_the_pod() {
    let world = World::shop().await;
    world.ready(deployment("web", 1)).await;
    let pod = world.pod_names().await.remove(0);
    let all = world.pods().logs(&pod, &LogParams::default()).await.unwrap();
    assert!(all.lines().count() >= 4 && all.contains("listening on :8080"), "{all}");
    let tail = LogParams {
        tail_lines: Some(1),
        timestamps: true,
        ..LogParams::default()
    };
    let last = world.pods().logs(&pod, &tail).await.unwrap();
    assert_eq!(last.lines().count(), 1);
    let follow = LogParams {
        follow: true,
        ..LogParams::default()
    };
    let stream = world.pods().log_stream(&pod, &follow).await.unwrap();
    world.pods().delete(&pod, &DeleteParams::default()).await.unwrap();
    let lines: Vec<String> = stream.lines().try_collect().await.unwrap();
    assert!(lines.len() >= 4, "{lines:?}");
    let missing = LogParams {
        container: Some("other".into()),
        ..LogParams::default()
    };
    let pod = world.pod_names().await.remove(0);
    let refused = refusal(world.pods().logs(&pod, &missing).await);
    assert_eq!(refused, (400, format!("container other is not valid for pod {pod}")));
}

/// Follows a watcher until it has told of a pod; what goes wrong on the way is tried again.
async fn until_seen(events: &mut (impl Stream<Item = watcher::Result<watcher::Event<Pod>>> + Unpin), name: &str) {
    let following = async {
        loop {
            match events.next().await.expect("a watcher never ends") {
                Ok(watcher::Event::Apply(pod) | watcher::Event::InitApply(pod))
                    if pod.metadata.name.as_deref() == Some(name) =>
                {
                    return;
                }
                Ok(_) | Err(_) => {}
            }
        }
    };
    timeout(Duration::from_secs(20), following)
        .await
        .expect("the pod is seen");
}

#[tokio::test]
async fn a_watcher_survives_a_cut_and_a_lost_history() {
    let world = World::shop().await;
    let mut events = Box::pin(watcher(world.pods(), watcher::Config::default()));
    let pod = |name: &str| json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}});
    create(&world.pods(), pod("one")).await;
    until_seen(&mut events, "one").await;
    world.member.faults().cut_watches();
    create(&world.pods(), pod("two")).await;
    world.member.faults().drop_history();
    until_seen(&mut events, "two").await;
}
