//! One kind, one way to sum up.

use serde_json::{Map, Value, json};

use super::super::ingresses::addresses;
use super::kept::NODES;
use crate::status::ClusterStatus;
use crate::{FederatedStatus, TypeDescriptor};

/// A place of times in statuses: RFC 3339 in UTC, so that texts sort as times do.
type Time<'a> = Option<&'a str>;

pub(super) fn of(row: &TypeDescriptor, stored: &Value, folded: &FederatedStatus) -> Map<String, Value> {
    let before = &stored["status"];
    let clusters = &folded.clusters;
    let status = match (row.target.group.as_ref(), row.target.kind.as_ref()) {
        ("apps", "Deployment") => replicas(clusters, folded.observed_generation, true),
        ("apps", "ReplicaSet") => replicas(clusters, folded.observed_generation, false),
        ("apps", "DaemonSet") => daemon_set(clusters, folded.observed_generation),
        ("batch", "Job") => job(clusters, folded.observed_generation, unplaced(row, stored, clusters)),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaler(clusters, folded.observed_generation),
        ("", "Service") | ("networking.k8s.io", "Ingress") => load_balancer(clusters),
        // Whether it is on its way out is the hub's to say.
        ("", "Namespace") => json!({"phase": before.get("phase").cloned().unwrap_or_else(|| "Active".into())}),
        _ => json!({}),
    };
    status.as_object().cloned().unwrap_or_default()
}

/// A member may say any number, and none of them makes the sum another's.
fn total(counts: impl Iterator<Item = i64>) -> i64 {
    counts.fold(0, i64::saturating_add)
}

fn sum(clusters: &[ClusterStatus], count: impl Fn(&ClusterStatus) -> Option<i64>) -> i64 {
    total(clusters.iter().filter_map(count))
}

/// The largest that any cluster says. Once all is well everywhere this object's own generation has been seen as well,
/// which is what `kubectl rollout status` waits for.
fn observed_generation(clusters: &[ClusterStatus], own: i64) -> i64 {
    let seen = clusters.iter().filter_map(|entry| entry.live.observed_generation).max();
    let is_everywhere = clusters.iter().all(ClusterStatus::is_ok);
    let own = if is_everywhere { own } else { 0 };
    seen.unwrap_or_default().max(own)
}

fn replicas(clusters: &[ClusterStatus], generation: i64, is_deployment: bool) -> Value {
    let replicas = sum(clusters, |entry| entry.live.replicas);
    let available = sum(clusters, |entry| entry.live.available_replicas);
    let mut status = json!({
        "observedGeneration": observed_generation(clusters, generation),
        "replicas": replicas,
        "readyReplicas": sum(clusters, |entry| entry.live.ready_replicas),
        "availableReplicas": available,
    });
    if is_deployment {
        status["updatedReplicas"] = sum(clusters, |entry| entry.live.updated_replicas).into();
        status["unavailableReplicas"] = replicas.saturating_sub(available).max(0).into();
    } else {
        status["fullyLabeledReplicas"] = replicas.into();
    }
    status
}

fn remote(clusters: &[ClusterStatus]) -> impl Iterator<Item = &Value> + Clone {
    clusters.iter().filter_map(|entry| entry.remote_status.as_ref())
}

fn sum_remote(clusters: &[ClusterStatus], field: &str) -> i64 {
    total(remote(clusters).filter_map(|status| status[field].as_i64()))
}

fn daemon_set(clusters: &[ClusterStatus], generation: i64) -> Value {
    let mut status = json!({"observedGeneration": observed_generation(clusters, generation)});
    for field in NODES {
        status[field] = sum_remote(clusters, field).into();
    }
    status
}

