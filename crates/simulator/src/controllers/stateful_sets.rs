//! `StatefulSets`: pods with numbers, one after the other.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::replica_sets::adopt;
use super::templates::{self, count, hash, is_available, is_over, is_ready};
use crate::catalog::Kind;
use crate::engine::{Plan, Write};
use crate::fields::{is_controlled_by, is_deleting, items, label, name, namespace, number, uid};

const REVISION: &str = "controller-revision-hash";
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

/// What should follow from a `StatefulSet`. `pods` and `claims` are those of its namespace.
pub(super) fn plan(set: &Arc<Value>, pods: &[Arc<Value>], claims: &[Arc<Value>], now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    adopt(set, pods, Kind::Pod, &mut plan);
    let revision = format!("{}-{}", name(set), hash(&set["spec"]["template"]));
    let mut own: Vec<(i64, &Arc<Value>)> = pods
        .iter()
        .filter(|pod| is_controlled_by(pod, uid(set)))
        .filter_map(|pod| Some((ordinal(set, pod)?, pod)))
        .collect();
    own.sort_by_key(|(ordinal, _)| *ordinal);
    let first = number(&set["spec"]["ordinals"]["start"]);
    let wanted = first..first + number(&set["spec"]["replicas"]);
    if plan.writes.is_empty() {
        move_on(set, &own, &wanted, &revision, claims, &mut plan);
    }
    let min_ready = &set["spec"]["minReadySeconds"];
    let all: Vec<&Arc<Value>> = own.iter().map(|(_, pod)| *pod).collect();
    plan.again = templates::next_available(&all, min_ready, now);
    let new = with_status(set, &all, &revision, now);
    plan.update(Kind::StatefulSet, set, new);
    plan
}

/// The number in a pod's name.
fn ordinal(set: &Value, pod: &Value) -> Option<i64> {
    name(pod).strip_prefix(name(set))?.strip_prefix('-')?.parse().ok()
}

/// Makes what is missing, gives up what is too much, replaces what is of an old template: in order, one at a time,
/// unless the set wants all at once.
fn move_on(
    set: &Arc<Value>,
    own: &[(i64, &Arc<Value>)],
    wanted: &std::ops::Range<i64>,
    revision: &str,
    claims: &[Arc<Value>],
    plan: &mut Plan,
) {
    let in_order = set["spec"]["podManagementPolicy"] != "Parallel";
    let delete = |plan: &mut Plan, pod: &Arc<Value>| {
        plan.writes.push(Write::Delete {
            kind: Kind::Pod,
            object: pod.clone(),
        });
    };
    for index in wanted.clone() {
        let found = own.iter().find(|(ordinal, _)| *ordinal == index).map(|(_, pod)| *pod);
        match found {
            None => make(set, index, revision, claims, plan),
            Some(pod) if is_over(pod) && !is_deleting(pod) => delete(plan, pod),
            Some(pod) if is_ready(pod) && !is_deleting(pod) => continue,
            Some(_) => {}
        }
        if in_order {
            return;
        }
    }
    if own.iter().any(|(_, pod)| is_deleting(pod)) && in_order {
        return;
    }
    for (_, pod) in own.iter().rev().filter(|(ordinal, _)| !wanted.contains(ordinal)) {
        if !is_deleting(pod) {
            delete(plan, pod);
            if in_order {
                return;
            }
        }
    }
    let strategy = &set["spec"]["updateStrategy"];
    if strategy["type"] == "OnDelete" {
        return;
    }
    let partition = number(&strategy["rollingUpdate"]["partition"]);
    for (ordinal, pod) in own.iter().rev() {
        if *ordinal < partition || !wanted.contains(ordinal) {
            continue;
        }
        if label(pod, REVISION) != revision && !is_deleting(pod) {
            delete(plan, pod);
            return;
        }
        if !is_ready(pod) || is_deleting(pod) {
            return;
        }
    }
}

fn make(set: &Arc<Value>, index: i64, revision: &str, claims: &[Arc<Value>], plan: &mut Plan) {
    let own_name = format!("{}-{index}", name(set));
    let mut pod = templates::pod(set, &set["spec"]["template"]);
    pod["metadata"]["name"] = own_name.as_str().into();
    pod["spec"]["hostname"] = own_name.as_str().into();
    if !set["spec"]["serviceName"].is_null() {
        pod["spec"]["subdomain"] = set["spec"]["serviceName"].clone();
    }
    let labels = &mut pod["metadata"]["labels"];
    labels[REVISION] = revision.into();
    labels[POD_NAME] = own_name.as_str().into();
    labels[POD_INDEX] = index.to_string().into();
    let mut volumes = items(&pod["spec"]["volumes"]).to_vec();
    for template in items(&set["spec"]["volumeClaimTemplates"]) {
        let claim_name = format!("{}-{own_name}", name(template));
        volumes.retain(|volume| volume["name"] != template["metadata"]["name"]);
        volumes.push(json!({"name": name(template), "persistentVolumeClaim": {"claimName": claim_name}}));
        if !claims.iter().any(|claim| name(claim) == claim_name) {
            let mut labels = template["metadata"]["labels"].clone();
            for (key, value) in set["spec"]["selector"]["matchLabels"].as_object().into_iter().flatten() {
                labels[key] = value.clone();
            }
            plan.writes.push(Write::Create {
                kind: Kind::PersistentVolumeClaim,
                object: json!({"metadata": {"name": claim_name, "namespace": namespace(set), "labels": labels}, "spec": template["spec"]}),
            });
        }
    }
    if !volumes.is_empty() {
        pod["spec"]["volumes"] = volumes.into();
    }
    plan.writes.push(Write::Create {
        kind: Kind::Pod,
        object: pod,
    });
}

