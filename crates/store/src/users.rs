//! People.

use jiff::Timestamp;

use crate::backend::{Connection, on_connection, on_pool, row};
use crate::error::{Doing, Error, Result};
use crate::{ObjectKey, Store};

/// Somebody who can sign in.
#[derive(Debug, Clone)]
pub struct User {
    /// Name, unique.
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// Password hash in PHC form.
    pub password_hash: String,
    /// Whether everything is allowed.
    pub admin: bool,
    /// Whether signing in is refused.
    pub disabled: bool,
    /// When the user was made.
    pub created_at: Timestamp,
}

row! {
    struct UserRow {
        name: String,
        display_name: String,
        password_hash: String,
        admin: bool,
        disabled: bool,
        created_at: i64,
    }
}

const FIND: &str = "SELECT name, display_name, password_hash, admin, disabled, created_at FROM users WHERE name = $1";
pub(crate) const INSERT: &str = "INSERT INTO users (name, display_name, password_hash, admin, disabled, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
const SET_PASSWORD: &str = "UPDATE users SET password_hash = $2 WHERE name = $1";
const SET_DISABLED: &str = "UPDATE users SET disabled = $2 WHERE name = $1";
const END_SESSIONS: &str = "DELETE FROM sessions WHERE user_name = $1";
pub(crate) const MOVE_ACCESS: &str = "UPDATE counters SET value = value + 1 WHERE name = 'access'";
pub(crate) const STATEMENTS: [&str; 6] = [FIND, INSERT, SET_PASSWORD, SET_DISABLED, END_SESSIONS, MOVE_ACCESS];

pub(crate) async fn insert(connection: &mut Connection, user: &User) -> Result<()> {
    on_connection!(connection, |one| {
        sqlx::query(INSERT)
            .bind(&user.name)
            .bind(&user.display_name)
            .bind(&user.password_hash)
            .bind(user.admin)
            .bind(user.disabled)
            .bind(user.created_at.as_millisecond())
            .execute(one)
            .await
            .map(drop)
    })
    .doing("adding a user")
}

fn user_key(name: &str) -> ObjectKey {
    ObjectKey::new("", "users", "", name)
}

impl Store {
    /// One user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user(&self, name: &str) -> Result<Option<User>> {
        let row: Option<UserRow> = on_pool!(self, |pool| sqlx::query_as(FIND).bind(name).fetch_optional(pool).await)
            .doing("reading a user")?;
        row.map(|row| {
            Ok(User {
                created_at: Timestamp::from_millisecond(row.created_at)
                    .map_err(|error| user_key(&row.name).corrupt(&error))?,
                name: row.name,
                display_name: row.display_name,
                password_hash: row.password_hash,
                admin: row.admin,
                disabled: row.disabled,
            })
        })
        .transpose()
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`], or when the database fails.
    pub async fn create_user(&self, user: &User) -> Result<()> {
        if self.user(&user.name).await?.is_some() {
            return Err(Error::AlreadyExists(user_key(&user.name)));
        }
        self.changing_access(async |connection| insert(connection, user).await)
            .await
    }

    /// Sets a password and ends the user's sessions.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn set_password(&self, name: &str, password_hash: &str) -> Result<()> {
        self.changing_access(async |connection| {
            let changed = on_connection!(connection, |one| {
                sqlx::query(SET_PASSWORD)
                    .bind(name)
                    .bind(password_hash)
                    .execute(one)
                    .await
                    .map(|done| done.rows_affected())
            })
            .doing("setting a password")?;
            if changed == 0 {
                return Err(Error::NotFound(user_key(name)));
            }
            end_sessions(connection, name).await
        })
        .await
    }

    /// Lets a user in again, or shuts the user out and ends the sessions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_user_disabled(&self, name: &str, disabled: bool) -> Result<()> {
        self.changing_access(async |connection| {
            on_connection!(connection, |one| sqlx::query(SET_DISABLED)
                .bind(name)
                .bind(disabled)
                .execute(one)
                .await
                .map(drop))
            .doing("changing a user")?;
            if disabled {
                end_sessions(connection, name).await
            } else {
                Ok(())
            }
        })
        .await
    }

    /// Runs `change` in a transaction that moves the counter `access`, so that every replica looks again.
    pub(crate) async fn changing_access(&self, change: impl AsyncFnOnce(&mut Connection) -> Result<()>) -> Result<()> {
        let mut connection = self.pool().writer().await?;
        connection.begin().await?;
        let outcome = match change(&mut connection).await {
            Ok(()) => on_connection!(&mut connection, |one| sqlx::query(MOVE_ACCESS)
                .execute(one)
                .await
                .map(drop))
            .doing("changing access"),
            Err(error) => Err(error),
        };
        let outcome = match outcome {
            Ok(()) => connection.notify().await,
            Err(error) => Err(error),
        };
        connection
            .run(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" })
            .await?;
        if outcome.is_ok() {
            self.access_moved();
        }
        outcome
    }
}

async fn end_sessions(connection: &mut Connection, name: &str) -> Result<()> {
    on_connection!(connection, |one| sqlx::query(END_SESSIONS)
        .bind(name)
        .execute(one)
        .await
        .map(drop))
    .doing("ending sessions")
}
