//! A federated object is made, with its namespace if need be. Every write is a call of the hub's own Kubernetes API.

use std::sync::Arc;

use atoll_federation::TypeDescriptor;
use atoll_kubeapi::names::is_dns_label;
use atoll_kubeapi::{Cause, RequestContext};
use atoll_store::{Object, ObjectKey, Revision};
use http::Method;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::hub;
use crate::state::AppState;

/// Query of every write: fields that the kind does not have are refused rather than dropped.
pub const STRICT: &str = "fieldValidation=Strict";

/// How often a write is tried again when somebody else has written in between.
const ATTEMPTS: u32 = 8;

/// What was made.
pub struct Made {
    /// The object, as the hub's API answers it.
    pub object: Value,
    /// Version, kind and name of everything that was made.
    pub created: Vec<(String, String, String)>,
}

/// Stands in paths for the namespace of what lives in none.
pub const NO_NAMESPACE: &str = "-";

/// Path of an object in the hub's API.
///
/// # Errors
/// 404 when namespace or name can be no object's.
pub fn object_path(kind: &TypeDescriptor, namespace: &str, name: &str) -> Result<String> {
    let may_be = match kind.federated.namespaced {
        true => is_dns_label(namespace),
        false => [NO_NAMESPACE, ""].contains(&namespace),
    };
    if !may_be || !atoll_kubeapi::names::is_dns_subdomain(name) {
        return Err(atoll_kubeapi::Status::not_found(&kind.federated.group, &kind.federated.plural, name).into());
    }
    Ok(hub::object_path(kind, namespace, name))
}

/// Makes a federated object; with `create_namespace` also its Namespace and FederatedNamespace, covering the clusters
/// that the object is placed on. When the object is refused, what was made for it is taken back.
///
/// # Errors
/// What the hub's API says.
pub async fn create_federated(
    state: &AppState,
    context: &RequestContext,
    kind: &'static TypeDescriptor,
    object: &Value,
    create_namespace: bool,
) -> Result<Made> {
    let namespace = namespace_of(kind, object)?;
    let mut made = Vec::new();
    if create_namespace && kind.federated.namespaced {
        // Most mistakes are found before a namespace is made for them.
        judge(kind, object)?;
        prepare_namespace(state, context, kind, object, namespace, &mut made).await?;
    }
    let path = format!("{}?{STRICT}", hub::collection_path(kind, namespace));
    match hub::call(state, context.clone(), Method::POST, &path, Some(object)).await {
        Ok(answer) => {
            let mut created: Vec<_> = made.iter().map(|one| reference(&one.value)).collect();
            created.push(reference(&answer.value));
            Ok(Made {
                object: answer.value,
                created,
            })
        }
        Err(status) => {
            take_back(state, context, made).await;
            Err(status.into())
        }
    }
}

/// Judges an object by the rules of its kind alone, without the hub: what its namespace, its name and its author mean is
/// found out by the write itself. Answers with the normalised object and warnings.
///
/// # Errors
/// 422 with a cause for each field.
pub(super) fn judge(kind: &TypeDescriptor, object: &Value) -> Result<(Value, Vec<String>)> {
    let (admitted, warnings) = atoll_federation::admit(kind, object, None).map_err(|errors| {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let cause = |error: atoll_federation::FieldError| Cause::new(error.reason.as_str(), error.field, error.message);
        Error::invalid(&kind.federated.kind, name, errors.into_iter().map(cause).collect())
    })?;
    Ok((admitted, warnings.into_iter().map(|warning| warning.0).collect()))
}

/// Something that was made on the way, and how it is unmade.
struct MadeFor {
    path: String,
    value: Value,
}

fn reference(object: &Value) -> (String, String, String) {
    let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
    (
        text(&object["apiVersion"]),
        text(&object["kind"]),
        text(&object["metadata"]["name"]),
    )
}

pub(super) fn namespace_of<'a>(kind: &TypeDescriptor, object: &'a Value) -> Result<&'a str> {
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
    if !kind.federated.namespaced {
        return Ok("");
    }
    if is_dns_label(namespace) {
        return Ok(namespace);
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let cause = Cause::invalid("metadata.namespace", format!("{namespace:?} is no name of a namespace"));
    Err(Error::invalid(&kind.federated.kind, name, vec![cause]))
}

pub(super) fn federated_namespaces(state: &AppState) -> Result<&'static TypeDescriptor> {
    let served = state.configuration().types.namespaces();
    served.map(|served| served.row).ok_or_else(|| {
        Error::not_found("namespaces are no federated type of this hub; make the FederatedTypeConfig namespaces again")
    })
}

async fn prepare_namespace(
    state: &AppState,
    context: &RequestContext,
    kind: &TypeDescriptor,
    object: &Value,
    namespace: &str,
    made: &mut Vec<MadeFor>,
) -> Result<()> {
    let path = format!("/api/v1/namespaces/{namespace}");
    if find(state, context, &path).await?.is_none() {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        let answer = hub::call(state, context.clone(), Method::POST, "/api/v1/namespaces", Some(&body)).await?;
        made.push(MadeFor {
            path,
            value: answer.value,
        });
    }
    if kind.is_namespace() {
        return Ok(());
    }
    let outcome = cover(state, context, object, namespace, made).await;
    if outcome.is_err() {
        take_back(state, context, std::mem::take(made)).await;
    }
    outcome
}

