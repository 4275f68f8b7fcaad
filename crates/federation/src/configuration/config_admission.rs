//! Whether a `KubeFedConfig` may be stored, and what is filled in where it says nothing. Every field of every release
//! is understood; those that steer KubeFed's own processes are kept and change nothing here.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::names::text;
use super::settings::go_duration;
use super::{CONFIG_NAME, CORE_GROUP};
use crate::types::SYSTEM_NAMESPACE;
use crate::{FieldError, Warning};

/// Durations with their defaults.
const DURATIONS: [(&str, &str, &str); 8] = [
    ("controllerDuration", "availableDelay", "20s"),
    ("controllerDuration", "unavailableDelay", "1m0s"),
    ("controllerDuration", "cacheSyncTimeout", "5m0s"),
    ("leaderElect", "leaseDuration", "15s"),
    ("leaderElect", "renewDeadline", "10s"),
    ("leaderElect", "retryPeriod", "5s"),
    ("clusterHealthCheck", "period", "10s"),
    ("clusterHealthCheck", "timeout", "3s"),
];
/// Counts with their defaults.
const COUNTS: [(&str, &str, u32); 4] = [
    ("clusterHealthCheck", "failureThreshold", 3),
    ("clusterHealthCheck", "successThreshold", 1),
    ("syncController", "maxConcurrentReconciles", 1),
    ("statusController", "maxConcurrentReconciles", 1),
];
/// Words with their defaults and what else they may be.
const WORDS: [(&str, &str, &[&str]); 2] = [
    ("leaderElect", "resourceLock", &["configmaps", "endpoints"]),
    ("syncController", "adoptResources", &["Enabled", "Disabled"]),
];
/// Gates that every configuration has, with their defaults.
const GATES: [(&str, &str); 3] = [
    ("PushReconciler", "Enabled"),
    ("RawResourceStatusCollection", "Disabled"),
    ("SchedulerPreferences", "Enabled"),
];
/// Gates that older releases had too.
const OLD_GATES: [&str; 2] = ["CrossClusterServiceDiscovery", "FederatedIngress"];
/// Fields of the first releases, which nothing follows.
const IGNORED: [(&str, &str); 3] = [
    ("controllerDuration", "clusterMonitorPeriod"),
    ("clusterHealthCheck", "periodSeconds"),
    ("clusterHealthCheck", "timeoutSeconds"),
];

/// The `KubeFedConfig` that the hub makes at its first start.
pub fn default_config() -> Value {
    let mut object = json!({
        "apiVersion": format!("{CORE_GROUP}/v1beta1"),
        "kind": "KubeFedConfig",
        "metadata": {"name": CONFIG_NAME, "namespace": SYSTEM_NAMESPACE},
        "spec": {"scope": "Cluster"},
    });
    complete(&mut object["spec"]);
    object
}

