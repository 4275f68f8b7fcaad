//! The plan: what goes in, what comes out. Deciding is in the submodules, one for each question.

pub(crate) mod brake;
pub(crate) mod makings;
pub(crate) mod placed;
pub(crate) mod preferred;
pub(crate) mod removal;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

pub use brake::{Hold, PlannedDelete, brake};
pub use removal::{Removal, let_go, remove_leftover};

use crate::drift::{Drift, Drifted, Fight};
use crate::object::DeleteOptions;
use crate::replicas::{Preference, ReplicaPlan};
use crate::status::Reason;
use crate::{Cluster, ClusterName, FederatedObject, HandOver, Live, Observed, Record, Scope, TypeDescriptor};

/// When to look at an object again that is on its way out somewhere.
pub const RECHECK: Duration = Duration::from_secs(10);

/// What a status says of a cluster before anybody has looked there.
pub(crate) const NOT_READ_YET: &str = "what the cluster holds has not been read yet";

/// What it says of something to be removed where its kind is gone.
pub(crate) const KIND_IS_MISSING: &str =
    "the cluster does not have this kind; the object is removed there when it has it again";

/// What it says of a cluster that is about to be unregistered.
pub(crate) const LEAVING: &str =
    "the cluster is being unregistered: what the hub manages there is deleted, and nothing is written";

/// Everything a plan depends on.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The present time; goes into the status, decides nothing.
    pub now: Timestamp,
    /// Which hub this is.
    pub hub_uid: &'a str,
    /// How far the control plane reaches.
    pub scope: Scope,
    /// Whether objects that are nobody else's may be taken over.
    pub adopt_resources: bool,
    /// The type.
    pub kind: &'a TypeDescriptor,
    /// The object.
    pub object: &'a FederatedObject,
    /// The FederatedNamespace of its namespace, if there is one.
    pub namespace: Option<&'a FederatedObject>,
    /// All registered clusters, ready or not.
    pub clusters: &'a BTreeMap<ClusterName, Cluster>,
    /// What members hold under its name. No entry: nobody looked.
    pub observed: &'a BTreeMap<ClusterName, Observed>,
    /// What the hub remembers.
    pub records: &'a BTreeMap<ClusterName, Record>,
    /// Its replica preference.
    pub preference: Option<&'a Preference>,
    /// Pods by cluster, listed where replicas and readyReplicas differ.
    pub pods: &'a BTreeMap<ClusterName, Pods>,
    /// How many objects the hub manages in each cluster, for the brake.
    pub managed: &'a BTreeMap<ClusterName, u64>,
    /// For a FederatedNamespace: what each member holds in the namespace, beside what every namespace has.
    pub contents: &'a BTreeMap<ClusterName, Contents>,
    /// What was found changed in members where an earlier plan said that something was.
    pub drifts: &'a BTreeMap<ClusterName, Drift>,
    /// Clusters in which somebody changes the object again each time it is put back.
    pub fights: &'a BTreeMap<ClusterName, Fight>,
    /// A hold on the change that brought this about, found over several objects together.
    pub held: Option<&'a Hold>,
    /// Whether what the change deletes was confirmed where it was made, such as on a cluster whose labels changed.
    pub confirmed: bool,
}

/// What the pods of one workload tell its replica plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pods {
    /// Pods in phase Running that carry a Ready condition, whatever its status.
    pub current: i64,
    /// Pods that have been unschedulable for more than a minute.
    pub unschedulable: i64,
    /// Whether younger unschedulable pods ask for another look.
    pub young_unschedulable: bool,
}

/// What a member holds in one namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contents {
    /// Objects that the hub manages.
    pub managed: u64,
    /// Objects that it does not.
    pub unmanaged: u64,
}

