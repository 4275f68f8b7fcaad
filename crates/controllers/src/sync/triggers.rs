//! Reasons to look at an object: it changed, its namespace or a cluster did, a member came, went, or fell silent.
//!
//! What members hold is another source, fed by the cache. Time is the last: every run says when to look again.

mod clusters;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use atoll_federation::object::FINALIZER;
use atoll_store::{Change, ObjectKey, Revision, Store};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, interval_at, sleep, sleep_until};

use self::clusters::{Readiness, next_end_of_leaving, wake_left, wake_scaled};
use super::{Sync, plain};
use crate::error::{Doing, Result, chain};
use crate::feed::{Feed, News};
use crate::fleet::{self, Fleet, Registered};
use crate::key::{Key, Kind};
use crate::preferences;
use crate::release::note;
use crate::type_configs::is_type_config;

const RETRY: Duration = Duration::from_secs(1);
/// How often the queue is asked whether it had to turn keys away.
const OVERFLOW: Duration = Duration::from_secs(60);

/// Feeds the queue until it is dropped.
pub(super) async fn run(sync: &Arc<Sync>) {
    loop {
        match list(sync).await {
            Ok(from) => follow(sync, from).await,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the federated objects cannot be listed");
                sleep(RETRY).await;
            }
        }
    }
}

/// Everything is looked at once; from the returned revision on changes tell.
async fn list(sync: &Sync) -> Result<Revision> {
    let configuration = sync.hub.configuration();
    // Of what is not propagated any more nothing is watched.
    for key in sync.concerns.all() {
        if !configuration.propagates(&key) {
            sync.forget(&key);
        }
    }
    let (fleet, from) = fleet::read(&sync.hub.store).await?;
    sync.fleet.send_replace(Arc::new(fleet));
    // Whatever brought this about, changes may have been missed.
    sync.brake.changed();
    sync.declared.read(&sync.hub.store, &configuration.types).await?;
    let mut keys = everything(sync).await?;
    // A preference without an object says so.
    keys.extend(preferences::targets(&sync.hub.store, &configuration.types).await?);
    // What members hold of them is kept although nothing has been looked at yet, or each would be asked for by name.
    sync.concerns.expect(&keys);
    for key in keys {
        sync.queue.add(key);
    }
    let namespaces = sync
        .hub
        .store
        .objects("", "namespaces", None)
        .await
        .doing("listing namespaces")?;
    for namespace in &namespaces.objects {
        if namespace.deletion_at.is_some() {
            sync.namespaces.terminating(&namespace.key.name);
        }
    }
    Ok(from)
}

async fn follow(sync: &Arc<Sync>, from: Revision) {
    let mut feed = Feed::new(&sync.hub.store, from);
    let mut health = sync.hub.clusters.health();
    let mut set = sync.hub.clusters.subscribe();
    let mut known = Readiness::default();
    known.tell(sync);
    let mut configured = sync.hub.configured.clone();
    let begun_with = configured.borrow_and_update().clone();
    let mut shared = sync.hub.shared.clone();
    let mut shares = shared.borrow_and_update().clone();
    let mut overflow = interval_at(Instant::now() + OVERFLOW, OVERFLOW);
    let mut told = Timestamp::now();
    loop {
        let ends = next_end_of_leaving(sync, told);
        tokio::select! {
            news = feed.next() => match news {
                News::Changes(changes) => {
                    if let Err(error) = take(sync, &changes).await {
                        tracing::warn!(error = %chain(&error), "changes of clusters cannot be read");
                        sleep(RETRY).await;
                        return;
                    }
                }
                News::Lost => return,
            },
            Ok(()) = configured.changed() => {
                let now = configured.borrow_and_update().clone();
                if (&now.types, &now.settings) != (&begun_with.types, &begun_with.settings) {
                    // Anything may go elsewhere, or be known at all only now.
                    sync.brake.changed();
                    return;
                }
            }
            Ok(()) = shared.changed() => {
                let now = shared.borrow_and_update().clone();
                wake_scaled(sync, &now.changed_since(&shares));
                shares = now;
            }
            Ok(()) = health.changed() => known.tell(sync),
            Ok(()) = set.changed() => known.tell(sync),
            () = sleep_until(known.due().unwrap_or_else(Instant::now)), if known.due().is_some() => known.tell(sync),
            () = sleep(ends.unwrap_or_default()), if ends.is_some() => {
                told = Timestamp::now();
                wake_left(sync);
            }
            _ = overflow.tick() => {
                if sync.queue.take_overflow() {
                    return;
                }
            }
        }
    }
}

