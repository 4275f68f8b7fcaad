use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn schema() -> Schema {
    Schema::built_in("apps", "v1", "Deployment").unwrap()
}

fn options(manager: &str, force: bool) -> ApplyOptions<'_> {
    ApplyOptions {
        manager,
        force,
        subresource: "",
        now: "2026-01-01T00:00:00Z",
    }
}

fn applied(live: &Value, config: &Value, manager: &str) -> Value {
    apply(live, config, &schema(), &options(manager, false)).unwrap()
}

fn deployment(spec: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
}

fn containers(items: Value) -> Value {
    json!({"template": {"spec": {"containers": items}}})
}

#[test]
fn a_field_no_longer_stated_goes_unless_somebody_else_owns_it() {
    let live = applied(&Value::Null, &deployment(json!({"replicas": 2, "paused": true})), "a");
    let live = applied(&live, &deployment(json!({"paused": true})), "b");
    let live = applied(&live, &deployment(json!({})), "a");
    assert_eq!(live["spec"], json!({"paused": true}));
}

#[test]
fn another_s_value_is_a_conflict_that_force_takes_over() {
    let live = applied(&Value::Null, &deployment(json!({"replicas": 2})), "a");
    let status = apply(
        &live,
        &deployment(json!({"replicas": 3})),
        &schema(),
        &options("b", false),
    )
    .unwrap_err();
    let causes = &status.details.as_ref().unwrap().causes;
    assert_eq!(
        (causes[0].reason.as_str(), causes[0].field.as_str()),
        ("FieldManagerConflict", ".spec.replicas")
    );
    assert_eq!(causes[0].message, "conflict with \"a\"");
    let live = apply(
        &live,
        &deployment(json!({"replicas": 3})),
        &schema(),
        &options("b", true),
    )
    .unwrap();
    assert_eq!(live["spec"]["replicas"], 3);
    assert_eq!(live["metadata"]["managedFields"].as_array().unwrap().len(), 1);
}

#[test]
fn the_same_value_is_shared() {
    let live = applied(&Value::Null, &deployment(json!({"replicas": 2})), "a");
    let live = applied(&live, &deployment(json!({"replicas": 2})), "b");
    assert_eq!(live["metadata"]["managedFields"].as_array().unwrap().len(), 2);
}