/// What to do, everywhere. It leaves its executor no choice: first [`FinalizerAction::Add`] and [`crate::intents`], then
/// the steps in any order, then [`crate::fold`] and [`crate::settle()`], and [`FinalizerAction::Remove`] last.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The time it was made at.
    pub at: Timestamp,
    /// The generation it is for.
    pub generation: i64,
    /// What is wrong with the object as a whole.
    pub whole: Option<(Reason, String)>,
    /// Clusters that hold or should hold the object. Others have no entry.
    pub clusters: BTreeMap<ClusterName, ClusterPlan>,
    /// What to do with the finalizer.
    pub finalizer: Option<FinalizerAction>,
    /// Records to change without a step.
    pub records: BTreeMap<ClusterName, RecordAction>,
    /// Deletes that wait for a confirmation.
    pub hold: Option<Hold>,
    /// How the preference shares its replicas out.
    pub replicas: Option<ReplicaPlan>,
    /// Why each cluster has its share.
    pub reasons: BTreeMap<ClusterName, String>,
    /// Whether the object's own placement names nothing and a preference places it, or did.
    pub placed_by_preference: bool,
    /// Names in the placement that nobody registered.
    pub unknown_clusters: Vec<String>,
    /// When to look again although nothing happened.
    pub recheck: Option<Duration>,
    /// Whether the object is none of the hub's business; its status is then left alone too.
    pub ignored: bool,
}

/// What to do in one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterPlan {
    /// The step.
    pub step: Step,
    /// A note for people, where all is well but not obvious.
    pub note: String,
    /// Replicas that the hub asks for.
    pub desired_replicas: Option<i64>,
    /// Pods in all that its part of a plain Job is asked for.
    pub desired_completions: Option<i64>,
    /// What the member says.
    pub live: Live,
    /// Set where somebody changed what the hub states, whether that is put back or stays.
    pub drifted: Option<Box<Drifted>>,
}

/// One thing to do in one cluster.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// All is as it should be.
    UpToDate,
    /// Write the object by server-side apply.
    Apply(Box<Apply>),
    /// Delete exactly this object.
    Delete {
        /// Its UID; also in `options.preconditions`.
        uid: String,
        /// How.
        options: DeleteOptions,
    },
    /// Take the hub's marks off and leave the object to the member.
    Release {
        /// Its UID.
        uid: String,
        /// The merge patch to send.
        patch: Value,
    },
    /// Leave what is there as it is, for this reason.
    Keep(Reason, String),
    /// Nothing can be done now; an event or the recheck brings the next plan.
    Wait(Reason, String),
    /// Nothing will be done until somebody changes something.
    Fail(Reason, String),
}

impl Step {
    /// Whether the executor has something to do.
    pub fn is_write(&self) -> bool {
        matches!(self, Self::Apply(_) | Self::Delete { .. } | Self::Release { .. })
    }
}

/// A server-side apply with field manager [`crate::FIELD_MANAGER`].
#[derive(Debug, Clone, PartialEq)]
pub struct Apply {
    /// The apply configuration, `metadata.uid` included when the object is there.
    pub object: Value,
    /// Hash to remember it by.
    pub hash: String,
    /// The object it is for; `None` makes a new one.
    pub uid: Option<String>,
    /// Whether to take fields that others state. Never when making a new one: the API has no "create only".
    pub force: bool,
    /// Why it is written.
    pub cause: Cause,
    /// What other field managers state is first moved to the hub's, so that the apply can drop it.
    pub hand_over: Option<HandOver>,
    /// Replicas that are set once and then left to the member.
    pub replicas: Option<RetainedReplicas>,
}

/// Why an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It is not there.
    Create,
    /// It was there, and is gone.
    Restore,
    /// It is there, unmanaged, and nobody else's.
    Adopt,
    /// The federated object changed.
    Change,
    /// Somebody changed what the hub states.
    Drift,
}

/// An apply of `spec.replicas` alone, with field manager [`crate::REPLICAS_FIELD_MANAGER`] and without force: a conflict
/// means that the member scales by itself already, and is no failure.
#[derive(Debug, Clone, PartialEq)]
pub struct RetainedReplicas {
    /// The apply configuration. After a creation its `metadata.uid` is that of the new object.
    pub object: Value,
    /// Before the main apply (which then stops stating them), or after it (because it makes the object).
    pub before: bool,
    /// Whether to take the field from the hub's other field manager.
    pub force: bool,
}

/// What to do with the finalizer of the federated object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalizerAction {
    /// Put it on before any step.
    Add,
    /// Take it off after all steps: nothing is left to do, or it is recorded.
    Remove,
}

