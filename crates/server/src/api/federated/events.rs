//! What happened to a federated object.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Json, List, Path, kind_of};
use crate::app::list_federated_events::{self as app, Subject};
use crate::auth::Caller;
use crate::authz::{Action, Resource, Verb};
use crate::error::Result;
use crate::state::AppState;

/// Something that happened, perhaps several times.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FederatedEvent {
    /// Whether something went wrong.
    warning: bool,
    /// One word, such as `CreateInCluster`.
    reason: String,
    /// For people.
    message: String,
    /// How often.
    count: i64,
    /// When it happened first.
    #[schema(value_type = Option<String>, format = DateTime)]
    first_at: Option<String>,
    /// When it happened last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_at: Option<String>,
}

/// Lists what happened to a federated object, the latest first.
#[utoipa::path(
    get, path = "/api/v1/federated/{resource}/{namespace}/{name}/events", tag = "federated",
    params(
        ("resource" = String, Path, description = "What members hold, such as deployments.apps"),
        ("namespace" = String, Path, description = "The object's namespace; - for what lives in none"),
        ("name" = String, Path, description = "The object's name"),
    ),
    responses((status = 200, description = "The events", body = List<FederatedEvent>)),
)]
pub async fn list_federated_events(
    State(state): State<AppState>,
    caller: Caller,
    Path((resource, namespace, name)): Path<(String, String, String)>,
) -> Result<Json<List<FederatedEvent>>> {
    caller.may(&Action::named(Resource::Federated, Verb::Get, &name))?;
    let subject = Subject {
        kind: kind_of(&state, &resource)?,
        namespace: &namespace,
        name: &name,
    };
    let events = app::list_federated_events(&state, subject).await?;
    Ok(Json(List {
        total_items: events.len(),
        items: events.iter().map(|event| shown(event)).collect(),
    }))
}

fn shown(event: &Value) -> FederatedEvent {
    let text = |field: &str| event[field].as_str().map(str::to_owned);
    FederatedEvent {
        warning: event["type"] == "Warning",
        reason: text("reason").unwrap_or_default(),
        message: text("message").unwrap_or_default(),
        count: event["count"].as_i64().unwrap_or(1),
        first_at: text("firstTimestamp").or_else(|| text("eventTime")),
        last_at: app::last_at(event).map(str::to_owned),
    }
}
