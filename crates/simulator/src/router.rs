//! All that a member answers.

use std::sync::Arc;

use atoll_kubeapi::Options;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

use crate::backend::MemberBackend;
use crate::faults::{self, Faults};
use crate::identity::{self, Credential};

/// The routes of a member, from the outside in: faults, who asks, health, the API.
pub(crate) fn router(backend: MemberBackend, options: Options, credential: Credential, faults: Faults) -> Router {
    Router::new()
        .route("/healthz", get("ok"))
        .route("/healthz/{check}", get("ok"))
        .route("/livez", get("ok"))
        .route("/livez/{check}", get("ok"))
        .route("/readyz", get("ok"))
        .route("/readyz/{check}", get("ok"))
        .merge(atoll_kubeapi::router(Arc::new(backend), options))
        .layer(from_fn_with_state(Arc::new(credential), identity::layer))
        .layer(from_fn_with_state(faults, faults::layer))
}
