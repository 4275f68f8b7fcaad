//! What differs between the two databases, and nothing else.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, Postgres, Sqlite, SqlitePool};

use crate::error::{Doing, Error, Result};

/// How long a statement waits for a lock or for a connection before it is an error.
const PATIENCE: Duration = Duration::from_secs(5);
/// Channel of PostgreSQL notifications; they carry no data.
const CHANNEL: &str = "atoll";

/// Which database.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file of this process alone.
    Sqlite(PathBuf),
    /// A server that several replicas share.
    Postgres(String),
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(formatter, "sqlite:{}", path.display()),
            // The URL may hold a password.
            Self::Postgres(_) => formatter.write_str("postgres://***"),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.contains(":memory:") {
                return Err(Error::Url(
                    "the database URL must name a file, such as sqlite:/var/lib/atoll/atoll.db".into(),
                ));
            }
            return Ok(Self::Sqlite(path.into()));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            PgConnectOptions::from_str(text)
                .map_err(|_| Error::Url("the database URL is not of the form postgres://USER@HOST/DATABASE".into()))?;
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(Error::Url(
            "the database URL must begin with sqlite: or postgres://".into(),
        ))
    }
}

/// Connections to one of the two databases.
pub(crate) enum Pool {
    /// SQLite has one writer; readers do not wait for it in WAL mode.
    Sqlite { read: SqlitePool, write: SqlitePool },
    /// PostgreSQL.
    Postgres(PgPool),
}

/// One connection, for statements that belong together.
pub(crate) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// Runs one statement on the pool for reading, whichever database it is.
macro_rules! on_pool {
    ($store:expr, |$pool:ident| $body:expr) => {
        match $store.pool() {
            $crate::backend::Pool::Sqlite { read: $pool, .. } => $body,
            $crate::backend::Pool::Postgres($pool) => $body,
        }
    };
}

/// Runs one statement that writes a table without revisions, outside any transaction.
macro_rules! on_writer {
    ($store:expr, |$pool:ident| $body:expr) => {
        match $store.pool() {
            $crate::backend::Pool::Sqlite { write: $pool, .. } => $body,
            $crate::backend::Pool::Postgres($pool) => $body,
        }
    };
}

/// Runs one statement on a connection, whichever database it is.
macro_rules! on_connection {
    ($connection:expr, |$one:ident| $body:expr) => {
        match $connection {
            $crate::backend::Connection::Sqlite(connection) => {
                let $one = &mut **connection;
                $body
            }
            $crate::backend::Connection::Postgres(connection) => {
                let $one = &mut **connection;
                $body
            }
        }
    };
}

