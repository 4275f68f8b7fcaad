use serde_json::json;

use super::*;

const HUB: &str = "hub-1";

fn of(group: &str, plural: &str) -> Collection {
    Collection {
        group: group.into(),
        version: "v1".into(),
        plural: plural.into(),
        namespace: None,
    }
}

fn names() -> BTreeSet<KindName> {
    known(&TypeTable::built_in()).iter().map(Listed::name).collect()
}

fn found(plural: &str, items: Value) -> Found {
    let mut found = Found::default();
    let list = json!({"items": items});
    found.read(HUB, &of("", plural), &list, &names()).unwrap();
    found
}

fn is_counted(plural: &str, object: Value) -> bool {
    found(plural, json!([object])).strangers == 1
}

#[test]
fn what_every_namespace_has_and_what_goes_with_another_is_not_counted() {
    assert!(is_counted("configmaps", json!({"metadata": {"name": "theirs"}})));
    assert!(is_counted("pods", json!({"metadata": {"name": "bare"}})));
    assert!(is_counted(
        "secrets",
        json!({"metadata": {"name": "password"}, "type": "Opaque"})
    ));
    assert!(!is_counted(
        "configmaps",
        json!({"metadata": {"name": "kube-root-ca.crt"}})
    ));
    assert!(!is_counted("serviceaccounts", json!({"metadata": {"name": "default"}})));
    assert!(!is_counted(
        "secrets",
        json!({"metadata": {"name": "t"}, "type": "kubernetes.io/service-account-token"})
    ));
    let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u"});
    assert!(!is_counted(
        "pods",
        json!({"metadata": {"name": "p", "ownerReferences": [owner]}})
    ));
    assert!(!is_counted(
        "pods",
        json!({"metadata": {"name": "p", "deletionTimestamp": "2026-01-02T03:04:05Z"}})
    ));
}

#[test]
fn what_another_hub_manages_is_a_stranger() {
    let managed = |annotations: Value| json!({"metadata": {"name": "web", "labels": {MANAGED_LABEL: "true"}, "annotations": annotations}});
    assert!(!is_counted("configmaps", managed(json!({}))));
    assert!(!is_counted("configmaps", managed(json!({OWNER_ANNOTATION: HUB}))));
    assert!(is_counted("configmaps", managed(json!({OWNER_ANNOTATION: "hub-2"}))));
}

#[test]
fn what_is_owned_is_passed_over_only_where_its_owner_is_looked_at() {
    let owned = |owners: Value| json!([{"metadata": {"name": "s", "ownerReferences": owners}}]);
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "name": "j"});
    let machine = json!({"apiVersion": "example.com/v1", "kind": "Machine", "name": "m"});
    assert_eq!(found("secrets", owned(json!([job]))), Found::default());
    let of_machine = Found {
        strangers: 0,
        owners: vec![("example.com".into(), "Machine".into())],
    };
    assert_eq!(found("secrets", owned(json!([machine]))), of_machine);
    assert_eq!(found("secrets", owned(json!([job, machine]))), of_machine);
    // A Job of another group is another kind.
    let other = json!({"apiVersion": "example.com/v1", "kind": "Job", "name": "j"});
    assert_eq!(found("secrets", owned(json!([other]))).owners.len(), 1);
}

#[test]
fn the_kinds_that_people_added_are_looked_at_with_those_built_in() {
    let mut widget = atoll_federation::types::find("deployments.apps").unwrap().clone();
    widget.target.group = "example.com".into();
    widget.target.kind = "Widget".into();
    widget.target.plural = "widgets".into();
    let row = atoll_federation::types::intern(widget);
    let types: TypeTable = [atoll_federation::types::Served { row, propagated: true }]
        .into_iter()
        .collect();
    let known = known(&types);
    let count = |name: (&str, &str)| {
        let names = known.iter().map(Listed::name);
        names
            .filter(|known| (known.0.as_str(), known.1.as_str()) == name)
            .count()
    };
    assert_eq!(count(("example.com", "Widget")), 1);
    assert_eq!(count(("apps", "Deployment")), 1);
    assert_eq!(count(("", "Pod")), 1);
    assert_eq!(count(("", "Namespace")), 0);
}

#[test]
fn an_answer_that_is_no_list_is_not_an_empty_one() {
    let mut found = Found::default();
    let read = found.read(HUB, &of("", "pods"), &json!({"kind": "Status"}), &names());
    assert!(read.is_err());
}
