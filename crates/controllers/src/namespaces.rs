//! Hub namespaces that are on their way out.
//!
//! As in Kubernetes a namespace ends when nothing is in it any more. Its contents go first and its FederatedNamespace
//! last, because that one says where the contents may be: without it they would be kept, not deleted. Each deletion is
//! an ordinary one, brake and all.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoll_federation::TypeTable;
use atoll_federation::plain::{self, ORPHAN_FINALIZER};
use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_store::{Object, ObjectKey, Transaction, Write};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::{Doing, Result, chain};
use crate::hub::Hub;
use crate::leader::Leadership;
use crate::preferences;
use crate::queue::{Queue, Verdict};

const NAMESPACES: usize = 10_000;
/// Changes are events; this is for what nobody told.
const RECHECK: Duration = Duration::from_secs(60);
/// The finalizer in `spec.finalizers` that stands for the contents.
const CONTENTS: &str = "kubernetes";

/// Namespaces that wait to be emptied.
pub(crate) struct Namespaces {
    queue: Queue<String>,
    terminating: Mutex<HashSet<String>>,
}

impl Namespaces {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            queue: Queue::new(NAMESPACES),
            terminating: Mutex::default(),
        })
    }

    fn known(&self) -> MutexGuard<'_, HashSet<String>> {
        self.terminating.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This namespace is to be emptied.
    pub(crate) fn terminating(&self, name: &str) {
        self.known().insert(name.to_owned());
        self.queue.add(name.to_owned());
    }

    /// Something in this namespace has changed; that matters only if it is being emptied.
    pub(crate) fn changed_in(&self, namespace: &str) {
        if self.known().contains(namespace) {
            self.queue.add(namespace.to_owned());
        }
    }

    /// Empties namespaces, one after the other, until the leadership ends.
    pub(crate) async fn run(self: Arc<Self>, hub: Hub, leadership: Leadership) {
        let lost = leadership.lost().clone();
        let work = async {
            loop {
                let name = self.queue.next().await;
                let verdict = match empty(&hub, &leadership, &name).await {
                    Ok(true) => {
                        self.known().remove(&name);
                        Verdict::Settled(None)
                    }
                    Ok(false) => Verdict::Settled(Some(RECHECK)),
                    // An object moved while it was read, and is read again.
                    Err(error) if error.is_conflict() => Verdict::Again,
                    Err(error) => {
                        tracing::warn!(namespace = name, error = %chain(&error), "the namespace {name} cannot be emptied");
                        Verdict::Failed(Duration::ZERO)
                    }
                };
                self.queue.finish(&name, verdict);
            }
        };
        lost.run_until_cancelled(work).await;
    }
}

/// Does what can be done now; whether nothing is left to do.
async fn empty(hub: &Hub, leadership: &Leadership, name: &str) -> Result<bool> {
    leadership.check()?;
    let key = ObjectKey::new("", "namespaces", "", name);
    let stored = hub.store.object(&key).await.doing("reading a namespace")?;
    let Some(namespace) = stored.filter(|stored| stored.deletion_at.is_some() && name != SYSTEM_NAMESPACE) else {
        return Ok(true);
    };
    let inside = hub
        .store
        .objects_in_namespace(name)
        .await
        .doing("listing a namespace")?;
    let configuration = hub.configuration();
    let next = next(&configuration.types, inside);
    let now = Timestamp::now();
    let writes: Vec<Write> = next
        .iter()
        .filter_map(|object| deletion(object, keeps_copies(&namespace.body), now))
        .collect();
    let nothing_inside = next.is_empty();
    for write in writes {
        self::write(hub, leadership, write).await?;
    }
    if !nothing_inside {
        return Ok(false);
    }
    if let Some(release) = release(&namespace) {
        write(hub, leadership, release).await?;
    }
    Ok(true)
}

