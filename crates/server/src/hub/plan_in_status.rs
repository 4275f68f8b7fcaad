//! What a dry run answers beside the object: the plan, in `status.plan`. Nothing of it is ever stored.
//!
//! A dry run that changes nothing plans nothing, so that `kubectl diff` of what is applied already stays empty.

use atoll_federation::preview::{Action, ClusterPreview};
use atoll_federation::{Preview, TypeDescriptor, Warning};
use atoll_kubeapi::{Admission, Operation, RequestContext, Status};
use serde_json::{Value, json};

use super::catalog::Kind;
use crate::state::AppState;

/// Says in a request's context that the caller plans by itself.
#[derive(Debug, Clone, Copy)]
struct WithoutPlan;

/// The same context for a dry run that needs no plan.
pub fn without_plan(mut context: RequestContext) -> RequestContext {
    context.extensions.insert(WithoutPlan);
    context
}

/// Puts the plan into the status of an object that is admitted by a dry run.
pub(super) async fn put(
    state: &AppState,
    context: &RequestContext,
    kind: Option<Kind>,
    admission: &Admission<'_>,
    new: &mut Value,
) -> Result<(), Status> {
    let is_asked = admission.dry_run && admission.subresource.is_empty();
    let changes_nothing = admission.operation == Operation::Update
        && admission.old.is_some_and(|old| {
            let same = |pointer: &str| old.pointer(pointer) == new.pointer(pointer);
            ["/spec", "/metadata/labels", "/metadata/annotations"]
                .into_iter()
                .all(same)
        });
    if !is_asked || changes_nothing || context.extensions.get::<WithoutPlan>().is_some() {
        return Ok(());
    }
    let told = match kind {
        Some(Kind::Federated(row)) => Some(tell(state, row, new).await?),
        Some(Kind::Preference) => {
            let told = state.controllers.preview_preference(new).await;
            told.map_err(|error| Status::from(crate::Error::from(error)))?
        }
        _ => None,
    };
    if let Some(told) = told {
        new["status"]["plan"] = plan(told);
    }
    Ok(())
}

async fn tell(state: &AppState, row: &'static TypeDescriptor, object: &Value) -> Result<Preview, Status> {
    let told = state.controllers.preview(row, object, None).await;
    told.map_err(|error| crate::Error::from(error).into())
}

fn plan(told: Preview) -> Value {
    let warnings: Vec<String> = told.warnings.into_iter().map(|Warning(text)| text).collect();
    let mut plan = json!({"clusters": told.clusters.into_iter().map(in_cluster).collect::<Vec<_>>()});
    if !warnings.is_empty() {
        plan["warnings"] = json!(warnings);
    }
    plan
}

/// Whole objects stand there only where they are new: a fleet has many clusters.
fn in_cluster(mut cluster: ClusterPreview) -> Value {
    if cluster.action != Action::Create {
        cluster.object = None;
    }
    let mut shown = serde_json::to_value(cluster).unwrap_or_default();
    if let Some(fields) = shown.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    shown
}
