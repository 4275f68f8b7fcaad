//! The first start.

use anyhow::Result;
use atoll_store::{DatabaseUrl, Error, Initialised, Installation, Keys, Store};
use futures::future::join_all;
use secrecy::{ExposeSecret, SecretSlice};
use uuid::Uuid;

use crate::database::{Database, now, user};

fn installation() -> Installation {
    Installation {
        hub_uid: Uuid::new_v4(),
        authority_certificate: "certificate".into(),
        authority_key: SecretSlice::from(b"authority key".to_vec()),
        signing_key: SecretSlice::from(b"signing key".to_vec()),
        created_at: now(),
    }
}

pub(crate) async fn of_twenty_that_start_at_once_one_is_first(database: Database) -> Result<()> {
    // A SQLite file belongs to one process, which its data dir sees to; replicas open PostgreSQL each for itself.
    let of_one_process = match &database.url {
        DatabaseUrl::Sqlite(_) => Some(database.open().await?),
        DatabaseUrl::Postgres(_) => None,
    };
    let starter = async |index: usize| -> Result<(Initialised, Uuid, Uuid)> {
        let store = match &of_one_process {
            Some(store) => store.clone(),
            None => database.open().await?,
        };
        let mine = installation();
        let mut admin = user("admin");
        admin.password_hash = format!("of starter {index}");
        let who = store.initialise(&mine, &admin).await?;
        let found = store.installation().await?.unwrap();
        assert_eq!(found.authority_key.expose_secret(), b"authority key");
        assert_eq!(found.signing_key.expose_secret(), b"signing key");
        if who == Initialised::ByUs {
            assert_eq!(store.user("admin").await?.unwrap().password_hash, admin.password_hash);
        }
        Ok((who, mine.hub_uid, found.hub_uid))
    };
    let mut first = Vec::new();
    let mut found = Vec::new();
    for outcome in join_all((0..20).map(starter)).await {
        let (who, mine, hub_uid) = outcome?;
        found.push(hub_uid);
        if who == Initialised::ByUs {
            first.push(mine);
        }
    }
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(found.iter().all(|hub_uid| *hub_uid == first[0]));
    Ok(())
}

pub(crate) async fn another_key_file_does_not_open_it(database: Database) -> Result<()> {
    let store = database.open().await?;
    assert!(store.installation().await?.is_none());
    store.initialise(&installation(), &user("admin")).await?;
    assert_eq!(
        store.initialise(&installation(), &user("admin")).await?,
        Initialised::Before
    );
    store.close().await;
    let other = Keys::read_or_create(&database.folder.path().join("other"))?;
    let store = Store::open(&database.url, other).await?;
    assert!(matches!(store.installation().await, Err(Error::Sealed(_))));
    Ok(())
}

pub(crate) async fn a_newer_schema_is_refused(database: Database) -> Result<()> {
    database.open().await?.close().await;
    let raw = database.raw().await?;
    raw.run(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT 999, 'later', success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1",
    )
    .await?;
    let refused = Store::open(&database.url, database.keys.clone()).await;
    assert!(
        matches!(refused, Err(Error::NewerSchema { found: 999, .. })),
        "{refused:?}"
    );
    Ok(())
}
