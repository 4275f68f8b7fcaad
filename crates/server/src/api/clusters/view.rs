//! A registered cluster as the console shows it: what was registered, and what is known of it now.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoll_clusters::{Facts, HealthSnapshot, Member};
use atoll_store::{Object, Role, Store};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::labels_of;
use crate::authz::USER_PREFIX;
use crate::error::{Result, chain};
use crate::state::AppState;

/// What a cluster is to the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ClusterRole)]
pub enum RoleView {
    /// The cluster the hub itself belongs to.
    Host,
    /// Any other.
    Member,
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        match role {
            Role::Host => Self::Host,
            Role::Member => Self::Member,
        }
    }
}

impl From<RoleView> for Role {
    fn from(role: RoleView) -> Self {
        match role {
            RoleView::Host => Self::Host,
            RoleView::Member => Self::Member,
        }
    }
}

/// What people see of a cluster at one glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[schema(as = ClusterState)]
pub enum StateView {
    /// Not probed yet.
    Pending,
    /// In use.
    Ready,
    /// In use, or at least answering, with something wrong.
    Degraded,
    /// Not in use.
    Offline,
}

impl StateView {
    fn from_word(word: &str) -> Self {
        match word {
            "Ready" => Self::Ready,
            "Degraded" => Self::Degraded,
            "Offline" => Self::Offline,
            _ => Self::Pending,
        }
    }
}

/// A condition in Kubernetes' form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Condition)]
pub struct ConditionView {
    /// Such as `Ready`.
    #[serde(rename = "type")]
    kind: String,
    /// `True`, `False` or `Unknown`.
    status: String,
    /// One word.
    #[serde(default)]
    reason: Option<String>,
    /// For people.
    #[serde(default)]
    message: Option<String>,
    /// When the status last changed.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_transition_time: Option<Timestamp>,
}

/// Sums over the nodes of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Resources)]
pub struct ResourcesView {
    /// Thousandths of a processor.
    cpu_millis: i64,
    /// Memory in bytes.
    memory_bytes: i64,
    /// Pods.
    pods: i64,
}

impl From<atoll_clusters::health::Resources> for ResourcesView {
    fn from(resources: atoll_clusters::health::Resources) -> Self {
        Self {
            cpu_millis: resources.cpu_millis,
            memory_bytes: resources.memory_bytes,
            pods: resources.pods,
        }
    }
}

/// A registered cluster. What is not known is null.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Cluster)]
pub struct ClusterView {
    /// Its name.
    pub name: String,
    /// Host or member.
    pub role: RoleView,
    /// A name for people.
    pub alias: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Who runs it, such as `eks` or `kind`.
    pub provider: Option<String>,
    /// Where it is.
    pub region: Option<String>,
    /// What placement selects by.
    pub labels: BTreeMap<String, String>,
    /// UID of its namespace `kube-system`.
    pub uid: Option<String>,
    /// URL of its API server.
    pub endpoint: Option<String>,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Option<String>,
    /// At one glance.
    pub state: StateView,
    /// Since when it is in that state.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// In Kubernetes' form.
    pub conditions: Vec<ConditionView>,
    /// `gitVersion` of its API server.
    pub kubernetes_version: Option<String>,
    /// Nodes.
    pub node_count: Option<u32>,
    /// Nodes that are ready.
    pub ready_node_count: Option<u32>,
    /// Sum of the nodes' capacity.
    pub capacity: Option<ResourcesView>,
    /// Sum of what the nodes can give to pods.
    pub allocatable: Option<ResourcesView>,
    /// Sum of what pods ask for.
    pub requested: Option<ResourcesView>,
    /// How long the last answer took.
    pub latency_ms: Option<u64>,
    /// When it was last asked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub as_of: Option<Timestamp>,
    /// When the hub's credential ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub credential_expires_at: Option<Timestamp>,
}

/// What is stored of one cluster.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its `KubeFedCluster`.
    pub object: Object,
    /// The row beside it; `None` when there is none that can be read.
    pub row: Option<atoll_store::Cluster>,
}

impl ClusterView {
    /// What is stored and what is known, put together.
    pub fn new(stored: &Stored, member: Option<&Arc<Member>>) -> Self {
        let Stored { object, row } = stored;
        let mut view = Self::registered(object, row.as_ref());
        if let Some(member) = member {
            view.uid = view.uid.or_else(|| member.uid());
            view.set_health(&member.health());
        } else if let Some(recorded) = row.as_ref().and_then(recorded_health) {
            view.set_health(&recorded);
        }
        view
    }

    /// Whether `newer` says something that people who look at this one should see now. Each probe moves its time and
    /// the latency a little; that is shown every ten seconds.
    pub fn is_news(&self, newer: &Self) -> bool {
        const STALE: i64 = 10;
        let age = match (self.as_of, newer.as_of) {
            (Some(before), Some(now)) => now.duration_since(before).as_secs(),
            (before, now) => i64::from(before != now) * STALE,
        };
        let same = Self {
            as_of: self.as_of,
            latency_ms: self.latency_ms,
            ..newer.clone()
        };
        age >= STALE || *self != same
    }

