//! A Job in many clusters: so many pods at a time, and so many in all.
//!
//! A member does not let the number in all be changed once its Job is there. So what a cluster was given stays given,
//! whatever becomes of the others, and only what nobody was given is shared out. A Job is made once: a cluster that
//! cannot be asked at that time takes no part, and nobody waits for it.

use std::collections::BTreeMap;

use super::settle::Situation;
use crate::replicas::{self, AvailableCluster, Preference};
use crate::status::FederatedStatus;
use crate::{ClusterName, Observed};

/// What is to be shared out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work<'a> {
    /// `namespace/name`, which decides about the odd one.
    pub(super) key: &'a str,
    /// Pods at a time.
    pub(super) parallelism: &'a Preference,
    /// Pods in all; absent for pods that end when they like.
    pub(super) completions: Option<&'a Preference>,
    /// The status that the hub wrote last, which says how many pods at a time clusters were given.
    pub(super) status: Option<&'a FederatedStatus>,
    /// Whether the Job was changed since.
    pub(super) is_changed: bool,
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
    /// The Job is there.
    begun: BTreeMap<ClusterName, Given>,
    /// It was given something that cannot be told now.
    unknown: BTreeMap<ClusterName, Given>,
    /// The Job was there, or was to be, and is not.
    lost: Vec<ClusterName>,
    /// The Job was never there.
    free: Vec<ClusterName>,
    /// Somebody has not been asked yet.
    is_incomplete: bool,
}

/// Who is given how much, of the clusters that the Job is placed in.
pub(super) fn share_out<'a>(
    work: Work<'_>,
    placed: impl IntoIterator<Item = &'a ClusterName>,
    situation: &Situation<'_>,
) -> BTreeMap<ClusterName, Given> {
    let Standings {
        mut begun,
        unknown,
        lost,
        free,
        is_incomplete,
    } = Standings::of(work, placed, situation);
    let is_new = begun.is_empty() && lost.is_empty();
    if !is_incomplete && unknown.is_empty() {
        let takers = if lost.is_empty() { free } else { lost };
        let parallelism = left(work.parallelism, begun.values().filter_map(|given| given.parallelism));
        let completions = work
            .completions
            .map(|total| left(total, begun.values().filter_map(|given| given.completions)));
        begun.extend(give(work.key, &parallelism, completions.as_ref(), takers, is_new));
    }
    begun.extend(unknown);
    if work.is_changed && !is_new {
        let pods = plan(work.key, work.parallelism, begun.keys());
        for (name, given) in &mut begun {
            given.parallelism = Some(pods[name].max(1));
        }
    }
    begun
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
        for name in placed {
            let is_recorded = situation.records.contains_key(name);
            let cluster = situation.clusters.get(name);
            let stated = || work.status?.cluster(name)?.desired_replicas;
            match situation.observed.get(name) {
                Some(Observed::Present(present)) if is_recorded => {
                    let live = |field: &str| present.retained[field].as_i64();
                    let given = Given {
                        parallelism: stated().or_else(|| live("parallelism")),
                        completions: live("completions"),
                    };
                    standings.begun.insert(name.clone(), given);
                }
                Some(Observed::Absent) if is_recorded => standings.lost.push(name.clone()),
                Some(Observed::Present(_) | Observed::Absent) => {
                    if cluster.is_some_and(|cluster| cluster.keeps_share) {
                        standings.free.push(name.clone());
                    }
                }
                Some(Observed::Unknown { .. }) | None if is_recorded => {
                    let given = Given {
                        parallelism: stated(),
                        completions: None,
                    };
                    standings.unknown.insert(name.clone(), given);
                }
                Some(Observed::Unknown { .. }) => {}
                None => standings.is_incomplete |= cluster.is_some_and(|cluster| cluster.ready),
            }
        }
        standings
    }
}
