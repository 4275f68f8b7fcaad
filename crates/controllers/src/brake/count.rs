//! What all changes together would delete: records and intent, both read anew.

use std::collections::BTreeMap;

use atoll_federation::placement::{Placed, place};
use atoll_federation::{ClusterName, FederatedObject, Record, Scope};
use jiff::Timestamp;

use super::Going;
use crate::error::{Doing, Result};
use crate::fleet::{self, Fleet};
use crate::hub::Hub;
use crate::key::{Key, Kind};
use crate::preferences;
use crate::sync::context::{by_cluster, displaced, record};
use crate::sync::plain::Namespaces;

/// Whose placement displaces an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Displacer {
    /// Its own, or the labels of the cluster.
    Itself,
    /// That of its FederatedNamespace; its own would leave it where it is.
    Namespace,
}

/// How many objects the hub manages in each cluster.
pub(crate) async fn managed(hub: &Hub) -> Result<BTreeMap<ClusterName, u64>> {
    Ok(by_cluster(hub.store.managed().await.doing("counting managed objects")?))
}

/// Everything that is on record where it is no longer placed, and whose object is not being deleted itself. What is not
/// propagated is left alone, and counts for nothing.
pub(crate) async fn count(hub: &Hub, fleet: &Fleet) -> Result<BTreeMap<Going, Displacer>> {
    let configuration = hub.configuration();
    let (types, settings) = (&configuration.types, &configuration.settings);
    let mut records: BTreeMap<Key, BTreeMap<ClusterName, Record>> = BTreeMap::new();
    let rows = hub
        .store
        .propagations_in(None)
        .await
        .doing("reading records of propagation")?;
    for row in rows {
        if let Some((key, (cluster, record))) = Key::of_record(types, &row.key).zip(record(row)) {
            records.entry(key).or_default().insert(cluster, record);
        }
    }
    let members = hub.clusters.members();
    let clusters = fleet::clusters(fleet, &members, Timestamp::now(), &hub.shares());
    let preferred = preferences::targets(&hub.store, types).await?;
    let hub_namespaces = Namespaces::list(&hub.store).await?;
    let mut objects = Vec::new();
    for kind in Kind::served(types) {
        let federated = &kind.row().federated;
        let listing = hub.store.objects(&federated.group, &federated.plural, None).await;
        for stored in listing.doing("listing federated objects")?.objects {
            let key = Key::of_stored(types, &stored.key).filter(|key| key.kind == kind);
            objects.extend(key.and_then(|key| {
                let object = hub_namespaces.intent(&key, &stored.body)?;
                Some((key, object))
            }));
        }
    }
    let mut namespaces: BTreeMap<&str, &FederatedObject> = BTreeMap::new();
    // Where there is a FederatedNamespace, that is the one that counts.
    let of_namespaces = objects.iter().filter(|(key, _)| key.kind.row().is_namespace());
    let (plain, federated): (Vec<_>, Vec<_>) = of_namespaces.partition(|(key, _)| key.kind.row().is_plain());
    let federated = federated.into_iter().filter(|(key, _)| key.name == key.namespace);
    for (key, object) in federated.chain(plain) {
        namespaces.entry(&key.name).or_insert(object);
    }
    let mut going = BTreeMap::new();
    let intended = objects
        .iter()
        .filter(|(key, object)| !object.is_deleting() && configuration.propagates(key));
    for (key, object) in intended {
        let Some(records) = records.get(key) else { continue };
        let row = key.kind.row();
        let namespace = namespaces.get(key.namespace.as_str()).copied();
        let has_preference = preferences::may_have(key.kind) && preferred.contains(key);
        let placed = place(row, object, namespace, settings.scope, &clusters, has_preference);
        let Ok(Placed::Clusters(placed)) = placed else {
            continue;
        };
        let own = match place(row, object, None, Scope::Namespaced, &clusters, has_preference) {
            Ok(Placed::Clusters(own)) => own,
            Ok(Placed::NamespaceNotFederated) | Err(_) => placed.clone(),
        };
        for (cluster, uid) in displaced(row, &placed, &clusters, records) {
            let displacer = if own.contains(&cluster) {
                Displacer::Namespace
            } else {
                Displacer::Itself
            };
            going.insert((key.clone(), cluster, uid), displacer);
        }
    }
    Ok(going)
}
