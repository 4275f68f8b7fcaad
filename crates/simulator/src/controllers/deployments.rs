//! Deployments: a `ReplicaSet` for each template, and pods moved step by step from the old ones to the newest.

mod progress;
mod rolling;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::replica_sets::adopt;
use super::templates::{hash, is_over};
use crate::catalog::Kind;
use crate::engine::{Plan, Write};
use crate::fields::{annotation, controller_reference, is_controlled_by, name, namespace, number, remove, share, uid};

/// The label that tells the pods of one template from those of another.
const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MOST: &str = "deployment.kubernetes.io/max-replicas";

/// A `ReplicaSet` and how many replicas it shall have.
struct Set {
    object: Arc<Value>,
    replicas: i64,
}

impl Set {
    fn status(&self, field: &str) -> i64 {
        number(&self.object["status"][field])
    }

    fn asked(&self) -> i64 {
        number(&self.object["spec"]["replicas"])
    }

    fn revision(&self) -> i64 {
        annotation(&self.object, REVISION).parse().unwrap_or_default()
    }
}

/// How many pods there may be at once, and how many have to serve.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    desired: i64,
    most: i64,
    least: i64,
}

impl Bounds {
    fn of(deployment: &Value) -> Self {
        let desired = number(&deployment["spec"]["replicas"]);
        let strategy = &deployment["spec"]["strategy"];
        if strategy["type"] == "Recreate" {
            return Self {
                desired,
                most: desired,
                least: 0,
            };
        }
        let surge = share(&strategy["rollingUpdate"]["maxSurge"], desired, true);
        let mut unavailable = share(&strategy["rollingUpdate"]["maxUnavailable"], desired, false);
        if surge == 0 && unavailable == 0 {
            // Otherwise nothing could ever move.
            unavailable = 1;
        }
        Self {
            desired,
            most: desired + surge,
            least: (desired - unavailable).max(0),
        }
    }
}

/// What should follow from a Deployment. `sets` and `pods` are those of its namespace.
pub(super) fn plan(deployment: &Arc<Value>, sets: &[Arc<Value>], pods: &[Arc<Value>], now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    adopt(deployment, sets, Kind::ReplicaSet, &mut plan);
    let mut own: Vec<Set> = sets
        .iter()
        .filter(|set| is_controlled_by(set, uid(deployment)))
        .map(|set| Set {
            replicas: number(&set["spec"]["replicas"]),
            object: set.clone(),
        })
        .collect();
    let age = |set: &Set| {
        let time = set.object["metadata"]["creationTimestamp"].as_str().unwrap_or_default();
        (time.to_owned(), name(&set.object).to_owned())
    };
    own.sort_by_key(age);
    let newest = own
        .iter()
        .position(|set| same_template(&set.object, deployment))
        .map(|index| own.remove(index));
    let (mut new, mut old) = (newest, own);
    let bounds = Bounds::of(deployment);
    let is_paused = deployment["spec"]["paused"] == true;
    let revision = next_revision(new.as_ref(), &old);
    let mut created = None;
    if is_paused {
        rolling::scale_paused(new.as_mut(), &mut old, bounds);
    } else if deployment["spec"]["strategy"]["type"] == "Recreate" {
        old.iter_mut().for_each(|set| set.replicas = 0);
        let is_clear = !pods.iter().any(|pod| is_of(pod, &old) && !is_over(pod));
        match (&mut new, is_clear) {
            (Some(new), true) => new.replicas = bounds.desired,
            (None, true) => created = Some(bounds.desired),
            // Those of the newest template that run already stay.
            (Some(new), false) => new.replicas = new.replicas.min(bounds.desired),
            (None, false) => {}
        }
    } else if let Some(new) = &mut new {
        rolling::step(new, &mut old, bounds);
    } else {
        created = Some(rolling::first(&old, bounds));
    }
    for set in old.iter().chain(&new) {
        let own_revision = match &new {
            Some(newest) if std::ptr::eq(newest, set) => Some(revision),
            _ => None,
        };
        write_set(set, own_revision, bounds, &mut plan);
    }
    let mut made = None;
    if let Some(replicas) = created {
        let set = new_set(deployment, replicas, revision, bounds);
        let message = format!("Scaled up replica set {} from 0 to {replicas}", name(&set));
        plan.events.push(("ScalingReplicaSet", message));
        made = Some(name(&set).to_owned());
        plan.writes.push(Write::Create {
            kind: Kind::ReplicaSet,
            object: set,
        });
    }
    let view = progress::View {
        new: new.as_ref(),
        old: &old,
        bounds,
        is_paused,
        created: made.as_deref(),
        now,
    };
    let (mut changed, is_complete) = progress::judge(deployment, &view, &mut plan);
    if new.is_some() || created.is_some() {
        changed["metadata"]["annotations"][REVISION] = revision.to_string().into();
    }
    plan.update(Kind::Deployment, deployment, changed);
    if is_complete {
        clean_up(deployment, &old, &mut plan);
    }
    plan
}

