//! Every path of the hub, top to bottom.
//!
//! Each prefix has a layer stack of its own, so that no surface inherits another's limits: the console API has a
//! deadline and a small body, forwarded requests have neither. What all of them share stands in [`layers`]: a request
//! id, the log of failures, headers that keep browsers from being clever, the check of the `Host`, and an end for
//! panics.

mod layers;

use axum::Router;
use axum::extract::State;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use layers::RequestId;

use crate::error::Error;
use crate::state::AppState;
use crate::{api, console_files, forward, hub};

/// Largest body of a call of the console API, in bytes: a kubeconfig of 1 MiB, as JSON.
const API_BODY_LIMIT: usize = 3 << 20;

/// The whole application.
pub fn router(state: AppState) -> Router {
    let api_layers = tower::ServiceBuilder::new()
        .layer(from_fn(layers::no_store))
        .layer(from_fn(layers::deadline))
        .layer(axum::extract::DefaultBodyLimit::max(API_BODY_LIMIT));
    let (console_api, _) = console_api().split_for_parts();

    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/healthz", get(readyz))
        .merge(console_api.layer(api_layers))
        // A wildcard takes at least one character, so that a bare prefix needs a line of its own with and without slash.
        .route("/api", any(no_such_path))
        .route("/api/", any(no_such_path))
        .route("/api/{*rest}", any(no_such_path))
        // As a service: its own fallback answers everything below, before the catch-all of `/k8s` could.
        .nest_service("/k8s/hub", hub::router::<()>(state.clone()))
        .route("/k8s/clusters/{*rest}", any(forward::handle))
        .route("/k8s", any(no_such_path))
        .route("/k8s/", any(no_such_path))
        .route("/k8s/{*rest}", any(no_such_path))
        .fallback(console_files::serve)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(state.clone(), layers::catch_panics))
        .layer(from_fn_with_state(state.clone(), layers::known_host))
        .layer(from_fn(layers::security_headers))
        .layer(from_fn_with_state(state.clone(), layers::observe))
        .with_state(state)
}

/// The console API, with its OpenAPI document.
pub(crate) fn console_api() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(api::sessions::create_session))
        .routes(routes!(api::sessions::delete_session))
        .routes(routes!(api::me::get_me))
        .routes(routes!(api::clusters::list_clusters, api::clusters::register_cluster))
        .routes(routes!(
            api::clusters::get_cluster,
            api::clusters::update_cluster,
            api::clusters::remove_cluster
        ))
        .routes(routes!(api::credential::replace_credential))
        .routes(routes!(api::connection_checks::check_connection))
        .routes(routes!(api::kubeconfigs::create_kubeconfig))
        .routes(routes!(api::tokens::list_tokens, api::tokens::create_token))
        .routes(routes!(api::tokens::delete_token))
        .routes(routes!(
            api::federated::list_federated,
            api::federated::create_federated
        ))
        .routes(routes!(
            api::federated::get_federated,
            api::federated::replace_federated,
            api::federated::delete_federated
        ))
        .routes(routes!(api::federated::preview::preview_federated))
        .routes(routes!(api::federated::types::list_federated_types))
        .routes(routes!(api::federated::events::list_federated_events))
        .routes(routes!(api::holds::list_holds))
        .routes(routes!(api::holds::get_hold, api::holds::answer_hold))
        .routes(routes!(api::stream_tickets::create_stream_ticket))
        .routes(routes!(api::stream::open_stream))
}

/// The process runs.
pub(crate) async fn livez() -> Response {
    probe(StatusCode::OK, "ok")
}

/// Requests can be answered: the database is there, and the process is not about to end.
pub(crate) async fn readyz(State(state): State<AppState>) -> Response {
    if state.tunnels.is_cancelled() {
        return probe(StatusCode::SERVICE_UNAVAILABLE, "shutting down");
    }
    if !state.directory.is_current() {
        return probe(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer");
    }
    probe(StatusCode::OK, "ok")
}

fn probe(code: StatusCode, text: &'static str) -> Response {
    (code, [(CACHE_CONTROL, "no-store")], text).into_response()
}

async fn no_such_path() -> Error {
    atoll_kubeapi::Status::no_such_path().into()
}

async fn method_not_allowed(method: http::Method) -> Error {
    Error::method_not_allowed(&method)
}