    fn registered(object: &Object, row: Option<&atoll_store::Cluster>) -> Self {
        let status = &object.body["status"];
        let text = |value: &str| Some(value.to_owned()).filter(|text| !text.is_empty());
        let conditions = row.map_or(&status["conditions"], |row| &row.conditions);
        Self {
            name: object.key.name.clone(),
            role: row.map_or(RoleView::Member, |row| row.role.into()),
            alias: row.and_then(|row| text(&row.alias)),
            description: row.and_then(|row| text(&row.description)),
            provider: row.and_then(|row| text(&row.provider)),
            region: row.and_then(|row| text(&row.region)),
            labels: labels_of(&object.body),
            uid: row.and_then(|row| row.uid.clone()),
            endpoint: row
                .and_then(|row| text(&row.endpoint))
                .or_else(|| object.body["spec"]["apiEndpoint"].as_str().and_then(text)),
            created_at: object.created_at,
            created_by: row.and_then(|row| text(row.created_by.strip_prefix(USER_PREFIX).unwrap_or(&row.created_by))),
            state: row.map_or(StateView::Pending, |row| StateView::from_word(&row.state)),
            since: row.map(|row| row.since),
            conditions: serde_json::from_value(conditions.clone()).unwrap_or_default(),
            kubernetes_version: status["kubernetesVersion"].as_str().and_then(text),
            node_count: None,
            ready_node_count: None,
            capacity: None,
            allocatable: None,
            requested: None,
            latency_ms: None,
            as_of: None,
            credential_expires_at: row.and_then(|row| row.credential_expires_at),
        }
    }

    fn set_health(&mut self, health: &HealthSnapshot) {
        self.state = StateView::from_word(health.state.as_str());
        self.since = Some(health.since);
        self.latency_ms = health.latency_ms;
        self.as_of = health.as_of;
        self.credential_expires_at = health.credential_expires_at.or(self.credential_expires_at);
        self.conditions = health
            .conditions
            .iter()
            .map(|condition| ConditionView {
                kind: condition.kind.clone(),
                status: condition.status.clone(),
                reason: Some(condition.reason.clone()),
                message: Some(condition.message.clone()),
                last_transition_time: Some(condition.last_transition_time),
            })
            .collect();
        self.set_facts(&health.facts);
    }

    fn set_facts(&mut self, facts: &Facts) {
        self.kubernetes_version = facts.kubernetes_version.clone().or(self.kubernetes_version.take());
        self.node_count = facts.node_count;
        self.ready_node_count = facts.ready_node_count;
        self.capacity = facts.capacity.map(Into::into);
        self.allocatable = facts.allocatable.map(Into::into);
        self.provider = self.provider.take().or_else(|| facts.provider.clone());
        self.region = self.region.take().or_else(|| facts.region.clone());
    }
}

/// The health that is on record, for a cluster that this replica has not opened yet.
fn recorded_health(row: &atoll_store::Cluster) -> Option<HealthSnapshot> {
    serde_json::from_value(row.probe.clone()).ok()
}

/// Everything that is stored of clusters, sorted by name. A row that cannot be read hides neither its cluster nor
/// another one.
///
/// # Errors
/// When the database fails.
pub async fn stored_clusters(store: &Store) -> Result<Vec<Stored>> {
    let mut rows = BTreeMap::new();
    for row in store.clusters().await? {
        match row {
            Ok(row) => {
                rows.insert(row.name.clone(), row);
            }
            Err(error) => tracing::error!(error = %chain(&error), "a registered cluster cannot be read"),
        }
    }
    let key = Store::cluster_key("");
    let listing = store.objects(&key.group, &key.resource, Some(&key.namespace)).await?;
    let stored = listing.objects.into_iter().map(|object| Stored {
        row: rows.remove(&object.key.name),
        object,
    });
    Ok(stored.collect())
}

/// What is stored of one cluster.
///
/// # Errors
/// When the database fails.
pub async fn stored_cluster(store: &Store, name: &str) -> Result<Option<Stored>> {
    let Some(object) = store.object(&Store::cluster_key(name)).await? else {
        return Ok(None);
    };
    let row = match store.cluster(name).await {
        Ok(row) => row,
        Err(error @ atoll_store::Error::Corrupt { .. }) => {
            tracing::error!(cluster.name = name, error = %chain(&error), "a registered cluster cannot be read");
            None
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Some(Stored { object, row }))
}

/// All clusters, as they are now.
///
/// # Errors
/// When the database fails.
pub async fn all_clusters(state: &AppState) -> Result<Vec<ClusterView>> {
    let members = state.clusters.members();
    let stored = stored_clusters(&state.store).await?;
    let view = |stored: &Stored| ClusterView::new(stored, members.get(&stored.object.key.name));
    Ok(stored.iter().map(view).collect())
}
