//! Label selectors as Kubernetes reads them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::FieldError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operator {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
    /// As nodes are selected; only selectors of Federation v1 have these two.
    Gt(i64),
    Lt(i64),
}

/// `matchLabels` and `matchExpressions`, all of which must hold. Without any, every cluster is selected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelSelector(pub(crate) Vec<(String, Operator)>);

impl LabelSelector {
    /// Reads a selector; `field` is where it stands.
    ///
    /// # Errors
    /// Every field that cannot be meant.
    pub fn parse(selector: &Value, field: &str) -> Result<Self, Vec<FieldError>> {
        let Value::Object(map) = selector else {
            return Err(vec![FieldError::invalid(
                field,
                "must be an object with matchLabels or matchExpressions",
            )]);
        };
        let mut errors = Vec::new();
        let mut requirements = Vec::new();
        read_labels(map, field, &mut requirements, &mut errors);
        read_expressions(map, field, &mut requirements, &mut errors);
        for key in map
            .keys()
            .filter(|key| !matches!(key.as_str(), "matchLabels" | "matchExpressions"))
        {
            // Dropping it would select everything where the writer meant a few.
            errors.push(FieldError::invalid(
                format!("{field}.{key}"),
                format!("unknown field; for a label write matchLabels: {{{key}: …}}"),
            ));
        }
        if errors.is_empty() {
            Ok(Self(requirements))
        } else {
            Err(errors)
        }
    }

    /// Whether something with these labels is selected.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|(key, operator)| {
            let label = labels.get(key);
            let number = || label.and_then(|label| label.parse::<i64>().ok());
            match operator {
                Operator::In(values) => label.is_some_and(|label| values.contains(label)),
                Operator::NotIn(values) => label.is_none_or(|label| !values.contains(label)),
                Operator::Exists => label.is_some(),
                Operator::DoesNotExist => label.is_none(),
                Operator::Gt(bound) => number().is_some_and(|number| number > *bound),
                Operator::Lt(bound) => number().is_some_and(|number| number < *bound),
            }
        })
    }
}

fn read_labels(
    map: &Map<String, Value>,
    field: &str,
    requirements: &mut Vec<(String, Operator)>,
    errors: &mut Vec<FieldError>,
) {
    let field = format!("{field}.matchLabels");
    match map.get("matchLabels") {
        None | Some(Value::Null) => {}
        Some(Value::Object(labels)) => {
            for (key, value) in labels {
                let field = format!("{field}[{key}]");
                check_key(key, &field, errors);
                if let Some(value) = check_value(value, &field, errors) {
                    requirements.push((key.clone(), Operator::In(vec![value])));
                }
            }
        }
        Some(_) => errors.push(FieldError::invalid(
            field,
            "must be an object of labels, such as {region: eu}",
        )),
    }
}

fn read_expressions(
    map: &Map<String, Value>,
    field: &str,
    requirements: &mut Vec<(String, Operator)>,
    errors: &mut Vec<FieldError>,
) {
    let field = format!("{field}.matchExpressions");
    let items = match map.get("matchExpressions") {
        None | Some(Value::Null) => return,
        Some(Value::Array(items)) => items,
        Some(_) => {
            errors.push(FieldError::invalid(
                field,
                "must be a list, such as [{key: region, operator: In, values: [eu]}]",
            ));
            return;
        }
    };
    for (index, item) in items.iter().enumerate() {
        let field = format!("{field}[{index}]");
        let key = item.get("key").and_then(Value::as_str).unwrap_or_default();
        if key.is_empty() {
            errors.push(FieldError::required(format!("{field}.key"), "names the label"));
        } else {
            check_key(key, &format!("{field}.key"), errors);
        }
        if let Some(operator) = read_operator(item, &field, errors) {
            requirements.push((key.to_owned(), operator));
        }
    }
}

