//! What may be written, and what it becomes: by kind, after `atoll_kubeapi` has held it against its schema.
//!
//! Everything here is a judgement: nothing is written, so a dry run passes through the same lines. Refusals name the
//! field and the way out, because kubectl prints nothing else of them.

mod clusters;
mod federated;
mod namespaces;
mod secrets;

use atoll_kubeapi::{Admission, Backend, Cause, Operation, RequestContext, Resource, Status};
use http::StatusCode;
use serde_json::Value;

pub(super) use namespaces::NAME_LABEL;

use super::backend::{HubBackend, key_of};
use super::catalog::Kind;
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
    match Kind::of(&state.configuration().types, resource) {
        Some(Kind::Namespace) => namespaces::admit(admission, new).map(|()| Vec::new()),
        Some(Kind::Secret) => secrets::admit(state, resource, admission, new)
            .await
            .map(|()| Vec::new()),
        Some(Kind::ConfigMap) => secrets::admit_configuration(resource, admission, new).map(|()| Vec::new()),
        Some(Kind::Cluster) => clusters::admit(backend, state, context, resource, admission, new).await,
        Some(Kind::Federated(kind)) => {
            let mut warnings = federated::admit(kind, resource, admission, new)?;
            if admission.old.is_none_or(|old| old["spec"] != new["spec"]) {
                warnings.extend(federated::unknown_clusters(state, new).await?);
            }
            Ok(warnings)
        }
        None => Ok(Vec::new()),
    }
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

/// 403 for something that is never done.
fn never(resource: &str, name: &str, why: &str) -> Status {
    Status::failure(
        StatusCode::FORBIDDEN,
        "Forbidden",
        format!("{resource} {name:?} is forbidden: {why}"),
    )
    .about("", resource, name)
}
