//! The hub's own Kubernetes API, `/k8s/hub`: federated objects, registered clusters, and the core kinds that tools
//! expect beside them, all kept in the store.
//!
//! `atoll_kubeapi` is the API server (discovery, tables, patches, apply, dry run, watch); here stands what the kinds
//! mean: [`catalog`] which there are and under which old names too, [`spelling`] what old files mean, [`admission`] what may
//! be written, [`claims`] that one object at most says what clusters hold, [`v1`] what plain objects are, [`registry`] how a `KubeFedCluster` and its
//! Secret become a registered cluster, [`backend`] how all of it reaches the store.
//!
//! Two doors lead in. [`router`] is for kubectl and takes bearer tokens alone. [`call`] is for the console API: the same
//! request without a socket, so that whoever saves in the console meets the same admission, the same field managers and
//! the same errors.
//!
//! ```ignore
//! let context = caller.context(request_id);
//! let path = hub::object_path(kind, "shop", "web");
//! let answer = hub::call(&state, context, Method::PUT, &path, Some(&object)).await?; // Err is a `Status`
//! let (object, warnings) = (answer.value, answer.warnings);
//! ```

mod admission;
mod backend;
mod catalog;
mod claims;
mod descriptions;
mod learning;
mod mask;
mod plan_in_status;
pub mod registry;
mod scale;
mod seed;
mod spelling;
mod structures;
mod type_configs;
mod v1;
mod watch;

use std::sync::Arc;

use atoll_federation::TypeDescriptor;
use atoll_kubeapi::{Options, RequestContext, Status};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::Method;
use http::header::{self, HeaderMap, HeaderValue};
use http_body::Body as _;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

pub use catalog::Catalogs;
pub use learning::learn;
pub use plan_in_status::without_plan;
pub use seed::seed;

use crate::auth;
use crate::forward::{is_document, refuse_impersonation, until_ended};
use crate::state::AppState;
use backend::HubBackend;

/// Largest body of a request, in bytes: as of a Kubernetes API server.
const BODY_LIMIT: usize = 3 << 20;
/// Title of its OpenAPI documents.
const TITLE: &str = "Atoll";
/// Field manager of what comes in by [`call`], unless the query names another.
const CONSOLE: &str = "atoll-console";

/// The API for kubectl and other clients, to be nested at `/k8s/hub`. Every request brings a bearer token; a cookie is
/// none here. Streams end when the caller's sign-in does. It fits into a router of any state, having its own.
pub fn router<S: Clone + Send + Sync + 'static>(state: AppState) -> Router<S> {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .fallback_service(api(&state))
        .layer(from_fn_with_state(state.clone(), authenticate))
        .with_state(state)
}

/// One OpenAPI document of everything that a hub serves from the start; a running one tells of its own types too, at
/// `/openapi/v3`.
pub fn openapi() -> Value {
    let catalog = Catalogs::default().of(&Arc::default());
    let versions: std::collections::BTreeSet<(&str, &str)> = catalog
        .iter()
        .map(|resource| (resource.group.as_str(), resource.version.as_str()))
        .collect();
    let mut whole = serde_json::json!({
        "openapi": "3.0.0", "info": {"title": TITLE, "version": "v1"}, "paths": {}, "components": {"schemas": {}},
    });
    for (group, version) in versions {
        let document = atoll_kubeapi::openapi::document(&catalog, TITLE, group, version);
        let Some(one) = document.and_then(|document| serde_json::from_slice::<Value>(&document.json).ok()) else {
            continue;
        };
        for part in ["/paths", "/components/schemas"] {
            if let (Some(all), Some(more)) = (whole.pointer_mut(part), one.pointer(part))
                && let (Some(all), Some(more)) = (all.as_object_mut(), more.as_object())
            {
                all.extend(more.clone());
            }
        }
    }
    whole
}

/// The API for callers that are known: whoever sends a request sets its [`RequestContext`].
fn api(state: &AppState) -> Router {
    let options = Options {
        title: TITLE.into(),
        body_limit: BODY_LIMIT,
        now: state.clock,
        ..Options::default()
    };
    atoll_kubeapi::router(Arc::new(HubBackend::new(state.clone())), options).layer(from_fn(spelling::understand))
}

async fn ready(State(state): State<AppState>) -> Response {
    match state.store.ping().await {
        Ok(()) => "ok".into_response(),
        Err(error) => crate::Error::from(error).into_response(),
    }
}

async fn authenticate(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let tls = auth::tls(request.extensions());
    let caller = match auth::bearer_caller(request.headers(), tls, &state).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    if !is_document(request.method(), request.uri().path())
        && let Err(error) = refuse_impersonation(request.headers())
    {
        return error.into_response();
    }
    let context = caller.context(auth::request_id(request.extensions()));
    request.extensions_mut().insert(structures::remember(context));
    let response = next.run(request).await;
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    response.map(|body| until_ended(body, caller, state))
}

/// What [`call`] answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The object, list or `Status` that a client would have got.
    pub value: Value,
    /// What a client would have been warned of.
    pub warnings: Vec<String>,
}

/// One request to the hub's API from within the process, as the caller that `context` names
/// ([`crate::auth::Caller::context`]). `path` is relative to `/k8s/hub` and may carry a query (`?dryRun=All`); a `PATCH` is a JSON
/// merge patch. It takes exactly the way that kubectl's requests take, authorization included.
///
/// # Errors
/// What a client would have got.
pub async fn call(
    state: &AppState,
    context: RequestContext,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Answer, Status> {
    let kind = if method == Method::PATCH {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    let body = body.map_or_else(Body::empty, |value| Body::from(value.to_string()));
    let mut request = http::Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, kind)
        .header(header::USER_AGENT, CONSOLE)
        .body(body)
        .map_err(|error| Status::bad_request(format!("{path:?} is no path of the API: {error}")))?;
    request.extensions_mut().insert(structures::remember(context));
    let response = api(state).oneshot(request).await.unwrap_or_else(|never| match never {});
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map_err(|_| Status::internal())?.to_bytes();
    if parts.status.is_success() {
        let value = serde_json::from_slice(&bytes).map_err(|_| Status::internal())?;
        let warnings = warnings(&parts.headers);
        return Ok(Answer { value, warnings });
    }
    Err(serde_json::from_slice(&bytes).unwrap_or_else(|_| Status::internal()))
}

/// Path of the objects of a federated type in a namespace, if its objects live in any, for [`call`].
pub fn collection_path(kind: &TypeDescriptor, namespace: &str) -> String {
    let api = &kind.federated;
    if !api.namespaced {
        return format!("/apis/{}/{}/{}", api.group, api.version, api.plural);
    }
    format!(
        "/apis/{}/{}/namespaces/{namespace}/{}",
        api.group, api.version, api.plural
    )
}

/// Path of one object of a federated type, for [`call`].
pub fn object_path(kind: &TypeDescriptor, namespace: &str, name: &str) -> String {
    format!("{}/{name}", collection_path(kind, namespace))
}

/// The texts of `Warning` headers (`299 - "text"`).
fn warnings(headers: &HeaderMap) -> Vec<String> {
    let text = |value: &HeaderValue| {
        let (_, quoted) = std::str::from_utf8(value.as_bytes()).ok()?.split_once('"')?;
        let quoted = quoted.strip_suffix('"').unwrap_or(quoted);
        Some(quoted.replace("\\\"", "\"").replace("\\\\", "\\"))
    };
    headers.get_all(header::WARNING).iter().filter_map(text).collect()
}
