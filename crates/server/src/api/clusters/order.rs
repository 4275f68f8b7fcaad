//! In which order clusters are listed.

use super::{ClusterView, RoleView};

/// Fields that clusters can be sorted by; the first is the order when nobody says.
pub(super) const SORT_KEYS: [&str; 11] = [
    "name",
    "alias",
    "role",
    "state",
    "since",
    "kubernetesVersion",
    "nodeCount",
    "provider",
    "region",
    "latencyMs",
    "createdAt",
];

/// A value to sort by: text, then numbers; what is unknown comes first.
pub(super) type SortKey = (Option<String>, Option<i128>);

/// What a cluster is sorted by.
pub(super) fn sort_key(cluster: &ClusterView, by: &str) -> SortKey {
    let text = |text: &Option<String>| (text.as_ref().map(|text| text.to_lowercase()), None);
    let number = |number: Option<i128>| (None, number);
    match by {
        "alias" => text(&cluster.alias),
        "role" => number(Some(i128::from(cluster.role == RoleView::Member))),
        "state" => number(Some(cluster.state as i128)),
        "since" => number(cluster.since.map(|at| at.as_nanosecond())),
        "kubernetesVersion" => (None, cluster.kubernetes_version.as_deref().map(version_number)),
        "nodeCount" => number(cluster.node_count.map(i128::from)),
        "provider" => text(&cluster.provider),
        "region" => text(&cluster.region),
        "latencyMs" => number(cluster.latency_ms.map(i128::from)),
        "createdAt" => number(Some(cluster.created_at.as_nanosecond())),
        _ => (Some(cluster.name.clone()), None),
    }
}

/// `v1.36.3` as a number that sorts as people expect.
fn version_number(version: &str) -> i128 {
    let mut parts = version.trim_start_matches('v').split(['.', '-', '+']);
    let mut part = || {
        parts
            .next()
            .and_then(|part| part.parse::<i128>().ok())
            .unwrap_or_default()
    };
    (part() * 100_000 + part()) * 100_000 + part()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_as_people_expect() {
        assert!(version_number("v1.9.0") < version_number("v1.33.13"));
        assert!(version_number("v1.33.2") < version_number("v1.33.13"));
        assert_eq!(version_number("v1.33.2-eks-abc"), version_number("v1.33.2"));
    }
}
