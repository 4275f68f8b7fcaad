//! What the nodes of a member tell: how many, how large, who runs them and where.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::health::{Facts, Resources};
use crate::quantity::{parse_millis, parse_units};

/// One page of a node list, read as far as it is needed.
#[derive(Deserialize)]
pub(crate) struct NodePage {
    #[serde(default)]
    metadata: PageMetadata,
    items: Vec<Node>,
}

#[derive(Deserialize, Default)]
struct PageMetadata {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Node {
    metadata: NodeMetadata,
    #[serde(default)]
    spec: NodeSpec,
    #[serde(default)]
    status: NodeStatus,
}

#[derive(Deserialize)]
struct NodeMetadata {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NodeSpec {
    #[serde(rename = "providerID")]
    provider_id: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct NodeStatus {
    capacity: BTreeMap<String, String>,
    allocatable: BTreeMap<String, String>,
    conditions: Vec<NodeCondition>,
    node_info: NodeInfo,
}

#[derive(Deserialize)]
struct NodeCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct NodeInfo {
    kubelet_version: String,
}

impl NodePage {
    /// The token of the next page, when there is one.
    pub(crate) fn next(&self) -> Option<&str> {
        self.metadata.next.as_deref().filter(|token| !token.is_empty())
    }
}

/// Sums over pages.
#[derive(Default)]
pub(crate) struct NodeCensus {
    nodes: u32,
    ready: u32,
    capacity: Resources,
    allocatable: Resources,
    providers: BTreeMap<&'static str, u32>,
    regions: BTreeMap<String, u32>,
}

impl NodeCensus {
    /// Counts one page.
    pub(crate) fn add(&mut self, page: &NodePage) {
        for node in &page.items {
            self.nodes += 1;
            let ready = node
                .status
                .conditions
                .iter()
                .any(|c| c.kind == "Ready" && c.status == "True");
            self.ready += u32::from(ready);
            sum(&mut self.capacity, &node.status.capacity);
            sum(&mut self.allocatable, &node.status.allocatable);
            if let Some(provider) = node.provider() {
                *self.providers.entry(provider).or_default() += 1;
            }
            if let Some(region) = node.region() {
                *self.regions.entry(region.to_owned()).or_default() += 1;
            }
        }
    }

    /// Writes the sums.
    pub(crate) fn write(&self, facts: &mut Facts) {
        facts.node_count = Some(self.nodes);
        facts.ready_node_count = Some(self.ready);
        facts.capacity = Some(self.capacity);
        facts.allocatable = Some(self.allocatable);
        facts.provider = most(&self.providers).map(|provider| (*provider).to_owned());
        facts.region = most(&self.regions).cloned();
        if facts.provider.is_none() {
            facts.provider = facts
                .kubernetes_version
                .as_deref()
                .and_then(provider_of_version)
                .map(str::to_owned);
        }
    }
}

/// The most frequent key; of equals the first.
fn most<K: Ord>(counts: &BTreeMap<K, u32>) -> Option<&K> {
    let best = counts.values().max()?;
    counts.iter().find(|(_, count)| *count == best).map(|(key, _)| key)
}

fn sum(total: &mut Resources, quantities: &BTreeMap<String, String>) {
    let read = |name: &str, parse: fn(&str) -> Option<i64>| {
        quantities
            .get(name)
            .and_then(|text| parse(text))
            .filter(|value| *value >= 0)
            .unwrap_or_default()
    };
    total.cpu_millis = total.cpu_millis.saturating_add(read("cpu", parse_millis));
    total.memory_bytes = total.memory_bytes.saturating_add(read("memory", parse_units));
    total.pods = total.pods.saturating_add(read("pods", parse_units));
}

/// Labels and label prefixes that only one distribution sets, before providerID, since it says only whose machines
/// they are.
const LABELS: [(&str, &str); 14] = [
    ("eks.amazonaws.com/", "eks"),
    ("alpha.eksctl.io/", "eks"),
    ("cloud.google.com/gke-", "gke"),
    ("kubernetes.azure.com/", "aks"),
    ("doks.digitalocean.com/", "digitalocean"),
    ("node.openshift.io/", "openshift"),
    ("microk8s.io/", "microk8s"),
    ("minikube.k8s.io/", "minikube"),
    ("alibabacloud.com/", "alibaba"),
    ("cce.cloud.com/", "huawei"),
    ("oci.oraclecloud.com/", "oracle"),
    ("ibm-cloud.kubernetes.io/", "ibm"),
    ("lke.linode.com/", "linode"),
    ("k8s.scaleway.com/", "scaleway"),
];

/// Schemes of providerID.
const SCHEMES: [(&str, &str); 18] = [
    ("kind", "kind"),
    ("k3s", "k3s"),
    ("kwok", "kwok"),
    ("aws", "aws"),
    ("gce", "gce"),
    ("azure", "azure"),
    ("digitalocean", "digitalocean"),
    ("openstack", "openstack"),
    ("alicloud", "alibaba"),
    ("qcloud", "tencent"),
    ("tencentcloud", "tencent"),
    ("huaweicloud", "huawei"),
    ("hcloud", "hetzner"),
    ("vsphere", "vsphere"),
    ("ibm", "ibm"),
    ("oci", "oracle"),
    ("linode", "linode"),
    ("scaleway", "scaleway"),
];

impl Node {
    fn provider(&self) -> Option<&'static str> {
        let labels = &self.metadata.labels;
        let labelled = LABELS
            .iter()
            .find(|(prefix, _)| labels.keys().any(|key| key.starts_with(prefix)));
        if let Some((_, provider)) = labelled {
            return Some(provider);
        }
        if let Some(provider) = provider_of_version(&self.status.node_info.kubelet_version) {
            return Some(provider);
        }
        if labels
            .get("node.kubernetes.io/instance-type")
            .is_some_and(|kind| kind == "k3s")
        {
            return Some("k3s");
        }
        let id = &self.spec.provider_id;
        if let Some((scheme, _)) = id.split_once("://") {
            let known = SCHEMES.iter().find(|(known, _)| *known == scheme);
            return known.map(|(_, provider)| *provider);
        }
        self.is_kubeadm().then_some("kubeadm")
    }

