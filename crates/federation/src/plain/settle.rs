//! Where the object's own shares decide where it goes at all: a Job is only where pods of it may run, an autoscaler only
//! where it has a share, and what autoscalers scale is left to them.
//!
//! The result is an object with a list of clusters and overrides, as people write them on federated kinds: from there on
//! the plan knows nothing of shares.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::PlainObject;
use super::hpa::{self, Autoscaler, Bounds};
use super::jobs::{self, Work};
use crate::overrides::Overrides;
use crate::placement::{Placed, Placement, place};
use crate::replicas::Preference;
use crate::status::Reason;
use crate::{Cluster, ClusterName, FederatedObject, Observed, Present, Record, Scope, TypeDescriptor};

/// What shares depend on.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The present time.
    pub now: Timestamp,
    /// How far the control plane reaches.
    pub scope: Scope,
    /// The type.
    pub row: &'a TypeDescriptor,
    /// What says where objects of its namespace may go.
    pub namespace: Option<&'a FederatedObject>,
    /// All registered clusters.
    pub clusters: &'a BTreeMap<ClusterName, Cluster>,
    /// What members hold. No entry: nobody looked.
    pub observed: &'a BTreeMap<ClusterName, Observed>,
    /// What the hub remembers.
    pub records: &'a BTreeMap<ClusterName, Record>,
}

/// An object ready to be planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The object.
    pub object: FederatedObject,
    /// How its replicas are shared out by the plan.
    pub preference: Option<Preference>,
    /// Clusters whose autoscalers scale what this autoscaler is about; `None` for other kinds, and while it cannot be told.
    pub scales_in: Option<BTreeSet<ClusterName>>,
    /// When shares may come out otherwise although nothing happens.
    pub recheck: Option<Duration>,
}

impl PlainObject {
    /// Shares out what this kind shares out by itself.
    pub fn settle(&self, situation: &Situation<'_>) -> Settled {
        let replicas = self.preference.as_ref().ok().and_then(Option::as_ref);
        let mut settled = Settled {
            object: self.object.clone(),
            preference: replicas.filter(|_| situation.row.replicas_path.is_some()).cloned(),
            scales_in: None,
            recheck: None,
        };
        if self.object.is_deleting() || self.released || self.preference.is_err() {
            return settled;
        }
        let Some(placed) = self.placed(situation) else {
            return settled;
        };
        if let Some(bounds) = self.bounds {
            self.share_bounds(situation, &placed, bounds, &mut settled);
        } else if let Some(listed) = &self.scaled_in {
            let listed = placed.iter().filter(|name| listed.contains(name.as_str()));
            leave_to_autoscalers(situation, &placed, &listed.cloned().collect(), &mut settled);
        } else if let (Some(parallelism), None) = (replicas, &situation.row.replicas_path) {
            self.share_pods(situation, &placed, parallelism, &mut settled);
        }
        settled
    }

    fn placed(&self, situation: &Situation<'_>) -> Option<BTreeSet<ClusterName>> {
        let Situation {
            row,
            namespace,
            scope,
            clusters,
            ..
        } = *situation;
        match place(row, &self.object, namespace, scope, clusters, false) {
            Ok(Placed::Clusters(placed)) => Some(placed),
            Ok(Placed::NamespaceNotFederated) | Err(_) => None,
        }
    }

    /// A Job: so many pods at a time, and so many in all.
    fn share_pods(
        &self,
        situation: &Situation<'_>,
        placed: &BTreeSet<ClusterName>,
        parallelism: &Preference,
        settled: &mut Settled,
    ) {
        let work = Work {
            key: &self.object.key(),
            parallelism,
            completions: self.completions.as_ref(),
            status: self.object.status.as_ref(),
        };
        let shares = jobs::share_out(work, placed, situation)
            .into_iter()
            .map(|(name, given)| {
                let parallelism = given.parallelism.map(|pods| ("/spec/parallelism", pods));
                let completions = given.completions.map(|pods| ("/spec/completions", pods));
                (name, parallelism.into_iter().chain(completions).collect())
            });
        put(settled, shares.collect());
    }

