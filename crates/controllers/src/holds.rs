//! What waits for a confirmation: the deletes of changes that would delete too much, put together from records, intent
//! and the statuses that tell of them. Every replica can tell, since nothing of it is in the leader's memory only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use atoll_federation::plan::{Hold, PlannedDelete, brake};
use atoll_federation::{ClusterName, FederatedObject, Reason, TypeDescriptor, plain, types};
use atoll_store::{Object, ObjectKey, Store};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::brake::count::{Displacer, count, managed};
use crate::brake::{Going, approved, planned};
use crate::error::{Doing, Result};
use crate::fleet;
use crate::hub::Hub;
use crate::key::{Key, Kind};
use crate::sync::context::records;
use crate::sync::leftovers::hold_of_leftover;

/// How many times as long as counting took a count serves those who look.
const RECENT: u32 = 10;

/// A change whose deletes wait for a confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldChange {
    /// Names it for as long as it is about the same deletes.
    pub id: String,
    /// Where the change was made, as far as that can be told from what it does.
    pub cause: HoldCause,
    /// The object that confirms, when it is annotated with the token.
    pub annotate: ObjectKey,
    /// The token of exactly these deletes.
    pub token: String,
    /// What would go.
    pub deletes: Vec<HeldDelete>,
    /// For people.
    pub message: String,
}

/// One object that would be deleted in one cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldDelete {
    /// Kind of the federated object.
    pub kind: String,
    /// The federated object.
    pub key: ObjectKey,
    /// The cluster.
    pub cluster: String,
    /// UID of the object there.
    pub uid: String,
}

/// Where a change was made that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldCause {
    /// In this federated object.
    Object(ObjectKey),
    /// In the FederatedNamespace of this namespace, or by deleting it.
    Namespace(String),
    /// In the labels of this cluster, or in many objects that leave it.
    Cluster(String),
    /// Nowhere any more: the FederatedNamespace is gone, and the namespace was to go when this cluster came back.
    Leftover {
        /// The namespace.
        namespace: String,
        /// The cluster.
        cluster: String,
    },
}

/// What was counted last.
#[derive(Default)]
pub(crate) struct Recent {
    counted: Mutex<Option<Counted>>,
}

struct Counted {
    holds: Arc<Vec<HeldChange>>,
    until: Instant,
}

impl Recent {
    /// Counts when the last count is no longer recent. Who asks meanwhile waits for the same count.
    pub(crate) async fn get(&self, hub: &Hub) -> Result<Arc<Vec<HeldChange>>> {
        let mut counted = self.counted.lock().await;
        if let Some(counted) = counted.as_ref().filter(|counted| Instant::now() < counted.until) {
            return Ok(counted.holds.clone());
        }
        let begun = Instant::now();
        let holds = Arc::new(list(hub).await?);
        *counted = Some(Counted {
            holds: holds.clone(),
            until: Instant::now() + begun.elapsed() * RECENT,
        });
        Ok(holds)
    }
}

/// Tells all of them.
pub(crate) async fn list(hub: &Hub) -> Result<Vec<HeldChange>> {
    let mut holds: Vec<HeldChange> = of_changes(hub).await?.into_iter().collect();
    // What a change displaces is one hold, also where a namespace is part of it.
    let known: BTreeSet<HeldDelete> = holds.iter().flat_map(|hold| hold.deletes.clone()).collect();
    let told = of_statuses(hub).await?;
    let is_news = |hold: &HeldChange| hold.deletes.iter().any(|delete| !known.contains(delete));
    holds.extend(told.into_iter().filter(is_news));
    holds.extend(of_leftovers(hub).await?);
    Ok(holds)
}

/// What all changes together displace is one hold, as it has one token.
async fn of_changes(hub: &Hub) -> Result<Option<HeldChange>> {
    let (fleet, _) = fleet::read(&hub.store).await?;
    let approved = approved(&hub.store, &hub.configuration().types).await?;
    let mut pending = count(hub, &fleet).await?;
    pending.retain(|going, _| !approved.contains(going));
    let deletes: Vec<PlannedDelete> = pending.keys().map(planned).collect();
    let hold = brake(&deletes, &managed(hub).await?);
    Ok(hold.and_then(|hold| {
        let namespaces = hub
            .configuration()
            .types
            .namespaces()
            .map(|served| Kind::of(served.row));
        let (cause, annotate) = cause(&pending, namespaces)?;
        Some(held(&hold.token, hold.message, cause, annotate, pending.keys()))
    }))
}

