//! What a plan would do, in words for people: the answer to "what happens if I save this?".

use serde::Serialize;
use serde_json::Value;

use crate::object::{Built, build};
use crate::plan::{Cause, ClusterPlan, Input, Plan, Step};
use crate::{ClusterName, Warning, plan};

/// What would happen in each registered cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Every registered cluster, sorted by name.
    pub clusters: Vec<ClusterPreview>,
    /// What does not stop it but may not be meant.
    pub warnings: Vec<Warning>,
}

/// What would happen in one cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterPreview {
    /// The cluster.
    pub name: ClusterName,
    /// What would happen.
    pub action: Action,
    /// The word for why, empty when there is nothing to explain.
    pub reason: String,
    /// For people.
    pub message: String,
    /// Replicas that the hub asks for.
    pub replicas: Option<i64>,
    /// What the member would get.
    pub object: Option<Value>,
}

/// What would happen to the object in one cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It would be made.
    Create,
    /// It would be changed.
    Update,
    /// It is as it should be.
    Unchanged,
    /// It would be deleted.
    Delete,
    /// What is there would stay as it is.
    Keep,
    /// Nothing for now.
    Wait,
    /// It could not be done.
    Fail,
    /// The object does not go there.
    None,
}

/// Plans, and tells what would happen.
pub fn preview(input: &Input<'_>) -> Preview {
    let planned = plan(input);
    let clusters = input
        .clusters
        .keys()
        .map(|name| explain(input, &planned, name))
        .collect();
    let unknown = planned
        .unknown_clusters
        .iter()
        .map(|name| Warning(format!("spec.placement.clusters: no cluster {name:?} is registered")));
    let whole = planned
        .whole
        .iter()
        .map(|(reason, message)| Warning(format!("{reason}: {message}")));
    let hold = planned.hold.iter().map(|hold| Warning(hold.message.clone()));
    let unplaced = planned.replicas.iter().filter(|replicas| replicas.unplaced > 0);
    let unplaced = unplaced.map(|replicas| {
        Warning(format!(
            "{} replicas find no place: maxima, capacity or weights of 0 keep them out",
            replicas.unplaced
        ))
    });
    Preview {
        clusters,
        warnings: unknown.chain(whole).chain(hold).chain(unplaced).collect(),
    }
}

fn explain(input: &Input<'_>, planned: &Plan, name: &ClusterName) -> ClusterPreview {
    let Some(cluster) = planned.clusters.get(name) else {
        let (reason, message) = match &planned.whole {
            Some((reason, message)) => (reason.to_string(), message.clone()),
            None => (String::new(), "not placed here".to_owned()),
        };
        return ClusterPreview {
            name: name.clone(),
            action: Action::None,
            reason,
            message,
            replicas: None,
            object: None,
        };
    };
    let (action, reason, message) = words(cluster);
    ClusterPreview {
        name: name.clone(),
        action,
        reason,
        message,
        replicas: cluster.desired_replicas,
        object: object(input, planned, name, cluster),
    }
}

fn words(cluster: &ClusterPlan) -> (Action, String, String) {
    let note = cluster.note.clone();
    match &cluster.step {
        Step::UpToDate => (Action::Unchanged, String::new(), note),
        Step::Apply(apply) => match apply.cause {
            Cause::Create => (Action::Create, String::new(), note),
            Cause::Adopt => (
                Action::Update,
                String::new(),
                "there is one that is nobody else's; it is taken over".to_owned(),
            ),
            Cause::Change => (Action::Update, String::new(), note),
            Cause::Drift => (
                Action::Update,
                String::new(),
                "it was changed there; the hub's fields are put back".to_owned(),
            ),
        },
        Step::Delete { .. } => (Action::Delete, String::new(), "not placed here any more".to_owned()),
        Step::Release { .. } => (
            Action::Keep,
            String::new(),
            "the hub lets go of it; it stays".to_owned(),
        ),
        Step::Keep(reason, message) => (Action::Keep, reason.to_string(), message.clone()),
        Step::Wait(reason, message) => (Action::Wait, reason.to_string(), message.clone()),
        Step::Fail(reason, message) => (Action::Fail, reason.to_string(), message.clone()),
    }
}

/// What the member would get, also where it has it already or cannot be asked.
fn object(input: &Input<'_>, planned: &Plan, name: &ClusterName, cluster: &ClusterPlan) -> Option<Value> {
    match &cluster.step {
        Step::Apply(apply) => Some(apply.object.clone()),
        Step::UpToDate | Step::Wait(..) => {
            let replicas = planned
                .replicas
                .as_ref()
                .and_then(|replicas| replicas.plan.get(name).copied());
            let marks = Built {
                hub_uid: Some(input.hub_uid),
                replicas,
                adopted: false,
            };
            let operations = input.object.overrides.as_ref().ok()?.for_cluster(name);
            build(input.kind, input.object, operations, marks).ok()
        }
        Step::Delete { .. } | Step::Release { .. } | Step::Keep(..) | Step::Fail(..) => None,
    }
}
