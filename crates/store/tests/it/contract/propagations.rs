//! Records of propagation.

use anyhow::Result;
use atoll_store::{Error, Lease, Propagation, PropagationKey};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::database::{Database, now};

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
