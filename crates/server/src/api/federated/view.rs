//! A federated object as the console shows it: one line for the whole, one for each cluster.
//!
//! Pure: a stored object in, a summary out. What differs in a cluster is told by making the object for that cluster as
//! the planner does, so that an image or a number of replicas is the one that is really asked for there.

use atoll_federation::object::{Built, build};
use atoll_federation::{ClusterStatus, FederatedObject, FederatedStatus, Reason, TypeDescriptor};
use atoll_store::Object;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// How a federated object stands at one glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum FederatedState {
    /// Everywhere it should be, with everything ready.
    Ready,
    /// On its way.
    Progressing,
    /// Something is wrong in a cluster, or with the object.
    Degraded,
    /// Not looked at yet.
    Pending,
    /// On its way out.
    Deleting,
}

/// How it stands in one cluster.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FederatedCluster {
    /// The cluster.
    name: String,
    /// KubeFed's word; `OK` when all is well.
    status: String,
    /// For people.
    message: Option<String>,
    /// When the word last changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_transition_time: Option<Timestamp>,
    /// Replicas that the hub asks for.
    desired_replicas: Option<i64>,
    /// Replicas that are ready.
    ready_replicas: Option<i64>,
    /// Replicas of the newest template.
    updated_replicas: Option<i64>,
    /// Replicas that have been ready for long enough.
    available_replicas: Option<i64>,
    /// Replicas that exist.
    replicas: Option<i64>,
    /// Images of its containers there.
    images: Vec<String>,
    /// How many operations make it differ there.
    overrides: usize,
}

/// A federated object, in one line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Federated {
    /// What members hold, such as `deployments.apps`.
    resource: String,
    /// Such as `FederatedDeployment`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    uid: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Whether it is on its way out.
    deleting: bool,
    /// Counts changes of its spec.
    generation: i64,
    /// The generation that its status is about.
    observed_generation: Option<i64>,
    /// At one glance.
    pub state: FederatedState,
    /// One word for why it is not as it should be.
    reason: Option<String>,
    /// For people.
    message: Option<String>,
    /// Images of its containers, but for what clusters override.
    images: Vec<String>,
    /// Replicas that the hub asks for, in all clusters together.
    pub desired_replicas: Option<i64>,
    /// Replicas that are ready, in all clusters together.
    ready_replicas: Option<i64>,
    /// Clusters that hold it or should.
    clusters: Vec<FederatedCluster>,
}

impl Federated {
    /// The summary of a stored object.
    pub fn new(kind: &TypeDescriptor, stored: &Object) -> Self {
        let object = FederatedObject::parse(kind, &stored.body).ok();
        // The status is the hub's own, and says what is wrong with an object that cannot be read.
        let status: FederatedStatus = serde_json::from_value(stored.body["status"].clone()).unwrap_or_default();
        let clusters: Vec<FederatedCluster> = status
            .clusters
            .iter()
            .map(|entry| in_cluster(kind, object.as_ref(), entry))
            .collect();
        let deleting = stored.deletion_at.is_some();
        let sum = |number: fn(&FederatedCluster) -> Option<i64>| {
            kind.replicas_path
                .as_ref()
                .map(|_| clusters.iter().filter_map(number).sum())
        };
        let condition = status.propagation().filter(|condition| condition.status != "True");
        let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Self {
            resource: kind.name(),
            kind: kind.federated.kind.to_string(),
            namespace: stored.key.namespace.clone(),
            name: stored.key.name.clone(),
            uid: stored.uid.clone(),
            created_at: stored.created_at,
            deleting,
            generation: stored.generation,
            observed_generation: (status.observed_generation > 0).then_some(status.observed_generation),
            state: state(deleting, stored.generation, &status, &clusters),
            reason: condition.and_then(|condition| text(&condition.reason)),
            message: condition.and_then(|condition| text(&condition.message)),
            images: images(&stored.body["spec"]["template"]),
            desired_replicas: sum(|cluster| cluster.desired_replicas),
            ready_replicas: sum(|cluster| cluster.ready_replicas),
            clusters,
        }
    }
}

fn in_cluster(kind: &TypeDescriptor, object: Option<&FederatedObject>, entry: &ClusterStatus) -> FederatedCluster {
    let operations = object
        .and_then(|object| object.overrides.as_ref().ok())
        .map_or(&[][..], |overrides| overrides.for_cluster(&entry.name));
    let built = object.and_then(|object| build(kind, object, operations, Built::default()).ok());
    let stated = || built.as_ref()?.pointer(kind.replicas_path.as_deref()?)?.as_i64();
    FederatedCluster {
        name: entry.name.to_string(),
        status: if entry.is_ok() {
            "OK".to_owned()
        } else {
            entry.status.clone()
        },
        message: Some(entry.message.clone()).filter(|message| !message.is_empty()),
        last_transition_time: entry.last_transition_time,
        desired_replicas: entry.desired_replicas.or_else(stated),
        ready_replicas: entry.live.ready_replicas,
        updated_replicas: entry.live.updated_replicas,
        available_replicas: entry.live.available_replicas,
        replicas: entry.live.replicas,
        images: built.as_ref().map(images).unwrap_or_default(),
        overrides: operations.len(),
    }
}

/// Images of the containers of a workload, wherever its kind keeps the pod template; each once.
fn images(workload: &Value) -> Vec<String> {
    const PODS: [&str; 3] = ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec", "/spec"];
    let mut found: Vec<String> = Vec::new();
    let Some(pod) = PODS
        .iter()
        .find_map(|path| workload.pointer(path).filter(|pod| pod["containers"].is_array()))
    else {
        return found;
    };
    for list in ["initContainers", "containers"] {
        for container in pod[list].as_array().into_iter().flatten() {
            if let Some(image) = container["image"].as_str()
                && !found.iter().any(|known| known == image)
            {
                found.push(image.to_owned());
            }
        }
    }
    found
}

