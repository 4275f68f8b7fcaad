//! What a member holds in a namespace that the hub is about to delete, beside what it manages and what every namespace
//! has by itself.

use std::time::Duration;

use atoll_clusters::{Collection, Member, OwnError, OwnRequest};
use atoll_federation::object::MANAGED_LABEL;
use atoll_federation::types::TYPES;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::observe::ask;
use crate::cache::collection;

/// Whether there is anything matters more than how much: this many of each kind are counted.
const LIMIT: usize = 100;
/// Lists at a time.
const PARALLEL: usize = 4;

/// Counts them, over all kinds that the hub knows and over pods. A list that fails is an error: not knowing is no
/// permission to delete.
pub(crate) async fn count_unmanaged(member: &Member, namespace: &str, deadline: Duration) -> Result<u64, OwnError> {
    let pods = Collection {
        group: String::new(),
        version: "v1".to_owned(),
        plural: "pods".to_owned(),
        namespace: None,
    };
    let namespaced = TYPES.iter().filter(|row| row.target.namespaced);
    let collections: Vec<Collection> = namespaced.map(collection).chain([pods]).collect();
    let counts = stream::iter(collections).map(|mut collection| async move {
        collection.namespace = Some(namespace.to_owned());
        let path = format!("{}?limit={LIMIT}", collection.path());
        match ask(member, OwnRequest::get(path), deadline).await {
            Ok(list) => count(&collection, &list),
            // A kind that the member does not have has no objects.
            Err(error) if error.is_api_missing() => Ok(0),
            Err(error) => Err(error),
        }
    });
    counts
        .buffer_unordered(PARALLEL)
        .try_fold(0, |sum, count| async move { Ok(sum + count) })
        .await
}

fn count(collection: &Collection, list: &Value) -> Result<u64, OwnError> {
    let items = list["items"]
        .as_array()
        .ok_or_else(|| OwnError::NotKubernetes(format!("a list of {} without items", collection.plural)))?;
    let unmanaged = items
        .iter()
        .filter(|object| is_unmanaged(&collection.plural, object))
        .count();
    Ok(u64::try_from(unmanaged).unwrap_or(u64::MAX))
}

fn is_unmanaged(plural: &str, object: &Value) -> bool {
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().unwrap_or_default();
    let made_by_kubernetes = match plural {
        "configmaps" => name == "kube-root-ca.crt",
        "serviceaccounts" => name == "default",
        "secrets" => object["type"] == "kubernetes.io/service-account-token",
        _ => false,
    };
    let has_owner = metadata["ownerReferences"]
        .as_array()
        .is_some_and(|owners| !owners.is_empty());
    let is_managed = metadata["labels"][MANAGED_LABEL] == "true";
    let is_going = metadata["deletionTimestamp"].is_string();
    !(made_by_kubernetes || has_owner || is_managed || is_going)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_every_namespace_has_and_what_goes_with_another_is_not_counted() {
        let counted = |plural: &str, object: Value| is_unmanaged(plural, &object);
        assert!(counted("configmaps", json!({"metadata": {"name": "theirs"}})));
        assert!(counted("pods", json!({"metadata": {"name": "bare"}})));
        assert!(counted(
            "secrets",
            json!({"metadata": {"name": "password"}, "type": "Opaque"})
        ));
        assert!(!counted(
            "configmaps",
            json!({"metadata": {"name": "kube-root-ca.crt"}})
        ));
        assert!(!counted("serviceaccounts", json!({"metadata": {"name": "default"}})));
        assert!(!counted(
            "secrets",
            json!({"metadata": {"name": "t"}, "type": "kubernetes.io/service-account-token"})
        ));
        assert!(!counted(
            "pods",
            json!({"metadata": {"name": "p", "ownerReferences": [{"kind": "ReplicaSet"}]}})
        ));
        assert!(!counted(
            "configmaps",
            json!({"metadata": {"name": "ours", "labels": {MANAGED_LABEL: "true"}}})
        ));
        assert!(!counted(
            "pods",
            json!({"metadata": {"name": "p", "deletionTimestamp": "2026-01-02T03:04:05Z"}})
        ));
    }

    #[test]
    fn an_answer_that_is_no_list_is_not_an_empty_one() {
        let pods = Collection {
            group: String::new(),
            version: "v1".into(),
            plural: "pods".into(),
            namespace: None,
        };
        assert!(count(&pods, &json!({"kind": "Status"})).is_err());
        assert_eq!(count(&pods, &json!({"items": []})).unwrap(), 0);
    }
}
