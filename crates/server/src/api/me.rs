//! The caller, and what a page needs to know of the hub.

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Json;
use crate::auth::Caller;
use crate::authz::{Action, Resource, Verb};
use crate::error::Result;
use crate::state::AppState;

/// A person.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub struct UserView {
    /// Name, unique.
    name: String,
    /// Name for people.
    display_name: String,
    /// Whether everything is allowed.
    admin: bool,
}

impl From<&atoll_store::User> for UserView {
    fn from(user: &atoll_store::User) -> Self {
        Self {
            name: user.name.clone(),
            display_name: user.display_name.clone(),
            admin: user.admin,
        }
    }
}

/// The hub, as pages need it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Hub)]
pub struct HubView {
    /// Version of the program.
    version: &'static str,
    /// What kubeconfigs name.
    public_url: String,
    /// Whether everything here will be thrown away.
    demo: bool,
}

/// The caller.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// Who asks.
    user: UserView,
    /// Their groups, as members see them.
    groups: Vec<String>,
    /// When the sign-in or token ends; null for a token without end.
    #[schema(value_type = Option<String>, format = DateTime)]
    session_expires_at: Option<Timestamp>,
    /// The hub.
    hub: HubView,
}

/// Says who asks.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "sessions",
    responses((status = 200, description = "The caller", body = Me)),
)]
pub async fn get_me(State(state): State<AppState>, caller: Caller) -> Result<Json<Me>> {
    caller.may(&Action::console(Resource::Own, Verb::Get))?;
    Ok(Json(Me {
        session_expires_at: caller.expires_at(),
        user: UserView {
            name: caller.subject.user,
            display_name: caller.display_name,
            admin: caller.subject.admin,
        },
        groups: caller.subject.groups,
        hub: HubView {
            version: env!("CARGO_PKG_VERSION"),
            public_url: state.hub.public_url.clone(),
            demo: state.hub.demo,
        },
    }))
}
