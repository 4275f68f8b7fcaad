//! What members answer in a scenario, and how the world looks afterwards.

use std::collections::BTreeMap;

use atoll_federation::{
    Apply, ClusterName, Failure, FailureKind, FederatedStatus, FinalizerAction, Observed, Outcome, Plan, Present,
    RecordChanges, Step, TypeDescriptor,
};
use serde_json::{Value, json};

use super::harness::{Scenario, merge};

impl Scenario {
    pub(super) fn outcomes(&self, plan: &Plan, stated: &Value) -> BTreeMap<ClusterName, Outcome> {
        let writes = plan.clusters.iter().filter(|(_, cluster)| cluster.step.is_write());
        writes
            .filter_map(|(cluster, planned)| {
                let outcome = match (&stated[cluster.as_str()], &planned.step) {
                    (Value::String(word), _) if word == "none" => return None,
                    (Value::String(word), _) if word == "terminating" => Outcome::Deleted { gone: false },
                    (Value::Object(failed), _) => Outcome::Failed(Failure {
                        kind: failure_kind(failed["failed"].as_str().unwrap()),
                        message: failed["message"].as_str().unwrap_or_default().to_owned(),
                    }),
                    (_, Step::Apply(apply)) => {
                        let before = match self.observed.get(cluster) {
                            Some(Observed::Present(present)) => Some(present),
                            _ => None,
                        };
                        let mut present = Present::of(self.kind, &served(self.kind, cluster, apply)).unwrap();
                        present.uid = before.map_or(present.uid, |before| before.uid.clone());
                        present.live = before.map(|before| before.live).unwrap_or_default();
                        present.remote_status = before.and_then(|before| before.remote_status.clone());
                        if let Some(replicas) = &apply.replicas {
                            present.replicas_handed_over = true;
                            present.spec_replicas = self
                                .kind
                                .replicas_path
                                .as_deref()
                                .and_then(|path| replicas.object.pointer(path)?.as_i64());
                        }
                        Outcome::Applied(Box::new(present))
                    }
                    (_, Step::Release { .. }) => Outcome::Released,
                    _ => Outcome::Deleted { gone: true },
                };
                Some((cluster.clone(), outcome))
            })
            .collect()
    }

    /// The world after a plan was carried out.
    pub(super) fn carry_out(
        &mut self,
        plan: &Plan,
        outcomes: &BTreeMap<ClusterName, Outcome>,
        status: FederatedStatus,
        changes: RecordChanges,
    ) {
        for (cluster, outcome) in outcomes {
            let observed = match outcome {
                Outcome::Applied(present) => Observed::Present(present.clone()),
                Outcome::Deleted { gone: true } | Outcome::Released => Observed::Absent,
                Outcome::Deleted { gone: false } | Outcome::Failed(_) => continue,
            };
            self.observed.insert(cluster.clone(), observed);
        }
        match plan.finalizer {
            Some(FinalizerAction::Add) => self.object.finalizers.push("kubefed.io/sync-controller".to_owned()),
            Some(FinalizerAction::Remove) => self.object.finalizers.clear(),
            None => {}
        }
        self.object.status = Some(status);
        self.records.extend(changes.put);
        for cluster in changes.drop {
            self.records.remove(&cluster);
        }
    }
}

/// What a server gives back after an apply.
pub(super) fn served(kind: &TypeDescriptor, cluster: &ClusterName, apply: &Apply) -> Value {
    let mut object = apply.object.clone();
    let stated = kind
        .replicas_path
        .as_deref()
        .filter(|path| object.pointer(path).is_some());
    let mut fields = json!({"f:applied": apply.hash, "f:spec": {}});
    if let Some(path) = stated {
        let mut place = &mut fields;
        for segment in path.trim_start_matches('/').split('/') {
            place = &mut place[format!("f:{segment}")];
        }
        *place = json!({});
    }
    merge(
        &mut object,
        &json!({"metadata": {
            "uid": format!("u-{cluster}"),
            "resourceVersion": "5",
            "managedFields": [{"manager": "atoll", "operation": "Apply", "fieldsV1": fields}],
        }}),
    );
    object
}

fn failure_kind(word: &str) -> FailureKind {
    match word {
        "TimedOut" => FailureKind::TimedOut,
        "NotReady" => FailureKind::NotReady,
        "Invalid" => FailureKind::Invalid,
        "ApiMissing" => FailureKind::ApiMissing,
        "Conflict" => FailureKind::Conflict,
        "Other" => FailureKind::Other,
        other => panic!("{other} is no kind of failure"),
    }
}
