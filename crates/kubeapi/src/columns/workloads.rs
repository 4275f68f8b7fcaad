//! Columns of Deployments and of what is like them.

use crate::resource::Column;
use serde_json::Value;

/// `<none>` for an empty text, as kubectl's own columns print it.
pub fn or_none(text: &str) -> Value {
    if text.is_empty() { "<none>".into() } else { text.into() }
}

/// A number, 0 for none.
pub fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

/// `2/3`.
fn of(value: &Value, total: &Value) -> Value {
    format!("{}/{}", number(value), number(total)).into()
}

/// Containers, images and the selector: what `-o wide` adds.
pub fn template_columns() -> [Column; 3] {
    [
        Column::function("Containers", "string", |object, _| containers(object, "name")).wide(),
        Column::function("Images", "string", |object, _| containers(object, "image")).wide(),
        Column::function("Selector", "string", |object, _| {
            selector(&object["spec"]["selector"]).into()
        })
        .wide(),
    ]
}

fn containers(object: &Value, field: &str) -> Value {
    let template = object
        .pointer("/spec/template/spec/containers")
        .or_else(|| object.pointer("/spec/jobTemplate/spec/template/spec/containers"));
    let texts: Vec<&str> = template
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|container| container[field].as_str())
        .collect();
    texts.join(",").into()
}

/// A label selector, or the plain labels that older kinds have instead, as one text.
pub fn selector(selector: &Value) -> String {
    let is_plain = selector["matchLabels"].is_null() && selector["matchExpressions"].is_null();
    let labels = if is_plain { selector } else { &selector["matchLabels"] };
    let mut parts: Vec<String> = labels
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = expression["key"].as_str().unwrap_or_default();
        let values: Vec<&str> = expression["values"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        parts.push(match expression["operator"].as_str() {
            Some("Exists") => key.to_owned(),
            Some("DoesNotExist") => format!("!{key}"),
            Some("NotIn") => format!("{key} notin ({})", values.join(",")),
            _ => format!("{key} in ({})", values.join(",")),
        });
    }
    if parts.is_empty() {
        "<none>".into()
    } else {
        parts.join(",")
    }
}

fn age() -> Column {
    Column::path("Age", "date", ".metadata.creationTimestamp")
}

/// A column with a number of the object, 0 for none. API servers declare some of these as text.
macro_rules! count {
    ($name:literal, $($field:literal).+) => { count!($name as "integer", $($field).+) };
    ($name:literal as $kind:literal, $($field:literal).+) => {
        Column::function($name, $kind, |object, _| number(&object$([$field])+).into())
    };
}

/// Of Deployments.
pub fn deployments() -> Vec<Column> {
    let mut columns = vec![
        Column::function("Ready", "string", |object, _| {
            of(&object["status"]["readyReplicas"], &object["spec"]["replicas"])
        }),
        count!("Up-to-date" as "string", "status"."updatedReplicas"),
        count!("Available" as "string", "status"."availableReplicas"),
        age(),
    ];
    columns.extend(template_columns());
    columns
}

/// Of `ReplicaSets` and of the `ReplicationControllers` before them.
pub fn replica_sets() -> Vec<Column> {
    let mut columns = vec![
        count!("Desired", "spec"."replicas"),
        count!("Current", "status"."replicas"),
        count!("Ready", "status"."readyReplicas"),
        age(),
    ];
    columns.extend(template_columns());
    columns
}

/// Of `StatefulSets`.
pub fn stateful_sets() -> Vec<Column> {
    let mut columns = vec![
        Column::function("Ready", "string", |object, _| {
            of(&object["status"]["readyReplicas"], &object["spec"]["replicas"])
        }),
        age(),
    ];
    columns.extend(template_columns().into_iter().take(2));
    columns
}

/// Of `DaemonSets`.
pub fn daemon_sets() -> Vec<Column> {
    let mut columns = vec![
        count!("Desired", "status"."desiredNumberScheduled"),
        count!("Current", "status"."currentNumberScheduled"),
        count!("Ready", "status"."numberReady"),
        count!("Up-to-date", "status"."updatedNumberScheduled"),
        count!("Available", "status"."numberAvailable"),
        Column::function("Node Selector", "string", |object, _| {
            selector(&object["spec"]["template"]["spec"]["nodeSelector"]).into()
        }),
        age(),
    ];
    columns.extend(template_columns());
    columns
}

/// Of `PodDisruptionBudgets`.
pub fn disruption_budgets() -> Vec<Column> {
    vec![
        Column::function("Min Available", "string", |object, _| {
            bound_text(&object["spec"]["minAvailable"])
        }),
        Column::function("Max Unavailable", "string", |object, _| {
            bound_text(&object["spec"]["maxUnavailable"])
        }),
        count!("Allowed Disruptions", "status"."disruptionsAllowed"),
    ]
}

fn bound_text(value: &Value) -> Value {
    match value {
        Value::Null => "N/A".into(),
        Value::String(text) => text.as_str().into(),
        other => other.to_string().into(),
    }
}

/// Of `HorizontalPodAutoscalers`.
pub fn autoscalers() -> Vec<Column> {
    vec![
        Column::function("Reference", "string", |object, _| {
            let text = |field: &str| object["spec"]["scaleTargetRef"][field].as_str().unwrap_or_default();
            format!("{}/{}", text("kind"), text("name")).into()
        }),
        Column::function("Targets", "string", |object, _| targets(object)),
        Column::function("MinPods", "string", |object, _| match &object["spec"]["minReplicas"] {
            Value::Null => "<unset>".into(),
            least => least.to_string().into(),
        }),
        count!("MaxPods" as "string", "spec"."maxReplicas"),
        count!("Replicas" as "string", "status"."currentReplicas"),
    ]
}

fn targets(autoscaler: &Value) -> Value {
    let texts: Vec<String> = autoscaler["spec"]["metrics"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|metric| {
            let resource = &metric["resource"];
            let name = resource["name"].as_str().unwrap_or("metric");
            match resource["target"]["averageUtilization"].as_i64() {
                Some(share) => format!("{name}: <unknown>/{share}%"),
                None => format!("{name}: <unknown>"),
            }
        })
        .collect();
    or_none(&texts.join(", "))
}
