//! What an object that is gone from the hub left in members that were away.
//!
//! When such a member is back, intent is read again right before anything is deleted: the object may have been made
//! anew meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use atoll_federation::object::CONFIRM_DELETES_ANNOTATION;
use atoll_federation::plan::{Hold, PlannedDelete, Removal, remove_leftover};
use atoll_federation::{ClusterName, FailureKind, Observed, Outcome, Reason, Record, Step};
use atoll_store::Store;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::Sync;
use super::context::{records, row};
use super::execute::carry_out;
use super::observe::{Seen, look, look_inside};
use super::rounds::{LONGEST_RETRY, ROOM};
use super::slots::Slot;
use crate::brake::used_up;
use crate::error::{Doing, Result};
use crate::fleet;
use crate::key::Key;
use crate::queue::Verdict;

/// What is to happen with one record.
enum End {
    /// It is about nothing any more.
    Drop,
    /// The cluster is away, or the object is not to be touched: an event brings the next look.
    Rest(Option<Record>),
    /// It is on its way out.
    Going,
    /// It did not work.
    Retry(Duration),
}

/// Removes what can be removed.
pub(super) async fn remove(sync: &Arc<Sync>, key: &Key, slot: &mut Slot) -> Result<Verdict> {
    let records = records(&sync.hub.store, key).await?;
    let fleet = sync.fleet.borrow().clone();
    // Where the record is no leftover, somebody took the finalizer off by hand: then what is there stays there.
    let waiting: BTreeSet<ClusterName> = records
        .iter()
        .filter(|(name, record)| record.leftover && fleet.contains_key(*name))
        .map(|(name, _)| name.clone())
        .collect();
    for (cluster, kind) in sync.concerns.set(key, waiting.clone()) {
        sync.cache.leave(&cluster, kind);
    }
    let away = waiting.iter().filter(|name| !sync.is_ready(name));
    sync.miss(key, &away.cloned().collect());
    let ends = records.iter().map(|(name, record)| {
        let waits = waiting.contains(name);
        async move {
            let end = if waits {
                one(sync, key, name, record).await?
            } else {
                End::Drop
            };
            Ok::<_, crate::Error>((name.clone(), end))
        }
    });
    // From here on it mostly waits for members.
    slot.yield_turn();
    let ends: BTreeMap<ClusterName, End> = stream::iter(ends.collect::<Vec<_>>())
        .buffer_unordered(ROOM)
        .try_collect()
        .await?;

    let mut verdict = Verdict::Settled(Some(sync.resync()));
    let (mut put, mut dropped) = (Vec::new(), Vec::new());
    for (name, end) in ends {
        match end {
            End::Drop => dropped.push((key.record(), name.to_string())),
            End::Rest(Some(record)) => put.push(row(key, &name, record)),
            End::Rest(None) => {}
            End::Going if matches!(verdict, Verdict::Failed(_)) => {}
            End::Going => verdict = Verdict::Settled(Some(atoll_federation::plan::RECHECK)),
            End::Retry(at_least) => {
                let before = match verdict {
                    Verdict::Failed(before) => before,
                    Verdict::Settled(_) | Verdict::Again => Duration::ZERO,
                };
                verdict = Verdict::Failed(at_least.min(LONGEST_RETRY).max(before));
            }
        }
    }
    let all_gone = dropped.len() == records.len();
    let recorded = sync
        .hub
        .store
        .record_propagations(Some(sync.leadership.lease()), &put, &dropped)
        .await;
    recorded.doing("recording propagation")?;
    if all_gone {
        sync.forget(key);
        return Ok(Verdict::Settled(None));
    }
    Ok(verdict)
}

