//! Plain objects in the manner of Federation v1, on the controllers' side: which of them are federated, what is written
//! into them, and what an autoscaler says to the workload that it scales.
//!
//! Most objects of these kinds only rest on the hub, and cost nothing but a look at a change: nothing of them is recorded
//! or watched.

use std::collections::HashMap;
use std::sync::Arc;

use atoll_federation::object::FINALIZER;
use atoll_federation::plain::{
    self, DELETE_FINALIZER, HPA_TARGETS, ORPHAN_FINALIZER, PlainObject, SERVICE_INGRESSES, Settled,
};
use atoll_federation::{ClusterName, FederatedObject, FederatedStatus, Observed, TypeDescriptor, types};
use atoll_store::{Change, Object, ObjectKey, Store, Transaction, Write};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Sync;
use super::context::Context;
use crate::error::{Doing, Error, Result};
use crate::hub::Hub;
use crate::key::{Key, Kind};

/// What a stored object is to the controllers.
pub(crate) enum Read {
    /// A federated kind.
    Federated(Box<FederatedObject>),
    /// A plain one that is federated, or was.
    Plain(Box<PlainObject>),
    /// A plain one that rests on the hub.
    Resting,
}

/// Reads an object as it is stored.
pub(crate) async fn read(hub: &Hub, key: &Key, body: &Value) -> Result<Read> {
    let row = key.kind.row();
    if !row.is_plain() {
        let object = FederatedObject::parse(row, body).map_err(Error::Object)?;
        return Ok(Read::Federated(Box::new(object)));
    }
    let namespace = namespace_of(&hub.store, key).await?;
    let read = plain::read(row, body, namespace.as_ref().map(|found| &*found.body)).map_err(Error::Object)?;
    let read = match read {
        // Whoever took the finalizer off took it from the hub; what members have is still marked as the hub's.
        None if !super::context::records(&hub.store, key).await?.is_empty() => {
            Some(plain::read_released(row, body).map_err(Error::Object)?)
        }
        read => read,
    };
    Ok(read.map_or(Read::Resting, |mut object| {
        if object.released {
            object.let_go(Timestamp::now());
        }
        Read::Plain(Box::new(object))
    }))
}

/// The hub's Namespace that an object lies in.
async fn namespace_of(store: &Store, key: &Key) -> Result<Option<Object>> {
    if key.namespace.is_empty() {
        return Ok(None);
    }
    let stored = store
        .object(&ObjectKey::new("", "namespaces", "", &key.namespace))
        .await;
    stored.doing("reading a namespace")
}

/// The scope that the hub's own Namespace is for what lies in it, if it is federated.
pub(crate) async fn scope(hub: &Hub, key: &Key) -> Result<Option<FederatedObject>> {
    let stored = namespace_of(&hub.store, key).await?;
    Ok(stored.and_then(|stored| scope_of(&stored.body)))
}

/// The same of a Namespace that was read. One that is let go federates nothing, and what is there stays.
pub(crate) fn scope_of(namespace: &Value) -> Option<FederatedObject> {
    let row = types::find_plain("namespaces")?;
    let read = plain::read(row, namespace, None).ok().flatten()?;
    (!read.released).then_some(read.object)
}

/// The hub's Namespaces, to tell of many objects which are federated.
#[derive(Default)]
pub(crate) struct Namespaces(HashMap<String, Arc<Value>>);

impl Namespaces {
    pub(crate) async fn list(store: &Store) -> Result<Self> {
        let listing = store.objects("", "namespaces", None).await;
        let objects = listing.doing("listing namespaces")?.objects;
        let by_name = objects.into_iter().map(|object| (object.key.name, object.body));
        Ok(Self(by_name.collect()))
    }

    /// Whether the controllers have anything to do with an object. Federated kinds always are their business.
    pub(crate) fn concern(&self, key: &Key, body: &Value) -> bool {
        let row = key.kind.row();
        let namespace = self.0.get(&key.namespace).map(|body| &**body);
        !row.is_plain() || plain::is_held(body) || plain::is_federated(row, body, namespace)
    }

    /// The object as the planner places it, unless it rests on the hub or is let go.
    pub(crate) fn intent(&self, key: &Key, body: &Value) -> Option<FederatedObject> {
        let row = key.kind.row();
        if !row.is_plain() {
            return FederatedObject::parse(row, body).ok();
        }
        let namespace = self.0.get(&key.namespace).map(|body| &**body);
        let read = plain::read(row, body, namespace).ok().flatten()?;
        (!read.released).then_some(read.object)
    }
}

/// Whether a change of a plain object is worth a look.
pub(super) async fn is_worth_a_look(sync: &Sync, key: &Key, change: &Change) -> Result<bool> {
    let row = key.kind.row();
    if !row.is_plain() {
        return Ok(true);
    }
    let bodies = || change.before.iter().chain(&change.after);
    if bodies().any(|body| plain::is_held(body) || plain::is_federated(row, body, None)) {
        return Ok(true);
    }
    let Some(after) = &change.after else {
        return Ok(false);
    };
    let namespace = namespace_of(&sync.hub.store, key).await?;
    Ok(namespace.is_some_and(|namespace| plain::is_federated(row, after, Some(&namespace.body))))
}