fn with_status(set: &Value, pods: &[&Arc<Value>], revision: &str, now: Timestamp) -> Value {
    let mut new = set.clone();
    if !new["status"].is_object() {
        new["status"] = json!({});
    }
    let status = &mut new["status"];
    let number_of = |is: &dyn Fn(&Value) -> bool| {
        i64::try_from(pods.iter().filter(|pod| !is_deleting(pod) && is(pod)).count()).unwrap_or_default()
    };
    let replicas = number_of(&|_| true);
    let updated = number_of(&|pod| label(pod, REVISION) == revision);
    if status["currentRevision"].is_null() || updated == replicas && replicas == number(&set["spec"]["replicas"]) {
        status["currentRevision"] = revision.into();
    }
    let current = status["currentRevision"].as_str().unwrap_or_default().to_owned();
    status["updateRevision"] = revision.into();
    status["replicas"] = replicas.into();
    count(status, "readyReplicas", number_of(&is_ready));
    count(
        status,
        "currentReplicas",
        number_of(&|pod| label(pod, REVISION) == current),
    );
    count(status, "updatedReplicas", updated);
    status["availableReplicas"] = number_of(&|pod| is_available(pod, &set["spec"]["minReadySeconds"], now)).into();
    status["collisionCount"] = 0.into();
    status["observedGeneration"] = set["metadata"]["generation"].clone();
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(replicas: i64, policy: &str, image: &str) -> Arc<Value> {
        let mut object = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "data", "uid": "s", "generation": 1},
            "spec": {"replicas": replicas, "serviceName": "db", "podManagementPolicy": policy, "selector": {"matchLabels": {"app": "db"}},
                "volumeClaimTemplates": [{"metadata": {"name": "disk"}, "spec": {"accessModes": ["ReadWriteOnce"]}}],
                "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c", "image": image}]}}}});
        crate::admission::defaults::complete_new(Kind::StatefulSet, &mut object);
        Arc::new(object)
    }

    fn now() -> Timestamp {
        "2026-01-01T01:00:00Z".parse().unwrap()
    }

    /// Plays on until nothing is written: pods that are made serve, those that are deleted are gone.
    fn settle(mut set: Arc<Value>, pods: &mut Vec<Arc<Value>>) -> (Arc<Value>, Vec<String>) {
        let mut story = Vec::new();
        for _ in 0..40 {
            let plan = plan(&set, pods, &[], now());
            if plan.writes.is_empty() {
                return (set, story);
            }
            for write in plan.writes {
                match write {
                    Write::Create {
                        kind: Kind::Pod,
                        mut object,
                    } => {
                        story.push(format!("+{}", name(&object)));
                        object["status"] = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]});
                        pods.push(Arc::new(object));
                    }
                    Write::Create { .. } => {}
                    Write::Delete { object, .. } => {
                        story.push(format!("-{}", name(&object)));
                        pods.retain(|pod| name(pod) != name(&object));
                    }
                    Write::Update { new, .. } => set = Arc::new(new),
                }
            }
        }
        panic!("the set never comes to rest: {story:?}");
    }

    #[test]
    fn pods_come_and_go_in_the_order_of_their_numbers() {
        let mut pods = Vec::new();
        let (_, story) = settle(set(3, "OrderedReady", "db:1"), &mut pods);
        assert_eq!(story, ["+db-0", "+db-1", "+db-2"]);
        let (fewer, story) = settle(set(1, "OrderedReady", "db:1"), &mut pods);
        assert_eq!(story, ["-db-2", "-db-1"]);
        assert_eq!(fewer["status"]["readyReplicas"], 1);
    }

    #[test]
    fn an_update_replaces_pods_from_the_last_to_the_first() {
        let mut pods = Vec::new();
        settle(set(2, "OrderedReady", "db:1"), &mut pods);
        let (set, story) = settle(set(2, "OrderedReady", "db:2"), &mut pods);
        assert_eq!(story, ["-db-1", "+db-1", "-db-0", "+db-0"]);
        assert_eq!(set["status"]["currentRevision"], set["status"]["updateRevision"]);
        assert_eq!(set["status"]["updatedReplicas"], 2);
    }

    #[test]
    fn each_pod_claims_a_disk_of_its_own() {
        let plan = plan(&set(1, "OrderedReady", "db:1"), &[], &[], now());
        let Some(Write::Create {
            kind: Kind::PersistentVolumeClaim,
            object,
        }) = plan.writes.first()
        else {
            panic!("{:?}", plan.writes)
        };
        assert_eq!(name(object), "disk-db-0");
    }
}
