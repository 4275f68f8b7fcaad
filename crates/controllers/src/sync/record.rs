//! What a run leaves behind: records, the status, the finalizer. In this order, so that an object that is let go leaves
//! nothing unrecorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoll_federation::{ClusterName, FinalizerAction, Observed, Outcome, TypeDescriptor, fold, settle};
use atoll_store::{Object, Transaction, Write};
use serde_json::Value;

use super::Sync;
use super::context::{Context, row};
use super::plain;
use super::rounds::Finished;
use crate::error::{Doing, Result};
use crate::key::Key;
use crate::preferences;

/// Puts the hub's finalizer on, before anything is written to any member.
pub(super) async fn add_finalizer(sync: &Sync, key: &Key, stored: &Object) -> Result<Object> {
    let mut body = (*stored.body).clone();
    let finalizers = &mut body["metadata"]["finalizers"];
    let mut list = finalizers.as_array().cloned().unwrap_or_default();
    plain::hold(key.kind.row(), &mut list);
    *finalizers = list.into();
    let objects = write(sync, update(stored, body)).await?;
    Ok(objects.into_iter().next().unwrap_or_else(|| stored.clone()))
}

/// Records the end of a run. Returns whether the object is gone.
pub(super) async fn record(
    sync: &Sync,
    key: &Key,
    stored: &Object,
    context: &Context,
    finished: &Finished,
) -> Result<bool> {
    let Finished {
        plan, outcomes, busy, ..
    } = finished;
    let before = context.object.status.as_ref();
    let status = fold(plan, outcomes, before);
    let mut changes = settle(plan, outcomes, &status, &context.records);
    // What is under way there records itself.
    changes.put.retain(|name, _| !busy.contains(name));
    changes.drop.retain(|name| !busy.contains(name));
    let put: Vec<_> = changes
        .put
        .into_iter()
        .map(|(name, record)| row(key, &name, record))
        .collect();
    let dropped: Vec<_> = changes
        .drop
        .iter()
        .map(|name| (key.record(), name.to_string()))
        .collect();
    let lease = Some(sync.leadership.lease());
    let recording = async {
        let recorded = sync.hub.store.record_propagations(lease, &put, &dropped).await;
        recorded.doing("recording propagation")
    };

    let mut body: Option<Value> = None;
    if context.row.is_plain() {
        if !plan.ignored {
            let mut changed = (*stored.body).clone();
            let observed = observed(finished);
            let ready = ready_endpoints(sync, key, context, &observed);
            if plain::tell(context.row, &mut changed, status, &observed, &ready, plan.at) {
                disown_status(&mut changed);
                body = Some(changed);
            }
        }
    } else if !plan.ignored && before != Some(&status) {
        let changed = body.get_or_insert_with(|| (*stored.body).clone());
        changed["status"] = serde_json::to_value(&status).unwrap_or_default();
        disown_status(changed);
    }
    let lets_go = plan.finalizer == Some(FinalizerAction::Remove) && busy.is_empty();
    if !lets_go {
        let telling = async {
            match body {
                Some(body) => write(sync, update(stored, body)).await.map(drop),
                None => Ok(()),
            }
        };
        // Asked for in this order, they mostly share a commit; should one fail, the next run finds what is missing.
        let (recorded, told) = tokio::join!(recording, telling);
        recorded?;
        preferences::tell(&sync.hub, &sync.leadership, context, plan).await?;
        told?;
        return Ok(false);
    }
    recording.await?;
    preferences::tell(&sync.hub, &sync.leadership, context, plan).await?;
    let mut body = body.unwrap_or_else(|| (*stored.body).clone());
    let is_released = context.plain.as_ref().is_some_and(|plain| plain.released);
    if is_released {
        plain::forget(&mut body);
    }
    if take_finalizer(context.row, &mut body) && stored.deletion_at.is_some() && plain::is_free(&body) {
        let delete = Write::Delete {
            key: stored.key.clone(),
            expected: Some(stored.revision),
        };
        write(sync, delete).await?;
        return Ok(true);
    }
    if body != *stored.body {
        write(sync, update(stored, body)).await?;
    }
    Ok(false)
}

/// What members hold after the steps.
fn observed(finished: &Finished) -> BTreeMap<ClusterName, Observed> {
    let mut observed = finished.seen.clone();
    for (name, outcome) in &finished.outcomes {
        match outcome {
            Outcome::Applied(present) => {
                observed.insert(name.clone(), Observed::Present(present.clone()));
            }
            Outcome::Deleted { gone: true } | Outcome::Released => {
                observed.insert(name.clone(), Observed::Absent);
            }
            Outcome::Deleted { gone: false } | Outcome::Failed(_) => {}
        }
    }
    observed
}

/// Where it is known whether a balanced Service leads to anything.
fn ready_endpoints(
    sync: &Sync,
    key: &Key,
    context: &Context,
    observed: &BTreeMap<ClusterName, Observed>,
) -> BTreeMap<ClusterName, bool> {
    if !plain::is_balanced(context) {
        return BTreeMap::new();
    }
    let there = observed.iter().filter(|(_, seen)| matches!(seen, Observed::Present(_)));
    there
        .filter_map(|(name, _)| Some((name.clone(), sync.cache.endpoints.are_ready(name, key)?)))
        .collect()
}

/// Notes that nobody else holds the status any more, so that whoever writes it again is noticed again.
fn disown_status(body: &mut Value) {
    if let Some(entries) = body["metadata"]["managedFields"].as_array_mut() {
        entries.retain(|entry| entry["subresource"] != "status");
    }
}

/// Takes the hub's finalizer off; whether none is left.
fn take_finalizer(row: &TypeDescriptor, body: &mut Value) -> bool {
    let Some(metadata) = body["metadata"].as_object_mut() else {
        return true;
    };
    let Some(list) = metadata.get_mut("finalizers").and_then(Value::as_array_mut) else {
        return true;
    };
    list.retain(|finalizer| !plain::is_ours(row, finalizer));
    let none_left = list.is_empty();
    if none_left {
        metadata.remove("finalizers");
    }
    none_left
}

pub(super) fn update(stored: &Object, body: Value) -> Write {
    Write::Update {
        key: stored.key.clone(),
        body: Arc::new(body),
        expected: stored.revision,
    }
}

pub(super) async fn write(sync: &Sync, write: Write) -> Result<Vec<Object>> {
    sync.leadership.check()?;
    let transaction = Transaction {
        writes: vec![write],
        lease: Some(sync.leadership.lease().clone()),
    };
    let written = sync
        .hub
        .store
        .write(transaction)
        .await
        .doing("writing a federated object")?;
    Ok(written.objects)
}

#[cfg(test)]
mod tests {
    use atoll_federation::object::FINALIZER;
    use atoll_federation::types;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_our_finalizer_is_taken_off() {
        let row = types::find("configmaps").unwrap();
        let mut body = json!({"metadata": {"finalizers": ["example.com/other", FINALIZER]}});
        assert!(!take_finalizer(row, &mut body));
        assert_eq!(body["metadata"]["finalizers"], json!(["example.com/other"]));
        let mut body = json!({"metadata": {"finalizers": [FINALIZER]}});
        assert!(take_finalizer(row, &mut body));
        assert_eq!(body, json!({"metadata": {}}));
        assert!(take_finalizer(row, &mut json!({"metadata": {}})));
    }
}
