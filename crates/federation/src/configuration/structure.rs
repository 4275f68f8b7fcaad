//! The structure of a kind that only members know, taken from the OpenAPI v3 document that one of them serves: types,
//! and how lists are merged. References are written out, within bounds, because a member's document may be anything.

use serde_json::{Map, Value, json};

/// Deeper fields are kept as whatever they are.
const DEPTHS: [usize; 4] = [30, 16, 8, 4];
/// The most that is kept of one kind, in bytes of JSON.
const MAX_BYTES: usize = 256 * 1024;
/// The most that is kept of one description, in characters.
const MAX_DESCRIPTION: usize = 240;
/// Expanding stops here, whatever the document says.
const MAX_NODES: usize = 20_000;

/// Keywords that are kept as they are.
const KEPT: [&str; 10] = [
    "type",
    "format",
    "nullable",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    "x-kubernetes-patch-strategy",
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-preserve-unknown-fields",
];
/// How a list is merged.
const LIST: [&str; 4] = [
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-patch-strategy",
    "x-kubernetes-patch-merge-key",
];
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";

/// What is known of a kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    /// Its schema, without references.
    pub schema: Value,
    /// Where its number of replicas stands, if it has one.
    pub replicas_path: Option<&'static str>,
}

/// Reads a kind out of the document of its group and version. `None` when the document does not have it.
pub fn read_structure(document: &Value, group: &str, version: &str, kind: &str) -> Option<Structure> {
    let schemas = document["components"]["schemas"].as_object()?;
    let is_meant = |schema: &&Value| {
        let kinds = schema["x-kubernetes-group-version-kind"]
            .as_array()
            .into_iter()
            .flatten();
        let mut kinds =
            kinds.map(|one| ["group", "version", "kind"].map(|field| one[field].as_str().unwrap_or_default()));
        kinds.any(|one| one == [group, version, kind])
    };
    let root = schemas.values().find(is_meant)?;
    let with = |depth: usize, descriptions: bool| {
        let mut expansion = Expansion {
            schemas,
            nodes: 0,
            descriptions,
        };
        let mut schema = expansion.expand(root, depth);
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            for field in ["apiVersion", "kind", "metadata", "status"] {
                properties.remove(field);
            }
        }
        schema
    };
    let attempts = [(DEPTHS[0], true)]
        .into_iter()
        .chain(DEPTHS.map(|depth| (depth, false)));
    let mut attempts = attempts.map(|(depth, descriptions)| with(depth, descriptions));
    let schema = attempts
        .find(|schema| schema.to_string().len() <= MAX_BYTES)
        .unwrap_or_else(|| json!({"type": "object", PRESERVE: true}));
    let replicas = &schema["properties"]["spec"]["properties"]["replicas"];
    Some(Structure {
        replicas_path: (replicas["type"] == "integer").then_some("/spec/replicas"),
        schema,
    })
}

/// The newer structure with lists merged as they were: objects that are stored were merged so. A list that was not known
/// was one value.
pub fn keep_list_types(old: &Value, mut new: Value) -> Value {
    take_lists(old, &mut new);
    new
}

/// The structure with each list as one value: objects that were stored before it was known were merged so.
pub fn without_list_types(schema: Value) -> Value {
    keep_list_types(&Value::Null, schema)
}

fn take_lists(old: &Value, new: &mut Value) {
    let Some(fields) = new.as_object_mut() else {
        return;
    };
    if fields.get("type").is_some_and(|kind| kind == "array") {
        for keyword in LIST {
            match old.get(keyword) {
                Some(value) => fields.insert(keyword.to_owned(), value.clone()),
                None => fields.remove(keyword),
            };
        }
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(new) = fields.get_mut(inner) {
            take_lists(&old[inner], new);
        }
    }
    for (name, property) in fields
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        take_lists(&old["properties"][name.as_str()], property);
    }
}

struct Expansion<'a> {
    schemas: &'a Map<String, Value>,
    nodes: usize,
    descriptions: bool,
}

