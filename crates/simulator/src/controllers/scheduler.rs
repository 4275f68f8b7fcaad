//! Finds a node for each pod.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::catalog::Kind;
use crate::engine::{Engine, Key, Placements, Requests};
use crate::fields::{is_true, items, name, set_condition};
use crate::objects::now_text;
use crate::quantity::milli_of;
use crate::selection::{fits_node, tolerates};

/// Puts a pod on a node, or states why there is none.
pub(super) fn place(engine: &mut Engine, key: &Key, pod: &Arc<Value>) {
    let nodes = engine.objects.list(Kind::Node, None);
    match choose(&pod["spec"], &nodes, &engine.placements) {
        Ok(node) => {
            let mut new = (**pod).clone();
            new["spec"]["nodeName"] = name(node).into();
            super::kubelet::accept(&mut new, node);
            if engine.objects.update(Kind::Pod, pod, new).is_ok() {
                engine.placements.place(pod, name(node));
                let message = format!("Successfully assigned {}/{} to {}", key.namespace, key.name, name(node));
                engine
                    .recorder
                    .record(&engine.objects, pod, "Normal", "Scheduled", &message);
            }
        }
        Err(why) => {
            engine.waiting.insert(key.clone());
            let mut new = (**pod).clone();
            let is_news = set_condition(&mut new, "PodScheduled", "False", "Unschedulable", &why, &now_text());
            if is_news && engine.objects.update(Kind::Pod, pod, new).is_ok() {
                engine
                    .recorder
                    .record(&engine.objects, pod, "Warning", "FailedScheduling", &why);
            }
        }
    }
}

/// The node with the fewest pods among those that fit.
fn choose<'a>(spec: &Value, nodes: &'a [Arc<Value>], placements: &Placements) -> Result<&'a Arc<Value>, String> {
    let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut fitting: Vec<&Arc<Value>> = Vec::new();
    for node in nodes {
        match misfit(spec, node, placements) {
            None => fitting.push(node),
            Some(reason) => *reasons.entry(reason).or_default() += 1,
        }
    }
    fitting
        .into_iter()
        .min_by_key(|node| {
            let load = placements.load(name(node));
            (
                load.map_or(0, |load| load.pods),
                load.map_or(0, |load| load.requests.cpu),
                name(node),
            )
        })
        .ok_or_else(|| {
            if nodes.is_empty() {
                return "no nodes available to schedule pods".into();
            }
            let list: Vec<String> = reasons
                .iter()
                .map(|(reason, count)| format!("{count} {reason}"))
                .collect();
            format!("0/{} nodes are available: {}.", nodes.len(), list.join(", "))
        })
}

/// Why a pod cannot be on a node.
fn misfit(spec: &Value, node: &Value, placements: &Placements) -> Option<&'static str> {
    let unschedulable = json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
    if node["spec"]["unschedulable"] == true && !tolerates(spec, &unschedulable) {
        return Some("node(s) were unschedulable");
    }
    let is_in_the_way = |taint: &&Value| taint["effect"] != "PreferNoSchedule" && !tolerates(spec, taint);
    if !is_true(node, "Ready") || items(&node["spec"]["taints"]).iter().any(|taint| is_in_the_way(&taint)) {
        return Some("node(s) had untolerated taint(s)");
    }
    if !fits_node(spec, node) {
        return Some("node(s) didn't match Pod's node affinity/selector");
    }
    let room = &node["status"]["allocatable"];
    let asked = Requests::of(spec);
    let (used, pods) = placements
        .load(name(node))
        .map_or((Requests::default(), 0), |load| (load.requests, load.pods));
    if (pods + 1) * 1000 > milli_of(&room["pods"]) {
        return Some("Too many pods");
    }
    if used.cpu + asked.cpu > milli_of(&room["cpu"]) {
        return Some("Insufficient cpu");
    }
    if used.memory + asked.memory > milli_of(&room["memory"]) {
        return Some("Insufficient memory");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, ready: &str) -> Arc<Value> {
        Arc::new(json!({"metadata": {"name": name, "labels": {"zone": name}}, "spec": {},
            "status": {"allocatable": {"cpu": "1", "memory": "1Gi", "pods": "2"}, "conditions": [{"type": "Ready", "status": ready}]}}))
    }

    fn asking(cpu: &str) -> Value {
        json!({"containers": [{"resources": {"requests": {"cpu": cpu}}}]})
    }

    fn placed(placements: &mut Placements, uid: &str, node: &str) {
        placements.place(&json!({"metadata": {"uid": uid}, "spec": asking("500m")}), node);
    }

    #[test]
    fn the_emptiest_ready_node_with_room_is_chosen() {
        let nodes = [node("a", "True"), node("b", "True"), node("c", "Unknown")];
        let mut placements = Placements::default();
        placed(&mut placements, "1", "a");
        assert_eq!(name(choose(&asking("500m"), &nodes, &placements).unwrap()), "b");
        let mut spec = asking("500m");
        spec["nodeSelector"] = json!({"zone": "a"});
        assert_eq!(name(choose(&spec, &nodes, &placements).unwrap()), "a");
    }

    #[test]
    fn a_pod_without_a_place_is_told_why() {
        let nodes = [node("a", "True"), node("b", "True"), node("c", "Unknown")];
        let mut placements = Placements::default();
        placed(&mut placements, "1", "a");
        placed(&mut placements, "2", "a");
        assert_eq!(
            choose(&asking("2"), &nodes, &placements).unwrap_err(),
            "0/3 nodes are available: 1 Insufficient cpu, 1 Too many pods, 1 node(s) had untolerated taint(s)."
        );
        assert_eq!(
            choose(&asking("1"), &[], &placements).unwrap_err(),
            "no nodes available to schedule pods"
        );
    }
}
