//! The status of a `ReplicaSchedulingPreference`: who gets how many and why, and what found no place. KubeFed leaves it
//! empty, so that nobody learns why a cluster got nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::PreferenceObject;
use crate::replicas::{self, ReplicaPlan};
use crate::{Cluster, ClusterName, Plan};

/// The status after this plan of the object that the preference is about. `clusters` are all that are registered,
/// `previous` is the status so far: where nothing is new, nothing changes.
pub fn preference_status(
    preference: &PreferenceObject,
    clusters: &BTreeMap<ClusterName, Cluster>,
    plan: &Plan,
    previous: Option<&Value>,
) -> Value {
    let Some(shares) = &plan.replicas else {
        let (reason, message) = match &plan.whole {
            Some((reason, message)) => (reason.as_str(), message.clone()),
            None => ("NotPlanned", "the object is on its way out".to_owned()),
        };
        return status(preference, plan.at, (reason, &message), &[], None, previous);
    };
    let key = format!("{}/{}", preference.namespace, preference.name);
    let reasons = replicas::reasons(&key, &preference.preference, shares);
    let entries: Vec<Value> = names(preference, clusters, shares)
        .into_iter()
        .map(|name| entry(clusters, shares, &reasons, &name))
        .collect();
    let unplaced = shares.unplaced.max(0);
    let (reason, message) = if unplaced > 0 {
        let message = format!(
            "{unplaced} of {} replicas found no place; see the reasons cluster by cluster",
            preference.preference.total_replicas
        );
        ("Unplaced", message)
    } else {
        ("", String::new())
    };
    status(
        preference,
        plan.at,
        (reason, &message),
        &entries,
        Some(unplaced),
        previous,
    )
}

/// The status of a preference without an object of its name, or whose kind is not served.
pub fn preference_without_target(preference: &PreferenceObject, now: Timestamp, previous: Option<&Value>) -> Value {
    let PreferenceObject {
        namespace,
        name,
        target_kind,
        ..
    } = preference;
    let message = format!("there is no {target_kind} {name} in namespace {namespace}");
    status(preference, now, ("TargetNotFound", &message), &[], None, previous)
}

fn status(
    preference: &PreferenceObject,
    now: Timestamp,
    (reason, message): (&str, &str),
    entries: &[Value],
    unplaced: Option<i64>,
    previous: Option<&Value>,
) -> Value {
    let word = if reason.is_empty() { "True" } else { "False" };
    let last = previous.map(|previous| &previous["conditions"][0]);
    let same = last.filter(|last| last["status"] == word && last["reason"].as_str().unwrap_or_default() == reason);
    let since = same
        .map(|last| last["lastTransitionTime"].clone())
        .filter(Value::is_string);
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let mut condition = json!({
        "type": "Scheduled",
        "status": word,
        "lastTransitionTime": since.unwrap_or_else(|| json!(now.to_string())),
    });
    if !reason.is_empty() {
        condition["reason"] = json!(reason);
        condition["message"] = json!(message);
    }
    let mut status = json!({
        "observedGeneration": preference.generation,
        "conditions": [condition],
    });
    if let Some(unplaced) = unplaced {
        let placed: i64 = entries.iter().filter_map(|entry| entry["replicas"].as_i64()).sum();
        status["placedReplicas"] = json!(placed);
        status["unplacedReplicas"] = json!(unplaced);
        status["clusters"] = json!(entries);
    }
    status
}

/// Clusters that a share was worked out for, and those that the preference names.
fn names(
    preference: &PreferenceObject,
    clusters: &BTreeMap<ClusterName, Cluster>,
    shares: &ReplicaPlan,
) -> BTreeSet<String> {
    let planned = shares.plan.keys().map(ToString::to_string);
    let named = preference
        .preference
        .clusters
        .keys()
        .filter(|name| *name != "*")
        .cloned();
    let registered = clusters.keys().map(ToString::to_string);
    planned.chain(named).chain(registered).collect()
}

