//! What each member cluster should hold, decided by functions of values: no I/O, no clock, no randomness.
//!
//! * [`plan()`] is the whole decision: an object, the clusters, what they hold and what the hub remembers go in, one step
//!   for each cluster comes out.
//! * Somebody else carries the steps out, after recording what [`intents`] says. [`fold`] turns what became of them into the status, [`settle()`] into records.
//! * [`admit`] refuses at write time whatever a plan could only stumble over later.
//! * [`render()`] and [`replicas::plan`] answer the same questions offline.
//!
//! Rules that hold throughout: what could not be read is unknown, never gone; nothing is deleted or overwritten without
//! the managed label *and* the UID that the hub recorded; the cluster that is away delays nobody.
#![warn(missing_docs)]

mod cluster;
mod drift;
mod error;
mod hand_over;
mod hash;
mod live;
mod observed;
mod retain;
#[cfg(test)]
mod test_values;

pub mod admission;
pub mod configuration;
pub mod events;
pub mod object;
pub mod overrides;
pub mod placement;
pub mod plain;
pub mod plan;
pub mod preview;
pub mod render;
pub mod replicas;
pub mod settle;
pub mod status;
pub mod types;

pub use admission::admit;
pub use cluster::{Cluster, ClusterName, Scope};
pub use configuration::{Settings, TypeConfig};
pub use drift::{Drift, Drifted, Fight};
pub use error::{Error, FieldError, FieldReason, Warning, join};
pub use events::{EventNote, events};
pub use hand_over::{HandOver, hand_over};
pub use hash::hash;
pub use live::Live;
pub use object::FederatedObject;
pub use observed::{FIELD_MANAGER, Observed, Present, REPLICAS_FIELD_MANAGER, Record, managed_hash};
pub use plan::{Apply, Cause, ClusterPlan, FinalizerAction, Input, Plan, RecordAction, Step};
pub use preview::{Preview, preview};
pub use render::render;
pub use settle::{Failure, FailureKind, Outcome, RecordChanges, intents, settle};
pub use status::{ClusterStatus, Condition, FederatedStatus, Reason, failure_reason, fold};
pub use types::{ApiType, TYPES, TypeDescriptor, TypeTable};

use placement::Placed;
use plan::makings::Makings;

/// Decides what to do about one federated object in every cluster.
pub fn plan(input: &Input<'_>) -> Plan {
    let mut plan = Plan::new(input);
    let object = input.object;

    if input.is_never_touched() {
        // Every cluster has this namespace for itself; here it only says where the objects in it may go.
        plan.ignored = true;
        plan.finalizer = object.has_finalizer().then_some(FinalizerAction::Remove);
        return plan;
    }
    if object.is_deleting() {
        plan.delete_everywhere(input);
        return plan;
    }
    if !object.has_finalizer() {
        plan.finalizer = Some(FinalizerAction::Add);
    }
    if input.kind.is_namespace() && !input.kind.is_plain() && object.name != object.namespace {
        let message = format!(
            "a FederatedNamespace is called as its namespace: name it {:?}",
            object.namespace
        );
        plan.whole = Some((Reason::InvalidName, message));
        return plan;
    }
    let overrides = match &object.overrides {
        Ok(overrides) => overrides,
        Err(errors) => {
            plan.whole = Some((Reason::InvalidOverrides, join(errors)));
            return plan;
        }
    };
    match placement::place(
        input.kind,
        object,
        input.namespace,
        input.scope,
        input.clusters,
        input.has_preference(),
    ) {
        Err(unreadable) => plan.whole = Some(unreadable),
        Ok(Placed::NamespaceNotFederated) => plan.keep_everything(input),
        Ok(Placed::Clusters(placed)) => {
            let shares = plan.share_out(input, &placed, overrides);
            let mut makings = Makings::default();
            for name in input.names() {
                if placed.contains(name) {
                    plan.put(input, name, overrides, shares.get(name).copied(), &mut makings);
                } else {
                    plan.unplace(input, name);
                }
            }
            plan.brake_change(input);
        }
    }
    plan
}

impl Plan {
    /// Losing its FederatedNamespace deletes nothing: what is there stays, nothing new is made.
    fn keep_everything(&mut self, input: &Input<'_>) {
        let namespace = &input.object.namespace;
        let message = if input.kind.is_plain() {
            format!(
                "namespace {namespace} is not federated: nothing is created, changed or deleted until it has label {}=true, or a FederatedNamespace",
                plain::NAMESPACE_LABEL
            )
        } else {
            format!(
                "no FederatedNamespace {namespace} in namespace {namespace}: nothing is created, changed or deleted until there is one"
            )
        };
        self.whole = Some((Reason::NamespaceNotFederated, message));
        for (name, record) in input.records {
            if !input.clusters.contains_key(name) {
                self.records.insert(name.clone(), RecordAction::Drop);
            } else if record.uid.is_some() {
                let kept = ClusterPlan {
                    step: Step::Keep(Reason::NamespaceNotFederated, "left as it is".to_owned()),
                    note: String::new(),
                    desired_replicas: None,
                    desired_completions: None,
                    live: input.live_of_own(name),
                    drifted: None,
                };
                self.clusters.insert(name.clone(), kept);
            }
        }
    }
}
