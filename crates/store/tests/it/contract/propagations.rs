//! Records of propagation.

use anyhow::Result;
use atoll_store::{Error, Lease, Propagation, PropagationKey};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::database::{Database, Raw, create, now, write};

fn key(resource: &str, name: &str) -> PropagationKey {
    PropagationKey {
        resource: format!("{resource}.types.kubefed.io"),
        namespace: "shop".into(),
        name: name.into(),
    }
}

fn record(key: &PropagationKey, cluster: &str) -> Propagation {
    Propagation {
        key: key.clone(),
        cluster: cluster.into(),
        uid: Some(format!("u-{cluster}")),
        applied_hash: Some("applied".into()),
        managed_hash: None,
        status: String::new(),
        message: String::new(),
        leftover: false,
        at: now(),
    }
}

pub(crate) async fn records_are_put_replaced_and_dropped(database: Database) -> Result<()> {
    let store = database.open().await?;
    let (web, api) = (key("federateddeployments", "web"), key("federateddeployments", "api"));
    let before = store.revision().await?;
    let first = [record(&web, "us-1"), record(&web, "eu-1"), record(&api, "eu-1")];
    store.record_propagations(None, &first, &[]).await?;
    assert_eq!(store.propagations(&web).await?, [first[1].clone(), first[0].clone()]);
    assert_eq!(
        store.propagations_in(Some("eu-1")).await?,
        [first[2].clone(), first[1].clone()]
    );

    let mut objects = store.propagated().await?;
    objects.sort();
    assert_eq!(objects, [api.clone(), web.clone()]);

    let changed = Propagation {
        uid: None,
        leftover: true,
        status: "ClusterNotReady".into(),
        message: "the cluster is away".into(),
        ..record(&web, "eu-1")
    };
    let gone = (web.clone(), "us-1".to_owned());
    store
        .record_propagations(None, std::slice::from_ref(&changed), &[gone])
        .await?;
    assert_eq!(store.propagations(&web).await?, [changed]);
    assert_eq!(store.propagations_in(None).await?.len(), 2);
    assert_eq!(store.revision().await?, before, "bookkeeping moved the revision");
    Ok(())
}

pub(crate) async fn only_what_is_known_to_be_there_is_counted(database: Database) -> Result<()> {
    let store = database.open().await?;
    let (web, namespace) = (key("federateddeployments", "web"), key("federatednamespaces", "shop"));
    let unseen = Propagation {
        uid: None,
        ..record(&key("federateddeployments", "api"), "us-1")
    };
    let records = [
        record(&web, "eu-1"),
        record(&namespace, "eu-1"),
        record(&namespace, "us-1"),
        unseen,
    ];
    store.record_propagations(None, &records, &[]).await?;
    let all: Vec<_> = store.managed().await?.into_iter().collect();
    assert_eq!(all, [("eu-1".to_owned(), 2), ("us-1".to_owned(), 1)]);
    let inside: Vec<_> = store
        .managed_in_namespace("shop", &namespace.resource)
        .await?
        .into_iter()
        .collect();
    assert_eq!(inside, [("eu-1".to_owned(), 1)]);
    assert!(
        store
            .managed_in_namespace("other", &namespace.resource)
            .await?
            .is_empty()
    );
    Ok(())
}

pub(crate) async fn records_of_a_lost_lease_are_refused(database: Database) -> Result<()> {
    let store = database.open().await?;
    let web = key("federateddeployments", "web");
    let lease = store
        .take_lease("leader", "one", Timestamp::now(), SignedDuration::from_secs(15))
        .await?
        .unwrap();
    store
        .record_propagations(Some(&lease), &[record(&web, "eu-1")], &[])
        .await?;
    let old = Lease {
        epoch: lease.epoch - 1,
        ..lease
    };
    let refused = store
        .record_propagations(Some(&old), &[record(&web, "us-1")], &[(web.clone(), "eu-1".into())])
        .await;
    assert!(matches!(refused, Err(Error::Fenced(_))), "{refused:?}");
    assert_eq!(store.propagations(&web).await?.len(), 1);
    Ok(())
}

