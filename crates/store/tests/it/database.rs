//! Databases that belong to one test, and values to put into them.

use std::sync::Arc;

use anyhow::Result;
use atoll_store::{Cluster, DatabaseUrl, Keys, ObjectKey, Role, Store, Transaction, User, Write, Written};
use atoll_testing::Postgres;
use jiff::Timestamp;
use secrecy::SecretSlice;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// One server for the whole binary; each test has a database of its own in it. The server ends with the process.
static POSTGRES: OnceCell<Postgres> = OnceCell::const_new();

/// A database of one test.
pub(crate) struct Database {
    pub(crate) url: DatabaseUrl,
    pub(crate) keys: Keys,
    pub(crate) folder: TempDir,
}

impl Database {
    pub(crate) fn sqlite() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = DatabaseUrl::Sqlite(folder.path().join("atoll.db"));
        let keys = Keys::read_or_create(&folder.path().join("keys"))?;
        Ok(Self { url, keys, folder })
    }

    pub(crate) async fn postgres() -> Result<Self> {
        let server = POSTGRES.get_or_try_init(Postgres::start).await?;
        let folder = tempfile::tempdir()?;
        let keys = Keys::read_or_create(&folder.path().join("keys"))?;
        let url = server.create_database().await?.parse()?;
        Ok(Self { url, keys, folder })
    }

    pub(crate) async fn open(&self) -> Result<Store> {
        Ok(Store::open(&self.url, self.keys.clone()).await?)
    }

    /// The schema's own driver, for looking behind the store's back.
    pub(crate) async fn raw(&self) -> Result<Raw> {
        Ok(match &self.url {
            DatabaseUrl::Sqlite(path) => {
                Raw::Sqlite(sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await?)
            }
            DatabaseUrl::Postgres(url) => Raw::Postgres(sqlx::PgPool::connect(url).await?),
        })
    }
}

/// Connections that know nothing of the store.
pub(crate) enum Raw {
    Sqlite(sqlx::SqlitePool),
    Postgres(sqlx::PgPool),
}

impl Raw {
    pub(crate) async fn run(&self, statement: &'static str) -> Result<()> {
        match self {
            Self::Sqlite(pool) => sqlx::query(statement).execute(pool).await.map(drop)?,
            Self::Postgres(pool) => sqlx::query(statement).execute(pool).await.map(drop)?,
        }
        Ok(())
    }
}

pub(crate) fn now() -> Timestamp {
    // Stored to the millisecond.
    Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap()
}

pub(crate) fn key(name: &str) -> ObjectKey {
    ObjectKey::new("", "configmaps", "shop", name)
}

/// A body for `key` as the hub would store it.
pub(crate) fn body(key: &ObjectKey, uid: &str, data: Value) -> Arc<Value> {
    Arc::new(json!({
        "kind": "ConfigMap",
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "uid": uid,
            "generation": 1,
            "creationTimestamp": "2026-01-02T03:04:05Z",
        },
        "data": data,
    }))
}

pub(crate) fn create(key: &ObjectKey, data: Value) -> Write {
    Write::Create {
        key: key.clone(),
        body: body(key, &format!("uid-of-{}", key.name), data),
    }
}

pub(crate) async fn write(store: &Store, writes: Vec<Write>) -> atoll_store::Result<Written> {
    store.write(Transaction { writes, lease: None }).await
}

pub(crate) fn user(name: &str) -> User {
    User {
        name: name.into(),
        display_name: String::new(),
        password_hash: "$argon2id$".into(),
        admin: true,
        disabled: false,
        created_at: now(),
    }
}

pub(crate) fn cluster(store: &Store, name: &str) -> Result<Cluster> {
    let credential = SecretSlice::from(format!("credential of {name}").into_bytes());
    Ok(Cluster {
        name: name.into(),
        uid: Some(format!("uid-of-{name}")),
        role: Role::Member,
        alias: String::new(),
        description: "for tests".into(),
        provider: String::new(),
        region: String::new(),
        connection: "direct".into(),
        endpoint: "https://10.0.0.1:6443".into(),
        ca: String::new(),
        tls_server_name: String::new(),
        credential: store.seal_credential(name, &credential)?,
        credential_revision: 1,
        credential_expires_at: None,
        admit_admins: true,
        created_at: now(),
        created_by: "admin".into(),
        state: "Pending".into(),
        since: now(),
        conditions: json!([]),
        probe: json!({}),
    })
}
