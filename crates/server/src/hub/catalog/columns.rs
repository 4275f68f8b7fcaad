//! What `kubectl get` shows of a federated object, read from its status.

use serde_json::{Value, json};

fn entries(object: &Value) -> &[Value] {
    object["status"]["clusters"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn condition(object: &Value) -> Option<&Value> {
    object["status"]["conditions"]
        .as_array()?
        .iter()
        .find(|one| one["type"] == "Propagation")
}

/// Whether the status is about the object as it is.
fn is_current(object: &Value) -> bool {
    object["status"]["observedGeneration"] == object["metadata"]["generation"]
}

/// `2/3`: clusters in which all is well.
pub(super) fn clusters(object: &Value) -> Value {
    let entries = entries(object);
    if condition(object).is_none() {
        return Value::Null;
    }
    let well = entries
        .iter()
        .filter(|entry| entry["status"].as_str().is_none_or(str::is_empty))
        .count();
    json!(format!("{well}/{}", entries.len()))
}

/// `5/6`: ready replicas.
pub(super) fn ready(object: &Value) -> Value {
    let sum = |fields: [&str; 2]| {
        let numbers = entries(object)
            .iter()
            .filter_map(|entry| fields.iter().find_map(|field| entry[*field].as_i64()));
        numbers.fold(None, |sum: Option<i64>, number| {
            Some(sum.unwrap_or_default().saturating_add(number))
        })
    };
    match sum(["desiredReplicas", "replicas"]) {
        Some(wanted) => json!(format!("{}/{wanted}", sum(["readyReplicas", ""]).unwrap_or_default())),
        None => Value::Null,
    }
}

/// Status of the condition `Propagation`.
pub(super) fn propagated(object: &Value) -> Value {
    match condition(object) {
        Some(condition) if is_current(object) => condition["status"].clone(),
        Some(_) | None => "Unknown".into(),
    }
}

/// Reason of the condition; `Deleting` while it is on its way out.
pub(super) fn reason(object: &Value) -> Value {
    if !object["metadata"]["deletionTimestamp"].is_null() {
        return "Deleting".into();
    }
    condition(object).map_or(Value::Null, |condition| condition["reason"].clone())
}

/// Message of the condition.
pub(super) fn message(object: &Value) -> Value {
    condition(object).map_or(Value::Null, |condition| condition["message"].clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> Value {
        json!({"metadata": {"generation": 2}, "status": {
            "observedGeneration": 2,
            "conditions": [{"type": "Propagation", "status": "False", "reason": "CheckClusters", "message": "1 of 2"}],
            "clusters": [
                {"name": "eu-1", "desiredReplicas": 3, "replicas": 3, "readyReplicas": 3},
                {"name": "us-1", "status": "ClusterNotReady", "desiredReplicas": 2},
            ],
        }})
    }

    #[test]
    fn a_row_tells_how_many_clusters_and_replicas_are_well() {
        let object = object();
        let row = [
            clusters(&object),
            ready(&object),
            propagated(&object),
            reason(&object),
            message(&object),
        ];
        assert_eq!(row, ["1/2", "3/5", "False", "CheckClusters", "1 of 2"].map(Value::from));
    }

    #[test]
    fn an_old_status_says_nothing_about_the_object_as_it_is() {
        let mut object = object();
        object["metadata"]["generation"] = json!(3);
        assert_eq!(propagated(&object), "Unknown");
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(reason(&object), "Deleting");
    }

    #[test]
    fn an_object_nobody_has_looked_at_has_empty_cells() {
        let object = json!({"metadata": {"generation": 1}});
        assert_eq!(
            [clusters(&object), ready(&object), reason(&object)],
            [Value::Null, Value::Null, Value::Null]
        );
        assert_eq!(propagated(&object), "Unknown");
    }
}
