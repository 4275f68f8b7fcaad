//! What came out of a scenario, with the uninteresting left out.

use atoll_federation::{
    Apply, ClusterPlan, EventNote, FederatedStatus, FieldError, Plan, RecordChanges, Step, Warning,
};
use serde_json::{Map, Value, json};

pub(super) fn describe(
    plan: &Plan,
    status: &FederatedStatus,
    previous: Option<&FederatedStatus>,
    records: &RecordChanges,
    events: &[EventNote],
) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        let is_empty = match &value {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        if !is_empty {
            out.insert(key.to_owned(), value);
        }
    };
    put(
        "whole",
        plan.whole.as_ref().map_or(
            Value::Null,
            |(reason, message)| json!({"reason": reason.as_str(), "message": message}),
        ),
    );
    let steps: Map<String, Value> = plan
        .clusters
        .iter()
        .map(|(name, cluster)| (name.to_string(), step(cluster)))
        .collect();
    put("steps", steps.into());
    put(
        "finalizer",
        plan.finalizer
            .map_or(Value::Null, |action| format!("{action:?}").into()),
    );
    put(
        "hold",
        plan.hold.as_ref().map_or(
            Value::Null,
            |hold| json!({"message": hold.message, "deletes": hold.deletes.len()}),
        ),
    );
    put("unknownClusters", json!(plan.unknown_clusters));
    put(
        "unplaced",
        plan.replicas
            .as_ref()
            .map_or(Value::Null, |replicas| replicas.unplaced.into()),
    );
    put(
        "recheckSeconds",
        plan.recheck.map_or(Value::Null, |recheck| recheck.as_secs().into()),
    );
    put(
        "status",
        if previous == Some(status) {
            "unchanged".into()
        } else {
            serde_json::to_value(status).unwrap()
        },
    );
    put("recorded", records.put.iter().map(|(name, record)| {
        let entry = json!({"uid": record.uid, "adopted": record.is_adopted(), "leftover": record.leftover, "status": record.status});
        (name.to_string(), entry)
    }).collect::<Map<_, _>>().into());
    put("dropped", json!(records.drop));
    let note = |note: &EventNote| {
        let kind = if note.warning { "Warning" } else { "Normal" };
        format!("{kind} {}: {}", note.reason, note.message)
    };
    put("events", events.iter().map(note).collect());
    Value::Object(out)
}

fn step(cluster: &ClusterPlan) -> Value {
    let mut out = match &cluster.step {
        Step::UpToDate => json!({"do": "nothing"}),
        Step::Apply(apply) => describe_apply(apply),
        Step::Delete { options, .. } => json!({"do": "delete", "body": options.body()}),
        Step::Release { patch, .. } => json!({"do": "release", "patch": patch}),
        Step::Keep(reason, message) => {
            json!({"do": "keep", "reason": reason.as_str(), "message": message})
        }
        Step::Wait(reason, message) => {
            json!({"do": "wait", "reason": reason.as_str(), "message": message})
        }
        Step::Fail(reason, message) => {
            json!({"do": "fail", "reason": reason.as_str(), "message": message})
        }
    };
    if !cluster.note.is_empty() {
        out["note"] = cluster.note.as_str().into();
    }
    out
}

fn describe_apply(apply: &Apply) -> Value {
    let mut out =
        json!({"do": "apply", "cause": format!("{:?}", apply.cause), "force": apply.force, "object": apply.object});
    if let Some(whose) = apply.hand_over {
        out["handOver"] = format!("{whose:?}").into();
    }
    if let Some(replicas) = &apply.replicas {
        out["replicas"] = json!({"before": replicas.before, "force": replicas.force, "object": replicas.object});
    }
    out
}

/// What is stored and which warnings go with it, or what is refused.
pub(super) fn describe_admission(written: &Value, admitted: &Result<(Value, Vec<Warning>), Vec<FieldError>>) -> Value {
    match admitted {
        Err(errors) => {
            let line = |error: &FieldError| format!("{} {}: {}", error.reason.as_str(), error.field, error.message);
            json!({"refused": errors.iter().map(line).collect::<Vec<_>>()})
        }
        Ok((stored, warnings)) => {
            let mut out = json!({"accepted": if stored == written { "as written".into() } else { stored.clone() }});
            if !warnings.is_empty() {
                out["warnings"] = json!(warnings);
            }
            out
        }
    }
}
