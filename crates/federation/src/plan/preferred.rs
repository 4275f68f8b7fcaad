//! The replica preference as an input of the plan: who gets how many, given where the object may go at all.

use std::collections::{BTreeMap, BTreeSet};

use super::placed::is_claimed;
use super::{Input, Plan, Pods};
use crate::overrides::Overrides;
use crate::replicas::{self, AvailableCluster};
use crate::{ClusterName, Observed, Present};

impl Plan {
    /// Shares the preference's total out over the clusters that the object is placed in.
    pub(crate) fn share_out(
        &mut self,
        input: &Input<'_>,
        placed: &BTreeSet<ClusterName>,
        overrides: &Overrides,
    ) -> BTreeMap<ClusterName, i64> {
        let (Some(preference), Some(_)) = (input.preference, &input.kind.replicas_path) else {
            return BTreeMap::new();
        };
        let own = |name: &ClusterName| {
            present(input, name).filter(|present| is_claimed(input, name, present, overrides.for_cluster(name)))
        };
        let keeps_share = |name: &&ClusterName| input.clusters.get(*name).is_some_and(|cluster| cluster.keeps_share);
        let candidates: Vec<AvailableCluster> = placed
            .iter()
            .filter(keeps_share)
            .map(|name| {
                let seen = available(name, own(name), input.pods.get(name));
                match last_share(input, name) {
                    Some(last) => AvailableCluster {
                        current: Some(last),
                        ..seen
                    },
                    None => seen,
                }
            })
            .collect();
        let mut plan = replicas::plan(&input.object.key(), preference, &candidates);
        let is_unknown = |cluster: &AvailableCluster| {
            let unsettled = own(&cluster.name).is_some_and(|present| !is_settled(present));
            unsettled && pods_are_unknown(input, &cluster.name)
        };
        let unknown = candidates.iter().filter(|cluster| is_unknown(cluster));
        plan.unknown = unknown.map(|cluster| cluster.name.clone()).collect();
        if !plan.unknown.is_empty() {
            for (name, share) in &mut plan.plan {
                // Nobody knows what runs, so what members were last asked for stays, and nothing new begins.
                let last = own(name).and_then(|present| present.spec_replicas);
                *share = last.or_else(|| last_share(input, name)).unwrap_or_default();
            }
            plan.overflow.clear();
            let shared = plan.plan.values().fold(0, |sum: i64, share| sum.saturating_add(*share));
            plan.unplaced = preference.total_replicas.saturating_sub(shared).max(0);
        }
        if candidates
            .iter()
            .filter_map(|cluster| input.pods.get(&cluster.name))
            .any(|pods| pods.young_unschedulable)
        {
            self.look_again();
        }
        let mut shares = plan.plan.clone();
        for name in placed {
            let is_ready = || input.clusters.get(name).is_some_and(|cluster| cluster.ready);
            // Back, but not for long enough to get a share: what it was last asked for stays, nothing new begins.
            let last = || {
                own(name)
                    .filter(|_| is_ready())
                    .and_then(|present| present.spec_replicas)
            };
            shares.entry(name.clone()).or_insert_with(|| last().unwrap_or_default());
        }
        self.reasons = replicas::reasons(&input.object.key(), preference, &plan);
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

/// What a cluster was last asked for that cannot be looked at now: a few missed probes move no replicas.
fn last_share(input: &Input<'_>, name: &ClusterName) -> Option<i64> {
    match input.observed.get(name) {
        Some(Observed::Present(_) | Observed::Absent) => None,
        Some(Observed::Unknown { .. }) | None => input.object.status.as_ref()?.cluster(name)?.desired_replicas,
    }
}

/// Whether every replica that the member wants is ready, so that nobody needs to look at pods.
fn is_settled(present: &Present) -> bool {
    present.spec_replicas.unwrap_or_default() == present.live.ready_replicas.unwrap_or_default()
}

fn available(name: &ClusterName, present: Option<&Present>, pods: Option<&Pods>) -> AvailableCluster {
    let mut cluster = AvailableCluster {
        name: name.clone(),
        current: None,
        capacity: None,
    };
    let Some(present) = present else {
        return cluster;
    };
    let wanted = present.spec_replicas.unwrap_or_default();
    if is_settled(present) {
        cluster.current = Some(wanted);
    } else if let Some(pods) = pods {
        cluster.current = Some(pods.current);
        cluster.capacity = (pods.unschedulable > 0).then(|| wanted.saturating_sub(pods.unschedulable).max(0));
    }
    cluster
}

/// A cluster that is away has no pods to list: its last reading stands.
fn pods_are_unknown(input: &Input<'_>, name: &ClusterName) -> bool {
    let ready = input.clusters.get(name).is_some_and(|cluster| cluster.ready);
    ready && !input.pods.contains_key(name)
}
