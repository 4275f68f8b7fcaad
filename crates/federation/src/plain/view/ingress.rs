//! `Ingress` before `networking.k8s.io/v1`: a backend named its service and port side by side, and a path needed no type.

use serde_json::{Map, Value, json};

use crate::FieldError;

/// What a path without a type meant.
const PATH_TYPE: &str = "ImplementationSpecific";

pub(super) fn to_stored(object: &mut Value) -> Result<(), Vec<FieldError>> {
    let mut errors = Vec::new();
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut)
        && let Some(mut backend) = spec.remove("backend")
    {
        backend_to_stored(&mut backend, "spec.backend", &mut errors);
        if spec.contains_key("defaultBackend") {
            errors.push(FieldError::forbidden(
                "spec.defaultBackend",
                "is what today's version calls spec.backend; keep one",
            ));
        }
        spec.insert("defaultBackend".to_owned(), backend);
    }
    each_path(object, |path, field| {
        if path.get("pathType").is_none_or(Value::is_null) {
            path.insert("pathType".to_owned(), PATH_TYPE.into());
        }
        if let Some(backend) = path.get_mut("backend") {
            backend_to_stored(backend, &format!("{field}.backend"), &mut errors);
        }
    });
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

pub(super) fn to_version(object: &mut Value) {
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut)
        && let Some(mut backend) = spec.remove("defaultBackend")
    {
        backend_to_version(&mut backend);
        spec.insert("backend".to_owned(), backend);
    }
    each_path(object, |path, _| {
        // Old files state no type: showing the one that stands for none would make each of them a change.
        if path.get("pathType").is_some_and(|kind| kind == PATH_TYPE) {
            path.remove("pathType");
        }
        if let Some(backend) = path.get_mut("backend") {
            backend_to_version(backend);
        }
    });
}

/// Calls `change` for each path of each rule, with the field where it stands.
fn each_path(object: &mut Value, mut change: impl FnMut(&mut Map<String, Value>, &str)) {
    let rules = object.pointer_mut("/spec/rules").and_then(Value::as_array_mut);
    for (rule, value) in rules.into_iter().flatten().enumerate() {
        let paths = value.pointer_mut("/http/paths").and_then(Value::as_array_mut);
        for (path, value) in paths.into_iter().flatten().enumerate() {
            if let Some(map) = value.as_object_mut() {
                change(map, &format!("spec.rules[{rule}].http.paths[{path}]"));
            }
        }
    }
}

fn backend_to_stored(backend: &mut Value, field: &str, errors: &mut Vec<FieldError>) {
    let Some(map) = backend.as_object_mut() else {
        return;
    };
    let (name, port) = (map.remove("serviceName"), map.remove("servicePort"));
    if name.is_none() && port.is_none() {
        return;
    }
    let mut service = json!({});
    if let Some(name) = name {
        service["name"] = name;
    }
    match port {
        Some(Value::String(text)) if !text.is_empty() => match text.parse::<u16>() {
            // Written in quotes it was a number all the same, because no port is called by digits alone.
            Ok(number) => service["port"] = json!({"number": number}),
            Err(_) => service["port"] = json!({"name": text}),
        },
        Some(Value::Number(number)) => service["port"] = json!({"number": number}),
        None | Some(Value::Null | Value::String(_)) => {}
        Some(other) => errors.push(FieldError::invalid(
            format!("{field}.servicePort"),
            format!("{other} is no port: write a number or the name of a port"),
        )),
    }
    map.insert("service".to_owned(), service);
}

fn backend_to_version(backend: &mut Value) {
    let Some(map) = backend.as_object_mut() else {
        return;
    };
    let Some(service) = map.remove("service") else {
        return;
    };
    if let Some(name) = service.get("name") {
        map.insert("serviceName".to_owned(), name.clone());
    }
    let port = service.get("port");
    if let Some(port) = port.and_then(|port| port.get("number").or_else(|| port.get("name"))) {
        map.insert("servicePort".to_owned(), port.clone());
    }
}
