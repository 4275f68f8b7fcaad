//! API tokens: opaque to everybody, kept as hashes.

use jiff::Timestamp;
use uuid::Uuid;

use crate::backend::{on_connection, on_pool, on_writer, row};
use crate::error::{Doing, Error, Result};
use crate::{ObjectKey, Store};

/// A token for programs.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// Whose it is.
    pub user_name: String,
    /// SHA-256 of the token.
    pub hash: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

row! {
    struct TokenRow {
        id: Uuid,
        name: String,
        user_name: String,
        hash: Vec<u8>,
        created_at: i64,
        expires_at: Option<i64>,
        last_used_at: Option<i64>,
    }
}

const OF_USER: &str = "SELECT id, name, user_name, hash, created_at, expires_at, last_used_at FROM tokens WHERE user_name = $1 ORDER BY created_at, id";
const BY_HASH: &str =
    "SELECT id, name, user_name, hash, created_at, expires_at, last_used_at FROM tokens WHERE hash = $1";
const INSERT: &str = "INSERT INTO tokens (id, name, user_name, hash, created_at, expires_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
const DELETE: &str = "DELETE FROM tokens WHERE id = $1 AND user_name = $2";
const USED: &str = "UPDATE tokens SET last_used_at = $2 WHERE id = $1";
pub(crate) const STATEMENTS: [&str; 5] = [OF_USER, BY_HASH, INSERT, DELETE, USED];

impl TokenRow {
    fn into_token(self) -> Result<Token> {
        let time = |milliseconds| {
            Timestamp::from_millisecond(milliseconds).map_err(|error| Error::Corrupt {
                what: "a token".into(),
                why: error.to_string(),
            })
        };
        Ok(Token {
            id: self.id,
            created_at: time(self.created_at)?,
            expires_at: self.expires_at.map(time).transpose()?,
            last_used_at: self.last_used_at.map(time).transpose()?,
            name: self.name,
            user_name: self.user_name,
            hash: self.hash,
        })
    }
}

impl Store {
    /// The tokens of a user, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens(&self, user_name: &str) -> Result<Vec<Token>> {
        let rows: Vec<TokenRow> = on_pool!(self, |pool| sqlx::query_as(OF_USER)
            .bind(user_name)
            .fetch_all(pool)
            .await)
        .doing("reading tokens")?;
        rows.into_iter().map(TokenRow::into_token).collect()
    }

    /// The token with this hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token_by_hash(&self, hash: &[u8]) -> Result<Option<Token>> {
        let row: Option<TokenRow> = on_pool!(self, |pool| sqlx::query_as(BY_HASH)
            .bind(hash)
            .fetch_optional(pool)
            .await)
        .doing("reading a token")?;
        row.map(TokenRow::into_token).transpose()
    }

    /// Keeps a new token.
    ///
    /// # Errors
    /// When the database fails, or the user is gone.
    pub async fn create_token(&self, token: &Token) -> Result<()> {
        self.changing_access(async |connection| {
            on_connection!(connection, |one| {
                sqlx::query(INSERT)
                    .bind(token.id)
                    .bind(&token.name)
                    .bind(&token.user_name)
                    .bind(&token.hash)
                    .bind(token.created_at.as_millisecond())
                    .bind(token.expires_at.map(Timestamp::as_millisecond))
                    .bind(token.last_used_at.map(Timestamp::as_millisecond))
                    .execute(one)
                    .await
                    .map(drop)
            })
            .doing("making a token")
        })
        .await
    }

    /// Revokes a token of a user.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the user has no such token, or when the database fails.
    pub async fn delete_token(&self, user_name: &str, id: Uuid) -> Result<()> {
        self.changing_access(async |connection| {
            let gone = on_connection!(connection, |one| {
                sqlx::query(DELETE)
                    .bind(id)
                    .bind(user_name)
                    .execute(one)
                    .await
                    .map(|done| done.rows_affected())
            })
            .doing("revoking a token")?;
            if gone == 0 {
                return Err(Error::NotFound(ObjectKey::new("", "tokens", "", &id.to_string())));
            }
            Ok(())
        })
        .await
    }

    /// Remembers that a token was used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token_used(&self, id: Uuid, at: Timestamp) -> Result<()> {
        on_writer!(self, |pool| sqlx::query(USED)
            .bind(id)
            .bind(at.as_millisecond())
            .execute(pool)
            .await
            .map(drop))
        .doing("noting the use of a token")
    }
}
