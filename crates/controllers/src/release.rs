//! Letting clusters keep what a held change would delete there: the hub's marks come off, and its records with them.
//!
//! The deletes are held, so the leader writes nothing to these objects meanwhile. Only what is still the object that was
//! shown is let go, by its UID; a cluster that does not answer keeps its hold.

pub(crate) mod note;

use std::collections::BTreeMap;

use atoll_federation::plan::{Removal, let_go};
use atoll_federation::{Cluster, Outcome, Reason};
use atoll_store::{ObjectKey, Propagation, PropagationKey};
use futures::{StreamExt, stream};

use crate::error::{Doing, Result};
use crate::holds::HeldDelete;
use crate::hub::Hub;
use crate::key::Key;
use crate::sync::context::record;
use crate::sync::execute::carry_out;
use crate::sync::observe::look;
use crate::unregister::Left;

/// Objects at a time.
const PARALLEL: usize = 8;

/// What became of objects that their clusters were to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// How many the hub has let go of.
    pub objects: usize,
    /// Those that it has not, and why.
    pub left: Vec<Left>,
}

/// Lets clusters keep these objects.
pub(crate) async fn release(hub: &Hub, deletes: &[HeldDelete]) -> Result<Released> {
    let rows = hub.store.propagations_in(None).await;
    let rows = rows.doing("reading records of propagation")?;
    let (meant, mut left) = still_there(deletes, rows);
    let releasing: Vec<_> = meant
        .iter()
        .map(|row| async move { (row, one(hub, row).await) })
        .collect();
    let ends: Vec<(&Propagation, Option<String>)> = stream::iter(releasing).buffer_unordered(PARALLEL).collect().await;
    let mut gone: Vec<(PropagationKey, String)> = Vec::new();
    for (row, end) in ends {
        match end {
            None => gone.push((row.key.clone(), row.cluster.clone())),
            Some(message) => left.push(Left::new(row, format!("{}: {message}", row.cluster))),
        }
    }
    let dropped = hub.store.record_propagations(None, &[], &gone).await;
    dropped.doing("recording propagation")?;
    let objects = gone.len();
    note::note(hub, gone.into_iter().map(|(key, _)| key)).await?;
    Ok(Released { objects, left })
}

/// The records of what is still as it was shown, and the rest of it.
fn still_there(deletes: &[HeldDelete], rows: Vec<Propagation>) -> (Vec<Propagation>, Vec<Left>) {
    let mut shown: BTreeMap<(PropagationKey, String), &HeldDelete> = deletes
        .iter()
        .map(|delete| ((record_key(&delete.key), delete.cluster.clone()), delete))
        .collect();
    let mut meant = Vec::new();
    for row in rows {
        let place = (row.key.clone(), row.cluster.clone());
        let is_same = |delete: &&HeldDelete| row.uid.as_deref() == Some(&delete.uid);
        if shown.get(&place).is_some_and(is_same) {
            shown.remove(&place);
            meant.push(row);
        }
    }
    let changed = shown.into_keys().map(|(key, cluster)| Left {
        resource: key.resource,
        namespace: key.namespace,
        name: key.name,
        message: format!("{cluster}: it is not what was shown any more"),
    });
    (meant, changed.collect())
}

/// What the records of a federated object are filed under.
fn record_key(key: &ObjectKey) -> PropagationKey {
    let resource = if key.group.is_empty() {
        key.resource.clone()
    } else {
        format!("{}.{}", key.resource, key.group)
    };
    PropagationKey {
        resource,
        namespace: key.namespace.clone(),
        name: key.name.clone(),
    }
}

/// Lets one object go; `None` when nothing of the hub's is there any more.
async fn one(hub: &Hub, row: &Propagation) -> Option<String> {
    let types = &hub.configuration().types;
    let (Some(key), Some((name, remembered))) = (Key::of_record(types, &row.key), record(row.clone())) else {
        return Some("the hub does not serve this kind any more".to_owned());
    };
    let away = || Some("the cluster does not answer".to_owned());
    let Some(member) = hub.clusters.member(name.as_str()).filter(|member| member.is_ready()) else {
        return away();
    };
    let options = &hub.options;
    let observed = look(&member, &key, options.observe_deadline).await;
    let ready = Cluster::ready(name, BTreeMap::new());
    match let_go(&ready, &observed, &remembered, &options.hub_uid) {
        Removal::Gone => None,
        Removal::Unclear(_, message) => Some(message),
        Removal::Away(Reason::ApiMissing) => Some("the cluster does not have this kind any more".to_owned()),
        Removal::Away(_) | Removal::Going => away(),
        Removal::Step(step) => {
            hub.tally.wrote();
            match carry_out(&member, &key, &step, options.step_deadline).await.outcome {
                Outcome::Failed(failure) => {
                    hub.tally.failed();
                    Some(failure.message)
                }
                _ => None,
            }
        }
    }
}