/// Makes a FederatedNamespace as wide as the object's placement, or widens one that names its clusters.
async fn cover(
    state: &AppState,
    context: &RequestContext,
    object: &Value,
    namespace: &str,
    made: &mut Vec<MadeFor>,
) -> Result<()> {
    let kind = federated_namespaces(state)?;
    let placement = &object["spec"]["placement"];
    let path = hub::object_path(kind, namespace, namespace);
    for attempt in 1.. {
        let existing = find(state, context, &path).await?;
        let Some(wanted) = covering(kind, namespace, existing.as_ref(), placement) else {
            return Ok(());
        };
        let (method, target) = match existing {
            Some(_) => (Method::PUT, path.clone()),
            None => (Method::POST, hub::collection_path(kind, namespace)),
        };
        match hub::call(state, context.clone(), method, &target, Some(&wanted)).await {
            Ok(answer) if existing.is_none() => {
                made.push(MadeFor {
                    path,
                    value: answer.value,
                });
                return Ok(());
            }
            Ok(_) => return Ok(()),
            // The hub writes finalizers and statuses meanwhile, and somebody else may make it.
            Err(status) if attempt < ATTEMPTS && (status.is("Conflict") || status.is("AlreadyExists")) => {}
            Err(status) => return Err(status.into()),
        }
    }
    Ok(())
}

/// The FederatedNamespace of a namespace as it has to be for an object with this placement: a new one, or `existing` with
/// the clusters that it lacks. `None` when it may stay as it is.
pub(super) fn covering(
    kind: &TypeDescriptor,
    namespace: &str,
    existing: Option<&Value>,
    placement: &Value,
) -> Option<Value> {
    let Some(existing) = existing else {
        return Some(json!({
            "apiVersion": kind.federated.api_version(),
            "kind": kind.federated.kind,
            "metadata": {"name": namespace, "namespace": namespace},
            "spec": {"placement": placement},
        }));
    };
    // One that selects by labels says what it means.
    let mut widened = existing.clone();
    let listed = widened.pointer_mut("/spec/placement/clusters")?.as_array_mut()?;
    let before = listed.len();
    for cluster in placement["clusters"].as_array()? {
        if !listed.iter().any(|one| one["name"] == cluster["name"]) {
            listed.push(cluster.clone());
        }
    }
    (listed.len() > before).then_some(widened)
}

pub(in crate::app) async fn find(state: &AppState, context: &RequestContext, path: &str) -> Result<Option<Value>> {
    match hub::call(state, context.clone(), Method::GET, path, None).await {
        Ok(answer) => Ok(Some(answer.value)),
        Err(status) if status.is("NotFound") => Ok(None),
        Err(status) => Err(status.into()),
    }
}

async fn take_back(state: &AppState, context: &RequestContext, made: Vec<MadeFor>) {
    for one in made.into_iter().rev() {
        if let Err(status) = hub::call(state, context.clone(), Method::DELETE, &one.path, None).await {
            tracing::warn!(path = one.path, error = %status, "what was made for a refused object stays");
        }
    }
}

/// An object as the hub's API answers it, in the form that the store keeps.
///
/// # Errors
/// When it lacks what every stored object has.
pub fn as_stored(kind: &TypeDescriptor, object: &Value) -> Result<Object> {
    let metadata = &object["metadata"];
    let text = |field: &str| metadata[field].as_str().unwrap_or_default();
    let time = |field: &str| {
        metadata[field]
            .as_str()
            .map(|text| text.parse::<jiff::Timestamp>().map_err(Error::internal))
            .transpose()
    };
    Ok(Object {
        key: ObjectKey::new(
            &kind.federated.group,
            &kind.federated.plural,
            text("namespace"),
            text("name"),
        ),
        uid: text("uid").to_owned(),
        generation: metadata["generation"].as_i64().unwrap_or_default(),
        revision: Revision(text("resourceVersion").parse().unwrap_or_default()),
        created_at: time("creationTimestamp")?.ok_or_else(|| Error::internal("an object without creationTimestamp"))?,
        deletion_at: time("deletionTimestamp")?,
        body: Arc::new(object.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(existing: Option<&Value>, placement: &Value) -> Option<Value> {
        covering(
            atoll_federation::types::find("namespaces").unwrap(),
            "shop",
            existing,
            placement,
        )
    }

    #[test]
    fn a_namespace_that_lists_its_clusters_is_widened_and_keeps_what_it_had() {
        let namespace = json!({"spec": {"placement": {"clusters": [{"name": "eu-1"}]}}});
        let placement = json!({"clusters": [{"name": "eu-1"}, {"name": "us-1"}]});
        let widened = covered(Some(&namespace), &placement).unwrap();
        assert_eq!(widened["spec"]["placement"], placement);
        assert_eq!(covered(Some(&widened), &placement), None, "twice is once");
    }

    #[test]
    fn a_namespace_that_selects_by_labels_is_left_alone() {
        let namespace = json!({"spec": {"placement": {"clusterSelector": {}}}});
        assert_eq!(
            covered(Some(&namespace), &json!({"clusters": [{"name": "eu-1"}]})),
            None
        );
    }

    #[test]
    fn a_new_namespace_goes_where_its_first_object_goes() {
        let placement = json!({"clusterSelector": {"matchLabels": {"region": "eu"}}});
        let made = covered(None, &placement).unwrap();
        assert_eq!(
            (&made["kind"], &made["spec"]["placement"]),
            (&json!("FederatedNamespace"), &placement)
        );
        assert!(atoll_federation::admit(atoll_federation::types::find("namespaces").unwrap(), &made, None).is_ok());
    }
}
