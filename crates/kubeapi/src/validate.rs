//! Objects held against their structure: fields that do not exist, values of another type, values that are missing.

use serde_json::Value;

use crate::resource::Resource;
use crate::schema::{Node, Schema};
use crate::status::{Cause, Status};

/// More than these are not reported.
const MOST: usize = 20;

/// Takes out the fields that the kind does not have; answers with their paths.
pub fn take_unknown(schema: &Schema, object: &mut Value) -> Vec<String> {
    let mut found = Vec::new();
    take(object, schema.node(), "", &mut found);
    found
}

fn take(value: &mut Value, node: Node<'_>, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                let known = node.allows(name);
                if !known {
                    found.push(join(path, name));
                }
                known
            });
            for (name, field) in fields {
                if field.is_object() || field.is_array() {
                    take(field, node.field(name), &join(path, name), found);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                take(item, node.items(), &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Holds the object against the structure of its kind.
///
/// # Errors
/// 422 with a cause for each field that is wrong.
pub fn check(resource: &Resource, object: &Value) -> Result<(), Status> {
    let causes = causes(&resource.schema, object);
    if causes.is_empty() {
        return Ok(());
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    Err(Status::invalid(&resource.group, &resource.kind, name, causes))
}

/// What is wrong, field by field.
pub fn causes(schema: &Schema, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    walk(object, schema.node(), "", &mut causes);
    causes
}

/// What a structure says about values of another type that people write there: the way out.
fn hint(node: Node<'_>) -> String {
    let hint = node.keyword("x-atoll-hint").as_str();
    hint.map(|hint| format!("; {hint}")).unwrap_or_default()
}

fn walk(value: &Value, node: Node<'_>, path: &str, causes: &mut Vec<Cause>) {
    if causes.len() >= MOST {
        return;
    }
    if let Some(wanted) = node.json_type()
        && !is_of(wanted, value)
    {
        let article = if matches!(wanted, "object" | "array" | "integer") {
            "an"
        } else {
            "a"
        };
        let given = match value {
            Value::String(text) => format!("{text:?}"),
            other => other.to_string().chars().take(60).collect(),
        };
        causes.push(Cause::new(
            "FieldValueTypeInvalid",
            path,
            format!("Invalid value: {given}: must be {article} {wanted}{}", hint(node)),
        ));
        return;
    }
    bounds(value, node, path, causes);
    match value {
        Value::Object(fields) => {
            for name in node
                .keyword("required")
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                if fields
                    .get(name)
                    .is_none_or(|field| field.is_null() && !node.field(name).is_nullable())
                    && node.field(name).default().is_none()
                {
                    causes.push(Cause::required(join(path, name), "Required value"));
                }
            }
            for (name, field) in fields {
                if !field.is_null() {
                    walk(field, node.field(name), &join(path, name), causes);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, node.items(), &format!("{path}[{index}]"), causes);
            }
        }
        _ => {}
    }
}

fn is_of(wanted: &str, value: &Value) -> bool {
    match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        _ => true,
    }
}

/// Enumerations and limits.
fn bounds(value: &Value, node: Node<'_>, path: &str, causes: &mut Vec<Cause>) {
    if let Some(allowed) = node.keyword("enum").as_array()
        && !allowed.contains(value)
    {
        let list: Vec<String> = allowed.iter().map(Value::to_string).collect();
        causes.push(Cause::new(
            "FieldValueNotSupported",
            path,
            format!("Unsupported value: {value}: supported values: {}", list.join(", ")),
        ));
    }
    let (size, least, most, verb, what) = match value {
        Value::Number(number) => (number.as_f64().unwrap_or_default(), "minimum", "maximum", "be", ""),
        Value::String(text) => (
            text.chars().count() as f64,
            "minLength",
            "maxLength",
            "have",
            " characters",
        ),
        Value::Array(items) => (items.len() as f64, "minItems", "maxItems", "have", " items"),
        Value::Object(fields) => (fields.len() as f64, "minProperties", "maxProperties", "have", " fields"),
        Value::Null | Value::Bool(_) => return,
    };
    if let Some(least) = node.keyword(least).as_f64().filter(|least| size < *least) {
        causes.push(Cause::invalid(
            path,
            format!("Invalid value: must {verb} at least {least}{what}"),
        ));
    }
    if let Some(most) = node.keyword(most).as_f64().filter(|most| size > *most) {
        causes.push(Cause::invalid(
            path,
            format!("Invalid value: must {verb} at most {most}{what}"),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unknown_fields_are_taken_out_and_named() {
        let schema = Schema::built_in("apps", "v1", "Deployment").unwrap();
        let mut object = json!({"kind": "Deployment", "metadata": {"name": "a", "lables": {}, "labels": {"x": "y"}},
            "spec": {"replica": 1, "template": {"spec": {"containers": [{"name": "a", "img": "b"}]}}}});
        assert_eq!(
            take_unknown(&schema, &mut object),
            [
                "metadata.lables",
                "spec.replica",
                "spec.template.spec.containers[0].img"
            ]
        );
        assert_eq!(take_unknown(&schema, &mut object), Vec::<String>::new());
        assert_eq!(object["spec"]["template"]["spec"]["containers"], json!([{"name": "a"}]));
        assert_eq!(object["metadata"]["labels"], json!({"x": "y"}));
    }

    #[test]
    fn wrong_types_and_missing_fields_are_causes() {
        let schema = Schema::built_in("apps", "v1", "Deployment").unwrap();
        let object = json!({"metadata": {"name": "a"}, "spec": {"replicas": "two", "template": {"spec": {"containers": [{"image": 3}]}}}});
        let found: Vec<(String, String)> = causes(&schema, &object)
            .into_iter()
            .map(|cause| (cause.field, cause.reason))
            .collect();
        let expected = [
            ("spec.selector", "FieldValueRequired"),
            ("spec.replicas", "FieldValueTypeInvalid"),
            ("spec.template.spec.containers[0].name", "FieldValueRequired"),
            ("spec.template.spec.containers[0].image", "FieldValueTypeInvalid"),
        ];
        assert_eq!(
            found,
            expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()))
        );
    }

    #[test]
    fn quantities_may_be_numbers_and_limits_hold() {
        let schema = Schema::built_in("", "v1", "LimitRange").unwrap();
        let object = json!({"spec": {"limits": [{"type": "Container", "max": {"cpu": 1, "memory": "1Gi"}}]}});
        assert_eq!(causes(&schema, &object), []);
        let schema = Schema::new(
            json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "n": {"type": "integer", "minimum": 1, "maximum": 9}, "s": {"type": "string", "maxLength": 2}, "e": {"type": "string", "enum": ["A"]}}}}}),
        );
        assert_eq!(causes(&schema, &json!({"spec": {"n": 5, "s": "ab", "e": "A"}})), []);
        assert_eq!(
            causes(&schema, &json!({"spec": {"n": 0, "s": "abc", "e": "B"}})).len(),
            3
        );
    }
}