async fn take(sync: &Sync, changes: &[Change]) -> Result<()> {
    let configuration = sync.hub.configuration();
    let mut fleet = None;
    let mut homes = plain::Homes::new(&sync.hub.store);
    let mut namespaces = BTreeSet::new();
    for change in changes {
        if let Some(key) = Key::of_stored(&configuration.types, &change.key) {
            sync.declared.note(&key, change.after.as_deref());
            if change.after.is_none() && !configuration.propagates(&key) {
                // It may have been the last one that kept its type.
                sync.type_configs.look();
            }
            if !is_status_only(change) {
                if key.kind.row().is_namespace() {
                    sync.brake.changed();
                    namespaces.insert(key.name.clone());
                }
                if plain::is_worth_a_look(&mut homes, &key, change).await? {
                    sync.brake.changed();
                    for beside in plain::beside(sync, &key, change).await? {
                        sync.queue.add(beside);
                    }
                    // Whoever wrote it waits for what comes of it.
                    sync.queue.hurry(key);
                }
            }
            if is_terminating_namespace(change) {
                sync.namespaces.terminating(&change.key.name);
            }
        } else if preferences::is_preference(&change.key) {
            if !is_status_only(change) {
                sync.brake.changed();
                for key in preferences::concerned(&configuration.types, change) {
                    sync.queue.add(key);
                }
            }
        } else if note::is_release(&change.key) {
            sync.brake.changed();
            let released = change.after.as_deref().map(note::released);
            for record in released.into_iter().flatten() {
                if let Some(key) = Key::of_record(&configuration.types, &record) {
                    sync.queue.add(key);
                }
            }
        } else if is_type_config(&change.key) {
            sync.type_configs.look();
        } else if is_cluster(&change.key) {
            let after = change.after.as_deref().map(Registered::of);
            if change.before.as_deref().map(Registered::of) != after {
                // Reading all of them for each that joins would take the longer the more there are.
                let fleet = fleet.get_or_insert_with(|| Fleet::clone(&sync.fleet.borrow()));
                fleet::take(fleet, &change.key.name, after);
            }
        } else if is_terminating_namespace(change) {
            sync.namespaces.terminating(&change.key.name);
        }
        sync.namespaces.changed_in(&change.key.namespace);
    }
    for namespace in namespaces {
        wake_inside(sync, &namespace, &mut homes).await?;
    }
    if let Some(fleet) = fleet {
        sync.fleet.send_replace(Arc::new(fleet));
        sync.brake.changed();
        // A label may place or displace anything.
        for key in everything(sync).await? {
            sync.queue.add(key);
        }
    }
    Ok(())
}

/// A FederatedNamespace says where the objects in it may go.
async fn wake_inside(sync: &Sync, namespace: &str, homes: &mut plain::Homes<'_>) -> Result<()> {
    let inside = sync.hub.store.names_in_namespace(namespace).await;
    let inside = inside.doing("listing a namespace")?;
    let federates = homes.federate(namespace).await?;
    for key in federated(sync, &inside, federates).filter(|key| key.kind.row().target.namespaced) {
        sync.queue.add(key);
    }
    Ok(())
}

/// All that is federated, and all that was and is on record.
async fn everything(sync: &Sync) -> Result<BTreeSet<Key>> {
    let (store, types) = (&sync.hub.store, &sync.hub.configuration().types);
    let of_types = Kind::served(types).filter(|kind| !kind.row().is_plain());
    let groups: BTreeSet<&str> = of_types.map(|kind| kind.row().federated.group.as_ref()).collect();
    let mut keys: BTreeSet<Key> = sync.declared.all().into_iter().collect();
    for group in groups {
        let names = store.names_of_group(group).await.doing("listing federated objects")?;
        keys.extend(federated(sync, &names, false));
    }
    for namespace in plain::Namespaces::list(store).await?.federating() {
        let names = store.names_in_namespace(namespace).await;
        keys.extend(federated(sync, &names.doing("listing a namespace")?, true));
    }
    let records = store.propagated().await.doing("reading records of propagation")?;
    keys.extend(records.iter().filter_map(|record| Key::of_record(types, record)));
    Ok(keys)
}

