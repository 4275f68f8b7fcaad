//! Whether a plain object that is federated may be stored. Federation v1 ignored annotations that it did not understand,
//! and objects went where nobody meant them to; here they are refused, with the field and what to write.

use serde_json::Value;

use super::{CLUSTER_SELECTOR, PlainObject, preference};
use crate::admission::{check_plain, no_ttl};
use crate::object::JOB_TTL;
use crate::types::NEVER_TOUCHED_NAMESPACES;
use crate::{FieldError, TypeDescriptor, Warning};

/// Judges a plain object that is federated ([`super::is_federated`]). `old` is what is stored; `None` for a new one.
///
/// An update that touches only status and metadata that says nothing always passes: an object that was stored when rules
/// were looser must still be able to lose its finalizers.
///
/// # Errors
/// Every field that is refused.
pub fn admit(row: &TypeDescriptor, new: &Value, old: Option<&Value>) -> Result<(Value, Vec<Warning>), Vec<FieldError>> {
    let mut object = new.clone();
    let mut warnings = Vec::new();
    if row.target.kind == "HorizontalPodAutoscaler"
        && let Some(before) = name_target_as_today(&mut object)
    {
        warnings.push(Warning(format!(
            "spec.scaleTargetRef.apiVersion: {before} is gone from today's clusters; members get apps/v1"
        )));
    }
    if old.is_some_and(|old| means_the_same(old, &object)) {
        return Ok((object, warnings));
    }
    let read = PlainObject::read(row, &object, true)?;
    let mut errors = check_plain(row, &object, &read.object, &mut warnings);
    if let Err(refused) = &read.preference {
        errors.extend(refused.iter().cloned());
    }
    check_namespace(row, &object, &mut warnings, &mut errors);
    check_bounds(row, &object, &mut errors);
    check_completions(row, &object, old, &mut errors);
    if errors.is_empty() {
        tell_what_has_no_effect(row, &object, &mut warnings);
        Ok((object, warnings))
    } else {
        Err(errors)
    }
}

/// Whether a change leaves everything as it is that counts here.
fn means_the_same(old: &Value, new: &Value) -> bool {
    let rest = |object: &Value| {
        let mut object = object.clone();
        if let Some(map) = object.as_object_mut() {
            let annotations = map.remove("metadata").map(|metadata| metadata["annotations"].clone());
            let annotations = annotations.filter(|annotations| !annotations.is_null());
            for field in ["status", "kind", "apiVersion"] {
                map.remove(field);
            }
            map.extend(annotations.map(|annotations| ("annotations".to_owned(), annotations)));
        }
        object
    };
    rest(old) == rest(new)
}

/// Brings the name of what an autoscaler scales into a version that members still have, and returns what stood there.
pub(super) fn name_target_as_today(object: &mut Value) -> Option<String> {
    let target = object.pointer_mut("/spec/scaleTargetRef")?;
    let moved = matches!(target["kind"].as_str(), Some("Deployment" | "ReplicaSet"));
    let before = target["apiVersion"].as_str().filter(|_| moved)?;
    let is_old = matches!(before, "extensions/v1beta1" | "apps/v1beta1" | "apps/v1beta2");
    let before = is_old.then(|| before.to_owned())?;
    target["apiVersion"] = "apps/v1".into();
    Some(before)
}

fn check_namespace(row: &TypeDescriptor, object: &Value, warnings: &mut Vec<Warning>, errors: &mut Vec<FieldError>) {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    if !row.is_namespace() || !NEVER_TOUCHED_NAMESPACES.contains(&name) {
        return;
    }
    if name == "default" {
        warnings.push(Warning(
            "namespace default is in every cluster already and is left alone; this only says where the objects in it may go"
                .to_owned(),
        ));
    } else {
        errors.push(FieldError::forbidden(
            "metadata.name",
            format!("{name} belongs to each cluster itself and is never propagated; use a namespace of your own"),
        ));
    }
}

/// As API servers have it: members would refuse it one by one.
fn check_completions(row: &TypeDescriptor, object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    let completions = |object: &Value| object["spec"]["completions"].as_i64();
    let Some(old) = old.filter(|_| row.target.kind == "Job") else {
        return;
    };
    if completions(old) != completions(object) {
        errors.push(FieldError::invalid(
            "spec.completions",
            "the field cannot be changed: clusters were given their parts; make a Job of another name",
        ));
    }
}

fn check_bounds(row: &TypeDescriptor, object: &Value, errors: &mut Vec<FieldError>) {
    if row.target.kind != "HorizontalPodAutoscaler" {
        return;
    }
    let spec = &object["spec"];
    let (min, max) = (spec["minReplicas"].as_i64().unwrap_or(1), spec["maxReplicas"].as_i64());
    match max {
        None => errors.push(FieldError::required(
            "spec.maxReplicas",
            "how many replicas there may be in all clusters",
        )),
        Some(max) if max < 1 => {
            errors.push(FieldError::invalid(
                "spec.maxReplicas",
                format!("{max} lets nothing run; write 1 or more"),
            ));
        }
        Some(max) if min > max => errors.push(FieldError::invalid(
            "spec.minReplicas",
            format!("{min} is more than maxReplicas, {max}; raise the maximum or lower the minimum"),
        )),
        Some(_) if min < 1 => errors.push(FieldError::invalid(
            "spec.minReplicas",
            format!("{min} cannot be shared out: each cluster that takes part runs one at least; write 1 or more"),
        )),
        Some(_) => {}
    }
}

fn tell_what_has_no_effect(row: &TypeDescriptor, object: &Value, warnings: &mut Vec<Warning>) {
    let annotations = &object["metadata"]["annotations"];
    if row.target.kind == "Job" && !object["spec"][JOB_TTL].is_null() {
        warnings.push(no_ttl(&format!("spec.{JOB_TTL}")));
    }
    let counts = preference::annotation(row);
    for other in preference::ALL {
        if annotations[other].is_string() && counts != Some(other) {
            let instead = counts.map_or_else(
                || format!("a {} has no replicas to share out", row.target.kind),
                |counts| format!("a {} has its preferences in {counts}", row.target.kind),
            );
            warnings.push(Warning(format!(
                "metadata.annotations[{other}]: has no effect; {instead}"
            )));
        }
    }
    if let Some((key, text)) = counts.and_then(|key| Some((key, annotations[key].as_str()?))) {
        for field in preference::unknown_fields(text) {
            warnings.push(Warning(format!(
                "metadata.annotations[{key}].{field}: unknown field, ignored"
            )));
        }
        if preference::parse(Some(text), 1, key).is_ok_and(|preference| preference.clusters.is_empty()) {
            warnings.push(Warning(format!(
                "metadata.annotations[{key}]: speaks of no cluster, so all get 0 replicas; for an even spread write {{\"clusters\": {{\"*\": {{\"weight\": 1}}}}}}"
            )));
        }
    }
    if row.target.kind == "Job" && annotations[CLUSTER_SELECTOR].is_string() {
        warnings.push(Warning(format!(
            "metadata.annotations[{CLUSTER_SELECTOR}]: counts here for Jobs too; Federation v1 ignored it"
        )));
    }
}
