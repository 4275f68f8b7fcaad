//! Which kinds the hub serves. All of it is data: a federated type is a row of [`atoll_federation::types`], and its
//! schema, columns and short names follow from that row.

mod clusters;
mod columns;
mod core;
mod federated;
mod schema;

use std::sync::{Arc, Mutex, PoisonError};

use atoll_controllers::Configuration;
use atoll_federation::{TypeDescriptor, TypeTable};
use atoll_kubeapi::{Catalog, Resource};

/// Group of `KubeFedCluster`.
pub(super) const CORE_GROUP: &str = "core.kubefed.io";

/// The kinds as of one configuration, made anew when types come or go.
#[derive(Default)]
pub struct Catalogs {
    last: Mutex<Option<Made>>,
}

struct Made {
    from: Arc<Configuration>,
    catalog: Arc<Catalog>,
}

impl Catalogs {
    /// The kinds that are served, the same for everybody.
    pub(super) fn of(&self, configuration: &Arc<Configuration>) -> Arc<Catalog> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = last.as_mut() {
            if Arc::ptr_eq(&made.from, configuration) {
                return made.catalog.clone();
            }
            if (&made.from.types, &made.from.structures) == (&configuration.types, &configuration.structures) {
                made.from = configuration.clone();
                return made.catalog.clone();
            }
        }
        let catalog = Arc::new(catalog(configuration));
        *last = Some(Made {
            from: configuration.clone(),
            catalog: catalog.clone(),
        });
        catalog
    }
}

/// The kinds of this configuration.
pub(super) fn catalog(configuration: &Configuration) -> Catalog {
    let federated = configuration
        .types
        .federated()
        .map(|served| federated::resource(served.row));
    Catalog::new(
        core::resources()
            .into_iter()
            .chain([clusters::resource()])
            .chain(federated),
    )
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
    pub(super) fn of(types: &TypeTable, resource: &Resource) -> Option<Self> {
        match (resource.group.as_str(), resource.plural.as_str()) {
            ("", "namespaces") => Some(Self::Namespace),
            ("", "secrets") => Some(Self::Secret),
            ("", "configmaps") => Some(Self::ConfigMap),
            (CORE_GROUP, clusters::PLURAL) => Some(Self::Cluster),
            (group, plural) => {
                let served = types.of_resource(group, plural)?;
                Some(Self::Federated(served.row))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_served_resource_has_a_meaning() {
        for resource in catalog(&Configuration::default()).iter() {
            assert!(
                Kind::of(&TypeTable::built_in(), resource).is_some(),
                "{}.{}",
                resource.plural,
                resource.group
            );
        }
    }

    #[test]
    fn what_kubectl_asks_for_is_served() {
        let catalog = catalog(&Configuration::default());
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
