//! From a plan and what became of it to the status.

use std::collections::BTreeMap;

use super::{ClusterStatus, Condition, FederatedStatus, PROPAGATION, Reason};
use crate::drift::is_note_of_put_back;
use crate::plan::{Cause, ClusterPlan, Plan, Step};
use crate::settle::{Failure, FailureKind, Outcome};
use crate::{ClusterName, Live};

/// The status after a plan was carried out. When nothing is new it equals the previous one, and need not be written.
pub fn fold(
    plan: &Plan,
    outcomes: &BTreeMap<ClusterName, Outcome>,
    previous: Option<&FederatedStatus>,
) -> FederatedStatus {
    if plan.ignored {
        return previous.cloned().unwrap_or_default();
    }
    let entry =
        |(name, cluster): (&ClusterName, &ClusterPlan)| entry(plan, name, cluster, outcomes.get(name), previous);
    let clusters: Vec<ClusterStatus> = plan.clusters.iter().filter_map(entry).collect();
    let (reason, message) = match &plan.whole {
        Some((reason, message)) => (Some(*reason), message.clone()),
        None => match clusters.iter().filter(|entry| !entry.is_ok()).count() {
            0 => (None, String::new()),
            count => (
                Some(Reason::CheckClusters),
                format!("{count} of {} clusters are not as they should be", clusters.len()),
            ),
        },
    };
    let message = with_unknown(message, &plan.unknown_clusters);
    let message = with_unplaced(message, plan);
    let mut condition = Condition {
        kind: PROPAGATION.to_owned(),
        status: if reason.is_none() { "True" } else { "False" }.to_owned(),
        reason: reason.map(Reason::as_str).unwrap_or_default().to_owned(),
        message,
        last_update_time: Some(plan.at),
        last_transition_time: Some(plan.at),
    };
    if let Some((status, before)) = previous.and_then(|status| Some((status, status.propagation()?))) {
        let same_verdict = before.status == condition.status && before.reason == condition.reason;
        if same_verdict {
            condition.last_transition_time = before.last_transition_time;
        }
        if same_verdict && before.message == condition.message && status.clusters == clusters {
            condition.last_update_time = before.last_update_time;
        }
    }
    FederatedStatus {
        observed_generation: plan.generation,
        conditions: vec![condition],
        clusters,
        placed_by_preference: plan.placed_by_preference,
    }
}

/// A name that nobody registered is no error, because its cluster may come; but it may also be a slip.
fn with_unknown(message: String, unknown: &[String]) -> String {
    let unknown = match unknown {
        [] => return message,
        [name] => format!("no cluster is registered as {name}"),
        names => format!("no clusters are registered as {}", names.join(", ")),
    };
    if message.is_empty() {
        unknown
    } else {
        format!("{message}; {unknown}")
    }
}

/// Replicas that run nowhere are nobody's error, and yet not what was asked for.
fn with_unplaced(message: String, plan: &Plan) -> String {
    let unplaced = match plan.replicas.as_ref().map_or(0, |replicas| replicas.unplaced) {
        ..=0 => return message,
        1 => "1 replica finds no place".to_owned(),
        count => format!("{count} replicas find no place"),
    };
    if message.is_empty() {
        unplaced
    } else {
        format!("{message}; {unplaced}")
    }
}

