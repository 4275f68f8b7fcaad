//! Replica preferences: what a `ReplicaSchedulingPreference` says is an input of the plan for the object of its name.
//!
//! Nothing is written back into that object, so taking the preference away gives it its template's replicas back.

use std::collections::BTreeSet;

use atoll_federation::configuration::{
    PreferenceObject, SCHEDULING_GROUP, preference_status, preference_without_target,
};
use atoll_federation::replicas::Preference;
use atoll_federation::{Plan, TypeTable, join};
use atoll_store::{Change, Object, ObjectKey, Store, Transaction, Write};
use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Doing, Result};
use crate::hub::Hub;
use crate::key::{Key, Kind};
use crate::leader::Leadership;
use crate::sync::context::Context;

/// Plural of the preference objects.
const RESOURCE: &str = "replicaschedulingpreferences";

/// A preference object, for the federated object that it is about.
#[derive(Debug, Clone)]
pub(crate) struct Stated {
    stored: Object,
    /// What it says, or why that cannot be meant.
    pub(crate) preference: Result<PreferenceObject, String>,
}

/// Whether this is the place of a preference object.
pub(crate) fn is_preference(key: &ObjectKey) -> bool {
    key.group == SCHEDULING_GROUP && key.resource == RESOURCE
}

/// Where the preference for an object would be.
fn place(key: &Key) -> ObjectKey {
    ObjectKey::new(SCHEDULING_GROUP, RESOURCE, &key.namespace, &key.name)
}

/// Whether objects of this kind can have one.
pub(crate) fn may_have(kind: Kind) -> bool {
    let row = kind.row();
    row.replicas_path.is_some() && !row.is_plain()
}

/// The preference for an object. One that is on its way out counts no more, whoever holds it.
pub(crate) async fn find(store: &Store, key: &Key) -> Result<Option<Stated>> {
    if !may_have(key.kind) {
        return Ok(None);
    }
    let stored = store.object(&place(key)).await.doing("reading a replica preference")?;
    let meant = |stored: &Object| names(&stored.body, key.kind) && stored.deletion_at.is_none();
    Ok(stored.filter(meant).map(|stored| Stated {
        preference: read(&stored.body),
        stored,
    }))
}

/// The object that a preference is about, which need not be stored, and what it says.
pub(crate) fn assumed(types: &TypeTable, body: &Value) -> Option<(Key, Stated)> {
    let text = |field: &str| body["metadata"][field].as_str().unwrap_or_default();
    let place = ObjectKey::new(SCHEDULING_GROUP, RESOURCE, text("namespace"), text("name"));
    let key = target(types, &place, body)?;
    let stored = Object {
        key: place,
        uid: text("uid").to_owned(),
        generation: 0,
        revision: atoll_store::Revision(0),
        created_at: Timestamp::UNIX_EPOCH,
        deletion_at: None,
        body: body.clone().into(),
    };
    let preference = read(body);
    Some((key, Stated { stored, preference }))
}

fn read(body: &Value) -> Result<PreferenceObject, String> {
    PreferenceObject::read(body).ok_or_else(|| match Preference::parse(&body["spec"], "spec") {
        Err(errors) => join(&errors),
        Ok(_) => "it has no name or no namespace".to_owned(),
    })
}

/// Says in the status of the preference what the plan made of it.
pub(crate) async fn tell(hub: &Hub, leadership: &Leadership, context: &Context, plan: &Plan) -> Result<()> {
    let Some(Stated {
        stored,
        preference: Ok(preference),
    }) = &context.stated
    else {
        return Ok(());
    };
    let before = stored.body.get("status");
    let status = preference_status(preference, &context.clusters, plan, before);
    write(hub, leadership, stored, status).await
}

/// Says in the status of a preference that there is no object of its name.
pub(crate) async fn tell_without_target(hub: &Hub, leadership: &Leadership, key: &Key) -> Result<()> {
    let Some(Stated {
        stored,
        preference: Ok(preference),
    }) = find(&hub.store, key).await?
    else {
        return Ok(());
    };
    let status = preference_without_target(&preference, Timestamp::now(), stored.body.get("status"));
    write(hub, leadership, &stored, status).await
}

