//! Letting clusters keep what a held change would delete there: the hub's marks come off, and its records with them.
//!
//! The deletes are held, so the leader writes nothing to these objects meanwhile. Only what is still the object that was
//! shown is let go, by its UID; a cluster that does not answer keeps its hold.

pub(crate) mod note;

use std::collections::BTreeMap;

use atoll_federation::plan::{Removal, let_go};
use atoll_federation::{Cluster, ClusterName, Outcome, Reason};
use atoll_store::{Propagation, PropagationKey};
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

/// Lets clusters keep these objects, and tells where that could not be done and why.
pub(crate) async fn release(hub: &Hub, deletes: &[HeldDelete]) -> Result<Vec<Left>> {
    let rows = hub.store.propagations_in(None).await;
    let rows = rows.doing("reading records of propagation")?;
    let is_meant = |row: &Propagation| {
        let is_its = |delete: &&HeldDelete| {
            let key = &delete.key;
            (row.key.namespace.as_str(), row.key.name.as_str()) == (key.namespace.as_str(), key.name.as_str())
                && row.key.resource == format!("{}.{}", key.resource, key.group).trim_end_matches('.')
        };
        let mut same = deletes.iter().filter(is_its);
        same.any(|delete| row.cluster == delete.cluster && row.uid.as_deref() == Some(&delete.uid))
    };
    let meant: Vec<Propagation> = rows.into_iter().filter(is_meant).collect();
    let releasing: Vec<_> = meant
        .iter()
        .map(|row| async move { (row, one(hub, row).await) })
        .collect();
    let ends: Vec<(&Propagation, Option<String>)> = stream::iter(releasing).buffer_unordered(PARALLEL).collect().await;
    let (mut left, mut gone): (Vec<Left>, Vec<(PropagationKey, String)>) = (Vec::new(), Vec::new());
    for (row, end) in ends {
        match end {
            None => gone.push((row.key.clone(), row.cluster.clone())),
            Some(message) => left.push(Left::new(row, format!("{}: {message}", row.cluster))),
        }
    }
    let dropped = hub.store.record_propagations(None, &[], &gone).await;
    dropped.doing("recording propagation")?;
    note::note(hub, gone.into_iter().map(|(key, _)| key)).await?;
    Ok(left)
}

/// Lets one object go; `None` when nothing of the hub's is there any more.
async fn one(hub: &Hub, row: &Propagation) -> Option<String> {
    let types = &hub.configuration().types;
    let (key, (_, remembered)) = Key::of_record(types, &row.key).zip(record(row.clone()))?;
    let name = ClusterName::parse(&row.cluster).ok()?;
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
