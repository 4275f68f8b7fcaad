//! What is worth an event on the federated object, with the reasons that people who knew KubeFed look for.
//!
//! One note for each reason, the clusters in its message: an object that is created in a hundred clusters tells so once.
//! What was done is always told; what is wrong only when it is new, so a cluster that stays away is no stream of events.

use std::collections::BTreeMap;

use crate::object::DRIFT_ANNOTATION;
use crate::plan::{Cause, ClusterPlan, KIND_IS_MISSING, NOT_READ_YET, Plan, Step};
use crate::settle::{Failure, FailureKind, Outcome};
use crate::status::{FederatedStatus, Reason, failure_reason};
use crate::{ClusterName, ClusterStatus, TypeDescriptor};

/// What an event can carry is 1024 bytes; this leaves room for what its recorder adds.
const MAX_MESSAGE: usize = 900;

/// One event to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventNote {
    /// Whether its type is `Warning`; otherwise `Normal`.
    pub warning: bool,
    /// The reason.
    pub reason: &'static str,
    /// For people, with the clusters that it is about.
    pub message: String,
}

/// The events of a plan that was carried out. `previous` is the status before it. They are sorted by reason.
pub fn events(
    row: &TypeDescriptor,
    plan: &Plan,
    outcomes: &BTreeMap<ClusterName, Outcome>,
    previous: Option<&FederatedStatus>,
) -> Vec<EventNote> {
    if plan.ignored {
        return Vec::new();
    }
    let mut notes = Notes::default();
    let mut all: Vec<EventNote> = whole(plan, previous).into_iter().collect();
    for (name, cluster) in &plan.clusters {
        let before = Before::of(plan, previous, name);
        if let Some((kind, text)) = note(row, cluster, outcomes.get(name), before) {
            notes.add(kind, text, name);
        }
    }
    all.extend(notes.told());
    all.sort_by_key(|note| note.reason);
    all
}

/// What is wrong with the object as a whole, unless it was told already.
fn whole(plan: &Plan, previous: Option<&FederatedStatus>) -> Option<EventNote> {
    let (reason, message) = plan.whole.as_ref()?;
    let told = previous
        .and_then(FederatedStatus::propagation)
        .is_some_and(|before| before.reason == reason.as_str() && before.message.starts_with(message.as_str()));
    (!told).then(|| EventNote {
        warning: true,
        reason: reason.as_str(),
        message: shortened(message.clone()),
    })
}

/// What was known of a cluster before.
#[derive(Clone, Copy)]
struct Before<'a> {
    entry: Option<&'a ClusterStatus>,
    same_generation: bool,
}

impl<'a> Before<'a> {
    fn of(plan: &Plan, previous: Option<&'a FederatedStatus>, name: &ClusterName) -> Self {
        Self {
            entry: previous.and_then(|status| status.cluster(name)),
            same_generation: previous.is_some_and(|status| status.observed_generation == plan.generation),
        }
    }

    fn said(self, reason: Reason) -> bool {
        self.entry.is_some_and(|entry| entry.status == reason.as_str())
    }

    /// Whether this was said of the object as it is now: a new generation is a new attempt.
    fn said_of_this(self, reason: Reason) -> bool {
        self.same_generation && self.said(reason)
    }

    /// Whether the object was there and well.
    fn was_there(self) -> bool {
        self.entry.is_some_and(ClusterStatus::is_ok)
    }
}

/// What an event is about. Its order decides nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Done(Operation),
    Failed(Operation),
    TimedOut,
    NotReady,
    Unread,
    WaitForRemoval,
    Held,
    Drifted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Operation {
    Create,
    Update,
    Delete,
    RemoveLabel,
}

