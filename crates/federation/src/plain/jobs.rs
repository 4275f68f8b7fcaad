//! A Job in many clusters: so many pods at a time, and so many in all.
//!
//! A member does not let the number in all be changed once its Job is there. So what a cluster was given stays given,
//! whatever becomes of the others, and only what nobody was given is shared out. The status remembers it. A Job is made
//! once: a cluster that cannot be asked at that time takes no part, and nobody waits for it.

use std::collections::BTreeMap;

use super::settle::Situation;
use crate::overrides::Operation;
use crate::replicas::{self, AvailableCluster, Preference};
use crate::status::FederatedStatus;
use crate::{ClusterName, Observed, Present, Record, TypeDescriptor};

/// What is to be shared out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work<'a> {
    /// `namespace/name`, which decides about the odd one.
    pub(super) key: &'a str,
    /// Pods at a time.
    pub(super) parallelism: &'a Preference,
    /// Pods in all; absent for pods that end when they like.
    pub(super) completions: Option<&'a Preference>,
    /// The status that the hub wrote last, which says what clusters were given.
    pub(super) status: Option<&'a FederatedStatus>,
}

/// What one cluster is given. What is absent is not known, and need not be: the cluster cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Given {
    pub(super) parallelism: Option<i64>,
    pub(super) completions: Option<i64>,
}

/// How clusters stand to a Job.
#[derive(Default)]
struct Standings {
    /// It was given this, whether it has it or not.
    given: BTreeMap<ClusterName, Given>,
    /// It has something that cannot be told now.
    unknown: BTreeMap<ClusterName, Given>,
    /// The Job was there, and is not; what it was given is forgotten.
    lost: Vec<ClusterName>,
    /// It was given nothing.
    free: Vec<ClusterName>,
    /// The Job is to leave these, and has its part until it is gone.
    leaving: Vec<Given>,
    /// Somebody has not been asked yet, or cannot be asked what it has.
    is_incomplete: bool,
}

/// Who is given how much, of the clusters that the Job is placed in.
pub(super) fn share_out<'a>(
    work: Work<'_>,
    placed: impl IntoIterator<Item = &'a ClusterName>,
    situation: &Situation<'_>,
) -> BTreeMap<ClusterName, Given> {
    let Standings {
        given: mut shares,
        unknown,
        lost,
        free,
        leaving,
        is_incomplete,
    } = Standings::of(work, placed, situation);
    let is_new = shares.is_empty() && unknown.is_empty() && lost.is_empty() && leaving.is_empty();
    if !is_incomplete && unknown.is_empty() {
        let takers = match work.completions {
            _ if is_new => free,
            _ if !lost.is_empty() => lost,
            Some(_) => free,
            // Who has pods that end when they like leaves nothing to others.
            None => Vec::new(),
        };
        let given = || shares.values().chain(&leaving);
        let parallelism = left(work.parallelism, given().filter_map(|given| given.parallelism));
        let completions = work.completions;
        let completions = completions.map(|total| left(total, given().filter_map(|given| given.completions)));
        let new = give(work.key, &parallelism, completions.as_ref(), takers, is_new);
        shares.extend(new);
    }
    shares.extend(unknown);
    let total = work.parallelism.total_replicas;
    if !is_new && !is_incomplete && !is_asked_for(total, shares.values().chain(&leaving)) {
        let staying = left(work.parallelism, leaving.iter().filter_map(|given| given.parallelism));
        let pods = plan(work.key, &staying, shares.keys());
        for (name, given) in &mut shares {
            given.parallelism = Some(pods[name].max(total.min(1)));
        }
    }
    shares
}

/// Whether the clusters have together what is asked for, as far as that is known.
fn is_asked_for<'a>(total: i64, shares: impl Iterator<Item = &'a Given>) -> bool {
    let mut sum = 0_i64;
    for given in shares {
        let Some(parallelism) = given.parallelism else {
            return true;
        };
        sum = sum.saturating_add(parallelism);
    }
    sum == total
}