    fn is_kubeadm(&self) -> bool {
        self.metadata
            .annotations
            .contains_key("kubeadm.alpha.kubernetes.io/cri-socket")
    }

    fn region(&self) -> Option<&str> {
        let label = |key: &str| self.metadata.labels.get(key).map(String::as_str);
        label("topology.kubernetes.io/region")
            .or_else(|| label("failure-domain.beta.kubernetes.io/region"))
            .filter(|region| !region.is_empty())
    }
}

/// Distributions that write themselves into the version.
fn provider_of_version(version: &str) -> Option<&'static str> {
    let marks = [
        ("-eks-", "eks"),
        ("-gke.", "gke"),
        ("+k3s", "k3s"),
        ("+rke2", "rke2"),
        ("+k0s", "k0s"),
        ("-aliyun", "alibaba"),
        ("-tke.", "tencent"),
        ("-r0-CCE", "huawei"),
        ("+vmware", "vsphere"),
        ("+IKS", "ibm"),
    ];
    marks
        .iter()
        .find(|(mark, _)| version.contains(mark))
        .map(|(_, provider)| *provider)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn census(nodes: Value) -> Facts {
        let page: NodePage = serde_json::from_value(json!({"metadata": {}, "items": nodes})).unwrap();
        let mut census = NodeCensus::default();
        census.add(&page);
        let mut facts = Facts::default();
        census.write(&mut facts);
        facts
    }

    fn node(provider_id: &str, labels: Value, version: &str) -> Value {
        json!({"metadata": {"name": "n", "labels": labels}, "spec": {"providerID": provider_id},
            "status": {"nodeInfo": {"kubeletVersion": version}}})
    }

    #[test]
    fn nodes_are_counted_and_their_resources_summed() {
        let one = |ready: &str| {
            json!({"metadata": {"name": "n"}, "status": {
                "capacity": {"cpu": "4", "memory": "16Gi", "pods": "110"},
                "allocatable": {"cpu": "3920m", "memory": "15Gi", "pods": "110"},
                "conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": ready}]}})
        };
        let facts = census(json!([one("True"), one("True"), one("Unknown")]));
        assert_eq!((facts.node_count, facts.ready_node_count), (Some(3), Some(2)));
        let expected = Resources {
            cpu_millis: 12_000,
            memory_bytes: 48 << 30,
            pods: 330,
        };
        assert_eq!(facts.capacity, Some(expected));
        assert_eq!(facts.allocatable.unwrap().cpu_millis, 11_760);
    }

    #[test]
    fn the_provider_is_told_by_labels_then_version_then_provider_id() {
        for (id, labels, version, provider) in [
            (
                "aws:///eu-central-1a/i-0",
                json!({"eks.amazonaws.com/nodegroup": "a"}),
                "v1.33.1",
                Some("eks"),
            ),
            ("aws:///eu-central-1a/i-0", json!({}), "v1.33.1-eks-1234", Some("eks")),
            ("aws:///eu-central-1a/i-0", json!({}), "v1.33.1", Some("aws")),
            (
                "gce://p/z/n",
                json!({"cloud.google.com/gke-nodepool": "a"}),
                "v1.33.1",
                Some("gke"),
            ),
            ("gce://p/z/n", json!({}), "v1.33.1", Some("gce")),
            (
                "azure:///subscriptions/x",
                json!({"kubernetes.azure.com/cluster": "a"}),
                "",
                Some("aks"),
            ),
            (
                "kind://docker/kind/kind-control-plane",
                json!({}),
                "v1.33.1",
                Some("kind"),
            ),
            ("k3s://n", json!({}), "v1.33.1+k3s1", Some("k3s")),
            ("digitalocean://1", json!({}), "", Some("digitalocean")),
            ("openstack:///1", json!({}), "", Some("openstack")),
            ("qcloud:///1/ins", json!({}), "", Some("tencent")),
            (
                "cn-hangzhou.i-1",
                json!({"alibabacloud.com/nodepool-id": "x"}),
                "",
                Some("alibaba"),
            ),
            ("0d5a", json!({"cce.cloud.com/cce-nodepool": "x"}), "", Some("huawei")),
            ("", json!({}), "v1.33.1", None),
            ("strange://x", json!({}), "v1.33.1", None),
        ] {
            let found = census(json!([node(id, labels, version)])).provider;
            assert_eq!(found.as_deref(), provider, "{id}");
        }
        let kubeadm = json!({"metadata": {"annotations": {"kubeadm.alpha.kubernetes.io/cri-socket": "x"}}});
        assert_eq!(census(json!([kubeadm])).provider.as_deref(), Some("kubeadm"));
    }

    #[test]
    fn the_region_is_that_of_most_nodes() {
        let region = |name: &str| node("", json!({"topology.kubernetes.io/region": name}), "");
        let old = node("", json!({"failure-domain.beta.kubernetes.io/region": "eu"}), "");
        assert_eq!(
            census(json!([region("us"), region("eu"), old])).region.as_deref(),
            Some("eu")
        );
        assert_eq!(census(json!([])).region, None);
    }
}
