//! Metrics of a `HorizontalPodAutoscaler`, between today's form and that of `autoscaling/v2beta1`, in which Kubernetes
//! also wrote them into the annotations of `autoscaling/v1`.

use serde_json::{Map, Value, json};

/// The parts of a metric by its type, as both forms call them.
const PARTS: [&str; 5] = ["resource", "containerResource", "pods", "object", "external"];

/// A list of `metrics`, from the old form. What is in today's form already stays as it is.
pub(super) fn specs_to_today(metrics: &mut Value) {
    each(metrics, spec_to_today);
}

/// A list of `metrics`, in the old form.
pub(super) fn specs_to_old(metrics: &mut Value) {
    each(metrics, spec_to_old);
}

/// A list of `currentMetrics`, from the old form.
pub(super) fn statuses_to_today(metrics: &mut Value) {
    each(metrics, status_to_today);
}

/// A list of `currentMetrics`, in the old form.
pub(super) fn statuses_to_old(metrics: &mut Value) {
    each(metrics, status_to_old);
}

fn each(metrics: &mut Value, change: impl Fn(&str, &mut Map<String, Value>)) {
    for metric in metrics.as_array_mut().into_iter().flatten() {
        for part in PARTS {
            if let Some(map) = metric.get_mut(part).and_then(Value::as_object_mut) {
                change(part, map);
            }
        }
    }
}

fn spec_to_today(part: &str, map: &mut Map<String, Value>) {
    let is_object = part == "object";
    // In the old form of an object metric `target` is the object; in today's it is the value to aim at.
    if is_object && map.get("target").is_some_and(|target| target.get("kind").is_some()) {
        rename(map, "target", "describedObject");
    } else if map.contains_key("target") {
        return;
    }
    name_to_today(map);
    let mut target = json!({});
    let average = if is_object {
        "averageValue"
    } else {
        "targetAverageValue"
    };
    for (old, today, kind) in [
        ("targetAverageUtilization", "averageUtilization", "Utilization"),
        (average, "averageValue", "AverageValue"),
        ("targetValue", "value", "Value"),
    ] {
        if let Some(value) = map.remove(old) {
            // An object metric states both; the average is the one that counts.
            if target.get("type").is_none() {
                target["type"] = kind.into();
                target[today] = value;
            }
        }
    }
    map.insert("target".to_owned(), target);
}

fn spec_to_old(part: &str, map: &mut Map<String, Value>) {
    let is_object = part == "object";
    let target = map.remove("target").unwrap_or_default();
    rename(map, "describedObject", "target");
    name_to_old(part, map);
    let average = if is_object {
        "averageValue"
    } else {
        "targetAverageValue"
    };
    for (today, old) in [
        ("averageUtilization", "targetAverageUtilization"),
        ("averageValue", average),
        ("value", "targetValue"),
    ] {
        if let Some(value) = target.get(today) {
            map.insert(old.to_owned(), value.clone());
        }
    }
}

fn status_to_today(part: &str, map: &mut Map<String, Value>) {
    let is_object = part == "object";
    if map.contains_key("current") {
        return;
    }
    if is_object {
        rename(map, "target", "describedObject");
    }
    name_to_today(map);
    let average = if is_object {
        "averageValue"
    } else {
        "currentAverageValue"
    };
    let mut current = json!({});
    for (old, today) in [
        ("currentAverageUtilization", "averageUtilization"),
        (average, "averageValue"),
        ("currentValue", "value"),
    ] {
        if let Some(value) = map.remove(old) {
            current[today] = value;
        }
    }
    map.insert("current".to_owned(), current);
}

fn status_to_old(part: &str, map: &mut Map<String, Value>) {
    let current = map.remove("current").unwrap_or_default();
    rename(map, "describedObject", "target");
    name_to_old(part, map);
    let average = if part == "object" {
        "averageValue"
    } else {
        "currentAverageValue"
    };
    for (today, old) in [
        ("averageUtilization", "currentAverageUtilization"),
        ("averageValue", average),
        ("value", "currentValue"),
    ] {
        if let Some(value) = current.get(today) {
            map.insert(old.to_owned(), value.clone());
        }
    }
}

fn name_to_today(map: &mut Map<String, Value>) {
    let name = map.remove("metricName");
    let selector = map.remove("metricSelector").or_else(|| map.remove("selector"));
    if name.is_none() && selector.is_none() {
        return;
    }
    let mut metric = json!({});
    if let Some(name) = name {
        metric["name"] = name;
    }
    if let Some(selector) = selector {
        metric["selector"] = selector;
    }
    map.insert("metric".to_owned(), metric);
}

fn name_to_old(part: &str, map: &mut Map<String, Value>) {
    let Some(metric) = map.remove("metric") else {
        return;
    };
    if let Some(name) = metric.get("name") {
        map.insert("metricName".to_owned(), name.clone());
    }
    if let Some(selector) = metric.get("selector") {
        let field = if part == "external" {
            "metricSelector"
        } else {
            "selector"
        };
        map.insert(field.to_owned(), selector.clone());
    }
}

fn rename(map: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = map.remove(from) {
        map.insert(to.to_owned(), value);
    }
}
