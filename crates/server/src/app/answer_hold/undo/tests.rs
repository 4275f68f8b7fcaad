//! What can be taken back, and what is refused with the way to do it by hand.

use atoll_controllers::HeldDelete;
use atoll_federation::TypeTable;
use serde_json::json;

use super::*;

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("types.kubefed.io", "federatedconfigmaps", "shop", name)
}

fn object(placement: Value) -> Arc<Value> {
    Arc::new(json!({"metadata": {"name": "a", "namespace": "shop"}, "spec": {"placement": placement}}))
}

fn listed(names: &[&str]) -> Value {
    let names: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
    json!({"clusters": names})
}

fn selected() -> Value {
    json!({"clusterSelector": {"matchLabels": {"tier": "gold"}}})
}

fn cluster(labels: Value) -> Arc<Value> {
    Arc::new(json!({"metadata": {"name": "eu-1", "labels": labels}}))
}

fn held(cause: HoldCause, deletes: &[(&str, &str)]) -> HeldChange {
    HeldChange {
        id: "t".into(),
        annotate: key("a"),
        token: "t".into(),
        deletes: deletes
            .iter()
            .map(|(name, cluster)| HeldDelete {
                kind: "FederatedConfigMap".into(),
                key: key(name),
                cluster: (*cluster).to_owned(),
                uid: "u".into(),
            })
            .collect(),
        message: String::new(),
        cause,
    }
}

fn known(now: &[(ObjectKey, Arc<Value>)], history: &[(ObjectKey, Vec<Arc<Value>>)]) -> Known {
    Known {
        now: now.iter().cloned().collect(),
        kinds: now
            .iter()
            .filter_map(|(key, _)| {
                let served = TypeTable::built_in().of_resource(&key.group, &key.resource)?;
                Some((key.clone(), served.row))
            })
            .collect(),
        history: history
            .iter()
            .map(|(key, bodies)| (key.clone(), bodies.iter().zip((1..=9).rev()).map(earlier).collect()))
            .collect(),
        labels: ["eu-1", "us-1"].map(|name| (name.to_owned(), BTreeMap::new())).into(),
    }
}

fn earlier((body, until): (&Arc<Value>, i64)) -> Earlier {
    Earlier {
        until: Revision(until),
        body: body.clone(),
    }
}

const BOTH: [(&str, &str); 2] = [("a", "eu-1"), ("a", "us-1")];

#[test]
fn the_latest_placement_that_goes_to_all_the_clusters_is_restored() {
    let before = vec![
        object(listed(&["eu-1"])),
        object(listed(&["eu-1", "us-1"])),
        object(listed(&["us-1", "eu-1"])),
    ];
    let known = known(&[(key("a"), object(listed(&[])))], &[(key("a"), before)]);
    let found = decide(&held(HoldCause::Object(key("a")), &BOTH), &known);
    assert_eq!(found, Ok(vec![Restore::Placement(key("a"), listed(&["eu-1", "us-1"]))]));
}

#[test]
fn without_history_the_refusal_says_what_to_write_where() {
    let known = known(&[(key("a"), object(listed(&[])))], &[]);
    let refused = decide(&held(HoldCause::Object(key("a")), &BOTH), &known).unwrap_err();
    assert!(refused.contains("federatedconfigmaps shop/a"), "{refused}");
    assert!(refused.contains("eu-1, us-1"), "{refused}");
}

#[test]
fn by_hand_a_federated_object_is_placed_by_its_placement_and_a_plain_one_by_its_annotation() {
    // As it was while a preference placed it, and as a plain object always is.
    let without = Arc::new(json!({"metadata": {"name": "a", "namespace": "shop"}, "spec": {"replicas": 2}}));
    let refused = |group: &str, resource: &str| {
        let key = ObjectKey::new(group, resource, "shop", "a");
        let mut held = held(HoldCause::Object(key.clone()), &BOTH);
        for delete in &mut held.deletes {
            delete.key = key.clone();
        }
        decide(&held, &known(&[(key, without.clone())], &[])).unwrap_err()
    };
    let federated = refused("types.kubefed.io", "federateddeployments");
    assert!(
        federated.ends_with("put eu-1, us-1 back into its spec.placement"),
        "{federated}"
    );
    let plain = refused("apps", "deployments");
    assert!(plain.contains("back into what its annotation"), "{plain}");
}

