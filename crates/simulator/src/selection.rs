//! Label selectors as they stand in objects, and the like for nodes.

use serde_json::Value;

use crate::fields::items;

/// Whether labels have all of these; an empty set selects nothing, as in Services.
pub(crate) fn has_labels(wanted: &Value, labels: &Value) -> bool {
    wanted
        .as_object()
        .is_some_and(|wanted| !wanted.is_empty() && wanted.iter().all(|(key, value)| labels[key.as_str()] == *value))
}

/// Whether a label selector (`matchLabels`, `matchExpressions`) selects these labels. An empty one selects all.
pub(crate) fn matches(selector: &Value, labels: &Value) -> bool {
    let plain = selector["matchLabels"].as_object().into_iter().flatten();
    plain.clone().all(|(key, value)| labels[key.as_str()] == *value)
        && items(&selector["matchExpressions"])
            .iter()
            .all(|expression| holds(expression, labels))
}

/// Whether a requirement holds for labels.
fn holds(expression: &Value, labels: &Value) -> bool {
    let found = &labels[expression["key"].as_str().unwrap_or_default()];
    let values = items(&expression["values"]);
    let compared = || {
        let than: i64 = values.first()?.as_str()?.parse().ok()?;
        let label: i64 = found.as_str()?.parse().ok()?;
        Some(label.cmp(&than))
    };
    match expression["operator"].as_str() {
        Some("In") => values.contains(found),
        Some("NotIn") => !values.contains(found),
        Some("Exists") => !found.is_null(),
        Some("DoesNotExist") => found.is_null(),
        Some("Gt") => compared().is_some_and(std::cmp::Ordering::is_gt),
        Some("Lt") => compared().is_some_and(std::cmp::Ordering::is_lt),
        _ => false,
    }
}

/// Whether a pod with this specification may be on a node, by its node selector and its required node affinity.
pub(crate) fn fits_node(spec: &Value, node: &Value) -> bool {
    let labels = &node["metadata"]["labels"];
    let plain = spec["nodeSelector"].as_object().into_iter().flatten();
    let terms =
        &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"];
    let fits_term = |term: &Value| {
        let by_label = items(&term["matchExpressions"]).iter().all(|one| holds(one, labels));
        let by_field = items(&term["matchFields"])
            .iter()
            .all(|one| one["key"] == "metadata.name" && items(&one["values"]).contains(&node["metadata"]["name"]));
        by_label && by_field
    };
    plain.clone().all(|(key, value)| labels[key.as_str()] == *value)
        && (terms.is_null() || items(terms).iter().any(fits_term))
}

/// Whether a pod tolerates a taint.
pub(crate) fn tolerates(spec: &Value, taint: &Value) -> bool {
    items(&spec["tolerations"]).iter().any(|toleration| {
        let is_any = |field: &str| toleration[field].as_str().unwrap_or_default().is_empty();
        let by_key = is_any("key") || toleration["key"] == taint["key"];
        let by_effect = is_any("effect") || toleration["effect"] == taint["effect"];
        let by_value = toleration["operator"] == "Exists" || {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            text(&toleration["value"]) == text(&taint["value"])
        };
        by_key && by_effect && by_value
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn requirements_hold_as_kubernetes_reads_them() {
        let labels = json!({"app": "web", "size": "5"});
        for (operator, key, values, expected) in [
            ("In", "app", json!(["web", "db"]), true),
            ("NotIn", "app", json!(["web"]), false),
            ("NotIn", "other", json!(["web"]), true),
            ("Exists", "app", json!([]), true),
            ("DoesNotExist", "other", json!([]), true),
            ("Gt", "size", json!(["4"]), true),
            ("Lt", "size", json!(["4"]), false),
            ("Near", "size", json!(["4"]), false),
        ] {
            let selector = json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
            assert_eq!(matches(&selector, &labels), expected, "{operator} {key}");
        }
        assert!(matches(&json!({}), &labels));
        assert!(
            !has_labels(&json!({}), &labels),
            "a Service without a selector selects nothing"
        );
    }

    #[test]
    fn a_taint_is_tolerated_by_key_value_and_effect() {
        let taint = json!({"key": "dedicated", "value": "db", "effect": "NoSchedule"});
        for (toleration, expected) in [
            (json!({"operator": "Exists"}), true),
            (json!({"key": "dedicated", "operator": "Exists"}), true),
            (json!({"key": "dedicated", "value": "db"}), true),
            (json!({"key": "dedicated", "value": "web"}), false),
            (
                json!({"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}),
                false,
            ),
        ] {
            assert_eq!(
                tolerates(&json!({"tolerations": [toleration]}), &taint),
                expected,
                "{toleration}"
            );
        }
    }
}
