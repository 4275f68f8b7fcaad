//! What a plan would do, in words for people: the answer to "what happens if I save this?".

mod changes;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

pub(crate) use changes::foreign;
pub use changes::{FieldChange, MASK};

use crate::object::{Built, build};
use crate::placement::{Placed, place};
use crate::plain::CLUSTER_SELECTOR;
use crate::plan::{Apply, Cause, ClusterPlan, Input, Plan, Step};
use crate::{ClusterName, HandOver, Observed, Scope, Warning, plan};

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
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Replicas that the hub asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i64>,
    /// What the member would get. Values of Secrets are masked, here and in `changes`.
    pub object: Option<Value>,
    /// Field by field, what would change in an object that is there already.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
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

impl Action {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Unchanged => "unchanged",
            Self::Delete => "delete",
            Self::Keep => "keep",
            Self::Wait => "wait",
            Self::Fail => "fail",
            Self::None => "none",
        }
    }
}

/// Plans, and tells what would happen. `live` are the whole objects that members hold, managedFields included: what
/// changes field by field is told by them.
pub fn preview(input: &Input<'_>, live: &BTreeMap<ClusterName, Value>) -> Preview {
    let mut planned = plan(input);
    let drifts = planned.drifts(input.kind, live);
    if !drifts.is_empty() {
        planned = plan(&Input {
            drifts: &drifts,
            ..*input
        });
    }
    let clusters = input
        .clusters
        .keys()
        .map(|name| explain(input, &planned, name, live.get(name)))
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

fn explain(input: &Input<'_>, planned: &Plan, name: &ClusterName, live: Option<&Value>) -> ClusterPreview {
    let Some(cluster) = planned.clusters.get(name) else {
        let (reason, message) = match &planned.whole {
            Some((reason, message)) => (reason.to_string(), message.clone()),
            None => (String::new(), left_out(input, name)),
        };
        return ClusterPreview {
            name: name.clone(),
            action: Action::None,
            reason,
            message,
            replicas: None,
            object: None,
            changes: Vec::new(),
        };
    };
    let (action, reason, mut message) = words(cluster);
    if action == Action::Delete && input.object.is_deleting() {
        "it goes with the federated object".clone_into(&mut message);
    }
    let changes = match (&cluster.step, live) {
        (Step::Apply(apply), Some(live)) if apply.uid.is_some() => {
            changes::changes(input.kind, live, &apply.object, takes_over(apply))
        }
        _ => Vec::new(),
    };
    ClusterPreview {
        name: name.clone(),
        action,
        reason,
        message,
        replicas: cluster.desired_replicas,
        object: object(input, planned, name, cluster).map(|object| changes::masked(input.kind, object)),
        changes,
    }
}

/// Why the object does not go to a cluster.
fn left_out(input: &Input<'_>, name: &ClusterName) -> String {
    if input.object.is_deleting() {
        return "nothing of it is there".to_owned();
    }
    if input.is_never_touched() {
        return "every cluster has this namespace for itself".to_owned();
    }
    let prefers = input.preference.is_some() && input.kind.replicas_path.is_some();
    let alone = place(
        input.kind,
        input.object,
        None,
        Scope::Namespaced,
        input.clusters,
        prefers,
    );
    if let Ok(Placed::Clusters(own)) = alone
        && own.contains(name)
    {
        let kind = if input.kind.is_plain() {
            "the namespace"
        } else {
            "FederatedNamespace"
        };
        return format!(
            "{kind} {} does not go there, and without the namespace nothing in it can",
            input.object.namespace
        );
    }
    if input.kind.is_plain() {
        return format!("annotation {CLUSTER_SELECTOR} does not match its labels");
    }
    let placement = input.object.placement.as_ref().ok();
    match placement.map(|placement| (&placement.clusters, &placement.selector)) {
        Some((Some(_), _)) => "spec.placement.clusters does not name it".to_owned(),
        Some((None, Some(_))) => "spec.placement.clusterSelector does not match its labels".to_owned(),
        Some((None, None)) | None => "spec.placement names no cluster".to_owned(),
    }
}

/// Whose fields become the hub's before it applies.
fn takes_over(apply: &Apply) -> &'static [&'static str] {
    match apply.hand_over {
        Some(HandOver::OfKubefed) => &HandOver::KUBEFED,
        Some(HandOver::OfPorts) | None => &[],
    }
}

fn words(cluster: &ClusterPlan) -> (Action, String, String) {
    let note = cluster.note.clone();
    match &cluster.step {
        Step::UpToDate => (Action::Unchanged, String::new(), note),
        Step::Apply(apply) => match apply.cause {
            Cause::Create => (Action::Create, String::new(), note),
            Cause::Restore => (
                Action::Create,
                String::new(),
                "it is gone there, and is made again".to_owned(),
            ),
            Cause::Adopt => (
                Action::Update,
                String::new(),
                "there is one that is nobody else's; it is taken over".to_owned(),
            ),
            Cause::Change => (Action::Update, String::new(), note),
            Cause::Drift => {
                let found = cluster.drifted.as_ref().and_then(|drifted| drifted.found.as_ref());
                let message = match found {
                    Some(drift) => format!("it was changed there and is put back: {}", drift.values()),
                    None => "it was changed there; the hub's fields are put back".to_owned(),
                };
                (Action::Update, String::new(), message)
            }
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
                retained: match input.observed.get(name) {
                    Some(Observed::Present(present)) => Some(&present.retained),
                    Some(Observed::Unknown { .. } | Observed::Absent) | None => None,
                },
            };
            let operations = input.object.overrides.as_ref().ok()?.for_cluster(name);
            build(input.kind, input.object, operations, marks).ok()
        }
        Step::Delete { .. } | Step::Release { .. } | Step::Keep(..) | Step::Fail(..) => None,
    }
}