impl Kind {
    fn reason(self) -> &'static str {
        match self {
            Self::Done(Operation::Create) => "CreateInCluster",
            Self::Done(Operation::Update) => "UpdateInCluster",
            Self::Done(Operation::Delete) => "DeleteInCluster",
            Self::Done(Operation::RemoveLabel) => "RemoveManagedLabelFromInCluster",
            Self::Failed(Operation::Create) => "CreateInClusterFailed",
            Self::Failed(Operation::Update) => "UpdateInClusterFailed",
            Self::Failed(Operation::Delete) => "DeleteInClusterFailed",
            Self::Failed(Operation::RemoveLabel) => "RemoveManagedLabelFromInClusterFailed",
            Self::TimedOut => "OperationTimeoutError",
            Self::NotReady => "ClusterNotReady",
            Self::Unread => "CachedRetrievalFailed",
            Self::WaitForRemoval => "WaitForRemovalInCluster",
            Self::Held => "Held",
            Self::Drifted => "Drifted",
        }
    }

    fn is_warning(self) -> bool {
        match self {
            Self::Done(_) | Self::WaitForRemoval | Self::Drifted => false,
            Self::Failed(_) | Self::TimedOut | Self::NotReady | Self::Unread | Self::Held => true,
        }
    }
}

/// What to tell about one cluster; nothing when nothing was done and nothing new is wrong.
fn note(
    row: &TypeDescriptor,
    cluster: &ClusterPlan,
    outcome: Option<&Outcome>,
    before: Before<'_>,
) -> Option<(Kind, String)> {
    let target = &row.target.kind;
    match &cluster.step {
        Step::Apply(apply) => {
            let (operation, done) = match apply.cause {
                Cause::Create => (Operation::Create, format!("created the {target}")),
                Cause::Restore => (Operation::Create, format!("made the {target} again, which was gone")),
                Cause::Adopt => (Operation::Update, format!("took the {target} over that was there")),
                Cause::Change => (Operation::Update, format!("updated the {target}")),
                Cause::Drift => (Operation::Update, put_back(target, cluster)),
            };
            attempted(&cluster.step, operation, done, outcome, before)
        }
        Step::Delete { .. } => attempted(
            &cluster.step,
            Operation::Delete,
            format!("deleted the {target}"),
            outcome,
            before,
        ),
        Step::Release { .. } => attempted(
            &cluster.step,
            Operation::RemoveLabel,
            format!("left the {target} to the cluster"),
            outcome,
            before,
        ),
        Step::UpToDate => stays(cluster, &cluster.note, before),
        Step::Keep(Reason::Drifted, message) => stays(cluster, message, before),
        // The condition tells it for all clusters.
        Step::Keep(Reason::NamespaceNotFederated, _) => None,
        Step::Keep(Reason::Held, message) => {
            let told = before
                .entry
                .is_some_and(|entry| before.said(Reason::Held) && entry.message == *message);
            (!told).then(|| (Kind::Held, message.clone()))
        }
        // Somebody is just looking; what they see brings the next plan.
        Step::Wait(Reason::CachedRetrievalFailed, message) if message == NOT_READ_YET => None,
        Step::Wait(reason, message) => (!before.said(*reason)).then(|| waits(*reason, message)),
        Step::Keep(reason, message) | Step::Fail(reason, message) => (!before.said_of_this(*reason)).then(|| {
            let operation = match reason {
                Reason::ManagedLabelFalse => Operation::Update,
                _ if before.was_there() => Operation::Update,
                _ => Operation::Create,
            };
            (Kind::Failed(operation), message.clone())
        }),
    }
}

