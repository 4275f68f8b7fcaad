//! The two schemas say the same, table by table.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use sqlx::Row;

use crate::database::{Database, Raw};

/// Lines that describe each table, in words that both databases share.
type Tables = BTreeMap<String, BTreeSet<String>>;

/// `CREATE UNIQUE INDEX a ON b (c) WHERE (d IS NOT NULL)` in one form: no schema, no casts, no needless brackets.
fn index(definition: &str) -> String {
    let text = definition
        .replace("public.", "")
        .replace(" USING btree", "")
        .replace("::text", "")
        .replace('"', "");
    let (head, condition) = match text.split_once(" WHERE ") {
        Some((head, condition)) => (head.to_owned(), condition.trim_matches(['(', ')']).to_owned()),
        None => (text, String::new()),
    };
    format!("{} where {condition}", head.trim())
}

async fn of_sqlite(pool: &sqlx::SqlitePool) -> Result<Tables> {
    let mut tables = Tables::new();
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_sqlx%'",
    )
    .fetch_all(pool)
    .await?;
    for table in names {
        let mut lines = BTreeSet::new();
        let columns = sqlx::query("SELECT name, type, \"notnull\" AS required, pk FROM pragma_table_info($1)")
            .bind(&table)
            .fetch_all(pool)
            .await?;
        for column in columns {
            let (name, declared): (String, String) = (column.get("name"), column.get("type"));
            let (required, key): (i64, i64) = (column.get("required"), column.get("pk"));
            let class = match declared.as_str() {
                "TEXT" => "text",
                "BIGINT" => "bigint",
                "BOOLEAN" => "boolean",
                "BLOB" => "bytes",
                other => anyhow::bail!("{table}.{name} has the unknown type {other}"),
            };
            // A primary key of SQLite is not declared NOT NULL, and is not null all the same.
            let null = if required == 1 || key > 0 { "not null" } else { "null" };
            lines.insert(format!("column {name} {class} {null}"));
            if key > 0 {
                lines.insert(format!("primary key {key} {name}"));
            }
        }
        let indexes: Vec<String> = sqlx::query_scalar(
            "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = $1 AND sql IS NOT NULL",
        )
        .bind(&table)
        .fetch_all(pool)
        .await?;
        lines.extend(indexes.iter().map(|definition| index(definition)));
        let foreign = sqlx::query("SELECT \"table\" AS target, \"from\" AS source, \"to\" AS field, on_delete FROM pragma_foreign_key_list($1)")
            .bind(&table)
            .fetch_all(pool)
            .await?;
        for key in foreign {
            let text = |column: &str| key.get::<String, _>(column);
            lines.insert(format!(
                "foreign key {} to {}.{} on delete {}",
                text("source"),
                text("target"),
                text("field"),
                text("on_delete").to_lowercase()
            ));
        }
        tables.insert(table, lines);
    }
    Ok(tables)
}

async fn of_postgres(pool: &sqlx::PgPool) -> Result<Tables> {
    let mut tables = Tables::new();
    let columns = sqlx::query(
        "SELECT table_name::text AS of, column_name::text AS name, data_type::text AS declared, is_nullable::text AS nullable \
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'",
    )
    .fetch_all(pool)
    .await?;
    for column in columns {
        let text = |name: &str| column.get::<String, _>(name);
        let class = match text("declared").as_str() {
            "text" => "text",
            "bigint" => "bigint",
            "boolean" => "boolean",
            "bytea" | "uuid" => "bytes",
            other => anyhow::bail!("{}.{} has the unknown type {other}", text("of"), text("name")),
        };
        let null = if text("nullable") == "NO" { "not null" } else { "null" };
        let line = format!("column {} {class} {null}", text("name"));
        tables.entry(text("of")).or_default().insert(line);
    }
    let keys = sqlx::query(
        "SELECT c.conrelid::regclass::text AS of, c.contype::text AS kind, a.attname::text AS name, k.place AS place, \
         c.confrelid::regclass::text AS target, f.attname::text AS field, c.confdeltype::text AS on_delete \
         FROM pg_constraint c CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k (number, place) \
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number \
         LEFT JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[k.place] \
         WHERE c.connamespace = 'public'::regnamespace AND c.contype IN ('p', 'f') AND c.conrelid::regclass::text NOT LIKE '\\_sqlx%'",
    )
    .fetch_all(pool)
    .await?;
    for key in keys {
        let text = |name: &str| key.get::<String, _>(name);
        let line = if text("kind") == "p" {
            format!("primary key {} {}", key.get::<i64, _>("place"), text("name"))
        } else {
            let on_delete = match text("on_delete").as_str() {
                "c" => "cascade".to_owned(),
                other => format!("unknown {other}"),
            };
            format!(
                "foreign key {} to {}.{} on delete {on_delete}",
                text("name"),
                text("target"),
                text("field")
            )
        };
        tables.entry(text("of")).or_default().insert(line);
    }
    let indexes = sqlx::query(
        "SELECT tablename::text AS of, indexdef::text AS definition FROM pg_indexes \
         WHERE schemaname = 'public' AND indexname NOT LIKE '%\\_pkey' AND tablename NOT LIKE '\\_sqlx%'",
    )
    .fetch_all(pool)
    .await?;
    for row in indexes {
        let line = index(&row.get::<String, _>("definition"));
        tables.entry(row.get("of")).or_default().insert(line);
    }
    Ok(tables)
}

#[tokio::test]
async fn both_schemas_say_the_same_of_every_table() -> Result<()> {
    let (one, other) = (Database::sqlite()?, Database::postgres().await?);
    let (_one, _other) = (one.open().await?, other.open().await?);
    let (Raw::Sqlite(sqlite), Raw::Postgres(postgres)) = (one.raw().await?, other.raw().await?) else {
        unreachable!("each database has its own kind of connection")
    };
    let sqlite = of_sqlite(&sqlite).await.context("reading the schema of SQLite")?;
    let postgres = of_postgres(&postgres)
        .await
        .context("reading the schema of PostgreSQL")?;
    let names = |tables: &Tables| tables.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&sqlite), names(&postgres));
    assert!(sqlite.len() >= 10, "{:?}", names(&sqlite));
    for (table, lines) in &sqlite {
        assert!(
            lines.iter().any(|line| line.starts_with("primary key")),
            "{table} has no key"
        );
        assert_eq!(lines, &postgres[table], "{table}");
    }
    Ok(())
}
