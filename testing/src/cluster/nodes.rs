//! The nodes of a cluster: ordinary Node objects, which kwok then keeps Ready.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Node;
use kube::{
    Api, Client,
    api::{ListParams, PostParams},
};
use serde_json::json;

/// Creates nodes called `<cluster>-node-1` and so on, spread over zones.
pub(super) async fn create(client: &Client, cluster: &str, region: &str, count: usize) -> Result<()> {
    let nodes = Api::<Node>::all(client.clone());
    for (index, zone) in (0..count).zip(["a", "b", "c"].into_iter().cycle()) {
        let name = format!("{cluster}-node-{}", index + 1);
        let resources = json!({ "cpu": "16", "memory": "64Gi", "pods": "110" });
        let node: Node = serde_json::from_value(json!({
            "metadata": {
                "name": name,
                "labels": {
                    "kubernetes.io/hostname": name,
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                    "topology.kubernetes.io/region": region,
                    "topology.kubernetes.io/zone": format!("{region}-{zone}"),
                },
            },
            "spec": { "providerID": format!("kind://docker/{cluster}/{name}") },
            "status": { "capacity": resources, "allocatable": resources },
        }))?;
        nodes
            .create(&PostParams::default(), &node)
            .await
            .with_context(|| format!("cannot create node {name}"))?;
    }
    Ok(())
}

/// How many nodes can take pods: Ready, and no longer tainted as new.
pub(super) async fn usable(client: &Client) -> Result<usize> {
    let nodes = Api::<Node>::all(client.clone())
        .list(&ListParams::default())
        .await
        .context("cannot list nodes")?;
    Ok(nodes.items.iter().filter(|node| is_usable(node)).count())
}

fn is_usable(node: &Node) -> bool {
    let ready = node
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let tainted = node
        .spec
        .iter()
        .flat_map(|spec| spec.taints.iter().flatten())
        .any(|taint| taint.key == "node.kubernetes.io/not-ready");
    ready && !tainted
}
