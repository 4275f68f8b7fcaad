//! Which types are federated, and how the control plane behaves: what people configured, as every replica reads it.
//!
//! A `FederatedTypeConfig` or `KubeFedConfig` that is written anywhere counts everywhere within a moment, without a
//! restart: the snapshot is replaced as a whole, and whoever depends on it is woken.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::Thresholds;
use atoll_federation::configuration::{CONFIG_NAME, CORE_GROUP, HealthCheck};
use atoll_federation::types::{SYSTEM_NAMESPACE, Served, TypeTable, intern, served_plain};
use atoll_federation::{Scope, Settings, TypeConfig, TypeDescriptor};
use atoll_store::{ObjectKey, Revision, Store};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::error::{Doing, Result, chain};
use crate::feed::{Feed, News};
use crate::hub::Hub;
use crate::key::{Key, Kind};

/// Plural of `FederatedTypeConfig`.
pub const TYPE_CONFIGS: &str = "federatedtypeconfigs";
/// Plural of `KubeFedConfig`.
pub const CONFIGS: &str = "kubefedconfigs";

/// Group of what the hub keeps for itself beside what its API serves.
pub(crate) const OWN_GROUP: &str = "atoll.dev";
const SEEDS: &str = "seeds";
const STRUCTURES: &str = "structures";
const RETRY: Duration = Duration::from_secs(1);

/// What people configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// The types that the hub serves.
    pub types: TypeTable,
    /// Structures of targets that are not built in, by the name of the type: OpenAPI schemas without references.
    pub structures: BTreeMap<String, Arc<Value>>,
    /// How the control plane behaves.
    pub settings: Settings,
    /// How members are probed, if anybody has said so. The defaults stand in every `KubeFedConfig` and say nothing:
    /// then it is as this process was started.
    pub health_check: Option<HealthCheck>,
    /// The revision at which it was read.
    pub revision: Revision,
}

impl Configuration {
    /// Whether an object is kept in step: its type is propagated, and its namespace is within the control plane's reach.
    /// Where it is not, members keep what they have.
    pub(crate) fn propagates(&self, key: &Key) -> bool {
        let is_propagated = self.served(key.kind).is_some_and(|served| served.propagated);
        let is_reached = match self.settings.scope {
            Scope::Cluster => true,
            Scope::Namespaced => key.namespace == SYSTEM_NAMESPACE,
        };
        is_propagated && is_reached
    }

    /// Whether this is a type that the hub serves, as it is served now.
    pub(crate) fn serves(&self, kind: Kind) -> bool {
        self.served(kind).is_some()
    }

    fn served(&self, kind: Kind) -> Option<Served> {
        let api = &kind.row().federated;
        let served = self.types.of_resource(&api.group, &api.plural)?;
        (Kind::of(served.row) == kind).then_some(served)
    }
}

/// Leaves out what this control plane cannot propagate, whatever its type says: a namespace-scoped one has nothing to
/// do with what lives outside of namespaces, and without namespaces nothing can be placed in one.
fn within_reach(types: &TypeTable, scope: Scope) -> TypeTable {
    let namespaces_are = types.namespaces().is_some_and(|served| served.propagated);
    let can = |row: &TypeDescriptor| match scope {
        Scope::Namespaced => row.target.namespaced,
        // A plain namespace says where the plain objects in it go.
        Scope::Cluster => !row.target.namespaced || namespaces_are || row.is_plain(),
    };
    let served = types.iter().map(|served| Served {
        propagated: served.propagated && can(served.row),
        ..served
    });
    served.collect()
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            types: TypeTable::built_in(),
            structures: BTreeMap::new(),
            settings: Settings::default(),
            health_check: None,
            revision: Revision(0),
        }
    }
}

/// Where it is kept which built-in types were given their `FederatedTypeConfig`: once, so that one that is deleted stays
/// deleted. Body: `{"types": ["deployments.apps", …]}`.
pub fn seeded_key() -> ObjectKey {
    ObjectKey::new(OWN_GROUP, SEEDS, "", "types")
}

/// Where the structure of a target type is kept, taken from a member when its `FederatedTypeConfig` was made. Body:
/// `{"structure": <OpenAPI schema without references>, "replicasPath": "/spec/replicas" or null}`.
pub fn structure_key(type_name: &str) -> ObjectKey {
    ObjectKey::new(OWN_GROUP, STRUCTURES, "", type_name)
}

