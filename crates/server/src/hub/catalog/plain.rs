//! Kubernetes' own kinds as Federation v1 had them: posted to the hub as they are, without a federated kind around
//! them. `ConfigMap`, `Secret` and `Namespace` are of these too; they stand with the core kinds.
//!
//! An object goes to members only when it is federated (an annotation of v1, or a namespace that says so); otherwise it
//! rests on the hub. Old versions of these kinds are [views](super::views) of the same rows.

use atoll_federation::plain::view::VIEWS;
use atoll_kubeapi::columns::{batch, network, workloads};
use atoll_kubeapi::path::Path;
use atoll_kubeapi::{Column, Resource, scale};

/// A kind, and what people are used to seeing of it.
struct Plain {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    short_names: &'static [&'static str],
    /// Whether `kubectl get all` lists it.
    in_all: bool,
    /// Whether it has replicas that `kubectl scale` sets.
    scales: bool,
    columns: fn() -> Vec<Column>,
    selectable: &'static [&'static str],
}

const KINDS: &[Plain] = &[
    Plain {
        group: "",
        version: "v1",
        kind: "Service",
        plural: "services",
        short_names: &["svc"],
        in_all: true,
        scales: false,
        columns: network::services,
        selectable: &["spec.clusterIP", "spec.type"],
    },
    Plain {
        group: "apps",
        version: "v1",
        kind: "Deployment",
        plural: "deployments",
        short_names: &["deploy"],
        in_all: true,
        scales: true,
        columns: workloads::deployments,
        selectable: &[],
    },
    Plain {
        group: "apps",
        version: "v1",
        kind: "ReplicaSet",
        plural: "replicasets",
        short_names: &["rs"],
        in_all: true,
        scales: true,
        columns: workloads::replica_sets,
        selectable: &["status.replicas"],
    },
    Plain {
        group: "apps",
        version: "v1",
        kind: "DaemonSet",
        plural: "daemonsets",
        short_names: &["ds"],
        in_all: true,
        scales: false,
        columns: workloads::daemon_sets,
        selectable: &[],
    },
    Plain {
        group: "batch",
        version: "v1",
        kind: "Job",
        plural: "jobs",
        short_names: &[],
        in_all: true,
        scales: false,
        columns: batch::jobs,
        selectable: &["status.successful"],
    },
    Plain {
        group: "networking.k8s.io",
        version: "v1",
        kind: "Ingress",
        plural: "ingresses",
        short_names: &["ing"],
        in_all: false,
        scales: false,
        columns: network::ingresses,
        selectable: &[],
    },
    Plain {
        group: "autoscaling",
        version: "v2",
        kind: "HorizontalPodAutoscaler",
        plural: "horizontalpodautoscalers",
        short_names: &["hpa"],
        in_all: true,
        scales: false,
        columns: workloads::autoscalers,
        selectable: &[],
    },
];

/// Whether this is one of the kinds of this list that are served for Federation v1 alone.
pub(super) fn is_served(group: &str, plural: &str) -> bool {
    KINDS.iter().any(|one| one.plural == plural && one.group == group)
}

/// The same of a resource in any of its versions and groups.
pub(in crate::hub) fn is_served_as(group: &str, plural: &str) -> bool {
    is_served(group, plural) || VIEWS.iter().any(|view| view.plural == plural && view.group == group)
}

/// Whether its replicas can be scaled.
pub(in crate::hub) fn scales(resource: &Resource) -> bool {
    KINDS
        .iter()
        .any(|one| one.scales && one.plural == resource.plural && one.group == resource.group)
}

pub(super) fn resources() -> impl Iterator<Item = Resource> {
    KINDS.iter().map(Plain::resource)
}

impl Plain {
    fn resource(&self) -> Resource {
        let built_in = Resource::built_in(self.group, self.version, self.kind, self.plural)
            .expect("the embedded structures have the kinds of Federation v1");
        let path = |field: &&str| {
            let path = Path::parse(field).expect("a field of this list is a path");
            ((*field).to_owned(), path)
        };
        Resource {
            short_names: self.short_names.iter().map(|name| (*name).to_owned()).collect(),
            categories: self.in_all.then(|| "all".to_owned()).into_iter().collect(),
            subresources: self.scales.then(scale::subresource).into_iter().collect(),
            columns: (self.columns)(),
            selectable: self.selectable.iter().map(path).collect(),
            description: format!(
                "A {} in the manner of Federation v1: it goes to clusters when it carries one of v1's annotations, or lies in \
                 a namespace labelled atoll.dev/federation-v1: \"true\"; otherwise it rests on the hub. Use a Federated{} for \
                 everything new.",
                self.kind, self.kind
            ),
            ..built_in
        }
    }
}

#[cfg(test)]
mod tests {
    use atoll_federation::types::{PLAIN_TYPES, find_plain};

    use super::*;

    #[test]
    fn every_plain_type_is_served_in_the_version_in_which_it_is_kept() {
        let core = super::super::core::resources();
        let served: Vec<Resource> = resources().chain(core).collect();
        for row in PLAIN_TYPES.iter() {
            let target = &row.target;
            let found = served.iter().find(|one| {
                (&*target.group, &*target.version, &*target.plural)
                    == (one.group.as_str(), one.version.as_str(), one.plural.as_str())
            });
            let found = found.unwrap_or_else(|| panic!("{}", row.name()));
            assert_eq!(found.namespaced, target.namespaced);
            assert_eq!(scales(found), row.replicas_path.is_some(), "{}", row.name());
        }
        for kind in resources() {
            let name = if kind.group.is_empty() {
                kind.plural
            } else {
                format!("{}.{}", kind.plural, kind.group)
            };
            assert!(find_plain(&name).is_some(), "{name}");
        }
    }
}
