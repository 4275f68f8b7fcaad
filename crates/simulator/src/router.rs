//! All that a member answers.

use std::sync::Arc;

use atoll_kubeapi::Options;
use axum::Router;
use axum::extract::RawQuery;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

use crate::backend::MemberBackend;
use crate::counts::{self, Tally};
use crate::faults::{self, Faults};
use crate::identity::{self, Credential};

/// The routes of a member, from the outside in: counting, faults, who asks, health, the API.
pub(crate) fn router(
    backend: MemberBackend,
    options: Options,
    credential: Credential,
    faults: Faults,
    tally: Tally,
) -> Router {
    Router::new()
        .route("/healthz", get(|query: RawQuery| async { health("healthz", query) }))
        .route("/healthz/{check}", get("ok"))
        .route("/livez", get(|query: RawQuery| async { health("livez", query) }))
        .route("/livez/{check}", get("ok"))
        .route("/readyz", get(|query: RawQuery| async { health("readyz", query) }))
        .route("/readyz/{check}", get("ok"))
        .merge(atoll_kubeapi::router(Arc::new(backend), options))
        .layer(from_fn_with_state(Arc::new(credential), identity::layer))
        .layer(from_fn_with_state(faults, faults::layer))
        .layer(from_fn_with_state(tally, counts::layer))
}

/// What a probe is answered: who asks for more gets each check.
fn health(probe: &str, RawQuery(query): RawQuery) -> String {
    let is_verbose = query.is_some_and(|query| query.split('&').any(|part| part.starts_with("verbose")));
    if !is_verbose {
        return "ok".into();
    }
    let checks: String = ["ping", "log", "etcd", "informer-sync"]
        .iter()
        .map(|check| format!("[+]{check} ok\n"))
        .collect();
    format!("{checks}{probe} check passed\n")
}
