use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::object::DeleteOptions;
use crate::plan::Apply;
use crate::{Drifted, Live, Present, fold, types};

fn name(text: &str) -> ClusterName {
    ClusterName::parse(text).unwrap()
}

fn apply(cause: Cause) -> Step {
    Step::Apply(Box::new(Apply {
        object: serde_json::Value::Null,
        hash: String::new(),
        uid: None,
        force: false,
        cause,
        hand_over: None,
        replicas: None,
    }))
}

fn planned(steps: &[(&str, Step)]) -> Plan {
    let clusters = steps.iter().map(|(cluster, step)| {
        let is_drift = matches!(step, Step::Keep(Reason::Drifted, _))
            || matches!(step, Step::Apply(apply) if apply.cause == Cause::Drift);
        let plan = ClusterPlan {
            step: step.clone(),
            note: String::new(),
            desired_replicas: None,
            desired_completions: None,
            live: Live::default(),
            drifted: is_drift.then(|| {
                Box::new(Drifted {
                    stated: serde_json::json!({"data": {"color": "blue"}}),
                    pending: false,
                    found: None,
                })
            }),
        };
        (name(cluster), plan)
    });
    Plan {
        at: Timestamp::UNIX_EPOCH,
        generation: 2,
        whole: None,
        clusters: clusters.collect(),
        finalizer: None,
        records: BTreeMap::new(),
        hold: None,
        replicas: None,
        reasons: BTreeMap::new(),
        placed_by_preference: false,
        unknown_clusters: Vec::new(),
        recheck: None,
        ignored: false,
    }
}

fn told(plan: &Plan, outcomes: &[(&str, Outcome)], previous: Option<&FederatedStatus>) -> Vec<(bool, String, String)> {
    let outcomes = outcomes
        .iter()
        .map(|(cluster, outcome)| (name(cluster), outcome.clone()))
        .collect();
    let row = types::find("configmaps").unwrap();
    let notes = events(row, plan, &outcomes, previous);
    notes
        .into_iter()
        .map(|note| (note.warning, note.reason.to_owned(), note.message))
        .collect()
}

fn note(warning: bool, reason: &str, message: &str) -> (bool, String, String) {
    (warning, reason.to_owned(), message.to_owned())
}

fn failed(kind: FailureKind, message: &str) -> Outcome {
    Outcome::Failed(Failure {
        kind,
        message: message.to_owned(),
    })
}

fn applied() -> Outcome {
    Outcome::Applied(Box::default())
}

fn delete() -> Step {
    Step::Delete {
        uid: "u".to_owned(),
        options: DeleteOptions::default(),
    }
}

fn release() -> Step {
    Step::Release {
        uid: "u".to_owned(),
        patch: serde_json::Value::Null,
    }
}

#[test]
fn what_was_done_is_told_once_for_all_clusters() {
    let plan = planned(&[
        ("a", apply(Cause::Create)),
        ("b", apply(Cause::Create)),
        ("c", apply(Cause::Change)),
        ("d", apply(Cause::Drift)),
        ("e", delete()),
        ("f", release()),
    ]);
    let outcomes = [
        ("a", applied()),
        ("b", applied()),
        ("c", applied()),
        ("d", applied()),
        ("e", Outcome::Deleted { gone: false }),
        ("f", Outcome::Released),
    ];
    assert_eq!(
        told(&plan, &outcomes, None),
        [
            note(false, "CreateInCluster", "created the ConfigMap in a, b"),
            note(false, "DeleteInCluster", "deleted the ConfigMap in e"),
            note(
                false,
                "RemoveManagedLabelFromInCluster",
                "left the ConfigMap to the cluster in f"
            ),
            note(
                false,
                "UpdateInCluster",
                "put the ConfigMap back that was changed there in d; updated the ConfigMap in c"
            ),
        ]
    );
}

#[test]
fn a_failure_has_the_name_of_the_operation_and_the_members_words() {
    let plan = planned(&[
        ("a", apply(Cause::Create)),
        ("b", apply(Cause::Create)),
        ("c", apply(Cause::Adopt)),
        ("d", delete()),
        ("e", release()),
    ]);
    let outcomes = [
        ("a", failed(FailureKind::Other, "exceeded quota: small")),
        ("b", failed(FailureKind::Other, "exceeded quota: small")),
        ("c", failed(FailureKind::Invalid, "spec.x is immutable")),
        ("d", failed(FailureKind::Conflict, "changed")),
        ("e", failed(FailureKind::Other, "internal error")),
    ];
    assert_eq!(
        told(&plan, &outcomes, None),
        [
            note(true, "CreateInClusterFailed", "a, b: exceeded quota: small"),
            note(true, "DeleteInClusterFailed", "d: changed"),
            note(true, "RemoveManagedLabelFromInClusterFailed", "e: internal error"),
            note(true, "UpdateInClusterFailed", "c: spec.x is immutable"),
        ]
    );
}

#[test]
fn what_takes_too_long_and_who_does_not_answer_have_reasons_of_their_own() {
    let plan = planned(&[
        ("a", apply(Cause::Create)),
        ("b", apply(Cause::Change)),
        ("c", delete()),
        ("d", Step::Wait(Reason::ClusterNotReady, "away".to_owned())),
    ]);
    let outcomes = [
        ("a", failed(FailureKind::TimedOut, "no answer in 10 s")),
        ("c", failed(FailureKind::NotReady, "connection refused")),
    ];
    assert_eq!(
        told(&plan, &outcomes, None),
        [
            note(true, "ClusterNotReady", "d: away; c: connection refused"),
            note(
                true,
                "OperationTimeoutError",
                "a: no answer in 10 s; b: the step was not finished in time"
            ),
        ]
    );
}

