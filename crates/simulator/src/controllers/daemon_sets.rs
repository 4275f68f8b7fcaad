//! `DaemonSets`: one pod on each node that fits.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::templates::{self, hash, is_available, is_over, is_ready};
use crate::catalog::Kind;
use crate::engine::{Plan, Write};
use crate::fields::{is_deleting, items, label, name, number, share};
use crate::selection::{fits_node, tolerates};

const REVISION: &str = "controller-revision-hash";

/// Taints that every pod of a `DaemonSet` tolerates: it belongs to the node, not to the load on it.
const TOLERATED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// What should follow from a `DaemonSet`.
pub(super) fn plan(set: &Arc<Value>, pods: &[Arc<Value>], nodes: &[Arc<Value>], now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let revision = hash(&set["spec"]["template"]);
    let spec = with_tolerations(&set["spec"]["template"]["spec"]);
    let (fitting, others): (Vec<&Arc<Value>>, Vec<&Arc<Value>>) =
        nodes.iter().partition(|node| belongs_on(&spec, node));
    let on = |node: &Value| -> Vec<&Arc<Value>> {
        pods.iter()
            .filter(|pod| pod["spec"]["nodeName"] == name(node) && !is_deleting(pod))
            .collect()
    };
    let mut chosen = Vec::new();
    for node in &fitting {
        let there = on(node);
        if there.is_empty() {
            // A pod that is still going leaves first.
            if !pods.iter().any(|pod| pod["spec"]["nodeName"] == name(node)) {
                plan.writes.push(Write::Create {
                    kind: Kind::Pod,
                    object: pod_on(set, &spec, node, &revision),
                });
            }
        }
        for (index, pod) in there.into_iter().enumerate() {
            if index > 0 || is_over(pod) {
                delete(&mut plan, pod);
            } else {
                chosen.push(pod);
            }
        }
    }
    for node in &others {
        for pod in on(node) {
            delete(&mut plan, pod);
        }
    }
    let desired = i64::try_from(fitting.len()).unwrap_or_default();
    let min_ready = &set["spec"]["minReadySeconds"];
    let number_of =
        |is: &dyn Fn(&Value) -> bool| i64::try_from(chosen.iter().filter(|pod| is(pod)).count()).unwrap_or_default();
    let available = number_of(&|pod| is_available(pod, min_ready, now));
    let strategy = &set["spec"]["updateStrategy"];
    if strategy["type"] != "OnDelete" {
        let most = share(&strategy["rollingUpdate"]["maxUnavailable"], desired, true).max(1);
        let mut may_go = most - (desired - available);
        for pod in chosen.iter().filter(|pod| label(pod, REVISION) != revision) {
            let costs = i64::from(is_ready(pod));
            if costs <= may_go.max(0) {
                may_go -= costs;
                delete(&mut plan, pod);
            }
        }
    }
    plan.again = templates::next_available(&chosen, min_ready, now);
    let mut new = (**set).clone();
    if !new["status"].is_object() {
        new["status"] = json!({});
    }
    let status = &mut new["status"];
    status["currentNumberScheduled"] = number_of(&|_| true).into();
    status["desiredNumberScheduled"] = desired.into();
    status["numberMisscheduled"] = others.iter().map(|node| on(node).len()).sum::<usize>().into();
    status["numberReady"] = number_of(&is_ready).into();
    templates::count(
        status,
        "updatedNumberScheduled",
        number_of(&|pod| label(pod, REVISION) == revision),
    );
    templates::count(status, "numberAvailable", available);
    templates::count(status, "numberUnavailable", desired - available);
    status["observedGeneration"] = set["metadata"]["generation"].clone();
    plan.update(Kind::DaemonSet, set, new);
    plan
}

fn delete(plan: &mut Plan, pod: &Arc<Value>) {
    plan.writes.push(Write::Delete {
        kind: Kind::Pod,
        object: pod.clone(),
    });
}

fn with_tolerations(spec: &Value) -> Value {
    let mut spec = spec.clone();
    let mut tolerations = items(&spec["tolerations"]).to_vec();
    for (key, effect) in TOLERATED {
        tolerations.push(json!({"key": key, "operator": "Exists", "effect": effect}));
    }
    spec["tolerations"] = tolerations.into();
    spec
}

fn belongs_on(spec: &Value, node: &Value) -> bool {
    fits_node(spec, node)
        && items(&node["spec"]["taints"])
            .iter()
            .all(|taint| taint["effect"] == "PreferNoSchedule" || tolerates(spec, taint) || is_about_health(taint))
}

/// Taints that come and go with the health of the node.
fn is_about_health(taint: &Value) -> bool {
    number(&taint["tolerationSeconds"]) == 0
        && matches!(
            taint["key"].as_str(),
            Some("node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable")
        )
}

fn pod_on(set: &Value, spec: &Value, node: &Value, revision: &str) -> Value {
    let mut pod = templates::named_pod(set, &set["spec"]["template"]);
    pod["metadata"]["labels"][REVISION] = revision.into();
    pod["spec"] = spec.clone();
    pod["spec"]["nodeName"] = name(node).into();
    pod
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(image: &str) -> Arc<Value> {
        let mut object = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent", "namespace": "n", "uid": "d", "generation": 1},
            "spec": {"selector": {"matchLabels": {"app": "agent"}},
                "template": {"metadata": {"labels": {"app": "agent"}}, "spec": {"containers": [{"name": "c", "image": image}]}}}});
        crate::admission::defaults::complete_new(Kind::DaemonSet, &mut object);
        Arc::new(object)
    }

    fn node(name: &str, taint: Option<&str>) -> Arc<Value> {
        let mut node = json!({"metadata": {"name": name}, "spec": {}});
        if let Some(key) = taint {
            node["spec"]["taints"] = json!([{"key": key, "effect": "NoSchedule"}]);
        }
        Arc::new(node)
    }

    fn pod(set: &Value, node: &str) -> Arc<Value> {
        let ready = json!([{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
        Arc::new(
            json!({"metadata": {"name": node, "labels": {REVISION: hash(&set["spec"]["template"])}}, "spec": {"nodeName": node},
            "status": {"phase": "Running", "conditions": ready}}),
        )
    }

    fn now() -> Timestamp {
        "2026-01-01T01:00:00Z".parse().unwrap()
    }

    #[test]
    fn each_node_that_fits_gets_one_pod() {
        let nodes = [
            node("a", None),
            node("b", Some("dedicated")),
            node("c", Some("node.kubernetes.io/unschedulable")),
        ];
        let set = set("agent:1");
        let plan = plan(&set, &[pod(&set, "a")], &nodes, now());
        let made: Vec<&Value> = plan
            .writes
            .iter()
            .filter_map(|write| match write {
                Write::Create { object, .. } => Some(&object["spec"]["nodeName"]),
                _ => None,
            })
            .collect();
        assert_eq!(made, ["c"]);
    }

    #[test]
    fn an_update_takes_one_node_after_the_other() {
        let nodes = [node("a", None), node("b", None)];
        let old = set("agent:1");
        let plan = plan(&set("agent:2"), &[pod(&old, "a"), pod(&old, "b")], &nodes, now());
        let gone = plan
            .writes
            .iter()
            .filter(|write| matches!(write, Write::Delete { .. }))
            .count();
        assert_eq!(gone, 1);
    }
}
