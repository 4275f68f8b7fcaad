//! Putting an object into a cluster that it is placed in: make it, take it over, bring it up to date, or say why not.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::makings::Makings;
use super::{Apply, Cause, ClusterPlan, Input, LEAVING, NOT_READ_YET, Plan, RecordAction, RetainedReplicas, Step};
use crate::object::{Built, MANAGED_BY_LABEL, build};
use crate::observed::ADOPTED_SUFFIX;
use crate::overrides::{self, Operation, Overrides};
use crate::status::Reason;
use crate::{ClusterName, Drifted, HandOver, Observed, Present, Record, drift, hash, plain, retain};

impl Plan {
    /// Puts the object into a cluster; `replicas` is what a preference gives it.
    pub(crate) fn put(
        &mut self,
        input: &Input<'_>,
        name: &ClusterName,
        overrides: &Overrides,
        replicas: Option<i64>,
        makings: &mut Makings,
    ) {
        let operations = overrides.for_cluster(name);
        let decision = match wait_for(input, name) {
            Some(step) => step.into(),
            None => decide(input, name, operations, replicas, makings),
        };
        let Decision {
            step,
            note,
            desired,
            drifted,
            rests_until,
        } = decision;
        if let Some(until) = rests_until {
            self.look_again_at(until);
        }
        let record = input.records.get(name);
        if record.is_some_and(|record| record.leftover) && !step.is_write() {
            self.records.insert(name.clone(), RecordAction::ClearLeftover);
        }
        if matches!(
            step,
            Step::Wait(Reason::WaitingForRemoval | Reason::CachedRetrievalFailed, _)
        ) && !input.is_leaving(name)
        {
            self.look_again();
        }
        let desired_replicas = desired.or_else(|| desired_replicas(input, operations, replicas));
        let plan = ClusterPlan {
            step,
            note,
            desired_replicas,
            desired_completions: plain::asked_completions(input.kind, operations),
            live: input.live_of_own(name),
            drifted,
        };
        self.clusters.insert(name.clone(), plan);
    }
}

/// Why nothing can be decided for this cluster now.
fn wait_for(input: &Input<'_>, name: &ClusterName) -> Option<Step> {
    if input.is_leaving(name) {
        return Some(Step::Wait(Reason::WaitingForRemoval, LEAVING.to_owned()));
    }
    if !input.clusters.get(name).is_some_and(|cluster| cluster.ready) {
        return Some(Step::Wait(
            Reason::ClusterNotReady,
            "the cluster does not answer; the object follows when it is back".to_owned(),
        ));
    }
    match input.observed.get(name) {
        None => Some(Step::Wait(Reason::CachedRetrievalFailed, NOT_READ_YET.to_owned())),
        // What the member said is the same for every kind: that it does not find it.
        Some(Observed::Unknown {
            reason: reason @ Reason::ApiMissing,
            ..
        }) => {
            let target = &input.kind.target;
            let message = format!("the cluster does not serve {} of {}", target.kind, target.api_version());
            Some(Step::Wait(*reason, message))
        }
        Some(Observed::Unknown { reason, message }) => Some(Step::Wait(*reason, message.clone())),
        Some(Observed::Absent | Observed::Present(_)) => None,
    }
}

struct Decision {
    step: Step,
    note: String,
    /// Replicas that are asked for, as far as that decides.
    desired: Option<i64>,
    drifted: Option<Box<Drifted>>,
    /// When what somebody changes again and again is put back.
    rests_until: Option<Timestamp>,
}

impl From<Step> for Decision {
    fn from(step: Step) -> Self {
        Self {
            step,
            note: String::new(),
            desired: None,
            drifted: None,
            rests_until: None,
        }
    }
}

