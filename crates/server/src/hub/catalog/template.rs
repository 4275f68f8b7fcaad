//! The structure of `spec.template`: that of the target, open to fields that it does not know and requiring none.
//!
//! Kubernetes' own kinds share most of their structure (half of them hold a pod), so each definition is opened once and
//! referred to; writing them out would cost a megabyte for each kind. The structure of any other kind came from a member
//! and refers to nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoll_federation::TypeDescriptor;
use atoll_kubeapi::structures::{self, Definitions};
use serde_json::{Map, Value, json};

use crate::hub::descriptions::Descriptions;

/// Goes before the name of a definition that was opened.
const PREFIX: &str = "dev.atoll.template.";
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const LABEL_SELECTOR: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector";

/// Kubernetes' definitions, and those that templates refer to.
fn opened() -> BTreeMap<String, Value> {
    let own = structures::definitions();
    let opened = own
        .iter()
        .map(|(name, schema)| (format!("{PREFIX}{name}"), open(schema)));
    opened
        .chain(own.iter().map(|(name, schema)| (name.clone(), schema.clone())))
        .collect()
}

/// Kubernetes' definitions, and those that templates refer to. They are made anew: who needs them keeps them.
pub(super) fn definitions() -> Definitions {
    Arc::new(opened())
}

/// The same with what a member says of the fields.
pub(super) fn described(by: &Descriptions) -> Definitions {
    let mut all = opened();
    for (name, texts) in by {
        let Some(definition) = all.get_mut(&format!("{PREFIX}{name}")) else {
            continue;
        };
        for (field, text) in texts {
            let place = match field.as_str() {
                "" => Some(&mut *definition),
                field => definition
                    .get_mut("properties")
                    .and_then(|properties| properties.get_mut(field)),
            };
            if let Some(Value::Object(place)) = place {
                place.insert("description".to_owned(), json!(text));
            }
        }
    }
    Arc::new(all)
}

/// Structure of the template of a type; `known` is what a member told of its target.
pub(super) fn template(kind: &TypeDescriptor, known: Option<&Value>) -> Value {
    let target = &kind.target;
    let mut template = match (structures::name_of(&target.group, &target.version, &target.kind), known) {
        (Some(name), _) => json!({"$ref": format!("{PREFIX}{name}")}),
        (None, Some(known)) => open(known),
        (None, None) => json!({"type": "object"}),
    };
    if let Some(fields) = template.as_object_mut() {
        fields.remove(super::SHORT_NAMES);
    }
    if template["$ref"].is_null() {
        // Metadata is the same of every kind.
        if let Some(properties) = template.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert("metadata".to_owned(), reference(structures::OBJECT_META));
            for field in ["apiVersion", "kind"] {
                properties.insert(field.to_owned(), json!({"type": "string"}));
            }
        }
        template[PRESERVE] = json!(true);
    }
    template["description"] = json!(format!(
        "The {} as clusters get it. Its name and namespace are those of this object.",
        target.kind
    ));
    template
}

/// Structure of a label selector.
pub(super) fn label_selector(description: &str) -> Value {
    let mut selector = reference(LABEL_SELECTOR);
    selector["description"] = json!(description);
    selector
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("{PREFIX}{name}")})
}

/// The same without required fields, and open to fields that it does not know.
fn open(schema: &Value) -> Value {
    let Some(fields) = schema.as_object() else {
        return schema.clone();
    };
    let mut opened = Map::new();
    for (keyword, value) in fields {
        match keyword.as_str() {
            // The template is no object of its own: clients must not take it for one of that kind.
            "required" | "x-kubernetes-group-version-kind" => {}
            "$ref" => {
                let name = value
                    .as_str()
                    .unwrap_or_default()
                    .rsplit('/')
                    .next()
                    .unwrap_or_default();
                opened.extend(reference(name).as_object().cloned().unwrap_or_default());
            }
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                let properties: Map<String, Value> = properties
                    .map(|(name, property)| (name.clone(), open(property)))
                    .collect();
                opened.insert(keyword.clone(), Value::Object(properties));
                opened.insert(PRESERVE.to_owned(), json!(true));
            }
            "items" | "additionalProperties" => {
                opened.insert(keyword.clone(), open(value));
            }
            _ => {
                opened.insert(keyword.clone(), value.clone());
            }
        }
    }
    Value::Object(opened)
}

#[cfg(test)]
mod tests {
    use atoll_federation::TYPES;

    use super::*;

    #[test]
    fn every_reference_of_a_template_leads_somewhere() {
        let definitions = definitions();
        let mut waiting: Vec<Value> = TYPES.iter().map(|row| template(row, None)).collect();
        let mut seen = std::collections::BTreeSet::new();
        while let Some(value) = waiting.pop() {
            if let Some(name) = value["$ref"].as_str()
                && seen.insert(name.to_owned())
            {
                assert!(name.starts_with(PREFIX), "{name}");
                waiting.push(definitions.get(name).unwrap_or_else(|| panic!("{name}")).clone());
            }
            waiting.extend(value.as_object().into_iter().flat_map(Map::values).cloned());
            waiting.extend(value.as_array().into_iter().flatten().cloned());
        }
        assert!(seen.len() > 100);
    }

    #[test]
    fn what_a_member_says_of_a_field_stands_beside_it() {
        let texts = [("", "A spec."), ("replicas", "How many."), ("gone", "Was there once.")];
        let texts = texts.map(|(field, text)| (field.to_owned(), text.to_owned()));
        let name = "io.k8s.api.apps.v1.DeploymentSpec";
        let by = Descriptions::from([
            (name.to_owned(), texts.into()),
            ("io.k8s.api.Unknown".to_owned(), BTreeMap::new()),
        ]);
        let described = described(&by);
        let mut wanted = definitions().get(&format!("{PREFIX}{name}")).unwrap().clone();
        wanted["description"] = json!("A spec.");
        wanted["properties"]["replicas"]["description"] = json!("How many.");
        assert_eq!(described.get(&format!("{PREFIX}{name}")), Some(&wanted));
        assert_eq!(described.len(), definitions().len());
    }

    #[test]
    fn every_built_in_type_but_definitions_of_resources_has_a_structure() {
        let without: Vec<String> = TYPES
            .iter()
            .filter(|row| template(row, None)["$ref"].is_null())
            .map(TypeDescriptor::name)
            .collect();
        assert_eq!(without, ["customresourcedefinitions.apiextensions.k8s.io"]);
    }

    #[test]
    fn the_structure_that_a_member_told_is_opened_too() {
        let mut row = atoll_federation::types::find("deployments.apps").unwrap().clone();
        row.target.kind = "Widget".into();
        let known = json!({"type": "object", "required": ["spec"], "properties": {
            "spec": {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer"}}},
        }});
        let template = template(&row, Some(&known));
        assert_eq!(template["required"], Value::Null);
        assert_eq!(
            template["properties"]["spec"],
            json!({"type": "object", "properties": {"size": {"type": "integer"}}, PRESERVE: true})
        );
        assert!(template["properties"]["metadata"]["$ref"].is_string());
    }
}
