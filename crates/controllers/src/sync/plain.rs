//! Plain objects in the manner of Federation v1, on the controllers' side: which of them are federated, what is written
//! into them, and what an autoscaler says to the workload that it scales.
//!
//! Most objects of these kinds only rest on the hub, and cost nothing but a look at a change: nothing of them is recorded
//! or watched.

mod declared;
mod scaled;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use atoll_federation::object::FINALIZER;
use atoll_federation::plain::{self, DELETE_FINALIZER, HPA_TARGETS, ORPHAN_FINALIZER, PlainObject, SERVICE_INGRESSES};
use atoll_federation::{ClusterName, FederatedObject, FederatedStatus, Observed, TypeDescriptor, types};
use atoll_store::{Change, Object, ObjectKey, Store};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) use self::declared::Declared;
pub(super) use self::scaled::{beside, tell_target};
use super::context::Context;
use crate::error::{Doing, Error, Result};
use crate::hub::Hub;
use crate::key::Key;

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

/// The hub's Namespaces, to tell of many objects how they are federated.
#[derive(Default)]
pub(crate) struct Namespaces(HashMap<String, Arc<Value>>);

impl Namespaces {
    pub(crate) async fn list(store: &Store) -> Result<Self> {
        let listing = store.objects("", "namespaces", None).await;
        let objects = listing.doing("listing namespaces")?.objects;
        let by_name = objects.into_iter().map(|object| (object.key.name, object.body));
        Ok(Self(by_name.collect()))
    }

    /// Those that make federated what lies in them.
    pub(super) fn federating(&self) -> impl Iterator<Item = &str> {
        let federating = self.0.iter().filter(|(name, body)| federates(name, body));
        federating.map(|(name, _)| name.as_str())
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

/// The hub's Namespaces that some changes lie in, each read once.
pub(super) struct Homes<'a> {
    store: &'a Store,
    known: HashMap<String, Option<Arc<Value>>>,
}

impl<'a> Homes<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self {
            store,
            known: HashMap::new(),
        }
    }

    async fn find(&mut self, name: &str) -> Result<Option<Arc<Value>>> {
        if name.is_empty() {
            return Ok(None);
        }
        if let Some(known) = self.known.get(name) {
            return Ok(known.clone());
        }
        let key = ObjectKey::new("", "namespaces", "", name);
        let stored = self.store.object(&key).await.doing("reading a namespace")?;
        let body = stored.map(|stored| stored.body);
        self.known.insert(name.to_owned(), body.clone());
        Ok(body)
    }

    /// Whether a Namespace makes federated what lies in it.
    pub(super) async fn federate(&mut self, name: &str) -> Result<bool> {
        let namespace = self.find(name).await?;
        Ok(namespace.is_some_and(|namespace| federates(name, &namespace)))
    }
}

/// Whether a Namespace makes federated what lies in it.
fn federates(name: &str, namespace: &Value) -> bool {
    let row = types::PLAIN_TYPES.iter().find(|row| row.target.namespaced);
    let inside = json!({"metadata": {"namespace": name}});
    row.is_some_and(|row| plain::is_federated(row, &inside, Some(namespace)))
}

/// Whether a change of a plain object is worth a look.
pub(super) async fn is_worth_a_look(homes: &mut Homes<'_>, key: &Key, change: &Change) -> Result<bool> {
    let row = key.kind.row();
    if !row.is_plain() {
        return Ok(true);
    }
    let bodies = || change.before.iter().chain(&change.after);
    if bodies().any(|body| plain::is_held(body) || plain::is_federated(row, body, None)) {
        return Ok(true);
    }
    Ok(change.after.is_some() && row.target.namespaced && homes.federate(&key.namespace).await?)
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

/// Whether this is a Service that load balancers of members stand before.
pub(super) fn is_balanced(context: &Context) -> bool {
    let is_service = context.row.is_plain() && context.row.is_core("Service");
    let spec = context.object.template.get("spec");
    is_service && spec.is_some_and(|spec| spec["type"] == "LoadBalancer")
}

/// Writes what came out of a run into the object; whether that changes anything. `ready` says of clusters whether
/// anything behind a Service is ready there, `at` is the time of the plan.
pub(super) fn tell(
    row: &TypeDescriptor,
    body: &mut Value,
    folded: FederatedStatus,
    observed: &BTreeMap<ClusterName, Observed>,
    ready: &BTreeMap<ClusterName, bool>,
    at: Timestamp,
) -> bool {
    let before = body.clone();
    let status = plain::status(row, &before, folded, observed, at);
    annotate(
        body,
        SERVICE_INGRESSES,
        plain::service_ingresses(row, &before, &status, ready),
    );
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
}
