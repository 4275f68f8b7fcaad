//! Taking back a change that is held.
//!
//! The hub keeps the history of its objects for a while. What a held change took away is found there: the placement that
//! an object had when it still went to the clusters, or the labels that a cluster had when objects still selected it. A
//! restored state is believed only when, by the planner's own selection, it would put every object back where it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use atoll_controllers::{HeldChange, HoldCause};
use atoll_federation::placement::Placement;
use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_federation::{Cluster, ClusterName};
use atoll_kubeapi::RequestContext;
use atoll_store::{ObjectKey, Revision, Store};
use http::Method;
use serde_json::Value;

use super::{Done, path_of, title};
use crate::app::create_federated::{STRICT, find as find_object};
use crate::app::labels_of;
use crate::app::update_cluster::{ClusterChange, update_cluster};
use crate::auth::Caller;
use crate::error::{Error, Reason, Result};
use crate::hub;
use crate::state::AppState;

/// Changes that are read at a time.
const PAGE: usize = 500;
/// How often a write is tried again when somebody else has written in between.
const ATTEMPTS: u32 = 8;

/// Something as it was before.
#[derive(Debug, Clone, PartialEq)]
pub enum Restore {
    /// The placement of a federated object.
    Placement(ObjectKey, Value),
    /// The labels of a cluster.
    Labels(String, BTreeMap<String, String>),
}

type Labels = BTreeMap<String, BTreeMap<String, String>>;
type History = BTreeMap<ObjectKey, Vec<Arc<Value>>>;

/// What is known of everything that a hold concerns.
struct Known {
    /// Objects as they are.
    now: BTreeMap<ObjectKey, Arc<Value>>,
    /// Objects as they were, the latest first.
    history: History,
    /// Labels of all clusters as they are.
    labels: Labels,
}

/// What would take the change back, or how that can be done by hand.
///
/// # Errors
/// When the store fails.
pub async fn find(state: &AppState, held: &HeldChange) -> Result<std::result::Result<Vec<Restore>, String>> {
    if let HoldCause::Leftover { namespace, cluster } = &held.cause {
        return Ok(Err(format!(
            "the FederatedNamespace {namespace} is gone; make it again with {cluster} in its placement, and the namespace is wanted there again"
        )));
    }
    let known = read(state, held).await?;
    Ok(decide(held, &known))
}

/// What is restored, for people.
pub fn describe(restores: &[Restore]) -> String {
    let told: Vec<String> = restores.iter().map(told).collect();
    told.join("; ")
}

fn told(restore: &Restore) -> String {
    match restore {
        Restore::Placement(key, placement) => match placement["clusters"].as_array() {
            Some(clusters) => {
                let names: Vec<&str> = clusters.iter().filter_map(|one| one["name"].as_str()).collect();
                format!("{} goes to {} again", title(key), names.join(", "))
            }
            None => format!("spec.placement of {} becomes {placement} again", title(key)),
        },
        Restore::Labels(cluster, labels) => {
            let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("the labels of cluster {cluster} become {} again", labels.join(", "))
        }
    }
}

/// Takes the change back.
///
/// # Errors
/// 422 when it cannot be taken back here, and what the hub's API says.
pub async fn undo(state: &AppState, caller: &Caller, context: &RequestContext, held: &HeldChange) -> Result<Done> {
    let restores = find(state, held)
        .await?
        .map_err(|by_hand| Error::new(Reason::Invalid, by_hand))?;
    let mut done = Done::default();
    for restore in &restores {
        match restore {
            Restore::Placement(key, placement) => place(state, context, key, placement).await?,
            Restore::Labels(cluster, labels) => {
                let key = Store::cluster_key(cluster);
                let now = state.store.object(&key).await?;
                let now = now.map(|object| labels_of(&object.body)).unwrap_or_default();
                let gone = now
                    .keys()
                    .filter(|key| !labels.contains_key(*key))
                    .map(|key| (key.clone(), None));
                let back = labels.iter().map(|(key, value)| (key.clone(), Some(value.clone())));
                let change = ClusterChange {
                    labels: gone.chain(back).collect(),
                    ..ClusterChange::default()
                };
                update_cluster(state, &caller.subject.user, cluster, &change).await?;
            }
        }
        done.changed.push(told(restore));
    }
    Ok(done)
}