/// Declares a row and how both databases give it, field by field.
macro_rules! row {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident { $($(#[$field_meta:meta])* $field_visibility:vis $field:ident: $type:ty),* $(,)? }) => {
        $(#[$meta])*
        $visibility struct $name { $($(#[$field_meta])* $field_visibility $field: $type),* }

        impl<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> for $name {
            fn from_row(row: &'r sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> {
                Ok(Self { $($field: sqlx::Row::try_get(row, stringify!($field))?),* })
            }
        }

        impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for $name {
            fn from_row(row: &'r sqlx::postgres::PgRow) -> sqlx::Result<Self> {
                Ok(Self { $($field: sqlx::Row::try_get(row, stringify!($field))?),* })
            }
        }
    };
}

pub(crate) use {on_connection, on_pool, on_writer, row};

impl Pool {
    pub(crate) async fn open(url: &DatabaseUrl) -> Result<Self> {
        match url {
            DatabaseUrl::Sqlite(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    // An acknowledged write survives a power cut.
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .busy_timeout(PATIENCE);
                let write = SqlitePoolOptions::new()
                    .max_connections(1)
                    .acquire_timeout(PATIENCE * 2)
                    .connect_with(options.clone())
                    .await
                    .doing("opening the SQLite file")?;
                let read = SqlitePoolOptions::new()
                    .max_connections(4)
                    .acquire_timeout(PATIENCE)
                    .connect_with(options.read_only(true))
                    .await
                    .doing("opening the SQLite file")?;
                Ok(Self::Sqlite { read, write })
            }
            DatabaseUrl::Postgres(url) => {
                let options = PgConnectOptions::from_str(url)
                    .map_err(|_| Error::Url("the database URL cannot be read".into()))?
                    .application_name("atoll");
                let pool = PgPoolOptions::new()
                    .max_connections(12)
                    .acquire_timeout(PATIENCE)
                    .connect_with(options)
                    .await
                    .doing("connecting to PostgreSQL")?;
                Ok(Self::Postgres(pool))
            }
        }
    }

    /// A connection that may write.
    pub(crate) async fn writer(&self) -> Result<Connection> {
        match self {
            Self::Sqlite { write, .. } => Ok(Connection::Sqlite(
                write.acquire().await.doing("waiting for the writer")?,
            )),
            Self::Postgres(pool) => Ok(Connection::Postgres(
                pool.acquire().await.doing("waiting for a connection")?,
            )),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Connection {
    /// Begins a transaction that takes the write lock at once: SQLite cannot upgrade a reader under contention.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => sqlx::query("BEGIN IMMEDIATE")
                .execute(&mut **connection)
                .await
                .map(drop),
            Self::Postgres(connection) => sqlx::query("BEGIN").execute(&mut **connection).await.map(drop),
        }
        .doing("beginning a transaction")
    }

    /// Runs a statement without parameters.
    pub(crate) async fn run(&mut self, statement: &'static str) -> Result<()> {
        on_connection!(self, |one| sqlx::query(statement).execute(one).await.map(drop)).doing("ending a transaction")
    }

    /// Tells other replicas, at commit, that something has changed. Within one process nobody needs telling.
    pub(crate) async fn notify(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(connection) => {
                sqlx::query("SELECT pg_notify($1, '')")
                    .bind(CHANNEL)
                    .execute(&mut **connection)
                    .await
                    .map(drop)
            }
            .doing("notifying other replicas"),
        }
    }
}

/// Waits until another replica may have written: a notification, or two seconds, whichever is first.
pub(crate) struct Wakeups {
    pool: Option<PgPool>,
    listener: Option<PgListener>,
}

impl Wakeups {
    pub(crate) fn new(pool: &Pool) -> Self {
        let pool = match pool {
            Pool::Sqlite { .. } => None,
            Pool::Postgres(pool) => Some(pool.clone()),
        };
        Self { pool, listener: None }
    }

    pub(crate) async fn next(&mut self) {
        const POLL: Duration = Duration::from_secs(2);
        let Some(pool) = &self.pool else {
            return tokio::time::sleep(POLL).await;
        };
        if self.listener.is_none()
            && let Ok(mut listener) = PgListener::connect_with(pool).await
            && listener.listen(CHANNEL).await.is_ok()
        {
            // What happened before the listener listened is found by reading now.
            self.listener = Some(listener);
            return;
        }
        match &mut self.listener {
            Some(listener) => {
                if let Ok(Err(_)) = tokio::time::timeout(POLL, listener.recv()).await {
                    self.listener = None;
                }
            }
            None => tokio::time::sleep(POLL).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_file_or_a_server() {
        assert_eq!(
            "sqlite:/tmp/a.db".parse::<DatabaseUrl>().unwrap(),
            DatabaseUrl::Sqlite("/tmp/a.db".into())
        );
        assert!("postgres://atoll@db/atoll".parse::<DatabaseUrl>().is_ok());
        for bad in ["", "mysql://x", "sqlite:", "sqlite::memory:"] {
            assert!(bad.parse::<DatabaseUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_not_printed() {
        let url: DatabaseUrl = "postgres://atoll:hunter2@db/atoll".parse().unwrap();
        assert!(!format!("{url:?}").contains("hunter2"));
    }
}
