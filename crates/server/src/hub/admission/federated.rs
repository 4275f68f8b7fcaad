//! Federated objects: `atoll_federation` judges them.

use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_federation::{FieldError, TypeDescriptor};
use atoll_kubeapi::{Admission, Cause, Operation, Resource, Status};
use serde_json::{Map, Value};

use super::refuse;
use crate::hub::catalog::CORE_GROUP;
use crate::state::AppState;

/// Metadata that is the server's: set before admission, and no news to it.
const SERVER_SET: [&str; 7] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "managedFields",
    "selfLink",
];

pub(super) fn admit(
    kind: &TypeDescriptor,
    resource: &Resource,
    admission: &Admission<'_>,
    new: &mut Value,
) -> Result<Vec<String>, Status> {
    if admission.operation == Operation::Delete || !admission.subresource.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(old) = admission.old {
        prefer_new_names(new, old);
    }
    let set = take_server_set(new);
    let judged = atoll_federation::admit(kind, new, admission.old);
    put_back(new, &set);
    match judged {
        Ok((normalised, warnings)) => {
            *new = normalised;
            put_back(new, &set);
            Ok(warnings.into_iter().map(|warning| warning.0).collect())
        }
        Err(errors) => {
            refuse(resource, new, errors.into_iter().map(cause).collect())?;
            Ok(Vec::new())
        }
    }
}

/// Warns of clusters in placement and overrides that nobody registered.
pub(super) async fn unknown_clusters(state: &AppState, object: &Value) -> Result<Vec<String>, Status> {
    unregistered(state, named_clusters(&object["spec"])).await
}

/// Warns of names that no cluster has: they may be registered later, but a typing error would never show.
pub(super) async fn unregistered(state: &AppState, named: Vec<(&str, &str)>) -> Result<Vec<String>, Status> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let registered = state
        .store
        .objects(CORE_GROUP, "kubefedclusters", Some(SYSTEM_NAMESPACE))
        .await;
    let registered = registered
        .map_err(|error| Status::from(crate::Error::from(error)))?
        .objects;
    let is_unknown = |name: &str| registered.iter().all(|cluster| cluster.key.name != name);
    let unknown = named.into_iter().filter(|(_, name)| is_unknown(name));
    Ok(unknown
        .map(|(field, name)| format!("{field}: no cluster {name:?} is registered"))
        .collect())
}

/// Clusters that placement and overrides name, with the field that does.
fn named_clusters(spec: &Value) -> Vec<(&'static str, &str)> {
    let names = |list: &'static str, field: &'static str, key: &'static str| {
        let entries = spec.pointer(list).and_then(Value::as_array).into_iter().flatten();
        entries.filter_map(move |entry| Some((field, entry[key].as_str()?)))
    };
    let mut named: Vec<_> = names("/placement/clusters", "spec.placement.clusters", "name")
        .chain(names("/overrides", "spec.overrides", "clusterName"))
        .collect();
    named.sort_unstable();
    named.dedup();
    named
}

fn cause(error: FieldError) -> Cause {
    Cause::new(error.reason.as_str(), error.field, error.message)
}

/// `clusterNames` is never stored, so where an update has it, somebody has just written it; the `clusters` beside it
/// are then what the names before were read as.
fn prefer_new_names(new: &mut Value, old: &Value) {
    let Some(placement) = new.pointer_mut("/spec/placement").and_then(Value::as_object_mut) else {
        return;
    };
    let names = placement.get("clusterNames").is_some_and(Value::is_array);
    if names && placement.get("clusters") == old.pointer("/spec/placement/clusters") {
        placement.remove("clusters");
    }
}

fn take_server_set(object: &mut Value) -> Map<String, Value> {
    let Some(metadata) = object["metadata"].as_object_mut() else {
        return Map::new();
    };
    SERVER_SET
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), metadata.remove(*field)?)))
        .collect()
}

fn put_back(object: &mut Value, set: &Map<String, Value>) {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.extend(set.clone());
    }
}

#[cfg(test)]
mod tests {
    use atoll_federation::types;
    use serde_json::json;

    use super::*;
    use crate::hub::catalog::catalog;

    fn admit_config_map(new: &mut Value, old: Option<&Value>) -> Result<Vec<String>, Status> {
        static NONE: Value = Value::Null;
        let kind = types::find("configmaps").unwrap();
        let resource = catalog(&atoll_controllers::Configuration::default())
            .find("types.kubefed.io", "v1beta1", "federatedconfigmaps")
            .unwrap()
            .clone();
        let operation = if old.is_some() {
            Operation::Update
        } else {
            Operation::Create
        };
        let admission = Admission {
            operation,
            subresource: "",
            dry_run: false,
            old,
            options: &NONE,
        };
        admit(kind, &resource, &admission, new)
    }

    fn config_map(placement: Value) -> Value {
        json!({"apiVersion": "types.kubefed.io/v1beta1", "kind": "FederatedConfigMap",
            "metadata": {"name": "a", "namespace": "shop", "uid": "1", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"template": {"data": {"a": "b"}}, "placement": placement}})
    }

    #[test]
    fn what_the_server_set_is_kept_and_no_news() {
        let mut new = config_map(json!({"clusters": [{"name": "eu-1"}]}));
        let before = new.clone();
        assert_eq!(admit_config_map(&mut new, None).unwrap(), Vec::<String>::new());
        assert_eq!(new, before);
    }

    #[test]
    fn names_written_later_win_over_what_the_earlier_ones_became() {
        let mut stored = config_map(json!({"clusterNames": ["eu-1"]}));
        assert_eq!(admit_config_map(&mut stored, None).unwrap().len(), 1);
        let mut new = stored.clone();
        new["spec"]["placement"]["clusterNames"] = json!(["us-1"]);
        admit_config_map(&mut new, Some(&stored)).unwrap();
        assert_eq!(new["spec"]["placement"], json!({"clusters": [{"name": "us-1"}]}));
    }

    #[test]
    fn a_refusal_names_the_field() {
        let mut new = config_map(json!({"clusters": [{"name": "eu-1"}]}));
        new["spec"]["overrides"] =
            json!([{"clusterName": "eu-1", "clusterOverrides": [{"op": "remove", "path": "/data/missing"}]}]);
        let status = admit_config_map(&mut new, None).unwrap_err();
        let causes = &status.details.as_ref().unwrap().causes;
        assert_eq!(
            (status.code, causes[0].field.as_str()),
            (422, "spec.overrides[0].clusterOverrides[0]")
        );
    }
}
