use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::observed::ADOPTED_SUFFIX;
use crate::types;

const HUB: &str = "hub-1";

fn cluster(ready: bool) -> Cluster {
    let name = ClusterName::parse("eu-1").unwrap();
    Cluster {
        ready,
        ..Cluster::ready(name, BTreeMap::new())
    }
}

fn record() -> Record {
    Record {
        uid: Some("u-1".to_owned()),
        applied_hash: Some("hash".to_owned()),
        leftover: true,
        ..Record::begun("2026-01-01T00:00:00Z".parse().unwrap())
    }
}

fn there(extra: serde_json::Value) -> Observed {
    let mut object = json!({"metadata": {
        "uid": "u-1", "name": "web", "labels": {MANAGED_LABEL: "true"}, "annotations": {OWNER_ANNOTATION: HUB},
    }});
    crate::test_values::merge(&mut object, extra);
    Observed::Present(Box::new(
        Present::of(types::find("configmaps").unwrap(), &object).unwrap(),
    ))
}

fn removal(kind: &str, cluster: Option<&Cluster>, observed: Option<&Observed>, record: &Record) -> Removal {
    remove_leftover(types::find(kind).unwrap(), cluster, observed, record, HUB)
}

#[test]
fn a_leftover_is_deleted_by_its_uid_when_its_cluster_is_back() {
    let ready = cluster(true);
    match removal("configmaps", Some(&ready), Some(&there(json!({}))), &record()) {
        Removal::Step(Step::Delete { uid, options }) => {
            assert_eq!(uid, "u-1");
            assert_eq!(options.body()["preconditions"], json!({"uid": "u-1"}));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_leftover_rests_while_nobody_can_be_asked() {
    let (ready, away) = (cluster(true), cluster(false));
    let missing = Observed::Unknown {
        reason: Reason::ApiMissing,
        message: "no such resource".to_owned(),
    };
    let forbidden = Observed::Unknown {
        reason: Reason::RetrievalFailed,
        message: "forbidden".to_owned(),
    };
    let found = there(json!({}));
    assert_eq!(
        removal("configmaps", Some(&away), Some(&found), &record()),
        Removal::Away(Reason::ClusterNotReady)
    );
    assert_eq!(
        removal("configmaps", Some(&ready), Some(&missing), &record()),
        Removal::Away(Reason::ApiMissing)
    );
    assert!(matches!(
        removal("configmaps", Some(&ready), Some(&forbidden), &record()),
        Removal::Unclear(Reason::RetrievalFailed, _)
    ));
    assert!(matches!(
        removal("configmaps", Some(&ready), None, &record()),
        Removal::Unclear(..)
    ));
}

#[test]
fn what_is_not_the_hubs_any_more_is_left_alone() {
    let ready = cluster(true);
    for extra in [
        json!({"metadata": {"uid": "another"}}),
        json!({"metadata": {"labels": {MANAGED_LABEL: "false"}}}),
        json!({"metadata": {"annotations": {OWNER_ANNOTATION: "hub-2"}}}),
    ] {
        let found = there(extra.clone());
        assert_eq!(
            removal("configmaps", Some(&ready), Some(&found), &record()),
            Removal::Gone,
            "{extra}"
        );
    }
    assert_eq!(
        removal("configmaps", Some(&ready), Some(&Observed::Absent), &record()),
        Removal::Gone
    );
    assert_eq!(removal("configmaps", None, None, &record()), Removal::Gone);
}

#[test]
fn what_is_on_its_way_out_is_waited_for() {
    let ready = cluster(true);
    let going = there(json!({"metadata": {"deletionTimestamp": "2026-01-02T00:00:00Z"}}));
    assert_eq!(
        removal("configmaps", Some(&ready), Some(&going), &record()),
        Removal::Going
    );
}

#[test]
fn a_namespace_that_was_there_before_the_hub_is_let_go() {
    let ready = cluster(true);
    let adopted = Record {
        applied_hash: Some(format!("hash{ADOPTED_SUFFIX}")),
        ..record()
    };
    let says_so = there(json!({"metadata": {"annotations": {ADOPTED_ANNOTATION: "true"}}}));
    for (found, record) in [(there(json!({})), adopted), (says_so, record())] {
        match removal("namespaces", Some(&ready), Some(&found), &record) {
            Removal::Step(Step::Release { uid, patch }) => {
                assert_eq!(uid, "u-1");
                assert_eq!(patch["metadata"]["labels"], json!({MANAGED_LABEL: null}));
            }
            other => panic!("{other:?}"),
        }
    }
}
