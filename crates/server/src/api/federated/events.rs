//! What happened to a federated object.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Json, List, Path, kind_of};
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
    let kind = kind_of(&state, &resource)?;
    let namespace = if kind.federated.namespaced {
        namespace
    } else {
        String::new()
    };
    // Events about what lives in no namespace stand in this one, as in any cluster.
    let place = if namespace.is_empty() { "default" } else { &namespace };
    let listing = state.store.objects("", "events", Some(place)).await?;
    let is_its = |event: &Value| {
        let about = &event["involvedObject"];
        let group = about["apiVersion"].as_str().and_then(|text| text.split_once('/'));
        about["kind"] == *kind.federated.kind
            && group.is_some_and(|(group, _)| group == kind.federated.group)
            && about["name"] == name.as_str()
            && about["namespace"].as_str().unwrap_or_default() == namespace
    };
    let mut items: Vec<FederatedEvent> = listing
        .objects
        .iter()
        .filter(|event| is_its(&event.body))
        .map(|event| shown(&event.body))
        .collect();
    items.sort_by(|one, other| other.last_at.cmp(&one.last_at));
    Ok(Json(List {
        total_items: items.len(),
        items,
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
        last_at: text("lastTimestamp").or_else(|| text("eventTime")),
    }
}