/// Whether a set was made from the template that the Deployment has now.
fn same_template(set: &Value, deployment: &Value) -> bool {
    let mut template = set["spec"]["template"].clone();
    remove(&mut template["metadata"]["labels"], HASH);
    // An empty map and none mean the same.
    let bare = |template: &Value| {
        let mut template = template.clone();
        if let Some(metadata) = template["metadata"].as_object_mut() {
            metadata.retain(|_, value| value.as_object().is_none_or(|map| !map.is_empty()));
        }
        template
    };
    bare(&template) == bare(&deployment["spec"]["template"])
}

/// Whether a pod is of one of these sets.
fn is_of(pod: &Value, sets: &[Set]) -> bool {
    sets.iter().any(|set| is_controlled_by(pod, uid(&set.object)))
}

/// The revision that the newest set has, or gets.
fn next_revision(new: Option<&Set>, old: &[Set]) -> i64 {
    let highest = old.iter().map(Set::revision).max().unwrap_or_default();
    let own = new.map(Set::revision).unwrap_or_default();
    if own > highest { own } else { highest + 1 }
}

fn write_set(set: &Set, revision: Option<i64>, bounds: Bounds, plan: &mut Plan) {
    let mut new = (*set.object).clone();
    let asked = set.asked();
    if asked != set.replicas {
        new["spec"]["replicas"] = set.replicas.into();
        let way = if asked < set.replicas { "up" } else { "down" };
        let message = format!(
            "Scaled {way} replica set {} from {asked} to {}",
            name(&set.object),
            set.replicas
        );
        plan.events.push(("ScalingReplicaSet", message));
    }
    if let Some(revision) = revision {
        new["metadata"]["annotations"][REVISION] = revision.to_string().into();
    }
    if revision.is_some() || set.replicas > 0 || asked > 0 {
        new["metadata"]["annotations"][DESIRED] = bounds.desired.to_string().into();
        new["metadata"]["annotations"][MOST] = bounds.most.to_string().into();
    }
    plan.update(Kind::ReplicaSet, &set.object, new);
}

fn new_set(deployment: &Value, replicas: i64, revision: i64, bounds: Bounds) -> Value {
    let mut template = deployment["spec"]["template"].clone();
    let hash = hash(&template);
    let mut selector = deployment["spec"]["selector"].clone();
    template["metadata"]["labels"][HASH] = hash.as_str().into();
    selector["matchLabels"][HASH] = hash.as_str().into();
    let mut spec = json!({"replicas": replicas, "selector": selector, "template": template});
    if !deployment["spec"]["minReadySeconds"].is_null() {
        spec["minReadySeconds"] = deployment["spec"]["minReadySeconds"].clone();
    }
    let mut annotations = json!({
        REVISION: revision.to_string(),
        DESIRED: bounds.desired.to_string(),
        MOST: bounds.most.to_string(),
    });
    for (key, value) in deployment["metadata"]["annotations"].as_object().into_iter().flatten() {
        let is_own = key == REVISION || key == "kubectl.kubernetes.io/last-applied-configuration";
        if !is_own && annotations[key].is_null() {
            annotations[key] = value.clone();
        }
    }
    json!({
        "metadata": {
            "name": format!("{}-{hash}", name(deployment)),
            "namespace": namespace(deployment),
            "labels": template["metadata"]["labels"],
            "annotations": annotations,
            "ownerReferences": [controller_reference(deployment)],
        },
        "spec": spec,
    })
}

/// Deletes old sets beyond those that are kept for going back.
fn clean_up(deployment: &Value, old: &[Set], plan: &mut Plan) {
    let limit = deployment["spec"]["revisionHistoryLimit"].as_u64().unwrap_or(10);
    let mut empty: Vec<&Set> = old
        .iter()
        .filter(|set| set.asked() == 0 && set.replicas == 0 && set.status("replicas") == 0)
        .collect();
    empty.sort_by_key(|set| set.revision());
    let surplus = empty.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    for set in empty.into_iter().take(surplus) {
        plan.writes.push(Write::Delete {
            kind: Kind::ReplicaSet,
            object: set.object.clone(),
        });
    }
}

#[cfg(test)]
#[path = "deployments/tests.rs"]
mod tests;
