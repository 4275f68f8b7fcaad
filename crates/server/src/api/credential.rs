//! The hub's credential on a cluster: it can be replaced, never read.

use axum::extract::State;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;

use super::clusters::{ClusterView, read};
use super::{Json, Path};
use crate::app::replace_credential as app;
use crate::auth::Caller;
use crate::authz::{Action, Resource, Verb};
use crate::error::Result;
use crate::state::AppState;

/// Another credential.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCredential {
    /// A kubeconfig, as text.
    #[serde(deserialize_with = "super::secret")]
    #[schema(value_type = String, format = Password)]
    kubeconfig: SecretString,
    /// Which context of it; the current one when it is left out.
    context: Option<String>,
}

/// Replaces the credential of a cluster. One that leads to another cluster is refused.
#[utoipa::path(
    put, path = "/api/v1/clusters/{name}/credential", tag = "clusters", request_body = NewCredential,
    params(("name" = String, Path, description = "The cluster's name")),
    responses((status = 200, description = "The cluster", body = ClusterView)),
)]
pub async fn replace_credential(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Json(body): Json<NewCredential>,
) -> Result<Json<ClusterView>> {
    caller.may(&Action::named(Resource::Clusters, Verb::Update, &name))?;
    let text = body.kubeconfig.expose_secret();
    app::replace_credential(&state, &caller.subject.user, &name, text, body.context.as_deref()).await?;
    read(&state, &name).await.map(Json)
}
