//! What a dry run answers beside the object: the plan, in `status.plan`. Nothing of it is ever stored.
//!
//! A dry run that changes nothing plans nothing, so that `kubectl diff` of what is applied already stays empty.
//!
//! Plain kinds have the same place where they have a status at all. Of a `ConfigMap` there is nothing but the
//! object itself, so a warning sums the plan up.

use std::collections::BTreeMap;

use atoll_federation::preview::{Action, ClusterPreview};
use atoll_federation::{Preview, TypeDescriptor, Warning};
use atoll_kubeapi::{Admission, Operation, RequestContext, Resource, Status};
use serde_json::{Value, json};

use super::catalog::Kind;
use super::v1;
use crate::state::AppState;

/// Clusters that a warning names, for each thing that would happen.
const NAMED: usize = 8;

/// Says in a request's context that the caller plans by itself.
#[derive(Debug, Clone, Copy)]
struct WithoutPlan;

/// The same context for a dry run that needs no plan.
pub fn without_plan(mut context: RequestContext) -> RequestContext {
    context.extensions.insert(WithoutPlan);
    context
}

/// Puts the plan into the status of an object that is admitted by a dry run; answers with what to warn of.
pub(super) async fn put(
    state: &AppState,
    context: &RequestContext,
    resource: &Resource,
    admission: &Admission<'_>,
    new: &mut Value,
) -> Result<Vec<String>, Status> {
    let is_asked = admission.dry_run && admission.subresource.is_empty();
    let changes_nothing = admission.operation == Operation::Update
        && admission.old.is_some_and(|old| {
            let same = |pointer: &str| old.pointer(pointer) == new.pointer(pointer);
            [
                "/spec",
                "/data",
                "/stringData",
                "/binaryData",
                "/metadata/labels",
                "/metadata/annotations",
            ]
            .into_iter()
            .all(same)
        });
    if !is_asked || changes_nothing || context.extensions.get::<WithoutPlan>().is_some() {
        return Ok(Vec::new());
    }
    if let Some(row) = v1::row(&resource.group, &resource.plural) {
        let told = tell(state, row, new).await?;
        let warnings = summary(&told).into_iter().collect();
        if resource.status && !told.clusters.is_empty() {
            new["status"]["plan"] = plan(told);
        }
        return Ok(warnings);
    }
    let told = match Kind::of(&state.configuration().types, resource) {
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
    Ok(Vec::new())
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

/// The plan in one line; nothing for what would rest on the hub.
fn summary(told: &Preview) -> Option<String> {
    let mut parts: BTreeMap<(usize, &str, &str), Vec<&str>> = BTreeMap::new();
    for cluster in &told.clusters {
        let (order, words) = match cluster.action {
            Action::Create => (0, "would be created in"),
            Action::Update => (1, "would be changed in"),
            Action::Delete => (2, "would be deleted in"),
            Action::Keep => (3, "would be kept in"),
            Action::Wait => (4, "would wait in"),
            Action::Fail => (5, "would fail in"),
            Action::Unchanged => (6, "unchanged in"),
            Action::None => (7, "not in"),
        };
        let why = match cluster.action {
            // What these do says all of it.
            Action::Create | Action::Update | Action::Delete | Action::Unchanged => "",
            Action::Keep | Action::Wait | Action::Fail | Action::None => cluster.message.as_str(),
        };
        parts
            .entry((order, words, why))
            .or_default()
            .push(cluster.name.as_str());
    }
    let part = |((_, words, why), names): ((usize, &str, &str), Vec<&str>)| {
        let more = match names.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let why = if why.is_empty() {
            String::new()
        } else {
            format!(" ({why})")
        };
        let named = names.get(..NAMED).unwrap_or(&names).join(", ");
        format!("{words}: {named}{more}{why}")
    };
    let parts: Vec<String> = parts.into_iter().map(part).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use atoll_federation::ClusterName;

    use super::*;

    fn cluster(name: &str, action: Action, message: &str) -> ClusterPreview {
        ClusterPreview {
            name: ClusterName::parse(name).unwrap(),
            action,
            reason: String::new(),
            message: message.to_owned(),
            replicas: None,
            object: None,
            changes: Vec::new(),
        }
    }

    fn summed_up(clusters: Vec<ClusterPreview>) -> Option<String> {
        let warnings = Vec::new();
        summary(&Preview { clusters, warnings })
    }

    #[test]
    fn a_plan_in_one_line_says_what_happens_where_and_why_not_elsewhere() {
        let line = summed_up(vec![
            cluster("ap-1", Action::None, "the selector does not match"),
            cluster("eu-1", Action::Create, "a note"),
            cluster("eu-2", Action::Fail, "theirs"),
            cluster("us-1", Action::Create, ""),
        ]);
        assert_eq!(
            line.unwrap(),
            "would be created in: eu-1, us-1; would fail in: eu-2 (theirs); not in: ap-1 (the selector does not match)"
        );
        assert_eq!(summed_up(Vec::new()), None);
    }

    #[test]
    fn a_large_fleet_is_counted() {
        let clusters = (10..99).map(|number| cluster(&format!("c-{number}"), Action::Create, ""));
        assert_eq!(
            summed_up(clusters.collect()).unwrap(),
            "would be created in: c-10, c-11, c-12, c-13, c-14, c-15, c-16, c-17 and 81 more"
        );
    }
}
