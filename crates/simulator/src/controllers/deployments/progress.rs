//! What a Deployment says of itself: counts, and whether it serves and moves on.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Bounds, Set};
use crate::controllers::templates::count;
use crate::engine::Plan;
use crate::fields::{condition, name, number, set_condition, time};

/// What there is.
pub(super) struct View<'a> {
    pub(super) new: Option<&'a Set>,
    pub(super) old: &'a [Set],
    pub(super) bounds: Bounds,
    pub(super) is_paused: bool,
    /// Name of the set that is made now.
    pub(super) created: Option<&'a str>,
    pub(super) now: Timestamp,
}

/// Counts of pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    replicas: i64,
    updated: i64,
    ready: i64,
    available: i64,
}

impl Counts {
    fn stated(deployment: &Value) -> Self {
        let status = &deployment["status"];
        Self {
            replicas: number(&status["replicas"]),
            updated: number(&status["updatedReplicas"]),
            ready: number(&status["readyReplicas"]),
            available: number(&status["availableReplicas"]),
        }
    }

    fn of(view: &View<'_>) -> Self {
        let sum = |field: &str| view.old.iter().chain(view.new).map(|set| set.status(field)).sum();
        Self {
            replicas: sum("replicas"),
            updated: view.new.map_or(0, |set| set.status("replicas")),
            ready: sum("readyReplicas"),
            available: sum("availableReplicas"),
        }
    }

    /// Whether these are nearer to the end of an update than those before.
    fn is_ahead_of(self, before: Self) -> bool {
        self.updated > before.updated
            || self.replicas - self.updated < before.replicas - before.updated
            || self.ready > before.ready
            || self.available > before.available
    }
}

/// The Deployment with its status as it should be, and whether all its pods are of the newest template and serve.
pub(super) fn judge(deployment: &Value, view: &View<'_>, plan: &mut Plan) -> (Value, bool) {
    let mut changed = deployment.clone();
    if !changed["status"].is_object() {
        changed["status"] = json!({});
    }
    let (before, counts) = (Counts::stated(deployment), Counts::of(view));
    let asked: i64 = view.old.iter().chain(view.new).map(|set| set.replicas).sum();
    let status = &mut changed["status"];
    status["observedGeneration"] = deployment["metadata"]["generation"].clone();
    count(status, "replicas", counts.replicas);
    count(status, "updatedReplicas", counts.updated);
    count(status, "readyReplicas", counts.ready);
    count(status, "availableReplicas", counts.available);
    count(status, "unavailableReplicas", (asked - counts.available).max(0));
    let now = Timestamp::from_second(view.now.as_second())
        .unwrap_or(view.now)
        .to_string();
    let (availability, reason, message) = if counts.available >= view.bounds.least {
        (
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
        )
    } else {
        (
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    };
    if set_condition(&mut changed, "Available", availability, reason, message, &now) {
        touch(&mut changed, "Available", &now);
    }
    let desired = view.bounds.desired;
    let is_complete =
        view.new.is_some() && counts.updated == desired && counts.replicas == desired && counts.available == desired;
    let has_progressed = counts.is_ahead_of(before);
    judge_progress(&mut changed, view, counts, is_complete, has_progressed, plan);
    (changed, is_complete)
}

fn judge_progress(
    deployment: &mut Value,
    view: &View<'_>,
    counts: Counts,
    is_complete: bool,
    has_progressed: bool,
    plan: &mut Plan,
) {
    let now = Timestamp::from_second(view.now.as_second())
        .unwrap_or(view.now)
        .to_string();
    let Some(deadline) = deployment["spec"]["progressDeadlineSeconds"].as_i64() else {
        return;
    };
    let before = condition(deployment, "Progressing").cloned().unwrap_or_default();
    let who = view.new.map_or_else(
        || format!("Deployment \"{}\"", name(deployment)),
        |set| format!("ReplicaSet \"{}\"", name(&set.object)),
    );
    let mut state = |status: &str, reason: &str, message: &str, is_news: bool| {
        let changed = set_condition(deployment, "Progressing", status, reason, message, &now);
        if changed || is_news {
            touch(deployment, "Progressing", &now);
        }
    };
    if view.is_paused {
        return state("Unknown", "DeploymentPaused", "Deployment is paused", false);
    }
    if let Some(created) = view.created {
        let message = format!("Created new replica set \"{created}\"");
        return state("True", "NewReplicaSetCreated", &message, true);
    }
    let was_complete = counts.replicas == counts.updated && before["reason"] == "NewReplicaSetAvailable";
    if is_complete {
        let message = format!("{who} has successfully progressed.");
        return state("True", "NewReplicaSetAvailable", &message, false);
    }
    if was_complete {
        // Scaled, or a pod went: that is no update.
        return;
    }
    let since = time(&before["lastUpdateTime"]).unwrap_or(view.now);
    let until = since.checked_add(SignedDuration::from_secs(deadline)).unwrap_or(since);
    if has_progressed
        || before.is_null()
        || before["reason"] == "DeploymentPaused"
        || before["reason"] == "NewReplicaSetAvailable"
    {
        let message = format!("{who} is progressing.");
        state("True", "ReplicaSetUpdated", &message, true);
        let again = view.now.checked_add(SignedDuration::from_secs(deadline));
        plan.look_again(again.unwrap_or(view.now));
    } else if until <= view.now {
        let message = format!("{who} has timed out progressing.");
        state("False", "ProgressDeadlineExceeded", &message, false);
    } else {
        plan.look_again(until);
    }
}

/// Notes when a condition was last updated.
fn touch(deployment: &mut Value, kind: &str, now: &str) {
    let conditions = deployment["status"]["conditions"].as_array_mut();
    for one in conditions.into_iter().flatten().filter(|one| one["type"] == kind) {
        one["lastUpdateTime"] = now.into();
    }
}
