//! The side table of registered clusters.

use anyhow::Result;
use atoll_store::{ClusterHealth, Error, Propagation, PropagationKey, Role, Store, Write};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::database::{Database, cluster, create, now, write};

fn put(cluster: &atoll_store::Cluster) -> Write {
    Write::PutCluster(Box::new(cluster.clone()))
}

fn health(name: &str) -> ClusterHealth {
    ClusterHealth {
        name: name.into(),
        credential_revision: 1,
        uid: Some("found".into()),
        provider: Some("kind".into()),
        region: Some("eu-north-1".into()),
        state: "Ready".into(),
        since: now(),
        conditions: json!([{"type": "Ready", "status": "True"}]),
        probe: json!({"latencyMs": 3}),
    }
}

pub(crate) async fn a_cluster_is_written_together_with_its_object(database: Database) -> Result<()> {
    let store = database.open().await?;
    let row = cluster(&store, "eu-1")?;
    let key = Store::cluster_key("eu-1");
    let written = write(&store, vec![create(&key, json!({})), put(&row)]).await?;
    assert_eq!(store.cluster_revision("eu-1").await?, Some(written.revision));
    let found = store.cluster("eu-1").await?.unwrap();
    assert_eq!(found.uid.as_deref(), Some("uid-of-eu-1"));
    assert_eq!((found.description.as_str(), found.role), ("for tests", Role::Member));
    assert_eq!(found.created_at, row.created_at);
    assert_eq!(
        store.open_sealed(&found.credential)?.expose_secret(),
        b"credential of eu-1"
    );

    let again = write(&store, vec![put(&cluster(&store, "us-1")?), create(&key, json!({}))]).await;
    assert!(matches!(again, Err(Error::AlreadyExists(_))));
    assert!(store.cluster("us-1").await?.is_none(), "half a transaction was written");
    Ok(())
}

pub(crate) async fn a_cluster_is_registered_once(database: Database) -> Result<()> {
    let store = database.open().await?;
    write(&store, vec![put(&cluster(&store, "eu-1")?)]).await?;
    let mut same = cluster(&store, "other")?;
    same.uid = Some("uid-of-eu-1".into());
    let refused = write(&store, vec![put(&same)]).await;
    assert!(matches!(refused, Err(Error::ClusterRegistered(name)) if name == "eu-1"));
    // A cluster that was never reached has no identity yet, and there may be many.
    for name in ["new-1", "new-2"] {
        let mut unknown = cluster(&store, name)?;
        unknown.uid = None;
        write(&store, vec![put(&unknown)]).await?;
    }
    let found = ClusterHealth {
        uid: Some("uid-of-eu-1".into()),
        ..health("new-1")
    };
    let refused = write(&store, vec![Write::PutHealth(Box::new(found))]).await;
    assert!(matches!(refused, Err(Error::ClusterRegistered(name)) if name == "eu-1"));
    Ok(())
}

pub(crate) async fn there_is_one_host(database: Database) -> Result<()> {
    let store = database.open().await?;
    let host = |name: &str| -> Result<atoll_store::Cluster> {
        let mut host = cluster(&store, name)?;
        host.role = Role::Host;
        Ok(host)
    };
    write(&store, vec![put(&host("one")?)]).await?;
    write(&store, vec![put(&host("one")?)]).await?;
    let refused = write(&store, vec![put(&host("two")?)]).await;
    assert!(matches!(refused, Err(Error::HostTaken(name)) if name == "one"));
    Ok(())
}

pub(crate) async fn health_changes_only_what_it_is_about(database: Database) -> Result<()> {
    let store = database.open().await?;
    let mut row = cluster(&store, "eu-1")?;
    row.uid = None;
    row.region = "given by hand".into();
    write(&store, vec![put(&row)]).await?;
    write(&store, vec![Write::PutHealth(Box::new(health("eu-1")))]).await?;
    let found = store.cluster("eu-1").await?.unwrap();
    assert_eq!(found.uid.as_deref(), Some("found"));
    assert_eq!(
        (found.provider.as_str(), found.region.as_str()),
        ("kind", "given by hand")
    );
    assert_eq!(
        (found.state.as_str(), &found.probe),
        ("Ready", &json!({"latencyMs": 3}))
    );
    assert_eq!((found.description, found.credential), (row.description, row.credential));

    let other = ClusterHealth {
        uid: Some("another".into()),
        ..health("eu-1")
    };
    write(&store, vec![Write::PutHealth(Box::new(other))]).await?;
    assert_eq!(store.cluster("eu-1").await?.unwrap().uid.as_deref(), Some("found"));
    Ok(())
}

pub(crate) async fn health_found_with_another_credential_is_refused(database: Database) -> Result<()> {
    let store = database.open().await?;
    let mut row = cluster(&store, "eu-1")?;
    row.credential_revision = 2;
    write(&store, vec![put(&row)]).await?;
    let late = write(&store, vec![Write::PutHealth(Box::new(health("eu-1")))]).await;
    assert!(matches!(late, Err(Error::Conflict { .. })), "{late:?}");
    assert_eq!(store.cluster("eu-1").await?.unwrap().state, "Pending");
    let gone = write(&store, vec![Write::PutHealth(Box::new(health("us-1")))]).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
    Ok(())
}

pub(crate) async fn a_removed_cluster_takes_its_records_along(database: Database) -> Result<()> {
    let store = database.open().await?;
    write(
        &store,
        vec![put(&cluster(&store, "eu-1")?), put(&cluster(&store, "us-1")?)],
    )
    .await?;
    let key = PropagationKey {
        resource: "federatedconfigmaps.types.kubefed.io".into(),
        namespace: "shop".into(),
        name: "a".into(),
    };
    let record = |cluster: &str| Propagation {
        key: key.clone(),
        cluster: cluster.into(),
        uid: Some("u".into()),
        applied_hash: None,
        managed_hash: None,
        status: String::new(),
        message: String::new(),
        leftover: false,
        at: now(),
    };
    store
        .record_propagations(None, &[record("eu-1"), record("us-1")], &[])
        .await?;
    write(&store, vec![Write::DeleteCluster("eu-1".into())]).await?;
    let left: Vec<String> = store
        .propagations(&key)
        .await?
        .into_iter()
        .map(|record| record.cluster)
        .collect();
    assert_eq!(left, ["us-1"]);
    assert!(store.cluster("eu-1").await?.is_none());
    Ok(())
}

pub(crate) async fn a_row_that_cannot_be_read_hides_no_other(database: Database) -> Result<()> {
    let store = database.open().await?;
    write(
        &store,
        vec![put(&cluster(&store, "eu-1")?), put(&cluster(&store, "us-1")?)],
    )
    .await?;
    let raw = database.raw().await?;
    raw.run("UPDATE clusters SET conditions = '{' WHERE name = 'eu-1'")
        .await?;
    let rows = store.clusters().await?;
    assert_eq!(rows.len(), 2);
    assert!(matches!(&rows[0], Err(error @ Error::Corrupt { .. }) if error.cluster() == Some("eu-1")));
    assert!(matches!(&rows[1], Ok(cluster) if cluster.name == "us-1"));
    Ok(())
}