impl Expansion<'_> {
    fn expand(&mut self, schema: &Value, depth: usize) -> Value {
        self.nodes += 1;
        let Some(depth) = depth.checked_sub(1).filter(|_| self.nodes <= MAX_NODES) else {
            return json!({PRESERVE: true});
        };
        let mut result = Map::new();
        self.collect(schema, depth, &mut result);
        Value::Object(result)
    }

    /// Puts what a schema says into `result`. What stands beside a reference is about this place and wins.
    fn collect(&mut self, schema: &Value, depth: usize, result: &mut Map<String, Value>) {
        let Some(fields) = schema.as_object() else {
            return;
        };
        let parts = fields.get("allOf").and_then(Value::as_array).into_iter().flatten();
        for part in parts.take(4) {
            if let Some(depth) = depth.checked_sub(1) {
                self.collect(part, depth, result);
            }
        }
        if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or_default();
            match (self.schemas.get(name), depth.checked_sub(1)) {
                (Some(target), Some(depth)) if self.nodes <= MAX_NODES => {
                    self.nodes += 1;
                    self.collect(target, depth, result);
                }
                _ => {
                    result.insert(PRESERVE.to_owned(), json!(true));
                }
            }
        }
        if is_int_or_string(schema) {
            result.remove("type");
            result.insert("x-kubernetes-int-or-string".to_owned(), json!(true));
        }
        let keeps_type = !result.contains_key("x-kubernetes-int-or-string");
        for (keyword, value) in fields {
            match keyword.as_str() {
                "type" if !keeps_type => {}
                "description" if self.descriptions => {
                    if let Some(text) = value.as_str() {
                        result.insert(keyword.clone(), json!(short_description(text)));
                    }
                }
                "default" if !value.is_object() && !value.is_array() => {
                    result.insert(keyword.clone(), value.clone());
                }
                "items" | "additionalProperties" => {
                    let inner = if value.is_object() {
                        self.expand(value, depth)
                    } else {
                        value.clone()
                    };
                    result.insert(keyword.clone(), inner);
                }
                "properties" => {
                    let properties = value.as_object().into_iter().flatten();
                    let properties: Map<String, Value> = properties
                        .map(|(name, property)| (name.clone(), self.expand(property, depth)))
                        .collect();
                    result.insert(keyword.clone(), Value::Object(properties));
                }
                kept if KEPT.contains(&kept) => {
                    result.insert(keyword.clone(), value.clone());
                }
                _ => {}
            }
        }
    }
}

fn is_int_or_string(schema: &Value) -> bool {
    let alternatives = ["oneOf", "anyOf"]
        .iter()
        .filter_map(|keyword| schema[*keyword].as_array());
    let has = |all: &Vec<Value>, kind: &str| all.iter().any(|one| one["type"] == kind);
    schema["x-kubernetes-int-or-string"] == true
        || schema["format"] == "int-or-string"
        || alternatives
            .into_iter()
            .any(|all| has(all, "string") && (has(all, "integer") || has(all, "number")))
}

