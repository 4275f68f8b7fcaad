//! Emptying a cluster that is about to be unregistered, on request.
//!
//! The cluster is marked first, so that the leader, wherever it runs, writes nothing new there; the mark ends by itself.
//! Then everything that the hub has on record there is deleted, contents before namespaces, in rounds: a write that was
//! under way when the mark was set is found by the next round.

use std::time::Duration;

use atoll_clusters::Member;
use atoll_federation::plan::{Removal, remove_leftover};
use atoll_federation::{Cluster, ClusterName, Outcome, Reason, Step};
use atoll_store::{Propagation, Store, Transaction, Write};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::error::{Doing, Error, Result};
use crate::fleet::LEAVING_ANNOTATION;
use crate::hub::Hub;
use crate::key::Key;
use crate::sync::context::record;
use crate::sync::execute::carry_out;
use crate::sync::observe::{Seen, look, look_inside};

/// How long nothing new is written; longer than the whole of it may take.
const MARK: SignedDuration = SignedDuration::from_secs(60);
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(40);
/// Between two rounds.
const PAUSE: Duration = Duration::from_millis(500);
/// Objects at a time.
const PARALLEL: usize = 8;
/// A mark that somebody else's change overtakes is set again.
const TRIES: usize = 5;

/// An object that stayed in the cluster, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The federated resource, such as `federateddeployments.types.kubefed.io`.
    pub resource: String,
    /// Namespace of the federated object.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Why, for people.
    pub message: String,
}

impl Left {
    pub(crate) fn new(of: &Propagation, message: impl Into<String>) -> Self {
        Self {
            resource: of.key.resource.clone(),
            namespace: of.key.namespace.clone(),
            name: of.key.name.clone(),
            message: message.into(),
        }
    }
}

/// Deletes what the hub manages in a cluster, and tells what stayed.
pub(crate) async fn delete_managed(hub: &Hub, name: &str) -> Result<Vec<Left>> {
    let cluster = ClusterName::parse(name).map_err(|_| Error::UnknownCluster(name.to_owned()))?;
    mark(hub, name).await?;
    let member = hub.clusters.member(name).filter(|member| member.is_ready());
    let records = || async {
        hub.store
            .propagations_in(Some(name))
            .await
            .doing("reading records of propagation")
    };
    let Some(member) = member else {
        let away = |record: &Propagation| Left::new(record, "the cluster does not answer");
        return Ok(records().await?.iter().map(away).collect());
    };
    let until = Instant::now() + PATIENCE;
    loop {
        let left = round(hub, &cluster, &member, records().await?).await?;
        if left.is_empty() || left.iter().all(|(_, end)| *end == End::Stays) || Instant::now() + PAUSE >= until {
            return Ok(left.into_iter().map(|(left, _)| left).collect());
        }
        sleep(PAUSE).await;
    }
}

/// Whether another round may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It may.
    Waits,
    /// It does not.
    Stays,
}

async fn round(
    hub: &Hub,
    cluster: &ClusterName,
    member: &Member,
    records: Vec<Propagation>,
) -> Result<Vec<(Left, End)>> {
    let configuration = hub.configuration();
    let is_namespace = |record: &Propagation| {
        Key::of_record(&configuration.types, &record.key).is_some_and(|key| key.kind.row().is_namespace())
    };
    let (namespaces, contents): (Vec<_>, Vec<_>) = records.into_iter().partition(is_namespace);
    let mut left = remove_all(hub, cluster, member, &contents).await?;
    // A namespace would take along what is still on its way out, or what could not be removed.
    let (waiting, empty): (Vec<_>, Vec<_>) = namespaces
        .into_iter()
        .partition(|namespace| left.iter().any(|(other, _)| other.namespace == namespace.key.name));
    let first_the_rest = "it goes when what is in it is gone";
    left.extend(
        waiting
            .iter()
            .map(|namespace| (Left::new(namespace, first_the_rest), End::Stays)),
    );
    left.extend(remove_all(hub, cluster, member, &empty).await?);
    left.sort_by(|(one, _), (other, _)| {
        (&one.namespace, &one.resource, &one.name).cmp(&(&other.namespace, &other.resource, &other.name))
    });
    Ok(left)
}

