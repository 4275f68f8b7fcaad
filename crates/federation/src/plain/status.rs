//! The status of a plain object: what its kind says of one cluster, summed up over all of them.
//!
//! Beside the sums stands what the hub says of every federated object, in the same form: the condition `Propagation` and
//! one entry for each cluster. A status is where people look and what watches tell, conditions are shown by every tool,
//! and an annotation with the same content would be one more thing that an apply could remove. Events tell it too, but
//! they pass; what is wrong in a cluster has to be readable for as long as it is wrong.

mod kept;
mod sums;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub(crate) use self::kept::{is_at_most, kept};
use crate::status::ClusterStatus;
use crate::{ClusterName, FederatedStatus, Observed, TypeDescriptor};

/// The status after a plan was carried out. `folded` is what came out of it, `observed` what members hold, and `before`
/// the status as it is stored. When nothing is new it equals that.
pub fn status(
    row: &TypeDescriptor,
    before: &Value,
    mut folded: FederatedStatus,
    observed: &BTreeMap<ClusterName, Observed>,
) -> Value {
    if kept::keeps(row) {
        let known: Vec<ClusterStatus> = serde_json::from_value(before["clusters"].clone()).unwrap_or_default();
        for entry in &mut folded.clusters {
            let last = || known.iter().find(|other| other.name == entry.name);
            entry.remote_status = match observed.get(&entry.name) {
                Some(Observed::Present(present)) => present.remote_status.as_deref().cloned(),
                Some(Observed::Absent) => None,
                // Of a cluster that cannot be read the last reading stands.
                Some(Observed::Unknown { .. }) | None => last().and_then(|last| last.remote_status.clone()),
            };
        }
    }
    let mut status = sums::of(row, before, &folded);
    let propagation = folded
        .conditions
        .iter()
        .filter_map(|one| serde_json::to_value(one).ok());
    let own = status.remove("conditions");
    let own = own.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    let conditions: Vec<Value> = own.into_iter().chain(propagation).collect();
    status.insert("conditions".to_owned(), conditions.into());
    if !folded.clusters.is_empty() {
        status.insert("clusters".to_owned(), json!(folded.clusters));
    }
    Value::Object(status)
}

/// The annotation that tells the addresses of a Service in each cluster that has any; `None` for other kinds, and while
/// no cluster has any.
pub fn service_ingresses(row: &TypeDescriptor, status: &Value) -> Option<String> {
    if !row.is_core("Service") {
        return None;
    }
    let clusters = status["clusters"].as_array().into_iter().flatten();
    let items: Vec<Value> = clusters
        .filter_map(|entry| {
            let addresses = addresses(&entry["remoteStatus"]);
            (!addresses.is_empty()).then(|| {
                let items: Vec<Value> = addresses.into_values().collect();
                json!({"cluster": entry["name"], "items": items})
            })
        })
        .collect();
    (!items.is_empty()).then(|| json!({"items": items}).to_string())
}

/// Addresses of load balancers, by what they are sorted by.
fn addresses(status: &Value) -> BTreeMap<(String, String), Value> {
    let list = status["loadBalancer"]["ingress"].as_array().into_iter().flatten();
    let text = |address: &Value, field: &str| address[field].as_str().unwrap_or_default().to_owned();
    list.map(|address| {
        let mut kept = Map::new();
        for field in ["ip", "hostname"] {
            if let Some(value) = address.get(field).filter(|value| value.is_string()) {
                kept.insert(field.to_owned(), value.clone());
            }
        }
        ((text(address, "ip"), text(address, "hostname")), Value::Object(kept))
    })
    .collect()
}
