//! Taking an object out of a cluster: only what the hub itself put there, and only when it can be seen.

use serde_json::json;

use super::{ClusterPlan, FinalizerAction, Input, KIND_IS_MISSING, LEAVING, NOT_READ_YET, Plan, RecordAction, Step};
use crate::object::{ADOPTED_ANNOTATION, DeleteOptions, MANAGED_LABEL, OWNER_ANNOTATION};
use crate::status::Reason;
use crate::{Cluster, ClusterName, Observed, Present, Record, TypeDescriptor};

/// How an object that is not wanted in a cluster stands there.
#[derive(Debug, Clone, PartialEq)]
pub enum Removal {
    /// There is something to do.
    Step(Step),
    /// Nothing of the hub's is there, or what is there is not the hub's any more: the record goes.
    Gone,
    /// The cluster is away, or the kind is missing there; what is there is removed when it is back. Or it is leaving, and
    /// what is there goes with that.
    Away(Reason),
    /// It is not known what is there.
    Unclear(Reason, String),
    /// It is on its way out.
    Going,
}

/// What to do about a leftover, whose federated object is gone or not placed here any more.
pub fn remove_leftover(
    kind: &TypeDescriptor,
    cluster: Option<&Cluster>,
    observed: Option<&Observed>,
    record: &Record,
    hub_uid: &str,
) -> Removal {
    remove(
        kind,
        cluster,
        observed,
        Some(record),
        hub_uid,
        &DeleteOptions::default(),
    )
}

/// How a cluster keeps an object that is not wanted there any more: the hub's marks are taken off, and nothing else.
pub fn let_go(cluster: &Cluster, observed: &Observed, record: &Record, hub_uid: &str) -> Removal {
    match observed {
        _ if !cluster.ready => Removal::Away(Reason::ClusterNotReady),
        Observed::Unknown { reason, message } => Removal::Unclear(*reason, message.clone()),
        Observed::Present(present) if is_ours(record, present, hub_uid) => Removal::Step(release(present)),
        Observed::Present(_) | Observed::Absent => Removal::Gone,
    }
}

pub(crate) fn remove(
    kind: &TypeDescriptor,
    cluster: Option<&Cluster>,
    observed: Option<&Observed>,
    record: Option<&Record>,
    hub_uid: &str,
    options: &DeleteOptions,
) -> Removal {
    // A cluster that was unregistered keeps what it has.
    let (Some(cluster), Some(record)) = (cluster, record) else {
        return Removal::Gone;
    };
    if cluster.leaving {
        return Removal::Away(Reason::WaitingForRemoval);
    }
    if !cluster.ready {
        return Removal::Away(Reason::ClusterNotReady);
    }
    let present = match observed {
        None => {
            return Removal::Unclear(Reason::CachedRetrievalFailed, NOT_READ_YET.to_owned());
        }
        // Without the kind there is nothing to ask; should the kind come back, so may what was there.
        Some(Observed::Unknown {
            reason: Reason::ApiMissing,
            ..
        }) => return Removal::Away(Reason::ApiMissing),
        Some(Observed::Unknown { reason, message }) => {
            return Removal::Unclear(*reason, message.clone());
        }
        Some(Observed::Absent) => return Removal::Gone,
        Some(Observed::Present(present)) => present,
    };
    if !is_ours(record, present, hub_uid) {
        return Removal::Gone;
    }
    if kind.is_namespace() && (record.is_adopted() || present.says_adopted()) {
        return Removal::Step(release(present));
    }
    if present.deleting {
        return Removal::Going;
    }
    Removal::Step(Step::Delete {
        uid: present.uid.clone(),
        options: options.clone().for_uid(&present.uid),
    })
}

/// Whether what is there is what the hub remembers, and bears no other hub's mark.
fn is_ours(record: &Record, present: &Present, hub_uid: &str) -> bool {
    let is_remembered = record.owns(present) || record.began(present, hub_uid);
    is_remembered && present.owner().is_none_or(|owner| owner == hub_uid)
}

