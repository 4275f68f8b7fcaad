//! Statements are text until a database has read them: each of them is prepared on both.

use anyhow::{Context, Result};
use atoll_store::STATEMENTS;
use sqlx::{Executor, SqlSafeStr};

use crate::database::{Database, Raw};

#[tokio::test]
async fn every_statement_is_understood_by_sqlite() -> Result<()> {
    let database = Database::sqlite()?;
    let _store = database.open().await?;
    let Raw::Sqlite(pool) = database.raw().await? else {
        unreachable!("a SQLite database has SQLite connections")
    };
    for statement in STATEMENTS.into_iter().flatten() {
        (&pool)
            .prepare((*statement).into_sql_str())
            .await
            .with_context(|| (*statement).to_owned())?;
    }
    Ok(())
}

#[tokio::test]
async fn every_statement_is_understood_by_postgres() -> Result<()> {
    let database = Database::postgres().await?;
    let _store = database.open().await?;
    let Raw::Postgres(pool) = database.raw().await? else {
        unreachable!("a PostgreSQL database has PostgreSQL connections")
    };
    for statement in STATEMENTS.into_iter().flatten() {
        (&pool)
            .prepare((*statement).into_sql_str())
            .await
            .with_context(|| (*statement).to_owned())?;
    }
    Ok(())
}