fn state(deleting: bool, generation: i64, status: &FederatedStatus, clusters: &[FederatedCluster]) -> FederatedState {
    if deleting {
        return FederatedState::Deleting;
    }
    let Some(condition) = status.propagation() else {
        return FederatedState::Pending;
    };
    if condition.status != "True" {
        let of_clusters = condition.reason == Reason::CheckClusters.as_str();
        let broken = clusters
            .iter()
            .any(|cluster| cluster.status != "OK" && !is_passing(&cluster.status));
        return if broken || !of_clusters {
            FederatedState::Degraded
        } else {
            FederatedState::Progressing
        };
    }
    let behind = clusters.iter().any(|cluster| {
        let wanted = cluster.desired_replicas.unwrap_or_default();
        let short = |count: Option<i64>| count.unwrap_or_default() < wanted;
        short(cluster.ready_replicas) || short(cluster.updated_replicas)
    });
    if status.observed_generation < generation || behind {
        FederatedState::Progressing
    } else {
        FederatedState::Ready
    }
}

/// Words that pass by themselves.
fn is_passing(word: &str) -> bool {
    match Reason::from_word(word) {
        Some(
            Reason::WaitingForRemoval
            | Reason::CachedRetrievalFailed
            | Reason::CreationTimedOut
            | Reason::UpdateTimedOut
            | Reason::DeletionTimedOut
            | Reason::LabelRemovalTimedOut,
        ) => true,
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoll_federation::types;
    use atoll_store::{ObjectKey, Revision};
    use serde_json::json;

    fn stored(spec: Value, status: Value, deleting: bool) -> Object {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let body = json!({
            "apiVersion": "types.kubefed.io/v1beta1", "kind": "FederatedDeployment",
            "metadata": {"name": "web", "namespace": "shop", "uid": "u", "generation": 2},
            "spec": spec, "status": status,
        });
        Object {
            key: ObjectKey::new("types.kubefed.io", "federateddeployments", "shop", "web"),
            uid: "u".into(),
            generation: 2,
            revision: Revision(7),
            created_at: at,
            deletion_at: deleting.then_some(at),
            body: body.into(),
        }
    }

    fn spec() -> Value {
        let pod = json!({"containers": [{"name": "web", "image": "web:1.0"}]});
        json!({
            "template": {"spec": {"replicas": 2, "template": {"spec": pod}}},
            "placement": {"clusters": [{"name": "eu-1"}, {"name": "us-1"}]},
            "overrides": [{"clusterName": "us-1", "clusterOverrides": [
                {"path": "/spec/replicas", "value": 3},
                {"path": "/spec/template/spec/containers/0/image", "value": "web:1.1"},
            ]}],
        })
    }

    fn status(generation: i64, word: &str, ready: i64) -> Value {
        let verdict = if word.is_empty() { "True" } else { "False" };
        let reason = if word.is_empty() { "" } else { "CheckClusters" };
        json!({
            "observedGeneration": generation,
            "conditions": [{"type": "Propagation", "status": verdict, "reason": reason}],
            "clusters": [
                {"name": "eu-1", "status": word, "readyReplicas": 2, "updatedReplicas": 2},
                {"name": "us-1", "readyReplicas": ready, "updatedReplicas": 3},
            ],
        })
    }

    fn summary(spec: Value, status: Value) -> Federated {
        Federated::new(types::find("deployments.apps").unwrap(), &stored(spec, status, false))
    }

    #[test]
    fn each_cluster_shows_what_is_asked_for_there() {
        let summary = summary(spec(), status(2, "", 3));
        let us = &summary.clusters[1];
        assert_eq!((us.desired_replicas, us.overrides), (Some(3), 2));
        assert_eq!(us.images, ["web:1.1"]);
        assert_eq!(summary.images, ["web:1.0"]);
        assert_eq!((summary.desired_replicas, summary.ready_replicas), (Some(5), Some(5)));
        assert_eq!(
            (summary.state, summary.clusters[0].status.as_str()),
            (FederatedState::Ready, "OK")
        );
    }

    #[test]
    fn the_state_is_the_worst_that_is_known() {
        assert_eq!(summary(spec(), json!({})).state, FederatedState::Pending);
        assert_eq!(summary(spec(), status(2, "", 1)).state, FederatedState::Progressing);
        assert_eq!(summary(spec(), status(1, "", 3)).state, FederatedState::Progressing);
        assert_eq!(
            summary(spec(), status(2, "ClusterNotReady", 3)).state,
            FederatedState::Degraded
        );
        assert_eq!(
            summary(spec(), status(2, "WaitingForRemoval", 3)).state,
            FederatedState::Progressing
        );
        let whole = json!({"observedGeneration": 2,
            "conditions": [{"type": "Propagation", "status": "False", "reason": "NamespaceNotFederated"}]});
        assert_eq!(summary(spec(), whole).state, FederatedState::Degraded);
        let deleting = stored(spec(), status(2, "", 3), true);
        let kind = types::find("deployments.apps").unwrap();
        assert_eq!(Federated::new(kind, &deleting).state, FederatedState::Deleting);
    }

    #[test]
    fn an_object_that_cannot_be_read_is_shown_all_the_same() {
        let broken = json!({"template": "no object", "overrides": 5});
        assert_eq!(
            summary(broken, status(2, "ComputeResourceFailed", 3)).state,
            FederatedState::Degraded
        );
    }
}
