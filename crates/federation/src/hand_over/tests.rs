use super::*;
use crate::{hash, types};

fn same(one: &Value, other: &Value) -> bool {
    hash(one) == hash(other)
}

fn live(managed_fields: Value) -> Value {
    json!({"metadata": {"uid": "u-1", "resourceVersion": "7", "managedFields": managed_fields}})
}

fn kubefed(fields: Value) -> Value {
    json!({"manager": "controller-manager", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
}

fn entry<'a>(patch: &'a Value, manager: &str, operation: &str) -> Option<&'a Value> {
    let entries = patch["metadata"]["managedFields"].as_array().unwrap();
    let mut found = entries
        .iter()
        .filter(|entry| entry["manager"] == manager && entry["operation"] == operation);
    let first = found.next();
    assert!(found.next().is_none(), "{manager} has two entries: {patch}");
    first
}

#[test]
fn what_kubefed_stated_becomes_the_hubs() {
    let kind = types::find("configmaps").unwrap();
    let fields = json!({"f:data": {"f:old": {}}, "f:metadata": {"f:labels": {"f:kubefed.io/managed": {}}}});
    let stranger = json!({"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {"f:theirs": {}}}});
    let patch = hand_over(
        kind,
        HandOver::OfKubefed,
        &live(json!([kubefed(fields.clone()), stranger])),
        &json!({}),
    )
    .unwrap();
    assert_eq!(patch["metadata"]["uid"], "u-1");
    assert_eq!(patch["metadata"]["resourceVersion"], "7");
    assert!(entry(&patch, "controller-manager", "Update").is_none());
    assert_eq!(entry(&patch, "kubectl", "Update"), Some(&stranger));
    let ours = entry(&patch, "atoll", "Apply").unwrap();
    assert!(same(&ours["fieldsV1"], &fields));
    assert_eq!(ours["apiVersion"], "v1");
}

#[test]
fn the_members_own_stay_where_they_are() {
    let kind = types::find("services").unwrap();
    let theirs = json!({
        "f:metadata": {"f:annotations": {".": {}, "f:cloud/id": {}}, "f:finalizers": {".": {}, "v:\"cloud\"": {}}},
        "f:spec": {"f:clusterIP": {}, "f:clusterIPs": {}, "f:ports": {"k:{\"port\":80}": {"f:nodePort": {}}}},
    });
    let ours = json!({"f:spec": {"f:selector": {}, "f:ports": {"k:{\"port\":80}": {".": {}, "f:port": {}}}}});
    let mut all = theirs.clone();
    unite(&mut all, &ours);
    let patch = hand_over(
        kind,
        HandOver::OfKubefed,
        &live(json!([kubefed(all)])),
        &json!({"spec": {"ports": [{"port": 80}]}}),
    )
    .unwrap();
    assert!(same(
        &entry(&patch, "controller-manager", "Update").unwrap()["fieldsV1"],
        &theirs
    ));
    assert!(same(&entry(&patch, "atoll", "Apply").unwrap()["fieldsV1"], &ours));
}

#[test]
fn replicas_move_only_when_the_hub_goes_on_stating_them() {
    let kind = types::find("deployments.apps").unwrap();
    let object = live(json!([kubefed(
        json!({"f:spec": {"f:replicas": {}, "f:template": {}}})
    )]));
    let states = |patch: &Value| {
        entry(patch, "atoll", "Apply").unwrap()["fieldsV1"]["f:spec"]
            .get("f:replicas")
            .is_some()
    };
    assert!(states(
        &hand_over(kind, HandOver::OfKubefed, &object, &json!({"spec": {"replicas": 2}})).unwrap()
    ));
    assert!(!states(
        &hand_over(kind, HandOver::OfKubefed, &object, &json!({"spec": {}})).unwrap()
    ));
}

#[test]
fn fields_join_those_that_the_hub_has_already() {
    let kind = types::find("configmaps").unwrap();
    let ours =
        json!({"manager": "atoll", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:new": {}}}});
    let before = json!({"manager": "before-first-apply", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:old": {}}}});
    let status = json!({"manager": "controller-manager", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}});
    let patch = hand_over(
        kind,
        HandOver::OfKubefed,
        &live(json!([ours, before, status])),
        &json!({}),
    )
    .unwrap();
    let fields = &entry(&patch, "atoll", "Apply").unwrap()["fieldsV1"];
    assert!(same(fields, &json!({"f:data": {"f:new": {}, "f:old": {}}})));
    assert_eq!(entry(&patch, "controller-manager", "Update"), Some(&status));
}

#[test]
fn where_kubefed_states_nothing_nothing_is_moved() {
    let kind = types::find("configmaps").unwrap();
    let only_theirs = kubefed(json!({"f:metadata": {"f:annotations": {"f:a": {}}}}));
    for managed_fields in [json!(null), json!([]), json!([only_theirs])] {
        assert_eq!(
            hand_over(kind, HandOver::OfKubefed, &live(managed_fields), &json!({})),
            None
        );
    }
}

/// A Service in a member: its ports, and who states them.
fn service(ports: Value, managed_fields: Value) -> Value {
    let mut object = live(managed_fields);
    object["spec"] = json!({"ports": ports});
    object
}

fn states_ports(manager: &str, operation: &str, keys: &[&str]) -> Value {
    let items: Map<String, Value> = keys
        .iter()
        .map(|key| ((*key).to_owned(), json!({".": {}, "f:port": {}, "f:nodePort": {}})))
        .collect();
    json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": {"f:spec": {"f:ports": items}}})
}

const HTTP: &str = r#"k:{"port":80,"protocol":"TCP"}"#;
const DNS: &str = r#"k:{"port":53,"protocol":"UDP"}"#;
const ADMIN: &str = r#"k:{"port":8080,"protocol":"TCP"}"#;

fn ports_of(entry: &Value) -> Vec<&str> {
    let ports = entry["fieldsV1"]["f:spec"]["f:ports"].as_object().unwrap();
    ports.keys().map(String::as_str).collect()
}

#[test]
fn ports_of_a_service_that_is_taken_over_go_when_the_template_states_others() {
    let kind = types::find("services").unwrap();
    let ports = json!([{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP", "name": "dns"}]);
    let object = service(ports, json!([states_ports("kubectl", "Update", &[HTTP, DNS])]));
    let stated = json!({"spec": {"ports": [{"port": 8080}, {"port": 53, "protocol": "UDP"}]}});
    let patch = hand_over(kind, HandOver::OfPorts, &object, &stated).unwrap();
    assert_eq!(ports_of(entry(&patch, "atoll", "Apply").unwrap()), [HTTP]);
    assert_eq!(ports_of(entry(&patch, "kubectl", "Update").unwrap()), [DNS]);
}

#[test]
fn what_others_state_of_a_port_goes_with_it_when_the_hub_drops_it() {
    let kind = types::find("services").unwrap();
    let ports = json!([{"port": 80, "name": "http"}, {"port": 8080, "name": "admin"}, {"port": 53, "protocol": "UDP", "name": "dns"}]);
    let object = service(
        ports,
        json!([
            states_ports("atoll", "Apply", &[HTTP, ADMIN]),
            states_ports("controller-manager", "Update", &[HTTP, ADMIN]),
            states_ports("mesh", "Update", &[DNS]),
        ]),
    );
    let stated = json!({"spec": {"ports": [{"port": 8080, "name": "admin"}]}});
    let patch = hand_over(kind, HandOver::OfPorts, &object, &stated).unwrap();
    assert_eq!(
        ports_of(entry(&patch, "controller-manager", "Update").unwrap()),
        [ADMIN]
    );
    assert_eq!(ports_of(entry(&patch, "mesh", "Update").unwrap()), [DNS]);
}

#[test]
fn a_port_that_was_renumbered_in_the_member_makes_room_for_the_one_of_that_name() {
    let kind = types::find("services").unwrap();
    let ports = json!([{"port": 8080, "name": "http"}, {"port": 53, "protocol": "UDP", "name": "dns"}]);
    let object = service(
        ports,
        json!([
            states_ports("atoll", "Apply", &[DNS]),
            states_ports("kubectl-edit", "Update", &[ADMIN])
        ]),
    );
    let stated =
        json!({"spec": {"ports": [{"port": 80, "name": "http"}, {"port": 53, "protocol": "UDP", "name": "dns"}]}});
    let patch = hand_over(kind, HandOver::OfPorts, &object, &stated).unwrap();
    assert!(entry(&patch, "kubectl-edit", "Update").is_none());
    assert_eq!(ports_of(entry(&patch, "atoll", "Apply").unwrap()), [DNS, ADMIN]);
}

#[test]
fn ports_that_others_added_stay_theirs() {
    let kind = types::find("services").unwrap();
    let ports = json!([{"port": 80, "name": "http"}, {"port": 8080, "name": "admin"}]);
    let added = service(
        ports,
        json!([
            states_ports("atoll", "Apply", &[HTTP]),
            states_ports("mesh", "Update", &[ADMIN])
        ]),
    );
    let stated = json!({"spec": {"ports": [{"port": 80, "name": "http"}]}});
    assert_eq!(hand_over(kind, HandOver::OfPorts, &added, &stated), None);
    // Nor does a template that leaves the ports open say anything about them.
    let foreign = service(
        json!([{"port": 80}]),
        json!([states_ports("kubectl", "Update", &[HTTP])]),
    );
    assert_eq!(hand_over(kind, HandOver::OfPorts, &foreign, &json!({"spec": {}})), None);
}

#[test]
fn node_ports_of_ports_that_kubefed_wrote_go_with_them_and_stay_with_the_others() {
    let kind = types::find("services").unwrap();
    let object = service(
        json!([{"port": 80, "name": "http"}, {"port": 8080, "name": "admin"}]),
        json!([states_ports("controller-manager", "Update", &[HTTP, ADMIN])]),
    );
    let stated = json!({"spec": {"ports": [{"port": 8080, "name": "admin"}]}});
    let patch = hand_over(kind, HandOver::OfKubefed, &object, &stated).unwrap();
    let ours = &entry(&patch, "atoll", "Apply").unwrap()["fieldsV1"]["f:spec"]["f:ports"];
    assert!(
        same(&ours[HTTP], &json!({".": {}, "f:port": {}, "f:nodePort": {}})),
        "{ours}"
    );
    assert!(same(&ours[ADMIN], &json!({".": {}, "f:port": {}})), "{ours}");
    let theirs = &entry(&patch, "controller-manager", "Update").unwrap()["fieldsV1"];
    assert!(
        same(theirs, &json!({"f:spec": {"f:ports": {ADMIN: {"f:nodePort": {}}}}})),
        "{theirs}"
    );
}
