//! `ReplicaSets`: as many pods as they ask for.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::templates::{self, count, is_active, is_available, is_ready};
use crate::catalog::Kind;
use crate::engine::{Plan, Write};
use crate::fields::{controller, controller_reference, is_controlled_by, name, number, uid};
use crate::selection;

/// Pods that are made or given up at a time.
const BURST: usize = 200;

/// What should follow from a `ReplicaSet`. `pods` are those of its namespace.
pub(super) fn plan(set: &Arc<Value>, pods: &[Arc<Value>], now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    adopt(set, pods, Kind::Pod, &mut plan);
    let own: Vec<&Arc<Value>> = pods
        .iter()
        .filter(|pod| is_controlled_by(pod, uid(set)) && is_active(pod))
        .collect();
    let wanted = usize::try_from(number(&set["spec"]["replicas"])).unwrap_or_default();
    if plan.writes.is_empty() {
        for _ in own.len()..wanted.min(own.len() + BURST) {
            plan.writes.push(Write::Create {
                kind: Kind::Pod,
                object: templates::named_pod(set, &set["spec"]["template"]),
            });
        }
        let surplus = own.len().saturating_sub(wanted).min(BURST);
        for pod in templates::by_worth(own.clone()).into_iter().take(surplus) {
            plan.events
                .push(("SuccessfulDelete", format!("Deleted pod: {}", name(pod))));
            plan.writes.push(Write::Delete {
                kind: Kind::Pod,
                object: pod.clone(),
            });
        }
    }
    let min_ready = &set["spec"]["minReadySeconds"];
    plan.again = templates::next_available(&own, min_ready, now);
    let mut new = (**set).clone();
    if !new["status"].is_object() {
        new["status"] = json!({});
    }
    let status = &mut new["status"];
    let labels = &set["spec"]["template"]["metadata"]["labels"];
    let number_of =
        |is: &dyn Fn(&Value) -> bool| i64::try_from(own.iter().filter(|pod| is(pod)).count()).unwrap_or_default();
    status["replicas"] = number_of(&|_| true).into();
    count(
        status,
        "fullyLabeledReplicas",
        number_of(&|pod| selection::has_labels(labels, &pod["metadata"]["labels"])),
    );
    count(status, "readyReplicas", number_of(&is_ready));
    count(
        status,
        "availableReplicas",
        number_of(&|pod| is_available(pod, min_ready, now)),
    );
    status["observedGeneration"] = set["metadata"]["generation"].clone();
    plan.update(Kind::ReplicaSet, set, new);
    plan
}

/// Takes over what fits the selector of an owner and has nobody else.
pub(super) fn adopt(owner: &Value, objects: &[Arc<Value>], kind: Kind, plan: &mut Plan) {
    for orphan in objects {
        let fits = controller(orphan).is_none()
            && !crate::fields::is_deleting(orphan)
            && !orphan["metadata"]["labels"].is_null()
            && selection::matches(&owner["spec"]["selector"], &orphan["metadata"]["labels"]);
        if !fits || kind == Kind::Pod && !is_active(orphan) {
            continue;
        }
        let mut adopted = (**orphan).clone();
        if let Some(list) = adopted["metadata"]["ownerReferences"].as_array_mut() {
            list.push(controller_reference(owner));
        } else {
            adopted["metadata"]["ownerReferences"] = json!([controller_reference(owner)]);
        }
        plan.update(kind, orphan, adopted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(replicas: i64) -> Arc<Value> {
        Arc::new(
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "s", "namespace": "n", "uid": "u", "generation": 3},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}}}),
        )
    }

    fn pod(name: &str, ready: bool, owner: Option<&str>) -> Arc<Value> {
        let status = if ready { "True" } else { "False" };
        let mut pod = json!({"metadata": {"name": name, "namespace": "n", "uid": name, "labels": {"a": "b"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"nodeName": "n"}, "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": status, "lastTransitionTime": "2026-01-01T00:00:00Z"}]}});
        if let Some(uid) = owner {
            pod["metadata"]["ownerReferences"] = json!([{"controller": true, "uid": uid}]);
        }
        Arc::new(pod)
    }

    fn now() -> Timestamp {
        "2026-01-01T01:00:00Z".parse().unwrap()
    }

    #[test]
    fn what_is_missing_is_made_and_what_is_too_much_goes_least_worth_first() {
        let made = plan(&set(3), &[pod("one", true, Some("u"))], now());
        let creates = made
            .writes
            .iter()
            .filter(|write| matches!(write, Write::Create { .. }))
            .count();
        assert_eq!(creates, 2);
        let fewer = plan(
            &set(1),
            &[pod("one", true, Some("u")), pod("two", false, Some("u"))],
            now(),
        );
        let deleted: Vec<&str> = fewer
            .writes
            .iter()
            .filter_map(|write| match write {
                Write::Delete { object, .. } => Some(name(object)),
                _ => None,
            })
            .collect();
        assert_eq!(deleted, ["two"]);
    }

    #[test]
    fn the_status_counts_pods_of_this_set_alone() {
        let pods = [
            pod("one", true, Some("u")),
            pod("two", false, Some("u")),
            pod("other", true, Some("x")),
        ];
        let plan = plan(&set(2), &pods, now());
        let [Write::Update { new, .. }] = plan.writes.as_slice() else {
            panic!("{:?}", plan.writes)
        };
        assert_eq!(
            new["status"],
            json!({"replicas": 2, "fullyLabeledReplicas": 2, "readyReplicas": 1, "availableReplicas": 1, "observedGeneration": 3})
        );
    }

    #[test]
    fn a_pod_that_nobody_controls_is_adopted_before_another_is_made() {
        let plan = plan(&set(1), &[pod("orphan", true, None)], now());
        let Some(Write::Update {
            kind: Kind::Pod, new, ..
        }) = plan.writes.first()
        else {
            panic!("{:?}", plan.writes)
        };
        assert_eq!(new["metadata"]["ownerReferences"][0]["uid"], "u");
        assert!(!plan.writes.iter().any(|write| matches!(write, Write::Create { .. })));
    }
}