/// What goes now: contents first and the FederatedNamespace last. A replica preference outlives the object that it is
/// about: without it, that one would be scaled on its way out.
fn next(types: &TypeTable, inside: Vec<Object>) -> Vec<Object> {
    let is_of_type = |key: &ObjectKey| types.of_resource(&key.group, &key.resource);
    let is_last = |object: &Object| is_of_type(&object.key).is_some_and(|served| served.row.is_namespace());
    let (last, mut contents): (Vec<Object>, Vec<Object>) = inside.into_iter().partition(is_last);
    if contents.is_empty() {
        return last;
    }
    if contents.iter().any(|object| is_of_type(&object.key).is_some()) {
        contents.retain(|object| !preferences::is_preference(&object.key));
    }
    contents
}

/// Whether a deletion leaves the copies in members as they are, in the words of Federation v1.
fn keeps_copies(body: &Value) -> bool {
    has_finalizer(body, ORPHAN_FINALIZER)
}

fn has_finalizer(body: &Value, name: &str) -> bool {
    let finalizers = body["metadata"]["finalizers"].as_array();
    finalizers.is_some_and(|finalizers| finalizers.iter().any(|one| one == name))
}

/// The deletion of an object, as the API does it; `None` when it has begun already. Copies of a plain object are kept in
/// members when those of its namespace are.
fn deletion(object: &Object, keeps_copies: bool, now: Timestamp) -> Option<Write> {
    let metadata = &object.body["metadata"];
    let is_held = metadata["finalizers"]
        .as_array()
        .is_some_and(|finalizers| !finalizers.is_empty());
    if !is_held {
        return Some(Write::Delete {
            key: object.key.clone(),
            expected: Some(object.revision),
        });
    }
    if object.deletion_at.is_some() {
        return None;
    }
    let mut body = (*object.body).clone();
    if !keeps_copies
        && plain::is_held(&body)
        && let Some(finalizers) = body["metadata"]["finalizers"].as_array_mut()
    {
        finalizers.retain(|finalizer| finalizer != ORPHAN_FINALIZER);
    }
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    body["metadata"]["deletionTimestamp"] = now.to_string().into();
    body["metadata"]["deletionGracePeriodSeconds"] = 0.into();
    if let Some(generation) = body["metadata"]["generation"].as_i64() {
        body["metadata"]["generation"] = (generation + 1).into();
    }
    Some(Write::Update {
        key: object.key.clone(),
        body: body.into(),
        expected: object.revision,
    })
}

/// Lets the namespace go, unless somebody else holds it too. `None` when that was done before: each write of it is a
/// reason to look at it again.
fn release(namespace: &Object) -> Option<Write> {
    let mut body = (*namespace.body).clone();
    if let Some(finalizers) = body["spec"]["finalizers"].as_array_mut() {
        finalizers.retain(|finalizer| finalizer != CONTENTS);
    }
    let is_held = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
    if is_held(&body["spec"]["finalizers"]) || is_held(&body["metadata"]["finalizers"]) {
        if !is_held(&body["spec"]["finalizers"]) && body["spec"].is_object() {
            body["spec"]["finalizers"] = json!([]);
        }
        return (body != *namespace.body).then(|| Write::Update {
            key: namespace.key.clone(),
            body: body.into(),
            expected: namespace.revision,
        });
    }
    Some(Write::Delete {
        key: namespace.key.clone(),
        expected: Some(namespace.revision),
    })
}

async fn write(hub: &Hub, leadership: &Leadership, write: Write) -> Result<()> {
    leadership.check()?;
    let transaction = Transaction {
        writes: vec![write],
        lease: Some(leadership.lease().clone()),
    };
    hub.store
        .write(transaction)
        .await
        .map(drop)
        .doing("emptying a namespace")
}

#[cfg(test)]
mod tests {
    use atoll_federation::plain::DELETE_FINALIZER;
    use atoll_store::Revision;

    use super::*;

    fn object(resource: &str, body: Value) -> Object {
        Object {
            key: ObjectKey::new("", resource, "shop", "a"),
            uid: "u".into(),
            generation: 1,
            revision: Revision(7),
            created_at: Timestamp::UNIX_EPOCH,
            deletion_at: body["metadata"]["deletionTimestamp"]
                .as_str()
                .map(|at| at.parse().unwrap()),
            body: body.into(),
        }
    }

