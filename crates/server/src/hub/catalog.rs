//! Which kinds the hub serves. All of it is data: a federated type is a row of [`atoll_federation::types`], and its
//! schema, columns and short names follow from that row.

mod clusters;
mod columns;
mod core;
mod federated;
mod schema;

use std::sync::{Arc, LazyLock};

use atoll_federation::{TypeDescriptor, types};
use atoll_kubeapi::{Catalog, Resource};

/// Group of `KubeFedCluster`.
pub(super) const CORE_GROUP: &str = "core.kubefed.io";

static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| {
    let federated = types::enabled().map(federated::resource);
    Arc::new(Catalog::new(
        core::resources()
            .into_iter()
            .chain([clusters::resource()])
            .chain(federated),
    ))
});

/// The kinds, the same for everybody and for as long as the process lives.
pub(super) fn catalog() -> Arc<Catalog> {
    CATALOG.clone()
}

/// What admission and commits have to know of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Core `Namespace`.
    Namespace,
    /// Core `Secret`.
    Secret,
    /// Core `ConfigMap`.
    ConfigMap,
    /// `KubeFedCluster`.
    Cluster,
    /// A federated kind.
    Federated(&'static TypeDescriptor),
}

impl Kind {
    /// The kind of a resource of the catalog.
    pub(super) fn of(resource: &Resource) -> Option<Self> {
        match (resource.group.as_str(), resource.plural.as_str()) {
            ("", "namespaces") => Some(Self::Namespace),
            ("", "secrets") => Some(Self::Secret),
            ("", "configmaps") => Some(Self::ConfigMap),
            (CORE_GROUP, clusters::PLURAL) => Some(Self::Cluster),
            (types::FEDERATED_GROUP, plural) => types::find(plural).map(Self::Federated),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_served_resource_has_a_meaning() {
        for resource in catalog().iter() {
            assert!(Kind::of(resource).is_some(), "{}.{}", resource.plural, resource.group);
        }
    }

    #[test]
    fn what_kubectl_asks_for_is_served() {
        let catalog = catalog();
        for (group, version, plural, short) in [
            ("", "v1", "namespaces", "ns"),
            ("", "v1", "configmaps", "cm"),
            ("core.kubefed.io", "v1beta1", "kubefedclusters", "kfc"),
            ("types.kubefed.io", "v1beta1", "federateddeployments", "fdeploy"),
            ("types.kubefed.io", "v1beta1", "federatednamespaces", "fns"),
            ("types.kubefed.io", "v1beta1", "federatedservices", "fsvc"),
            ("types.kubefed.io", "v1beta1", "federatedconfigmaps", "fcm"),
        ] {
            let resource = catalog.find(group, version, plural).unwrap();
            assert!(resource.short_names.iter().any(|name| name == short), "{plural}");
        }
        assert!(catalog.find("", "v1", "secrets").is_some());
    }
}
