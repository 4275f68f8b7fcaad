//! Whatever people write and members answer, there is an answer and no panic.

use std::collections::BTreeMap;

use atoll_federation::plan::Input;
use atoll_federation::replicas::{PlanRequest, Preference};
use atoll_federation::{
    Cluster, ClusterName, FederatedObject, HandOver, Observed, Present, Record, Scope, TypeDescriptor, admit, events,
    fold, hand_over, plan, preview, render, settle, types,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const WORDS: [&str; 32] = [
    "metadata",
    "name",
    "labels",
    "annotations",
    "spec",
    "template",
    "placement",
    "clusters",
    "clusterSelector",
    "matchLabels",
    "matchExpressions",
    "key",
    "operator",
    "values",
    "overrides",
    "clusterName",
    "clusterOverrides",
    "op",
    "path",
    "value",
    "replicas",
    "retainReplicas",
    "ports",
    "port",
    "protocol",
    "secrets",
    "selector",
    "containers",
    "env",
    "status",
    "managedFields",
    "fieldsV1",
];

/// JSON of the words that are looked for, in places where nobody expects them.
fn nonsense() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        select(WORDS.to_vec()).prop_map(str::to_owned),
        select(vec![
            "a",
            "/spec/ports/0",
            "/metadata",
            "In",
            "add",
            "TCP",
            "true",
            "atoll",
            "Apply",
            "k:{\"port\":80}"
        ])
        .prop_map(str::to_owned),
        ".{0,4}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 4, |inner| {
        let key = prop_oneof![
            4 => select(WORDS.to_vec()).prop_map(str::to_owned),
            1 => select(vec!["f:spec", "f:ports", "k:{\"port\":80}", "k:[", "manager", "operation", "uid"]).prop_map(str::to_owned),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_type() -> impl Strategy<Value = &'static TypeDescriptor> {
    (0..types::TYPES.len()).prop_map(|index| &types::TYPES[index])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn an_object_is_judged_planned_and_shown(kind in any_type(), spec in nonsense(), annotations in nonsense(), member in nonsense()) {
        let object = json!({
            "apiVersion": kind.federated.api_version(), "kind": kind.federated.kind, "spec": spec,
            "metadata": {"name": "web", "namespace": "shop", "uid": "f", "annotations": annotations, "finalizers": ["kubefed.io/sync-controller"]},
        });
        if let Ok((stored, _)) = admit(kind, &object, None) {
            // What was admitted once is admitted as it is.
            prop_assert_eq!(admit(kind, &stored, None).map(|(again, _)| again), Ok(stored));
        }
        let Ok(object) = FederatedObject::parse(kind, &object) else {
            return Ok(());
        };
        let mut there = json!({"metadata": {"uid": "u", "name": "web", "labels": {"kubefed.io/managed": "true"}}});
        if let Some(map) = member.as_object() {
            there.as_object_mut().unwrap().extend(map.clone());
        }
        let names = ["a", "b"].map(|name| ClusterName::parse(name).unwrap());
        let clusters = names.clone().map(|name| (name.clone(), Cluster::ready(name, BTreeMap::new()))).into();
        let mut observed = BTreeMap::from([(names[1].clone(), Observed::Absent)]);
        let mut records = BTreeMap::new();
        if let Some(present) = Present::of(kind, &there) {
            let record = Record { uid: Some(present.uid.clone()), ..Record::begun("2026-01-01T00:00:00Z".parse().unwrap()) };
            records.insert(names[0].clone(), record);
            observed.insert(names[0].clone(), Observed::Present(Box::new(present)));
        }
        let preference = Preference::parse(&json!({"totalReplicas": 3}), "spec").unwrap();
        let input = Input {
            now: "2026-01-02T03:04:05Z".parse().unwrap(),
            hub_uid: "hub-1",
            scope: Scope::Namespaced,
            adopt_resources: true,
            kind,
            object: &object,
            namespace: None,
            clusters: &clusters,
            observed: &observed,
            records: &records,
            preference: Some(&preference),
            pods: &BTreeMap::new(),
            managed: &BTreeMap::new(),
            contents: &BTreeMap::new(),
            drifts: &BTreeMap::new(),
            fights: &BTreeMap::new(),
            held: None,
            confirmed: false,
        };
        let planned = plan(&input);
        let status = fold(&planned, &BTreeMap::new(), object.status.as_ref());
        settle(&planned, &BTreeMap::new(), &status, &records);
        events(kind, &planned, &BTreeMap::new(), object.status.as_ref());
        preview(&input, &BTreeMap::from([(names[0].clone(), there)]));
    }

    #[test]
    fn what_a_member_answers_is_read_and_handed_over(kind in any_type(), mut object in nonsense(), fields in proptest::collection::vec(nonsense(), 0..3), stated in nonsense()) {
        if let Some(map) = object.as_object_mut() {
            let entry = |fields: Value| json!({"manager": "controller-manager", "operation": "Update", "fieldsV1": fields});
            map.insert("metadata".to_owned(), json!({"uid": "u", "managedFields": fields.into_iter().map(entry).collect::<Vec<_>>()}));
        }
        Present::of(kind, &object);
        for whose in [HandOver::OfKubefed, HandOver::OfPorts] {
            if let Some(patch) = hand_over(kind, whose, &object, &stated) {
                prop_assert_eq!(&patch["metadata"]["uid"], "u");
            }
        }
    }

    #[test]
    fn a_stream_of_documents_renders_or_is_refused(documents in proptest::collection::vec(nonsense(), 0..4), kind in any_type()) {
        let mut documents = documents;
        for document in &mut documents {
            if let Some(map) = document.as_object_mut() {
                map.insert("apiVersion".to_owned(), kind.federated.api_version().into());
                map.insert("kind".to_owned(), kind.federated.kind.as_ref().into());
            }
        }
        let _ = render(&documents, Scope::Namespaced);
        for document in &documents {
            let _ = PlanRequest::parse(document);
        }
    }
}