fn decide(
    input: &Input<'_>,
    name: &ClusterName,
    operations: &[Operation],
    replicas: Option<i64>,
    makings: &mut Makings,
) -> Decision {
    let record = input.records.get(name);
    let present = match input.observed.get(name) {
        Some(Observed::Present(present)) => Some(present.as_ref()),
        Some(Observed::Unknown { .. } | Observed::Absent) | None => None,
    };
    let claim = match claim(input, present, record, operations) {
        Ok(claim) => claim,
        Err(step) => return step.into(),
    };
    let adopted = input.kind.is_namespace()
        && match claim {
            Claim::New => false,
            Claim::Stranger => true,
            Claim::Ours => record.is_some_and(Record::is_adopted) || present.is_some_and(Present::says_adopted),
        };
    let marks = Built {
        hub_uid: Some(input.hub_uid),
        replicas,
        adopted,
        retained: present.map(|present| &present.retained),
    };
    let made = match makings.make(input, operations, marks) {
        Ok(made) => made,
        Err(error) => return Step::Fail(Reason::from(&error), error.to_string()).into(),
    };
    let mut object = Cow::Borrowed(&made.object);
    let path = input
        .kind
        .replicas_path
        .as_deref()
        .filter(|path| is_retained(input, operations, replicas, path));
    let stated = path.and_then(|path| take(object.to_mut(), path));
    let retained = path.and_then(|path| {
        let unrecorded = record.is_none_or(|record| record.uid.is_none());
        hand_replicas_over(&object, path, stated, present, unrecorded)
    });
    let desired = match (path, present) {
        (Some(_), Some(present)) => present.spec_replicas,
        (Some(path), None) => retained.as_ref().and_then(|one| one.object.pointer(path)?.as_i64()),
        (None, _) => input.kind.asked_path().and_then(|path| object.pointer(path)?.as_i64()),
    };
    let mut hash = match &object {
        Cow::Borrowed(_) => made.hash.clone(),
        Cow::Owned(object) => hash(object),
    };
    if adopted {
        hash.push_str(ADOPTED_SUFFIX);
    }
    let lets_ports_go = present.is_some_and(|present| retain::lets_ports_go(input.kind, &object, &present.retained));
    let changed = record.is_none_or(|record| record.applied_hash.as_ref() != Some(&hash));
    let is_ours = claim == Claim::Ours;
    let has_drifted = record
        .zip(present)
        .is_some_and(|(record, present)| is_ours && present.managed_hash != record.managed_hash);
    let cause = match (claim, record) {
        (Claim::New, Some(record)) if record.uid.is_some() => Cause::Restore,
        (Claim::New, _) => Cause::Create,
        (Claim::Stranger, _) | (Claim::Ours, None) => Cause::Adopt,
        (Claim::Ours, Some(_)) if has_drifted && (input.object.hold_drift || !changed) => Cause::Drift,
        (Claim::Ours, Some(_)) if changed => Cause::Change,
        (Claim::Ours, Some(_)) => {
            return Decision {
                desired,
                ..Step::UpToDate.into()
            };
        }
    };
    if let Some(fight) = input.fights.get(name).filter(|fight| fight.until > input.now) {
        let rests = |step: Step, note: String| Decision {
            note,
            desired,
            rests_until: Some(fight.until),
            ..step.into()
        };
        if cause == Cause::Drift && !input.object.hold_drift {
            return rests(Step::UpToDate, drift::note_of_fight(fight));
        }
        if cause == Cause::Restore && !changed {
            let note = drift::note_of_deletions(fight);
            return rests(Step::Wait(Reason::CreationFailed, note), String::new());
        }
    }
    let mut object = object.into_owned();
    if let Some(present) = present {
        object["metadata"]["uid"] = present.uid.as_str().into();
    }
    let drifted = (cause == Cause::Drift).then(|| {
        Box::new(Drifted {
            stated: object.clone(),
            pending: changed,
            found: input.drifts.get(name).cloned(),
        })
    });
    let found = drifted.as_ref().and_then(|drifted| drifted.found.as_ref());
    let (step, note) = if cause == Cause::Drift && input.object.hold_drift {
        let note = drift::note_of_held(found, changed);
        if changed {
            (Step::Keep(Reason::Drifted, note), String::new())
        } else {
            (Step::UpToDate, note)
        }
    } else {
        let is_kubefeds = present.is_some_and(|present| present.is_labelled() && present.owner().is_none());
        let hand_over = match cause {
            Cause::Adopt if is_kubefeds => Some(HandOver::OfKubefed),
            Cause::Adopt | Cause::Change | Cause::Drift if lets_ports_go => Some(HandOver::OfPorts),
            Cause::Create | Cause::Restore | Cause::Adopt | Cause::Change | Cause::Drift => None,
        };
        let note = found.map_or_else(String::new, |found| drift::note_of_put_back(found, input.now));
        let apply = Apply {
            object,
            hash,
            uid: present.map(|present| present.uid.clone()),
            force: present.is_some(),
            cause,
            hand_over,
            replicas: retained,
        };
        (Step::Apply(Box::new(apply)), note)
    };
    Decision {
        step,
        note,
        desired,
        drifted,
        rests_until: None,
    }
}

/// Whose the object in the member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// There is none.
    New,
    /// The hub's own.
    Ours,
    /// Nobody's, and it may be taken over.
    Stranger,
}

/// Whether the object there is the hub's, or becomes the hub's with the next write.
pub(crate) fn is_claimed(input: &Input<'_>, name: &ClusterName, present: &Present, operations: &[Operation]) -> bool {
    claim(input, Some(present), input.records.get(name), operations).is_ok()
}