/// Shares out what is left over clusters that have none. Where the Job is new, it is only where pods of it may run at a
/// time; later what is left has to go somewhere.
fn give(
    key: &str,
    parallelism: &Preference,
    completions: Option<&Preference>,
    takers: Vec<ClusterName>,
    is_new: bool,
) -> BTreeMap<ClusterName, Given> {
    let mut pods = plan(key, parallelism, &takers);
    if is_new {
        pods.retain(|_, pods| *pods > 0);
    }
    let done = completions.map(|completions| plan(key, completions, pods.keys()));
    let given = pods.into_iter().filter_map(|(name, pods)| {
        let completions = done.as_ref().map(|done| done[&name]);
        let takes_part = is_new || completions.is_none_or(|completions| completions > 0);
        let given = Given {
            parallelism: Some(if is_new { pods } else { pods.max(1) }),
            completions,
        };
        takes_part.then_some((name, given))
    });
    given.collect()
}

fn plan<'a>(
    key: &str,
    preference: &Preference,
    clusters: impl IntoIterator<Item = &'a ClusterName>,
) -> BTreeMap<ClusterName, i64> {
    let available = |name: &ClusterName| AvailableCluster {
        name: name.clone(),
        current: None,
        capacity: None,
    };
    let available: Vec<AvailableCluster> = clusters.into_iter().map(available).collect();
    replicas::plan(key, preference, &available).plan
}

/// The same preference about what is left.
fn left(preference: &Preference, given: impl Iterator<Item = i64>) -> Preference {
    let given = given.fold(0, i64::saturating_add);
    Preference {
        total_replicas: preference.total_replicas.saturating_sub(given).max(0),
        ..preference.clone()
    }
}

impl Standings {
    fn of<'a>(work: Work<'_>, placed: impl IntoIterator<Item = &'a ClusterName>, situation: &Situation<'_>) -> Self {
        let mut standings = Self::default();
        let mut rest = situation.records.clone();
        for name in placed {
            let record = rest.remove(name);
            standings.add(work, name, situation, record.as_ref());
        }
        // What an unregistered cluster keeps is none of the hub's any more.
        for name in rest.keys().filter(|name| situation.clusters.contains_key(*name)) {
            match situation.observed.get(name) {
                Some(Observed::Present(present)) => standings.leaving.push(live(present)),
                Some(Observed::Absent) => {}
                Some(Observed::Unknown { .. }) | None => standings.is_incomplete = true,
            }
        }
        standings
    }

    fn add(&mut self, work: Work<'_>, name: &ClusterName, situation: &Situation<'_>, record: Option<&Record>) {
        let cluster = situation.clusters.get(name);
        let stated = work.stated(name);
        let observed = situation.observed.get(name);
        let own = match (observed, record) {
            (Some(Observed::Present(present)), Some(record)) => {
                Some(live(present)).filter(|_| record.uid.is_some() || present.owner().is_some())
            }
            _ => None,
        };
        if let Some(live) = own {
            let given = Given {
                parallelism: stated.parallelism.or(live.parallelism),
                ..live
            };
            self.given.insert(name.clone(), given);
            return;
        }
        let is_remembered =
            stated.parallelism.is_some() && (work.completions.is_none() || stated.completions.is_some());
        match observed {
            _ if is_remembered => {
                self.given.insert(name.clone(), stated);
            }
            Some(Observed::Absent) if record.is_some() => self.lost.push(name.clone()),
            Some(Observed::Present(_) | Observed::Absent) => {
                if cluster.is_some_and(|cluster| cluster.keeps_share) {
                    self.free.push(name.clone());
                }
            }
            Some(Observed::Unknown { .. }) | None if record.is_some() => {
                self.unknown.insert(name.clone(), stated);
            }
            Some(Observed::Unknown { .. }) => {}
            None => self.is_incomplete |= cluster.is_some_and(|cluster| cluster.ready),
        }
    }
}

impl Work<'_> {
    /// What the hub said last that a cluster is given.
    fn stated(&self, name: &ClusterName) -> Given {
        let entry = self.status.and_then(|status| status.cluster(name));
        Given {
            parallelism: entry.and_then(|entry| entry.desired_replicas),
            completions: entry.and_then(|entry| entry.desired_completions),
        }
    }
}

/// What stands in a member.
fn live(present: &Present) -> Given {
    Given {
        parallelism: present.retained["parallelism"].as_i64(),
        completions: present.retained["completions"].as_i64(),
    }
}

/// The part of a plain Job that a cluster is asked for: it is shared out by operations.
pub(crate) fn asked_completions(row: &TypeDescriptor, operations: &[Operation]) -> Option<i64> {
    let is_it = |operation: &&Operation| operation.segments == ["spec", "completions"];
    let asked = operations.iter().rev().find(is_it).filter(|_| row.is_plain())?;
    asked.value.as_i64()
}
