//! What would happen with a federated object if it were saved: admission first, then the plan. Nothing is saved.
//!
//! People who make an object in the console have its namespace made with it. Such an object is planned as it would be
//! then, rather than refused because the namespace is not federated yet.

use atoll_federation::configuration::SCHEDULING_GROUP;
use atoll_federation::{Preview, TypeDescriptor, Warning};
use atoll_kubeapi::names::{is_dns_label, is_dns_subdomain};
use atoll_kubeapi::{Cause, RequestContext, Status};
use http::Method;
use serde_json::Value;

use super::create_federated::{STRICT, covering, federated_namespaces, find, judge, namespace_of, object_path};
use crate::error::{Error, Result};
use crate::hub;
use crate::state::AppState;

/// Tells what would happen with an object. Warnings of admission come beside it.
///
/// # Errors
/// What admission refuses.
pub async fn preview_federated(
    state: &AppState,
    context: &RequestContext,
    kind: &'static TypeDescriptor,
    object: &Value,
) -> Result<(Preview, Vec<String>)> {
    let namespace = namespace_of(kind, object)?;
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let path = object_path(kind, namespace, name)?;
    let exists = find(state, context, &path).await?.is_some();
    let (admitted, warnings) = admit(state, context, kind, object, exists.then_some(path.as_str()), namespace).await?;
    let assumed = match exists {
        true => None,
        false => assumed_namespace(state, context, kind, &admitted, namespace).await?,
    };
    let mut told = state.controllers.preview(kind, &admitted, assumed.as_ref()).await?;
    if assumed.is_some() {
        let message = format!("namespace {namespace} will be federated to these clusters too");
        told.warnings.push(Warning(message));
    }
    Ok((told, warnings))
}

/// Kind of replica preferences.
pub const PREFERENCE_KIND: &str = "ReplicaSchedulingPreference";

/// Tells what would happen with its object if a preference were saved. Warnings of admission come beside it.
///
/// # Errors
/// What admission refuses, and 404 when the object is not there.
pub async fn preview_preference(
    state: &AppState,
    context: &RequestContext,
    preference: &Value,
) -> Result<(Preview, Vec<String>)> {
    let text = |field: &str| preference["metadata"][field].as_str().unwrap_or_default();
    let (namespace, name) = (text("namespace"), text("name"));
    if !is_dns_label(namespace) {
        let cause = Cause::invalid("metadata.namespace", format!("{namespace:?} is no name of a namespace"));
        return Err(Error::invalid(PREFERENCE_KIND, name, vec![cause]));
    }
    let path = format!("/apis/{SCHEDULING_GROUP}/v1alpha1/namespaces/{namespace}/replicaschedulingpreferences");
    let one = format!("{path}/{name}");
    let exists = is_dns_subdomain(name) && find(state, context, &one).await?.is_some();
    let (admitted, warnings) = dry_run(state, context, &path, exists.then_some(one.as_str()), preference).await?;
    let told = state.controllers.preview_preference(&admitted).await?;
    let told = told.ok_or_else(|| {
        Error::not_found(format!(
            "there is no object {namespace}/{name} that this would be about"
        ))
    })?;
    Ok((told, warnings))
}

/// An object as it would be stored, in the place `one` if it is there already.
async fn dry_run(
    state: &AppState,
    context: &RequestContext,
    collection: &str,
    one: Option<&str>,
    object: &Value,
) -> Result<(Value, Vec<String>), Status> {
    let dry = format!("dryRun=All&{STRICT}");
    let context = hub::without_plan(context.clone());
    let answer = match one {
        Some(path) => {
            // What was changed meanwhile is no reason to refuse a question.
            let mut unversioned = object.clone();
            if let Some(metadata) = unversioned["metadata"].as_object_mut() {
                metadata.remove("resourceVersion");
            }
            hub::call(
                state,
                context,
                Method::PUT,
                &format!("{path}?{dry}"),
                Some(&unversioned),
            )
            .await
        }
        None => {
            hub::call(
                state,
                context,
                Method::POST,
                &format!("{collection}?{dry}"),
                Some(object),
            )
            .await
        }
    };
    answer.map(|answer| (answer.value, answer.warnings))
}

/// The object as it would be stored; `path` is where it is stored already.
async fn admit(
    state: &AppState,
    context: &RequestContext,
    kind: &'static TypeDescriptor,
    object: &Value,
    path: Option<&str>,
    namespace: &str,
) -> Result<(Value, Vec<String>)> {
    match dry_run(state, context, &hub::collection_path(kind, namespace), path, object).await {
        Ok(admitted) => Ok(admitted),
        // The namespace is made with the object; until then only the object itself can be judged.
        Err(status) if status.is("NotFound") && path.is_none() => judge(kind, object),
        Err(status) => Err(status.into()),
    }
}

/// The FederatedNamespace that would be made or widened with the object; `None` when there is no need.
async fn assumed_namespace(
    state: &AppState,
    context: &RequestContext,
    kind: &TypeDescriptor,
    object: &Value,
    namespace: &str,
) -> Result<Option<Value>> {
    if !kind.target.namespaced || kind.is_namespace() {
        return Ok(None);
    }
    let row = federated_namespaces(state)?;
    let existing = find(state, context, &hub::object_path(row, namespace, namespace)).await?;
    Ok(covering(
        row,
        namespace,
        existing.as_ref(),
        &object["spec"]["placement"],
    ))
}
