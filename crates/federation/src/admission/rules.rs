//! The rules, one function for each part of the object.

use serde_json::Value;

use super::keyed_lists;
use crate::object::{
    Built, DELETE_OPTION_ANNOTATION, DRIFT_ANNOTATION, DeleteOptions, JOB_TTL, MANAGED_LABEL, ORPHAN_ANNOTATION, build,
    strip,
};
use crate::overrides::ClusterOverrides;
use crate::types::NEVER_TOUCHED_NAMESPACES;
use crate::{Error, FederatedObject, FieldError, TypeDescriptor, Warning};

pub(super) fn check(
    kind: &TypeDescriptor,
    value: &Value,
    object: &FederatedObject,
    warnings: &mut Vec<Warning>,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    check_namespace(kind, object, warnings, &mut errors);
    check_annotations(value, warnings, &mut errors);
    check_placement(object, warnings, &mut errors);
    check_template(kind, object, warnings, &mut errors);
    check_overrides(kind, object, warnings, &mut errors);
    errors
}

/// The same of an object that is its own template: placement, annotations and what it becomes.
pub(crate) fn check_plain(
    kind: &TypeDescriptor,
    value: &Value,
    object: &FederatedObject,
    warnings: &mut Vec<Warning>,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    check_annotations(value, warnings, &mut errors);
    check_placement(object, warnings, &mut errors);
    check_template(kind, object, warnings, &mut errors);
    for error in &mut errors {
        if let Some(own) = error.field.strip_prefix("spec.template.") {
            error.field = own.to_owned();
        }
    }
    errors
}

fn check_namespace(
    kind: &TypeDescriptor,
    object: &FederatedObject,
    warnings: &mut Vec<Warning>,
    errors: &mut Vec<FieldError>,
) {
    if !kind.is_namespace() {
        return;
    }
    let (name, namespace) = (&object.name, &object.namespace);
    if name != namespace {
        errors.push(FieldError::invalid(
            "metadata.name",
            format!("a FederatedNamespace is called as the namespace it lives in: write name: {namespace}, or namespace: {name}"),
        ));
    } else if name == "default" {
        // There are many who federate into it; the namespace itself needs no help.
        warnings.push(Warning(
            "namespace default is in every cluster already and is left alone; this only says where the objects in it may go".to_owned(),
        ));
    } else if NEVER_TOUCHED_NAMESPACES.contains(&name.as_str()) {
        errors.push(FieldError::forbidden(
            "metadata.name",
            format!("{name} belongs to each cluster itself and is never propagated; use a namespace of your own"),
        ));
    }
}

fn check_annotations(value: &Value, warnings: &mut Vec<Warning>, errors: &mut Vec<FieldError>) {
    let annotations = &value["metadata"]["annotations"];
    let field = |key: &str| format!("metadata.annotations[{key}]");
    if let Some(Err(problem)) = annotations[DELETE_OPTION_ANNOTATION].as_str().map(DeleteOptions::parse) {
        let message = format!("is no DeleteOptions: {problem}; write JSON such as {{\"gracePeriodSeconds\": 30}}");
        errors.push(FieldError::invalid(field(DELETE_OPTION_ANNOTATION), message));
    }
    if let Some(word) = annotations[DRIFT_ANNOTATION].as_str().filter(|word| *word != "hold") {
        let message = format!(
            "{word:?} is not known; write hold to leave foreign changes in members, or leave the annotation out"
        );
        errors.push(FieldError::invalid(field(DRIFT_ANNOTATION), message));
    }
    if let Some(word) = annotations[ORPHAN_ANNOTATION]
        .as_str()
        .filter(|word| !matches!(*word, "true" | "false"))
    {
        warnings.push(Warning(format!(
            "{}: {word:?} does not keep member objects; only \"true\" does",
            field(ORPHAN_ANNOTATION)
        )));
    }
}

fn check_placement(object: &FederatedObject, warnings: &mut Vec<Warning>, errors: &mut Vec<FieldError>) {
    match &object.placement {
        Err(found) => errors.extend(found.iter().cloned()),
        Ok(placement) if placement.clusters.is_some() && placement.selector.is_some() => warnings.push(Warning(
            "spec.placement.clusterSelector: has no effect beside clusters; remove clusters to select by labels"
                .to_owned(),
        )),
        Ok(_) => {}
    }
}

/// A job that is removed when it is done would be made again.
pub(crate) fn no_ttl(field: &str) -> Warning {
    Warning(format!(
        "{field}: not propagated; what a cluster removes by itself would be made and run again. Delete the object when it is done"
    ))
}

