//! `ReplicaSchedulingPreference`: how the replicas of one federated object are shared out.

use atoll_federation::configuration::SCHEDULING_GROUP;
use atoll_kubeapi::{Column, Resource, Schema};
use serde_json::{Value, json};

use super::schema::{list, text};

/// Plural of the kind.
pub(in crate::hub) const PLURAL: &str = "replicaschedulingpreferences";

pub(super) fn resource() -> Resource {
    Resource {
        short_names: vec!["rsp".into()],
        categories: vec!["federated".into()],
        status: true,
        columns: vec![
            Column::path("Target", "string", ".spec.targetKind"),
            Column::path("Total", "integer", ".spec.totalReplicas").described("Replicas asked for."),
            Column::path("Placed", "integer", ".status.placedReplicas").described("Replicas that found a cluster."),
            Column::path("Unplaced", "integer", ".status.unplacedReplicas").described("Replicas that found none."),
            Column::path("Reason", "string", ".status.conditions[*].reason").described("Why not all is well."),
            Column::path("Clusters", "string", ".status.clusters[*].name").wide(),
            Column::path("Message", "string", ".status.conditions[*].message").wide(),
        ],
        schema: Schema::new(schema()),
        description: "How the replicas of the federated object of the same name and namespace are shared out over the \
             clusters that it is placed in."
            .into(),
        ..Resource::new(SCHEDULING_GROUP, "v1alpha1", "ReplicaSchedulingPreference", PLURAL)
    }
}

fn schema() -> Value {
    let number = |description: &str| json!({"type": "integer", "format": "int64", "description": description});
    let switch = |description: &str| json!({"type": "boolean", "description": description});
    let preference = json!({"type": "object", "properties": {
        "minReplicas": number("Given before anybody's weight counts; 0 when it is left out."),
        "maxReplicas": number("Never more than these; without it there is no bound."),
        "weight": number("Its part of the rest, against the others' weights; 0 when it is left out."),
    }});
    let condition = json!({"type": "object", "required": ["type", "status"], "properties": {
        "type": text("Scheduled."),
        "status": text("True when every replica found a place."),
        "reason": text("Why not."),
        "message": text("For people."),
        "lastTransitionTime": text("When status or reason last changed."),
    }});
    let cluster = json!({"type": "object", "required": ["name"], "properties": {
        "name": text("The cluster."),
        "replicas": number("Replicas that it gets."),
        "overflow": number("Replicas that it would get if it had room for them."),
        "reason": text("Why so many."),
    }});
    json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "description": "What is shared out, and how.", "properties": {
            "targetKind": text("Kind of the federated object, such as FederatedDeployment."),
            "totalReplicas": {"type": "integer", "format": "int32", "description": "Replicas in all clusters together."},
            "rebalance": switch("Whether replicas that run may be moved to follow the weights."),
            "intersectWithClusterSelector": switch("Kept; replicas only ever go where the object is placed."),
            "clusters": {"type": "object", "additionalProperties": preference,
                "description": "By name of a cluster, or * for all others. Left out, all get the same."},
        }},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true,
            "description": "Who gets how many and why, written by the hub.", "properties": {
            "observedGeneration": number("The generation of this object that the status is about."),
            "conditions": list("Whether every replica found a place.", condition),
            "placedReplicas": number("Replicas that found a place."),
            "unplacedReplicas": number("Replicas that found none."),
            "clusters": list("Cluster by cluster, sorted by name.", cluster),
        }},
    }})
}
