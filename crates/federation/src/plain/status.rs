//! The status of a plain object: what its kind says of one cluster, summed up over all of them.
//!
//! Beside the sums stands what the hub says of every federated object, in the same form: the condition `Propagation` and
//! one entry for each cluster. A status is where people look and what watches tell, conditions are shown by every tool,
//! and an annotation with the same content would be one more thing that an apply could remove. Events tell it too, but
//! they pass; what is wrong in a cluster has to be readable for as long as it is wrong.

mod kept;
mod sums;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) use self::kept::{is_at_most, kept};
use crate::status::ClusterStatus;
use crate::{ClusterName, FederatedStatus, Observed, TypeDescriptor};

/// The reason of a condition that needs one although all is well.
pub(super) const PROPAGATED: &str = "Propagated";

/// The status after a plan was carried out. `folded` is what came out of it, `observed` what members hold, `stored` the
/// object as it is stored, and `at` the time of the plan. When nothing is new it equals the status that is stored.
pub fn status(
    row: &TypeDescriptor,
    stored: &Value,
    mut folded: FederatedStatus,
    observed: &BTreeMap<ClusterName, Observed>,
    at: Timestamp,
) -> Value {
    let before = &stored["status"];
    tell_unplaced(row, stored, &mut folded);
    if kept::keeps(row) && keep(before, &mut folded.clusters, observed) {
        for condition in &mut folded.conditions {
            condition.last_update_time = Some(at);
        }
    }
    let mut status = sums::of(row, stored, &folded);
    let propagation = folded
        .conditions
        .iter()
        .filter_map(|one| serde_json::to_value(one).ok())
        .map(|condition| complete(row, condition));
    let own = status.remove("conditions");
    let own = own.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    let conditions: Vec<Value> = own.into_iter().chain(propagation).collect();
    status.insert("conditions".to_owned(), conditions.into());
    if !folded.clusters.is_empty() {
        status.insert("clusters".to_owned(), json!(folded.clusters));
    }
    Value::Object(status)
}

const UNPLACED: &str = " completions find no place";

/// A condition's message as it was before that was told in it.
pub(super) fn without_unplaced(message: &str) -> &str {
    let Some(rest) = message.strip_suffix(UNPLACED) else {
        return message;
    };
    let rest = rest.trim_end_matches(|letter: char| letter.is_ascii_digit());
    rest.strip_suffix("; ").unwrap_or(rest)
}

/// Pods of a Job that nobody is asked for are no error of any cluster, and yet never run.
fn tell_unplaced(row: &TypeDescriptor, stored: &Value, folded: &mut FederatedStatus) {
    let missing = sums::unplaced(row, stored, &folded.clusters);
    for condition in folded.conditions.iter_mut().filter(|_| missing > 0) {
        let unplaced = format!("{missing}{UNPLACED}");
        condition.message = match condition.message.as_str() {
            "" => unplaced,
            message => format!("{message}; {unplaced}"),
        };
    }
}

/// Puts what members say themselves beside the verdicts; whether any of it is new.
fn keep(before: &Value, clusters: &mut [ClusterStatus], observed: &BTreeMap<ClusterName, Observed>) -> bool {
    let known: Vec<ClusterStatus> = serde_json::from_value(before["clusters"].clone()).unwrap_or_default();
    let mut is_new = false;
    for entry in clusters {
        let last = known.iter().find(|other| other.name == entry.name);
        let last = last.and_then(|last| last.remote_status.as_ref());
        entry.remote_status = match observed.get(&entry.name) {
            Some(Observed::Present(present)) => present.remote_status.as_deref().cloned(),
            Some(Observed::Absent) => None,
            // Of a cluster that cannot be read the last reading stands.
            Some(Observed::Unknown { .. }) | None => last.cloned(),
        };
        is_new |= entry.remote_status.as_ref() != last;
    }
    is_new
}

/// The conditions of a Service have to have a reason and a message (`metav1.Condition`), those of other kinds may.
fn complete(row: &TypeDescriptor, mut condition: Value) -> Value {
    if row.is_core("Service") {
        for (field, text) in [("reason", PROPAGATED), ("message", "")] {
            if condition[field].is_null() {
                condition[field] = text.into();
            }
        }
    }
    condition
}
