//! What holds for overrides, whatever they say.

use atoll_federation::object::{Built, build};
use atoll_federation::overrides::{Operation, Overrides, apply};
use atoll_federation::{FederatedObject, types};
use proptest::prelude::*;
use serde_json::{Value, json};

fn operations(list: &[Value]) -> Vec<Operation> {
    // Parsed one by one: a path may then stand there twice.
    let one = |operation: &Value| {
        let overrides = json!([{"clusterName": "c", "clusterOverrides": [operation]}]);
        Overrides::parse(Some(&overrides)).map(|read| read.entries()[0].operations[0].clone())
    };
    list.iter().filter_map(|operation| one(operation).ok()).collect()
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_i64..9).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 3, |inner| {
        let names = prop_oneof!["[a-c]", Just("name".to_owned()), Just("labels".to_owned())];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(names, inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        "[a-c]",
        Just("data".to_owned()),
        Just("metadata".to_owned()),
        Just("labels".to_owned()),
        Just("name".to_owned()),
        Just("namespace".to_owned()),
        Just("kind".to_owned()),
        Just("apiVersion".to_owned()),
        Just("0".to_owned()),
        Just("-1".to_owned()),
        Just("-".to_owned()),
    ];
    proptest::collection::vec(segment, 1..4)
        .prop_map(|segments| segments.iter().map(|segment| format!("/{segment}")).collect())
}

fn any_operation() -> impl Strategy<Value = Value> {
    let op = prop_oneof![Just("add"), Just("remove"), Just("replace"), Just("")];
    (op, any_path(), any_value()).prop_map(|(op, path, value)| json!({"op": op, "path": path, "value": value}))
}

fn any_template() -> impl Strategy<Value = Value> {
    (any_value(), any_value()).prop_map(
        |(data, labels)| json!({"data": data, "metadata": {"labels": {"a": "1"}, "annotations": labels}, "a": [1, 2]}),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn all_operations_apply_or_none(object in any_template(), list in proptest::collection::vec(any_operation(), 0..5)) {
        let mut patched = object.clone();
        if apply(&mut patched, &operations(&list)).is_err() {
            prop_assert_eq!(patched, object);
        }
    }

    #[test]
    fn a_list_does_what_its_operations_do_one_after_the_other(object in any_template(), list in proptest::collection::vec(any_operation(), 0..5)) {
        let list = operations(&list);
        let mut at_once = object.clone();
        let together = apply(&mut at_once, &list);
        let mut in_turn = object;
        let one_by_one = list.iter().try_for_each(|operation| apply(&mut in_turn, std::slice::from_ref(operation)));
        prop_assert_eq!(together.is_ok(), one_by_one.is_ok());
        if together.is_ok() {
            prop_assert_eq!(at_once, in_turn);
        }
    }

    #[test]
    fn replacing_a_key_of_a_map_is_adding_it(object in any_template(), parent in prop_oneof![Just(""), Just("/metadata"), Just("/metadata/labels")], key in "[a-d]", value in any_value()) {
        let path = format!("{parent}/{key}");
        let after = |op: &str| {
            let mut patched = object.clone();
            let list = operations(&[json!({"op": op, "path": path, "value": value})]);
            apply(&mut patched, &list).map(|()| patched)
        };
        prop_assert_eq!(after("replace"), after("add"));
    }

    #[test]
    fn no_override_turns_an_object_into_another(template in any_template(), list in proptest::collection::vec(any_operation(), 0..5), name in prop_oneof![Just("configmaps"), Just("deployments.apps"), Just("clusterroles.rbac.authorization.k8s.io")]) {
        let kind = types::find(name).unwrap();
        let object = json!({
            "kind": kind.federated.kind, "metadata": {"name": "web", "namespace": "shop"}, "spec": {"template": template},
        });
        let object = FederatedObject::parse(kind, &object).unwrap();
        let marks = Built { hub_uid: Some("hub-1"), ..Built::default() };
        if let Ok(built) = build(kind, &object, &operations(&list), marks) {
            prop_assert_eq!(&built["kind"], kind.target.kind.as_ref());
            prop_assert_eq!(&built["metadata"]["name"], "web");
            let namespace = built["metadata"].get("namespace").and_then(Value::as_str);
            prop_assert_eq!(namespace, kind.target.namespaced.then_some("shop"));
            let group = built["apiVersion"].as_str().unwrap().rsplit_once('/').map_or("", |(group, _)| group);
            prop_assert_eq!(group, kind.target.group.as_ref());
            prop_assert_eq!(&built["metadata"]["labels"]["kubefed.io/managed"], "true");
            prop_assert_eq!(&built["metadata"]["annotations"]["atoll.dev/owner"], "hub-1");
            for field in ["ownerReferences", "finalizers", "uid", "generateName"] {
                prop_assert_eq!(built["metadata"].get(field), None);
            }
            prop_assert_eq!(built.get("status"), None);
        }
    }
}
