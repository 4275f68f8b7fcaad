//! The kinds that a simulated member serves, as Kubernetes declares and prints them.
//!
//! The catalog is the same for every member, so a process has one.

mod access;
mod cluster;
mod pods;
mod storage;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use atoll_kubeapi::columns::{batch, events, network, workloads};
use atoll_kubeapi::{Catalog, Column, Path, Resource, Subresource};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $group:literal $version:literal $plural:literal;)*) => {
        /// A kind that is served.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Kind { $($kind),* }

        impl Kind {
            /// All, in the order of discovery.
            pub(crate) const ALL: &[Kind] = &[$(Kind::$kind),*];

            /// Group, version, kind and plural.
            fn names(self) -> (&'static str, &'static str, &'static str, &'static str) {
                match self { $(Kind::$kind => ($group, $version, stringify!($kind), $plural)),* }
            }
        }
    };
}

kinds! {
    Namespace "" "v1" "namespaces";
    Node "" "v1" "nodes";
    Pod "" "v1" "pods";
    Service "" "v1" "services";
    Endpoints "" "v1" "endpoints";
    ConfigMap "" "v1" "configmaps";
    Secret "" "v1" "secrets";
    ServiceAccount "" "v1" "serviceaccounts";
    Event "" "v1" "events";
    ReplicationController "" "v1" "replicationcontrollers";
    LimitRange "" "v1" "limitranges";
    ResourceQuota "" "v1" "resourcequotas";
    PersistentVolumeClaim "" "v1" "persistentvolumeclaims";
    Deployment "apps" "v1" "deployments";
    ReplicaSet "apps" "v1" "replicasets";
    StatefulSet "apps" "v1" "statefulsets";
    DaemonSet "apps" "v1" "daemonsets";
    Job "batch" "v1" "jobs";
    CronJob "batch" "v1" "cronjobs";
    Ingress "networking.k8s.io" "v1" "ingresses";
    NetworkPolicy "networking.k8s.io" "v1" "networkpolicies";
    PodDisruptionBudget "policy" "v1" "poddisruptionbudgets";
    HorizontalPodAutoscaler "autoscaling" "v2" "horizontalpodautoscalers";
    EndpointSlice "discovery.k8s.io" "v1" "endpointslices";
    Lease "coordination.k8s.io" "v1" "leases";
    Role "rbac.authorization.k8s.io" "v1" "roles";
    RoleBinding "rbac.authorization.k8s.io" "v1" "rolebindings";
    ClusterRole "rbac.authorization.k8s.io" "v1" "clusterroles";
    ClusterRoleBinding "rbac.authorization.k8s.io" "v1" "clusterrolebindings";
}

static CATALOG: LazyLock<Arc<Catalog>> =
    LazyLock::new(|| Arc::new(Catalog::new(Kind::ALL.iter().map(|kind| kind.declare()))));

static RESOURCES: LazyLock<Vec<Arc<Resource>>> = LazyLock::new(|| CATALOG.iter().cloned().collect());

/// The catalog of every simulated member.
pub(crate) fn catalog() -> Arc<Catalog> {
    CATALOG.clone()
}

