//! Sign-ins.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{HeaderMap, HeaderValue, ORIGIN, SET_COOKIE};
use http::{Extensions, StatusCode};
use jiff::{Timestamp, ToSpan};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Json;
use super::me::UserView;
use crate::auth::bearer::{LOOPBACK_COOKIE, SECURE_COOKIE};
use crate::auth::{self, Caller, Proof, password};
use crate::authz::{Action, Resource, Verb};
use crate::error::{Error, Reason, Result};
use crate::listen::Peer;
use crate::metrics::SignInOutcome;
use crate::state::AppState;

/// Longest user name that is looked at, in bytes.
const MAX_NAME: usize = 256;

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSession {
    /// The user's name.
    username: String,
    /// The password.
    #[serde(deserialize_with = "super::secret")]
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    /// Whether the token is wanted as a cookie, as pages do.
    #[serde(default)]
    cookie: bool,
}

/// A sign-in with its token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenSession {
    /// The bearer token.
    token: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Who signed in.
    user: UserView,
}

/// A sign-in whose token is a cookie.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CookieSession {
    /// What pages send as `X-Atoll-Key` beside the cookie.
    key: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Who signed in.
    user: UserView,
}

/// What a sign-in answers: the token, or with `cookie` the key that belongs to the cookie.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum SessionAnswer {
    /// Without `cookie`.
    Token(TokenSession),
    /// With `cookie: true`.
    Cookie(CookieSession),
}

/// Signs in.
#[utoipa::path(
    post, path = "/api/v1/sessions", tag = "sessions",
    request_body = NewSession,
    responses((status = 201, description = "Signed in", body = SessionAnswer)),
    security(()),
)]
pub async fn create_session(
    State(state): State<AppState>,
    extensions: Extensions,
    headers: HeaderMap,
    Json(body): Json<NewSession>,
) -> Result<Response> {
    let tls = auth::tls(&extensions);
    refuse_foreign_pages(&headers)?;
    let user = check_password(&state, &extensions, &body.username, body.password).await?;

    let now = state.now();
    let expires_at = now
        .checked_add(i64::from(state.hub.session_hours).hours())
        .map_err(Error::internal)?;
    let key = auth::random_text();
    let session = atoll_store::Session {
        id: Uuid::new_v4(),
        user_name: user.name.clone(),
        key_hash: auth::digest(key.as_bytes()).to_vec(),
        created_at: now,
        expires_at,
    };
    state.store.create_session(&session).await?;
    let token = state.sessions.issue(session.id, &user.name, now, expires_at);
    tracing::info!(user.name = %user.name, session.id = %session.id, "signed in");

    let user = UserView::from(&user);
    if !body.cookie {
        let answer = SessionAnswer::Token(TokenSession {
            token,
            expires_at,
            user,
        });
        return Ok((StatusCode::CREATED, Json(answer)).into_response());
    }
    let answer = SessionAnswer::Cookie(CookieSession { key, expires_at, user });
    let seconds = expires_at.duration_since(now).as_secs();
    let cookie = cookie(&token, seconds, tls)?;
    Ok((StatusCode::CREATED, [(SET_COOKIE, cookie)], Json(answer)).into_response())
}

/// Ends the sign-in that this call is made with.
#[utoipa::path(
    delete, path = "/api/v1/sessions/current", tag = "sessions",
    responses((status = 204, description = "Signed out")),
)]
pub async fn delete_session(State(state): State<AppState>, extensions: Extensions, caller: Caller) -> Result<Response> {
    caller.may(&Action::console(Resource::Own, Verb::Delete))?;
    let Proof::Session { id, .. } = caller.proof else {
        return Err(Error::bad_request(
            "this call is made with an API token, which is revoked under /api/v1/tokens",
        ));
    };
    state.store.delete_session(id).await?;
    tracing::info!(user.name = %caller.subject.user, session.id = %id, "signed out");
    let gone = cookie("", 0, auth::tls(&extensions))?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, gone)]).into_response())
}

/// A page of another site must not be able to sign a browser in as somebody else.
fn refuse_foreign_pages(headers: &HeaderMap) -> Result<()> {
    if headers.contains_key("sec-fetch-site") || headers.contains_key(ORIGIN) {
        auth::bearer::same_origin(headers)?;
    }
    Ok(())
}

async fn check_password(
    state: &AppState,
    extensions: &Extensions,
    name: &str,
    password: SecretString,
) -> Result<atoll_store::User> {
    // Connections always have a peer; what comes from within the process counts as this machine.
    let address = extensions
        .get::<Peer>()
        .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.address.ip());
    password::check_length(&password).map_err(|error| Error::bad_request(error.to_string()))?;
    if name.len() > MAX_NAME {
        return Err(Error::bad_request(format!(
            "the user name is longer than {MAX_NAME} bytes"
        )));
    }
    if let Err(locked) = state.limiter.begin(name, address.into(), state.now()) {
        state.metrics.signed_in(SignInOutcome::Locked);
        tracing::warn!(peer = %address, "too many tries to sign in");
        return Err(Error::too_many_requests(
            "too many tries to sign in",
            locked.retry_after_seconds,
        ));
    }
    let user = state.store.user(name).await?.filter(|user| !user.disabled);
    let known = user.as_ref().map(|user| user.password_hash.clone());
    let matches = state.verifier.verify(password, known).await;
    match user.filter(|_| matches) {
        Some(user) => {
            state.limiter.succeeded(name, address.into());
            state.metrics.signed_in(SignInOutcome::Ok);
            Ok(user)
        }
        None => {
            state.metrics.signed_in(SignInOutcome::Refused);
            tracing::warn!(peer = %address, "a sign-in was refused");
            // One sentence for a wrong name and a wrong password: it does not tell which names there are.
            Err(Error::new(
                Reason::Unauthorized,
                "the user name or the password is wrong",
            ))
        }
    }
}

/// The session cookie. Over TLS it has the prefix that makes browsers insist on `Secure`; on loopback without TLS a
/// browser would refuse that, so there it has another name.
fn cookie(token: &str, seconds: i64, tls: bool) -> Result<HeaderValue> {
    let (name, secure) = if tls {
        (SECURE_COOKIE, "; Secure")
    } else {
        (LOOPBACK_COOKIE, "")
    };
    let text = format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_for_this_host_and_its_pages_alone() {
        let cookie = cookie("t", 60, true).unwrap();
        assert_eq!(
            cookie,
            "__Host-atoll=t; Path=/; HttpOnly; SameSite=Strict; Max-Age=60; Secure"
        );
    }

    #[test]
    fn without_tls_the_cookie_has_no_prefix_that_browsers_would_refuse() {
        let cookie = cookie("t", 60, false).unwrap();
        assert_eq!(cookie, "atoll-session=t; Path=/; HttpOnly; SameSite=Strict; Max-Age=60");
    }
}
