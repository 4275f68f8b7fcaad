//! API tokens of the caller: shown once, kept as hashes.

use axum::extract::State;
use http::StatusCode;
use jiff::{Timestamp, ToSpan};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Json, List, Paging, Path, Query};
use crate::app::issue_token::issue_token;
use crate::auth::Caller;
use crate::authz::{Action, Resource, Verb};
use crate::error::{Error, Result};
use crate::state::AppState;

/// Longest life of a token that has one, in days.
const MAX_DAYS: i64 = 3650;

/// A token, without the token itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Token)]
pub struct TokenView {
    /// Its id.
    id: Uuid,
    /// What its owner calls it.
    name: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends; null for never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it was last used, to the minute; null for never.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

/// A new token, the only time it is shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewToken {
    /// Its id.
    id: Uuid,
    /// What its owner calls it.
    name: String,
    /// The token.
    token: String,
    /// When it ends; null for never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// What is wanted of a new token.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateToken {
    /// What to call it.
    #[schema(max_length = 63, min_length = 1)]
    name: String,
    /// Days until it ends; never when this is left out.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<i64>,
}

/// Which tokens.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TokensQuery {
    /// Which page, from 1.
    #[param(minimum = 1)]
    page: Option<u32>,
    /// Items of a page, at most 1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `createdAt` (the default), `name`, `expiresAt` or `lastUsedAt`.
    sort_by: Option<String>,
    /// False for the other way round.
    ascending: Option<bool>,
    /// Part of the name.
    name: Option<String>,
}

const SORT_KEYS: [&str; 4] = ["createdAt", "name", "expiresAt", "lastUsedAt"];

/// Lists the caller's tokens.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "tokens", params(TokensQuery),
    responses((status = 200, description = "The tokens", body = List<TokenView>)),
)]
pub async fn list_tokens(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<TokensQuery>,
) -> Result<Json<List<TokenView>>> {
    caller.may(&Action::console(Resource::Own, Verb::List))?;
    let paging = Paging::new(query.page, query.limit, query.sort_by, query.ascending, &SORT_KEYS)?;
    let part = query.name.unwrap_or_default().to_lowercase();
    let tokens = state.store.tokens(&caller.subject.user).await?;
    let views = tokens
        .into_iter()
        .filter(|token| token.name.to_lowercase().contains(&part));
    let views: Vec<TokenView> = views.map(TokenView::from).collect();
    Ok(Json(paging.apply(views, |token| match paging.sort_by.as_str() {
        "name" => (token.name.to_lowercase(), None),
        // A token without end ends last.
        "expiresAt" => (String::new(), Some(token.expires_at.unwrap_or(Timestamp::MAX))),
        "lastUsedAt" => (String::new(), token.last_used_at),
        _ => (String::new(), Some(token.created_at)),
    })))
}

/// Makes a token for the caller. It can do what the caller can.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "tokens", request_body = CreateToken,
    responses((status = 201, description = "The token, shown this once", body = NewToken)),
)]
pub async fn create_token(
    State(state): State<AppState>,
    caller: Caller,
    Json(body): Json<CreateToken>,
) -> Result<(StatusCode, Json<NewToken>)> {
    caller.may(&Action::console(Resource::Own, Verb::Create))?;
    let now = state.now();
    let expires_at = match body.expires_in_days {
        None => None,
        Some(days) if (1..=MAX_DAYS).contains(&days) => {
            Some(now.checked_add((days * 24).hours()).map_err(Error::internal)?)
        }
        Some(_) => {
            let cause = atoll_kubeapi::Cause::invalid("expiresInDays", format!("must be 1 to {MAX_DAYS}"));
            return Err(Error::invalid("Token", &body.name, vec![cause]));
        }
    };
    let (record, token) = issue_token(&state.store, &caller.subject.user, &body.name, expires_at, now).await?;
    let answer = NewToken {
        id: record.id,
        name: record.name,
        token: token.expose_secret().to_owned(),
        expires_at: record.expires_at,
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Revokes a token of the caller, on every replica within seconds.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", tag = "tokens",
    params(("id" = Uuid, Path, description = "The token's id")),
    responses((status = 204, description = "Revoked")),
)]
pub async fn delete_token(State(state): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode> {
    caller.may(&Action::console(Resource::Own, Verb::Delete))?;
    let unknown = || Error::from(atoll_kubeapi::Status::not_found("", "tokens", &id));
    let parsed: Uuid = id.parse().map_err(|_| unknown())?;
    state.store.delete_token(&caller.subject.user, parsed).await?;
    tracing::info!(user.name = %caller.subject.user, token.id = %parsed, "a token was revoked");
    Ok(StatusCode::NO_CONTENT)
}

impl From<atoll_store::Token> for TokenView {
    fn from(token: atoll_store::Token) -> Self {
        Self {
            id: token.id,
            name: token.name,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
        }
    }
}
