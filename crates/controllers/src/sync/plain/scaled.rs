//! Workloads that autoscalers scale: each is told in which clusters they do, and is given back to its own replicas when
//! none names it any more.

use atoll_federation::plain::{HPA_TARGETS, Settled};
use atoll_federation::types;
use atoll_store::{Change, Object, ObjectKey};
use serde_json::{Value, json};

use super::super::Sync;
use super::super::context::Context;
use super::super::record;
use super::annotate;
use crate::error::{Doing, Result};
use crate::key::{Key, Kind};

/// Tells the workload in which clusters autoscalers scale it.
pub(in crate::sync) async fn tell_target(sync: &Sync, key: &Key, stored: &Object, context: &Context) -> Result<()> {
    let row = key.kind.row();
    if row.is_plain() && row.replicas_path.is_some() {
        return give_back(sync, key, stored).await;
    }
    if !row.is_plain() || row.target.kind != "HorizontalPodAutoscaler" {
        return Ok(());
    }
    let names = match &context.settled {
        _ if context.object.is_deleting() => None,
        Some(Settled {
            scales_in: Some(names), ..
        }) => Some(names).filter(|names| !names.is_empty()),
        // It cannot be told now: what was said stays.
        Some(Settled { scales_in: None, .. }) | None => return Ok(()),
    };
    let Some(target) = target(key, &stored.body) else {
        return Ok(());
    };
    let found = sync.hub.store.object(&target).await;
    let Some(found) = found.doing("reading what an autoscaler scales")? else {
        return Ok(());
    };
    mark_scaled(sync, &found, names.map(|names| json!({"Names": names}).to_string())).await
}

/// Writes on a workload in which clusters autoscalers scale it.
async fn mark_scaled(sync: &Sync, found: &Object, names: Option<String>) -> Result<()> {
    let mut body = (*found.body).clone();
    annotate(&mut body, HPA_TARGETS, names);
    if body == *found.body {
        return Ok(());
    }
    record::write(sync, record::update(found, body)).await.map(drop)
}

/// The plain workload that an autoscaler is about.
fn target(key: &Key, autoscaler: &Value) -> Option<ObjectKey> {
    let reference = &autoscaler["spec"]["scaleTargetRef"];
    let name = reference["name"].as_str()?;
    let row = types::PLAIN_TYPES
        .iter()
        .find(|row| row.replicas_path.is_some() && reference["kind"] == row.target.kind.as_ref())?;
    Some(ObjectKey::new(
        &row.target.group,
        &row.target.plural,
        &key.namespace,
        name,
    ))
}

/// What else is to be looked at: a workload that has just come may be one that an autoscaler waits for, and one that an
/// autoscaler names no more goes back to its own replicas.
pub(in crate::sync) async fn beside(sync: &Sync, key: &Key, change: &Change) -> Result<Vec<Key>> {
    if let Some(former) = former_target(sync, key, change) {
        return Ok(vec![former]);
    }
    let row = key.kind.row();
    if !row.is_plain() || row.replicas_path.is_none() || change.before.is_some() {
        return Ok(Vec::new());
    }
    let Some(row) = types::find_plain("horizontalpodautoscalers.autoscaling") else {
        return Ok(Vec::new());
    };
    let listing = sync
        .hub
        .store
        .objects(&row.target.group, &row.target.plural, Some(&key.namespace))
        .await;
    let objects = listing.doing("listing autoscalers")?.objects;
    let beside = objects.into_iter().map(|object| Key {
        kind: Kind::of(row),
        namespace: object.key.namespace,
        name: object.key.name,
    });
    Ok(beside.collect())
}

/// The workload that an autoscaler named until this change.
fn former_target(sync: &Sync, key: &Key, change: &Change) -> Option<Key> {
    let row = key.kind.row();
    if !row.is_plain() || row.target.kind != "HorizontalPodAutoscaler" {
        return None;
    }
    let before = target(key, change.before.as_deref()?)?;
    let after = change.after.as_deref().and_then(|after| target(key, after));
    if after.as_ref() == Some(&before) {
        return None;
    }
    Key::of_stored(&sync.hub.configuration().types, &before)
}

/// Gives a workload back to its own replicas when no autoscaler names it any more.
async fn give_back(sync: &Sync, key: &Key, stored: &Object) -> Result<()> {
    if !stored.body["metadata"]["annotations"][HPA_TARGETS].is_string() {
        return Ok(());
    }
    let Some(row) = types::find_plain("horizontalpodautoscalers.autoscaling") else {
        return Ok(());
    };
    let listing = sync
        .hub
        .store
        .objects(&row.target.group, &row.target.plural, Some(&key.namespace))
        .await;
    let autoscalers = listing.doing("listing autoscalers")?.objects;
    let is_named = autoscalers
        .iter()
        .any(|autoscaler| target(key, &autoscaler.body).as_ref() == Some(&stored.key));
    if is_named {
        return Ok(());
    }
    let latest = sync.hub.store.object(&stored.key).await;
    match latest.doing("reading what an autoscaler scaled")? {
        Some(latest) => mark_scaled(sync, &latest, None).await,
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_autoscaler_names_its_workload() {
        let key = Key {
            kind: Kind::of(types::find_plain("horizontalpodautoscalers.autoscaling").unwrap()),
            namespace: "shop".into(),
            name: "scaler".into(),
        };
        let of = |kind: &str| {
            target(
                &key,
                &json!({"spec": {"scaleTargetRef": {"kind": kind, "name": "web"}}}),
            )
        };
        assert_eq!(
            of("Deployment"),
            Some(ObjectKey::new("apps", "deployments", "shop", "web"))
        );
        assert_eq!(of("StatefulSet"), None);
    }
}