fn held<'a>(
    token: &str,
    message: String,
    cause: HoldCause,
    annotate: ObjectKey,
    deletes: impl Iterator<Item = &'a Going>,
) -> HeldChange {
    let delete = |(key, cluster, uid): &Going| HeldDelete {
        kind: key.kind.row().federated.kind.to_string(),
        key: key.stored(),
        cluster: cluster.to_string(),
        uid: uid.clone(),
    };
    HeldChange {
        id: token.to_owned(),
        cause,
        annotate,
        token: token.to_owned(),
        deletes: deletes.map(delete).collect(),
        message,
    }
}

/// Where the change was most likely made, and the object to annotate. Any object that is concerned would do: its
/// confirmation is one for all of them.
fn cause(pending: &BTreeMap<Going, Displacer>, namespaces: Option<Kind>) -> Option<(HoldCause, ObjectKey)> {
    let ((first, ..), _) = pending.first_key_value()?;
    let is_of_namespace = |(key, ..): &Going, displacer: Displacer| {
        key.namespace == first.namespace && (displacer == Displacer::Namespace || key.kind.row().is_namespace())
    };
    if let Some(kind) = namespaces.filter(|_| !first.kind.row().is_plain())
        && pending
            .iter()
            .all(|(going, displacer)| is_of_namespace(going, *displacer))
    {
        let namespace = Key::of_target(kind, "", &first.namespace);
        return Some((HoldCause::Namespace(namespace.name.clone()), namespace.stored()));
    }
    if pending.keys().all(|(key, ..)| key == first) {
        return Some((HoldCause::Object(first.stored()), first.stored()));
    }
    let mut by_cluster: BTreeMap<&ClusterName, usize> = BTreeMap::new();
    for (_, cluster, _) in pending.keys() {
        *by_cluster.entry(cluster).or_default() += 1;
    }
    let (cluster, _) = by_cluster.into_iter().max_by_key(|(_, count)| *count)?;
    let annotate = Store::cluster_key(cluster.as_str());
    Some((HoldCause::Cluster(cluster.to_string()), annotate))
}

/// Plain kinds that are held for what the brake does not count over all objects.
const PLAIN: [&str; 2] = ["namespaces", "horizontalpodautoscalers.autoscaling"];

/// What only a status tells of: each `FederatedNamespace`, and each Namespace that is federated itself, that is held
/// because of what members hold in it; each workload that a replica preference has placed which is gone; each autoscaler
/// whose own shares leave very many clusters.
async fn of_statuses(hub: &Hub) -> Result<Vec<HeldChange>> {
    let configuration = hub.configuration();
    let federated = configuration.types.federated().map(|served| served.row);
    let federated = federated.filter(|row| row.is_namespace() || row.replicas_path.is_some());
    let mut holds = Vec::new();
    let plain = PLAIN.into_iter().filter_map(types::find_plain);
    for row in federated.chain(plain) {
        let listing = hub
            .store
            .objects(&row.federated.group, &row.federated.plural, None)
            .await;
        for stored in listing.doing("listing federated objects")?.objects {
            if row.is_namespace() || row.is_plain() || stored.body["status"]["placedByPreference"] == true {
                holds.extend(of_status(hub, row, stored).await?);
            }
        }
    }
    Ok(holds)
}

