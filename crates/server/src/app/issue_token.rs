//! A new API token.

use atoll_kubeapi::Cause;
use atoll_store::{Store, Token};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::auth;
use crate::error::{Error, Result};

/// Longest name of a token, in characters.
const MAX_NAME: usize = 63;
/// Most tokens of one person.
const MAX_TOKENS: usize = 200;

/// Makes a token for a user: its record, and the token itself, which is kept nowhere.
///
/// # Errors
/// When the name cannot be used, there are too many, or the database fails.
pub async fn issue_token(
    store: &Store,
    user: &str,
    name: &str,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(Token, SecretString)> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > MAX_NAME || name.chars().any(char::is_control) {
        let cause = Cause::invalid("name", format!("must have 1 to {MAX_NAME} characters"));
        return Err(Error::invalid("Token", name, vec![cause]));
    }
    if store.tokens(user).await?.len() >= MAX_TOKENS {
        return Err(Error::forbidden(format!(
            "there are {MAX_TOKENS} tokens already; revoke those that are no longer needed"
        )));
    }
    let token = auth::new_token();
    let record = Token {
        id: Uuid::new_v4(),
        name: name.to_owned(),
        user_name: user.to_owned(),
        hash: auth::digest(token.expose_secret().as_bytes()).to_vec(),
        created_at: now,
        expires_at,
        last_used_at: None,
    };
    store.create_token(&record).await?;
    tracing::info!(user.name = user, token.id = %record.id, "a token was made");
    Ok((record, token))
}