/// Whose object is there, or the step that says why it is not ours to write.
fn claim(
    input: &Input<'_>,
    present: Option<&Present>,
    record: Option<&Record>,
    operations: &[Operation],
) -> Result<Claim, Step> {
    let Some(present) = present else {
        return Ok(Claim::New);
    };
    if present.is_off_limits() {
        let message = format!(
            "the object there is labelled {}=false; remove the label to let the hub write it",
            crate::object::MANAGED_LABEL
        );
        return Err(Step::Fail(Reason::ManagedLabelFalse, message));
    }
    let refuse = |why: String| Err(Step::Fail(Reason::AlreadyExists, why));
    match present.owner() {
        Some(owner) if owner != input.hub_uid => {
            return refuse(format!(
                "the object there belongs to another hub ({owner}); delete it there, or place this one elsewhere"
            ));
        }
        _ if present.deleting => {
            return Err(Step::Wait(
                Reason::WaitingForRemoval,
                "the object there is being deleted; it is made anew when it is gone".to_owned(),
            ));
        }
        _ if record.is_some_and(|record| record.owns(present)) => return Ok(Claim::Ours),
        // Written by this hub, which then stopped before it could remember.
        Some(_) if present.is_labelled() && record.is_none_or(|record| record.uid.is_none()) => {
            return Ok(Claim::Ours);
        }
        Some(_) | None => {}
    }
    if !input.adopt_resources {
        return refuse(
            "there is such an object already, and adoptResources is Disabled; delete it there, or enable adoption"
                .to_owned(),
        );
    }
    if let Some(owner) = present.owners.first() {
        return refuse(format!("the object there is owned by {owner}; rename one of them"));
    }
    let tool = present.labels.get(MANAGED_BY_LABEL);
    if let Some(tool) = tool.filter(|tool| stated_tool(input, operations) != Some(tool.as_str())) {
        return refuse(format!(
            "the object there is managed by {tool:?} (label {MANAGED_BY_LABEL}); delete it there, or state the same label in the template"
        ));
    }
    Ok(Claim::Stranger)
}

/// A chart that is federated brings its tool's label along; then the tool is no stranger.
fn stated_tool<'a>(input: &'a Input<'_>, operations: &'a [Operation]) -> Option<&'a str> {
    let path = ["metadata", "labels", MANAGED_BY_LABEL];
    let overridden = operations.iter().rev().find(|operation| operation.segments == path);
    overridden.map_or_else(
        || {
            input
                .object
                .template
                .get("metadata")?
                .get("labels")?
                .get(MANAGED_BY_LABEL)?
                .as_str()
        },
        |operation| operation.value.as_str(),
    )
}

/// An override or a preference of the replicas wins over `retainReplicas`.
fn is_retained(input: &Input<'_>, operations: &[Operation], replicas: Option<i64>, path: &str) -> bool {
    input.object.retain_replicas && replicas.is_none() && !overrides::touch(operations, path)
}

/// Takes a value out of the object.
fn take(object: &mut Value, pointer: &str) -> Option<Value> {
    let (parent, field) = pointer.rsplit_once('/')?;
    object.pointer_mut(parent)?.as_object_mut()?.remove(field)
}

/// What the second field manager has to state, so that the member's own scaling is left alone from then on.
fn hand_replicas_over(
    object: &Value,
    path: &str,
    stated: Option<Value>,
    present: Option<&Present>,
    unrecorded: bool,
) -> Option<RetainedReplicas> {
    let (value, before, force) = match present {
        // The object is about to be made; the template says how many to begin with.
        None => (stated?, false, false),
        Some(present) if present.replicas_handed_over => return None,
        // The hub stated them so far: whoever lets go of a field that nobody else states removes it.
        Some(present) if present.states_replicas => (present.spec_replicas?.into(), true, true),
        // The hub made it and stopped before this step.
        Some(present) if unrecorded && present.owner().is_some() => (stated?, false, false),
        Some(_) => return None,
    };
    let mut only_replicas = json!({
        "apiVersion": object["apiVersion"],
        "kind": object["kind"],
        "metadata": {"name": object["metadata"]["name"], "namespace": object["metadata"]["namespace"]},
    });
    if let Some(present) = present {
        only_replicas["metadata"]["uid"] = present.uid.as_str().into();
        if before {
            // The value is a reading: it may be written only while it is still the newest one.
            only_replicas["metadata"]["resourceVersion"] = present.resource_version.as_str().into();
        }
    }
    let mut place = &mut only_replicas;
    for segment in path.trim_start_matches('/').split('/') {
        place = &mut place[segment];
    }
    *place = value;
    Some(RetainedReplicas {
        object: only_replicas,
        before,
        force,
    })
}

/// Replicas that the hub asks a cluster for: by preference, override or template. `None` where there can be no object.
fn desired_replicas(input: &Input<'_>, operations: &[Operation], replicas: Option<i64>) -> Option<i64> {
    let path = input.kind.asked_path()?;
    // What a Job says is of all clusters together.
    let says_it = input.kind.replicas_path.is_some() || overrides::touch(operations, path);
    let built = || build(input.kind, input.object, operations, Built::default()).ok();
    replicas.or_else(|| built().filter(|_| says_it)?.pointer(path)?.as_i64())
}