/// Reads it from the store.
pub(crate) async fn read(store: &Store) -> Result<Configuration> {
    let doing = "reading the configuration";
    let configs = store
        .objects(CORE_GROUP, TYPE_CONFIGS, Some(SYSTEM_NAMESPACE))
        .await
        .doing(doing)?;
    let settings = store
        .object(&ObjectKey::new(CORE_GROUP, CONFIGS, SYSTEM_NAMESPACE, CONFIG_NAME))
        .await
        .doing(doing)?;
    let settings = settings.map(|object| Settings::read(&object.body)).unwrap_or_default();
    let structures = store.objects(OWN_GROUP, STRUCTURES, None).await.doing(doing)?.objects;
    let types = if store.object(&seeded_key()).await.doing(doing)?.is_none() {
        // Nobody could say anything about types yet.
        TypeTable::built_in()
    } else {
        let replicas_path = |name: &str| {
            let structure = structures.iter().find(|object| object.key.name == name)?;
            structure.body["replicasPath"].as_str().map(str::to_owned)
        };
        let read = configs
            .objects
            .iter()
            .filter_map(|object| TypeConfig::read(&object.body, replicas_path(&object.key.name)));
        let read = read.map(|config| Served {
            propagated: config.enabled && !config.deleting,
            row: intern(config.descriptor),
        });
        read.chain(served_plain()).collect()
    };
    Ok(Configuration {
        types: within_reach(&types, settings.scope),
        structures: structures
            .into_iter()
            .map(|object| (object.key.name, Arc::new(object.body["structure"].clone())))
            .collect(),
        health_check: Some(settings.health).filter(|said| *said != HealthCheck::default()),
        settings,
        revision: configs.revision,
    })
}

/// Keeps the snapshot current until `stop`.
pub(crate) async fn run(store: Store, snapshot: watch::Sender<Arc<Configuration>>, stop: CancellationToken) {
    let follow = async {
        loop {
            match read(&store).await {
                Ok(configuration) => {
                    let mut feed = Feed::new(&store, configuration.revision);
                    publish(&snapshot, configuration);
                    while let News::Changes(changed) = feed.next_keys().await {
                        if !changed.iter().any(concerns) {
                            continue;
                        }
                        match read(&store).await {
                            Ok(configuration) => publish(&snapshot, configuration),
                            Err(error) => {
                                tracing::warn!(error = %chain(&error), "the configuration cannot be read; the last one stays");
                                break;
                            }
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "the configuration cannot be read");
                }
            }
            sleep(RETRY).await;
        }
    };
    stop.run_until_cancelled(follow).await;
}

/// Probes members as it is configured, and where nothing is said as this process was started, until `stop`.
pub(crate) async fn follow_health_check(hub: Hub, stop: CancellationToken) {
    let own = hub.clusters.health_check();
    let follow = async {
        let mut configured = hub.configured.clone();
        loop {
            let said = configured.borrow_and_update().health_check;
            hub.clusters.set_health_check(match said {
                Some(said) => atoll_clusters::HealthCheck {
                    period: said.period,
                    timeout: said.timeout,
                    thresholds: Thresholds {
                        failures: said.failure_threshold,
                        successes: said.success_threshold,
                        ..own.thresholds
                    },
                },
                None => own,
            });
            if configured.changed().await.is_err() {
                return;
            }
        }
    };
    stop.run_until_cancelled(follow).await;
}

/// Whether an object belongs to the configuration.
fn concerns(key: &ObjectKey) -> bool {
    let is_ours = key.group == OWN_GROUP && (key.resource == SEEDS || key.resource == STRUCTURES);
    is_ours || (key.group == CORE_GROUP && (key.resource == TYPE_CONFIGS || key.resource == CONFIGS))
}

fn publish(snapshot: &watch::Sender<Arc<Configuration>>, new: Configuration) {
    snapshot.send_replace(Arc::new(new));
}

#[cfg(test)]
mod tests {
    use atoll_federation::types;

    use super::*;

    fn propagated(configuration: &Configuration, name: &str, namespace: &str) -> bool {
        configuration.propagates(&Key {
            kind: Kind::of(types::find(name).unwrap()),
            namespace: namespace.into(),
            name: "web".into(),
        })
    }

    fn configuration(types: TypeTable, scope: Scope) -> Configuration {
        Configuration {
            types: within_reach(&types, scope),
            settings: Settings {
                scope,
                ..Settings::default()
            },
            ..Configuration::default()
        }
    }

    #[test]
    fn a_namespaced_control_plane_reaches_its_own_namespace_only() {
        let namespaced = configuration(TypeTable::built_in(), Scope::Namespaced);
        assert!(propagated(&namespaced, "configmaps", SYSTEM_NAMESPACE));
        assert!(!propagated(&namespaced, "configmaps", "shop"));
        assert!(!propagated(&namespaced, "clusterroles.rbac.authorization.k8s.io", ""));
        let whole = configuration(TypeTable::built_in(), Scope::Cluster);
        assert!(propagated(&whole, "configmaps", "shop"));
        assert!(propagated(&whole, "clusterroles.rbac.authorization.k8s.io", ""));
    }

    #[test]
    fn without_namespaces_nothing_in_a_namespace_is_propagated() {
        let types = TypeTable::built_in();
        let rows = types.iter().map(|served| Served {
            propagated: !served.row.is_namespace(),
            ..served
        });
        let without = configuration(rows.collect(), Scope::Cluster);
        assert!(!propagated(&without, "configmaps", "shop"));
        assert!(propagated(&without, "clusterroles.rbac.authorization.k8s.io", ""));
        assert!(without.serves(Kind::of(types::find("configmaps").unwrap())));
    }
}
