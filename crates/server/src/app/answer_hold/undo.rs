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
use atoll_federation::{Cluster, ClusterName, TypeDescriptor};
use atoll_kubeapi::RequestContext;
use atoll_store::{Earlier, ObjectKey, Revision, Store};
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

/// Changes of one object that are looked through.
const LOOKED_THROUGH: usize = 1_000;
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
type History = BTreeMap<ObjectKey, Vec<Earlier>>;

/// What would put everything back where it is.
#[derive(Debug, Clone, PartialEq)]
struct Candidate {
    /// When the change was made that it takes back.
    at: Revision,
    restores: Vec<Restore>,
}

impl Candidate {
    /// One for all of these.
    fn of_all(candidates: impl IntoIterator<Item = Self>) -> Option<Self> {
        candidates.into_iter().reduce(|mut all, one| {
            all.at = all.at.max(one.at);
            all.restores.extend(one.restores);
            all
        })
    }
}

/// What is known of everything that a hold concerns.
struct Known {
    /// Objects as they are.
    now: BTreeMap<ObjectKey, Arc<Value>>,
    /// Their types, as far as these are served.
    kinds: BTreeMap<ObjectKey, &'static TypeDescriptor>,
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
        let restored = match restore {
            Restore::Placement(key, placement) => place(state, context, key, placement).await,
            Restore::Labels(cluster, labels) => label(state, caller, cluster, labels).await,
        };
        match restored {
            Ok(()) => done.changed.push(told(restore)),
            Err(error) if restores.len() == 1 => return Err(error),
            // What came back already stays.
            Err(error) => done.left.push(format!("{}: {error}", told(restore))),
        }
    }
    Ok(done)
}

async fn label(state: &AppState, caller: &Caller, cluster: &str, labels: &BTreeMap<String, String>) -> Result<()> {
    let now = state.store.object(&Store::cluster_key(cluster)).await?;
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
    Ok(())
}

