//! From what became of a plan to what the hub remembers.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{FinalizerAction, Plan, RecordAction, Step};
use crate::status::FederatedStatus;
use crate::{ClusterName, Present, Record};

/// What became of one step.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The member has the object; this is its answer.
    Applied(Box<Present>),
    /// The member accepted the delete.
    Deleted {
        /// Whether the object is gone already, "not found" included.
        gone: bool,
    },
    /// The marks are off, or the object is gone.
    Released,
    /// It did not work.
    Failed(Failure),
}

/// Why a step did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it means.
    pub kind: FailureKind,
    /// The member's own words.
    pub message: String,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// No answer in time: the step may have happened.
    TimedOut,
    /// The cluster does not answer.
    NotReady,
    /// The member refused the object, and will again (422, 400, 500 "failed to create typed patch object").
    Invalid,
    /// The member has no such kind.
    ApiMissing,
    /// Somebody was faster (409): observe again.
    Conflict,
    /// Anything else, to be tried again.
    Other,
}

impl FailureKind {
    /// Whether trying the same again may help.
    pub fn is_transient(self) -> bool {
        match self {
            Self::TimedOut | Self::NotReady | Self::Conflict | Self::Other => true,
            Self::Invalid | Self::ApiMissing => false,
        }
    }
}

/// Records to write and to drop.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordChanges {
    /// New or changed records.
    pub put: BTreeMap<ClusterName, Record>,
    /// Records that are about nothing any more.
    pub drop: BTreeSet<ClusterName>,
}

/// What to remember before a plan is carried out: that a first write begins. Nothing when every cluster is recorded.
pub fn intents(plan: &Plan, records: &BTreeMap<ClusterName, Record>) -> BTreeMap<ClusterName, Record> {
    plan.clusters
        .iter()
        .filter(|(name, cluster)| matches!(cluster.step, Step::Apply(_)) && !records.contains_key(*name))
        .map(|(name, _)| (name.clone(), Record::begun(plan.at)))
        .collect()
}

/// What to remember after a plan was carried out. `status` is the folded one. What has not changed is not written.
pub fn settle(
    plan: &Plan,
    outcomes: &BTreeMap<ClusterName, Outcome>,
    status: &FederatedStatus,
    records: &BTreeMap<ClusterName, Record>,
) -> RecordChanges {
    let mut changes = RecordChanges::default();
    for (name, action) in &plan.records {
        match (action, records.get(name)) {
            (RecordAction::Drop, _) => {
                changes.drop.insert(name.clone());
            }
            (RecordAction::MarkLeftover, Some(record)) => {
                put(&mut changes, plan, name, record, |record| record.leftover = true)
            }
            (RecordAction::ClearLeftover, Some(record)) => {
                put(&mut changes, plan, name, record, |record| record.leftover = false)
            }
            (RecordAction::MarkLeftover | RecordAction::ClearLeftover, None) => {}
        }
    }
    let released_for_good = plan.finalizer == Some(FinalizerAction::Remove);
    for (name, cluster) in &plan.clusters {
        let before = records.get(name);
        let entry = status.cluster(name);
        let words = |record: &mut Record| {
            record.status = entry.map(|entry| entry.status.clone()).unwrap_or_default();
            record.message = entry.map(|entry| entry.message.clone()).unwrap_or_default();
        };
        match (&cluster.step, outcomes.get(name)) {
            (Step::Apply(apply), Some(Outcome::Applied(present))) => {
                let record = Record {
                    uid: Some(present.uid.clone()),
                    applied_hash: Some(apply.hash.clone()),
                    managed_hash: present.managed_hash.clone(),
                    status: String::new(),
                    message: entry.map(|entry| entry.message.clone()).unwrap_or_default(),
                    at: plan.at,
                    leftover: false,
                };
                changes.put.insert(name.clone(), record);
            }
            (Step::Delete { .. }, Some(Outcome::Deleted { gone: true }))
            | (Step::Release { .. }, Some(Outcome::Released)) => {
                changes.drop.insert(name.clone());
            }
            (Step::Release { .. }, _) if released_for_good => {
                changes.drop.insert(name.clone());
            }
            _ => {
                if let Some(record) = changes.put.get(name).or(before).cloned() {
                    put(&mut changes, plan, name, &record, words);
                }
            }
        }
    }
    changes.put.retain(|name, record| {
        !changes.drop.contains(name) && records.get(name).is_none_or(|before| differs(before, record))
    });
    changes
}

fn put(
    changes: &mut RecordChanges,
    plan: &Plan,
    name: &ClusterName,
    record: &Record,
    change: impl FnOnce(&mut Record),
) {
    let mut record = record.clone();
    change(&mut record);
    record.at = plan.at;
    changes.put.insert(name.clone(), record);
}

/// The time alone is no news.
fn differs(before: &Record, after: &Record) -> bool {
    Record {
        at: before.at,
        ..after.clone()
    } != *before
}
