//! `scale`: the replicas of a workload as an object of their own, the same for all kinds that have them.

use atoll_kubeapi::object::{self, revision_of};
use atoll_kubeapi::request::{Query, default_manager};
use atoll_kubeapi::scale::{ScaleChange, scale};
use atoll_kubeapi::{Attributes, Change, Commit, Status, apply};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::Method;
use http::header::HeaderMap;

use super::{BODY_LIMIT, find};
use crate::catalog::Kind;
use crate::objects::{Objects, now_text};

/// How often a scale that is tied to no version is tried against a moving object.
const TRIES: usize = 8;

pub(super) async fn serve(
    objects: &Objects,
    kind: Kind,
    attributes: &Attributes,
    request: Request,
) -> Result<Response, Status> {
    let query = Query::parse(request.uri().query().unwrap_or_default())?;
    let manager = manager(&query, request.headers());
    let wanted = match *request.method() {
        Method::GET | Method::HEAD => {
            return Ok(axum::Json(scale(&*find(objects, kind, attributes)?)).into_response());
        }
        Method::PUT | Method::PATCH => ScaleChange::read(request, BODY_LIMIT).await?,
        _ => return Err(Status::method_not_allowed(request.method())),
    };
    for _ in 0..TRIES {
        let old = find(objects, kind, attributes)?;
        let mut new = (*old).clone();
        new["spec"]["replicas"] = wanted.replicas(kind.resource(), &old)?.into();
        object::count_generation(&old, &mut new);
        let schema = &kind.resource().schema;
        apply::record_update(Some(&old), &mut new, schema, &manager, "scale", &now_text());
        if object::is_no_op(&old, &new) || query.dry_run {
            return Ok(axum::Json(scale(&new)).into_response());
        }
        let commit = Commit {
            resource: kind.resource(),
            namespace: &attributes.namespace,
            name: &attributes.name,
            change: Change::Update {
                value: new,
                expected: revision_of(&old),
            },
        };
        match objects.memory().commit(commit) {
            Err(status) if status.is("Conflict") => {}
            outcome => return Ok(axum::Json(scale(&*outcome?)).into_response()),
        }
    }
    Err(kind.resource().conflict(&attributes.name))
}

fn manager(query: &Query, headers: &HeaderMap) -> String {
    query
        .field_manager
        .clone()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| default_manager(headers))
}
