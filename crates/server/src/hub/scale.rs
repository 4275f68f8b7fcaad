//! `scale` of the plain workloads, so that `kubectl scale` works on the hub. A scale is another way to write
//! `spec.replicas`: the write takes the way of every other, admission included.

use atoll_kubeapi::request::{Query, default_manager};
use atoll_kubeapi::scale::{ScaleChange, scale};
use atoll_kubeapi::{Attributes, Backend, RequestContext, Resource, Status};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::BODY_LIMIT;
use super::backend::HubBackend;
use crate::state::AppState;

/// How often a scale that is tied to no version is tried against a moving object.
const TRIES: usize = 8;

pub(super) async fn serve(
    backend: &HubBackend,
    state: &AppState,
    context: &RequestContext,
    resource: &Resource,
    attributes: &Attributes,
    request: Request,
) -> Result<Response, Status> {
    let query = Query::parse(request.uri().query().unwrap_or_default())?;
    let named = query.field_manager.clone().filter(|name| !name.is_empty());
    let manager = named.unwrap_or_else(|| default_manager(request.headers()));
    let wanted = match *request.method() {
        Method::GET | Method::HEAD => None,
        Method::PUT | Method::PATCH => Some(ScaleChange::read(request, BODY_LIMIT).await?),
        _ => return Err(Status::method_not_allowed(request.method())),
    };
    let path = format!(
        "/apis/{}/namespaces/{}/{}/{}?fieldManager={}{}",
        resource.api_version(),
        attributes.namespace,
        attributes.resource,
        attributes.name,
        utf8_percent_encode(&manager, NON_ALPHANUMERIC),
        if query.dry_run { "&dryRun=All" } else { "" },
    );
    for _ in 0..TRIES {
        let found = backend
            .get(context, resource, &attributes.namespace, &attributes.name)
            .await?;
        let old = found.ok_or_else(|| resource.not_found(&attributes.name))?;
        let Some(wanted) = &wanted else {
            return Ok(axum::Json(scale(&old)).into_response());
        };
        let replicas = wanted.replicas(resource, &old)?;
        let patch = json!({"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}, "spec": {"replicas": replicas}});
        // As deep as a request of its own: the future of one within the other would have no end.
        let written = Box::pin(super::call(state, context.clone(), Method::PATCH, &path, Some(&patch)));
        match written.await {
            Err(status) if status.is("Conflict") => {}
            outcome => return Ok(axum::Json(scale(&outcome?.value)).into_response()),
        }
    }
    Err(resource.conflict(&attributes.name))
}
