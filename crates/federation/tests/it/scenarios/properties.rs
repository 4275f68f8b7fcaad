//! What holds in every world, however odd: worlds are made up at random and written as scenario files.

use std::collections::BTreeSet;

use atoll_federation::{ClusterPlan, Observed, Outcome, Record, Step, events, fold, intents, plan, settle};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::harness::{self, Scenario};

const KINDS: [&str; 5] = ["configmaps", "deployments.apps", "services", "namespaces", "jobs.batch"];

fn any_of(values: Vec<Value>) -> impl Strategy<Value = Value> {
    select(values)
}

fn any_placement() -> impl Strategy<Value = Value> {
    any_of(vec![
        json!({"clusterSelector": {}}),
        json!({"clusterSelector": null, "clusters": []}),
        json!({"clusterSelector": null}),
        json!({"clusters": [{"name": "a"}]}),
        json!({"clusters": [{"name": "a"}, {"name": "b"}, {"name": "mars"}]}),
        json!({"clusterSelector": {"matchLabels": {"region": "eu"}}}),
        json!({"clusterSelector": {"matchExpressions": [{"key": "region", "operator": "Near"}]}}),
    ])
}

fn any_overrides() -> impl Strategy<Value = Value> {
    let one = |operations: Value| json!([{"clusterName": "a", "clusterOverrides": operations}]);
    any_of(vec![
        json!([]),
        one(json!([{"path": "/spec", "value": {"replicas": 4}}])),
        one(json!([{"op": "add", "path": "/data", "value": {"size": "L"}}])),
        one(json!([{"path": "/metadata", "value": {"name": "other"}}])),
        one(json!([{"op": "remove", "path": "/nothing/here"}])),
        json!([{"clusterName": "a"}, {"clusterName": "a"}]),
    ])
}

fn any_metadata() -> impl Strategy<Value = Value> {
    let annotations = any_of(vec![
        json!({}),
        json!({"kubefed.io/orphan": "true"}),
        json!({"atoll.dev/drift": "hold"}),
        json!({"kubefed.io/deleteoption": "{\"gracePeriodSeconds\": 5}"}),
        json!({"atoll.dev/confirm-deletes": "of-all"}),
    ]);
    let deletion = any_of(vec![json!(null), json!(null), json!("2026-01-02T00:00:00Z")]);
    let finalizers = any_of(vec![
        json!(["kubefed.io/sync-controller"]),
        json!(["kubefed.io/sync-controller"]),
        json!([]),
    ]);
    (annotations, deletion, finalizers).prop_map(|(annotations, deletion, finalizers)| {
        json!({"annotations": annotations, "deletionTimestamp": deletion, "finalizers": finalizers})
    })
}

/// One cluster: how it is, what it holds, what is remembered.
fn any_cluster() -> impl Strategy<Value = (Value, Value, Value)> {
    let cluster = any_of(vec![
        json!({}),
        json!({"labels": {"region": "eu"}}),
        json!({"ready": false, "labels": {"region": "eu"}}),
        json!({"ready": false, "keepsShare": true}),
        json!({"keepsShare": false}),
        json!("unregistered"),
    ]);
    let stranger = json!({"uid": "theirs", "name": "web", "resourceVersion": "3"});
    let with = |extra: Value| {
        let mut metadata = stranger.clone();
        harness::merge(&mut metadata, &extra);
        let spec = json!({"replicas": 3, "ports": [{"port": 80, "protocol": "TCP"}]});
        json!({"object": {"metadata": metadata, "spec": spec, "status": {"observedGeneration": 1, "replicas": 3, "readyReplicas": 3}}})
    };
    let observed = any_of(vec![
        json!("nobody looked"),
        json!("absent"),
        json!("absent"),
        json!({"unknown": "RetrievalFailed"}),
        json!({"unknown": "ApiMissing"}),
        json!({"applied": {}}),
        json!({"applied": {}}),
        json!({"applied": {"metadata": {"labels": {"kubefed.io/managed": null}}}}),
        json!({"applied": {"metadata": {"deletionTimestamp": "2026-01-02T00:00:00Z"}}}),
        json!({"applied": {"metadata": {"annotations": {"atoll.dev/owner": "hub-2"}}}}),
        json!({"applied": {"metadata": {"annotations": {"atoll.dev/adopted": "true"}}}}),
        json!({"applied": {"metadata": {"uid": "recreated"}}}),
        with(json!({})),
        with(json!({"labels": {"kubefed.io/managed": "false"}})),
        with(json!({"labels": {"kubefed.io/managed": "true"}})),
        with(json!({"labels": {"app.kubernetes.io/managed-by": "Helm"}})),
        with(json!({"ownerReferences": [{"kind": "Website", "name": "shop"}]})),
    ]);
    let record = any_of(vec![
        json!("none"),
        json!("begun"),
        json!({}),
        json!({}),
        json!({"appliedHash": "older"}),
        json!({"managedHash": "before"}),
        json!({"uid": "u-gone"}),
        json!({"leftover": true}),
        json!({"adopted": true}),
    ]);
    (cluster, observed, record)
}

