//! Kubeconfigs for people.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use secrecy::ExposeSecret;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Json;
use crate::app::issue_kubeconfig::issue_kubeconfig;
use crate::auth::Caller;
use crate::authz::{Action, Resource, Verb};
use crate::error::Result;
use crate::state::AppState;

/// Which clusters.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewKubeconfig {
    /// Their names; all that the caller may reach when this is left out.
    clusters: Option<Vec<String>>,
}

/// Makes a kubeconfig: the context `hub` and one for each cluster, with a token made for it.
#[utoipa::path(
    post, path = "/api/v1/kubeconfigs", tag = "tokens", request_body = NewKubeconfig,
    responses((status = 201, description = "The kubeconfig", body = String, content_type = "application/yaml")),
)]
pub async fn create_kubeconfig(
    State(state): State<AppState>,
    caller: Caller,
    Json(body): Json<NewKubeconfig>,
) -> Result<Response> {
    caller.may(&Action::console(Resource::Kubeconfigs, Verb::Create))?;
    let text = issue_kubeconfig(&state, &caller, body.clusters).await?;
    let kind = [(CONTENT_TYPE, "application/yaml")];
    Ok((StatusCode::CREATED, kind, text.expose_secret().to_owned()).into_response())
}