#[test]
fn containers_are_merged_and_removed_by_name() {
    let live = applied(
        &Value::Null,
        &deployment(containers(
            json!([{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]),
        )),
        "x",
    );
    let live = applied(
        &live,
        &deployment(containers(json!([{"name": "c", "image": "c:1"}]))),
        "y",
    );
    let live = applied(
        &live,
        &deployment(containers(json!([{"name": "a", "image": "a:2"}]))),
        "x",
    );
    let found = &live["spec"]["template"]["spec"]["containers"];
    assert_eq!(
        *found,
        json!([{"name": "a", "image": "a:2"}, {"name": "c", "image": "c:1"}])
    );
}

#[test]
fn new_items_come_before_the_next_that_is_there() {
    let names = |live: &Value| -> String {
        let items = live["spec"]["template"]["spec"]["containers"].as_array().unwrap();
        items.iter().map(|item| item["name"].as_str().unwrap()).collect()
    };
    let live = applied(
        &Value::Null,
        &deployment(containers(json!([{"name": "a"}, {"name": "c"}]))),
        "x",
    );
    let config = deployment(containers(json!([{"name": "b"}, {"name": "c"}, {"name": "d"}])));
    let live = applied(&live, &config, "y");
    assert_eq!(names(&live), "abcd");
    assert_eq!(applied(&live, &config, "y"), live);
}

#[test]
fn an_update_owns_what_it_changed() {
    let old = applied(&Value::Null, &deployment(json!({"replicas": 2, "paused": true})), "a");
    let mut new = old.clone();
    new["spec"]["replicas"] = json!(5);
    record_update(
        Some(&old),
        &mut new,
        &schema(),
        "kubectl-scale",
        "",
        "2026-01-02T00:00:00Z",
    );
    let entries = new["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(entries[0]["fieldsV1"], json!({"f:spec": {"f:paused": {}}}));
    assert_eq!(entries[1]["fieldsV1"], json!({"f:spec": {"f:replicas": {}}}));
    let status = apply(
        &new,
        &deployment(json!({"replicas": 2, "paused": true})),
        &schema(),
        &options("a", false),
    )
    .unwrap_err();
    assert!(status.message.contains("kubectl-scale"), "{}", status.message);
}

fn spec() -> impl Strategy<Value = Value> {
    (
        proptest::option::of(0..3),
        proptest::option::of(any::<bool>()),
        proptest::collection::btree_map("[a-c]", "[x-z]", 0..3),
    )
        .prop_map(|(replicas, paused, images)| {
            let items: Vec<Value> = images
                .iter()
                .map(|(name, image)| json!({"name": name, "image": image}))
                .collect();
            let mut spec = json!({});
            if let Some(replicas) = replicas {
                spec["replicas"] = json!(replicas);
            }
            if let Some(paused) = paused {
                spec["paused"] = json!(paused);
            }
            if !items.is_empty() {
                spec["template"] = containers(json!(items))["template"].clone();
            }
            spec
        })
}

proptest! {
    #[test]
    fn applying_again_changes_nothing(first in spec(), second in spec()) {
        let live = apply(&Value::Null, &deployment(first), &schema(), &options("a", true)).unwrap();
        let live = apply(&live, &deployment(second.clone()), &schema(), &options("b", true)).unwrap();
        let again = apply(&live, &deployment(second), &schema(), &ApplyOptions { now: "2027-01-01T00:00:00Z", ..options("b", true) }).unwrap();
        prop_assert_eq!(live, again);
    }

    #[test]
    fn what_is_applied_is_there(first in spec(), second in spec()) {
        let live = apply(&Value::Null, &deployment(first), &schema(), &options("a", true)).unwrap();
        let live = apply(&live, &deployment(second.clone()), &schema(), &options("b", true)).unwrap();
        let mut merged = live.clone();
        merge::merge(&mut merged, &deployment(second), schema().node());
        prop_assert_eq!(live, merged);
    }

    #[test]
    fn what_one_alone_owned_goes_with_its_configuration(first in spec(), second in spec()) {
        let live = apply(&Value::Null, &deployment(first), &schema(), &options("a", true)).unwrap();
        let live = apply(&live, &deployment(second.clone()), &schema(), &options("a", true)).unwrap();
        let fresh = apply(&Value::Null, &deployment(second), &schema(), &options("a", true)).unwrap();
        prop_assert_eq!(live, fresh);
    }

    #[test]
    fn every_field_has_the_owners_that_stated_it(mine in spec(), theirs in spec()) {
        let live = apply(&Value::Null, &deployment(mine.clone()), &schema(), &options("a", true)).unwrap();
        let live = apply(&live, &deployment(theirs.clone()), &schema(), &options("b", true)).unwrap();
        let managers = Managers::read(&live["metadata"]["managedFields"]);
        let owned = managers.iter().fold(FieldSet::default(), |all, one| all.union(&one.fields));
        prop_assert!(FieldSet::of(&bare(&live), schema().node()).without(&owned).is_empty());
        let shown = tree::existing(&owned, &live, schema().node());
        prop_assert_eq!(shown, owned, "nobody owns what is not there");
    }

    #[test]
    fn applying_nothing_leaves_what_others_own(mine in spec(), theirs in spec()) {
        let alone = apply(&Value::Null, &deployment(theirs.clone()), &schema(), &options("b", true)).unwrap();
        let live = apply(&Value::Null, &deployment(mine), &schema(), &options("a", true)).unwrap();
        let live = apply(&live, &deployment(theirs), &schema(), &options("b", true)).unwrap();
        let live = apply(&live, &deployment(json!({})), &schema(), &options("a", true)).unwrap();
        prop_assert_eq!(&live["spec"]["replicas"], &alone["spec"]["replicas"]);
        prop_assert_eq!(&live["spec"]["paused"], &alone["spec"]["paused"]);
    }
}
