//! Reasons to look at an object: it changed, its namespace or a cluster did, a member came, went, or fell silent.
//!
//! What members hold is another source, fed by the cache. Time is the last: every run says when to look again.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::Member;
use atoll_store::{Change, ObjectKey, Revision, Store};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::sleep;

use super::Sync;
use crate::error::{Doing, Result, chain};
use crate::feed::{Feed, News};
use crate::fleet::{self, Registered};
use crate::key::{Key, Kind};

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
    let (fleet, from) = fleet::read(&sync.hub.store).await?;
    sync.fleet.send_replace(Arc::new(fleet));
    let mut keys = BTreeSet::new();
    for kind in Kind::served(&configuration.types) {
        let federated = &kind.row().federated;
        let listing = sync.hub.store.objects(&federated.group, &federated.plural, None).await;
        let listing = listing.doing("listing federated objects")?;
        keys.extend(
            listing
                .objects
                .iter()
                .filter_map(|object| Key::of_stored(&configuration.types, &object.key)),
        );
    }
    let records = sync
        .hub
        .store
        .propagations_in(None)
        .await
        .doing("reading records of propagation")?;
    keys.extend(
        records
            .iter()
            .filter_map(|record| Key::of_record(&configuration.types, &record.key)),
    );
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
    loop {
        let ends = next_end_of_leaving(sync);
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
            Ok(()) = health.changed() => known.tell(sync),
            Ok(()) = set.changed() => known.tell(sync),
            () = sleep(ends.unwrap_or(OVERFLOW)) => {
                if ends.is_some() {
                    wake_left(sync);
                }
                if sync.queue.take_overflow() {
                    return;
                }
            }
        }
    }
}

async fn take(sync: &Sync, changes: &[Change]) -> Result<()> {
    let configuration = sync.hub.configuration();
    let mut clusters_changed = false;
    for change in changes {
        if let Some(key) = Key::of_stored(&configuration.types, &change.key) {
            if !is_status_only(change) {
                sync.brake.changed();
                if key.kind.row().is_namespace() {
                    wake_inside(sync, &key).await?;
                }
                sync.queue.add(key);
            }
        } else if is_cluster(&change.key) {
            clusters_changed |=
                change.before.as_deref().map(Registered::of) != change.after.as_deref().map(Registered::of);
        } else if is_terminating_namespace(change) {
            sync.namespaces.terminating(&change.key.name);
        }
        sync.namespaces.changed_in(&change.key.namespace);
    }
    if clusters_changed {
        let (fleet, _) = fleet::read(&sync.hub.store).await?;
        sync.fleet.send_replace(Arc::new(fleet));
        sync.brake.changed();
        // A label may place or displace anything.
        for kind in Kind::served(&configuration.types) {
            let federated = &kind.row().federated;
            let listing = sync.hub.store.objects(&federated.group, &federated.plural, None).await;
            for object in listing.doing("listing federated objects")?.objects {
                if let Some(key) = Key::of_stored(&configuration.types, &object.key) {
                    sync.queue.add(key);
                }
            }
        }
        let records = sync
            .hub
            .store
            .propagations_in(None)
            .await
            .doing("reading records of propagation")?;
        for key in records
            .iter()
            .filter_map(|record| Key::of_record(&configuration.types, &record.key))
        {
            sync.queue.add(key);
        }
    }
    Ok(())
}

/// A FederatedNamespace says where the objects in it may go.
async fn wake_inside(sync: &Sync, namespace: &Key) -> Result<()> {
    let configuration = sync.hub.configuration();
    for kind in Kind::served(&configuration.types).filter(|kind| kind.row().target.namespaced) {
        let federated = &kind.row().federated;
        let listing = sync
            .hub
            .store
            .objects(&federated.group, &federated.plural, Some(&namespace.namespace))
            .await;
        for object in listing.doing("listing federated objects")?.objects {
            if let Some(key) = Key::of_stored(&configuration.types, &object.key) {
                sync.queue.add(key);
            }
        }
    }
    Ok(())
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

/// The hub's own writing of a status is no reason to look again. Anybody else's is, or it would stand until the next
/// change: it comes through the API, which notes in `managedFields` who wrote.
fn is_status_only(change: &Change) -> bool {
    let (Some(before), Some(after)) = (change.before.as_deref(), change.after.as_deref()) else {
        return false;
    };
    without_status(before) == without_status(after)
}

fn without_status(body: &Value) -> Vec<(&String, &Value)> {
    let (rest, metadata) = (body.as_object(), body["metadata"].as_object());
    let rest = rest
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != "status" && *key != "metadata");
    rest.chain(metadata.into_iter().flatten()).collect()
}

/// Which members were ready when they were last looked at, and which connection that was.
#[derive(Default)]
struct Readiness {
    known: BTreeMap<String, (bool, Arc<Member>)>,
}

impl Readiness {
    /// Wakes what is concerned by members that came, went, became ready or fell silent.
    fn tell(&mut self, sync: &Sync) {
        let members = sync.hub.clusters.members();
        let mut flipped = Vec::new();
        self.known.retain(|name, _| {
            let stays = members.contains_key(name);
            if !stays {
                flipped.push(name.clone());
            }
            stays
        });
        for (name, member) in members.iter() {
            let ready = member.is_ready();
            let same = self
                .known
                .get(name)
                .is_some_and(|(before, known)| *before == ready && Arc::ptr_eq(known, member));
            if !same {
                self.known.insert(name.clone(), (ready, member.clone()));
                flipped.push(name.clone());
            }
        }
        for name in flipped {
            for key in sync.concerns.of_cluster(&name) {
                sync.queue.add(key);
            }
        }
    }
}

/// When the next cluster that was to leave is written to again, if there is one.
fn next_end_of_leaving(sync: &Sync) -> Option<Duration> {
    let now = Timestamp::now();
    let fleet = sync.fleet.borrow();
    let ends = fleet
        .values()
        .filter_map(|cluster| cluster.leaving_until)
        .filter(|until| *until > now);
    let next = ends.min()?;
    Some(Duration::try_from(next.duration_since(now)).unwrap_or_default() + Duration::from_millis(10))
}

fn wake_left(sync: &Sync) {
    let fleet = sync.fleet.borrow().clone();
    for (name, _) in fleet.iter().filter(|(_, cluster)| cluster.leaving_until.is_some()) {
        for key in sync.concerns.of_cluster(name.as_str()) {
            sync.queue.add(key);
        }
    }
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