prop_compose! {
    fn any_world()(
        kind in select(KINDS.to_vec()),
        metadata in any_metadata(),
        placement in any_placement(),
        overrides in any_overrides(),
        retain in any::<bool>(),
        namespace in any_of(vec![
            json!({}), json!({}), json!("missing"),
            json!({"spec": {"placement": {"clusterSelector": {"matchLabels": {"region": "eu"}}}}}),
            json!({"metadata": {"deletionTimestamp": "2026-01-02T00:00:00Z"}}),
        ]),
        clusters in proptest::collection::vec(any_cluster(), 3),
        preference in any_of(vec![
            json!(null), json!(null), json!({"totalReplicas": 5}),
            json!({"totalReplicas": 7, "rebalance": true, "clusters": {"a": {"minReplicas": 1, "maxReplicas": 2, "weight": 1}}}),
        ]),
        adopt in any::<bool>(),
        scope in select(vec!["Cluster", "Namespaced"]),
        held in any_of(vec![json!(null), json!(null), json!("too much together")]),
        managed in proptest::collection::vec(1_u64..4, 3),
        strangers in 0_u64..2,
    ) -> Value {
        let mut world = json!({
            "kind": kind,
            "object": {"metadata": metadata, "spec": {
                "placement": placement, "overrides": overrides, "retainReplicas": retain,
                "template": {"spec": {"ports": [{"port": 8080}]}},
            }},
            "namespace": namespace, "adoptResources": adopt, "scope": scope,
        });
        let mut parts = [Map::new(), Map::new(), Map::new(), Map::new(), Map::new()];
        for ((name, (cluster, observed, record)), managed) in ["a", "b", "c"].into_iter().zip(clusters).zip(managed) {
            if cluster != "unregistered" {
                parts[0].insert(name.to_owned(), cluster);
            }
            if observed != "nobody looked" {
                parts[1].insert(name.to_owned(), observed);
            }
            if record != "none" {
                parts[2].insert(name.to_owned(), record);
            }
            parts[3].insert(name.to_owned(), managed.into());
            parts[4].insert(name.to_owned(), json!({"managed": managed - 1, "unmanaged": strangers}));
        }
        for (key, part) in ["clusters", "observed", "records", "managed", "contents"].into_iter().zip(parts) {
            world[key] = part.into();
        }
        for (key, value) in [("preference", preference), ("held", held)] {
            if !value.is_null() {
                world[key] = value;
            }
        }
        world
    }
}

/// Whether the hub may delete or let go of this: it bears the label, and is the one that is remembered.
fn is_ours(observed: Option<&Observed>, record: Option<&Record>, uid: &str) -> bool {
    let (Some(Observed::Present(present)), Some(record)) = (observed, record) else {
        return false;
    };
    let is_remembered = match &record.uid {
        Some(remembered) => *remembered == present.uid,
        // The first write began and was never seen to end: then it must bear this hub's mark.
        None => present.owner() == Some("hub-1"),
    };
    let is_anothers = present.owner().is_some_and(|owner| owner != "hub-1");
    present.uid == uid && present.is_labelled() && is_remembered && !is_anothers
}