/// Those of these objects that are federated: all of a federated kind, and of plain ones what says so of itself, or lies
/// in a namespace that says so.
fn federated<'a>(sync: &'a Sync, names: &'a [ObjectKey], by_namespace: bool) -> impl Iterator<Item = Key> + 'a {
    let configuration = sync.hub.configuration();
    let keys = names
        .iter()
        .filter_map(move |name| Key::of_stored(&configuration.types, name));
    keys.filter(move |key| !key.kind.row().is_plain() || by_namespace || sync.declared.has(key))
}

fn is_cluster(key: &ObjectKey) -> bool {
    *key == Store::cluster_key(&key.name)
}

fn is_terminating_namespace(change: &Change) -> bool {
    let is_namespace = change.key.group.is_empty() && change.key.resource == "namespaces";
    is_namespace
        && change
            .after
            .as_ref()
            .is_some_and(|after| after["metadata"]["deletionTimestamp"].is_string())
}

/// The hub's own writing of a status is no reason to look again, nor is its finalizer: whoever put that on goes on with
/// the object right then. Anybody else's is, or it would stand until the next change: it comes through the API, which
/// notes in `managedFields` who wrote.
fn is_status_only(change: &Change) -> bool {
    let (Some(before), Some(after)) = (change.before.as_deref(), change.after.as_deref()) else {
        return false;
    };
    let rest = |body| {
        let finalizers = finalizers(body);
        (without_status(body), finalizers)
    };
    let (before, mut after) = (rest(before), rest(after));
    if !before.1.contains(&FINALIZER) {
        after.1.retain(|finalizer| *finalizer != FINALIZER);
    }
    before == after
}

fn finalizers(body: &Value) -> Vec<&str> {
    let list = body["metadata"]["finalizers"].as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

/// All but the status and the finalizers.
fn without_status(body: &Value) -> Vec<(&String, &Value)> {
    let (rest, metadata) = (body.as_object(), body["metadata"].as_object());
    let rest = rest
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != "status" && *key != "metadata");
    let metadata = metadata.into_iter().flatten().filter(|(key, _)| *key != "finalizers");
    rest.chain(metadata).collect()
}

#[cfg(test)]
mod tests {
    use atoll_store::ChangeKind;
    use serde_json::json;

    use super::*;

    fn change(before: Value, after: Value) -> Change {
        Change {
            revision: Revision(1),
            kind: ChangeKind::Updated,
            key: ObjectKey::new("types.kubefed.io", "federatedconfigmaps", "shop", "web"),
            before: Some(before.into()),
            after: Some(after.into()),
        }
    }

    #[test]
    fn a_status_is_no_reason_to_look_again_and_anything_else_is() {
        let written = |generation: i64, status: &str, finalizers: &[&str], manager: &str| {
            json!({
                "metadata": {"name": "web", "generation": generation, "finalizers": finalizers, "managedFields": [manager]},
                "spec": {},
                "status": {"word": status},
            })
        };
        let body = |generation, status, finalizers| written(generation, status, finalizers, "kubectl");
        let is_status_only = |before: Value, after: Value| is_status_only(&change(before, after));
        assert!(is_status_only(body(1, "a", &[]), body(1, "b", &[])));
        assert!(!is_status_only(body(1, "a", &[]), body(2, "a", &[])));
        assert!(!is_status_only(body(1, "a", &["x"]), body(1, "a", &[])));
        assert!(is_status_only(body(1, "a", &["x"]), body(1, "a", &["x", FINALIZER])));
        assert!(!is_status_only(body(1, "a", &[FINALIZER]), body(1, "a", &[])));
        assert!(!is_status_only(body(1, "a", &["x"]), body(1, "a", &[FINALIZER])));
        assert!(!is_status_only(body(1, "a", &[]), written(1, "b", &[], "somebody")));
    }

    #[test]
    fn a_namespace_is_terminating_from_its_deletion_on() {
        let mut change = change(
            json!({}),
            json!({"metadata": {"deletionTimestamp": "2026-01-02T03:04:05Z"}}),
        );
        assert!(!is_terminating_namespace(&change));
        change.key = ObjectKey::new("", "namespaces", "", "shop");
        assert!(is_terminating_namespace(&change));
        change.after = Some(json!({"metadata": {}}).into());
        assert!(!is_terminating_namespace(&change));
    }

    #[test]
    fn only_kubefed_clusters_are_clusters() {
        assert!(is_cluster(&Store::cluster_key("eu-1")));
        assert!(!is_cluster(&ObjectKey::new(
            "core.kubefed.io",
            "kubefedclusters",
            "shop",
            "eu-1"
        )));
    }
}