/// Takes the hub's marks off and nothing else.
fn release(present: &Present) -> Step {
    Step::Release {
        uid: present.uid.clone(),
        patch: json!({"metadata": {
            "uid": present.uid,
            "resourceVersion": present.resource_version,
            "labels": {MANAGED_LABEL: null},
            "annotations": {OWNER_ANNOTATION: null, ADOPTED_ANNOTATION: null},
        }}),
    }
}

impl Plan {
    /// Takes the object out of a cluster that it is not placed in.
    pub(crate) fn unplace(&mut self, input: &Input<'_>, name: &ClusterName) {
        let record = input.records.get(name);
        let removal = remove(
            input.kind,
            input.clusters.get(name),
            input.observed.get(name),
            record,
            input.hub_uid,
            &DeleteOptions::default(),
        );
        self.take_out(input, name, removal);
    }

    /// Deletes the object everywhere it can be reached, and lets it go when the rest is recorded.
    pub(crate) fn delete_everywhere(&mut self, input: &Input<'_>) {
        if !input.object.has_finalizer() {
            return;
        }
        for name in input.names() {
            let removal = self.removal_on_deletion(input, name);
            self.take_out(input, name, removal);
        }
        self.brake_deletion(input);
        // Taking marks off is a courtesy that must not keep the object; a delete is awaited.
        let is_done = |(name, cluster): (&ClusterName, &ClusterPlan)| match &cluster.step {
            Step::Release { .. } => input.object.orphan,
            Step::Wait(..) if input.is_leaving(name) => true,
            Step::Wait(reason, _) => matches!(reason, Reason::ClusterNotReady | Reason::ApiMissing),
            Step::UpToDate | Step::Apply(_) | Step::Delete { .. } | Step::Keep(..) | Step::Fail(..) => false,
        };
        if self.clusters.iter().all(is_done) {
            self.finalizer = Some(FinalizerAction::Remove);
        }
    }

    fn removal_on_deletion(&self, input: &Input<'_>, name: &ClusterName) -> Removal {
        let (record, observed) = (input.records.get(name), input.observed.get(name));
        if !input.object.orphan {
            return remove(
                input.kind,
                input.clusters.get(name),
                observed,
                record,
                input.hub_uid,
                &input.object.delete_options,
            );
        }
        let is_ready = input.clusters.get(name).is_some_and(|cluster| cluster.ready);
        match (record, observed) {
            (Some(record), Some(Observed::Present(present))) if is_ready && is_ours(record, present, input.hub_uid) => {
                Removal::Step(release(present))
            }
            // It will be read in a moment. What cannot be read is left as it is: it was to stay anyway.
            (Some(_), None) if is_ready => Removal::Unclear(Reason::CachedRetrievalFailed, NOT_READ_YET.to_owned()),
            _ => Removal::Gone,
        }
    }

    fn take_out(&mut self, input: &Input<'_>, name: &ClusterName, removal: Removal) {
        let record = input.records.get(name);
        let step = match removal {
            Removal::Gone => {
                if record.is_some() {
                    self.records.insert(name.clone(), RecordAction::Drop);
                }
                return;
            }
            Removal::Step(step) => step,
            Removal::Away(reason) => {
                if record.is_some_and(|record| !record.leftover) {
                    self.records.insert(name.clone(), RecordAction::MarkLeftover);
                }
                let message = match reason {
                    Reason::ApiMissing => KIND_IS_MISSING,
                    Reason::WaitingForRemoval => LEAVING,
                    _ => "the cluster is away; the object is removed there when it is back",
                };
                Step::Wait(reason, message.to_owned())
            }
            Removal::Unclear(reason, message) => {
                self.look_again();
                Step::Wait(reason, message)
            }
            Removal::Going => {
                self.look_again();
                Step::Wait(Reason::WaitingForRemoval, String::new())
            }
        };
        if step.is_write() {
            self.look_again();
        }
        let plan = ClusterPlan {
            step,
            note: String::new(),
            desired_replicas: None,
            desired_completions: None,
            live: input.live_of_own(name),
            drifted: None,
        };
        self.clusters.insert(name.clone(), plan);
    }
}

#[cfg(test)]
mod tests;
