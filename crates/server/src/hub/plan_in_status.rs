//! What a dry run answers beside the object: the plan, in `status.plan`. Nothing of it is ever stored.
//!
//! A dry run that changes nothing plans nothing, so that `kubectl diff` of what is applied already stays empty.
//!
//! Plain kinds have the same place where they have a status at all. Of a `ConfigMap` there is nothing but the
//! object itself, so warnings sum the plan up.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use atoll_federation::preview::{Action, ClusterPreview};
use atoll_federation::{Preview, TypeDescriptor, Warning};
use atoll_kubeapi::object::is_same_except;
use atoll_kubeapi::{Admission, Operation, RequestContext, Resource, Status};
use serde_json::{Value, json};

use super::catalog::Kind;
use super::v1;
use crate::state::AppState;

/// Clusters that a warning names at most.
const NAMED: usize = 8;
/// Characters of a warning that `atoll_kubeapi` passes on. It cuts the rest off without a word.
const LINE: usize = 250;
/// Characters of it that say why: the longest cluster name still fits beside them.
const WHY: usize = 100;
/// Warnings for each thing that would happen: `atoll_kubeapi` passes on 20 of a request.
const REASONS: usize = 3;

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
    let changes_nothing =
        admission.operation == Operation::Update && admission.old.is_some_and(|old| plans_the_same(old, new));
    if !is_asked || changes_nothing || context.extensions.get::<WithoutPlan>().is_some() {
        return Ok(Vec::new());
    }
    if let Some(row) = v1::row(&resource.group, &resource.plural) {
        let told = tell(state, row, new).await?;
        let warnings = summary(&told);
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

/// Whether nothing differs that a plan is made of.
fn plans_the_same(old: &Value, new: &Value) -> bool {
    let same = |pointer: &str| old.pointer(pointer) == new.pointer(pointer);
    is_same_except(old, new, &["metadata", "status"]) && same("/metadata/labels") && same("/metadata/annotations")
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

/// The plan, line by line; nothing for what would rest on the hub. What would be lost or fail comes first: it is seen
/// even where the rest is not.
fn summary(told: &Preview) -> Vec<String> {
    let mut parts: BTreeMap<(usize, &str), BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for cluster in &told.clusters {
        let part = match cluster.action {
            Action::Delete => (0, "would be deleted in"),
            Action::Fail => (1, "would fail in"),
            Action::Keep => (2, "would be kept in"),
            Action::Create => (3, "would be created in"),
            Action::Update => (4, "would be changed in"),
            Action::Wait => (5, "would wait in"),
            Action::Unchanged => (6, "unchanged in"),
            Action::None => (7, "not in"),
        };
        let why = match cluster.action {
            // What these do says all of it.
            Action::Create | Action::Update | Action::Delete | Action::Unchanged => "",
            Action::Keep | Action::Wait | Action::Fail | Action::None => cluster.message.as_str(),
        };
        let reasons = parts.entry(part).or_default();
        reasons.entry(shortened(why)).or_default().push(cluster.name.as_str());
    }
    let lines = parts
        .into_iter()
        .flat_map(|((_, words), reasons)| lines(words, reasons));
    lines.collect()
}

/// What would happen, for the reasons that most clusters share and for all others together.
fn lines(words: &str, reasons: BTreeMap<String, Vec<&str>>) -> Vec<String> {
    let mut reasons: Vec<(String, Vec<&str>)> = reasons.into_iter().collect();
    if reasons.len() > REASONS {
        reasons.sort_by_key(|(_, names)| Reverse(names.len()));
        let others = reasons.split_off(REASONS - 1).into_iter();
        let mut names: Vec<&str> = others.flat_map(|(_, names)| names).collect();
        names.sort_unstable();
        reasons.push(("for other reasons".to_owned(), names));
    }
    reasons.iter().map(|(why, names)| line(words, names, why)).collect()
}

/// One line with as many names as there is room for.
fn line(words: &str, names: &[&str], why: &str) -> String {
    let why = if why.is_empty() {
        String::new()
    } else {
        format!(" ({why})")
    };
    let naming = |count: usize| {
        let more = match names.len().saturating_sub(count) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named: Vec<&str> = names.iter().take(count).copied().collect();
        format!("{words}: {}{more}{why}", named.join(", "))
    };
    let mut lines = (2..=NAMED).rev().map(naming);
    let fits = lines.find(|line| line.chars().count() <= LINE);
    fits.unwrap_or_else(|| naming(1))
}

fn shortened(why: &str) -> String {
    match why.char_indices().nth(WHY) {
        None => why.to_owned(),
        Some(_) => why.chars().take(WHY - 1).chain(['…']).collect(),
    }
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

    fn summed_up(clusters: Vec<ClusterPreview>) -> Vec<String> {
        let warnings = Vec::new();
        summary(&Preview { clusters, warnings })
    }

    #[test]
    fn a_plan_in_lines_says_what_happens_where_and_why_not_elsewhere() {
        let lines = summed_up(vec![
            cluster("ap-1", Action::None, "the selector does not match"),
            cluster("eu-1", Action::Create, "a note"),
            cluster("eu-2", Action::Fail, "theirs"),
            cluster("us-1", Action::Create, ""),
        ]);
        let expected = [
            "would fail in: eu-2 (theirs)",
            "would be created in: eu-1, us-1",
            "not in: ap-1 (the selector does not match)",
        ];
        assert_eq!(lines, expected);
        assert_eq!(summed_up(Vec::new()), Vec::<String>::new());
    }

    #[test]
    fn a_large_fleet_is_counted() {
        let clusters = (10..99).map(|number| cluster(&format!("c-{number}"), Action::Create, ""));
        assert_eq!(
            summed_up(clusters.collect()),
            ["would be created in: c-10, c-11, c-12, c-13, c-14, c-15, c-16, c-17 and 81 more"]
        );
    }

    const ALL: [Action; 8] = [
        Action::Create,
        Action::Update,
        Action::Delete,
        Action::Keep,
        Action::Wait,
        Action::Fail,
        Action::Unchanged,
        Action::None,
    ];

    #[test]
    fn no_warning_is_cut_however_long_the_names_and_the_reasons() {
        let name = |number: usize| format!("{number:c>63}");
        let clusters = (0..4000).map(|number| {
            // Each action for five reasons.
            let why = format!("{} {}", number / ALL.len() % 5, "because ".repeat(40));
            cluster(&name(number), ALL[number % ALL.len()], &why)
        });
        let lines = summed_up(clusters.collect());
        let starts: Vec<&str> = lines.iter().filter_map(|line| line.split(':').next()).collect();
        let (deleted, failed, kept) = ("would be deleted in", "would fail in", "would be kept in");
        assert_eq!(starts[..7], [deleted, failed, failed, failed, kept, kept, kept]);
        // As `warn` of `atoll_kubeapi` does it; a few of its 20 are for others.
        assert!(lines.len() <= 16, "{lines:#?}");
        for line in &lines {
            let passed_on: String = line.chars().take(250).collect();
            assert_eq!(passed_on, *line);
        }
        assert_eq!(
            lines[0],
            format!(
                "would be deleted in: {}, {}, {} and 497 more",
                name(2),
                name(10),
                name(18)
            )
        );
        let why = format!("{}…", &format!("0 {}", "because ".repeat(40))[..99]);
        assert_eq!(lines[1], format!("would fail in: {} and 99 more ({why})", name(5)));
        assert!(lines[3].ends_with(" and 297 more (for other reasons)"), "{}", lines[3]);
    }

    #[test]
    fn a_change_of_anything_but_what_the_hub_writes_is_planned() {
        let old = json!({
            "metadata": {"name": "a", "labels": {"app": "web"}, "resourceVersion": "1"},
            "data": {"colour": "red"},
        });
        let changed = |change: fn(&mut Value)| {
            let mut new = old.clone();
            change(&mut new);
            !plans_the_same(&old, &new)
        };
        assert!(changed(|new| new["immutable"] = json!(true)));
        assert!(changed(|new| new["type"] = json!("Opaque")));
        assert!(changed(|new| new["data"]["colour"] = json!("blue")));
        assert!(changed(|new| new["metadata"]["labels"]["app"] = json!("shop")));
        assert!(changed(|new| new["metadata"]["annotations"] = json!({"a": "b"})));
        assert!(!changed(|new| {
            new["metadata"]["resourceVersion"] = json!("2");
            new["status"] = json!({"readyReplicas": 1});
        }));
    }
}
