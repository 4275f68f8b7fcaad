//! Credentials of clusters can be written and never read.
//!
//! Every Secret in `kube-federation-system` counts as one, whether or not a cluster names it yet: it was put there to
//! be one, and it must not become readable because its cluster was removed first. Whatever leaves the store towards
//! the API carries a fixed mask in place of values, so no list, watch, patch, dry run or error can show one. A mask
//! that comes back in a write means "as it was".

use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_kubeapi::Cause;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// What stands in place of a value.
const MASK: &str = "******";
/// Where kubectl keeps what it last applied, values included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The mask as it stands in `data`.
fn masked() -> Value {
    STANDARD.encode(MASK).into()
}

/// Whether Secrets of this namespace are masked.
pub(super) fn applies_to(namespace: &str) -> bool {
    namespace == SYSTEM_NAMESPACE
}

fn data(secret: &mut Value) -> Option<&mut Map<String, Value>> {
    secret.get_mut("data").and_then(Value::as_object_mut)
}

/// Puts the mask over every value.
pub(super) fn hide(secret: &mut Value) {
    if let Some(data) = data(secret) {
        data.values_mut().for_each(|value| *value = masked());
    }
    if let Some(fields) = secret.as_object_mut() {
        fields.remove("stringData");
    }
    hide_last_applied(secret);
}

/// Puts the mask over the values that kubectl noted; what cannot be read is taken out.
pub(super) fn hide_last_applied(secret: &mut Value) {
    let Some(annotations) = secret
        .pointer_mut("/metadata/annotations")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let Some(noted) = annotations.get(LAST_APPLIED) else {
        return;
    };
    let Some(mut noted) = noted.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        annotations.remove(LAST_APPLIED);
        return;
    };
    for (field, mask) in [("data", masked()), ("stringData", MASK.into())] {
        for value in noted
            .get_mut(field)
            .and_then(Value::as_object_mut)
            .into_iter()
            .flat_map(Map::values_mut)
        {
            *value = mask.clone();
        }
    }
    annotations.insert(LAST_APPLIED.to_owned(), format!("{noted}\n").into());
}

/// Puts the mask over the values that are as they were, so that writing them again is no change.
pub(super) fn hide_unchanged(secret: &mut Value, before: &Value) {
    for (key, value) in data(secret).into_iter().flatten() {
        if before["data"].get(key) == Some(value) {
            *value = masked();
        }
    }
}

/// Masks that stand for nothing, because there was no value.
pub(super) fn hollow(secret: &Value, before: &Value) -> Vec<Cause> {
    let masks = secret["data"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| **value == masked());
    masks
        .filter(|(key, _)| before["data"].get(*key).is_none())
        .map(|(key, _)| {
            Cause::invalid(
                format!("data[{key}]"),
                "Invalid value: is the mask that stands in place of credentials; write the value itself",
            )
        })
        .collect()
}

/// Puts the values back in place of their masks.
pub(super) fn reveal(secret: &mut Value, before: &Value) {
    let mask = masked();
    for (key, value) in data(secret).into_iter().flatten() {
        if *value == mask
            && let Some(real) = before["data"].get(key)
        {
            value.clone_from(real);
        }
    }
}

/// Whether any value was given, rather than left as it was.
pub(super) fn gives_values(secret: &Value) -> bool {
    let mask = masked();
    secret["data"]
        .as_object()
        .into_iter()
        .flatten()
        .any(|(_, value)| *value != mask)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret() -> Value {
        json!({"metadata": {"name": "eu-1", "annotations": {LAST_APPLIED: "{\"data\":{\"token\":\"c2VjcmV0\"},\"stringData\":{\"x\":\"secret\"}}\n"}},
            "data": {"token": "c2VjcmV0", "ca.crt": "Y2E="}, "stringData": {"y": "secret"}})
    }

    #[test]
    fn no_value_is_left_in_what_is_shown() {
        let mut shown = secret();
        hide(&mut shown);
        let text = shown.to_string();
        assert!(
            !text.contains("c2VjcmV0") && !text.contains("Y2E=") && !text.contains("\"secret\""),
            "{text}"
        );
        assert_eq!(shown["data"].as_object().unwrap().len(), 2);
        let noted: Value =
            serde_json::from_str(shown["metadata"]["annotations"][LAST_APPLIED].as_str().unwrap()).unwrap();
        assert_eq!(noted["stringData"]["x"], MASK);
    }

    #[test]
    fn a_note_that_cannot_be_read_is_not_shown() {
        let mut shown = json!({"metadata": {"annotations": {LAST_APPLIED: "secret", "other": "x"}}});
        hide(&mut shown);
        assert_eq!(shown["metadata"]["annotations"], json!({"other": "x"}));
    }

    #[test]
    fn a_mask_that_comes_back_changes_nothing() {
        let mut written = secret();
        hide(&mut written);
        assert!(!gives_values(&written));
        reveal(&mut written, &secret());
        assert_eq!(written["data"], secret()["data"]);
    }

    #[test]
    fn a_mask_for_a_value_that_never_was_is_refused() {
        let written = json!({"data": {"token": STANDARD.encode(MASK), "new": STANDARD.encode(MASK)}});
        let fields: Vec<String> = hollow(&written, &secret())
            .into_iter()
            .map(|cause| cause.field)
            .collect();
        assert_eq!(fields, ["data[new]"]);
    }

    #[test]
    fn only_what_differs_stays_visible_to_the_write() {
        let mut written = json!({"data": {"token": "bmV3", "ca.crt": "Y2E="}});
        hide_unchanged(&mut written, &secret());
        assert_eq!(
            written["data"],
            json!({"token": "bmV3", "ca.crt": STANDARD.encode(MASK)})
        );
        assert!(gives_values(&written));
    }
}
