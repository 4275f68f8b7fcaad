//! `scale`: the replicas of a workload as an object of their own, the same for all kinds that have them.

use atoll_kubeapi::object::{self, revision_of};
use atoll_kubeapi::patch::{PatchType, apply_patch};
use atoll_kubeapi::request::{Query, content_type, default_manager};
use atoll_kubeapi::scale::{self, scale};
use atoll_kubeapi::{Attributes, Change, Commit, Schema, Status, apply, body};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::Method;
use http::header::HeaderMap;
use serde_json::Value;

use super::{BODY_LIMIT, find};
use crate::catalog::Kind;
use crate::objects::{Objects, now_text};

/// How often a scale that is tied to no version is tried against a moving object.
const TRIES: usize = 8;

/// How a client changes a scale.
enum Wanted {
    Whole(Value),
    Patched(PatchType, Value),
}

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
        Method::PUT => Wanted::Whole(body::read_object(request, BODY_LIMIT).await?.value),
        Method::PATCH => {
            let patch_type = PatchType::of(content_type(request.headers()), true)?;
            let patch = body::read_patch(request, patch_type, BODY_LIMIT).await?.value;
            // An applied scale states all there is to it.
            let patch_type = if patch_type == PatchType::Apply {
                PatchType::Merge
            } else {
                patch_type
            };
            Wanted::Patched(patch_type, patch)
        }
        _ => return Err(Status::method_not_allowed(request.method())),
    };
    for _ in 0..TRIES {
        let old = find(objects, kind, attributes)?;
        let current = scale(&old);
        let next = match &wanted {
            Wanted::Whole(next) => next.clone(),
            Wanted::Patched(patch_type, patch) => apply_patch(*patch_type, &current, patch, &Schema::unknown())?,
        };
        let given = next["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        if !given.is_empty() && given != old["metadata"]["resourceVersion"] {
            return Err(kind.resource().conflict(&attributes.name));
        }
        let mut new = (*old).clone();
        new["spec"]["replicas"] = replicas(&next, kind, &attributes.name)?.into();
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

fn replicas(scale: &Value, kind: Kind, name: &str) -> Result<i64, Status> {
    scale::replicas(scale).map_err(|cause| {
        Status::invalid("autoscaling", "Scale", name, vec![cause]).with(|details| {
            details.group = kind.resource().group.clone();
        })
    })
}
