//! Sign-ins. Only their hashes are kept.

use jiff::Timestamp;
use uuid::Uuid;

use crate::backend::{on_connection, on_pool, on_writer, row};
use crate::error::{Doing, Error, Result};
use crate::{ObjectKey, Store};

/// A sign-in that has not ended.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub user_name: String,
    /// SHA-256 of the key that pages send beside the cookie.
    pub key_hash: Vec<u8>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

row! {
    struct SessionRow {
        id: Uuid,
        user_name: String,
        key_hash: Vec<u8>,
        created_at: i64,
        expires_at: i64,
    }
}

const FIND: &str = "SELECT id, user_name, key_hash, created_at, expires_at FROM sessions WHERE id = $1";
const INSERT: &str =
    "INSERT INTO sessions (id, user_name, key_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
const DELETE: &str = "DELETE FROM sessions WHERE id = $1";
const DELETE_EXPIRED: &str = "DELETE FROM sessions WHERE expires_at < $1";
pub(crate) const STATEMENTS: [&str; 4] = [FIND, INSERT, DELETE, DELETE_EXPIRED];

impl Store {
    /// One session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, id: Uuid) -> Result<Option<Session>> {
        let row: Option<SessionRow> = on_pool!(self, |pool| sqlx::query_as(FIND).bind(id).fetch_optional(pool).await)
            .doing("reading a session")?;
        row.map(|row| {
            let time = |milliseconds| {
                Timestamp::from_millisecond(milliseconds).map_err(|error| Error::Corrupt {
                    what: "a session".into(),
                    why: error.to_string(),
                })
            };
            Ok(Session {
                id: row.id,
                created_at: time(row.created_at)?,
                expires_at: time(row.expires_at)?,
                user_name: row.user_name,
                key_hash: row.key_hash,
            })
        })
        .transpose()
    }

    /// Keeps a new session, and forgets those that had ended by the time it began.
    ///
    /// # Errors
    /// When the database fails, or the user is gone.
    pub async fn create_session(&self, session: &Session) -> Result<()> {
        self.changing_access(async |connection| {
            on_connection!(connection, |one| {
                sqlx::query(DELETE_EXPIRED)
                    .bind(session.created_at.as_millisecond())
                    .execute(one)
                    .await
                    .map(drop)
            })
            .doing("forgetting ended sessions")?;
            on_connection!(connection, |one| {
                sqlx::query(INSERT)
                    .bind(session.id)
                    .bind(&session.user_name)
                    .bind(&session.key_hash)
                    .bind(session.created_at.as_millisecond())
                    .bind(session.expires_at.as_millisecond())
                    .execute(one)
                    .await
                    .map(drop)
            })
            .doing("beginning a session")
        })
        .await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it has ended already, or when the database fails.
    pub async fn delete_session(&self, id: Uuid) -> Result<()> {
        self.changing_access(async |connection| {
            let ended = on_connection!(connection, |one| {
                sqlx::query(DELETE)
                    .bind(id)
                    .execute(one)
                    .await
                    .map(|done| done.rows_affected())
            })
            .doing("ending a session")?;
            if ended == 0 {
                return Err(Error::NotFound(ObjectKey::new("", "sessions", "", &id.to_string())));
            }
            Ok(())
        })
        .await
    }

    /// Forgets sessions that had ended by `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_sessions(&self, now: Timestamp) -> Result<()> {
        on_writer!(self, |pool| sqlx::query(DELETE_EXPIRED)
            .bind(now.as_millisecond())
            .execute(pool)
            .await
            .map(drop))
        .doing("forgetting ended sessions")
    }
}
