//! The replica preference as an input of the plan: who gets how many, given where the object may go at all.

use std::collections::{BTreeMap, BTreeSet};

use super::{Input, Plan};
use crate::replicas::{self, AvailableCluster, ReplicaPlan};
use crate::{ClusterName, Observed, Present};

impl Plan {
    /// Shares the preference's total out over the clusters that the object is placed in.
    pub(crate) fn share_out(
        &mut self,
        input: &Input<'_>,
        placed: &BTreeSet<ClusterName>,
    ) -> BTreeMap<ClusterName, i64> {
        let (Some(preference), Some(_)) = (input.preference, &input.kind.replicas_path) else {
            return BTreeMap::new();
        };
        let keeps_share = |name: &&ClusterName| input.clusters.get(*name).is_some_and(|cluster| cluster.keeps_share);
        let candidates: Vec<AvailableCluster> = placed
            .iter()
            .filter(keeps_share)
            .map(|name| available(input, name))
            .collect();
        let mut plan = replicas::plan(&input.object.key(), preference, &candidates);
        if candidates.iter().any(|cluster| pods_are_unknown(input, &cluster.name)) {
            keep_last(input, &mut plan);
        }
        if candidates
            .iter()
            .filter_map(|cluster| input.pods.get(&cluster.name))
            .any(|pods| pods.young_unschedulable)
        {
            self.look_again();
        }
        let shares = plan.plan.clone();
        self.replicas = Some(plan);
        shares
    }
}

fn present<'a>(input: &Input<'a>, name: &ClusterName) -> Option<&'a Present> {
    match input.observed.get(name) {
        Some(Observed::Present(present)) => Some(present),
        Some(Observed::Unknown { .. } | Observed::Absent) | None => None,
    }
}

/// Whether every replica that the member wants is ready, so that nobody needs to look at pods.
fn is_settled(present: &Present) -> bool {
    present.spec_replicas.unwrap_or_default() == present.live.ready_replicas.unwrap_or_default()
}

fn available(input: &Input<'_>, name: &ClusterName) -> AvailableCluster {
    let mut cluster = AvailableCluster {
        name: name.clone(),
        current: None,
        capacity: None,
    };
    let Some(present) = present(input, name) else {
        return cluster;
    };
    let wanted = present.spec_replicas.unwrap_or_default();
    if is_settled(present) {
        cluster.current = Some(wanted);
    } else if let Some(pods) = input.pods.get(name) {
        cluster.current = Some(pods.current);
        cluster.capacity = (pods.unschedulable > 0).then(|| wanted.saturating_sub(pods.unschedulable).max(0));
    }
    cluster
}

/// A cluster that is away has no pods to list: its last reading stands.
fn pods_are_unknown(input: &Input<'_>, name: &ClusterName) -> bool {
    let ready = input.clusters.get(name).is_some_and(|cluster| cluster.ready);
    ready && present(input, name).is_some_and(|present| !is_settled(present)) && !input.pods.contains_key(name)
}

/// Without a list of pods nobody knows what runs, so what members were last asked for stays.
fn keep_last(input: &Input<'_>, plan: &mut ReplicaPlan) {
    for (name, share) in &mut plan.plan {
        if let Some(replicas) = present(input, name).and_then(|present| present.spec_replicas) {
            *share = replicas;
        }
    }
    plan.overflow.clear();
}