async fn place(state: &AppState, context: &RequestContext, key: &ObjectKey, placement: &Value) -> Result<()> {
    let path = path_of(state, key)?;
    for attempt in 1.. {
        let Some(mut object) = find_object(state, context, &path).await? else {
            return Err(Error::not_found(format!("{} is gone", title(key))));
        };
        object["spec"]["placement"] = placement.clone();
        let target = format!("{path}?{STRICT}");
        match hub::call(state, context.clone(), Method::PUT, &target, Some(&object)).await {
            Ok(_) => break,
            // The hub writes statuses meanwhile.
            Err(status) if attempt < ATTEMPTS && status.is("Conflict") => {}
            Err(status) => return Err(status.into()),
        }
    }
    Ok(())
}

async fn read(state: &AppState, held: &HeldChange) -> Result<Known> {
    let mut keys: BTreeSet<ObjectKey> = held.deletes.iter().map(|delete| delete.key.clone()).collect();
    keys.extend(held.deletes.iter().map(|delete| Store::cluster_key(&delete.cluster)));
    keys.insert(held.annotate.clone());
    let mut now = BTreeMap::new();
    for key in &keys {
        if let Some(object) = state.store.object(key).await? {
            now.insert(key.clone(), object.body);
        }
    }
    let cluster = Store::cluster_key("");
    let clusters = state
        .store
        .objects(&cluster.group, &cluster.resource, Some(SYSTEM_NAMESPACE))
        .await?;
    let labels = clusters
        .objects
        .iter()
        .map(|object| (object.key.name.clone(), labels_of(&object.body)));
    Ok(Known {
        now,
        history: history(&state.store, &keys).await?,
        labels: labels.collect(),
    })
}

