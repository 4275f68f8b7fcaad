//! The status of a federated object: KubeFed's fields for old clients, and what people need to see beside them.

mod fold;
mod reason;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use fold::{failure_reason, fold};
pub use reason::Reason;

use crate::{ClusterName, Live};

/// Type of the one condition.
pub const PROPAGATION: &str = "Propagation";

/// `status` of a federated object.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FederatedStatus {
    /// The generation that this is about.
    pub observed_generation: i64,
    /// One condition, `Propagation`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// One entry for each cluster that holds or should hold the object, sorted by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<ClusterStatus>,
    /// Set while the object's own placement names nothing and a replica preference has placed it, also when that
    /// preference is gone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub placed_by_preference: bool,
}

/// Whether the object is everywhere it should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// `Propagation`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True` or `False`.
    pub status: String,
    /// Why not, empty when it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When this or a cluster last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Timestamp>,
    /// When status or reason last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Timestamp>,
}

/// How it stands in one cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    /// The cluster.
    pub name: ClusterName,
    /// KubeFed's word, left out when all is well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When the word last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Timestamp>,
    /// Replicas that the hub asks this cluster for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_replicas: Option<i64>,
    /// Pods in all that the hub asks this cluster's part of a Job for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_completions: Option<i64>,
    /// Why it is asked for so many, where a preference shares them out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub replicas_reason: String,
    /// Numbers of the member object.
    #[serde(flatten)]
    pub live: Live,
    /// Status of the member object, where an importer left one. The hub writes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_status: Option<Value>,
}

impl ClusterStatus {
    /// Whether all is well there.
    pub fn is_ok(&self) -> bool {
        self.status.is_empty()
    }
}

impl FederatedStatus {
    /// The condition `Propagation`.
    pub fn propagation(&self) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == PROPAGATION)
    }

    /// The entry of one cluster.
    pub fn cluster(&self, name: &ClusterName) -> Option<&ClusterStatus> {
        self.clusters.iter().find(|entry| entry.name == *name)
    }
}
