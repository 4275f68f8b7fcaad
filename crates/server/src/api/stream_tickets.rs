//! Tickets for a WebSocket, whose handshake cannot carry the header that cookies need beside them.

use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Json;
use super::stream::PATH;
use crate::auth::Caller;
use crate::authz::{Action, Resource, Verb};
use crate::error::Result;
use crate::state::AppState;

/// A ticket that opens the stream once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamTicket {
    /// To be offered as the subprotocol `ticket.<ticket>` beside `atoll.v1`.
    ticket: String,
    /// When it is good no more.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Makes a ticket for the stream: good once, for 30 s, for the caller.
#[utoipa::path(
    post, path = "/api/v1/stream-tickets", tag = "stream",
    responses((status = 201, description = "The ticket", body = StreamTicket)),
)]
pub async fn create_stream_ticket(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<(StatusCode, Json<StreamTicket>)> {
    caller.may(&Action::console(Resource::Stream, Verb::Get))?;
    let (ticket, expires_at) = state.tickets.issue(&caller, PATH, state.now());
    Ok((StatusCode::CREATED, Json(StreamTicket { ticket, expires_at })))
}
