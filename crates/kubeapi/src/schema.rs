//! Structure of objects: what server-side apply, strategic merge patch, validation and `explain` need to know.
//!
//! A schema is OpenAPI v3 JSON with Kubernetes' extensions. References name Kubernetes' own definitions and are
//! resolved while walking.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use crate::structures::{self, Definitions, OBJECT_META};

/// The structure of a kind, or that none is known.
#[derive(Debug, Clone)]
pub struct Schema {
    root: Arc<Value>,
    definitions: Definitions,
}

impl Default for Schema {
    fn default() -> Self {
        Self::unknown()
    }
}

/// How a list is merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListType {
    /// As one value.
    Atomic,
    /// By value.
    Set,
    /// By these keys of its items.
    Map(Vec<String>),
}

static UNKNOWN: LazyLock<Arc<Value>> =
    LazyLock::new(|| Arc::new(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})));

impl Schema {
    /// Objects of which only the metadata is known: all is kept, maps are merged, lists are one value.
    pub fn unknown() -> Self {
        Self {
            root: UNKNOWN.clone(),
            definitions: structures::definitions(),
        }
    }

    /// A schema as it stands in a custom resource definition, for the whole object. References, if any, name
    /// definitions of Kubernetes.
    pub fn new(root: Value) -> Self {
        Self {
            root: Arc::new(root),
            definitions: structures::definitions(),
        }
    }

    /// As [`Schema::new`] with definitions of the caller's own: those of Kubernetes, and more. They are shared.
    pub fn with_definitions(root: Value, definitions: Definitions) -> Self {
        Self {
            root: Arc::new(root),
            definitions,
        }
    }

    /// Kubernetes' structure of a kind, such as `apps/v1` `Deployment`.
    pub fn built_in(group: &str, version: &str, kind: &str) -> Option<Self> {
        let name = structures::name_of(group, version, kind)?;
        Some(Self::new(json!({ "$ref": name })))
    }

    /// The name of Kubernetes' definition that this is, if it is one.
    pub fn definition(&self) -> Option<&str> {
        self.root["$ref"].as_str().map(short_name)
    }

    /// The JSON of this schema, references as they are.
    pub fn json(&self) -> &Value {
        &self.root
    }

    /// The names and JSON of all definitions that this schema refers to, directly or not, and the one of metadata.
    pub fn referenced(&self) -> BTreeMap<&str, &Value> {
        let mut found = BTreeMap::new();
        let mut open = vec![&*self.root];
        if let Some((name, metadata)) = self.definitions.get_key_value(OBJECT_META) {
            found.insert(name.as_str(), metadata);
            open.push(metadata);
        }
        while let Some(value) = open.pop() {
            match value {
                Value::Object(fields) => {
                    if let Some(name) = fields.get("$ref").and_then(Value::as_str).map(short_name)
                        && let Some((name, definition)) = self.definitions.get_key_value(name)
                        && found.insert(name.as_str(), definition).is_none()
                    {
                        open.push(definition);
                    }
                    open.extend(fields.values());
                }
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
        found
    }

    /// The structure itself, for walking.
    pub fn node(&self) -> Node<'_> {
        Node {
            value: &self.root,
            definitions: &self.definitions,
            root: true,
        }
        .resolved()
    }
}

fn short_name(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// A place in a structure.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    value: &'a Value,
    definitions: &'a BTreeMap<String, Value>,
    /// Whether this is a whole object, whose metadata is always `ObjectMeta`.
    root: bool,
}

static NOTHING: Value = Value::Null;

impl<'a> Node<'a> {
    fn at(self, value: &'a Value) -> Self {
        Self {
            value,
            root: false,
            ..self
        }
        .resolved()
    }

    fn resolved(self) -> Self {
        let mut value = self.value;
        // References do not nest deeper than this in any OpenAPI document that Kubernetes makes.
        for _ in 0..8 {
            let reference = value["$ref"].as_str().or_else(|| value["allOf"][0]["$ref"].as_str());
            let Some(target) = reference.and_then(|name| self.definitions.get(short_name(name))) else {
                break;
            };
            value = target;
        }
        Self { value, ..self }
    }

    /// The structure of a field or of a map's value; unknown when the structure says nothing.
    pub fn field(&self, name: &str) -> Self {
        if self.root && name == "metadata" {
            return self.at(self.definitions.get(OBJECT_META).unwrap_or(&NOTHING));
        }
        if let Some(property) = self.value["properties"].get(name) {
            return self.at(property);
        }
        match self.value.get("additionalProperties") {
            Some(schema @ Value::Object(_)) => self.at(schema),
            _ => self.at(&NOTHING),
        }
    }