#[test]
fn what_persists_is_not_told_again() {
    let plan = planned(&[
        ("a", Step::Wait(Reason::ClusterNotReady, "away".to_owned())),
        ("b", apply(Cause::Create)),
        ("c", Step::Fail(Reason::AlreadyExists, "theirs".to_owned())),
        ("d", Step::Wait(Reason::WaitingForRemoval, String::new())),
        ("e", Step::Keep(Reason::Held, "too much".to_owned())),
        ("f", Step::Wait(Reason::RetrievalFailed, "403".to_owned())),
        ("g", Step::Keep(Reason::Drifted, "Drifted: stays".to_owned())),
    ]);
    let outcomes = [("b", failed(FailureKind::Other, "exceeded quota"))];
    let first = told(&plan, &outcomes, None);
    let reasons: Vec<&str> = first.iter().map(|(_, reason, _)| reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "CachedRetrievalFailed",
            "ClusterNotReady",
            "CreateInClusterFailed",
            "Drifted",
            "Held",
            "WaitForRemovalInCluster"
        ]
    );
    let by_name = outcomes
        .iter()
        .map(|(cluster, outcome)| (name(cluster), outcome.clone()))
        .collect();
    let status = fold(&plan, &by_name, None);
    assert_eq!(told(&plan, &outcomes, Some(&status)), []);

    // What the object says is tried anew with a new generation; a cluster that is away is still the same one.
    let mut changed = plan.clone();
    changed.generation = 3;
    let again = told(&changed, &outcomes, Some(&status));
    assert_eq!(
        again,
        [note(true, "CreateInClusterFailed", "b: exceeded quota; c: theirs")]
    );
}

#[test]
fn a_cluster_more_that_is_away_is_news_about_that_one_alone() {
    let away = |clusters: &[&str]| {
        let steps: Vec<(&str, Step)> = clusters
            .iter()
            .map(|cluster| (*cluster, Step::Wait(Reason::ClusterNotReady, "away".to_owned())))
            .collect();
        planned(&steps)
    };
    let status = fold(&away(&["a"]), &BTreeMap::new(), None);
    assert_eq!(
        told(&away(&["a", "b"]), &[], Some(&status)),
        [note(true, "ClusterNotReady", "b: away")]
    );
}

#[test]
fn a_refusal_where_the_object_was_well_is_a_failed_update() {
    let well = fold(
        &planned(&[("a", Step::UpToDate), ("b", Step::UpToDate)]),
        &BTreeMap::new(),
        None,
    );
    let plan = planned(&[
        ("a", Step::Fail(Reason::ApplyOverridesFailed, "no such path".to_owned())),
        ("b", Step::Fail(Reason::ManagedLabelFalse, "hands off".to_owned())),
        ("c", Step::Fail(Reason::ApplyOverridesFailed, "no such path".to_owned())),
    ]);
    assert_eq!(
        told(&plan, &[], Some(&well)),
        [
            note(true, "CreateInClusterFailed", "c: no such path"),
            note(true, "UpdateInClusterFailed", "b: hands off; a: no such path"),
        ]
    );
}

#[test]
fn what_is_wrong_with_the_whole_object_is_told_with_the_word_of_its_condition() {
    let mut plan = planned(&[]);
    plan.whole = Some((
        Reason::ComputePlacementFailed,
        "this object: operator Like is unknown".to_owned(),
    ));
    let expected = [note(
        true,
        "ComputePlacementFailed",
        "this object: operator Like is unknown",
    )];
    assert_eq!(told(&plan, &[], None), expected);
    let status = fold(&plan, &BTreeMap::new(), None);
    assert_eq!(told(&plan, &[], Some(&status)), []);
    plan.whole = Some((Reason::InvalidName, "call it shop".to_owned()));
    assert_eq!(
        told(&plan, &[], Some(&status)),
        [note(true, "InvalidName", "call it shop")]
    );
}

#[test]
fn nothing_done_and_nothing_wrong_is_no_event() {
    let mut plan = planned(&[
        ("a", Step::UpToDate),
        ("b", Step::Keep(Reason::NamespaceNotFederated, "left".to_owned())),
    ]);
    assert_eq!(told(&plan, &[], None), []);
    plan.clusters.insert(
        name("c"),
        planned(&[("c", apply(Cause::Create))]).clusters[&name("c")].clone(),
    );
    plan.ignored = true;
    assert_eq!(told(&plan, &[("c", applied())], None), []);
}

#[test]
fn a_message_is_no_longer_than_an_event_can_carry() {
    let names: Vec<String> = (0..300).map(|index| format!("cluster-{index:03}")).collect();
    let steps: Vec<(&str, Step)> = names.iter().map(|name| (name.as_str(), apply(Cause::Create))).collect();
    let outcomes: Vec<(&str, Outcome)> = names
        .iter()
        .map(|name| (name.as_str(), Outcome::Applied(Box::<Present>::default())))
        .collect();
    let notes = told(&planned(&steps), &outcomes, None);
    assert_eq!(notes.len(), 1);
    assert!(
        notes[0].2.len() <= 1024 && notes[0].2.ends_with('…'),
        "{}",
        notes[0].2.len()
    );
}
