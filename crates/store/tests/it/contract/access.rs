//! Users, sessions and tokens.

use std::time::Duration;

use anyhow::Result;
use atoll_store::{Error, Session, Store, Token};
use jiff::{SignedDuration, Timestamp};
use tokio::time::timeout;
use uuid::Uuid;

use crate::database::{Database, now, user};

async fn begin_session(store: &Store, name: &str, until: Timestamp) -> Result<Uuid> {
    let session = Session {
        id: Uuid::new_v4(),
        user_name: name.into(),
        key_hash: vec![1; 32],
        created_at: now(),
        expires_at: until,
    };
    store.create_session(&session).await?;
    Ok(session.id)
}

fn in_an_hour() -> Timestamp {
    now() + SignedDuration::from_hours(1)
}

pub(crate) async fn a_password_change_ends_the_sessions(database: Database) -> Result<()> {
    let store = database.open().await?;
    for name in ["ada", "bob"] {
        store.create_user(&user(name)).await?;
    }
    assert!(matches!(
        store.create_user(&user("ada")).await,
        Err(Error::AlreadyExists(_))
    ));
    let (ada, bob) = (
        begin_session(&store, "ada", in_an_hour()).await?,
        begin_session(&store, "bob", in_an_hour()).await?,
    );
    store.set_password("ada", "another").await?;
    assert_eq!(store.user("ada").await?.unwrap().password_hash, "another");
    assert!(store.session(ada).await?.is_none());
    assert_eq!(store.session(bob).await?.unwrap().key_hash, vec![1; 32]);
    assert!(matches!(store.set_password("eve", "x").await, Err(Error::NotFound(_))));
    Ok(())
}

pub(crate) async fn a_user_who_is_shut_out_has_no_session(database: Database) -> Result<()> {
    let store = database.open().await?;
    store.create_user(&user("ada")).await?;
    let session = begin_session(&store, "ada", in_an_hour()).await?;
    store.set_user_disabled("ada", true).await?;
    assert!(store.user("ada").await?.unwrap().disabled);
    assert!(store.session(session).await?.is_none());
    store.set_user_disabled("ada", false).await?;
    assert!(!store.user("ada").await?.unwrap().disabled);
    assert!(begin_session(&store, "nobody", in_an_hour()).await.is_err());
    Ok(())
}

pub(crate) async fn ended_sessions_are_forgotten(database: Database) -> Result<()> {
    let store = database.open().await?;
    store.create_user(&user("ada")).await?;
    let short = begin_session(&store, "ada", now() + SignedDuration::from_secs(60)).await?;
    let long = begin_session(&store, "ada", in_an_hour()).await?;
    store.forget_sessions(now()).await?;
    assert!(store.session(short).await?.is_some());
    store.forget_sessions(now() + SignedDuration::from_secs(120)).await?;
    assert!(store.session(short).await?.is_none());
    assert!(store.session(long).await?.is_some());
    store.delete_session(long).await?;
    assert!(matches!(store.delete_session(long).await, Err(Error::NotFound(_))));
    Ok(())
}

pub(crate) async fn tokens_are_found_by_hash_and_revoked_by_their_owner(database: Database) -> Result<()> {
    let store = database.open().await?;
    for name in ["ada", "bob"] {
        store.create_user(&user(name)).await?;
    }
    let token = Token {
        id: Uuid::new_v4(),
        name: "ci".into(),
        user_name: "ada".into(),
        hash: vec![7; 32],
        created_at: now(),
        expires_at: Some(in_an_hour()),
        last_used_at: None,
    };
    store.create_token(&token).await?;
    assert_eq!(store.token_by_hash(&[7; 32]).await?.unwrap().id, token.id);
    assert!(store.token_by_hash(&[8; 32]).await?.is_none());
    let used = now();
    store.token_used(token.id, used).await?;
    assert_eq!(store.tokens("ada").await?[0].last_used_at, Some(used));
    assert!(store.tokens("bob").await?.is_empty());
    assert!(matches!(
        store.delete_token("bob", token.id).await,
        Err(Error::NotFound(_))
    ));
    store.delete_token("ada", token.id).await?;
    assert!(store.token_by_hash(&[7; 32]).await?.is_none());
    Ok(())
}

pub(crate) async fn every_change_moves_the_counter(database: Database) -> Result<()> {
    let store = database.open().await?;
    let mut access = store.access();
    store.create_user(&user("ada")).await?;
    timeout(Duration::from_secs(30), access.changed()).await??;
    // A refusal is no change.
    access.mark_unchanged();
    assert!(store.set_password("eve", "x").await.is_err());
    let session = begin_session(&store, "ada", in_an_hour()).await?;
    timeout(Duration::from_secs(30), access.changed()).await??;
    store.delete_session(session).await?;
    timeout(Duration::from_secs(30), access.changed()).await??;
    Ok(())
}