async fn of_status(hub: &Hub, row: &'static TypeDescriptor, stored: Object) -> Result<Option<HeldChange>> {
    let read = if row.is_plain() && row.is_namespace() {
        let read = plain::read(row, &stored.body, None).ok().flatten();
        read.map(|read| read.object)
    } else if row.is_plain() {
        // What makes it federated may be its namespace. It is held all the same.
        plain::read_released(row, &stored.body).ok().map(|read| read.object)
    } else {
        FederatedObject::parse(row, &stored.body).ok()
    };
    let Some(object) = read else { return Ok(None) };
    let entries = object.status.iter().flat_map(|status| &status.clusters);
    let waiting: BTreeMap<&ClusterName, &str> = entries
        .filter(|entry| entry.status == Reason::Held.as_str())
        .map(|entry| (&entry.name, entry.message.as_str()))
        .collect();
    let Some(message) = waiting.values().next() else {
        return Ok(None);
    };
    let key = Key {
        kind: Kind::of(row),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
    };
    let records = records(&hub.store, &key).await?;
    let deletes: Vec<Going> = waiting
        .keys()
        .filter_map(|name| {
            let uid = records.get(*name)?.uid.clone()?;
            Some((key.clone(), (*name).clone(), uid))
        })
        .collect();
    let planned: Vec<PlannedDelete> = deletes.iter().map(planned).collect();
    let asked = [Hold::of_strangers("", &planned, ""), Hold::new(&planned, "")];
    let Some(token) = asked
        .map(|hold| hold.token)
        .into_iter()
        .find(|token| message.contains(token.as_str()))
    else {
        // It will ask for something else in a moment.
        return Ok(None);
    };
    let cause = if row.is_namespace() && !row.is_plain() {
        HoldCause::Namespace(object.name.clone())
    } else {
        HoldCause::Object(stored.key.clone())
    };
    Ok(Some(held(
        &token,
        (*message).to_owned(),
        cause,
        stored.key,
        deletes.iter(),
    )))
}

/// Namespaces that a cluster still holds although their FederatedNamespace is gone. The cluster confirms.
async fn of_leftovers(hub: &Hub) -> Result<Vec<HeldChange>> {
    let types = &hub.configuration().types;
    let rows = hub
        .store
        .propagations_in(None)
        .await
        .doing("reading records of propagation")?;
    let waiting = rows
        .into_iter()
        .filter(|row| row.leftover && row.status == Reason::Held.as_str());
    Ok(waiting
        .filter_map(|row| {
            let key = Key::of_record(types, &row.key)?;
            let cluster = ClusterName::parse(&row.cluster).ok()?;
            let hold = hold_of_leftover(&key, &cluster, row.uid.as_deref()?);
            let cause = HoldCause::Leftover {
                namespace: key.name.clone(),
                cluster: row.cluster,
            };
            let annotate = Store::cluster_key(cluster.as_str());
            let going = (key, cluster, row.uid?);
            Some(held(&hold, row.message, cause, annotate, [&going].into_iter()))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn going(kind: &str, namespace: &str, name: &str, cluster: &str) -> Going {
        let key = Key {
            kind: Kind::of(types::find(kind).unwrap()),
            namespace: namespace.into(),
            name: name.into(),
        };
        (key, ClusterName::parse(cluster).unwrap(), "u".into())
    }

    fn namespaces() -> Option<Kind> {
        types::find("namespaces").map(Kind::of)
    }

    fn told(pending: &[(Going, Displacer)]) -> HoldCause {
        cause(&pending.iter().cloned().collect(), namespaces()).unwrap().0
    }

    #[test]
    fn one_object_that_goes_from_everywhere_is_the_cause_itself() {
        let pending = ["eu-1", "us-1"].map(|cluster| (going("configmaps", "shop", "web", cluster), Displacer::Itself));
        let HoldCause::Object(key) = told(&pending) else {
            panic!("it is the object's own placement")
        };
        assert_eq!(
            (key.resource.as_str(), key.name.as_str()),
            ("federatedconfigmaps", "web")
        );
    }

    #[test]
    fn what_goes_with_its_namespace_names_the_namespace() {
        let pending = [
            (going("configmaps", "shop", "a", "eu-1"), Displacer::Namespace),
            (going("configmaps", "shop", "b", "eu-1"), Displacer::Namespace),
            (going("namespaces", "shop", "shop", "eu-1"), Displacer::Itself),
        ];
        assert_eq!(told(&pending), HoldCause::Namespace("shop".into()));
        let mut elsewhere = pending.to_vec();
        elsewhere.push((going("configmaps", "other", "c", "eu-1"), Displacer::Itself));
        assert_eq!(told(&elsewhere), HoldCause::Cluster("eu-1".into()));
    }

    #[test]
    fn many_objects_that_leave_a_cluster_name_the_cluster() {
        let pending = ["a", "b", "c"].map(|name| (going("configmaps", "shop", name, "eu-1"), Displacer::Itself));
        assert_eq!(told(&pending), HoldCause::Cluster("eu-1".into()));
        assert_eq!(
            cause(&pending.into_iter().collect(), namespaces()).unwrap().1,
            Store::cluster_key("eu-1")
        );
        assert!(cause(&BTreeMap::new(), namespaces()).is_none());
    }
}
