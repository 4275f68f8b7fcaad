use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, ListParams};

use crate::fixture::{World, deployment, eventually};

#[tokio::test]
async fn nodes_look_as_their_provider_makes_them() {
    let world = World::with(atoll_simulator::MemberOptions {
        provider: "aws".into(),
        region: "eu-west-1".into(),
        kubernetes_version: "1.33.4".into(),
        ..crate::fixture::options()
    })
    .await;
    let nodes: Api<Node> = Api::all(world.client.clone());
    let nodes = nodes.list(&ListParams::default()).await.unwrap();
    assert_eq!(nodes.items.len(), 3);
    let node = &nodes.items[1];
    let (spec, status) = (node.spec.as_ref().unwrap(), node.status.as_ref().unwrap());
    assert!(spec.provider_id.as_ref().unwrap().starts_with("aws:///eu-west-1b/i-"));
    assert_eq!(
        node.metadata.labels.as_ref().unwrap()["topology.kubernetes.io/zone"],
        "eu-west-1b"
    );
    assert_eq!(status.node_info.as_ref().unwrap().kubelet_version, "v1.33.4");
    assert_eq!(status.allocatable.as_ref().unwrap()["cpu"].0, "4");
    assert_eq!(world.client.apiserver_version().await.unwrap().minor, "33");
}

#[tokio::test]
async fn pods_of_a_lost_node_are_replaced_elsewhere_and_its_return_ends_the_old_ones() {
    let world = World::shop().await;
    world.ready(deployment("web", 3)).await;
    let on = async |node: &str| {
        let params = ListParams::default().fields(&format!("spec.nodeName={node}"));
        world.pods().list(&params).await.unwrap().items
    };
    let lost = on("east-node-2").await.remove(0);
    world.member.set_node_ready("east-node-2", false).unwrap();
    eventually("three pods serve elsewhere", async || {
        let status = world.deployments().get("web").await.unwrap().status.unwrap();
        let elsewhere = on("east-node-1").await.len() + on("east-node-3").await.len();
        status.available_replicas == Some(3) && elsewhere == 3
    })
    .await;
    let there = on("east-node-2").await;
    assert_eq!(there[0].metadata.uid, lost.metadata.uid);
    assert!(there[0].metadata.deletion_timestamp.is_some(), "it waits for its node");
    world.member.set_node_ready("east-node-2", true).unwrap();
    eventually("the old pod is gone", async || on("east-node-2").await.is_empty()).await;
    assert!(world.member.set_node_ready("east-node-9", true).is_err());
}