fn read_operator(item: &Value, field: &str, errors: &mut Vec<FieldError>) -> Option<Operator> {
    let values_field = format!("{field}.values");
    let values: Vec<String> = match item.get("values") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => values
            .iter()
            .filter_map(|value| check_value(value, &values_field, errors))
            .collect(),
        Some(_) => {
            errors.push(FieldError::invalid(values_field, "must be a list of label values"));
            return None;
        }
    };
    let operator = item.get("operator").and_then(Value::as_str).unwrap_or_default();
    match operator {
        "In" | "NotIn" if values.is_empty() => {
            errors.push(FieldError::required(
                values_field,
                format!("{operator} needs at least one value"),
            ));
            None
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            errors.push(FieldError::forbidden(
                values_field,
                format!("{operator} takes no values; leave them out, or use In or NotIn"),
            ));
            None
        }
        "In" => Some(Operator::In(values)),
        "NotIn" => Some(Operator::NotIn(values)),
        "Exists" => Some(Operator::Exists),
        "DoesNotExist" => Some(Operator::DoesNotExist),
        "" => {
            errors.push(FieldError::required(
                format!("{field}.operator"),
                "one of In, NotIn, Exists, DoesNotExist",
            ));
            None
        }
        other => {
            errors.push(FieldError::invalid(
                format!("{field}.operator"),
                format!("{other:?} is no operator; use In, NotIn, Exists or DoesNotExist"),
            ));
            None
        }
    }
}

pub(crate) fn check_key(key: &str, field: &str, errors: &mut Vec<FieldError>) {
    let (prefix, name) = key
        .split_once('/')
        .map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let prefix_is_fine = prefix.is_none_or(|prefix| {
        prefix.len() <= 253 && prefix.split('.').all(|part| crate::ClusterName::parse(part).is_ok())
    });
    if !prefix_is_fine || !is_name(name) {
        errors.push(FieldError::invalid(
            field,
            format!(
                "{key:?} is no label key: letters, digits, '-', '_' and '.', 63 at most, perhaps after a domain and '/'"
            ),
        ));
    }
}

pub(crate) fn check_value(value: &Value, field: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    match value.as_str() {
        Some(text) if text.is_empty() || is_name(text) => Some(text.to_owned()),
        Some(text) => {
            errors.push(FieldError::invalid(
                field,
                format!("{text:?} is no label value: letters, digits, '-', '_' and '.', 63 at most"),
            ));
            None
        }
        None => {
            errors.push(FieldError::invalid(
                field,
                format!("label values are text; write \"{value}\" in quotes"),
            ));
            None
        }
    }
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    bytes.len() <= 63 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inside)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selects(expression: Value) -> bool {
        let labels = BTreeMap::from([
            ("region".to_owned(), "eu".to_owned()),
            ("tier".to_owned(), String::new()),
        ]);
        LabelSelector::parse(&json!({"matchExpressions": [expression]}), "s")
            .unwrap()
            .matches(&labels)
    }

    #[test]
    fn each_operator_means_what_kubernetes_means() {
        for (key, operator, values, expected) in [
            ("region", "In", json!(["us", "eu"]), true),
            ("region", "In", json!(["us"]), false),
            ("zone", "In", json!(["a"]), false),
            ("region", "NotIn", json!(["eu"]), false),
            ("zone", "NotIn", json!(["a"]), true),
            ("tier", "Exists", json!([]), true),
            ("zone", "Exists", Value::Null, false),
            ("zone", "DoesNotExist", json!([]), true),
            ("tier", "In", json!([""]), true),
        ] {
            let expression = json!({"key": key, "operator": operator, "values": values});
            assert_eq!(selects(expression.clone()), expected, "{expression}");
        }
    }

    #[test]
    fn all_requirements_must_hold() {
        let selector = LabelSelector::parse(
            &json!({"matchLabels": {"region": "eu"}, "matchExpressions": [{"key": "gpu", "operator": "Exists"}]}),
            "s",
        )
        .unwrap();
        let mut labels = BTreeMap::from([("region".to_owned(), "eu".to_owned())]);
        assert!(!selector.matches(&labels));
        labels.insert("gpu".to_owned(), "a100".to_owned());
        assert!(selector.matches(&labels));
    }

    #[test]
    fn a_selector_that_cannot_be_meant_is_refused() {
        for selector in [
            json!([]),
            json!({"matchLabels": ["a"]}),
            json!({"matchLabels": {"a": 1}}),
            json!({"matchLabels": {"-a": "b"}}),
            json!({"matchLabels": {"a": "b c"}}),
            json!({"matchExpressions": {}}),
            json!({"matchExpressions": [{"operator": "Exists"}]}),
            json!({"matchExpressions": [{"key": "a"}]}),
            json!({"matchExpressions": [{"key": "a", "operator": "in", "values": ["b"]}]}),
            json!({"matchExpressions": [{"key": "a", "operator": "In"}]}),
            json!({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}),
            json!({"region": "eu"}),
        ] {
            assert!(LabelSelector::parse(&selector, "s").is_err(), "{selector}");
        }
    }
}