async fn write(hub: &Hub, leadership: &Leadership, stored: &Object, status: Value) -> Result<()> {
    if stored.body["status"] == status {
        return Ok(());
    }
    leadership.check()?;
    let mut body = (*stored.body).clone();
    body["status"] = status;
    let update = Write::Update {
        key: stored.key.clone(),
        body: body.into(),
        expected: stored.revision,
    };
    let transaction = Transaction {
        writes: vec![update],
        lease: Some(leadership.lease().clone()),
    };
    let written = hub.store.write(transaction).await;
    written.map(drop).doing("writing the status of a replica preference")
}

/// Every object that a preference is about.
pub(crate) async fn targets(store: &Store, types: &TypeTable) -> Result<BTreeSet<Key>> {
    let listing = store.objects(SCHEDULING_GROUP, RESOURCE, None).await;
    let objects = listing.doing("listing replica preferences")?.objects;
    let meant = objects.iter().filter(|object| object.deletion_at.is_none());
    Ok(meant
        .filter_map(|object| target(types, &object.key, &object.body))
        .collect())
}

/// The objects that a change of a preference object concerns: what it was about, and what it is about now.
pub(crate) fn concerned(types: &TypeTable, change: &Change) -> BTreeSet<Key> {
    let bodies = [change.before.as_deref(), change.after.as_deref()];
    bodies
        .into_iter()
        .flatten()
        .filter_map(|body| target(types, &change.key, body))
        .collect()
}

fn target(types: &TypeTable, place: &ObjectKey, body: &Value) -> Option<Key> {
    let mut kinds = types.federated().map(|served| Kind::of(served.row));
    Some(Key {
        kind: kinds.find(|kind| names(body, *kind))?,
        namespace: place.namespace.clone(),
        name: place.name.clone(),
    })
}

/// Whether a preference object names this kind as its target.
fn names(body: &Value, kind: Kind) -> bool {
    body["spec"]["targetKind"] == *kind.row().federated.kind
}

#[cfg(test)]
mod tests {
    use atoll_federation::types;
    use atoll_store::{ChangeKind, Revision};
    use serde_json::json;

    use super::*;

    fn change(before: Option<&str>, after: Option<&str>) -> Change {
        let body = |kind: &str| json!({"spec": {"targetKind": kind, "totalReplicas": 3}}).into();
        Change {
            revision: Revision(1),
            kind: ChangeKind::Updated,
            key: ObjectKey::new(SCHEDULING_GROUP, RESOURCE, "shop", "web"),
            before: before.map(body),
            after: after.map(body),
        }
    }

    #[test]
    fn a_preference_that_changes_its_target_concerns_both() {
        let types = TypeTable::built_in();
        let kinds = |change: &Change| -> BTreeSet<String> {
            let keys = concerned(&types, change).into_iter();
            keys.map(|key| key.to_string()).collect()
        };
        let (one, other) = ("FederatedDeployment", "FederatedReplicaSet");
        assert_eq!(
            kinds(&change(Some(one), Some(other))),
            BTreeSet::from([format!("{one} shop/web"), format!("{other} shop/web")])
        );
        assert_eq!(
            kinds(&change(Some(one), None)),
            BTreeSet::from([format!("{one} shop/web")])
        );
        assert!(kinds(&change(None, Some("FederatedMars"))).is_empty());
    }

    #[test]
    fn what_cannot_be_meant_says_why() {
        let object = |spec: Value| json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": spec});
        let good = object(json!({"targetKind": "FederatedDeployment", "totalReplicas": 3}));
        assert_eq!(read(&good).unwrap().preference.total_replicas, 3);
        let bad = object(json!({"targetKind": "FederatedDeployment", "totalReplicas": -1}));
        assert!(read(&bad).unwrap_err().contains("totalReplicas"));
    }

    #[test]
    fn only_what_has_replicas_has_a_preference() {
        let may_have = |name: &str| may_have(Kind::of(types::find(name).unwrap()));
        assert!(may_have("deployments.apps") && may_have("statefulsets.apps"));
        assert!(!may_have("configmaps") && !may_have("namespaces"));
    }
}
