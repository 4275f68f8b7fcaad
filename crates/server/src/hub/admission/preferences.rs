//! `ReplicaSchedulingPreference`: `atoll_federation` judges it.

use atoll_federation::configuration::{admit_preference, preferred_clusters};
use atoll_kubeapi::{Admission, Operation, Resource, Status};
use serde_json::Value;

use super::{federated, judged};
use crate::state::AppState;

pub(super) async fn admit(
    state: &AppState,
    resource: &Resource,
    admission: &Admission<'_>,
    new: &mut Value,
) -> Result<Vec<String>, Status> {
    if admission.operation == Operation::Delete || !admission.subresource.is_empty() {
        return Ok(Vec::new());
    }
    let outcome = admit_preference(new, admission.old, &state.configuration().types);
    let mut warnings = judged(resource, new, outcome)?;
    if admission.old.is_none_or(|old| old["spec"] != new["spec"]) {
        let named = preferred_clusters(new).map(|name| ("spec.clusters", name)).collect();
        warnings.extend(federated::unregistered(state, named).await?);
    }
    Ok(warnings)
}