async fn place(state: &AppState, context: &RequestContext, key: &ObjectKey, placement: &Value) -> Result<()> {
    let path = path_of(state, key)?;
    let mut seen = None;
    for attempt in 1.. {
        let Some(mut object) = find_object(state, context, &path).await? else {
            return Err(Error::not_found(format!("{} is gone", title(key))));
        };
        let found = std::mem::replace(&mut object["spec"]["placement"], placement.clone());
        if seen.get_or_insert_with(|| found.clone()) != &found {
            let why = format!(
                "somebody has just changed the placement of {}; look at the hold again",
                title(key)
            );
            return Err(Error::new(Reason::Conflict, why));
        }
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
    let types = &state.configuration().types;
    let kind = |key: ObjectKey| {
        let served = types.of_resource(&key.group, &key.resource)?;
        Some((key, served.row))
    };
    let kinds = keys.into_iter().filter_map(kind).collect();
    let cluster = Store::cluster_key("");
    let clusters = state
        .store
        .objects(&cluster.group, &cluster.resource, Some(SYSTEM_NAMESPACE))
        .await?;
    let labels = clusters
        .objects
        .iter()
        .map(|object| (object.key.name.clone(), labels_of(&object.body)));
    let mut history = History::new();
    for key in blamed(held) {
        let earlier = state.store.history_of(&key, LOOKED_THROUGH).await?;
        history.insert(key, thinned(earlier));
    }
    Ok(Known {
        now,
        kinds,
        history,
        labels: labels.collect(),
    })
}

/// The objects that an earlier state of may be restored.
fn blamed(held: &HeldChange) -> BTreeSet<ObjectKey> {
    let mut keys: BTreeSet<ObjectKey> = match &held.cause {
        HoldCause::Object(key) => [key.clone()].into(),
        HoldCause::Namespace(_) => [held.annotate.clone()].into(),
        HoldCause::Cluster(_) => held.deletes.iter().map(|delete| delete.key.clone()).collect(),
        HoldCause::Leftover { .. } => return BTreeSet::new(),
    };
    keys.extend(held.deletes.iter().map(|delete| Store::cluster_key(&delete.cluster)));
    keys
}

/// Leaves out what differed from its successor in nothing that can be restored: most changes are of a status.
fn thinned(mut earlier: Vec<Earlier>) -> Vec<Earlier> {
    earlier.dedup_by(|older, newer| {
        let same = |pointer: &str| older.body.pointer(pointer) == newer.body.pointer(pointer);
        same("/spec/placement") && same("/metadata/labels")
    });
    earlier
}

/// Of what would put everything back, that which takes the latest change back: an older one did no harm by itself.
fn decide(held: &HeldChange, known: &Known) -> std::result::Result<Vec<Restore>, String> {
    let labels = labels_for(held, known);
    let (placements, by_hand) = match &held.cause {
        HoldCause::Object(key) => {
            let clusters = clusters_of(held, Some(key));
            (earlier_placement(known, key, &clusters), by_hand(known, key, &clusters))
        }
        HoldCause::Namespace(_) => {
            let clusters = clusters_of(held, None);
            let key = &held.annotate;
            (earlier_placement(known, key, &clusters), by_hand(known, key, &clusters))
        }
        HoldCause::Cluster(cluster) => {
            let keys: BTreeSet<&ObjectKey> = held.deletes.iter().map(|delete| &delete.key).collect();
            let placements: Option<Vec<Candidate>> = keys
                .into_iter()
                .map(|key| earlier_placement(known, key, &clusters_of(held, Some(key))))
                .collect();
            let by_hand = format!(
                "the hub's history does not say which change takes these objects out of {cluster}; give the cluster the labels back that placements select, or put it back into the placements of the objects"
            );
            (placements.and_then(Candidate::of_all), by_hand)
        }
        HoldCause::Leftover { .. } => return Err("the object is gone".to_owned()),
    };
    let latest = labels
        .into_iter()
        .chain(placements)
        .max_by_key(|candidate| candidate.at);
    latest.map(|candidate| candidate.restores).ok_or(by_hand)
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
        // A federated object may have no spec.placement either, and has no use for the annotation.
        let place = if known.kinds.get(key).is_some_and(|kind| kind.is_plain()) {
            "what its annotation federation.alpha.kubernetes.io/cluster-selector selects"
        } else {
            "its spec.placement"
        };
        format!(
            "the hub's history does not say how {} was before; put {} back into {place}",
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
fn earlier_placement(known: &Known, key: &ObjectKey, clusters: &BTreeSet<String>) -> Option<Candidate> {
    let now = known.now.get(key)?;
    if !now["metadata"]["deletionTimestamp"].is_null() {
        return None;
    }
    let placement = |body: &Value| body["spec"]["placement"].clone();
    let earlier = known.history.get(key).into_iter().flatten();
    let mut earlier = earlier.map(|earlier| (earlier.until, placement(&earlier.body)));
    let (at, found) =
        earlier.find(|(_, earlier)| *earlier != placement(now) && selects(earlier, clusters, &known.labels))?;
    Some(Candidate {
        at,
        restores: vec![Restore::Placement(key.clone(), found)],
    })
}

/// Earlier labels of clusters by which all these objects would stay where they are.
fn labels_for(held: &HeldChange, known: &Known) -> Option<Candidate> {
    let candidates: Option<Vec<Option<Candidate>>> = clusters_of(held, None)
        .into_iter()
        .map(|cluster| labels_of_one(held, known, &cluster))
        .collect();
    Candidate::of_all(candidates?.into_iter().flatten())
}

/// The same for one cluster; nothing to restore where the objects are selected as it is. Labels that it got since stay,
/// unless it is for them that it is not selected.
fn labels_of_one(held: &HeldChange, known: &Known, cluster: &str) -> Option<Option<Candidate>> {
    let now = known.labels.get(cluster)?;
    let here = BTreeSet::from([cluster.to_owned()]);
    let deletes = held.deletes.iter().filter(|delete| delete.cluster == cluster);
    let bodies: Option<Vec<&Arc<Value>>> = deletes.map(|delete| known.now.get(&delete.key)).collect();
    let bodies = bodies?;
    let keeps = |labels: &BTreeMap<String, String>| {
        let fleet = Labels::from([(cluster.to_owned(), labels.clone())]);
        bodies
            .iter()
            .all(|body| selects(&body["spec"]["placement"], &here, &fleet))
    };
    if keeps(now) {
        return Some(None);
    }
    let history = known.history.get(&Store::cluster_key(cluster)).into_iter().flatten();
    for earlier in history {
        let was = labels_of(&earlier.body);
        let mut merged = now.clone();
        merged.extend(was.clone());
        if let Some(labels) = [merged, was].into_iter().find(|labels| keeps(labels)) {
            return Some(Some(Candidate {
                at: earlier.until,
                restores: vec![Restore::Labels(cluster.to_owned(), labels)],
            }));
        }
    }
    None
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