/// Puts the finalizer on that the kind has.
pub(super) fn hold(row: &TypeDescriptor, finalizers: &mut Vec<Value>) {
    let names: &[&str] = if row.is_plain() {
        &[DELETE_FINALIZER, ORPHAN_FINALIZER]
    } else {
        &[FINALIZER]
    };
    for name in names {
        if !finalizers.iter().any(|one| one == name) {
            finalizers.push((*name).into());
        }
    }
}

/// Whether this is a finalizer that the hub takes off when it is done.
pub(super) fn is_ours(row: &TypeDescriptor, finalizer: &Value) -> bool {
    if row.is_plain() {
        finalizer == DELETE_FINALIZER || finalizer == ORPHAN_FINALIZER
    } else {
        finalizer == FINALIZER
    }
}

/// Writes what came out of a run into the object; whether that changes anything.
pub(super) fn tell(
    row: &TypeDescriptor,
    body: &mut Value,
    folded: FederatedStatus,
    observed: &std::collections::BTreeMap<ClusterName, Observed>,
) -> bool {
    let before = body.clone();
    let status = plain::status(row, &before["status"], folded, observed);
    annotate(body, SERVICE_INGRESSES, plain::service_ingresses(row, &status));
    body["status"] = status;
    *body != before
}

/// Takes out what only a federated object says of itself.
pub(super) fn forget(body: &mut Value) {
    for name in [SERVICE_INGRESSES, HPA_TARGETS] {
        annotate(body, name, None);
    }
    let Some(status) = body.get_mut("status").and_then(Value::as_object_mut) else {
        return;
    };
    status.remove("clusters");
    if let Some(conditions) = status.get_mut("conditions").and_then(Value::as_array_mut) {
        conditions.retain(|condition| condition["type"] != atoll_federation::status::PROPAGATION);
        if conditions.is_empty() {
            status.remove("conditions");
        }
    }
    if status.is_empty()
        && let Some(map) = body.as_object_mut()
    {
        map.remove("status");
    }
}

fn annotate(body: &mut Value, name: &str, text: Option<String>) {
    match text {
        Some(text) => body["metadata"]["annotations"][name] = text.into(),
        None => {
            if let Some(annotations) = body.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
                annotations.remove(name);
            }
        }
    }
}

/// Whether the Namespace is still being emptied: its copies go when nothing is left in it on the hub.
pub(super) fn is_being_emptied(key: &Key, stored: &Object) -> bool {
    let row = key.kind.row();
    row.is_plain() && row.is_namespace() && stored.deletion_at.is_some() && has_contents(&stored.body)
}

fn has_contents(namespace: &Value) -> bool {
    let finalizers = namespace["spec"]["finalizers"].as_array();
    finalizers.is_some_and(|finalizers| !finalizers.is_empty())
}

/// Whether nothing at all holds an object whose finalizers were taken off.
pub(super) fn is_free(body: &Value) -> bool {
    let held = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
    !held(&body["metadata"]["finalizers"]) && !held(&body["spec"]["finalizers"])
}

/// Tells the workload in which clusters autoscalers scale it.
pub(super) async fn tell_target(sync: &Sync, key: &Key, stored: &Object, context: &Context) -> Result<()> {
    let row = key.kind.row();
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
    let mut body = (*found.body).clone();
    annotate(
        &mut body,
        HPA_TARGETS,
        names.map(|names| json!({"Names": names}).to_string()),
    );
    if body == *found.body {
        return Ok(());
    }
    sync.leadership.check()?;
    let update = Write::Update {
        key: found.key.clone(),
        body: body.into(),
        expected: found.revision,
    };
    let transaction = Transaction {
        writes: vec![update],
        lease: Some(sync.leadership.lease().clone()),
    };
    let written = sync.hub.store.write(transaction).await;
    written.map(drop).doing("telling a workload where autoscalers scale it")
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

/// A workload that has just come may be one that an autoscaler waits for.
pub(super) async fn autoscalers_beside(sync: &Sync, key: &Key, change: &Change) -> Result<Vec<Key>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> &'static TypeDescriptor {
        types::find_plain(name).unwrap()
    }

    #[test]
    fn a_plain_object_is_held_in_the_words_of_v1() {
        let mut finalizers = vec![json!("example.com/mine"), json!(DELETE_FINALIZER)];
        hold(row("configmaps"), &mut finalizers);
        assert_eq!(finalizers, ["example.com/mine", DELETE_FINALIZER, ORPHAN_FINALIZER]);
        finalizers.retain(|one| !is_ours(row("configmaps"), one));
        assert_eq!(finalizers, ["example.com/mine"]);
    }

    #[test]
    fn what_is_let_go_says_nothing_of_clusters_any_more() {
        let mut body = json!({
            "metadata": {"annotations": {"team": "a", SERVICE_INGRESSES: "{}"}},
            "status": {"loadBalancer": {}, "clusters": [], "conditions": [{"type": "Propagation"}, {"type": "Ready"}]},
        });
        forget(&mut body);
        let expected = json!({
            "metadata": {"annotations": {"team": "a"}},
            "status": {"loadBalancer": {}, "conditions": [{"type": "Ready"}]},
        });
        assert_eq!(body, expected);
        let mut config = json!({"metadata": {}, "status": {"clusters": [], "conditions": [{"type": "Propagation"}]}});
        forget(&mut config);
        assert_eq!(config, json!({"metadata": {}}));
    }

    #[test]
    fn an_autoscaler_names_its_workload() {
        let key = Key {
            kind: Kind::of(row("horizontalpodautoscalers.autoscaling")),
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
