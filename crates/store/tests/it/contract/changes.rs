//! Revisions, history and wake-ups.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use atoll_store::{ChangeKind, Earlier, Error, ObjectKey, Revision, Write};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::database::{Database, body, create, key, write};

pub(crate) async fn writers_that_share_a_commit_have_a_revision_each(database: Database) -> Result<()> {
    let store = database.open().await?;
    let before = store.revision().await?;
    let keys: Vec<_> = (0..150).map(|index| key(&format!("o-{index:03}"))).collect();
    let writes = keys.iter().map(|key| write(&store, vec![create(key, json!({}))]));
    let mut revisions = BTreeSet::new();
    for written in join_all(writes).await {
        assert!(
            revisions.insert(written?.revision),
            "two writers have the same revision"
        );
    }
    let changes = store.changes(before, 1000).await?;
    let order: Vec<Revision> = changes.changes.iter().map(|change| change.revision).collect();
    assert_eq!(order, revisions.into_iter().collect::<Vec<_>>());
    assert_eq!(changes.through, store.revision().await?);
    Ok(())
}

pub(crate) async fn whoever_conflicts_in_a_shared_commit_fails_alone(database: Database) -> Result<()> {
    let store = database.open().await?;
    write(&store, vec![create(&key("taken"), json!({}))]).await?;
    let names: Vec<String> = (0..60)
        .map(|index| {
            if index % 3 == 0 {
                "taken".to_owned()
            } else {
                format!("o-{index}")
            }
        })
        .collect();
    let keys: Vec<_> = names.iter().map(|name| key(name)).collect();
    let outcomes = join_all(keys.iter().map(|key| write(&store, vec![create(key, json!({}))]))).await;
    for (name, outcome) in names.iter().zip(outcomes) {
        match outcome {
            Ok(_) => assert_ne!(name, "taken"),
            Err(error) => assert!(
                name == "taken" && matches!(error, Error::AlreadyExists(_)),
                "{name}: {error}"
            ),
        }
    }
    assert_eq!(store.objects("", "configmaps", None).await?.objects.len(), 41);
    Ok(())
}

/// The property that a sequence does not have: what a reader has been given up to is complete for ever.
pub(crate) async fn a_reader_never_misses_what_is_committed_later(database: Database) -> Result<()> {
    let (one, other) = (database.open().await?, database.open().await?);
    let start = one.revision().await?;
    let reader = async {
        let mut seen = Vec::new();
        let mut from = start;
        while seen.len() < 80 {
            let changes = one.changes(from, 7).await?;
            seen.extend(changes.changes.iter().map(|change| change.revision));
            from = changes.through;
            tokio::task::yield_now().await;
        }
        Ok::<_, Error>(seen)
    };
    let writer = async |store: &atoll_store::Store, name: &str| {
        for index in 0..40 {
            write(store, vec![create(&key(&format!("{name}-{index}")), json!({}))]).await?;
        }
        Ok::<_, Error>(())
    };
    let all = async { tokio::try_join!(reader, writer(&one, "one"), writer(&other, "other")) };
    let (seen, (), ()) = timeout(Duration::from_secs(60), all).await??;
    assert!(seen.is_sorted(), "changes came out of order: {seen:?}");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 80);
    Ok(())
}

pub(crate) async fn changes_carry_what_was_before_and_after(database: Database) -> Result<()> {
    let store = database.open().await?;
    let key = key("a");
    let start = store.revision().await?;
    let first = write(&store, vec![create(&key, json!({"n": "1"}))]).await?;
    let change = Write::Update {
        key: key.clone(),
        body: body(&key, "uid-of-a", json!({"n": "2"})),
        expected: first.revision,
    };
    write(&store, vec![change]).await?;
    let delete = Write::Delete {
        key: key.clone(),
        expected: None,
    };
    write(&store, vec![delete]).await?;
    let changes = store.changes(start, 10).await?.changes;
    let n = |body: &Option<Arc<Value>>| Some(body.as_ref()?["data"]["n"].as_str()?.to_owned());
    let told: Vec<_> = changes
        .iter()
        .map(|change| (change.kind, n(&change.before), n(&change.after)))
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        told,
        [
            (ChangeKind::Created, None, text("1")),
            (ChangeKind::Updated, text("1"), text("2")),
            (ChangeKind::Deleted, text("2"), None),
        ]
    );
    Ok(())
}

pub(crate) async fn changes_of_one_revision_come_together(database: Database) -> Result<()> {
    let store = database.open().await?;
    let start = store.revision().await?;
    let three = |prefix: &str| {
        ["1", "2", "3"]
            .map(|n| create(&key(&format!("{prefix}-{n}")), json!({})))
            .to_vec()
    };
    let first = write(&store, three("a")).await?;
    let second = write(&store, three("b")).await?;
    let mut from = start;
    let mut batches = Vec::new();
    loop {
        let changes = store.changes(from, 2).await?;
        if changes.changes.is_empty() {
            break;
        }
        from = changes.through;
        batches.push(changes.changes.iter().map(|change| change.revision).collect::<Vec<_>>());
    }
    assert_eq!(batches, [vec![first.revision; 3], vec![second.revision; 3]]);
    Ok(())
}

