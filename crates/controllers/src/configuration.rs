//! Which types are federated, and how the control plane behaves: what people configured, as every replica reads it.
//!
//! A `FederatedTypeConfig` or `KubeFedConfig` that is written anywhere counts everywhere within a moment, without a
//! restart: the snapshot is replaced as a whole, and whoever depends on it is woken.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use atoll_federation::configuration::{CONFIG_NAME, CORE_GROUP};
use atoll_federation::types::{SYSTEM_NAMESPACE, Served, TypeTable, intern};
use atoll_federation::{Settings, TypeConfig};
use atoll_store::{ObjectKey, Revision, Store};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::error::{Doing, Result, chain};
use crate::feed::{Feed, News};

/// Plural of `FederatedTypeConfig`.
pub const TYPE_CONFIGS: &str = "federatedtypeconfigs";
/// Plural of `KubeFedConfig`.
pub const CONFIGS: &str = "kubefedconfigs";

/// Group of what the hub keeps for itself beside what its API serves.
const OWN_GROUP: &str = "atoll.dev";
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
    /// The revision at which it was read.
    pub revision: Revision,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            types: TypeTable::built_in(),
            structures: BTreeMap::new(),
            settings: Settings::default(),
            revision: Revision(0),
        }
    }
}

/// Where it is kept which built-in types were given their `FederatedTypeConfig`: once, so that one that is deleted stays
/// deleted. Body: `{"types": ["deployments.apps", …]}`.
pub fn seeded_key() -> ObjectKey {
    ObjectKey::new(OWN_GROUP, "seeds", "", "types")
}

/// Where the structure of a target type is kept, taken from a member when its `FederatedTypeConfig` was made. Body:
/// `{"structure": <OpenAPI schema without references>, "replicasPath": "/spec/replicas" or null}`.
pub fn structure_key(type_name: &str) -> ObjectKey {
    ObjectKey::new(OWN_GROUP, "structures", "", type_name)
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
    let structures = store.objects(OWN_GROUP, "structures", None).await.doing(doing)?.objects;
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
        read.map(|config| Served {
            propagated: config.enabled && !config.deleting,
            row: intern(config.descriptor),
        })
        .collect()
    };
    Ok(Configuration {
        types,
        structures: structures
            .into_iter()
            .map(|object| (object.key.name, Arc::new(object.body["structure"].clone())))
            .collect(),
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
                    while let News::Changes(changes) = feed.next().await {
                        if !changes.iter().any(|change| concerns(&change.key)) {
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

/// Whether an object belongs to the configuration.
fn concerns(key: &ObjectKey) -> bool {
    key.group == OWN_GROUP || (key.group == CORE_GROUP && (key.resource == TYPE_CONFIGS || key.resource == CONFIGS))
}

fn publish(snapshot: &watch::Sender<Arc<Configuration>>, new: Configuration) {
    snapshot.send_replace(Arc::new(new));
}
