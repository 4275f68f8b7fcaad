//! Schema migrations: forward only, and each works with the code before and after it.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use crate::backend::{Connection, on_connection};
use crate::error::{Doing, Error, Result};

/// Number, name, text for SQLite, text for PostgreSQL.
const MIGRATIONS: [(i64, &str, &str, &str); 2] = [
    (
        1,
        "hub",
        include_str!("../../../migrations/sqlite/1_hub.sql"),
        include_str!("../../../migrations/postgres/1_hub.sql"),
    ),
    (
        2,
        "history",
        include_str!("../../../migrations/sqlite/2_history.sql"),
        include_str!("../../../migrations/postgres/2_history.sql"),
    ),
];

const APPLIED: &str = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations";

/// Brings the schema up to date; a no-op when it is. Several replicas may start at once: PostgreSQL takes an advisory
/// lock, and SQLite has one process.
pub(crate) async fn run(connection: &mut Connection) -> Result<()> {
    let known = MIGRATIONS
        .map(|(version, ..)| version)
        .into_iter()
        .max()
        .unwrap_or_default();
    let sqlite = matches!(connection, Connection::Sqlite(_));
    if let Ok(found) = on_connection!(connection, |one| sqlx::query_scalar::<_, i64>(APPLIED)
        .fetch_one(one)
        .await)
        && found > known
    {
        return Err(Error::NewerSchema { found, known });
    }
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, name, for_sqlite, for_postgres)| {
            let sql = if sqlite { for_sqlite } else { for_postgres };
            Migration::new(
                *version,
                (*name).into(),
                MigrationType::Simple,
                AssertSqlSafe((*sql).to_owned()).into_sql_str(),
                false,
            )
        })
        .collect();
    let migrator = Migrator::with_migrations(migrations);
    on_connection!(connection, |one| migrator.run(one).await)
        .map_err(|error| sqlx::Error::Migrate(Box::new(error)))
        .doing("bringing the schema up to date")
}
