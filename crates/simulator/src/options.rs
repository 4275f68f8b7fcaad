//! What a simulated member is to look like.

use std::time::Duration;

use crate::error::Error;

/// A member cluster to simulate. `MemberOptions { name: …, ..MemberOptions::default() }` is a small quick one.
#[derive(Debug, Clone)]
pub struct MemberOptions {
    /// Name: of the cluster and its context in the kubeconfig, and the beginning of its nodes' names.
    pub name: String,
    /// What `/version` answers, such as `v1.36.3`.
    pub kubernetes_version: String,
    /// Who runs it: shapes the provider id, labels and names of nodes. `aws`, `gce`, `azure` and `alicloud` look as
    /// there; any other is its own scheme.
    pub provider: String,
    /// Region; zones are the region with `a`, `b` and `c`.
    pub region: String,
    /// Nodes.
    pub nodes: usize,
    /// What each node offers.
    pub node: NodeShape,
    /// Whether it begins with sample namespaces and workloads.
    pub workloads: bool,
    /// Whether controllers record Events, at most some hundreds.
    pub events: bool,
    /// How fast things happen.
    pub pace: Pace,
    /// The loopback port; 0 takes a free one.
    pub port: u16,
    /// Connections at once; more have to wait.
    pub connections: usize,
    /// Changes of each resource that are kept for watches.
    pub history: usize,
    /// How long history is kept after that.
    pub history_age: Duration,
}

/// What a node offers.
#[derive(Debug, Clone)]
pub struct NodeShape {
    /// CPUs, such as `4`.
    pub cpu: String,
    /// Memory, such as `16Gi`.
    pub memory: String,
    /// Pods.
    pub pods: u32,
}

/// How fast things happen.
#[derive(Debug, Clone)]
pub struct Pace {
    /// From the binding of a pod to its being ready.
    pub start: Duration,
    /// From the deletion of a pod to its end, if its grace period is not shorter.
    pub stop: Duration,
    /// How long the pods of Jobs run.
    pub job: Duration,
    /// How long pods stay on a node that is not ready.
    pub eviction: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            start: Duration::from_millis(800),
            stop: Duration::from_millis(500),
            job: Duration::from_secs(3),
            eviction: Duration::from_secs(300),
        }
    }
}

impl Pace {
    /// For tests: as good as at once.
    pub fn instant() -> Self {
        Self {
            start: Duration::from_millis(10),
            stop: Duration::from_millis(10),
            job: Duration::from_millis(30),
            eviction: Duration::from_millis(50),
        }
    }
}

impl Default for NodeShape {
    fn default() -> Self {
        Self {
            cpu: "4".into(),
            memory: "16Gi".into(),
            pods: 110,
        }
    }
}

impl Default for MemberOptions {
    fn default() -> Self {
        Self {
            name: "member".into(),
            kubernetes_version: "v1.36.3".into(),
            provider: "sim".into(),
            region: "sim-1".into(),
            nodes: 3,
            node: NodeShape::default(),
            workloads: false,
            events: true,
            pace: Pace::default(),
            port: 0,
            connections: 1024,
            history: 512,
            history_age: Duration::from_secs(300),
        }
    }
}

impl MemberOptions {
    /// The version with the `v` that every server puts before it.
    pub(crate) fn git_version(&self) -> String {
        format!("v{}", self.kubernetes_version.trim_start_matches('v'))
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if !atoll_kubeapi::names::is_dns_label(&self.name) {
            return Err(Error::Options(format!("the name {:?} is no DNS label", self.name)));
        }
        let mut numbers = self.kubernetes_version.trim_start_matches('v').split('.');
        let is_number = |part: Option<&str>| part.is_some_and(|part| part.parse::<u32>().is_ok());
        if !is_number(numbers.next()) || !is_number(numbers.next()) {
            return Err(Error::Options(format!(
                "the Kubernetes version {:?} does not begin with two numbers",
                self.kubernetes_version
            )));
        }
        if self.nodes > 250 {
            return Err(Error::Options("a simulated member has at most 250 nodes".into()));
        }
        for (what, text) in [("cpu", &self.node.cpu), ("memory", &self.node.memory)] {
            if crate::quantity::parse_milli(text).is_none() {
                return Err(Error::Options(format!("the {what} of a node is no quantity: {text:?}")));
            }
        }
        Ok(())
    }
}