fn entry(
    clusters: &BTreeMap<ClusterName, Cluster>,
    shares: &ReplicaPlan,
    reasons: &BTreeMap<ClusterName, String>,
    name: &str,
) -> Value {
    let (Some(replicas), Some(why)) = (shares.plan.get(name), reasons.get(name)) else {
        let why = match clusters.get(name) {
            None => "no cluster of this name is registered",
            Some(cluster) if !cluster.keeps_share => "has been away for longer than the delay",
            Some(_) => "the object is not placed there",
        };
        return json!({"name": name, "replicas": 0, "reason": why});
    };
    let mut entry = json!({"name": name, "replicas": replicas, "reason": why});
    if let Some(overflow) = shares.overflow.get(name).filter(|overflow| **overflow > 0) {
        entry["overflow"] = json!(overflow);
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replicas::AvailableCluster;
    use crate::{FederatedObject, Input, Reason, Scope, types};

    fn name(text: &str) -> ClusterName {
        ClusterName::parse(text).unwrap()
    }

    fn at() -> Timestamp {
        "2026-01-02T03:04:05.678Z".parse().unwrap()
    }

    fn preference(spec: Value) -> PreferenceObject {
        PreferenceObject::read(
            &json!({"metadata": {"name": "web", "namespace": "shop", "generation": 2}, "spec": spec}),
        )
        .unwrap()
    }

    fn clusters(names: &[&str]) -> BTreeMap<ClusterName, Cluster> {
        let ready = |text: &&str| (name(text), Cluster::ready(name(text), BTreeMap::new()));
        names.iter().map(ready).collect()
    }

    /// A plan of nothing but these shares.
    fn plan(preference: &PreferenceObject, available: &[(&str, Option<i64>)]) -> Plan {
        let kind = types::find("deployments.apps").unwrap();
        let object = FederatedObject::parse(
            kind,
            &json!({"apiVersion": "types.kubefed.io/v1beta1", "kind": "FederatedDeployment",
                "metadata": {"name": "web", "namespace": "shop", "uid": "1", "generation": 1}, "spec": {}}),
        )
        .unwrap();
        let (none, nothing, nobody, empty, contents, managed) = (
            BTreeMap::new(),
            BTreeMap::new(),
            BTreeMap::new(),
            BTreeMap::new(),
            BTreeMap::new(),
            BTreeMap::new(),
        );
        let input = Input {
            now: at(),
            hub_uid: "hub",
            scope: Scope::Cluster,
            adopt_resources: true,
            kind,
            object: &object,
            namespace: None,
            clusters: &none,
            observed: &nothing,
            records: &nobody,
            preference: None,
            pods: &empty,
            managed: &managed,
            contents: &contents,
            drifts: &BTreeMap::new(),
            fights: &BTreeMap::new(),
            held: None,
            confirmed: false,
        };
        let available: Vec<AvailableCluster> = available
            .iter()
            .map(|(text, capacity)| AvailableCluster {
                name: name(text),
                current: None,
                capacity: *capacity,
            })
            .collect();
        Plan {
            replicas: Some(replicas::plan("shop/web", &preference.preference, &available)),
            whole: None,
            ..Plan::new(&input)
        }
    }

    #[test]
    fn each_cluster_has_its_number_and_a_reason() {
        let preference = preference(
            json!({"targetKind": "FederatedDeployment", "totalReplicas": 9, "clusters": {
                "a": {"weight": 1, "maxReplicas": 2}, "b": {"minReplicas": 3}, "c": {"weight": 2}, "d": {"weight": 1}, "gone": {"weight": 1}, "e": {},
            }}),
        );
        let mut registered = clusters(&["a", "b", "c", "d", "e", "other", "away"]);
        registered.get_mut("away").unwrap().keeps_share = false;
        let plan = plan(
            &preference,
            &[("a", None), ("b", None), ("c", Some(3)), ("e", None), ("other", None)],
        );
        let status = preference_status(&preference, &registered, &plan, None);
        assert_eq!(
            status,
            json!({
                "observedGeneration": 2,
                "conditions": [{"type": "Scheduled", "status": "False", "reason": "Unplaced", "lastTransitionTime": "2026-01-02T03:04:05Z",
                    "message": "1 of 9 replicas found no place; see the reasons cluster by cluster"}],
                "placedReplicas": 8,
                "unplacedReplicas": 1,
                "clusters": [
                    {"name": "a", "replicas": 2, "reason": "has its maximum of 2"},
                    {"name": "away", "replicas": 0, "reason": "has been away for longer than the delay"},
                    {"name": "b", "replicas": 3, "reason": "its minimum of 3"},
                    {"name": "c", "replicas": 3, "overflow": 1, "reason": "has no room for 1 more"},
                    {"name": "d", "replicas": 0, "reason": "the object is not placed there"},
                    {"name": "e", "replicas": 0, "reason": "has no weight and no minimum"},
                    {"name": "gone", "replicas": 0, "reason": "no cluster of this name is registered"},
                    {"name": "other", "replicas": 0, "reason": "neither its name nor * stands in the preference"},
                ],
            })
        );
    }

    #[test]
    fn what_is_not_moved_is_not_called_a_part_by_weight() {
        let preference = preference(json!({"targetKind": "FederatedDeployment", "totalReplicas": 6}));
        let mut plan = plan(&preference, &[("a", None), ("b", None)]);
        let there = [there("a", 6, None), there("b", 0, None)];
        plan.replicas = Some(replicas::plan("shop/web", &preference.preference, &there));
        let reason = "its part by weight 1 would be 3; nothing is moved without rebalance";
        assert_eq!(reasons(&preference, &plan), [reason, reason]);
    }

    #[test]
    fn what_moved_for_want_of_room_is_not_called_unmoved() {
        let preference = preference(json!({"targetKind": "FederatedDeployment", "totalReplicas": 6}));
        let mut plan = plan(&preference, &[]);
        let there = [there("a", 1, Some(1)), there("b", 3, None)];
        plan.replicas = Some(replicas::plan("shop/web", &preference.preference, &there));
        assert_eq!(reasons(&preference, &plan), ["has room for 1", "its part by weight 1"]);
    }

    #[test]
    fn what_stays_because_pods_are_not_known_says_whose() {
        let preference = preference(json!({"targetKind": "FederatedDeployment", "totalReplicas": 12}));
        let mut plan = plan(&preference, &[("a", None), ("b", None)]);
        plan.replicas.as_mut().unwrap().unknown = [name("b")].into();
        let reason = "as it was last asked for: the pods in b cannot be read";
        assert_eq!(reasons(&preference, &plan), [reason, reason]);
    }

    fn there(text: &str, current: i64, capacity: Option<i64>) -> AvailableCluster {
        AvailableCluster {
            name: name(text),
            current: Some(current),
            capacity,
        }
    }

    fn reasons(preference: &PreferenceObject, plan: &Plan) -> Vec<String> {
        let status = preference_status(preference, &clusters(&["a", "b"]), plan, None);
        let entries = status["clusters"].as_array().unwrap();
        entries
            .iter()
            .map(|one| one["reason"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_status_that_says_nothing_new_does_not_change() {
        let preference = preference(json!({"targetKind": "FederatedDeployment", "totalReplicas": 2}));
        let mut plan = plan(&preference, &[("a", None), ("b", None)]);
        let first = preference_status(&preference, &clusters(&["a", "b"]), &plan, None);
        assert_eq!(first["conditions"][0]["status"], "True");
        assert_eq!(first["clusters"][0]["reason"], "its part by weight 1");
        plan.at = "2026-01-03T00:00:00Z".parse().unwrap();
        let second = preference_status(&preference, &clusters(&["a", "b"]), &plan, Some(&first));
        assert_eq!(first, second);
    }

    #[test]
    fn an_object_that_cannot_be_planned_or_is_not_there_says_so() {
        let preference = preference(json!({"targetKind": "FederatedDeployment", "totalReplicas": 2}));
        let mut plan = plan(&preference, &[]);
        plan.replicas = None;
        plan.whole = Some((Reason::InvalidOverrides, "no".to_owned()));
        let status = preference_status(&preference, &BTreeMap::new(), &plan, None);
        assert_eq!(status["conditions"][0]["reason"], "InvalidOverrides");
        assert_eq!(status["clusters"], Value::Null);
        let status = preference_without_target(&preference, at(), Some(&status));
        assert_eq!(status["conditions"][0]["reason"], "TargetNotFound");
        assert_eq!(
            status["conditions"][0]["message"],
            "there is no FederatedDeployment web in namespace shop"
        );
    }
}
