//! What people may say about a cluster: names, free text, labels.

use std::collections::BTreeMap;

use atoll_federation::ClusterName;
use atoll_kubeapi::Cause;
use atoll_kubeapi::names::{is_label_key, is_label_value};

/// Longest alias, provider and region, in characters.
const SHORT: usize = 63;
/// Longest description, in characters.
const LONG: usize = 256;
/// Most labels of a cluster.
const MAX_LABELS: usize = 128;

/// What is wrong with the name of a cluster.
pub(super) fn name_cause(name: &str) -> Option<Cause> {
    if name.is_empty() {
        return Some(Cause::required("name", "names the cluster"));
    }
    let error = ClusterName::parse(name).err()?;
    Some(Cause::invalid("name", error.to_string()))
}

/// Free text, checked field by field.
pub(super) struct Text<'a> {
    pub(super) alias: &'a str,
    pub(super) description: &'a str,
    pub(super) provider: &'a str,
    pub(super) region: &'a str,
}

/// What is wrong with free text.
pub(super) fn text_causes(text: &Text<'_>) -> Vec<Cause> {
    let fields = [
        ("alias", text.alias, SHORT),
        ("description", text.description, LONG),
        ("provider", text.provider, SHORT),
        ("region", text.region, SHORT),
    ];
    fields
        .into_iter()
        .filter(|(_, value, most)| value.chars().count() > *most || value.chars().any(char::is_control))
        .map(|(field, _, most)| Cause::invalid(field, format!("must be one line of at most {most} characters")))
        .collect()
}

/// What is wrong with labels.
pub(super) fn label_causes(labels: &BTreeMap<String, String>) -> Vec<Cause> {
    let mut causes: Vec<Cause> = labels
        .iter()
        .filter_map(|(key, value)| {
            let field = || format!("labels[{key}]");
            if !is_label_key(key) {
                let message = "a label's key is a name of letters, digits, '-', '_' and '.', with a DNS name and '/' before it if need be";
                return Some(Cause::invalid(field(), message));
            }
            (!is_label_value(value)).then(|| {
                let message = "a label's value has at most 63 letters, digits, '-', '_' and '.', and begins and ends with a letter or digit";
                Cause::invalid(field(), message)
            })
        })
        .collect();
    if labels.len() > MAX_LABELS {
        causes.push(Cause::invalid(
            "labels",
            format!("a cluster has at most {MAX_LABELS} labels"),
        ));
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_that_is_too_long_is_named() {
        let long = "x".repeat(257);
        let text = Text {
            alias: &long,
            description: &long,
            provider: "kind",
            region: "two\nlines",
        };
        let fields: Vec<String> = text_causes(&text).into_iter().map(|cause| cause.field).collect();
        assert_eq!(fields, ["alias", "description", "region"]);
    }

    #[test]
    fn labels_are_kubernetes_labels() {
        let labels = BTreeMap::from([
            ("region".to_owned(), "eu".to_owned()),
            ("example.com/tier".to_owned(), String::new()),
            ("bad key".to_owned(), "x".to_owned()),
            ("k".to_owned(), "no spaces".to_owned()),
        ]);
        let fields: Vec<String> = label_causes(&labels).into_iter().map(|cause| cause.field).collect();
        assert_eq!(fields, ["labels[bad key]", "labels[k]"]);
    }
}