fn entry(
    plan: &Plan,
    name: &ClusterName,
    cluster: &ClusterPlan,
    outcome: Option<&Outcome>,
    previous: Option<&FederatedStatus>,
) -> Option<ClusterStatus> {
    let (reason, mut message) = verdict(cluster, outcome)?;
    let status = reason.map(Reason::as_str).unwrap_or_default();
    let before = previous.and_then(|status| status.cluster(name));
    if let Some(before) = before
        && matches!(cluster.step, Step::UpToDate)
        && message.is_empty()
        && previous.is_some_and(|status| status.observed_generation == plan.generation)
        && is_note_of_put_back(&before.message)
    {
        // Whoever wonders where their change went has as long as the object stays the same to find out.
        message.clone_from(&before.message);
    }
    let live = match outcome {
        Some(Outcome::Applied(present)) => present.live,
        Some(Outcome::Deleted { .. } | Outcome::Released | Outcome::Failed(_)) | None => cluster.live,
    };
    // Of a cluster that cannot be read the last reading stands: an empty one would say that nothing runs there.
    let last_reading = || before.map(|before| before.live).unwrap_or_default();
    Some(ClusterStatus {
        name: name.clone(),
        status: status.to_owned(),
        message,
        last_transition_time: before
            .filter(|before| before.status == status)
            .and_then(|before| before.last_transition_time)
            .or(Some(plan.at)),
        desired_replicas: cluster.desired_replicas,
        desired_completions: cluster.desired_completions,
        replicas_reason: plan.reasons.get(name).cloned().unwrap_or_default(),
        live: if live == Live::default() && matches!(cluster.step, Step::Wait(..)) {
            last_reading()
        } else {
            live
        },
        remote_status: None,
    })
}

/// The word and the message for one cluster; `None` when there is nothing of the object there any more.
fn verdict(cluster: &ClusterPlan, outcome: Option<&Outcome>) -> Option<(Option<Reason>, String)> {
    let failure = |words: Words| match outcome {
        Some(Outcome::Failed(failure)) => Some((Some(words.of(failure)), failure.message.clone())),
        Some(Outcome::Applied(_) | Outcome::Deleted { .. } | Outcome::Released) => None,
        None => Some((Some(words.timed_out), "the step was not finished in time".to_owned())),
    };
    match &cluster.step {
        Step::UpToDate => Some((None, cluster.note.clone())),
        Step::Apply(apply) => {
            let words = if apply.cause == Cause::Create { CREATION } else { UPDATE };
            failure(words).or_else(|| Some((None, cluster.note.clone())))
        }
        Step::Delete { .. } => failure(DELETION).or_else(|| match outcome {
            Some(Outcome::Deleted { gone: true }) => None,
            _ => Some((Some(Reason::WaitingForRemoval), String::new())),
        }),
        Step::Release { .. } => failure(LABEL_REMOVAL),
        // Left as it is by design: nothing is wrong there.
        Step::Keep(Reason::Drifted | Reason::NamespaceNotFederated, message) => Some((None, message.clone())),
        Step::Keep(reason, message) | Step::Wait(reason, message) | Step::Fail(reason, message) => {
            Some((Some(*reason), message.clone()))
        }
    }
}

/// The word for a step that failed.
pub fn failure_reason(step: &Step, failure: &Failure) -> Reason {
    match step {
        Step::Apply(apply) if apply.cause == Cause::Create => CREATION,
        Step::Apply(_) | Step::UpToDate | Step::Keep(..) | Step::Wait(..) | Step::Fail(..) => UPDATE,
        Step::Delete { .. } => DELETION,
        Step::Release { .. } => LABEL_REMOVAL,
    }
    .of(failure)
}

struct Words {
    failed: Reason,
    timed_out: Reason,
}

const CREATION: Words = Words {
    failed: Reason::CreationFailed,
    timed_out: Reason::CreationTimedOut,
};
const UPDATE: Words = Words {
    failed: Reason::UpdateFailed,
    timed_out: Reason::UpdateTimedOut,
};
const DELETION: Words = Words {
    failed: Reason::DeletionFailed,
    timed_out: Reason::DeletionTimedOut,
};
const LABEL_REMOVAL: Words = Words {
    failed: Reason::LabelRemovalFailed,
    timed_out: Reason::LabelRemovalTimedOut,
};

impl Words {
    fn of(&self, failure: &Failure) -> Reason {
        match failure.kind {
            FailureKind::TimedOut => self.timed_out,
            FailureKind::Invalid => Reason::Invalid,
            FailureKind::ApiMissing => Reason::ApiMissing,
            FailureKind::NotReady => Reason::ClusterNotReady,
            FailureKind::Conflict | FailureKind::Other => self.failed,
        }
    }
}