#[test]
fn a_deletion_is_not_taken_back() {
    let mut deleting = Value::clone(&object(listed(&["eu-1", "us-1"])));
    deleting["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let history = vec![object(listed(&["us-1", "eu-1"]))];
    let known = known(&[(key("a"), Arc::new(deleting))], &[(key("a"), history)]);
    let refused = decide(&held(HoldCause::Namespace("shop".into()), &BOTH), &known).unwrap_err();
    assert!(refused.contains("on its way out"), "{refused}");
}

#[test]
fn labels_of_a_cluster_come_back_when_they_put_every_object_back() {
    let gold = cluster(json!({"tier": "gold"}));
    let clusters = (Store::cluster_key("eu-1"), vec![gold]);
    let deletes = [("a", "eu-1"), ("b", "eu-1")];
    let cause = HoldCause::Cluster("eu-1".into());
    let by_label = [(key("a"), object(selected())), (key("b"), object(selected()))];
    let found = decide(
        &held(cause.clone(), &deletes),
        &known(&by_label, std::slice::from_ref(&clusters)),
    );
    let labels = [("tier".to_owned(), "gold".to_owned())].into();
    assert_eq!(found, Ok(vec![Restore::Labels("eu-1".into(), labels)]));

    let one_left = [(key("a"), object(selected())), (key("b"), object(listed(&[])))];
    let refused = decide(&held(cause, &deletes), &known(&one_left, &[clusters])).unwrap_err();
    assert!(refused.contains("eu-1"), "{refused}");
}

#[test]
fn many_objects_that_left_a_cluster_by_themselves_get_their_placements_back() {
    let deletes = [("a", "eu-1"), ("b", "eu-1")];
    let now = [(key("a"), object(listed(&[]))), (key("b"), object(listed(&["us-1"])))];
    let was = |names: &[&str]| vec![object(listed(names))];
    let history = [(key("a"), was(&["eu-1"])), (key("b"), was(&["eu-1", "us-1"]))];
    let found = decide(
        &held(HoldCause::Cluster("eu-1".into()), &deletes),
        &known(&now, &history),
    );
    assert_eq!(
        found,
        Ok(vec![
            Restore::Placement(key("a"), listed(&["eu-1"])),
            Restore::Placement(key("b"), listed(&["eu-1", "us-1"])),
        ])
    );
}

#[test]
fn the_latest_change_is_taken_back_and_no_older_one() {
    let was_listed = Earlier {
        until: Revision(2),
        body: object(listed(&["eu-1", "us-1"])),
    };
    let was_gold = |until: i64| Earlier {
        until: Revision(until),
        body: cluster(json!({"tier": "gold"})),
    };
    let mut known = known(&[(key("a"), object(selected()))], &[]);
    known.history.insert(key("a"), vec![was_listed]);
    known.history.insert(Store::cluster_key("eu-1"), vec![was_gold(5)]);
    let found = decide(&held(HoldCause::Object(key("a")), &[("a", "eu-1")]), &known);
    let gold: BTreeMap<String, String> = [("tier".to_owned(), "gold".to_owned())].into();
    assert_eq!(found, Ok(vec![Restore::Labels("eu-1".into(), gold)]));
    // The other way round the placement was changed last.
    known.history.insert(Store::cluster_key("eu-1"), vec![was_gold(1)]);
    let found = decide(&held(HoldCause::Object(key("a")), &[("a", "eu-1")]), &known);
    assert_eq!(found, Ok(vec![Restore::Placement(key("a"), listed(&["eu-1", "us-1"]))]));
}

#[test]
fn labels_that_a_cluster_got_since_stay() {
    let history = vec![cluster(json!({})), cluster(json!({"tier": "gold"}))];
    let mut known = known(
        &[(key("a"), object(selected()))],
        &[(Store::cluster_key("eu-1"), history)],
    );
    let labels = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    known.labels.insert("eu-1".into(), labels(&[("team", "x")]));
    let found = decide(&held(HoldCause::Cluster("eu-1".into()), &[("a", "eu-1")]), &known);
    let expected = labels(&[("team", "x"), ("tier", "gold")]);
    assert_eq!(found, Ok(vec![Restore::Labels("eu-1".into(), expected)]));
}

#[test]
fn changes_of_a_status_alone_are_no_history() {
    let with_status = |placement: Value, ready: i64| {
        let mut body = Value::clone(&object(placement));
        body["status"] = json!({"readyReplicas": ready});
        Arc::new(body)
    };
    let both = listed(&["eu-1", "us-1"]);
    let bodies = [
        with_status(listed(&["eu-1"]), 2),
        with_status(listed(&["eu-1"]), 1),
        with_status(both.clone(), 4),
        with_status(both.clone(), 3),
        with_status(listed(&["eu-1"]), 0),
    ];
    let kept = thinned(bodies.iter().zip((1..=5).rev()).map(earlier).collect());
    let told: Vec<(i64, &Value)> = kept
        .iter()
        .map(|one| (one.until.0, &one.body["spec"]["placement"]))
        .collect();
    // Each as it was last: until then it stood so.
    assert_eq!(told, [(5, &listed(&["eu-1"])), (3, &both), (1, &listed(&["eu-1"]))]);
}

#[test]
fn only_what_may_be_restored_is_looked_up() {
    let clusters = ["eu-1", "us-1"].map(Store::cluster_key);
    let with = |keys: &[ObjectKey]| keys.iter().chain(&clusters).cloned().collect::<BTreeSet<_>>();
    let deletes = [("a", "eu-1"), ("b", "us-1")];
    let of = |cause| blamed(&held(cause, &deletes));
    assert_eq!(of(HoldCause::Object(key("a"))), with(&[key("a")]));
    assert_eq!(of(HoldCause::Cluster("eu-1".into())), with(&[key("a"), key("b")]));
    // Not everything that lies in it.
    assert_eq!(of(HoldCause::Namespace("shop".into())), with(&[key("a")]));
}