/// Removes objects that do not depend on each other, and drops the records of those that are gone.
async fn remove_all(
    hub: &Hub,
    cluster: &ClusterName,
    member: &Member,
    records: &[Propagation],
) -> Result<Vec<(Left, End)>> {
    // Made before they are streamed: of a closure inside of the stream the compiler cannot tell that it may move between
    // threads.
    let removing = records
        .iter()
        .map(|of| async move { (of, remove(hub, cluster, member, of).await) });
    let removing: Vec<_> = removing.collect();
    let ends: Vec<_> = stream::iter(removing).buffer_unordered(PARALLEL).collect().await;
    let mut left = Vec::new();
    let mut gone = Vec::new();
    for (of, end) in ends {
        match end {
            None => gone.push((of.key.clone(), of.cluster.clone())),
            Some((message, end)) => left.push((Left::new(of, message), end)),
        }
    }
    let dropped = hub.store.record_propagations(None, &[], &gone).await;
    dropped.doing("recording propagation")?;
    Ok(left)
}

/// Removes one object; `None` when it is gone, or no longer the hub's.
async fn remove(hub: &Hub, cluster: &ClusterName, member: &Member, of: &Propagation) -> Option<(String, End)> {
    let configuration = hub.configuration();
    let Some((key, (_, remembered))) = Key::of_record(&configuration.types, &of.key).zip(record(of.clone())) else {
        // Whoever removed the type left its objects to their clusters.
        return None;
    };
    if !configuration.propagates(&key) {
        let message = "its type is not propagated, so what is there is left alone".to_owned();
        return Some((message, End::Stays));
    }
    let options = &hub.options;
    let seen = if key.kind.row().is_namespace() {
        look_inside(hub, member, &key).await
    } else {
        let observed = look(member, &key, options.observe_deadline).await;
        Seen {
            observed,
            unmanaged: None,
        }
    };
    let ready = Cluster::ready(cluster.clone(), std::collections::BTreeMap::new());
    let removal = remove_leftover(
        key.kind.row(),
        Some(&ready),
        Some(&seen.observed),
        &remembered,
        &options.hub_uid,
    );
    let step = match removal {
        Removal::Step(step) => step,
        Removal::Gone => return None,
        Removal::Going => return Some(("it is on its way out".to_owned(), End::Waits)),
        Removal::Away(Reason::ApiMissing) => {
            return Some(("the cluster does not have this kind any more".to_owned(), End::Waits));
        }
        Removal::Away(_) => return Some(("the cluster does not answer".to_owned(), End::Waits)),
        Removal::Unclear(_, message) => return Some((message, End::Waits)),
    };
    if let (Step::Delete { .. }, Some(strangers @ 1..)) = (&step, seen.unmanaged) {
        let message = format!("the namespace holds {strangers} objects that the hub does not manage");
        return Some((message, End::Stays));
    }
    hub.tally.wrote();
    match carry_out(member, &key, &step, options.step_deadline).await.outcome {
        Outcome::Deleted { gone: true } | Outcome::Released => None,
        Outcome::Deleted { gone: false } => Some(("it is on its way out".to_owned(), End::Waits)),
        Outcome::Failed(failure) => {
            hub.tally.failed();
            let end = if failure.kind.is_transient() {
                End::Waits
            } else {
                End::Stays
            };
            Some((failure.message, end))
        }
        Outcome::Applied(_) => Some(("it is still there".to_owned(), End::Waits)),
    }
}

/// Says that nothing new is to be written there for a while.
async fn mark(hub: &Hub, name: &str) -> Result<()> {
    let key = Store::cluster_key(name);
    for attempt in 1.. {
        let stored = hub.store.object(&key).await.doing("reading a cluster's object")?;
        let Some(stored) = stored else {
            return Err(Error::UnknownCluster(name.to_owned()));
        };
        let until = Timestamp::now().saturating_add(MARK).unwrap_or(Timestamp::MAX);
        let mut body = (*stored.body).clone();
        let annotations = &mut body["metadata"]["annotations"];
        if !annotations.is_object() {
            *annotations = json!({});
        }
        annotations[LEAVING_ANNOTATION] = until.to_string().into();
        let update = Write::Update {
            key: key.clone(),
            body: body.into(),
            expected: stored.revision,
        };
        let transaction = Transaction {
            writes: vec![update],
            lease: None,
        };
        match hub
            .store
            .write(transaction)
            .await
            .doing("marking a cluster that leaves")
        {
            Err(error) if error.is_conflict() && attempt < TRIES => {}
            outcome => return outcome.map(drop),
        }
    }
    Ok(())
}