async fn one(sync: &Arc<Sync>, key: &Key, name: &ClusterName, record: &Record) -> Result<End> {
    let options = &sync.hub.options;
    let members = sync.hub.clusters.members();
    let fleet = sync.fleet.borrow().clone();
    let clusters = fleet::clusters(&fleet, &members, Timestamp::now(), &sync.hub.shares());
    let cluster = clusters.get(name);
    let Some(member) = members
        .get(name.as_str())
        .filter(|_| cluster.is_some_and(|cluster| cluster.ready))
    else {
        return Ok(End::Rest(None));
    };
    if sync.lanes.is_clogged(name) {
        sync.miss_clogged(key, name);
        return Ok(End::Rest(None));
    }
    sync.cache.watch(name, key.kind, member);
    let seen = if key.kind.row().is_namespace() {
        look_inside(&sync.hub, member, key).await
    } else {
        let observed = look(member, key, options.observe_deadline).await;
        Seen {
            observed,
            unmanaged: None,
        }
    };
    match seen.observed {
        Observed::Unknown { .. } => sync.hear_nothing(name),
        Observed::Present(_) | Observed::Absent => sync.hear_from(name),
    }
    let step = match remove_leftover(key.kind.row(), cluster, Some(&seen.observed), record, &options.hub_uid) {
        Removal::Step(step) => step,
        Removal::Gone => return Ok(End::Drop),
        Removal::Away(_) => return Ok(End::Rest(None)),
        Removal::Going => return Ok(End::Going),
        Removal::Unclear(..) => return Ok(End::Retry(Duration::ZERO)),
    };
    let mut confirmed = None;
    if let (Step::Delete { .. }, Some(strangers @ 1..)) = (&step, seen.unmanaged) {
        // The object is gone, so the cluster is where it can be confirmed.
        let token = record.uid.as_deref().map(|uid| hold_of_leftover(key, name, uid));
        let said = fleet
            .get(name)
            .and_then(|registered| registered.confirm_deletes.clone());
        let is_said = said.is_some() && said == token;
        let is_asked = record.status == Reason::Held.as_str();
        if is_said && !is_asked {
            // A namespace that came back and went again has the same token: that was said of the time before.
            take_off(sync, name, said.as_deref()).await?;
        }
        if !is_said || !is_asked {
            return Ok(End::Rest(held(record, name, strangers, &token.unwrap_or_default())));
        }
        confirmed = said;
    }
    let is_back = sync
        .hub
        .store
        .object(&key.stored())
        .await
        .doing("reading a federated object")?;
    if is_back.is_some() {
        return Ok(End::Retry(Duration::ZERO));
    }
    if let Some(token) = &confirmed
        && !is_confirmed(sync, name, token).await?
    {
        return Ok(End::Retry(Duration::ZERO));
    }
    sync.leadership.check()?;
    let done = carry_out(member, key, &step, options.step_deadline).await;
    sync.learn(key, name, &done.outcome);
    if matches!(done.outcome, Outcome::Deleted { .. }) {
        take_off(sync, name, confirmed.as_deref()).await?;
    }
    Ok(match done.outcome {
        Outcome::Deleted { gone: true } | Outcome::Released => End::Drop,
        Outcome::Deleted { gone: false } => End::Going,
        Outcome::Failed(failure) if failure.kind == FailureKind::ApiMissing => End::Rest(None),
        Outcome::Failed(_) | Outcome::Applied(_) => End::Retry(done.retry_after),
    })
}

/// Whether the cluster still says so: what was read of it may be older than what was taken off.
async fn is_confirmed(sync: &Sync, name: &ClusterName, token: &str) -> Result<bool> {
    let stored = sync.hub.store.object(&Store::cluster_key(name.as_str())).await;
    let stored = stored.doing("reading a confirmation")?;
    Ok(stored.is_some_and(|stored| stored.body["metadata"]["annotations"][CONFIRM_DELETES_ANNOTATION] == token))
}

/// Takes a confirmation off the cluster.
async fn take_off(sync: &Sync, name: &ClusterName, token: Option<&str>) -> Result<()> {
    let Some(token) = token else { return Ok(()) };
    let place = Store::cluster_key(name.as_str());
    used_up(&sync.hub, &sync.leadership, &place, token).await
}

/// The token that confirms that a namespace goes with everything in it.
pub(crate) fn hold_of_leftover(key: &Key, cluster: &ClusterName, uid: &str) -> String {
    let delete = PlannedDelete {
        key: key.to_string(),
        cluster: cluster.clone(),
        uid: uid.to_owned(),
        takes_along: 0,
    };
    Hold::of_strangers("", &[delete], "").token
}

/// Strangers would go with the namespace. It stays until they are gone or somebody says that it is meant, and the record
/// says so.
fn held(record: &Record, cluster: &ClusterName, strangers: u64, token: &str) -> Option<Record> {
    let held = Record {
        status: Reason::Held.to_string(),
        message: format!(
            "the namespace was to be deleted here, and holds {strangers} objects that the hub does not manage; it goes when they are gone, or when KubeFedCluster {cluster} is annotated with {CONFIRM_DELETES_ANNOTATION}={token}"
        ),
        ..record.clone()
    };
    (held != *record).then_some(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_leftover_is_written_once() {
        let record = Record {
            leftover: true,
            uid: Some("u".into()),
            ..Record::begun(Timestamp::UNIX_EPOCH)
        };
        let eu = ClusterName::parse("eu-1").unwrap();
        let held_once = held(&record, &eu, 2, "t").unwrap();
        assert!(held_once.leftover && held_once.status == "Held");
        assert_eq!(held(&held_once, &eu, 2, "t"), None);
        assert!(held(&held_once, &eu, 3, "t").is_some());
    }
}
