//! How many replicas each cluster gets: the algorithm of Federation v1 and KubeFed, kept to the letter so that the same
//! preference gives the same numbers.

mod preference;
mod reasons;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use preference::{ClusterPreference, PlanRequest, Preference};
pub use reasons::reasons;

use crate::ClusterName;

/// A cluster that may get replicas.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AvailableCluster {
    /// Its name.
    pub name: ClusterName,
    /// Replicas that run there; absent means unknown, which is not 0.
    #[serde(default)]
    pub current: Option<i64>,
    /// The most that it can run; absent means unknown.
    #[serde(default)]
    pub capacity: Option<i64>,
}

/// Who gets how many.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ReplicaPlan {
    /// Every available cluster, with its replicas.
    pub plan: BTreeMap<ClusterName, i64>,
    /// What clusters could have got but for their capacity; only values above 0.
    pub overflow: BTreeMap<ClusterName, i64>,
    /// Replicas that found no place.
    #[serde(skip)]
    pub unplaced: i64,
    /// Clusters that have as many as they can run.
    #[serde(skip)]
    pub full: BTreeSet<ClusterName>,
    /// Clusters of which nobody knows what runs there. With any of them all keep what they were last asked for.
    #[serde(skip)]
    pub unknown: BTreeSet<ClusterName>,
}

/// One cluster while its share grows.
struct Share<'a> {
    cluster: &'a AvailableCluster,
    preference: &'a ClusterPreference,
    replicas: i64,
    /// Replicas given because they run there already; later rounds count them in.
    kept: i64,
    overflow: i64,
}

impl Share<'_> {
    fn cap(&self, replicas: i64) -> i64 {
        let bounds = [self.preference.max_replicas, self.cluster.capacity];
        bounds.into_iter().flatten().fold(replicas, i64::min)
    }
}

/// Shares the preference's total out. `key` is `namespace/name`: it decides who gets the odd replica.
pub fn plan(key: &str, preference: &Preference, clusters: &[AvailableCluster]) -> ReplicaPlan {
    let mut plan: BTreeMap<ClusterName, i64> = clusters.iter().map(|cluster| (cluster.name.clone(), 0)).collect();
    let mut shares: Vec<Share<'_>> = clusters
        .iter()
        .filter_map(|cluster| {
            Some(Share {
                cluster,
                preference: preference.of(&cluster.name)?,
                replicas: 0,
                kept: 0,
                overflow: 0,
            })
        })
        .collect();
    shares.sort_by_cached_key(|share| {
        let name = &share.cluster.name;
        (Reverse(share.preference.weight), fnv1(name.as_str(), key), name.clone())
    });

    let mut rest = preference.total_replicas;
    give_minimums(&mut shares, &mut rest);
    if !preference.rebalance {
        keep_what_runs(&mut shares, &mut rest);
    }
    share_by_weight(&mut shares, &mut rest);

    let (mut overflow, mut full) = (BTreeMap::new(), BTreeSet::new());
    for share in shares {
        if share
            .cluster
            .capacity
            .is_some_and(|capacity| share.replicas >= capacity)
        {
            full.insert(share.cluster.name.clone());
        }
        let over = if preference.rebalance {
            share.overflow
        } else {
            share.overflow.min(rest)
        };
        if over > 0 {
            overflow.insert(share.cluster.name.clone(), over);
        }
        plan.insert(share.cluster.name.clone(), share.replicas);
    }
    ReplicaPlan {
        plan,
        overflow,
        unplaced: rest,
        full,
        unknown: BTreeSet::new(),
    }
}

fn give_minimums(shares: &mut [Share<'_>], rest: &mut i64) {
    for share in shares {
        let minimum = share.preference.min_replicas.min(*rest);
        share.replicas = share.cluster.capacity.map_or(minimum, |capacity| minimum.min(capacity));
        *rest -= share.replicas;
    }
}

fn keep_what_runs(shares: &mut [Share<'_>], rest: &mut i64) {
    for share in shares {
        if let Some(current) = share.cluster.current.filter(|current| *current > share.replicas) {
            share.kept = (share.cap(current) - share.replicas).min(*rest).max(0);
            share.replicas += share.kept;
            *rest -= share.kept;
        }
    }
}

/// Rounds over the clusters that are not full, until one changes nothing.
fn share_by_weight(shares: &mut [Share<'_>], rest: &mut i64) {
    let mut open: Vec<&mut Share<'_>> = shares.iter_mut().collect();
    let mut changed = true;
    while changed && *rest > 0 {
        changed = false;
        let weights: i128 = open.iter().map(|share| i128::from(share.preference.weight)).sum();
        if weights <= 0 {
            break;
        }
        let to_share = *rest;
        let mut not_full = Vec::with_capacity(open.len());
        for share in open {
            let mut extra = part(to_share, share.preference.weight, weights).min(*rest);
            // What runs there was given before; it counts against this round's part.
            let used = extra.min(share.kept);
            share.kept -= used;
            extra -= used;
            changed |= used > 0;

            let mut total = share.replicas + extra;
            let mut full = false;
            if let Some(max) = share.preference.max_replicas.filter(|max| total > *max) {
                (total, full) = (max, true);
            }
            if let Some(capacity) = share.cluster.capacity.filter(|capacity| total > *capacity) {
                share.overflow = total - capacity;
                (total, full) = (capacity, true);
            }
            *rest -= total - share.replicas;
            changed |= total > share.replicas;
            share.replicas = total;
            if !full {
                not_full.push(share);
            }
        }
        open = not_full;
    }
}

/// `total * weight / weights`, rounded up.
fn part(total: i64, weight: i64, weights: i128) -> i64 {
    let product = i128::from(total) * i128::from(weight);
    i64::try_from((product + weights - 1) / weights).unwrap_or(i64::MAX)
}

/// FNV-1 with 32 bits (multiply, then XOR) over the cluster's name followed by the key.
fn fnv1(cluster: &str, key: &str) -> u32 {
    cluster
        .bytes()
        .chain(key.bytes())
        .fold(2_166_136_261, |sum: u32, byte| {
            sum.wrapping_mul(16_777_619) ^ u32::from(byte)
        })
}

#[cfg(test)]
mod tests;
