//! Plain objects in the manner of Federation v1: judged once they are federated, and held from then on.
//!
//! One that is not federated rests on the hub like any object of an API server.

use atoll_kubeapi::{Admission, Operation, Resource, Status};
use serde_json::Value;

use super::judged;
use crate::hub::backend::key_of;
use crate::hub::claims::{self, Surroundings};
use crate::hub::v1;
use crate::state::AppState;

pub(super) async fn admit(
    state: &AppState,
    resource: &Resource,
    admission: &Admission<'_>,
    new: &mut Value,
) -> Result<Vec<String>, Status> {
    let Some(row) = v1::row(&resource.group, &resource.plural).filter(|_| admission.subresource.is_empty()) else {
        return Ok(Vec::new());
    };
    if admission.operation == Operation::Delete {
        v1::release_dependents(new, admission.options);
        return Ok(Vec::new());
    }
    let text = |field: &str| new["metadata"][field].as_str().unwrap_or_default();
    let key = key_of(resource, text("namespace"), text("name"));
    let surroundings = Surroundings::of(&state.store, &key).await?;
    let namespace = surroundings.body();
    if !v1::is_federated(&key, new, namespace) {
        return Ok(Vec::new());
    }
    let outcome = atoll_federation::plain::admit(row, new, admission.old);
    let warnings = judged(resource, new, outcome)?;
    if let Some(status) = admission
        .old
        .and_then(|old| old.get("status"))
        .filter(|_| !resource.status)
    {
        // What clusters said is kept, also of a kind whose clients know of no status.
        new["status"] = status.clone();
    }
    if admission.old.is_some_and(|old| v1::is_federated(&key, old, namespace)) {
        return Ok(warnings);
    }
    // What is on its way out may lose its finalizers, and gets none.
    if new["metadata"]["deletionTimestamp"].is_null() {
        v1::hold(new);
    }
    claim(state, resource, admission, new).await?;
    Ok(warnings)
}

/// Refuses a second source for a target. The commit judges again, by what there is then.
pub(super) async fn claim(
    state: &AppState,
    resource: &Resource,
    admission: &Admission<'_>,
    new: &Value,
) -> Result<(), Status> {
    let text = |field: &str| new["metadata"][field].as_str().unwrap_or_default();
    let key = key_of(resource, text("namespace"), text("name"));
    let types = &state.configuration().types;
    claims::conditions(&state.store, types, &key, new, admission.old.is_none())
        .await
        .map(drop)
}
