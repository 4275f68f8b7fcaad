//! One look at one object in one member, by name: the only way to know that it is not there.

use std::time::Duration;

use atoll_clusters::{Member, OwnError, OwnRequest};
use atoll_federation::{Observed, Present, Reason, TypeDescriptor};
use serde_json::Value;
use tokio::time::timeout;

use super::contents;
use super::failure::unknown;
use crate::cache::collection;
use crate::hub::Hub;
use crate::key::Key;

/// What a look found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) observed: Observed,
    /// Objects in a member's namespace that the hub does not manage, when that was asked for.
    pub(crate) unmanaged: Option<u64>,
}

/// A request with a deadline of its own, shorter than the member's.
pub(crate) async fn ask(member: &Member, request: OwnRequest, deadline: Duration) -> Result<Value, OwnError> {
    timeout(deadline, member.request(request))
        .await
        .unwrap_or(Err(OwnError::TimedOut(deadline)))
}

/// Looks at an object.
pub(crate) async fn look(member: &Member, key: &Key, deadline: Duration) -> Observed {
    look_whole(member, key, deadline).await.0
}

/// The same, with the whole object beside what planning reads of it.
pub(crate) async fn look_whole(member: &Member, key: &Key, deadline: Duration) -> (Observed, Option<Value>) {
    let row = key.kind.row();
    let path = collection(row).object_path(key.target_namespace(), &key.name);
    match ask(member, OwnRequest::get_object(path), deadline).await {
        Ok(object) => (read(row, key, &object), Some(object)),
        Err(error) if is_absent(key, &error) => (Observed::Absent, None),
        Err(error) => (unknown(&error), None),
    }
}

/// The same for a namespace that is about to be deleted: what else is in it must be known too.
pub(crate) async fn look_inside(hub: &Hub, member: &Member, key: &Key) -> Seen {
    let observed = look(member, key, hub.options.observe_deadline).await;
    // Of one that is on its way out nothing is left to decide.
    let is_to_be_decided = matches!(&observed, Observed::Present(present) if !present.deleting);
    if !is_to_be_decided {
        return Seen {
            observed,
            unmanaged: None,
        };
    }
    match contents::count_unmanaged(hub, member, &key.name).await {
        Ok(count) => Seen {
            observed,
            unmanaged: Some(count),
        },
        Err(error) => Seen {
            observed: Observed::Unknown {
                reason: Reason::RetrievalFailed,
                message: format!("what the namespace holds could not be read: {error}"),
            },
            unmanaged: None,
        },
    }
}

fn read(row: &TypeDescriptor, key: &Key, object: &Value) -> Observed {
    let is_it = object["metadata"]["name"] == key.name.as_str();
    match Present::of(row, object).filter(|_| is_it) {
        Some(present) => Observed::Present(Box::new(present)),
        None => Observed::Unknown {
            reason: Reason::RetrievalFailed,
            message: "the cluster answered with something else than the object".to_owned(),
        },
    }
}

/// Only the API server's own words about this object, or about its namespace, mean that it is not there.
fn is_absent(key: &Key, error: &OwnError) -> bool {
    let named = |name: &str| error.refusal().is_some_and(|refusal| refusal.details["name"] == name);
    error.is_not_found_object() && (named(&key.name) || (error.is_namespace_missing() && named(&key.namespace)))
}

#[cfg(test)]
mod tests {
    use atoll_clusters::Refusal;
    use atoll_federation::types;
    use serde_json::json;

    use super::*;
    use crate::key::Kind;

    fn key() -> Key {
        Key {
            kind: Kind::of(types::find("configmaps").unwrap()),
            namespace: "shop".into(),
            name: "web".into(),
        }
    }

    fn not_found(details: Value) -> OwnError {
        OwnError::Refused(Box::new(Refusal {
            code: 404,
            reason: "NotFound".into(),
            message: String::new(),
            details,
            retry_after: None,
        }))
    }

    #[test]
    fn only_this_objects_absence_counts() {
        assert!(is_absent(
            &key(),
            &not_found(json!({"name": "web", "kind": "configmaps"}))
        ));
        assert!(is_absent(
            &key(),
            &not_found(json!({"name": "shop", "kind": "namespaces"}))
        ));
        assert!(!is_absent(
            &key(),
            &not_found(json!({"name": "other", "kind": "configmaps"}))
        ));
        assert!(!is_absent(&key(), &not_found(json!({"kind": "configmaps"}))));
        assert!(!is_absent(&key(), &not_found(Value::Null)));
        assert!(!is_absent(
            &key(),
            &OwnError::NotKubernetes("404 with text/html".into())
        ));
    }

    #[test]
    fn an_answer_that_is_not_the_object_says_nothing() {
        let row = types::find("configmaps").unwrap();
        let good = json!({"kind": "ConfigMap", "metadata": {"name": "web", "uid": "u-1"}});
        assert!(matches!(read(row, &key(), &good), Observed::Present(_)));
        for bad in [
            json!({"kind": "Status", "status": "Success"}),
            json!({"kind": "ConfigMap", "metadata": {"name": "web"}}),
            json!({"kind": "ConfigMap", "metadata": {"name": "other", "uid": "u-1"}}),
        ] {
            assert!(matches!(read(row, &key(), &bad), Observed::Unknown { .. }), "{bad}");
        }
    }
}
