//! What would happen with an object if it were saved.

use atoll_federation::TypeDescriptor;
use atoll_federation::preview::Action as Planned;
use atoll_kubeapi::Cause;
use axum::extract::State;
use http::Extensions;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{FederatedBody, Json};
use crate::app::preview_federated as app;
use crate::auth::{self, Caller};
use crate::authz::{Action, Resource, Verb};
use crate::error::{Error, Reason, Result};
use crate::state::AppState;

/// One field of a member's object that would change.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// Where, such as `spec.template.spec.containers[web].image`.
    path: String,
    /// What the member has; null when it has nothing there. Values of Secrets are masked.
    #[schema(value_type = Value)]
    before: Option<Value>,
    /// What it would have; null when the field goes.
    #[schema(value_type = Value)]
    after: Option<Value>,
}

/// What would happen in one cluster.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewCluster {
    /// The cluster.
    name: String,
    /// `create`, `update`, `unchanged`, `delete`, `keep`, `wait`, `fail` or `none`.
    action: &'static str,
    /// One word for why; null when there is nothing to explain.
    reason: Option<String>,
    /// For people.
    message: Option<String>,
    /// Replicas that the hub would ask for.
    replicas: Option<i64>,
    /// What the cluster would get. Values of Secrets are masked.
    #[schema(value_type = Option<Object>)]
    object: Option<Value>,
    /// Field by field, what would change in an object that is there already.
    changes: Vec<FieldChange>,
}

/// What would happen in each cluster.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Every registered cluster.
    clusters: Vec<PreviewCluster>,
    /// What does not stop it but may not be meant.
    warnings: Vec<String>,
}

/// Tells what the planner would do with an object, of any federated type or a `ReplicaSchedulingPreference`. Nothing is saved.
#[utoipa::path(
    post, path = "/api/v1/federated/preview", tag = "federated", request_body = FederatedBody,
    responses((status = 200, description = "What would happen", body = Preview)),
)]
pub async fn preview_federated(
    State(state): State<AppState>,
    caller: Caller,
    extensions: Extensions,
    Json(body): Json<FederatedBody>,
) -> Result<Json<Preview>> {
    caller.may(&Action::console(Resource::Federated, Verb::Create))?;
    let context = caller.context(auth::request_id(&extensions));
    let (told, mut warnings) = if body.object["kind"] == app::PREFERENCE_KIND {
        app::preview_preference(&state, &context, &body.object).await?
    } else {
        let kind = kind_of(&state, &body.object)?;
        app::preview_federated(&state, &context, kind, &body.object).await?
    };
    warnings.extend(told.warnings.into_iter().map(|warning| warning.0));
    let clusters = told.clusters.into_iter().map(shown);
    Ok(Json(Preview {
        clusters: clusters.collect(),
        warnings,
    }))
}

/// The federated type of an object: by kind, and by group where several types call their kind the same.
fn kind_of(state: &AppState, object: &Value) -> Result<&'static TypeDescriptor> {
    let text = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
    let (api_version, found) = (text("apiVersion"), text("kind"));
    let configuration = state.configuration();
    let all = configuration.types.federated().map(|served| served.row);
    let rows: Vec<&'static TypeDescriptor> = all.filter(|row| row.federated.kind == found).collect();
    let is_its = |row: &&&'static TypeDescriptor| api_version.split('/').next() == Some(&row.federated.group);
    let exact = rows.iter().find(is_its);
    exact.or_else(|| rows.first()).copied().ok_or_else(|| {
        // Neither name nor kind can be relied on here, so the message is the cause alone.
        let why = match found.as_str() {
            "" => "must be there, such as FederatedDeployment".to_owned(),
            found => format!("{found:?} is no federated kind of this hub"),
        };
        let cause = Cause::invalid("object.kind", why);
        Error::new(Reason::Invalid, format!("{}: {}", cause.field, cause.message)).with_cause(cause)
    })
}

fn shown(cluster: atoll_federation::preview::ClusterPreview) -> PreviewCluster {
    let text = |text: String| Some(text).filter(|text| !text.is_empty());
    let changes = cluster.changes.into_iter().map(|change| FieldChange {
        path: change.path,
        before: change.before,
        after: change.after,
    });
    PreviewCluster {
        name: cluster.name.to_string(),
        action: Planned::as_str(cluster.action),
        reason: text(cluster.reason),
        message: text(cluster.message),
        replicas: cluster.replicas,
        object: cluster.object,
        changes: changes.collect(),
    }
}
