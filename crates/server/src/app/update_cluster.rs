//! What people say about a cluster changes: names, text, role, labels.

use std::collections::BTreeMap;

use atoll_kubeapi::Cause;
use atoll_store::{Cluster, Object, Role, Store, Transaction, Write};

use super::cluster_objects as objects;
use super::cluster_text::{Text, label_causes, text_causes};
use crate::error::{Error, Result};
use crate::state::AppState;

/// How often a change is tried again when the hub itself has written in between.
pub(super) const ATTEMPTS: u32 = 5;

/// A change; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ClusterChange {
    /// A name for people; empty for none.
    pub alias: Option<String>,
    /// Free text; empty for none.
    pub description: Option<String>,
    /// Who runs it; empty for unknown.
    pub provider: Option<String>,
    /// Where it is; empty for unknown.
    pub region: Option<String>,
    /// Host or member.
    pub role: Option<Role>,
    /// Labels to set, or with `None` to take away.
    pub labels: BTreeMap<String, Option<String>>,
}

/// Changes what is said about a cluster.
///
/// # Errors
/// When there is no such cluster, or a value cannot be used.
pub async fn update_cluster(state: &AppState, user: &str, name: &str, change: &ClusterChange) -> Result<()> {
    for attempt in 1.. {
        let (row, object) = find(state, name).await?;
        match save(state, row, &object, change).await? {
            Err(atoll_store::Error::Conflict { .. }) if attempt < ATTEMPTS => {}
            outcome => {
                outcome?;
                break;
            }
        }
    }
    tracing::info!(cluster.name = name, user.name = user, "a cluster was edited");
    Ok(())
}

/// The side table's row of a cluster, and its object.
///
/// # Errors
/// 404 when there is no such cluster.
pub(super) async fn find(state: &AppState, name: &str) -> Result<(Cluster, Object)> {
    let object = state.store.object(&Store::cluster_key(name)).await?;
    let row = state.store.cluster(name).await?;
    row.zip(object).ok_or_else(|| Error::no_cluster(name))
}

async fn save(
    state: &AppState,
    row: Cluster,
    object: &Object,
    change: &ClusterChange,
) -> Result<atoll_store::Result<()>> {
    let name = row.name.clone();
    let mut labels = objects::labels_of(&object.body);
    for (key, value) in &change.labels {
        match value {
            Some(value) => labels.insert(key.clone(), value.clone()),
            None => labels.remove(key),
        };
    }
    let or_old = |new: &Option<String>, old: String| new.clone().unwrap_or(old);
    let row = Cluster {
        alias: or_old(&change.alias, row.alias),
        description: or_old(&change.description, row.description),
        provider: or_old(&change.provider, row.provider),
        region: or_old(&change.region, row.region),
        role: change.role.unwrap_or(row.role),
        ..row
    };
    let mut causes: Vec<Cause> = text_causes(&Text {
        alias: &row.alias,
        description: &row.description,
        provider: &row.provider,
        region: &row.region,
    });
    causes.extend(label_causes(&labels));
    if !causes.is_empty() {
        return Err(Error::invalid("Cluster", &name, causes));
    }
    let writes = vec![
        objects::update(object, objects::with_labels(&object.body, &labels)),
        Write::PutCluster(Box::new(row)),
    ];
    Ok(state.store.write(Transaction { writes, lease: None }).await.map(drop))
}
