//! Statements are text until a database has read them: each of them is prepared on both.

use anyhow::{Context, Result};
use atoll_store::STATEMENTS;
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

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

#[tokio::test]
async fn the_history_of_one_object_is_found_without_reading_that_of_others() -> Result<()> {
    let database = Database::sqlite()?;
    let _store = database.open().await?;
    let Raw::Sqlite(pool) = database.raw().await? else {
        unreachable!("a SQLite database has SQLite connections")
    };
    let mut statements = STATEMENTS.into_iter().flatten();
    let history = statements
        .find(|statement| statement.contains("before_body IS NOT NULL"))
        .context("no statement reads the history of an object")?;
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {history}")))
        .fetch_all(&pool)
        .await?;
    let steps: Vec<String> = plan.into_iter().map(|(.., step)| step).collect();
    // One step: no sorting after the search.
    assert_eq!(
        steps,
        ["SEARCH changes USING INDEX changes_object (grp=? AND resource=? AND namespace=? AND name=?)"]
    );
    Ok(())
}
