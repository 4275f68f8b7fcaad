//! `Deployment`, `ReplicaSet` and `DaemonSet` before `apps/v1`: the same fields, but for a selector that could be left
//! out and two fields that servers kept for themselves.

use serde_json::{Value, json};

use crate::FieldError;

/// Whether a version wants a selector to be stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// Without a selector the labels of the pods are one.
    Defaulted,
    /// As today.
    Explicit,
}

pub(super) fn to_stored(age: Age, object: &mut Value) -> Result<(), Vec<FieldError>> {
    if object.pointer("/spec/rollbackTo").is_some_and(|value| !value.is_null()) {
        return Err(vec![FieldError::forbidden(
            "spec.rollbackTo",
            "is not kept any more; write the template that you want to go back to",
        )]);
    }
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    // A count of the server's own.
    spec.remove("templateGeneration");
    spec.remove("rollbackTo");
    let states_none = spec.get("selector").is_none_or(Value::is_null);
    let labels = spec
        .get("template")
        .and_then(|template| template.pointer("/metadata/labels"))
        .filter(|labels| labels.as_object().is_some_and(|labels| !labels.is_empty()))
        .cloned();
    if let (Age::Defaulted, true, Some(labels)) = (age, states_none, labels) {
        spec.insert("selector".to_owned(), json!({"matchLabels": labels}));
    }
    Ok(())
}
