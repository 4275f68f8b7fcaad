//! The annotation by which an object of Federation v1 says which clusters it goes to: a JSON list of requirements, all of
//! which must hold. Operators are written in several ways, and nodes' `Gt` and `Lt` are among them.

use serde_json::Value;

use crate::FieldError;
use crate::placement::LabelSelector;
use crate::placement::selector::{Operator, check_key, check_value};

const OPERATORS: &str = "In, NotIn, Exists, DoesNotExist, Gt or Lt (or =, ==, !=, !, >, <)";

/// Reads the annotation's text; `field` is where it stands.
///
/// # Errors
/// Every part that cannot be meant: nothing goes anywhere by a selector that nobody understands.
pub(super) fn parse(text: &str, field: &str) -> Result<LabelSelector, Vec<FieldError>> {
    let example = r#"write a list such as [{"key": "region", "operator": "In", "values": ["eu"]}]"#;
    let items = match serde_json::from_str(text) {
        Ok(Value::Array(items)) => items,
        Ok(Value::Null) => return Ok(LabelSelector::default()),
        Ok(_) => return Err(vec![FieldError::invalid(field, format!("is no list; {example}"))]),
        Err(error) => {
            let message = format!("is no JSON ({error}); {example}");
            return Err(vec![FieldError::invalid(field, message)]);
        }
    };
    let mut errors = Vec::new();
    let mut requirements = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let field = format!("{field}[{index}]");
        let Some(requirement) = read(item, &field, &mut errors) else {
            continue;
        };
        requirements.push(requirement);
    }
    if errors.is_empty() {
        Ok(LabelSelector(requirements))
    } else {
        Err(errors)
    }
}

fn read(item: &Value, field: &str, errors: &mut Vec<FieldError>) -> Option<(String, Operator)> {
    // As everywhere in v1, field names are matched whatever their case.
    let get = |name: &str| {
        let fields = item.as_object().into_iter().flatten();
        fields
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next_back()
    };
    let key = get("key").and_then(Value::as_str).unwrap_or_default();
    if key.is_empty() {
        errors.push(FieldError::required(format!("{field}.key"), "names the label"));
        return None;
    }
    check_key(key, &format!("{field}.key"), errors);
    let values_field = format!("{field}.values");
    let values: Vec<String> = match get("values") {
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
    let word = get("operator").and_then(Value::as_str).unwrap_or_default();
    let one = |errors: &mut Vec<FieldError>| match values.as_slice() {
        [value] => Some(value.clone()),
        _ => {
            let message = format!("{word} takes exactly one value");
            errors.push(FieldError::invalid(values_field.clone(), message));
            None
        }
    };
    let number = |errors: &mut Vec<FieldError>| {
        let value = one(errors)?;
        let number = value.parse::<i64>().ok();
        if number.is_none() {
            let message = format!("{value:?} is no number, which {word} compares with");
            errors.push(FieldError::invalid(values_field.clone(), message));
        }
        number
    };
    let some = |errors: &mut Vec<FieldError>| {
        if values.is_empty() {
            let message = format!("{word} needs at least one value");
            errors.push(FieldError::required(values_field.clone(), message));
        }
        (!values.is_empty()).then(|| values.clone())
    };
    let none = |errors: &mut Vec<FieldError>| {
        if !values.is_empty() {
            let message = format!("{word} takes no values; leave them out, or use In or NotIn");
            errors.push(FieldError::forbidden(values_field.clone(), message));
        }
        values.is_empty()
    };
    let operator = match word {
        "in" | "In" => Operator::In(some(errors)?),
        "notin" | "NotIn" => Operator::NotIn(some(errors)?),
        "=" | "==" => Operator::In(vec![one(errors)?]),
        "!=" => Operator::NotIn(vec![one(errors)?]),
        "exists" | "Exists" => none(errors).then_some(Operator::Exists)?,
        "!" | "DoesNotExist" => none(errors).then_some(Operator::DoesNotExist)?,
        "gt" | "Gt" | ">" => Operator::Gt(number(errors)?),
        "lt" | "Lt" | "<" => Operator::Lt(number(errors)?),
        other => {
            let message = format!("{other:?} is no operator; use {OPERATORS}");
            errors.push(FieldError::invalid(format!("{field}.operator"), message));
            return None;
        }
    };
    Some((key.to_owned(), operator))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn matches(requirement: Value, labels: &[(&str, &str)]) -> bool {
        let labels: BTreeMap<String, String> = labels
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect();
        parse(&json!([requirement]).to_string(), "f").unwrap().matches(&labels)
    }

    #[test]
    fn every_spelling_of_an_operator_means_the_same() {
        let region = [("region", "eu"), ("cores", "16")];
        for (operator, values, expected) in [
            ("in", json!(["eu", "us"]), true),
            ("In", json!(["us"]), false),
            ("notin", json!(["us"]), true),
            ("NotIn", json!(["eu"]), false),
            ("exists", json!([]), true),
            ("Exists", json!(null), true),
            ("!", json!(null), false),
            ("DoesNotExist", json!([]), false),
            ("=", json!(["eu"]), true),
            ("==", json!(["us"]), false),
            ("!=", json!(["us"]), true),
        ] {
            let requirement = json!({"key": "region", "operator": operator, "values": values});
            assert_eq!(matches(requirement, &region), expected, "{operator}");
        }
        for (operator, value, expected) in [
            ("gt", "15", true),
            ("Gt", "16", false),
            (">", "9", true),
            ("lt", "17", true),
            ("Lt", "16", false),
            ("<", "100", true),
        ] {
            let requirement = json!({"key": "cores", "operator": operator, "values": [value]});
            assert_eq!(matches(requirement, &region), expected, "{operator} {value}");
        }
    }

    #[test]
    fn a_label_that_is_no_number_is_neither_more_nor_less() {
        for operator in [">", "<"] {
            let requirement = json!({"key": "region", "operator": operator, "values": ["1"]});
            assert!(!matches(requirement.clone(), &[("region", "eu")]) && !matches(requirement, &[]));
        }
    }

    #[test]
    fn an_empty_list_selects_everything_and_field_names_have_no_case() {
        assert!(parse("[]", "f").unwrap().matches(&BTreeMap::new()));
        assert!(matches(
            json!({"Key": "region", "OPERATOR": "exists"}),
            &[("region", "eu")]
        ));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        let fields = |text: &str| -> Vec<String> {
            let errors = parse(text, "f").unwrap_err();
            errors.into_iter().map(|error| error.field).collect()
        };
        // What v1 wrote to keep a namespace to itself is no JSON, and kept everything at home.
        assert_eq!(fields("federation.kubernetes.io/federation-control-plane=true"), ["f"]);
        assert_eq!(fields("{}"), ["f"]);
        assert_eq!(fields(r#"[{"operator": "exists"}]"#), ["f[0].key"]);
        assert_eq!(fields(r#"[{"key": "a", "operator": "like"}]"#), ["f[0].operator"]);
        assert_eq!(fields(r#"[{"key": "a", "operator": "in"}]"#), ["f[0].values"]);
        assert_eq!(
            fields(r#"[{"key": "a", "operator": "=", "values": ["1", "2"]}]"#),
            ["f[0].values"]
        );
        assert_eq!(
            fields(r#"[{"key": "a", "operator": ">", "values": ["many"]}]"#),
            ["f[0].values"]
        );
        assert_eq!(
            fields(r#"[{"key": "a", "operator": "!", "values": ["x"]}]"#),
            ["f[0].values"]
        );
        assert_eq!(fields(r#"[{"key": "a", "operator": "in", "values": [1]}]"#).len(), 2);
    }
}
