//! What counts as a change, and what does not.

use serde_json::json;

use super::*;
use crate::types;

fn told(name: &str, live: &Value, stated: &Value) -> Vec<(String, Value, Value)> {
    let kind = types::find(name).unwrap();
    let told = changes(kind, live, stated, &[]).into_iter();
    told.map(|change| {
        (
            change.path,
            change.before.unwrap_or_default(),
            change.after.unwrap_or_default(),
        )
    })
    .collect()
}

fn managed(manager: &str, fields: Value) -> Value {
    json!({"manager": manager, "operation": "Apply", "fieldsV1": fields})
}

fn containers(value: Value) -> Value {
    json!({"spec": {"template": {"spec": {"containers": value}}}})
}

fn deployment(own: Value) -> Value {
    let web = json!({"name": "web", "image": "web:1", "imagePullPolicy": "Always",
        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}, "env": [{"name": "A", "value": "1"}]});
    let mut live = containers(json!([web, {"name": "injected", "image": "mesh:1"}]));
    live["metadata"] = json!({"name": "web", "uid": "u", "managedFields": [
        managed("atoll", own),
        managed("mesh", json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"injected\"}": {"f:image": {}}}}}}})),
    ]});
    live
}

fn own_web(fields: Value) -> Value {
    json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"web\"}": fields}}}}})
}

#[test]
fn only_what_is_stated_otherwise_changes_and_defaults_do_not() {
    let live = deployment(own_web(json!({"f:name": {}, "f:image": {}})));
    let stated = containers(json!([{"name": "web", "image": "web:2"}]));
    assert_eq!(
        told("deployments.apps", &live, &stated),
        [(
            "spec.template.spec.containers[web].image".to_owned(),
            json!("web:1"),
            json!("web:2")
        )]
    );
}

#[test]
fn a_quantity_in_other_words_is_no_change() {
    let live = deployment(own_web(json!({"f:image": {}})));
    let same = containers(
        json!([{"name": "web", "image": "web:1", "resources": {"requests": {"cpu": 0.5, "memory": "1024Mi"}}}]),
    );
    assert_eq!(told("deployments.apps", &live, &same), []);
    let more = containers(json!([{"name": "web", "image": "web:1", "resources": {"requests": {"cpu": "501m"}}}]));
    assert_eq!(told("deployments.apps", &live, &more).len(), 1);
}

#[test]
fn what_the_hub_stated_and_states_no_more_goes_unless_somebody_else_states_it() {
    let own = own_web(json!({"f:image": {}, "f:env": {"k:{\"name\":\"A\"}": {"f:name": {}, "f:value": {}}}}));
    let mut live = deployment(own);
    let stated = containers(json!([{"name": "web", "image": "web:1"}]));
    let gone = told("deployments.apps", &live, &stated);
    assert_eq!(
        gone,
        [(
            "spec.template.spec.containers[web].env".to_owned(),
            json!([{"name": "A", "value": "1"}]),
            Value::Null
        )]
    );
    let theirs = own_web(json!({"f:env": {"k:{\"name\":\"A\"}": {"f:name": {}, "f:value": {}}}}));
    live["metadata"]["managedFields"][1] = managed("kubectl", theirs);
    assert_eq!(told("deployments.apps", &live, &stated), []);
}

#[test]
fn an_item_that_is_new_is_one_change_and_the_others_stay() {
    let live = deployment(own_web(json!({"f:image": {}})));
    let stated = containers(json!([{"name": "web", "image": "web:1"}, {"name": "side", "image": "side:1"}]));
    assert_eq!(
        told("deployments.apps", &live, &stated),
        [(
            "spec.template.spec.containers[side]".to_owned(),
            Value::Null,
            json!({"name": "side", "image": "side:1"})
        )]
    );
}

#[test]
fn fields_that_the_member_lost_managers_of_are_taken_over_with_theirs() {
    let mut live = json!({"data": {"a": "1", "b": "2"}});
    live["metadata"]["managedFields"] = json!([
        {"manager": "controller-manager", "operation": "Update", "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}}}}
    ]);
    let kind = types::find("configmaps").unwrap();
    let stated = json!({"data": {"a": "1"}});
    assert_eq!(changes(kind, &live, &stated, &[]), []);
    let taken = changes(kind, &live, &stated, &["controller-manager"]);
    assert_eq!(taken.len(), 1);
    assert_eq!((taken[0].path.as_str(), &taken[0].after), ("data.b", &None));
}

#[test]
fn the_values_of_secrets_are_never_told() {
    let mut live = json!({"data": {"password": "b2xk", "gone": "c2VjcmV0"}, "type": "Opaque"});
    live["metadata"]["managedFields"] = json!([managed("atoll", json!({"f:data": {"f:password": {}, "f:gone": {}}}))]);
    let stated =
        json!({"data": {"password": "bmV3", "token": "aGlkZGVu"}, "stringData": {"plain": "clear"}, "type": "x"});
    let kind = types::find("secrets").unwrap();
    let told = changes(kind, &live, &stated, &[]);
    let paths: Vec<&str> = told.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(
        paths,
        ["data.gone", "data.password", "data.token", "stringData", "type"]
    );
    let text = format!("{told:?} {}", masked(kind, stated));
    for value in ["b2xk", "c2VjcmV0", "bmV3", "aGlkZGVu", "clear"] {
        assert!(!text.contains(value), "{value}: {text}");
    }
}

#[test]
fn names_with_dots_stay_one_name() {
    let live = json!({"metadata": {"labels": {"app.kubernetes.io/name": "a"}}});
    let stated = json!({"metadata": {"labels": {"app.kubernetes.io/name": "b"}, "uid": "u"}, "kind": "ConfigMap"});
    let told = told("configmaps", &live, &stated);
    assert_eq!(told[0].0, "metadata.labels[app.kubernetes.io/name]");
    assert_eq!(told.len(), 1);
}