/// What to do with a record where there is no step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordAction {
    /// It is about nothing any more.
    Drop,
    /// The object is to be removed when the cluster is back.
    MarkLeftover,
    /// The object is wanted again.
    ClearLeftover,
}

impl Plan {
    pub(crate) fn new(input: &Input<'_>) -> Self {
        let placement = input.object.placement.as_ref();
        Self {
            at: input.now,
            generation: input.object.generation,
            whole: None,
            clusters: BTreeMap::new(),
            finalizer: None,
            records: BTreeMap::new(),
            hold: None,
            replicas: None,
            reasons: BTreeMap::new(),
            placed_by_preference: input.is_placed_by_preference(),
            unknown_clusters: placement
                .map(|one| one.unknown(input.clusters).map(str::to_owned).collect())
                .unwrap_or_default(),
            recheck: None,
            ignored: false,
        }
    }

    /// Whether nothing is to be written anywhere but perhaps a status.
    pub fn is_quiet(&self) -> bool {
        self.finalizer.is_none()
            && self.records.is_empty()
            && !self.clusters.values().any(|cluster| cluster.step.is_write())
    }

    /// What was changed in members that drifted, as far as their whole objects are there to tell.
    pub fn drifts(&self, kind: &TypeDescriptor, live: &BTreeMap<ClusterName, Value>) -> BTreeMap<ClusterName, Drift> {
        let drift = |(name, cluster): (&ClusterName, &ClusterPlan)| {
            let drifted = cluster.drifted.as_deref()?;
            Some((name.clone(), Drift::of(kind, live.get(name)?, drifted)))
        };
        self.clusters.iter().filter_map(drift).collect()
    }

    /// Looks again at this time, or earlier.
    pub(crate) fn look_again_at(&mut self, at: Timestamp) {
        let wait = Duration::try_from(at.duration_since(self.at)).unwrap_or_default();
        self.recheck = Some(self.recheck.map_or(wait, |before| before.min(wait)));
    }

    pub(crate) fn look_again(&mut self) {
        self.recheck = Some(RECHECK);
    }
}

impl<'a> Input<'a> {
    /// Clusters that are registered or remembered.
    pub(crate) fn names(&self) -> BTreeSet<&'a ClusterName> {
        self.clusters.keys().chain(self.records.keys()).collect()
    }

    /// Whether the object is a namespace that every cluster has for itself.
    pub(crate) fn is_never_touched(&self) -> bool {
        self.kind.is_namespace() && crate::types::NEVER_TOUCHED_NAMESPACES.contains(&self.object.name.as_str())
    }

    /// Whether somebody else is emptying that cluster right now.
    pub(crate) fn is_leaving(&self, name: &ClusterName) -> bool {
        self.clusters.get(name).is_some_and(|cluster| cluster.leaving)
    }

    /// The numbers of what is there, if it is the hub's: those of somebody else's object say nothing about this one.
    pub(crate) fn live_of_own(&self, name: &ClusterName) -> Live {
        let Some(Observed::Present(present)) = self.observed.get(name) else {
            return Live::default();
        };
        let is_anothers = present.owner().is_some_and(|owner| owner != self.hub_uid);
        let is_own = match self.records.get(name) {
            Some(record) => record.owns(present) || record.began(present, self.hub_uid),
            // Written by this hub, which then stopped before it could remember.
            None => present.is_labelled() && present.owner().is_some(),
        };
        if is_own && !is_anothers {
            present.live
        } else {
            Live::default()
        }
    }

    /// Whether a preference says where the object goes: nowhere, by its own placement.
    pub(crate) fn has_preference(&self) -> bool {
        self.preference.is_some() && self.kind.replicas_path.is_some()
    }

    /// Whether a preference placed the object, which is nowhere by its own placement. That outlives the preference, since
    /// whoever takes it away gives the replicas back and does not mean to delete the object.
    fn is_placed_by_preference(&self) -> bool {
        let before = self.object.status.as_ref();
        let was = before.is_some_and(|status| status.placed_by_preference);
        match &self.object.placement {
            Ok(placement) => placement.is_blank() && !self.kind.is_plain() && (self.has_preference() || was),
            Err(_) => was,
        }
    }

    /// `FederatedDeployment shop/web`.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.kind.federated.kind, self.object.key())
    }
}
