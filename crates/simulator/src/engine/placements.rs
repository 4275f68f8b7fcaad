//! Which pods are on which nodes, what they ask for there, and which addresses they have.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::fields::{items, uid};
use crate::quantity::milli_of;

/// Addresses that a node has for pods: 2 to 254.
const HOSTS: u16 = 253;

/// What a pod asks of a node, in thousandths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    pub(crate) cpu: i64,
    pub(crate) memory: i64,
}

impl Requests {
    /// What the containers of a pod ask for.
    pub(crate) fn of(spec: &Value) -> Self {
        let sum = |name: &str| {
            let containers = items(&spec["containers"]).iter();
            containers
                .map(|one| milli_of(&one["resources"]["requests"][name]))
                .sum()
        };
        Self {
            cpu: sum("cpu"),
            memory: sum("memory"),
        }
    }
}

struct Placement {
    node: String,
    requests: Requests,
    host: Option<u8>,
}

/// What is on a node.
#[derive(Debug, Default)]
pub(crate) struct Load {
    pub(crate) requests: Requests,
    pub(crate) pods: i64,
    /// Last numbers of the addresses of pods that are taken.
    hosts: BTreeSet<u8>,
    next: u8,
}

/// All pods that are on some node.
#[derive(Default)]
pub(crate) struct Placements {
    pods: BTreeMap<String, Placement>,
    nodes: BTreeMap<String, Load>,
}

impl Placements {
    /// Takes note of a pod as it is.
    pub(crate) fn note(&mut self, pod: &Value) {
        let is_over = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
        match pod["spec"]["nodeName"].as_str() {
            Some(node) if !node.is_empty() && !is_over => {
                if !self.pods.contains_key(uid(pod)) {
                    self.place(pod, node);
                }
            }
            _ => self.remove(uid(pod)),
        }
    }

    /// Puts a pod on a node.
    pub(crate) fn place(&mut self, pod: &Value, node: &str) {
        let requests = Requests::of(&pod["spec"]);
        let host = pod["status"]["podIP"]
            .as_str()
            .filter(|_| pod["spec"]["hostNetwork"] != true)
            .and_then(|ip| ip.rsplit('.').next()?.parse().ok());
        let load = self.nodes.entry(node.to_owned()).or_default();
        load.requests.cpu += requests.cpu;
        load.requests.memory += requests.memory;
        load.pods += 1;
        load.hosts.extend(host);
        let placement = Placement {
            node: node.to_owned(),
            requests,
            host,
        };
        self.pods.insert(uid(pod).to_owned(), placement);
    }

    /// Takes a pod off its node.
    pub(crate) fn remove(&mut self, uid: &str) {
        let Some(placement) = self.pods.remove(uid) else {
            return;
        };
        if let Some(load) = self.nodes.get_mut(&placement.node) {
            load.requests.cpu -= placement.requests.cpu;
            load.requests.memory -= placement.requests.memory;
            load.pods -= 1;
            if let Some(host) = placement.host {
                load.hosts.remove(&host);
            }
        }
    }

    /// What is on a node.
    pub(crate) fn load(&self, node: &str) -> Option<&Load> {
        self.nodes.get(node)
    }

    /// The last number of the address of a pod on its node. Numbers are used again as late as possible.
    pub(crate) fn host(&mut self, uid: &str) -> Option<u8> {
        let placement = self.pods.get_mut(uid)?;
        if placement.host.is_none() {
            let load = self.nodes.get_mut(&placement.node)?;
            let from = u16::from(load.next);
            let free = (0..HOSTS)
                .filter_map(|step| u8::try_from(2 + (from + step) % HOSTS).ok())
                .find(|host| !load.hosts.contains(host))?;
            load.next = free - 1;
            load.hosts.insert(free);
            placement.host = Some(free);
        }
        placement.host
    }

    pub(crate) fn clear(&mut self) {
        self.pods.clear();
        self.nodes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(uid: &str, node: &str, phase: &str) -> Value {
        let container = json!({"resources": {"requests": {"cpu": "500m", "memory": "1Ki"}}});
        json!({"metadata": {"uid": uid}, "spec": {"nodeName": node, "containers": [container, container]}, "status": {"phase": phase}})
    }

    #[test]
    fn a_node_carries_what_its_pods_ask_for_while_they_run() {
        let mut placements = Placements::default();
        placements.note(&pod("a", "n", "Pending"));
        placements.note(&pod("a", "n", "Running"));
        placements.note(&pod("b", "n", "Running"));
        let load = placements.load("n").unwrap();
        assert_eq!(
            (load.pods, load.requests.cpu, load.requests.memory),
            (2, 2000, 4_096_000)
        );
        placements.note(&pod("a", "n", "Succeeded"));
        placements.remove("b");
        let load = placements.load("n").unwrap();
        assert_eq!((load.pods, load.requests), (0, Requests::default()));
    }

    #[test]
    fn pods_of_a_node_have_different_addresses() {
        let mut placements = Placements::default();
        let mut seen = BTreeSet::new();
        for index in 0..253 {
            let uid = format!("p{index}");
            placements.note(&pod(&uid, "n", "Running"));
            let host = placements.host(&uid).unwrap();
            assert_eq!(placements.host(&uid), Some(host), "it is given once");
            assert!(host >= 2 && seen.insert(host));
        }
        placements.note(&pod("more", "n", "Running"));
        assert_eq!(placements.host("more"), None);
        placements.remove("p7");
        assert!(placements.host("more").is_some());
    }
}