pub(crate) async fn many_records_come_and_go_together(database: Database) -> Result<()> {
    let store = database.open().await?;
    let web = key("federateddeployments", "web");
    let clusters: Vec<String> = (100..183).map(|number| format!("c-{number}")).collect();
    let records: Vec<Propagation> = clusters.iter().map(|cluster| record(&web, cluster)).collect();
    store.record_propagations(None, &records, &[]).await?;
    assert_eq!(store.propagations(&web).await?, records);
    let dropped: Vec<_> = clusters[3..]
        .iter()
        .map(|cluster| (web.clone(), cluster.clone()))
        .collect();
    store.record_propagations(None, &[], &dropped).await?;
    assert_eq!(store.propagations(&web).await?, records[..3]);
    Ok(())
}

pub(crate) async fn the_last_word_about_a_record_counts(database: Database) -> Result<()> {
    let store = database.open().await?;
    let web = key("federateddeployments", "web");
    let twice = Propagation {
        uid: None,
        ..record(&web, "eu-1")
    };
    let put = [record(&web, "eu-1"), twice.clone(), record(&web, "us-1")];
    store
        .record_propagations(None, &put, &[(web.clone(), "us-1".into())])
        .await?;
    assert_eq!(store.propagations(&web).await?, [twice]);
    Ok(())
}

pub(crate) async fn a_lost_lease_refuses_nobody_elses_records(database: Database) -> Result<()> {
    let store = database.open().await?;
    let lease = store
        .take_lease("leader", "one", Timestamp::now(), SignedDuration::from_secs(15))
        .await?
        .unwrap();
    let old = Lease {
        epoch: lease.epoch - 1,
        ..lease.clone()
    };
    let names: Vec<String> = (0..40).map(|number| format!("web-{number}")).collect();
    // They wait for the writer together, and may share a commit.
    let outcomes = join_all(names.iter().enumerate().map(|(number, name)| {
        let lease = if number % 2 == 0 { &lease } else { &old };
        let records = [record(&key("federateddeployments", name), "eu-1")];
        let store = &store;
        async move { store.record_propagations(Some(lease), &records, &[]).await }
    }))
    .await;
    for (number, outcome) in outcomes.iter().enumerate() {
        let is_right = if number % 2 == 0 {
            outcome.is_ok()
        } else {
            matches!(outcome, Err(Error::Fenced(_)))
        };
        assert!(is_right, "{number}: {outcome:?}");
    }
    assert_eq!(store.propagations_in(None).await?.len(), 20);
    Ok(())
}

/// A text with a NUL is what a member can make PostgreSQL refuse; SQLite takes it, and gets a rule of the kind here.
pub(crate) async fn a_record_that_the_database_refuses_costs_nobody_else_anything(database: Database) -> Result<()> {
    let store = database.open().await?;
    let raw = database.raw().await?;
    if matches!(raw, Raw::Sqlite(_)) {
        let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON propagations WHEN NEW.uid LIKE 'bad%' \
             BEGIN SELECT RAISE(ABORT, 'refused'); END";
        raw.run(refuse).await?;
    }
    let bad = Propagation {
        uid: Some("bad\u{0}uid".into()),
        ..record(&key("federateddeployments", "odd"), "hostile")
    };
    let beside = record(&bad.key, "eu-1");
    let odd = [beside.clone(), bad.clone()];
    let others: Vec<_> = (0..40)
        .map(|index| record(&key("federateddeployments", &format!("o-{index}")), "eu-1"))
        .collect();
    let objects: Vec<_> = (0..20)
        .map(|index| crate::database::key(&format!("m-{index}")))
        .collect();
    let written = join_all(objects.iter().map(|key| write(&store, vec![create(key, json!({}))])));
    let recorded = join_all(
        others
            .iter()
            .map(|record| store.record_propagations(None, std::slice::from_ref(record), &[])),
    );
    let (refused, written, recorded) = tokio::join!(store.record_propagations(None, &odd, &[]), written, recorded);
    assert!(matches!(refused, Err(Error::Database { .. })), "{refused:?}");
    for outcome in written {
        outcome?;
    }
    for outcome in recorded {
        outcome?;
    }
    assert_eq!(store.propagations_in(None).await?.len(), others.len() + 1);
    assert_eq!(store.propagations(&bad.key).await?, [beside]);
    Ok(())
}