/// The first paragraph of a description, or as much of it as is kept.
pub fn short_description(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    if paragraph.chars().count() <= MAX_DESCRIPTION {
        return paragraph.to_owned();
    }
    let cut: String = paragraph.chars().take(MAX_DESCRIPTION).collect();
    format!("{}…", cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(schemas: Value) -> Value {
        json!({"openapi": "3.0.0", "components": {"schemas": schemas}})
    }

    fn widget(properties: Value) -> Value {
        json!({"type": "object", "properties": properties,
            "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Widget"}]})
    }

    fn read(document: &Value) -> Option<Structure> {
        read_structure(document, "example.com", "v1", "Widget")
    }

    #[test]
    fn without_list_types_no_list_is_merged_anywhere() {
        let list = |inner: Value| json!({"type": "array", "items": inner, "x-kubernetes-list-type": "set"});
        let bare = |inner: Value| json!({"type": "array", "items": inner});
        let schema = json!({"properties": {"a": list(list(json!({"type": "string"})))}});
        let expected = json!({"properties": {"a": bare(bare(json!({"type": "string"})))}});
        assert_eq!(without_list_types(schema), expected);
    }

    #[test]
    fn references_are_written_out_and_list_keys_are_kept() {
        let found = read(&document(json!({
            "com.example.v1.Widget": widget(json!({
                "kind": {"type": "string"},
                "metadata": {"allOf": [{"$ref": "#/components/schemas/Meta"}]},
                "spec": {"description": "What it is.", "default": {}, "allOf": [{"$ref": "#/components/schemas/Spec"}]},
                "status": {"type": "object"},
            })),
            "Spec": {"type": "object", "description": "Elsewhere.", "properties": {
                "replicas": {"type": "integer", "format": "int32"},
                "size": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true},
                "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                    "items": {"$ref": "#/components/schemas/Part"}},
            }},
            "Part": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "default": "a"}}},
        })))
        .unwrap();
        assert_eq!(found.replicas_path, Some("/spec/replicas"));
        assert_eq!(
            found.schema,
            json!({"type": "object", "properties": {"spec": {"type": "object", "description": "What it is.", "properties": {
                "replicas": {"type": "integer", "format": "int32"},
                "size": {"x-kubernetes-int-or-string": true},
                "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "default": "a"}}}},
            }}}})
        );
    }

    #[test]
    fn replicas_are_a_whole_number_in_the_spec() {
        for (replicas, path) in [
            (json!({"type": "integer"}), Some("/spec/replicas")),
            (json!({"type": "string"}), None),
            (json!({}), None),
        ] {
            let schemas =
                json!({"W": widget(json!({"spec": {"type": "object", "properties": {"replicas": replicas}}}))});
            assert_eq!(read(&document(schemas)).unwrap().replicas_path, path);
        }
    }

    #[test]
    fn a_kind_of_another_version_is_not_taken_for_it() {
        let schemas = json!({"W": widget(json!({}))});
        assert_eq!(
            read_structure(&document(schemas.clone()), "example.com", "v2", "Widget"),
            None
        );
        assert_eq!(read_structure(&document(schemas), "example.org", "v1", "Widget"), None);
        assert_eq!(read(&json!({})), None);
        assert_eq!(read(&json!("text")), None);
    }

    #[test]
    fn a_structure_that_refers_to_itself_ends_and_stays_small() {
        let schemas = json!({
            "W": widget(json!({"spec": {"$ref": "#/components/schemas/Tree"}})),
            "Tree": {"type": "object", "properties": {
                "left": {"$ref": "#/components/schemas/Tree"},
                "right": {"$ref": "#/components/schemas/Tree"},
                "self": {"allOf": [{"$ref": "#/components/schemas/Tree"}, {"$ref": "#/components/schemas/Tree"}]},
            }},
            "Loop": {"$ref": "#/components/schemas/Loop"},
        });
        let found = read(&document(schemas)).unwrap();
        let text = found.schema.to_string();
        assert!(text.len() <= MAX_BYTES, "{}", text.len());
        assert!(!text.contains("$ref"));
    }

    #[test]
    fn a_reference_to_nothing_keeps_whatever_stands_there() {
        let schemas = json!({"W": widget(json!({"spec": {"$ref": "#/components/schemas/Missing"}}))});
        let found = read(&document(schemas)).unwrap();
        assert_eq!(found.schema["properties"]["spec"], json!({PRESERVE: true}));
    }

    #[test]
    fn descriptions_are_shortened_and_dropped_before_the_structure_is() {
        let long = "word ".repeat(100);
        let schemas =
            json!({"W": widget(json!({"spec": {"type": "object", "description": format!("{long}\n\nmore")}}))});
        let found = read(&document(schemas)).unwrap();
        let text = found.schema["properties"]["spec"]["description"].as_str().unwrap();
        assert!(
            text.ends_with("word…") && text.chars().count() <= MAX_DESCRIPTION + 1,
            "{text}"
        );
        let many: Map<String, Value> = (0..5000)
            .map(|index| (format!("field{index}"), json!({"type": "string", "description": long})))
            .collect();
        let schemas = json!({"W": widget(json!({"spec": {"type": "object", "properties": many}}))});
        let found = read(&document(schemas)).unwrap();
        let field = &found.schema["properties"]["spec"]["properties"]["field7"];
        assert_eq!(field, &json!({"type": "string"}));
    }

    #[test]
    fn lists_stay_merged_as_they_were() {
        let list = |keywords: Value| {
            let mut list = json!({"type": "array", "items": {"type": "object"}});
            list.as_object_mut()
                .unwrap()
                .extend(keywords.as_object().unwrap().clone());
            json!({"properties": {"spec": {"properties": {"parts": list, "map": {"type": "object", "additionalProperties": list}}}}})
        };
        let atomic = list(json!({}));
        let keyed = list(json!({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}));
        assert_eq!(keep_list_types(&atomic, keyed.clone()), atomic);
        assert_eq!(keep_list_types(&keyed, atomic), keyed);
        let mut newer = keyed.clone();
        newer["properties"]["spec"]["properties"]["more"] = json!({"type": "array", "x-kubernetes-list-type": "set"});
        let kept = keep_list_types(&keyed, newer);
        let more = &kept["properties"]["spec"]["properties"]["more"];
        assert_eq!(more, &json!({"type": "array"}), "what nobody knew was one value");
    }
}