    /// The structure of a list's items. List extensions stand on the list itself, which is never a reference.
    pub fn items(&self) -> Self {
        self.at(&self.value["items"])
    }

    /// Whether the structure names this field.
    pub fn has_field(&self, name: &str) -> bool {
        self.value["properties"].get(name).is_some()
    }

    /// Whether a field by this name may stand here.
    pub fn allows(&self, name: &str) -> bool {
        let no_more = matches!(self.value.get("additionalProperties"), None | Some(Value::Bool(false)));
        self.has_field(name)
            || self.root && matches!(name, "apiVersion" | "kind" | "metadata")
            || self.value["x-kubernetes-embedded-resource"] == true
                && matches!(name, "apiVersion" | "kind" | "metadata")
            || self.value["x-kubernetes-preserve-unknown-fields"] == true
            || !no_more
            || self.value["properties"].is_null()
    }

    /// The JSON type, if it is known: `object`, `array`, `string`, `integer`, `number` or `boolean`. None for what may
    /// be a number or a string.
    pub fn json_type(&self) -> Option<&'a str> {
        if self.value["x-kubernetes-int-or-string"] == true || self.value["format"] == "int-or-string" {
            return None;
        }
        self.value["type"].as_str()
    }

    /// Whether null is a value here, rather than the same as leaving the field out.
    pub fn is_nullable(&self) -> bool {
        self.value["nullable"] == true
    }

    /// What the schema says by this keyword, such as `minimum`; null for nothing.
    pub fn keyword(&self, name: &str) -> &'a Value {
        &self.value[name]
    }

    /// Whether this map is merged as one value.
    pub fn is_atomic_map(&self) -> bool {
        self.value["x-kubernetes-map-type"] == "atomic"
    }

    /// How this list is merged.
    pub fn list_type(&self) -> ListType {
        match self.value["x-kubernetes-list-type"].as_str() {
            Some("set") => ListType::Set,
            Some("map") => {
                let keys = self.value["x-kubernetes-list-map-keys"].as_array();
                ListType::Map(
                    keys.into_iter()
                        .flatten()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect(),
                )
            }
            _ => ListType::Atomic,
        }
    }

    /// Merge key of a list in a strategic merge patch; `Some("")` for a list of plain values that is merged.
    pub fn patch_merge_key(&self) -> Option<&'a str> {
        let strategy = self.value["x-kubernetes-patch-strategy"].as_str()?;
        let merges = strategy.split(',').any(|one| one == "merge");
        merges.then(|| self.value["x-kubernetes-patch-merge-key"].as_str().unwrap_or_default())
    }

    /// What a field is when it is left out.
    pub fn default(&self) -> Option<&'a Value> {
        self.value.get("default")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_of_a_deployment_are_merged_by_name() {
        let schema = Schema::built_in("apps", "v1", "Deployment").unwrap();
        let containers = schema
            .node()
            .field("spec")
            .field("template")
            .field("spec")
            .field("containers");
        assert_eq!(containers.list_type(), ListType::Map(vec!["name".into()]));
        assert_eq!(containers.patch_merge_key(), Some("name"));
        let ports = containers.items().field("ports");
        assert_eq!(
            ports.list_type(),
            ListType::Map(vec!["containerPort".into(), "protocol".into()])
        );
        assert_eq!(ports.items().field("protocol").default(), Some(&json!("TCP")));
    }

    #[test]
    fn unknown_fields_are_told_from_known_ones() {
        let schema = Schema::built_in("", "v1", "ConfigMap").unwrap();
        assert!(schema.node().allows("data"));
        assert!(!schema.node().allows("dta"));
        assert!(schema.node().field("data").allows("any-key"));
        assert!(Schema::unknown().node().allows("anything"));
    }

    #[test]
    fn metadata_is_known_of_every_kind() {
        let schema = Schema::unknown();
        assert!(!schema.node().field("metadata").allows("lables"));
        assert_eq!(
            schema.node().field("metadata").field("finalizers").list_type(),
            ListType::Set
        );
        assert!(schema.referenced().contains_key(OBJECT_META));
        assert!(
            Schema::built_in("apps", "v1", "Deployment")
                .unwrap()
                .referenced()
                .contains_key("io.k8s.api.core.v1.Container")
        );
    }
}
