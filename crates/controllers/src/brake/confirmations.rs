//! Where a hold is confirmed: annotations on objects, on their namespaces and on clusters.
//!
//! A token is a hash of what would go, so the same set of deletes has the same one again. A confirmation is therefore good
//! for once: on a cluster or a namespace it is taken off in the transaction that keeps what it confirms, on the object
//! itself when nothing is displaced any more.

use atoll_federation::object::CONFIRM_DELETES_ANNOTATION;
use atoll_store::{Object, ObjectKey, Store, Transaction, Write};

use super::Displaced;
use crate::error::{Doing, Result};
use crate::fleet::Fleet;
use crate::hub::Hub;
use crate::key::{Key, Kind};
use crate::leader::Leadership;
use crate::sync::context::Context;

/// A token, and an object that is annotated with it, as far as was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confirmation {
    pub(crate) place: ObjectKey,
    pub(crate) token: String,
}

/// All that can be meant for an object: its own, its namespace's, and those of the clusters that it leaves.
pub(crate) fn confirmations(
    hub: &Hub,
    fleet: &Fleet,
    key: &Key,
    context: &Context,
    displaced: &Displaced,
) -> Vec<Confirmation> {
    let own = context.object.confirm_deletes.clone();
    let own = own.map(|token| Confirmation {
        place: key.stored(),
        token,
    });
    let of_namespace = context.namespace.as_ref();
    let of_namespace = of_namespace.and_then(|namespace| namespace.confirm_deletes.clone());
    let of_namespace = of_namespace.into_iter().flat_map(|token| {
        places_of_namespace(hub, &key.namespace).map(move |place| Confirmation {
            place,
            token: token.clone(),
        })
    });
    let leaves = |one: &Confirmation| displaced.iter().any(|(cluster, _)| cluster.as_str() == one.place.name);
    let of_clusters = of_clusters(fleet).filter(leaves);
    own.into_iter().chain(of_namespace).chain(of_clusters).collect()
}

/// A FederatedNamespace, and a Namespace that is federated itself.
fn places_of_namespace(hub: &Hub, namespace: &str) -> impl Iterator<Item = ObjectKey> + use<> {
    let types = &hub.configuration().types;
    let federated = types.namespaces().map(|served| Kind::of(served.row));
    let federated = federated.map(|kind| Key::of_target(kind, "", namespace).stored());
    let plain = ObjectKey::new("", "namespaces", "", namespace);
    federated.into_iter().chain([plain])
}

/// Those of all clusters.
pub(super) fn of_clusters(fleet: &Fleet) -> impl Iterator<Item = Confirmation> + '_ {
    fleet.iter().filter_map(|(name, registered)| {
        Some(Confirmation {
            place: Store::cluster_key(name.as_str()),
            token: registered.confirm_deletes.clone()?,
        })
    })
}

/// What takes these off, where they still are.
pub(super) async fn take_off(store: &Store, used: Vec<Confirmation>) -> Result<Vec<Write>> {
    let mut writes: Vec<Write> = Vec::new();
    for Confirmation { place, token } in used {
        let is_known = |write: &Write| matches!(write, Write::Update { key, .. } if *key == place);
        if writes.iter().any(is_known) {
            continue;
        }
        let stored = store.object(&place).await.doing("reading a confirmation")?;
        writes.extend(stored.and_then(|stored| without(&stored, &token)));
    }
    Ok(writes)
}

/// Takes one off that nothing waits for any more. Whoever looks at the object then reads it anew.
pub(crate) async fn used_up(hub: &Hub, leadership: &Leadership, place: &ObjectKey, token: &str) -> Result<()> {
    let used = Confirmation {
        place: place.clone(),
        token: token.to_owned(),
    };
    let writes = take_off(&hub.store, vec![used]).await?;
    if writes.is_empty() {
        return Ok(());
    }
    leadership.check()?;
    let transaction = Transaction {
        writes,
        lease: Some(leadership.lease().clone()),
    };
    let written = hub.store.write(transaction).await;
    written.map(drop).doing("taking a confirmation off")
}

fn without(stored: &Object, token: &str) -> Option<Write> {
    let mut body = (*stored.body).clone();
    let metadata = body["metadata"].as_object_mut()?;
    let annotations = metadata.get_mut("annotations")?.as_object_mut()?;
    if annotations.get(CONFIRM_DELETES_ANNOTATION)? != token {
        return None;
    }
    annotations.remove(CONFIRM_DELETES_ANNOTATION);
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
    Some(Write::Update {
        key: stored.key.clone(),
        body: body.into(),
        expected: stored.revision,
    })
}

#[cfg(test)]
mod tests {
    use atoll_store::Revision;
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    fn left(annotations: Value) -> Option<Value> {
        let stored = Object {
            key: Store::cluster_key("eu-1"),
            uid: "u".into(),
            generation: 1,
            revision: Revision(7),
            created_at: Timestamp::UNIX_EPOCH,
            deletion_at: None,
            body: json!({"metadata": {"name": "eu-1", "annotations": annotations}}).into(),
        };
        match without(&stored, "token")? {
            Write::Update { body, expected, .. } => {
                assert_eq!(expected, Revision(7));
                Some((*body)["metadata"].clone())
            }
            _ => None,
        }
    }

    #[test]
    fn only_the_token_that_was_used_is_taken_off() {
        let of_another = json!({CONFIRM_DELETES_ANNOTATION: "another", "a": "b"});
        assert_eq!(left(of_another), None);
        assert_eq!(left(Value::Null), None);
        let beside = json!({CONFIRM_DELETES_ANNOTATION: "token", "a": "b"});
        assert_eq!(left(beside), Some(json!({"name": "eu-1", "annotations": {"a": "b"}})));
        let alone = json!({CONFIRM_DELETES_ANNOTATION: "token"});
        assert_eq!(left(alone), Some(json!({"name": "eu-1"})));
    }
}
