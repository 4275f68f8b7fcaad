//! What names, labels and annotations may look like (RFC 1123, and Kubernetes' rules for qualified names).

use serde_json::Value;

use crate::resource::Resource;
use crate::status::Cause;

const MAX_ANNOTATIONS: usize = 256 * 1024;

/// A DNS label: lower-case letters, digits and dashes, 63 at most.
pub fn is_dns_label(text: &str) -> bool {
    text.len() <= 63
        && !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(is_label_byte)
}

/// A DNS subdomain: DNS labels joined by dots, 253 characters at most.
pub fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|part| {
            !part.is_empty() && !part.starts_with('-') && !part.ends_with('-') && part.bytes().all(is_label_byte)
        })
}

fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

fn is_qualified_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    text.len() <= 63
        && ends(bytes.first())
        && ends(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// A label's key: an optional DNS subdomain with a slash, then a name.
pub fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_subdomain(prefix) && is_qualified_part(name),
        None => is_qualified_part(text),
    }
}

/// A label's value: empty, or as a name.
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_qualified_part(text)
}

/// Everything wrong with the name, labels, annotations and finalizers of an object.
pub fn metadata_causes(resource: &Resource, metadata: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = metadata["name"].as_str().unwrap_or_default();
    if name.is_empty() {
        causes.push(Cause::required(
            "metadata.name",
            "Required value: name or generateName is required",
        ));
    } else if let Some(why) = wrong_name(resource, name) {
        causes.push(Cause::invalid(
            "metadata.name",
            format!("Invalid value: {name:?}: {why}"),
        ));
    }
    for (key, value) in metadata["labels"].as_object().into_iter().flatten() {
        if !is_label_key(key) {
            causes.push(Cause::invalid(
                "metadata.labels",
                format!("Invalid value: {key:?}: {QUALIFIED}"),
            ));
        } else if !value.as_str().is_some_and(is_label_value) {
            let why = "a label's value is empty or at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";
            causes.push(Cause::invalid(
                "metadata.labels",
                format!("Invalid value: {value}: {why}"),
            ));
        }
    }
    let mut size = 0;
    for (key, value) in metadata["annotations"].as_object().into_iter().flatten() {
        if !is_label_key(&key.to_ascii_lowercase()) {
            causes.push(Cause::invalid(
                "metadata.annotations",
                format!("Invalid value: {key:?}: {QUALIFIED}"),
            ));
        }
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > MAX_ANNOTATIONS {
        let message = format!("Too long: may not be more than {MAX_ANNOTATIONS} bytes");
        causes.push(Cause::new("FieldValueTooLong", "metadata.annotations", message));
    }
    for (index, finalizer) in metadata["finalizers"].as_array().into_iter().flatten().enumerate() {
        if !finalizer.as_str().is_some_and(is_label_key) {
            causes.push(Cause::invalid(
                format!("metadata.finalizers[{index}]"),
                format!("Invalid value: {finalizer}: {QUALIFIED}"),
            ));
        }
    }
    causes
}

const QUALIFIED: &str = "must be a name of at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends, \
    after an optional DNS subdomain and '/', such as example.com/name";

/// What is wrong with a name, by the rules of its kind.
fn wrong_name(resource: &Resource, name: &str) -> Option<&'static str> {
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("rbac.authorization.k8s.io", _) => {
            let is_segment = !matches!(name, "." | "..") && !name.contains(['/', '%']);
            (!is_segment).then_some("may not be '.' or '..', nor contain '/' or '%'")
        }
        ("", "Namespace") => (!is_dns_label(name)).then_some(
            "a lowercase RFC 1123 label must consist of lower case letters, digits and '-', begin and end with a letter or digit, \
             and have at most 63 characters",
        ),
        ("", "Service") => (!is_dns_label(name) || name.starts_with(|first: char| first.is_ascii_digit())).then_some(
            "a DNS-1035 label must consist of lower case letters, digits and '-', begin with a letter, end with a letter or digit, \
             and have at most 63 characters",
        ),
        _ => (!is_dns_subdomain(name)).then_some(
            "a lowercase RFC 1123 subdomain must consist of lower case letters, digits, '-' and '.', begin and end with a letter or \
             digit, and have at most 253 characters",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_follow_rfc_1123() {
        for good in ["a", "web-1", "a.b-c.d", "0"] {
            assert!(is_dns_subdomain(good), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a..b", "a_b", "ä", "a b", ".a"] {
            assert!(!is_dns_subdomain(bad), "{bad}");
        }
        assert!(!is_dns_label("a.b"));
        assert!(!is_dns_label(&"a".repeat(64)));
    }

    #[test]
    fn each_bad_piece_of_metadata_is_named() {
        let metadata = json!({"name": "Web", "labels": {"a b": "x", "c": "d e"}, "annotations": {"/x": "y"}, "finalizers": ["a/b", "c d"]});
        let causes = metadata_causes(&Resource::new("apps", "v1", "Deployment", "deployments"), &metadata);
        let fields: Vec<&str> = causes.iter().map(|cause| cause.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "metadata.name",
                "metadata.labels",
                "metadata.labels",
                "metadata.annotations",
                "metadata.finalizers[1]"
            ]
        );
    }

    #[test]
    fn kinds_have_rules_of_their_own_for_names() {
        let wrong =
            |group: &str, kind: &str, name: &str| wrong_name(&Resource::new(group, "v1", kind, ""), name).is_some();
        assert!(wrong("", "Namespace", "a.b") && !wrong("", "ConfigMap", "a.b"));
        assert!(wrong("", "Service", "1a") && !wrong("", "Service", "a1"));
        assert!(wrong("", "ConfigMap", "system:a") && !wrong("rbac.authorization.k8s.io", "ClusterRole", "system:A"));
    }
}
