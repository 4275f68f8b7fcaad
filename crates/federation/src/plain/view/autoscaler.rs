//! `HorizontalPodAutoscaler` before `autoscaling/v2`. Version 1 knows one metric, the use of CPU; everything else stands
//! in annotations, under the names that Kubernetes gave them.

use serde_json::{Value, json};

use super::metrics;
use crate::FieldError;

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

pub(super) fn from_v1(object: &mut Value) -> Result<(), Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut stated = take_annotation(object, METRICS, &mut errors);
    if let Some(stated) = &mut stated {
        metrics::specs_to_today(stated);
    }
    let percentage = take(object, "spec", "targetCPUUtilizationPercentage");
    let mut list: Vec<Value> = stated.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(percentage) = percentage {
        match list.iter_mut().find(|metric| cpu(metric).is_some()) {
            Some(metric) => metric["resource"]["target"]["averageUtilization"] = percentage,
            None => list.insert(0, cpu_metric(percentage)),
        }
    } else {
        // Shown is the use of CPU in its own field; without that field it is not wanted any more.
        list.retain(|metric| cpu(metric).is_none());
    }
    if !list.is_empty() || stated.is_some() {
        object["spec"]["metrics"] = list.into();
    }
    if let Some(behavior) = take_annotation(object, BEHAVIOR, &mut errors) {
        object["spec"]["behavior"] = behavior;
    }
    status_from_v1(object, &mut errors);
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn status_from_v1(object: &mut Value, errors: &mut Vec<FieldError>) {
    let mut current = take_annotation(object, CURRENT_METRICS, errors);
    if let Some(current) = &mut current {
        metrics::statuses_to_today(current);
    }
    let percentage = take(object, "status", "currentCPUUtilizationPercentage");
    let mut list: Vec<Value> = current.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    if let (Some(percentage), false) = (percentage, list.iter().any(is_current_cpu)) {
        let current = json!({"averageUtilization": percentage});
        list.insert(
            0,
            json!({"type": "Resource", "resource": {"name": "cpu", "current": current}}),
        );
    }
    if !list.is_empty() {
        object["status"]["currentMetrics"] = list.into();
    }
    if let Some(conditions) = take_annotation(object, CONDITIONS, errors) {
        object["status"]["conditions"] = conditions;
    }
}

pub(super) fn to_v1(object: &mut Value) {
    if let Some(stated) = take(object, "spec", "metrics") {
        let list = stated.as_array().cloned().unwrap_or_default();
        if let Some(percentage) = list.iter().find_map(cpu) {
            object["spec"]["targetCPUUtilizationPercentage"] = percentage.clone();
        }
        let says_it_all = matches!(list.as_slice(), [metric] if *metric == plain_cpu(metric));
        if !says_it_all {
            // Where it is not the first one, its place is kept with the others.
            let is_first = list.first().is_some_and(|metric| *metric == plain_cpu(metric));
            let mut others = Value::Array(list.into_iter().skip(usize::from(is_first)).collect());
            metrics::specs_to_old(&mut others);
            annotate(object, METRICS, &others);
        }
    }
    if let Some(behavior) = take(object, "spec", "behavior") {
        annotate(object, BEHAVIOR, &behavior);
    }
    if let Some(mut current) = take(object, "status", "currentMetrics") {
        let list = current.as_array().cloned().unwrap_or_default();
        let of_cpu = list.iter().find(|metric| is_current_cpu(metric));
        if let Some(percentage) = of_cpu.and_then(|metric| metric.pointer("/resource/current/averageUtilization")) {
            object["status"]["currentCPUUtilizationPercentage"] = percentage.clone();
        }
        metrics::statuses_to_old(&mut current);
        annotate(object, CURRENT_METRICS, &current);
    }
    if let Some(conditions) = take(object, "status", "conditions") {
        annotate(object, CONDITIONS, &conditions);
    }
}

pub(super) fn from_v2beta1(object: &mut Value) -> Result<(), Vec<FieldError>> {
    let mut errors = Vec::new();
    if let Some(behavior) = take_annotation(object, BEHAVIOR, &mut errors) {
        object["spec"]["behavior"] = behavior;
    }
    if let Some(list) = object.pointer_mut("/spec/metrics") {
        metrics::specs_to_today(list);
    }
    if let Some(list) = object.pointer_mut("/status/currentMetrics") {
        metrics::statuses_to_today(list);
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

pub(super) fn to_v2beta1(object: &mut Value) {
    if let Some(list) = object.pointer_mut("/spec/metrics") {
        metrics::specs_to_old(list);
    }
    if let Some(list) = object.pointer_mut("/status/currentMetrics") {
        metrics::statuses_to_old(list);
    }
    if let Some(behavior) = take(object, "spec", "behavior") {
        annotate(object, BEHAVIOR, &behavior);
    }
}

/// The use of CPU that a metric aims at, if that is what it is about.
fn cpu(metric: &Value) -> Option<&Value> {
    let is_cpu = metric["type"] == "Resource" && metric["resource"]["name"] == "cpu";
    metric.pointer("/resource/target/averageUtilization").filter(|_| is_cpu)
}

fn cpu_metric(percentage: Value) -> Value {
    let target = json!({"type": "Utilization", "averageUtilization": percentage});
    json!({"type": "Resource", "resource": {"name": "cpu", "target": target}})
}

/// The metric as its percentage alone says it; null for one that is about something else.
fn plain_cpu(metric: &Value) -> Value {
    cpu(metric).map_or(Value::Null, |percentage| cpu_metric(percentage.clone()))
}

fn is_current_cpu(metric: &Value) -> bool {
    let is_cpu = metric["type"] == "Resource" && metric["resource"]["name"] == "cpu";
    is_cpu && metric.pointer("/resource/current/averageUtilization").is_some()
}

fn take(object: &mut Value, part: &str, field: &str) -> Option<Value> {
    object.get_mut(part)?.as_object_mut()?.remove(field)
}

fn take_annotation(object: &mut Value, name: &str, errors: &mut Vec<FieldError>) -> Option<Value> {
    let metadata = object.get_mut("metadata")?.as_object_mut()?;
    let annotations = metadata.get_mut("annotations")?.as_object_mut()?;
    let text = annotations.remove(name)?;
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
    match text.as_str().map(serde_json::from_str) {
        Some(Ok(value)) => Some(value),
        Some(Err(error)) => {
            let field = format!("metadata.annotations[{name}]");
            errors.push(FieldError::invalid(field, format!("is no JSON: {error}")));
            None
        }
        None => None,
    }
}

fn annotate(object: &mut Value, name: &str, value: &Value) {
    object["metadata"]["annotations"][name] = value.to_string().into();
}