/// A step that was carried out, or should have been.
fn attempted(
    step: &Step,
    operation: Operation,
    done: String,
    outcome: Option<&Outcome>,
    before: Before<'_>,
) -> Option<(Kind, String)> {
    let failure = match outcome {
        Some(Outcome::Applied(_) | Outcome::Deleted { .. } | Outcome::Released) => {
            return Some((Kind::Done(operation), done));
        }
        Some(Outcome::Failed(failure)) => failure.clone(),
        None => Failure {
            kind: FailureKind::TimedOut,
            message: "the step was not finished in time".to_owned(),
        },
    };
    let kind = match failure.kind {
        FailureKind::TimedOut => Kind::TimedOut,
        FailureKind::NotReady => Kind::NotReady,
        FailureKind::Invalid | FailureKind::ApiMissing | FailureKind::Conflict | FailureKind::Other => {
            Kind::Failed(operation)
        }
    };
    let word = failure_reason(step, &failure);
    let told = if kind == Kind::NotReady {
        before.said(word)
    } else {
        before.said_of_this(word)
    };
    (!told).then_some((kind, failure.message))
}

/// What was changed. Whoever may read events may not always read the object: no values.
fn found(cluster: &ClusterPlan) -> Option<String> {
    let found = cluster.drifted.as_ref()?.found.as_ref()?;
    Some(found.names().to_string())
}

fn put_back(target: &str, cluster: &ClusterPlan) -> String {
    match found(cluster) {
        Some(fields) => format!("put back what was changed in the {target}: {fields}"),
        None => format!("put the {target} back that was changed there"),
    }
}

/// A foreign change that stays. `message` is what the status says of it.
fn stays(cluster: &ClusterPlan, message: &str, before: Before<'_>) -> Option<(Kind, String)> {
    let drifted = cluster.drifted.as_ref()?;
    let told = before.entry.is_some_and(|entry| entry.message == message);
    (!told).then(|| {
        let fields = found(cluster).map_or_else(String::new, |fields| format!(": {fields}"));
        let waits = if drifted.pending {
            "; the last change waits for an answer, too"
        } else {
            ""
        };
        let text = format!(
            "fields that the hub states were changed there and stay so, as {DRIFT_ANNOTATION}=hold asks{fields}{waits}"
        );
        (Kind::Drifted, text)
    })
}

fn waits(reason: Reason, message: &str) -> (Kind, String) {
    let kind = match reason {
        Reason::WaitingForRemoval => Kind::WaitForRemoval,
        Reason::ClusterNotReady => Kind::NotReady,
        Reason::CreationFailed => Kind::Failed(Operation::Create),
        Reason::ApiMissing if message == KIND_IS_MISSING => Kind::Failed(Operation::Delete),
        // Nothing can be there yet.
        Reason::ApiMissing => Kind::Failed(Operation::Create),
        _ => Kind::Unread,
    };
    let message = if message.is_empty() {
        "what is there is on its way out"
    } else {
        message
    };
    (kind, message.to_owned())
}

/// Notes as they come in, cluster by cluster: by what they are about and what they say.
#[derive(Default)]
struct Notes<'a>(BTreeMap<Kind, BTreeMap<String, Vec<&'a ClusterName>>>);

impl<'a> Notes<'a> {
    fn add(&mut self, kind: Kind, text: String, cluster: &'a ClusterName) {
        let texts = self.0.entry(kind).or_default();
        texts.entry(text).or_default().push(cluster);
    }

    fn told(self) -> impl Iterator<Item = EventNote> {
        self.0.into_iter().map(|(kind, texts)| {
            let parts: Vec<String> = texts
                .into_iter()
                .map(|(text, clusters)| {
                    let names: Vec<&str> = clusters.iter().map(|name| name.as_str()).collect();
                    match kind {
                        Kind::Done(_) => format!("{text} in {}", names.join(", ")),
                        _ => format!("{}: {text}", names.join(", ")),
                    }
                })
                .collect();
            EventNote {
                warning: kind.is_warning(),
                reason: kind.reason(),
                message: shortened(parts.join("; ")),
            }
        })
    }
}

/// The text, cut where an event could not carry it.
fn shortened(mut text: String) -> String {
    if text.len() > MAX_MESSAGE {
        let end = (0..=MAX_MESSAGE).rev().find(|place| text.is_char_boundary(*place));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests;