fn check_step(scenario: &Scenario, name: &atoll_federation::ClusterName, cluster: &ClusterPlan) {
    let observed = scenario.observed.get(name);
    let record = scenario.records.get(name);
    if cluster.step.is_write() {
        let registered = scenario.clusters.get(name).expect("a registered cluster");
        assert!(registered.ready, "{name} does not answer and is written to");
        assert!(
            matches!(observed, Some(Observed::Present(_) | Observed::Absent)),
            "nobody knows what {name} holds, and it is written to"
        );
    }
    match &cluster.step {
        Step::Delete { uid, options } => {
            assert!(is_ours(observed, record, uid), "{observed:?} {record:?}");
            let preconditions = options.preconditions.as_ref().expect("a precondition");
            assert_eq!(preconditions.uid.as_ref(), Some(uid));
        }
        Step::Release { uid, patch } => {
            assert!(is_ours(observed, record, uid), "{observed:?} {record:?}");
            assert_eq!(patch["metadata"]["uid"], uid.as_str());
        }
        Step::Apply(apply) => {
            let target = &scenario.kind.target;
            let metadata = &apply.object["metadata"];
            assert_eq!(apply.object["kind"], target.kind.as_ref());
            assert_eq!(metadata["name"], scenario.object.name.as_str());
            assert_eq!(metadata["labels"]["kubefed.io/managed"], "true");
            assert_eq!(metadata["annotations"]["atoll.dev/owner"], "hub-1");
            match observed {
                Some(Observed::Present(present)) => {
                    assert_eq!(metadata["uid"], present.uid.as_str());
                    assert!(!present.deleting && !present.is_off_limits());
                    assert!(present.owner().is_none_or(|owner| owner == "hub-1"));
                }
                _ => assert!(!apply.force && metadata.get("uid").is_none()),
            }
        }
        Step::UpToDate | Step::Keep(..) | Step::Wait(..) | Step::Fail(..) => {}
    }
}

/// Clusters that the placement and that of the namespace allow.
fn allowed(scenario: &Scenario) -> BTreeSet<atoll_federation::ClusterName> {
    let everywhere: BTreeSet<_> = scenario.clusters.keys().cloned().collect();
    match &scenario.namespace {
        Some(namespace) if scenario.kind.target.namespaced => match &namespace.placement {
            Ok(placement) => placement.select(&scenario.clusters),
            Err(_) => BTreeSet::new(),
        },
        _ => everywhere,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_step_touches_what_is_not_ours_or_not_known(world in any_world()) {
        let scenario = Scenario::read(&world);
        let planned = plan(&scenario.input());
        for (name, cluster) in &planned.clusters {
            check_step(&scenario, name, cluster);
        }
    }

    #[test]
    fn an_object_goes_only_where_it_and_its_namespace_may_go(world in any_world()) {
        let scenario = Scenario::read(&world);
        let planned = plan(&scenario.input());
        let allowed = allowed(&scenario);
        for (name, cluster) in &planned.clusters {
            if matches!(cluster.step, Step::Apply(_)) {
                prop_assert!(allowed.contains(name), "{} is not allowed", name);
                prop_assert!(!scenario.object.is_deleting());
            }
        }
    }

    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_do(world in any_world()) {
        harness::check_second_run_is_quiet(&world, &world.to_string());
    }

    #[test]
    fn whatever_became_of_a_plan_there_is_a_status_and_what_was_begun_is_remembered(world in any_world(), works in any::<bool>()) {
        let scenario = Scenario::read(&world);
        let planned = plan(&scenario.input());
        let mut records = scenario.records.clone();
        records.extend(intents(&planned, &records));
        let outcomes = if works { scenario.outcomes(&planned, &Value::Null) } else { std::collections::BTreeMap::new() };
        let status = fold(&planned, &outcomes, None);
        let changes = settle(&planned, &outcomes, &status, &records);
        for (name, cluster) in &planned.clusters {
            let remembered = !changes.drop.contains(name) && (changes.put.contains_key(name) || records.contains_key(name));
            match (&cluster.step, outcomes.get(name)) {
                (Step::Apply(_), _) => prop_assert!(remembered, "{} is forgotten", name),
                (Step::Delete { .. }, Some(Outcome::Deleted { gone: true })) => prop_assert!(!remembered),
                (Step::Delete { .. }, _) => prop_assert!(remembered, "{} is forgotten", name),
                _ => {}
            }
        }
        for note in events(scenario.kind, &planned, &outcomes, Some(&status)) {
            // With the status that it led to, only what was done is told.
            prop_assert!(!note.warning, "{:?} is told again", note);
        }
    }
}