impl Kind {
    /// The kind as a resource.
    pub(crate) fn resource(self) -> &'static Resource {
        // The catalog keeps the order of `ALL`, which is that of the variants.
        &RESOURCES[self as usize]
    }

    /// The kind of a resource.
    pub(crate) fn of(resource: &Resource) -> Option<Self> {
        Self::of_plural(&resource.group, &resource.plural)
    }

    /// The kind with this group and plural.
    pub(crate) fn of_plural(group: &str, plural: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| {
            let (own_group, _, _, own_plural) = one.names();
            own_plural == plural && own_group == group
        })
    }

    /// The kind that an owner reference names.
    pub(crate) fn of_reference(api_version: &str, kind: &str) -> Option<Self> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        Self::ALL.iter().copied().find(|one| {
            let (own_group, _, own_kind, _) = one.names();
            own_kind == kind && own_group == group
        })
    }

    /// Kind, as objects state it.
    pub(crate) fn name(self) -> &'static str {
        self.names().2
    }

    /// Whether objects live in namespaces.
    pub(crate) fn is_namespaced(self) -> bool {
        !matches!(
            self,
            Self::Namespace | Self::Node | Self::ClusterRole | Self::ClusterRoleBinding
        )
    }

    /// Where the template of the kind's pods stands, if it has one.
    pub(crate) fn pod_template(self) -> Option<&'static str> {
        match self {
            Self::Deployment
            | Self::ReplicaSet
            | Self::StatefulSet
            | Self::DaemonSet
            | Self::Job
            | Self::ReplicationController => Some("/spec/template"),
            Self::CronJob => Some("/spec/jobTemplate/spec/template"),
            _ => None,
        }
    }

    fn declare(self) -> Resource {
        let (group, version, kind, plural) = self.names();
        let built_in = Resource::built_in(group, version, kind, plural)
            .expect("the embedded structures have the kinds of a small cluster");
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        Resource {
            namespaced: self.is_namespaced(),
            short_names: words(self.short_names()),
            categories: words(if self.is_of_all() { &["all"] } else { &[] }),
            subresources: self.subresources(),
            columns: self.columns(),
            selectable: self.selectable(),
            description: self.description().to_owned(),
            // Its address is no Path: endpoints are one word in singular as well.
            singular: if self == Self::Endpoints {
                plural.into()
            } else {
                built_in.singular.clone()
            },
            ..built_in
        }
    }

    fn is_of_all(self) -> bool {
        matches!(
            self,
            Self::Pod
                | Self::Service
                | Self::ReplicationController
                | Self::Deployment
                | Self::ReplicaSet
                | Self::StatefulSet
                | Self::DaemonSet
                | Self::Job
                | Self::CronJob
                | Self::HorizontalPodAutoscaler
        )
    }

    fn short_names(self) -> &'static [&'static str] {
        match self {
            Self::Namespace => &["ns"],
            Self::Node => &["no"],
            Self::Pod => &["po"],
            Self::Service => &["svc"],
            Self::Endpoints => &["ep"],
            Self::ConfigMap => &["cm"],
            Self::ServiceAccount => &["sa"],
            Self::Event => &["ev"],
            Self::ReplicationController => &["rc"],
            Self::LimitRange => &["limits"],
            Self::ResourceQuota => &["quota"],
            Self::PersistentVolumeClaim => &["pvc"],
            Self::Deployment => &["deploy"],
            Self::ReplicaSet => &["rs"],
            Self::StatefulSet => &["sts"],
            Self::DaemonSet => &["ds"],
            Self::CronJob => &["cj"],
            Self::Ingress => &["ing"],
            Self::NetworkPolicy => &["netpol"],
            Self::PodDisruptionBudget => &["pdb"],
            Self::HorizontalPodAutoscaler => &["hpa"],
            Self::Secret
            | Self::Job
            | Self::EndpointSlice
            | Self::Lease
            | Self::Role
            | Self::RoleBinding
            | Self::ClusterRole
            | Self::ClusterRoleBinding => &[],
        }
    }

    fn subresources(self) -> Vec<Subresource> {
        let subresource = |name: &str, group: &str, version: &str, kind: &str, verbs: &[&str]| Subresource {
            name: name.into(),
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        };
        match self {
            Self::Pod => vec![
                subresource("eviction", "policy", "v1", "Eviction", &["create"]),
                subresource("exec", "", "v1", "PodExecOptions", &["create", "get"]),
                subresource("log", "", "v1", "Pod", &["get"]),
            ],
            Self::Deployment | Self::ReplicaSet | Self::StatefulSet | Self::ReplicationController => {
                vec![atoll_kubeapi::scale::subresource()]
            }
            _ => Vec::new(),
        }
    }

    fn columns(self) -> Vec<Column> {
        match self {
            Self::Namespace => cluster::namespaces(),
            Self::Node => cluster::nodes(),
            Self::Event => events::events(),
            Self::Lease => events::leases(),
            Self::Pod => pods::columns(),
            Self::Service => network::services(),
            Self::Endpoints => network::endpoints(),
            Self::EndpointSlice => network::endpoint_slices(),
            Self::Ingress => network::ingresses(),
            Self::NetworkPolicy => network::network_policies(),
            Self::ConfigMap => storage::config_maps(),
            Self::Secret => storage::secrets(),
            Self::PersistentVolumeClaim => storage::claims(),
            Self::LimitRange => access::created_at(),
            Self::ResourceQuota => storage::quotas(),
            Self::ServiceAccount => Vec::new(),
            Self::Deployment => workloads::deployments(),
            Self::ReplicaSet | Self::ReplicationController => workloads::replica_sets(),
            Self::StatefulSet => workloads::stateful_sets(),
            Self::DaemonSet => workloads::daemon_sets(),
            Self::PodDisruptionBudget => workloads::disruption_budgets(),
            Self::HorizontalPodAutoscaler => workloads::autoscalers(),
            Self::Job => batch::jobs(),
            Self::CronJob => batch::cron_jobs(),
            Self::Role | Self::ClusterRole => access::created_at(),
            Self::RoleBinding | Self::ClusterRoleBinding => access::bindings(),
        }
    }

    fn selectable(self) -> BTreeMap<String, Path> {
        let fields: &[&str] = match self {
            Self::Pod => &[
                "spec.nodeName",
                "spec.restartPolicy",
                "spec.schedulerName",
                "spec.serviceAccountName",
                "spec.hostNetwork",
                "status.phase",
                "status.podIP",
                "status.nominatedNodeName",
            ],
            Self::Event => &[
                "involvedObject.kind",
                "involvedObject.namespace",
                "involvedObject.name",
                "involvedObject.uid",
                "involvedObject.apiVersion",
                "involvedObject.resourceVersion",
                "involvedObject.fieldPath",
                "reason",
                "reportingComponent",
                "source",
                "type",
            ],
            Self::Node => &["spec.unschedulable"],
            Self::Namespace => &["status.phase"],
            Self::Secret => &["type"],
            Self::Service => &["spec.clusterIP", "spec.type"],
            Self::Job => &["status.successful"],
            Self::ReplicaSet | Self::ReplicationController => &["status.replicas"],
            _ => &[],
        };
        let path = |field: &str| Path::parse(field).expect("the fields are constants");
        fields.iter().map(|field| ((*field).to_owned(), path(field))).collect()
    }

    fn description(self) -> &'static str {
        match self {
            Self::Namespace => "A scope for names.",
            Self::Node => "A machine that pods run on.",
            Self::Pod => "Containers that run together on one node.",
            Self::Service => "A stable address for a set of pods.",
            Self::Endpoints => "The addresses behind a Service.",
            Self::EndpointSlice => "Some of the addresses behind a Service.",
            Self::ConfigMap => "Configuration for pods.",
            Self::Secret => "Confidential data for pods.",
            Self::ServiceAccount => "An identity for pods.",
            Self::Event => "Something that happened to an object.",
            Self::ReplicationController => "An older form of ReplicaSet.",
            Self::LimitRange => "Limits of single objects in a namespace.",
            Self::ResourceQuota => "Limits of a namespace as a whole.",
            Self::PersistentVolumeClaim => "A request for storage.",
            Self::Deployment => "Pods that are replaced step by step when their template changes.",
            Self::ReplicaSet => "A number of equal pods.",
            Self::StatefulSet => "Pods with stable names and storage.",
            Self::DaemonSet => "One pod on each node.",
            Self::Job => "Pods that run to completion.",
            Self::CronJob => "Jobs by the clock.",
            Self::Ingress => "Rules that bring HTTP requests to Services.",
            Self::NetworkPolicy => "Who may talk to which pods.",
            Self::PodDisruptionBudget => "How many pods may be evicted at once.",
            Self::HorizontalPodAutoscaler => "How many replicas a workload has, by measurement.",
            Self::Lease => "Who holds something, and until when.",
            Self::Role | Self::ClusterRole => "A set of permissions.",
            Self::RoleBinding | Self::ClusterRoleBinding => "Who has the permissions of a role.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_its_own_resource() {
        for kind in Kind::ALL {
            let resource = kind.resource();
            assert_eq!(resource.kind, kind.name());
            assert_eq!(Kind::of(resource), Some(*kind));
            assert_eq!(Kind::of_reference(&resource.api_version(), kind.name()), Some(*kind));
        }
        assert_eq!(Kind::of_reference("v1", "Deployment"), None);
    }
}
