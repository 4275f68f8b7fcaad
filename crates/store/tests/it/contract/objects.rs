//! Objects: created, changed, deleted, listed.

use anyhow::Result;
use atoll_store::{Error, ObjectKey, Revision, Write};
use serde_json::json;

use crate::database::{Database, body, create, key, write};

pub(crate) async fn a_created_object_is_read_back(database: Database) -> Result<()> {
    let store = database.open().await?;
    let key = key("a");
    assert!(store.object(&key).await?.is_none());
    let written = write(&store, vec![create(&key, json!({"color": "blue", "wide": "ä – 蓝"}))]).await?;
    let object = store.object(&key).await?.unwrap();
    assert_eq!(object.key, key);
    assert_eq!(object.uid, "uid-of-a");
    assert_eq!(object.generation, 1);
    assert_eq!(object.revision, written.revision);
    assert_eq!(object.created_at, "2026-01-02T03:04:05Z".parse()?);
    assert_eq!(object.deletion_at, None);
    assert_eq!(
        object.body,
        body(&key, "uid-of-a", json!({"color": "blue", "wide": "ä – 蓝"}))
    );
    assert_eq!(store.revision().await?, written.revision);
    Ok(())
}

pub(crate) async fn a_name_is_taken_until_its_object_is_deleted(database: Database) -> Result<()> {
    let store = database.open().await?;
    let key = key("a");
    let first = write(&store, vec![create(&key, json!({}))]).await?;
    let again = write(&store, vec![create(&key, json!({}))]).await;
    assert!(matches!(again, Err(Error::AlreadyExists(taken)) if taken == key));

    let delete = |expected| Write::Delete {
        key: key.clone(),
        expected,
    };
    let stale = write(&store, vec![delete(Some(Revision(0)))]).await;
    assert!(matches!(stale, Err(Error::Conflict { current, .. }) if current == first.revision));
    let deleted = write(&store, vec![delete(Some(first.revision))]).await?;
    assert_eq!(deleted.objects[0].uid, "uid-of-a");
    assert_eq!(deleted.objects[0].revision, deleted.revision);
    assert!(store.object(&key).await?.is_none());
    assert!(matches!(
        write(&store, vec![delete(None)]).await,
        Err(Error::NotFound(_))
    ));
    write(&store, vec![create(&key, json!({}))]).await?;
    Ok(())
}

pub(crate) async fn a_change_from_an_old_revision_conflicts_and_changes_nothing(database: Database) -> Result<()> {
    let store = database.open().await?;
    let key = key("a");
    let first = write(&store, vec![create(&key, json!({"n": "1"}))]).await?;
    let update = |n: &str, expected| Write::Update {
        key: key.clone(),
        body: body(&key, "uid-of-a", json!({ "n": n })),
        expected,
    };
    let second = write(&store, vec![update("2", first.revision)]).await?;
    assert!(second.revision > first.revision);
    let late = write(&store, vec![update("3", first.revision)]).await;
    assert!(matches!(late, Err(Error::Conflict { current, .. }) if current == second.revision));
    let object = store.object(&key).await?.unwrap();
    assert_eq!(object.body["data"]["n"], "2");
    assert_eq!(object.revision, second.revision);
    Ok(())
}

pub(crate) async fn another_uid_under_the_same_name_is_refused(database: Database) -> Result<()> {
    let store = database.open().await?;
    let key = key("a");
    let first = write(&store, vec![create(&key, json!({}))]).await?;
    let other = Write::Update {
        key: key.clone(),
        body: body(&key, "another", json!({})),
        expected: first.revision,
    };
    assert!(matches!(write(&store, vec![other]).await, Err(Error::OtherUid(_))));
    assert_eq!(store.object(&key).await?.unwrap().uid, "uid-of-a");
    Ok(())
}

pub(crate) async fn a_transaction_happens_together_or_not_at_all(database: Database) -> Result<()> {
    let store = database.open().await?;
    write(&store, vec![create(&key("a"), json!({}))]).await?;
    let before = store.revision().await?;
    let both = write(&store, vec![create(&key("b"), json!({})), create(&key("a"), json!({}))]).await;
    assert!(matches!(both, Err(Error::AlreadyExists(_))));
    assert!(store.object(&key("b")).await?.is_none());
    assert!(store.changes(before, 10).await?.changes.is_empty());

    let both = write(&store, vec![create(&key("b"), json!({})), create(&key("c"), json!({}))]).await?;
    let names: Vec<&str> = both.objects.iter().map(|object| object.key.name.as_str()).collect();
    assert_eq!(names, ["b", "c"]);
    assert!(both.objects.iter().all(|object| object.revision == both.revision));
    Ok(())
}

