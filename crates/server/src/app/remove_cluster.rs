//! A cluster leaves. What the hub wrote there stays unless it is asked for, and a cluster that is gone for good can
//! still be removed: then only the hub's own records go.

use std::time::Duration;

use atoll_clusters::dismiss_admins;
use atoll_controllers::Left;
use atoll_store::{Store, Transaction, Write};

use super::cluster_objects as objects;
use super::update_cluster::ATTEMPTS;
use crate::error::{Error, Reason, Result};
use crate::state::AppState;

/// How long deleting what the hub manages may take; what is left then is told.
const DELETING: Duration = Duration::from_secs(45);

/// What happens to objects that the hub wrote into the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Managed {
    /// They stay.
    #[default]
    Orphan,
    /// They are deleted first, as far as the cluster can be reached.
    Delete,
}

/// Removes a cluster. Answers what was left behind in it although it was to be deleted.
///
/// # Errors
/// When there is no such cluster, or its object waits for somebody's finalizer.
pub async fn remove_cluster(state: &AppState, user: &str, name: &str, managed: Managed) -> Result<Vec<Left>> {
    refuse_unknown_or_held(state, name).await?;
    let left = match managed {
        Managed::Orphan => Vec::new(),
        Managed::Delete => delete_managed(state, name).await?,
    };
    for attempt in 1.. {
        match forget(state, name).await {
            Err(atoll_store::Error::Conflict { .. }) if attempt < ATTEMPTS => {}
            outcome => {
                outcome?;
                break;
            }
        }
    }
    tracing::info!(
        cluster.name = name,
        user.name = user,
        ?managed,
        left = left.len(),
        "a cluster was removed"
    );
    Ok(left)
}

async fn refuse_unknown_or_held(state: &AppState, name: &str) -> Result<()> {
    let object = state.store.object(&Store::cluster_key(name)).await?;
    if object.is_none() && state.store.cluster(name).await?.is_none() {
        return Err(Error::no_cluster(name));
    }
    let finalizers = object
        .as_ref()
        .and_then(|object| object.body["metadata"]["finalizers"].as_array());
    if finalizers.is_some_and(|finalizers| !finalizers.is_empty()) {
        let message = "the cluster's KubeFedCluster has finalizers, so somebody else wants a word before it goes";
        return Err(Error::new(Reason::Conflict, message)
            .in_cluster(name)
            .with_hint("Delete the KubeFedCluster with kubectl, or remove its finalizers first."));
    }
    Ok(())
}

async fn delete_managed(state: &AppState, name: &str) -> Result<Vec<Left>> {
    let deleting = tokio::time::timeout(DELETING, state.controllers.delete_managed(name));
    let left = deleting.await.map_err(|_| {
        Error::new(
            Reason::Timeout,
            "deleting what the hub manages took too long; the cluster is still registered",
        )
        .in_cluster(name)
        .with_hint("Try again, or remove the cluster and leave its objects.")
    })??;
    if let Some(member) = state.clusters.member(name).filter(|member| member.is_ready())
        && let Err(error) = dismiss_admins(member.as_ref(), &state.hub.uid.to_string()).await
    {
        tracing::warn!(cluster.name = name, error = %crate::error::chain(&error), "the binding of the hub's administrators stays");
    }
    Ok(left)
}

/// The object, the Secret that a registration made, the row and the records of propagation, in one transaction.
async fn forget(state: &AppState, name: &str) -> atoll_store::Result<()> {
    let mut writes = vec![Write::DeleteCluster(name.to_owned())];
    if let Some(object) = state.store.object(&Store::cluster_key(name)).await? {
        let secret = object.body["spec"]["secretRef"]["name"].as_str().unwrap_or_default();
        if let Some(secret) = state.store.object(&objects::secret_key(secret)).await?
            && secret.body["metadata"]["labels"][objects::CLUSTER_LABEL] == name
        {
            writes.push(Write::Delete {
                key: secret.key,
                expected: Some(secret.revision),
            });
        }
        writes.push(Write::Delete {
            key: object.key,
            expected: Some(object.revision),
        });
    }
    state.store.write(Transaction { writes, lease: None }).await.map(drop)
}
