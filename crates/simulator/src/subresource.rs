//! What hangs below an object beside its status: logs, commands, evictions, scales.

mod exec;
mod log;
mod scale;

use std::sync::Arc;

use atoll_kubeapi::{Attributes, Status, body};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::catalog::Kind;
use crate::objects::Objects;

/// Largest body that is read here.
const BODY_LIMIT: usize = 1 << 20;

/// Answers a request to a subresource; `None` for one that there is not.
pub(crate) async fn serve(
    objects: &Objects,
    ended: &CancellationToken,
    kind: Kind,
    attributes: &Attributes,
    request: Request,
) -> Option<Response> {
    let has_scale = matches!(
        kind,
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::ReplicationController
    );
    let answer = match (kind, attributes.subresource.as_str()) {
        (Kind::Pod, "log") => log::read(objects, ended, attributes, &request),
        (Kind::Pod, "exec") => exec::run(objects, ended, attributes, request).await,
        (Kind::Pod, "eviction") => evict(objects, attributes, request).await,
        (Kind::Pod, "attach" | "portforward" | "proxy") => Err(unsupported(attributes)),
        (_, "scale") if has_scale => scale::serve(objects, kind, attributes, request).await,
        _ => return None,
    };
    Some(answer.unwrap_or_else(IntoResponse::into_response))
}

fn unsupported(attributes: &Attributes) -> Status {
    let message = format!(
        "pods/{} is not offered by simulated members: their containers have no processes",
        attributes.subresource
    );
    Status::failure(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
}

/// The pod or other object of a request.
fn find(objects: &Objects, kind: Kind, attributes: &Attributes) -> Result<Arc<Value>, Status> {
    objects
        .get(kind, &attributes.namespace, &attributes.name)
        .ok_or_else(|| kind.resource().not_found(&attributes.name))
}

/// Evicts a pod: a deletion that asks first, and here is always granted.
async fn evict(objects: &Objects, attributes: &Attributes, request: Request) -> Result<Response, Status> {
    if request.method() != http::Method::POST {
        return Err(Status::method_not_allowed(request.method()));
    }
    let pod = find(objects, Kind::Pod, attributes)?;
    let eviction = body::read_object(request, BODY_LIMIT).await?.value;
    if eviction["deleteOptions"]["dryRun"].is_null() {
        objects.delete(Kind::Pod, &pod, crate::objects::Propagation::Background);
    }
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok((StatusCode::CREATED, axum::Json(status)).into_response())
}