pub(crate) async fn a_transaction_that_rests_on_another_object_needs_it_as_it_was(database: Database) -> Result<()> {
    let store = database.open().await?;
    let (rival, own) = (key("a"), key("b"));
    let require = |expected| Write::Require {
        key: rival.clone(),
        expected,
    };
    let first = write(&store, vec![create(&rival, json!({}))]).await?;
    let late = write(&store, vec![require(None), create(&own, json!({}))]).await;
    assert!(matches!(late, Err(Error::Conflict { key, current }) if key == rival && current == first.revision));
    assert!(store.object(&own).await?.is_none());
    // It is written nothing about, and is no object of the answer.
    let written = write(&store, vec![require(Some(first.revision)), create(&own, json!({}))]).await?;
    assert_eq!(written.objects.len(), 1);
    assert_eq!(store.object(&rival).await?.unwrap().revision, first.revision);
    let delete = Write::Delete {
        key: rival.clone(),
        expected: None,
    };
    write(&store, vec![delete]).await?;
    let gone = write(&store, vec![require(Some(first.revision))]).await;
    assert!(matches!(gone, Err(Error::Conflict { current, .. }) if current == Revision(0)));
    write(&store, vec![require(None)]).await?;
    Ok(())
}

pub(crate) async fn a_transaction_that_rests_on_a_namespace_needs_it_quiet(database: Database) -> Result<()> {
    let store = database.open().await?;
    let own = key("b");
    let quiet = |since| Write::RequireQuiet {
        namespace: own.namespace.clone(),
        since,
    };
    let empty = store.revision().await?;
    write(&store, vec![quiet(empty)]).await?;
    let made = write(&store, vec![create(&key("a"), json!({}))]).await?;
    let late = write(&store, vec![quiet(empty), create(&own, json!({}))]).await;
    assert!(matches!(late, Err(Error::Conflict { current, .. }) if current == made.revision));
    assert!(store.object(&own).await?.is_none());
    write(&store, vec![quiet(made.revision), create(&own, json!({}))]).await?;
    Ok(())
}

pub(crate) async fn a_list_is_sorted_and_carries_the_revision_of_its_snapshot(database: Database) -> Result<()> {
    let store = database.open().await?;
    let empty = store.objects("", "configmaps", None).await?;
    assert!(empty.objects.is_empty());
    assert_eq!(empty.revision, store.revision().await?);
    // Bytes, not letters: no locale may put b-1 before B or behind ba.
    for (namespace, name) in [
        ("shop", "ba"),
        ("shop", "b-1"),
        ("shop", "B"),
        ("apps", "z"),
        ("shop", "b"),
    ] {
        let key = ObjectKey::new("", "configmaps", namespace, name);
        write(&store, vec![create(&key, json!({}))]).await?;
    }
    write(
        &store,
        vec![create(
            &ObjectKey::new("apps", "deployments", "shop", "other"),
            json!({}),
        )],
    )
    .await?;
    let names = |listing: &atoll_store::Listing| -> Vec<String> {
        let name = |object: &atoll_store::Object| format!("{}/{}", object.key.namespace, object.key.name);
        listing.objects.iter().map(name).collect()
    };
    let all = store.objects("", "configmaps", None).await?;
    assert_eq!(names(&all), ["apps/z", "shop/B", "shop/b", "shop/b-1", "shop/ba"]);
    assert_eq!(all.revision, store.revision().await?);
    let one = store.objects("", "configmaps", Some("shop")).await?;
    assert_eq!(names(&one), ["shop/B", "shop/b", "shop/b-1", "shop/ba"]);
    Ok(())
}

