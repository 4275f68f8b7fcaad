//! Why each cluster has its share, for people. KubeFed says nothing of it.

use std::collections::BTreeMap;

use super::{AvailableCluster, ClusterPreference, Preference, ReplicaPlan, plan};
use crate::ClusterName;

/// The reason of each cluster that a share was worked out for. `key` is that of the plan.
pub fn reasons(key: &str, preference: &Preference, shares: &ReplicaPlan) -> BTreeMap<ClusterName, String> {
    let even = even(key, preference, shares);
    let unknown: Vec<&str> = shares.unknown.iter().map(ClusterName::as_str).collect();
    let reason = |(name, replicas): (&ClusterName, &i64)| {
        let why = if unknown.is_empty() {
            let overflow = shares.overflow.get(name).copied().unwrap_or_default();
            let room = (shares.full.contains(name), overflow);
            why(preference.of(name), *replicas, room, even.get(name).copied())
        } else {
            format!(
                "as it was last asked for: the pods in {} cannot be read",
                unknown.join(", ")
            )
        };
        (name.clone(), why)
    };
    shares.plan.iter().map(reason).collect()
}

/// What each cluster would have if replicas moved. Where one has no room, or nobody knows what runs, that is not worked
/// out: it says so itself.
fn even(key: &str, preference: &Preference, shares: &ReplicaPlan) -> BTreeMap<ClusterName, i64> {
    if preference.rebalance || !shares.full.is_empty() || !shares.unknown.is_empty() {
        return shares.plan.clone();
    }
    let anew = |name: &ClusterName| AvailableCluster {
        name: name.clone(),
        current: None,
        capacity: None,
    };
    let available: Vec<AvailableCluster> = shares.plan.keys().map(anew).collect();
    plan(key, preference, &available).plan
}

fn why(
    wanted: Option<&ClusterPreference>,
    replicas: i64,
    (is_full, overflow): (bool, i64),
    even: Option<i64>,
) -> String {
    let Some(wanted) = wanted else {
        return "neither its name nor * stands in the preference".to_owned();
    };
    if overflow > 0 {
        return format!("has no room for {overflow} more");
    }
    if is_full {
        return format!("has room for {replicas}");
    }
    if wanted.max_replicas == Some(replicas) {
        return format!("has its maximum of {replicas}");
    }
    if replicas < wanted.min_replicas {
        return format!("less than its minimum of {}: there are no more", wanted.min_replicas);
    }
    if wanted.weight == 0 {
        return match replicas {
            0 => "has no weight and no minimum".to_owned(),
            _ if replicas == wanted.min_replicas => format!("its minimum of {replicas}"),
            _ => "keeps what runs there".to_owned(),
        };
    }
    match even {
        Some(even) if even != replicas => {
            format!(
                "its part by weight {} would be {even}; nothing is moved without rebalance",
                wanted.weight
            )
        }
        Some(_) | None => format!("its part by weight {}", wanted.weight),
    }
}