pub(crate) async fn the_history_of_an_object_is_its_own_the_latest_first_and_bounded(database: Database) -> Result<()> {
    let store = database.open().await?;
    // Sealed at rest, to be opened on the way out.
    let own = ObjectKey::new("", "secrets", "shop", "a");
    let namesake = ObjectKey::new("", "configmaps", "shop", "a");
    let mut revisions = vec![write(&store, vec![create(&own, json!({"n": 1}))]).await?.revision];
    write(&store, vec![create(&namesake, json!({"n": 1}))]).await?;
    for n in 2..=4 {
        let last = revisions[revisions.len() - 1];
        let changes = vec![change(&own, n, last), create(&key(&format!("other-{n}")), json!({}))];
        revisions.push(write(&store, changes).await?.revision);
    }
    let told = |earlier: Vec<Earlier>| -> Vec<(Revision, Value)> {
        let told = earlier.iter().map(|one| (one.until, one.body["data"]["n"].clone()));
        told.collect()
    };
    let all = [
        (revisions[3], json!(3)),
        (revisions[2], json!(2)),
        (revisions[1], json!(1)),
    ];
    assert_eq!(told(store.history_of(&own, 10).await?), all);
    assert_eq!(told(store.history_of(&own, 2).await?), all[..2]);
    assert_eq!(told(store.history_of(&namesake, 10).await?), [], "it was never another");
    store.compact(2).await?;
    assert_eq!(told(store.history_of(&own, 10).await?), all[..2]);
    Ok(())
}

pub(crate) async fn the_history_of_a_large_object_is_its_latest_part(database: Database) -> Result<()> {
    let store = database.open().await?;
    let own = key("a");
    let large = "x".repeat(3 << 20);
    let mut last = write(&store, vec![create(&own, json!({"n": 1, "text": large}))])
        .await?
        .revision;
    for n in 2..=6 {
        let changes = vec![update(&own, json!({"n": n, "text": large}), last)];
        last = write(&store, changes).await?.revision;
    }
    let history = store.history_of(&own, 100).await?;
    let told: Vec<&Value> = history.iter().map(|one| &one.body["data"]["n"]).collect();
    assert_eq!(told, [5, 4]);
    // One alone is told whatever it takes.
    let other = key("b");
    let larger = vec![create(&other, json!({"text": "x".repeat(9 << 20)}))];
    let made = write(&store, larger).await?.revision;
    write(&store, vec![change(&other, 2, made)]).await?;
    assert_eq!(store.history_of(&other, 100).await?.len(), 1);
    Ok(())
}

fn change(key: &ObjectKey, n: i64, expected: Revision) -> Write {
    update(key, json!({"n": n}), expected)
}

fn update(key: &ObjectKey, data: Value, expected: Revision) -> Write {
    Write::Update {
        key: key.clone(),
        body: body(key, &format!("uid-of-{}", key.name), data),
        expected,
    }
}

pub(crate) async fn compacted_history_is_expired(database: Database) -> Result<()> {
    let store = database.open().await?;
    let start = store.revision().await?;
    let mut revisions = Vec::new();
    for index in 0..10 {
        revisions.push(
            write(&store, vec![create(&key(&format!("o-{index}")), json!({}))])
                .await?
                .revision,
        );
    }
    store.compact(3).await?;
    let Err(Error::Expired { oldest }) = store.changes(start, 100).await else {
        panic!("history before the compaction was given");
    };
    assert_eq!(oldest, revisions[6]);
    let kept = store.changes(oldest, 100).await?;
    assert_eq!(
        kept.changes.iter().map(|change| change.revision).collect::<Vec<_>>(),
        revisions[7..]
    );
    // More than there is: nothing goes.
    store.compact(1000).await?;
    assert_eq!(store.changes(oldest, 100).await?.changes.len(), 3);
    Ok(())
}

pub(crate) async fn another_replica_learns_of_a_commit(database: Database) -> Result<()> {
    let (one, other) = (database.open().await?, database.open().await?);
    let mut revisions = other.revisions();
    let mut access = other.access();
    let written = write(&one, vec![create(&key("a"), json!({}))]).await?;
    timeout(
        Duration::from_secs(10),
        revisions.wait_for(|seen| *seen >= written.revision),
    )
    .await??;
    access.mark_unchanged();
    one.create_user(&crate::database::user("bob")).await?;
    timeout(Duration::from_secs(10), access.changed()).await??;
    Ok(())
}

pub(crate) async fn large_changes_come_few_at_a_time(database: Database) -> Result<()> {
    let store = database.open().await?;
    let start = store.revision().await?;
    let large = json!({"text": "x".repeat(3 << 20)});
    for index in 0..6 {
        write(&store, vec![create(&key(&format!("o-{index}")), large.clone())]).await?;
    }
    let (mut from, mut sizes) = (start, Vec::new());
    loop {
        let read = store.changes(from, 100).await?;
        from = read.through;
        if read.changes.is_empty() {
            break;
        }
        sizes.push(read.changes.len());
    }
    assert_eq!(sizes, [2, 2, 2]);
    assert_eq!(from, store.revision().await?);
    Ok(())
}

pub(crate) async fn what_was_changed_is_told_by_name_alone(database: Database) -> Result<()> {
    let store = database.open().await?;
    let start = store.revision().await?;
    let names = ["a", "b", "c"].map(key);
    let first = write(&store, vec![create(&names[0], json!({})), create(&names[1], json!({}))]).await?;
    let second = write(&store, vec![create(&names[2], json!({}))]).await?;
    // Whoever read a body would fail.
    database.raw().await?.run("UPDATE changes SET after_body = ''").await?;
    assert_eq!(store.changed(start, 2).await?, (names[..2].to_vec(), first.revision));
    assert_eq!(
        store.changed(first.revision, 2).await?,
        (names[2..].to_vec(), second.revision)
    );
    assert_eq!(store.changed(second.revision, 2).await?, (vec![], second.revision));
    store.compact(0).await?;
    assert!(matches!(store.changed(start, 2).await, Err(Error::Expired { .. })));
    Ok(())
}