/// Judges a `KubeFedConfig` and fills in what it does not say. `old` is what is stored; `None` for a new one.
///
/// An update that leaves the spec alone always passes.
///
/// # Errors
/// Every field that is refused.
pub fn admit_config(new: &Value, old: Option<&Value>) -> Result<(Value, Vec<Warning>), Vec<FieldError>> {
    let mut object = new.clone();
    let mut warnings = Vec::new();
    if old.is_some_and(|old| old["spec"] == new["spec"]) {
        return Ok((object, warnings));
    }
    let mut errors = Vec::new();
    check_identity(&object, &mut errors);
    check_shape(&object["spec"], &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    if let Some(old) = old
        && object["spec"]["scope"].is_null()
    {
        object["spec"]["scope"] = old["spec"]["scope"].clone();
    }
    complete(&mut object["spec"]);
    let spec = &object["spec"];
    check_scope(spec, old, &mut errors);
    check_values(spec, &mut errors);
    check_leases(spec, &mut errors);
    check_gates(spec, &mut warnings, &mut errors);
    for (section, field) in IGNORED {
        if !spec[section][field].is_null() {
            warnings.push(Warning(format!(
                "spec.{section}.{field}: a field of KubeFed's first releases; nothing follows it"
            )));
        }
    }
    if errors.is_empty() {
        Ok((object, warnings))
    } else {
        Err(errors)
    }
}

/// Fills in what is not said. The list of gates is then complete and sorted by name.
fn complete(spec: &mut Value) {
    for (section, field, default) in DURATIONS {
        default_to(spec, section, field, json!(default));
    }
    for (section, field, default) in COUNTS {
        default_to(spec, section, field, json!(default));
    }
    for (section, field, words) in WORDS {
        default_to(spec, section, field, json!(words[0]));
    }
    let Some(spec) = spec.as_object_mut() else {
        return;
    };
    let mut gates: Vec<Value> = match spec.get("featureGates") {
        Some(Value::Array(gates)) => gates.clone(),
        _ => Vec::new(),
    };
    for (name, configuration) in GATES {
        if gates.iter().all(|gate| gate["name"] != name) {
            gates.push(json!({"name": name, "configuration": configuration}));
        }
    }
    gates.sort_by(|one, other| text(&one["name"]).cmp(text(&other["name"])));
    spec.insert("featureGates".to_owned(), Value::Array(gates));
}

fn default_to(spec: &mut Value, section: &str, field: &str, default: Value) {
    let Some(spec) = spec.as_object_mut() else {
        return;
    };
    let section = spec.entry(section).or_insert(Value::Null);
    if section.is_null() {
        *section = Value::Object(Map::new());
    }
    if let Some(fields) = section.as_object_mut()
        && fields.get(field).is_none_or(Value::is_null)
    {
        fields.insert(field.to_owned(), default);
    }
}

fn check_identity(object: &Value, errors: &mut Vec<FieldError>) {
    let metadata = &object["metadata"];
    if text(&metadata["namespace"]) != SYSTEM_NAMESPACE {
        let message = format!("the configuration lives in {SYSTEM_NAMESPACE}: write namespace: {SYSTEM_NAMESPACE}");
        errors.push(FieldError::invalid("metadata.namespace", message));
    }
    let name = text(&metadata["name"]);
    if name != CONFIG_NAME {
        let message =
            format!("{name:?} would configure nothing: there is one KubeFedConfig; write name: {CONFIG_NAME}");
        errors.push(FieldError::invalid("metadata.name", message));
    }
}

/// Sections are maps and gates are a list, or left out.
fn check_shape(spec: &Value, errors: &mut Vec<FieldError>) {
    if !spec.is_object() {
        errors.push(FieldError::required(
            "spec",
            "must be given, with scope: Cluster or Namespaced",
        ));
        return;
    }
    let sections = [
        "controllerDuration",
        "leaderElect",
        "clusterHealthCheck",
        "syncController",
        "statusController",
    ];
    for section in sections {
        if !matches!(spec[section], Value::Null | Value::Object(_)) {
            errors.push(FieldError::invalid(format!("spec.{section}"), "must be an object"));
        }
    }
    if !matches!(spec["featureGates"], Value::Null | Value::Array(_)) {
        errors.push(FieldError::invalid(
            "spec.featureGates",
            "must be a list of name and configuration",
        ));
    }
}

fn check_scope(spec: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    let scope = text(&spec["scope"]);
    match scope {
        "Cluster" | "Namespaced" => {}
        "" => errors.push(FieldError::required("spec.scope", "write Cluster or Namespaced")),
        other => errors.push(FieldError::invalid(
            "spec.scope",
            format!("{other:?} is neither Cluster nor Namespaced"),
        )),
    }
    if let Some(before) = old.map(|old| text(&old["spec"]["scope"]))
        && errors.is_empty()
        && before != scope
    {
        errors.push(FieldError::forbidden(
            "spec.scope",
            format!("is {before} and cannot be changed; delete this KubeFedConfig and create it with scope {scope}"),
        ));
    }
}

fn check_values(spec: &Value, errors: &mut Vec<FieldError>) {
    for (section, field, _) in DURATIONS {
        let value = &spec[section][field];
        if read_duration(value).is_none() {
            errors.push(FieldError::invalid(
                format!("spec.{section}.{field}"),
                format!("{value} is no duration above 0: write it as in 30s or 1m30s"),
            ));
        }
    }
    for (section, field, _) in COUNTS {
        let value = &spec[section][field];
        if value
            .as_u64()
            .and_then(|count| u32::try_from(count).ok())
            .is_none_or(|count| count == 0)
        {
            errors.push(FieldError::invalid(
                format!("spec.{section}.{field}"),
                format!("{value} is no whole number above 0"),
            ));
        }
    }
    for (section, field, words) in WORDS {
        let value = &spec[section][field];
        if !value.as_str().is_some_and(|word| words.contains(&word)) {
            errors.push(FieldError::invalid(
                format!("spec.{section}.{field}"),
                format!("{value} is not known: write {}", words.join(" or ")),
            ));
        }
    }
}

fn read_duration(value: &Value) -> Option<Duration> {
    value.as_str().and_then(go_duration).filter(|found| !found.is_zero())
}

fn check_leases(spec: &Value, errors: &mut Vec<FieldError>) {
    let read = |field: &str| read_duration(&spec["leaderElect"][field]);
    let (lease, renew, retry) = (read("leaseDuration"), read("renewDeadline"), read("retryPeriod"));
    if let (Some(lease), Some(renew)) = (lease, renew)
        && lease <= renew
    {
        let message = "must be longer than renewDeadline";
        errors.push(FieldError::invalid("spec.leaderElect.leaseDuration", message));
    }
    if let (Some(renew), Some(retry)) = (renew, retry)
        && renew.as_secs_f64() <= 1.2 * retry.as_secs_f64()
    {
        let message = "must be longer than 1.2 times retryPeriod";
        errors.push(FieldError::invalid("spec.leaderElect.renewDeadline", message));
    }
}

fn check_gates(spec: &Value, warnings: &mut Vec<Warning>, errors: &mut Vec<FieldError>) {
    let gates = spec["featureGates"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (index, gate) in gates.iter().enumerate() {
        let field = |field: &str| format!("spec.featureGates[{index}].{field}");
        let name = text(&gate["name"]);
        if name.is_empty() {
            errors.push(FieldError::required(field("name"), "must be given"));
        } else if gates[..index].iter().any(|other| other["name"] == name) {
            let message = format!("{name} stands there twice; keep one");
            errors.push(FieldError::duplicate(field("name"), message));
        } else if !GATES.iter().any(|(known, _)| *known == name) && !OLD_GATES.contains(&name) {
            warnings.push(Warning(format!(
                "spec.featureGates: no release knows {name}; nothing follows it"
            )));
        }
        if !matches!(text(&gate["configuration"]), "Enabled" | "Disabled") {
            let message = format!("{} is neither Enabled nor Disabled", gate["configuration"]);
            errors.push(FieldError::invalid(field("configuration"), message));
        }
    }
}

#[cfg(test)]
mod tests;