    #[test]
    fn what_is_held_is_marked_once_and_the_rest_goes() {
        let now = Timestamp::UNIX_EPOCH;
        let free = object("configmaps", json!({"metadata": {}}));
        assert!(matches!(
            deletion(&free, false, now),
            Some(Write::Delete {
                expected: Some(Revision(7)),
                ..
            })
        ));
        let held = object(
            "configmaps",
            json!({"metadata": {"finalizers": ["x"], "generation": 2}}),
        );
        let Some(Write::Update { body, .. }) = deletion(&held, false, now) else {
            panic!("it is not marked")
        };
        assert_eq!(body["metadata"]["deletionTimestamp"], "1970-01-01T00:00:00Z");
        assert_eq!(body["metadata"]["generation"], 3);
        assert!(deletion(&object("configmaps", (*body).clone()), false, now).is_none());
    }

    #[test]
    fn copies_of_a_plain_object_are_kept_when_those_of_its_namespace_are() {
        let held = object(
            "configmaps",
            json!({"metadata": {"finalizers": [DELETE_FINALIZER, ORPHAN_FINALIZER]}}),
        );
        for (namespace, expected) in [
            (json!({"metadata": {}}), json!([DELETE_FINALIZER])),
            (
                json!({"metadata": {"finalizers": [DELETE_FINALIZER, ORPHAN_FINALIZER]}}),
                json!([DELETE_FINALIZER, ORPHAN_FINALIZER]),
            ),
        ] {
            let Some(Write::Update { body, .. }) = deletion(&held, keeps_copies(&namespace), Timestamp::UNIX_EPOCH)
            else {
                panic!("it is not marked")
            };
            assert_eq!(body["metadata"]["finalizers"], expected);
        }
        // Nobody here holds it: whoever put that finalizer on it takes it off.
        let other = object("configmaps", json!({"metadata": {"finalizers": [ORPHAN_FINALIZER]}}));
        let Some(Write::Update { body, .. }) = deletion(&other, false, Timestamp::UNIX_EPOCH) else {
            panic!("it is not marked")
        };
        assert_eq!(body["metadata"]["finalizers"], json!([ORPHAN_FINALIZER]));
    }

    #[test]
    fn a_namespace_goes_unless_somebody_else_holds_it() {
        let free = object(
            "namespaces",
            json!({"metadata": {}, "spec": {"finalizers": ["kubernetes"]}}),
        );
        assert!(matches!(release(&free), Some(Write::Delete { .. })));
        let held = object(
            "namespaces",
            json!({"metadata": {"finalizers": ["x"]}, "spec": {"finalizers": ["kubernetes"]}}),
        );
        let Some(Write::Update { body, .. }) = release(&held) else {
            panic!("it is deleted")
        };
        assert_eq!(body["spec"]["finalizers"], json!([]));
        // Writing it again would bring it here again, without end.
        assert!(release(&object("namespaces", (*body).clone())).is_none());
        let other = object(
            "namespaces",
            json!({"metadata": {}, "spec": {"finalizers": ["kubernetes", "other"]}}),
        );
        let Some(Write::Update { body, .. }) = release(&other) else {
            panic!("it is deleted")
        };
        assert_eq!(body["spec"]["finalizers"], json!(["other"]));
    }

    #[test]
    fn the_federated_namespace_goes_last_and_preferences_after_what_they_are_about() {
        let types = TypeTable::built_in();
        let of = |group: &str, resource: &str| Object {
            key: ObjectKey::new(group, resource, "shop", "shop"),
            ..object(resource, json!({"metadata": {}}))
        };
        let namespace = || of("types.kubefed.io", "federatednamespaces");
        let preference = || of("scheduling.kubefed.io", "replicaschedulingpreferences");
        let next = |inside: Vec<Object>| -> Vec<String> {
            let next = next(&types, inside).into_iter();
            next.map(|object| object.key.resource).collect()
        };
        let (event, web) = (of("", "events"), of("types.kubefed.io", "federateddeployments"));
        assert_eq!(
            next(vec![event.clone(), preference(), web, namespace()]),
            ["events", "federateddeployments"]
        );
        assert_eq!(
            next(vec![event, preference(), namespace()]),
            ["events", "replicaschedulingpreferences"]
        );
        assert_eq!(next(vec![namespace()]), ["federatednamespaces"]);
    }
}
