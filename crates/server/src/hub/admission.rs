//! What may be written, and what it becomes: by kind, after `atoll_kubeapi` has held it against its schema.
//!
//! Everything here is a judgement: nothing is written, so a dry run passes through the same lines. Refusals name the
//! field and the way out, because kubectl prints nothing else of them.

mod clusters;
mod configuration;
mod federated;
mod namespaces;
mod plain;
mod preferences;
mod secrets;

use atoll_federation::{FieldError, TypeDescriptor, Warning};
use atoll_kubeapi::{Admission, Backend, Cause, Operation, RequestContext, Resource, Status};
use http::StatusCode;
use serde_json::Value;

pub(super) use namespaces::NAME_LABEL;

use super::backend::{HubBackend, key_of};
use super::catalog::Kind;
use super::plan_in_status;
use super::type_configs;
use crate::state::AppState;

/// Judges, completes and normalises an object that is about to be written; answers with what to warn of.
pub(super) async fn admit(
    backend: &HubBackend,
    state: &AppState,
    context: &RequestContext,
    resource: &Resource,
    admission: &Admission<'_>,
    new: &mut Value,
) -> Result<Vec<String>, Status> {
    if admission.operation == Operation::Create && resource.namespaced {
        require_namespace(backend, context, resource, new).await?;
    }
    let mut warnings = admit_kind(backend, state, context, resource, admission, new).await?;
    warnings.extend(plain::admit(state, resource, admission, new).await?);
    warnings.extend(plan_in_status::put(state, context, resource, admission, new).await?);
    Ok(warnings)
}

async fn admit_kind(
    backend: &HubBackend,
    state: &AppState,
    context: &RequestContext,
    resource: &Resource,
    admission: &Admission<'_>,
    new: &mut Value,
) -> Result<Vec<String>, Status> {
    match Kind::of(&state.configuration().types, resource) {
        Some(Kind::Namespace) => namespaces::admit(admission, new).map(|()| Vec::new()),
        Some(Kind::Secret) => secrets::admit(state, resource, admission, new)
            .await
            .map(|()| Vec::new()),
        Some(Kind::ConfigMap) => secrets::admit_configuration(resource, admission, new).map(|()| Vec::new()),
        Some(Kind::Cluster) => clusters::admit(backend, state, context, resource, admission, new).await,
        Some(Kind::Config) => configuration::admit_settings(resource, admission, new),
        Some(Kind::TypeConfig) => configuration::admit_type(state, context, resource, admission, new).await,
        Some(Kind::Preference) => preferences::admit(state, resource, admission, new).await,
        Some(Kind::Definition) => configuration::admit_definition(&backend.catalog(), resource, admission, new),
        Some(Kind::Federated(kind)) => {
            if admission.operation == Operation::Create && !is_propagated(state, kind) {
                type_configs::refuse_if_leaving(state, kind).await?;
            }
            let mut warnings = federated::admit(kind, resource, admission, new)?;
            if admission.operation == Operation::Create && admission.dry_run {
                // A real one is judged again with its commit.
                plain::claim(state, resource, admission, new).await?;
            }
            if admission.old.is_none_or(|old| old["spec"] != new["spec"]) {
                warnings.extend(federated::unknown_clusters(state, new).await?);
            }
            Ok(warnings)
        }
        Some(Kind::Plain | Kind::Note) | None => Ok(Vec::new()),
    }
}

/// Whether the objects of a type are kept in step: neither switched off nor on its way out.
fn is_propagated(state: &AppState, kind: &TypeDescriptor) -> bool {
    let api = &kind.federated;
    let served = state.configuration().types.of_resource(&api.group, &api.plural);
    served.is_some_and(|served| served.propagated)
}

/// A new object needs a namespace that is there and stays.
async fn require_namespace(
    backend: &HubBackend,
    context: &RequestContext,
    resource: &Resource,
    new: &Value,
) -> Result<(), Status> {
    let text = |field: &str| new["metadata"][field].as_str().unwrap_or_default();
    let (namespace, name) = (text("namespace"), text("name"));
    let Some(namespaces) = backend.catalog().find("", "v1", "namespaces").cloned() else {
        return Err(Status::internal());
    };
    let Some(found) = backend.get(context, &namespaces, "", namespace).await? else {
        return Err(namespaces.not_found(namespace));
    };
    if found["metadata"]["deletionTimestamp"].is_null() {
        return Ok(());
    }
    let qualified = key_of(resource, "", name);
    let message = format!(
        "{} is forbidden: unable to create new content in namespace {namespace} because it is being terminated",
        quoted(&qualified.group, &qualified.resource, name)
    );
    let cause = Cause::new(
        "NamespaceTerminating",
        "metadata.namespace",
        format!("namespace {namespace} is being terminated"),
    );
    Err(Status::forbidden(message)
        .about(&resource.group, &resource.plural, name)
        .with(|details| details.causes = vec![cause]))
}

/// `federateddeployments.types.kubefed.io "web"`.
fn quoted(group: &str, resource: &str, name: &str) -> String {
    if group.is_empty() {
        format!("{resource} {name:?}")
    } else {
        format!("{resource}.{group} {name:?}")
    }
}

/// 422 when there are causes.
fn refuse(resource: &Resource, new: &Value, causes: Vec<Cause>) -> Result<(), Status> {
    if causes.is_empty() {
        return Ok(());
    }
    let name = new["metadata"]["name"].as_str().unwrap_or_default();
    Err(Status::invalid(&resource.group, &resource.kind, name, causes))
}

/// What `atoll_federation` made of an object, or 422.
fn judged(
    resource: &Resource,
    new: &mut Value,
    outcome: Result<(Value, Vec<Warning>), Vec<FieldError>>,
) -> Result<Vec<String>, Status> {
    match outcome {
        Ok((normalised, warnings)) => {
            *new = normalised;
            Ok(warnings.into_iter().map(|warning| warning.0).collect())
        }
        Err(errors) => {
            let name = new["metadata"]["name"].as_str().unwrap_or_default();
            Err(refusal(&resource.group, &resource.kind, name, errors))
        }
    }
}

/// 422 with the fields that were refused.
pub(super) fn refusal(group: &str, kind: &str, name: &str, errors: Vec<FieldError>) -> Status {
    let cause = |error: FieldError| Cause::new(error.reason.as_str(), error.field, error.message);
    Status::invalid(group, kind, name, errors.into_iter().map(cause).collect())
}

/// 403 for something that is never done.
fn never(resource: &str, name: &str, why: &str) -> Status {
    Status::failure(
        StatusCode::FORBIDDEN,
        "Forbidden",
        format!("{resource} {name:?} is forbidden: {why}"),
    )
    .about("", resource, name)
}
