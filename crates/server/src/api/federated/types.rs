//! Which types are federated, as they are configured now.

use atoll_federation::types::{ApiType, Served};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Json, List};
use crate::auth::Caller;
use crate::authz::{Action, Resource, Verb};
use crate::error::Result;
use crate::state::AppState;

/// What members hold of a type.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetType {
    /// API group; empty for the core group.
    group: String,
    /// Version.
    version: String,
    /// Kind.
    kind: String,
    /// Whether members hold it in namespaces.
    namespaced: bool,
}

/// A federated type.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FederatedType {
    /// What members hold, such as `deployments.apps`: names the type in paths.
    resource: String,
    /// Such as `FederatedDeployment`.
    kind: String,
    /// Such as `types.kubefed.io`.
    group: String,
    /// Version of the federated kind.
    version: String,
    /// Whether the federated objects live in namespaces.
    namespaced: bool,
    /// What kubectl takes for it, such as `fdeploy`.
    short_names: Vec<String>,
    /// What members hold.
    target: TargetType,
    /// Whether it has replicas that are shared out.
    has_replicas: bool,
    /// Whether its objects are kept in step now.
    propagated: bool,
}

/// Lists the federated types, sorted by the kind that members hold.
#[utoipa::path(
    get, path = "/api/v1/federated/types", tag = "federated",
    responses((status = 200, description = "The types", body = List<FederatedType>)),
)]
pub async fn list_federated_types(State(state): State<AppState>, caller: Caller) -> Result<Json<List<FederatedType>>> {
    caller.may(&Action::console(Resource::Federated, Verb::List))?;
    let configuration = state.configuration();
    let mut items: Vec<FederatedType> = configuration.types.federated().map(shown).collect();
    items.sort_by(|one, other| (&one.target.kind, &one.resource).cmp(&(&other.target.kind, &other.resource)));
    Ok(Json(List {
        total_items: items.len(),
        items,
    }))
}

fn shown(served: Served) -> FederatedType {
    let row = served.row;
    let ApiType {
        group,
        version,
        kind,
        namespaced,
        ..
    } = &row.target;
    FederatedType {
        resource: row.name(),
        kind: row.federated.kind.to_string(),
        group: row.federated.group.to_string(),
        version: row.federated.version.to_string(),
        namespaced: row.federated.namespaced,
        short_names: row.federated.short_names.iter().map(ToString::to_string).collect(),
        target: TargetType {
            group: group.to_string(),
            version: version.to_string(),
            kind: kind.to_string(),
            namespaced: *namespaced,
        },
        has_replicas: row.replicas_path.is_some(),
        propagated: served.propagated,
    }
}
