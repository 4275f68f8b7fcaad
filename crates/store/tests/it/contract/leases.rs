//! Leadership.

use anyhow::Result;
use atoll_store::{Error, Lease, Store, Transaction};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::database::{Database, create, key};

const LIFE: SignedDuration = SignedDuration::from_secs(15);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

async fn take(store: &Store, holder: &str, now: Timestamp) -> Result<Option<Lease>> {
    Ok(store.take_lease("leader", holder, now, LIFE).await?)
}

pub(crate) async fn a_lease_has_one_holder(database: Database) -> Result<()> {
    let (one, other) = (database.open().await?, database.open().await?);
    assert_eq!(one.lease("leader").await?, None);
    let (first, second) = tokio::join!(take(&one, "one", at(0)), take(&other, "other", at(0)));
    let (first, second) = (first?, second?);
    assert!(first.is_some() != second.is_some(), "{first:?} {second:?}");
    let holder = first.or(second).unwrap().holder;
    assert_eq!(one.lease("leader").await?.unwrap().holder, holder);
    Ok(())
}

pub(crate) async fn a_renewal_keeps_the_epoch_and_moves_the_row(database: Database) -> Result<()> {
    let store = database.open().await?;
    let first = take(&store, "one", at(100)).await?.unwrap();
    let mut seen = store.lease("leader").await?.unwrap();
    // Also when the holder's clock stands still or was set back.
    for second in [102, 102, 50, 103] {
        assert_eq!(take(&store, "one", at(second)).await?, Some(first.clone()));
        let now = store.lease("leader").await?.unwrap();
        assert!(now.expires_at > seen.expires_at, "{seen:?} {now:?}");
        seen = now;
    }
    assert!(take(&store, "other", at(110)).await?.is_none());
    Ok(())
}

pub(crate) async fn a_new_holder_has_a_new_epoch_and_the_old_one_is_fenced(database: Database) -> Result<()> {
    let store = database.open().await?;
    let old = take(&store, "one", at(0)).await?.unwrap();
    let write = async |lease: &Lease, name: &str| {
        let writes = vec![create(&key(name), json!({}))];
        let lease = Some(lease.clone());
        store.write(Transaction { writes, lease }).await
    };
    write(&old, "a").await?;
    let new = take(&store, "other", at(15)).await?.unwrap();
    assert!(new.epoch > old.epoch);
    let before = store.revision().await?;
    assert!(matches!(write(&old, "b").await, Err(Error::Fenced(name)) if name == "leader"));
    assert!(store.changes(before, 10).await?.changes.is_empty());
    write(&new, "c").await?;
    // The old holder's good-bye, come late, takes nothing from the new one.
    store.release_lease(&old).await?;
    assert!(take(&store, "third", at(16)).await?.is_none());
    Ok(())
}

pub(crate) async fn a_lease_that_was_given_back_is_free(database: Database) -> Result<()> {
    let store = database.open().await?;
    let old = take(&store, "one", at(0)).await?.unwrap();
    store.release_lease(&old).await?;
    assert_eq!(store.lease("leader").await?.unwrap().expires_at, 0);
    let new = take(&store, "other", at(1)).await?.unwrap();
    assert!(new.epoch > old.epoch);
    Ok(())
}

pub(crate) async fn a_lease_that_moved_is_not_taken_over(database: Database) -> Result<()> {
    let store = database.open().await?;
    take(&store, "one", at(0)).await?;
    let seen = Timestamp::from_millisecond(store.lease("leader").await?.unwrap().expires_at)?;
    take(&store, "one", at(2)).await?;
    assert!(take(&store, "other", seen).await?.is_none());
    let seen = Timestamp::from_millisecond(store.lease("leader").await?.unwrap().expires_at)?;
    assert!(take(&store, "other", seen).await?.is_some());
    Ok(())
}
