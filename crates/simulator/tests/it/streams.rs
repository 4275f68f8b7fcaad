use futures::{AsyncBufReadExt, TryStreamExt};
use kube::api::{DeleteParams, LogParams};
use kube::runtime::watcher;
use serde_json::json;

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

#[tokio::test]
async fn a_watcher_sees_every_pod_come_and_go_and_survives_a_cut_and_a_lost_history() {
    let world = World::shop().await;
    let mut events = Box::pin(watcher(world.pods(), watcher::Config::default()));
    let mut seen = std::collections::BTreeSet::new();
    let next = async |events: &mut std::pin::Pin<Box<_>>, seen: &mut std::collections::BTreeSet<String>| loop {
        let event: Result<Option<watcher::Event<k8s_openapi::api::core::v1::Pod>>, _> =
            tokio::time::timeout(std::time::Duration::from_secs(20), events.as_mut().try_next())
                .await
                .expect("the watch goes on");
        match event {
            Ok(Some(watcher::Event::Apply(pod) | watcher::Event::InitApply(pod))) => {
                seen.insert(pod.metadata.name.unwrap());
                return;
            }
            // What goes wrong is tried again.
            Ok(Some(_)) | Err(_) => {}
            Ok(None) => panic!("a watcher never ends"),
        }
    };
    let pod = |name: &str| json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}});
    create(&world.pods(), pod("one")).await;
    while !seen.contains("one") {
        next(&mut events, &mut seen).await;
    }
    world.member.faults().cut_watches();
    world.member.faults().drop_history();
    create(&world.pods(), pod("two")).await;
    world.member.faults().drop_history();
    while !seen.contains("two") {
        next(&mut events, &mut seen).await;
    }
}
