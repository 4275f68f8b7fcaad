//! Which kinds the hub serves. All of it is data: a federated type is a row of [`atoll_federation::types`], and its
//! schema, columns and short names follow from that row.

mod clusters;
mod columns;
pub(super) mod configuration;
mod core;
pub(super) mod events;
mod federated;
pub(super) mod plain;
pub(super) mod preferences;
mod schema;
mod template;
pub(super) mod views;

use std::sync::{Arc, Mutex, PoisonError};

use atoll_controllers::Configuration;
use atoll_federation::configuration::SCHEDULING_GROUP;
use atoll_federation::{TypeDescriptor, TypeTable};
use atoll_kubeapi::structures::Definitions;
use atoll_kubeapi::{Catalog, Resource};

use super::descriptions::Descriptions;

/// Keyword of a structure that a member told: short names of the target.
pub(super) const SHORT_NAMES: &str = "x-atoll-short-names";

/// Group of `KubeFedCluster`.
pub(super) const CORE_GROUP: &str = "core.kubefed.io";

/// The kinds as of one configuration, made anew when types come or go.
#[derive(Default)]
pub struct Catalogs {
    last: Mutex<Option<Made>>,
    /// Definitions of templates: as the hub has them, or as a member has described them.
    definitions: Mutex<Option<Definitions>>,
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
        let mut definitions = self.definitions.lock().unwrap_or_else(PoisonError::into_inner);
        let definitions = definitions.get_or_insert_with(template::definitions);
        let catalog = Arc::new(catalog_with(configuration, definitions));
        *last = Some(Made {
            from: configuration.clone(),
            catalog: catalog.clone(),
        });
        catalog
    }

    /// Explains the fields of templates so from now on.
    pub(super) fn describe(&self, by: &Descriptions) {
        let definitions = template::described(by);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *self.definitions.lock().unwrap_or_else(PoisonError::into_inner) = Some(definitions);
        *last = None;
    }
}

/// The kinds of this configuration, nobody having described templates.
#[cfg(test)]
pub(super) fn catalog(configuration: &Configuration) -> Catalog {
    catalog_with(configuration, &template::definitions())
}

/// The kinds of this configuration, with these definitions for templates.
fn catalog_with(configuration: &Configuration, definitions: &Definitions) -> Catalog {
    let federated = configuration.types.federated().map(|served| {
        let known = configuration.structures.get(&served.row.name());
        federated::resource(served.row, known.map(|known| &**known), definitions)
    });
    let mut resources: Vec<Resource> = core::resources()
        .into_iter()
        .chain(plain::resources())
        .chain(events::resources())
        .chain([clusters::resource(), preferences::resource()])
        .chain(configuration::resources())
        .chain(federated)
        .collect();
    resources.extend(views::of(&resources));
    Catalog::new(resources)
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
    /// `KubeFedConfig`.
    Config,
    /// `FederatedTypeConfig`.
    TypeConfig,
    /// `ReplicaSchedulingPreference`.
    Preference,
    /// `CustomResourceDefinition`.
    Definition,
    /// `Event` or `Lease`: kept as it comes.
    Note,
    /// A federated kind.
    Federated(&'static TypeDescriptor),
    /// A kind of Kubernetes itself that is here for Federation v1.
    Plain,
}

impl Kind {
    /// The kind of a resource of the catalog.
    pub(super) fn of(types: &TypeTable, resource: &Resource) -> Option<Self> {
        match (resource.group.as_str(), resource.plural.as_str()) {
            ("", "namespaces") => Some(Self::Namespace),
            ("", "secrets") => Some(Self::Secret),
            ("", "configmaps") => Some(Self::ConfigMap),
            ("", "events") | (events::LEASE_GROUP, "leases") => Some(Self::Note),
            (CORE_GROUP, clusters::PLURAL) => Some(Self::Cluster),
            (CORE_GROUP, configuration::CONFIGS) => Some(Self::Config),
            (CORE_GROUP, configuration::TYPE_CONFIGS) => Some(Self::TypeConfig),
            (SCHEDULING_GROUP, preferences::PLURAL) => Some(Self::Preference),
            (configuration::DEFINITIONS_GROUP, configuration::DEFINITIONS) => Some(Self::Definition),
            (group, plural) if plain::is_served(group, plural) => Some(Self::Plain),
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
        let catalog = catalog(&Configuration::default());
        for resource in catalog.iter() {
            let stored = catalog.stored(resource).unwrap();
            assert!(
                Kind::of(&TypeTable::built_in(), stored).is_some(),
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
