//! Nothing that is secret stands in the database as it was written.

use std::fs;

use anyhow::Result;
use atoll_store::{DatabaseUrl, ObjectKey, Revision, Write};
use secrecy::SecretSlice;
use serde_json::json;

use crate::database::{Database, Raw, body, cluster, create, write};

const CANARY: &str = "canary-4f1c2e";

/// Writes the canary wherever a secret may be, old versions and deleted ones included, and returns where it may not
/// be missing.
async fn write_secrets(database: &Database) -> Result<()> {
    let store = database.open().await?;
    for (group, resource) in [("", "secrets"), ("types.kubefed.io", "federatedsecrets")] {
        let key = ObjectKey::new(group, resource, "shop", "password");
        let first = write(&store, vec![create(&key, json!({"password": CANARY}))]).await?;
        let change = Write::Update {
            key: key.clone(),
            body: body(&key, "uid-of-password", json!({"password": format!("{CANARY}-again")})),
            expected: first.revision,
        };
        write(&store, vec![change]).await?;
        let delete = Write::Delete {
            key: key.clone(),
            expected: None,
        };
        write(&store, vec![delete]).await?;
        write(&store, vec![create(&key, json!({"password": CANARY}))]).await?;
        assert_eq!(store.object(&key).await?.unwrap().body["data"]["password"], CANARY);
        let history = store.changes(Revision(0), 100).await?;
        let told = history.changes.iter().filter(|change| change.key == key);
        let bodies: Vec<_> = told
            .flat_map(|change| [&change.before, &change.after])
            .flatten()
            .collect();
        assert!(bodies.iter().all(|body| body.to_string().contains(CANARY)) && bodies.len() == 5);
    }
    let mut row = cluster(&store, "eu-1")?;
    row.credential = store.seal_credential("eu-1", &SecretSlice::from(CANARY.as_bytes().to_vec()))?;
    write(&store, vec![Write::PutCluster(Box::new(row))]).await?;
    // What is no secret is written as it is: the search would find it.
    write(
        &store,
        vec![create(
            &crate::database::key("open"),
            json!({"note": "not-a-secret-9d"}),
        )],
    )
    .await?;
    Ok(())
}

#[tokio::test]
async fn no_secret_stands_in_the_sqlite_file() -> Result<()> {
    let database = Database::sqlite()?;
    write_secrets(&database).await?;
    let DatabaseUrl::Sqlite(path) = &database.url else {
        unreachable!("a SQLite database is a file")
    };
    let mut control = 0;
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.clone().into_os_string();
        file.push(suffix);
        let bytes = fs::read(&file).unwrap_or_default();
        let holds = |needle: &str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
        assert!(!holds(CANARY), "a secret stands in {}", file.display());
        control += usize::from(holds("not-a-secret-9d"));
    }
    assert!(control > 0, "the search finds nothing at all");
    Ok(())
}

#[tokio::test]
async fn no_secret_stands_in_a_postgres_column() -> Result<()> {
    let database = Database::postgres().await?;
    write_secrets(&database).await?;
    let Raw::Postgres(pool) = database.raw().await? else {
        unreachable!("a PostgreSQL database has PostgreSQL connections")
    };
    let count = async |needle: &str| -> Result<i64> {
        Ok(sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM objects WHERE position(convert_to($1, 'UTF8') in body) > 0) \
             + (SELECT count(*) FROM changes WHERE position(convert_to($1, 'UTF8') in coalesce(before_body, '') || coalesce(after_body, '')) > 0) \
             + (SELECT count(*) FROM clusters WHERE position(convert_to($1, 'UTF8') in credential) > 0)",
        )
        .bind(needle)
        .fetch_one(&pool)
        .await?)
    };
    assert_eq!(count(CANARY).await?, 0);
    assert_eq!(count("not-a-secret-9d").await?, 2);
    Ok(())
}
