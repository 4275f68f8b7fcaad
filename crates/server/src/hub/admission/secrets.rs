//! `Secret` and `ConfigMap`: values in one form, and those of clusters' credentials out of sight.

use atoll_kubeapi::{Admission, Cause, Operation, Resource, Status};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::refuse;
use crate::hub::backend::key_of;
use crate::hub::mask;
use crate::hub::registry::Registry;
use crate::state::AppState;

pub(super) async fn admit(
    state: &AppState,
    resource: &Resource,
    admission: &Admission<'_>,
    new: &mut Value,
) -> Result<(), Status> {
    if admission.operation == Operation::Delete || !admission.subresource.is_empty() {
        return Ok(());
    }
    let mut causes = fold_text(new);
    causes.extend(check_base64(new));
    if new["type"].as_str().unwrap_or_default().is_empty() {
        new["type"] = json!("Opaque");
    }
    if let Some(old) = admission.old
        && old["type"] != new["type"]
    {
        causes.push(Cause::invalid("type", "Invalid value: field is immutable"));
    }
    refuse(resource, new, causes)?;
    let text = |field: &str| new["metadata"][field].as_str().unwrap_or_default().to_owned();
    let (namespace, name) = (text("namespace"), text("name"));
    if mask::applies_to(&namespace) {
        return admit_credential(state, resource, admission, new, &namespace, &name).await;
    }
    refuse(resource, new, immutable_causes(admission.old, new))
}

pub(super) fn admit_configuration(
    resource: &Resource,
    admission: &Admission<'_>,
    new: &mut Value,
) -> Result<(), Status> {
    if admission.operation == Operation::Delete || !admission.subresource.is_empty() {
        return Ok(());
    }
    let mut causes = key_causes(new, "data");
    causes.extend(key_causes(new, "binaryData"));
    causes.extend(immutable_causes(admission.old, new));
    refuse(resource, new, causes)
}

/// A Secret in the system namespace: a value that is given again unchanged is no change, except where a cluster waits
/// for exactly that, because its address has changed.
async fn admit_credential(
    state: &AppState,
    resource: &Resource,
    admission: &Admission<'_>,
    new: &mut Value,
    namespace: &str,
    name: &str,
) -> Result<(), Status> {
    let stored = match admission.old {
        Some(_) => state.store.object(&key_of(resource, namespace, name)).await,
        None => Ok(None),
    };
    let stored = stored.map_err(|error| Status::from(crate::Error::from(error)))?;
    let before = stored.as_ref().map_or(&Value::Null, |object| &*object.body);
    refuse(resource, new, mask::hollow(new, before))?;
    // The type of an old body is seen above; its values are masked there.
    let mut real = new.clone();
    mask::reveal(&mut real, before);
    refuse(resource, new, immutable_causes(admission.old.map(|_| before), &real))?;
    mask::hide_last_applied(new);
    if admission.dry_run {
        mask::hide(new);
        return Ok(());
    }
    let registry = Registry::new(&state.store, state.now());
    let awaited = registry
        .awaits(name)
        .await
        .map_err(|error| Status::from(crate::Error::from(error)))?;
    if !awaited {
        mask::hide_unchanged(new, before);
    }
    Ok(())
}

/// `stringData` is a way to write `data`.
fn fold_text(secret: &mut Value) -> Vec<Cause> {
    let Some(Value::Object(text)) = secret.as_object_mut().and_then(|fields| fields.remove("stringData")) else {
        return Vec::new();
    };
    let mut causes = Vec::new();
    for (key, value) in text {
        match value {
            Value::String(value) => secret["data"][&key] = STANDARD.encode(value).into(),
            Value::Null => {}
            other => causes.push(Cause::invalid(
                format!("stringData[{key}]"),
                format!("Invalid value: {other}: must be a string"),
            )),
        }
    }
    causes
}

fn check_base64(secret: &Value) -> Vec<Cause> {
    let mut causes = key_causes(secret, "data");
    for (key, value) in secret["data"].as_object().into_iter().flatten() {
        // The value itself is not repeated: it is a secret, if an ill-formed one.
        if value.as_str().is_none_or(|text| STANDARD.decode(text).is_err()) {
            causes.push(Cause::invalid(
                format!("data[{key}]"),
                "Invalid value: is not base64; write plain text into stringData",
            ));
        }
    }
    causes
}

/// Keys may become names of files.
fn key_causes(object: &Value, field: &str) -> Vec<Cause> {
    let fits = |key: &str| {
        let plain = key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        plain && (1..=253).contains(&key.len()) && key != "." && !key.starts_with("..")
    };
    let keys = object[field].as_object().into_iter().flatten().map(|(key, _)| key);
    keys.filter(|key| !fits(key))
        .map(|key| {
            let why =
                "a key has 1 to 253 letters, digits, '-', '_' and '.', and is not '.' and does not begin with '..'";
            Cause::invalid(format!("{field}[{key}]"), format!("Invalid value: {key:?}: {why}"))
        })
        .collect()
}

/// What was made immutable stays as it is.
fn immutable_causes(old: Option<&Value>, new: &Value) -> Vec<Cause> {
    let Some(old) = old.filter(|old| old["immutable"] == true) else {
        return Vec::new();
    };
    ["immutable", "data", "binaryData"]
        .into_iter()
        .filter(|field| old[*field] != new[*field])
        .map(|field| {
            Cause::new(
                "FieldValueForbidden",
                field,
                "Forbidden: field is immutable when `immutable` is set",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_becomes_data_and_wins_over_it() {
        let mut secret = json!({"data": {"a": "b2xk", "b": "Yg=="}, "stringData": {"a": "new"}});
        assert_eq!(fold_text(&mut secret), []);
        assert_eq!(secret, json!({"data": {"a": "bmV3", "b": "Yg=="}}));
    }

    #[test]
    fn a_value_that_is_not_base64_is_refused_without_being_repeated() {
        let causes = check_base64(&json!({"data": {"token": "hunter 2"}}));
        assert_eq!(causes[0].field, "data[token]");
        assert!(!causes[0].message.contains("hunter"));
    }

    #[test]
    fn keys_are_names_of_files() {
        let causes = key_causes(
            &json!({"data": {"a.b-c_D": "", "../x": "", "": "", "a/b": "", "..": ""}}),
            "data",
        );
        assert_eq!(causes.len(), 4);
    }

    #[test]
    fn what_is_immutable_stays() {
        let old = json!({"immutable": true, "data": {"a": "b"}});
        assert_eq!(immutable_causes(Some(&old), &old), []);
        assert_eq!(immutable_causes(Some(&old), &json!({"data": {"a": "c"}})).len(), 2);
        assert_eq!(immutable_causes(None, &old), []);
    }
}