/// What the store still knows of how these objects were, the latest first.
async fn history(store: &Store, keys: &BTreeSet<ObjectKey>) -> Result<History> {
    let mut found = History::new();
    let mut from = Revision(0);
    loop {
        let page = match store.changes(from, PAGE).await {
            Ok(page) => page,
            Err(atoll_store::Error::Expired { oldest }) if oldest > from => {
                from = oldest;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let is_last = page.through <= from || page.changes.is_empty();
        for change in page.changes {
            if let (true, Some(before)) = (keys.contains(&change.key), change.before) {
                found.entry(change.key).or_default().insert(0, before);
            }
        }
        if is_last {
            return Ok(found);
        }
        from = page.through;
    }
}

fn decide(held: &HeldChange, known: &Known) -> std::result::Result<Vec<Restore>, String> {
    match &held.cause {
        HoldCause::Object(key) => {
            let clusters = clusters_of(held, Some(key));
            if let Some(placement) = earlier_placement(known, key, &clusters) {
                return Ok(vec![Restore::Placement(key.clone(), placement)]);
            }
            labels_for(held, known, &clusters).ok_or_else(|| by_hand(known, key, &clusters))
        }
        HoldCause::Namespace(_) => {
            let key = &held.annotate;
            let clusters = clusters_of(held, None);
            earlier_placement(known, key, &clusters)
                .map(|placement| vec![Restore::Placement(key.clone(), placement)])
                .or_else(|| labels_for(held, known, &clusters))
                .ok_or_else(|| by_hand(known, key, &clusters))
        }
        HoldCause::Cluster(cluster) => {
            let clusters = clusters_of(held, None);
            if let Some(restores) = labels_for(held, known, &clusters) {
                return Ok(restores);
            }
            let keys: BTreeSet<&ObjectKey> = held.deletes.iter().map(|delete| &delete.key).collect();
            let restores: Option<Vec<Restore>> = keys
                .into_iter()
                .map(|key| {
                    let placement = earlier_placement(known, key, &clusters_of(held, Some(key)))?;
                    Some(Restore::Placement(key.clone(), placement))
                })
                .collect();
            restores.ok_or_else(|| {
                format!(
                    "the hub's history does not say which change takes these objects out of {cluster}; give the cluster the labels back that placements select, or put it back into the placements of the objects"
                )
            })
        }
        HoldCause::Leftover { .. } => Err("the object is gone".to_owned()),
    }
}

fn by_hand(known: &Known, key: &ObjectKey, clusters: &BTreeSet<String>) -> String {
    let clusters: Vec<&str> = clusters.iter().map(String::as_str).collect();
    let is_deleting = known
        .now
        .get(key)
        .is_some_and(|body| !body["metadata"]["deletionTimestamp"].is_null());
    if is_deleting {
        format!(
            "{} is on its way out, and a deletion cannot be taken back; keep the objects in their clusters, then make it again",
            title(key)
        )
    } else {
        format!(
            "the hub's history does not say how {} was before; put {} back into its spec.placement",
            title(key),
            clusters.join(", ")
        )
    }
}

/// The clusters that one object, or all of them, would be deleted in.
fn clusters_of(held: &HeldChange, key: Option<&ObjectKey>) -> BTreeSet<String> {
    let deletes = held
        .deletes
        .iter()
        .filter(|delete| key.is_none_or(|key| delete.key == *key));
    deletes.map(|delete| delete.cluster.clone()).collect()
}

/// The latest placement of an object that was another and put it into all of these clusters.
fn earlier_placement(known: &Known, key: &ObjectKey, clusters: &BTreeSet<String>) -> Option<Value> {
    let now = known.now.get(key)?;
    if !now["metadata"]["deletionTimestamp"].is_null() {
        return None;
    }
    let placement = |body: &Value| body["spec"]["placement"].clone();
    let mut earlier = known.history.get(key).into_iter().flatten().map(|body| placement(body));
    earlier.find(|earlier| *earlier != placement(now) && selects(earlier, clusters, &known.labels))
}

/// The earlier labels of clusters by which all these objects would stay where they are.
fn labels_for(held: &HeldChange, known: &Known, clusters: &BTreeSet<String>) -> Option<Vec<Restore>> {
    let mut labels = known.labels.clone();
    let mut restores = Vec::new();
    for cluster in clusters {
        let now = known.labels.get(cluster)?;
        let history = known.history.get(&Store::cluster_key(cluster)).into_iter().flatten();
        if let Some(earlier) = history.map(|body| labels_of(body)).find(|earlier| earlier != now) {
            labels.insert(cluster.clone(), earlier.clone());
            restores.push(Restore::Labels(cluster.clone(), earlier));
        }
    }
    let keys: BTreeSet<&ObjectKey> = held.deletes.iter().map(|delete| &delete.key).collect();
    let stays = |key: &&ObjectKey| {
        let body = known.now.get(*key);
        body.is_some_and(|body| selects(&body["spec"]["placement"], &clusters_of(held, Some(key)), &labels))
    };
    (!restores.is_empty() && keys.iter().all(stays)).then_some(restores)
}

/// Whether a placement goes to all of these clusters, when clusters have these labels.
fn selects(placement: &Value, clusters: &BTreeSet<String>, labels: &Labels) -> bool {
    let fleet: BTreeMap<ClusterName, Cluster> = labels
        .iter()
        .filter_map(|(name, labels)| {
            let name = ClusterName::parse(name).ok()?;
            Some((name.clone(), Cluster::ready(name, labels.clone())))
        })
        .collect();
    let Ok(placement) = Placement::parse(Some(placement)) else {
        return false;
    };
    let chosen = placement.select(&fleet);
    clusters
        .iter()
        .all(|name| ClusterName::parse(name).is_ok_and(|name| chosen.contains(&name)))
}

#[cfg(test)]
mod tests;