pub(crate) async fn a_namespace_lists_what_lives_in_it(database: Database) -> Result<()> {
    let store = database.open().await?;
    for (group, resource, namespace, name) in [
        ("", "namespaces", "", "shop"),
        ("types.kubefed.io", "federateddeployments", "shop", "web"),
        ("", "secrets", "shop", "password"),
        ("", "secrets", "other", "password"),
    ] {
        write(
            &store,
            vec![create(&ObjectKey::new(group, resource, namespace, name), json!({}))],
        )
        .await?;
    }
    let inside = store.objects_in_namespace("shop").await?;
    let keys: Vec<String> = inside.iter().map(|object| object.key.to_string()).collect();
    assert_eq!(
        keys,
        [
            "secrets shop/password",
            "federateddeployments.types.kubefed.io shop/web"
        ]
    );
    Ok(())
}

pub(crate) async fn what_was_written_is_there_after_opening_again(database: Database) -> Result<()> {
    let store = database.open().await?;
    let written = write(&store, vec![create(&key("a"), json!({"n": "1"}))]).await?;
    store.close().await;
    let store = database.open().await?;
    assert_eq!(store.object(&key("a")).await?.unwrap().revision, written.revision);
    assert_eq!(*store.revisions().borrow(), written.revision);
    assert!(write(&store, vec![create(&key("b"), json!({}))]).await?.revision > written.revision);
    Ok(())
}

async fn create_all(store: &atoll_store::Store, keys: &[ObjectKey]) -> Result<()> {
    for key in keys {
        write(store, vec![create(key, json!({}))]).await?;
    }
    Ok(())
}

pub(crate) async fn names_are_told_without_the_objects(database: Database) -> Result<()> {
    let store = database.open().await?;
    let keys = [
        ObjectKey::new("", "namespaces", "", "shop"),
        ObjectKey::new("", "secrets", "shop", "a"),
        ObjectKey::new("types.kubefed.io", "federatedsecrets", "apps", "a"),
        ObjectKey::new("types.kubefed.io", "federatedsecrets", "shop", "a"),
    ];
    create_all(&store, &keys).await?;
    // Whoever read a body would fail.
    database.raw().await?.run("UPDATE objects SET body = ''").await?;
    assert_eq!(store.names_of_group("types.kubefed.io").await?, keys[2..]);
    assert_eq!(store.names_of_group("").await?, keys[..2]);
    assert_eq!(
        store.names_in_namespace("shop").await?,
        [keys[1].clone(), keys[3].clone()]
    );
    Ok(())
}

pub(crate) async fn many_objects_come_in_pages(database: Database) -> Result<()> {
    let store = database.open().await?;
    let of = |namespace: &str, name: &str| ObjectKey::new("", "configmaps", namespace, name);
    let keys = [
        of("apps", "z"),
        of("shop", "B"),
        of("shop", "b"),
        of("shop", "b-1"),
        of("shop", "ba"),
    ];
    create_all(&store, &keys).await?;
    create_all(&store, &[ObjectKey::new("", "secrets", "shop", "c")]).await?;
    let mut seen: Vec<ObjectKey> = Vec::new();
    loop {
        let page = store.objects_after("", "configmaps", seen.last(), None, 2).await?;
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        seen.extend(page.into_iter().map(|object| object.key));
    }
    assert_eq!(seen, keys);
    let made = store.object(&keys[0]).await?.unwrap().created_at;
    assert!(
        store
            .objects_after("", "configmaps", None, Some(made), 9)
            .await?
            .is_empty()
    );
    Ok(())
}

pub(crate) async fn what_a_namespace_has_too_many_of_is_told_the_oldest(database: Database) -> Result<()> {
    let store = database.open().await?;
    let of = |namespace: &str, name: &str| ObjectKey::new("", "events", namespace, name);
    let keys = [
        of("shop", "d"),
        of("shop", "a"),
        of("apps", "a"),
        of("shop", "c"),
        of("shop", "b"),
    ];
    create_all(&store, &keys).await?;
    let first = store.object(&keys[0]).await?.unwrap();
    let again = body(&keys[0], &first.uid, json!({"again": true}));
    write(
        &store,
        vec![Write::Update {
            key: keys[0].clone(),
            body: again,
            expected: first.revision,
        }],
    )
    .await?;
    let surplus = store.surplus("", "events", 2, 9).await?;
    assert_eq!(
        surplus,
        [keys[3].clone(), keys[1].clone()],
        "the last of all is written again"
    );
    assert_eq!(store.surplus("", "events", 2, 1).await?.len(), 1);
    assert!(store.surplus("", "events", 4, 9).await?.is_empty());
    Ok(())
}