    /// An autoscaler: each cluster's own has a part of the bounds.
    fn share_bounds(
        &self,
        situation: &Situation<'_>,
        placed: &BTreeSet<ClusterName>,
        wanted: Bounds,
        settled: &mut Settled,
    ) {
        let stated = |bounds: Bounds| vec![("/spec/minReplicas", bounds.min), ("/spec/maxReplicas", bounds.max)];
        let mut known = BTreeMap::new();
        let mut frozen = false;
        let mut away = Vec::new();
        for name in placed {
            let is_recorded = situation.records.contains_key(name);
            let observed = situation.observed.get(name);
            let cluster = situation.clusters.get(name);
            if !cluster.is_some_and(|cluster| cluster.keeps_share) {
                // It keeps what it has, and is counted again when it is back for good.
                let kept = match observed {
                    Some(Observed::Present(present)) => Some(stated(Autoscaler::of(present).bounds)),
                    Some(Observed::Absent) => None,
                    Some(Observed::Unknown { .. }) | None => Some(Vec::new()),
                };
                away.extend(kept.filter(|_| is_recorded).map(|kept| (name.clone(), kept)));
                continue;
            }
            // Whoever cannot be asked and has none takes no part.
            let is_asked = is_recorded || cluster.is_some_and(|cluster| cluster.ready);
            match observed {
                Some(Observed::Present(present)) => {
                    known.insert(name.clone(), Some(Autoscaler::of(present)));
                }
                Some(Observed::Absent) => {
                    known.insert(name.clone(), None);
                }
                Some(Observed::Unknown {
                    reason: Reason::ApiMissing,
                    ..
                }) => {}
                // One that has none, and that cannot be asked, takes no part; one that has a share may not lose it so.
                Some(Observed::Unknown { .. }) | None if is_recorded => {
                    frozen = true;
                    away.push((name.clone(), Vec::new()));
                }
                Some(Observed::Unknown { .. }) => {}
                None => frozen |= is_asked,
            }
        }
        let shares = if frozen {
            let with_one = known
                .iter()
                .filter_map(|(name, one)| Some((name.clone(), (*one)?.bounds)));
            with_one.collect()
        } else {
            settled.recheck = hpa::recheck(&known, situation.now);
            hpa::share_out(wanted, &known, situation.now)
        };
        if !frozen {
            let away = away.iter().map(|(name, _)| name);
            settled.scales_in = Some(shares.keys().chain(away).cloned().collect());
        }
        let shares = shares.iter().map(|(name, bounds)| (name.clone(), stated(*bounds)));
        put(settled, shares.chain(away).collect());
    }
}

/// A workload that autoscalers scale: where they do, their number counts; elsewhere what is there is scaled to nothing.
fn leave_to_autoscalers(
    situation: &Situation<'_>,
    placed: &BTreeSet<ClusterName>,
    listed: &BTreeSet<ClusterName>,
    settled: &mut Settled,
) {
    const REPLICAS: &str = "/spec/replicas";
    settled.preference = None;
    settled.object.retain_replicas = true;
    // An autoscaler leaves a workload of no replicas alone, so a new one begins with one.
    let spec = settled.object.template.entry("spec").or_insert_with(|| json!({}));
    spec["replicas"] = 1.into();
    let was_emptied = |name: &ClusterName| match situation.observed.get(name) {
        Some(Observed::Present(present)) => is_empty_by_the_hub(present),
        Some(Observed::Unknown { .. } | Observed::Absent) | None => false,
    };
    let scaled = listed.iter().map(|name| {
        let stated = was_emptied(name).then_some((REPLICAS, 1));
        (name.clone(), stated.into_iter().collect())
    });
    let left = placed
        .iter()
        .filter(|name| !listed.contains(*name) && situation.records.contains_key(*name));
    let emptied = left.map(|name| (name.clone(), vec![(REPLICAS, 0)]));
    put(settled, scaled.chain(emptied).collect());
}

fn is_empty_by_the_hub(present: &Present) -> bool {
    present.states_replicas && present.spec_replicas == Some(0)
}

/// Places the object in these clusters and no others, each with these numbers.
fn put(settled: &mut Settled, shares: Vec<(ClusterName, Vec<(&str, i64)>)>) {
    let overrides: Vec<Value> = shares
        .iter()
        .filter(|(_, stated)| !stated.is_empty())
        .map(|(name, stated)| {
            let operations: Vec<Value> = stated
                .iter()
                .map(|(path, value)| json!({"path": path, "value": value}))
                .collect();
            json!({"clusterName": name, "clusterOverrides": operations})
        })
        .collect();
    settled.object.placement = Ok(Placement {
        clusters: Some(shares.iter().map(|(name, _)| name.to_string()).collect()),
        selector: None,
    });
    settled.object.overrides = Overrides::parse(Some(&overrides.into()));
}