/// How many pods of a Job no cluster is asked for, as far as that is known of all that have a part.
pub(super) fn unplaced(row: &TypeDescriptor, stored: &Value, clusters: &[ClusterStatus]) -> i64 {
    let is_job = row.target.group == "batch" && row.target.kind == "Job";
    let wanted = stored["spec"]["completions"]
        .as_i64()
        .filter(|_| is_job && !clusters.is_empty());
    let asked: Option<Vec<i64>> = clusters.iter().map(|entry| entry.desired_completions).collect();
    match (wanted, asked) {
        (Some(wanted), Some(asked)) => wanted.saturating_sub(total(asked.into_iter())).max(0),
        _ => 0,
    }
}

fn job(clusters: &[ClusterStatus], generation: i64, unplaced: i64) -> Value {
    let mut status = json!({"observedGeneration": generation});
    for field in ["active", "ready", "succeeded", "failed"] {
        let total = sum_remote(clusters, field);
        if total > 0 {
            status[field] = total.into();
        }
    }
    let times = |field: &str| -> Vec<&str> { remote(clusters).filter_map(|status| status[field].as_str()).collect() };
    if let Some(first) = times("startTime").into_iter().min() {
        status["startTime"] = first.into();
    }
    let failed = conditions(clusters, "Failed");
    let complete = conditions(clusters, "Complete");
    // It has failed as soon as it has anywhere, and is done when it is done everywhere.
    let is_done = !clusters.is_empty() && complete.len() == clusters.len() && unplaced == 0;
    if let Some(condition) = latest(failed) {
        status["conditions"] = json!([condition]);
    } else if let Some(condition) = latest(complete).filter(|_| is_done) {
        status["conditions"] = json!([condition]);
        if let Some(last) = times("completionTime").into_iter().max() {
            status["completionTime"] = last.into();
        }
    }
    status
}

fn conditions<'a>(clusters: &'a [ClusterStatus], kind: &str) -> Vec<&'a Value> {
    let of = |status: &'a Value| status["conditions"].as_array().into_iter().flatten();
    let all = remote(clusters).flat_map(of);
    all.filter(|condition| condition["type"] == kind && condition["status"] == "True")
        .collect()
}

fn latest(conditions: Vec<&Value>) -> Option<&Value> {
    let at = |condition: &&Value| -> String { condition["lastTransitionTime"].as_str().unwrap_or_default().to_owned() };
    conditions.into_iter().max_by_key(at)
}

fn autoscaler(clusters: &[ClusterStatus], generation: i64) -> Value {
    let mut status = json!({
        "observedGeneration": generation,
        "currentReplicas": sum_remote(clusters, "currentReplicas"),
        "desiredReplicas": sum_remote(clusters, "desiredReplicas"),
    });
    let last: Time<'_> = remote(clusters)
        .filter_map(|status| status["lastScaleTime"].as_str())
        .max();
    if let Some(last) = last {
        status["lastScaleTime"] = last.into();
    }
    // A cluster with many replicas says more about all of them than one with few.
    let (mut replicas, mut used) = (0_i64, 0_i64);
    for member in remote(clusters) {
        let mut metrics = member["currentMetrics"].as_array().into_iter().flatten();
        let cpu = metrics.find(|metric| metric["type"] == "Resource" && metric["resource"]["name"] == "cpu");
        let percentage = cpu.and_then(|metric| metric["resource"]["current"]["averageUtilization"].as_i64());
        if let (Some(percentage), Some(count)) = (percentage, member["currentReplicas"].as_i64()) {
            replicas = replicas.saturating_add(count);
            used = used.saturating_add(percentage.saturating_mul(count));
        }
    }
    if replicas > 0 {
        let current = json!({"averageUtilization": used / replicas});
        status["currentMetrics"] = json!([{"type": "Resource", "resource": {"name": "cpu", "current": current}}]);
    }
    status
}

fn load_balancer(clusters: &[ClusterStatus]) -> Value {
    let mut all = std::collections::BTreeMap::new();
    for status in remote(clusters) {
        all.extend(addresses(status));
    }
    if all.is_empty() {
        json!({"loadBalancer": {}})
    } else {
        let ingress: Vec<Value> = all.into_values().collect();
        json!({"loadBalancer": {"ingress": ingress}})
    }
}