fn check_template(
    kind: &TypeDescriptor,
    object: &FederatedObject,
    warnings: &mut Vec<Warning>,
    errors: &mut Vec<FieldError>,
) {
    let template = &object.template;
    let metadata = template.get("metadata").and_then(Value::as_object);
    let dropped = strip(kind, &mut Value::Object(template.clone()));
    let dropped: Vec<String> = dropped.iter().map(|field| format!("spec.template.{field}")).collect();
    let (ttl, dropped): (Vec<_>, Vec<_>) = dropped.into_iter().partition(|field| field.ends_with(JOB_TTL));
    if !dropped.is_empty() {
        warnings.push(Warning(format!(
            "{}: not propagated, each cluster sets it for itself",
            dropped.join(", ")
        )));
    }
    warnings.extend(ttl.iter().map(|field| no_ttl(field)));
    let forced = [("name", object.name.as_str()), ("namespace", object.namespace.as_str())];
    for (field, value) in forced {
        let other = metadata
            .and_then(|map| map.get(field))
            .and_then(Value::as_str)
            .filter(|other| *other != value && !other.is_empty());
        if let Some(other) = other {
            warnings.push(Warning(format!(
                "spec.template.metadata.{field}: {other:?} has no effect; members get {value:?}"
            )));
        }
    }
    if let Some(other) = template
        .get("kind")
        .and_then(Value::as_str)
        .filter(|other| *other != kind.target.kind)
    {
        warnings.push(Warning(format!(
            "spec.template.kind: {other:?} has no effect; members get {}",
            kind.target.kind
        )));
    }
    if kind.is_workload() {
        let spec = template.get("spec").unwrap_or(&Value::Null);
        check_selector(spec, errors);
        if !selects_its_pods(spec) {
            warnings.push(Warning(
                "spec.template.spec.selector: does not match the labels in spec.template.spec.template, and clusters refuse that; state the same labels"
                    .to_owned(),
            ));
        }
    }
    match build(kind, object, &[], Built::default()) {
        Ok(built) => {
            for (field, key) in keyed_lists::duplicates(kind, &built) {
                errors.push(duplicate(format!("spec.template.{field}"), &key));
            }
        }
        Err(Error::Template { field, problem }) => {
            let field = field.strip_prefix("spec.template.").unwrap_or(&field);
            errors.push(FieldError::invalid(format!("spec.template.{field}"), problem));
        }
        Err(
            error @ (Error::Patch { .. } | Error::Identity { .. } | Error::TooLarge { .. } | Error::ClusterName(_)),
        ) => {
            errors.push(FieldError::invalid("spec.template", error.to_string()));
        }
    }
}

/// `apps/v1` wants to be told which pods are meant; the labels that would do stand in the template.
fn check_selector(spec: &Value, errors: &mut Vec<FieldError>) {
    let selector = &spec["selector"];
    let selects = |field: &str| match &selector[field] {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if selects("matchLabels") || selects("matchExpressions") {
        return;
    }
    let labels = spec["template"]["metadata"]["labels"]
        .as_object()
        .filter(|labels| !labels.is_empty());
    let mended = match labels {
        Some(labels) => {
            let pairs: Vec<String> = labels
                .iter()
                .map(|(key, value)| format!("{key}: {}", value.as_str().unwrap_or_default()))
                .collect();
            format!("write selector: {{matchLabels: {{{}}}}}", pairs.join(", "))
        }
        None => "give the pod template labels, and select them with matchLabels".to_owned(),
    };
    errors.push(FieldError::required(
        "spec.template.spec.selector",
        format!("says which pods belong to it; {mended}"),
    ));
}

/// An override may still mend it, so this is only said.
fn selects_its_pods(spec: &Value) -> bool {
    let labels = &spec["template"]["metadata"]["labels"];
    let mut wanted = spec["selector"]["matchLabels"].as_object().into_iter().flatten();
    wanted.all(|(key, value)| labels.get(key) == Some(value))
}

fn check_overrides(
    kind: &TypeDescriptor,
    object: &FederatedObject,
    warnings: &mut Vec<Warning>,
    errors: &mut Vec<FieldError>,
) {
    let overrides = match &object.overrides {
        Ok(overrides) => overrides,
        Err(found) => {
            errors.extend(found.iter().cloned());
            return;
        }
    };
    // Patches of a template that is refused itself would only say the same again.
    if errors.iter().any(|error| error.field.starts_with("spec.template")) {
        return;
    }
    for (index, entry) in overrides.entries().iter().enumerate() {
        let field = format!("spec.overrides[{index}]");
        check_entry(kind, object, entry, &field, errors);
        let label = ["metadata", "labels", MANAGED_LABEL];
        if entry.operations.iter().any(|operation| operation.segments == label) {
            warnings.push(Warning(format!(
                "{field}: label {MANAGED_LABEL} is always \"true\" on what the hub writes"
            )));
        }
    }
}

fn check_entry(
    kind: &TypeDescriptor,
    object: &FederatedObject,
    entry: &ClusterOverrides,
    field: &str,
    errors: &mut Vec<FieldError>,
) {
    match build(kind, object, &entry.operations, Built::default()) {
        Ok(built) => {
            for (path, key) in keyed_lists::duplicates(kind, &built) {
                errors.push(duplicate(
                    field.to_owned(),
                    &format!("{key} (in {path} for {})", entry.cluster),
                ));
            }
        }
        Err(Error::Patch {
            index,
            op,
            path,
            problem,
        }) => errors.push(FieldError::invalid(
            format!("{field}.clusterOverrides[{index}]"),
            format!(
                "does not apply to the template for cluster {}: {op} {path}: {problem}",
                entry.cluster
            ),
        )),
        Err(error @ Error::Identity { .. }) => errors.push(FieldError::forbidden(
            field,
            format!("for cluster {}, {error}", entry.cluster),
        )),
        Err(error @ (Error::Template { .. } | Error::TooLarge { .. } | Error::ClusterName(_))) => {
            errors.push(FieldError::invalid(
                field,
                format!("for cluster {}: {error}", entry.cluster),
            ));
        }
    }
}

fn duplicate(field: String, key: &str) -> FieldError {
    FieldError::duplicate(
        field,
        format!("{key} stands there twice, which clusters refuse; keep one"),
    )
}
