//! What would happen with a federated object if it were saved: admission first, then the plan. Nothing is saved.
//!
//! People who make an object in the console have its namespace made with it. Such an object is planned as it would be
//! then, rather than refused because the namespace is not federated yet.

use atoll_federation::{Preview, TypeDescriptor, Warning};
use atoll_kubeapi::RequestContext;
use http::Method;
use serde_json::Value;

use super::create_federated::{STRICT, covering, federated_namespaces, find, judge, namespace_of, object_path};
use crate::error::Result;
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

/// The object as it would be stored; `path` is where it is stored already.
async fn admit(
    state: &AppState,
    context: &RequestContext,
    kind: &'static TypeDescriptor,
    object: &Value,
    path: Option<&str>,
    namespace: &str,
) -> Result<(Value, Vec<String>)> {
    let dry = format!("dryRun=All&{STRICT}");
    let answer = match path {
        Some(path) => {
            // What was changed meanwhile is no reason to refuse a question.
            let mut unversioned = object.clone();
            if let Some(metadata) = unversioned["metadata"].as_object_mut() {
                metadata.remove("resourceVersion");
            }
            hub::call(
                state,
                context.clone(),
                Method::PUT,
                &format!("{path}?{dry}"),
                Some(&unversioned),
            )
            .await
        }
        None => {
            let path = format!("{}?{dry}", hub::collection_path(kind, namespace));
            hub::call(state, context.clone(), Method::POST, &path, Some(object)).await
        }
    };
    match answer {
        Ok(answer) => Ok((answer.value, answer.warnings)),
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
