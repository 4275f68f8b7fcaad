//! OpenAPI documents of the served kinds, as far as kubectl reads them: which patches a kind takes, that field
//! validation happens here, and the schema that `explain` walks.

pub mod v2;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::discovery::group_version_paths;
use crate::patch::PatchType;
use crate::resource::{Catalog, Resource};

/// One group version's document.
#[derive(Debug, Clone)]
pub struct Document {
    /// The text.
    pub json: Bytes,
    /// Of the text: it changes whenever the content does.
    pub hash: String,
}

/// The documents of a catalog by path (`api/v1`, `apis/apps/v1`).
pub type Documents = BTreeMap<String, Document>;

fn documents<'a>(catalog: &'a Catalog, title: &str) -> &'a Documents {
    catalog.documents.get_or_init(|| {
        group_version_paths(catalog)
            .into_iter()
            .filter_map(|(path, (group, version))| {
                let json = Bytes::from(build(catalog, title, &group, &version)?.to_string());
                let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &json);
                let hash = digest.as_ref()[..16].iter().map(|byte| format!("{byte:02X}")).collect();
                Some((path, Document { json, hash }))
            })
            .collect()
    })
}

/// `/openapi/v3`: where each group version's document is.
pub fn root(catalog: &Catalog, title: &str, prefix: &str) -> Value {
    let paths: Map<String, Value> = documents(catalog, title)
        .iter()
        .map(|(path, document)| {
            let url = format!("{prefix}/openapi/v3/{path}?hash={}", document.hash);
            (path.clone(), json!({"serverRelativeURL": url}))
        })
        .collect();
    json!({"paths": paths})
}

/// The document of one group version.
pub fn document<'a>(catalog: &'a Catalog, title: &str, group: &str, version: &str) -> Option<&'a Document> {
    let path = if group.is_empty() {
        format!("api/{version}")
    } else {
        format!("apis/{group}/{version}")
    };
    documents(catalog, title).get(&path)
}

fn build(catalog: &Catalog, title: &str, group: &str, version: &str) -> Option<Value> {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for resource in catalog
        .iter()
        .filter(|one| one.group == group && one.version == version)
    {
        for (name, definition) in resource.schema.referenced() {
            if !schemas.contains_key(name) {
                schemas.insert(name.to_owned(), with_full_references(definition));
            }
        }
        let name = schema_name(resource);
        // A kind of Kubernetes itself is one of its definitions already.
        if resource.schema.definition().is_none() {
            schemas.insert(name.clone(), root_schema(resource));
        } else if let (Some(schema), false) = (schemas.get_mut(&name), resource.description.is_empty()) {
            schema["description"] = json!(resource.description);
        }
        paths.extend(paths_of(resource, &name));
    }
    let info = json!({"title": title, "version": "v1"});
    (!paths.is_empty())
        .then(|| json!({"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}))
}

fn paths_of(resource: &Resource, schema: &str) -> Vec<(String, Value)> {
    let version = resource.api_version();
    let base = if resource.group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{version}")
    };
    let scope = if resource.namespaced {
        "/namespaces/{namespace}"
    } else {
        ""
    };
    let collection = format!("{base}{scope}/{}", resource.plural);
    let one = format!("{collection}/{{name}}");
    let patches: Vec<&str> = PatchType::accepted(resource.strategic_merge)
        .iter()
        .map(|patch| patch.media_type())
        .collect();
    let operations = [
        ("list", &collection, "get", "list", Value::Null),
        ("create", &collection, "post", "post", body(schema)),
        ("get", &one, "get", "get", Value::Null),
        ("update", &one, "put", "put", body(schema)),
        ("patch", &one, "patch", "patch", patch_body(&patches)),
        ("delete", &one, "delete", "delete", Value::Null),
    ];
    let mut paths: BTreeMap<String, Value> = BTreeMap::new();
    for (verb, path, method, action, request_body) in operations {
        if resource.verbs.contains(&verb) {
            let item = paths
                .entry(path.clone())
                .or_insert_with(|| json!({"parameters": path_parameters(path)}));
            item[method] = operation(resource, action, schema, request_body);
        }
    }
    paths.into_iter().collect()
}

fn path_parameters(path: &str) -> Value {
    let names = ["namespace", "name"]
        .into_iter()
        .filter(|name| path.contains(&format!("{{{name}}}")));
    names.map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "uniqueItems": true}})).collect()
}

/// Name of a kind's schema: the group reversed, as Kubernetes names those of custom kinds.
fn schema_name(resource: &Resource) -> String {
    if let Some(name) = resource.schema.definition() {
        return name.to_owned();
    }
    let mut parts: Vec<&str> = resource
        .group
        .split('.')
        .rev()
        .filter(|part| !part.is_empty())
        .collect();
    parts.extend([resource.version.as_str(), resource.kind.as_str()]);
    parts.join(".")
}

fn root_schema(resource: &Resource) -> Value {
    let mut schema = with_full_references(resource.schema.json());
    schema["description"] = json!(resource.description);
    schema["x-kubernetes-group-version-kind"] = json!([gvk(resource)]);
    let text = |description: &str| json!({"type": "string", "description": description});
    for (field, value) in [
        ("apiVersion", text("The versioned schema of this object.")),
        ("kind", text("The kind of this object, in CamelCase.")),
        (
            "metadata",
            json!({"allOf": [reference(crate::structures::OBJECT_META)], "description": "Standard object metadata.", "default": {}}),
        ),
    ] {
        if !schema["properties"].is_object() {
            schema["properties"] = json!({});
        }
        schema["properties"][field] = value;
    }
    schema
}

/// The same with references that can be followed within a document. OpenAPI 3.0 ignores what stands beside a
/// reference, so a reference with company goes into `allOf`.
fn with_full_references(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let mut result: Map<String, Value> = fields
                .iter()
                .filter(|(name, value)| *name != "$ref" || !value.is_string())
                .map(|(name, value)| (name.clone(), with_full_references(value)))
                .collect();
            if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
                let full = reference(name.rsplit('/').next().unwrap_or(name));
                if result.is_empty() {
                    return full;
                }
                result.insert("allOf".into(), json!([full]));
            }
            Value::Object(result)
        }
        Value::Array(items) => items.iter().map(with_full_references).collect(),
        other => other.clone(),
    }
}

fn gvk(resource: &Resource) -> Value {
    json!({"group": resource.group, "version": resource.version, "kind": resource.kind})
}

fn operation(resource: &Resource, action: &str, schema: &str, request_body: Value) -> Value {
    let query =
        |name: &str, kind: &str| json!({"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": true}});
    let mut operation = json!({
        "operationId": format!("{action}{}", resource.kind),
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk(resource),
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": reference(schema)}}}},
    });
    match action {
        "post" | "put" => {
            operation["parameters"] = json!([
                query("dryRun", "string"),
                query("fieldManager", "string"),
                query("fieldValidation", "string")
            ]);
        }
        "patch" => {
            operation["parameters"] = json!([
                query("dryRun", "string"),
                query("fieldManager", "string"),
                query("fieldValidation", "string"),
                query("force", "boolean"),
            ]);
        }
        "delete" => operation["parameters"] = json!([query("dryRun", "string")]),
        _ => {}
    }
    if !request_body.is_null() {
        operation["requestBody"] = request_body;
    }
    operation
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn body(schema: &str) -> Value {
    json!({"required": true, "content": {"*/*": {"schema": reference(schema)}}})
}

fn patch_body(media_types: &[&str]) -> Value {
    let content: Map<String, Value> = media_types
        .iter()
        .map(|media| ((*media).to_owned(), json!({"schema": {"type": "object"}})))
        .collect();
    json!({"required": true, "content": content})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_somewhere_within_the_document() {
        let deployments = Resource::built_in("apps", "v1", "Deployment", "deployments").unwrap();
        let catalog = Catalog::new([deployments]);
        let document: Value = serde_json::from_slice(&document(&catalog, "t", "apps", "v1").unwrap().json).unwrap();
        let mut open = vec![&document];
        let mut seen = 0;
        while let Some(value) = open.pop() {
            if let Some(reference) = value["$ref"].as_str() {
                seen += 1;
                assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
                assert_eq!(value.as_object().unwrap().len(), 1);
            }
            open.extend(value.as_object().into_iter().flat_map(Map::values));
            open.extend(value.as_array().into_iter().flatten());
        }
        assert!(seen > 100);
    }

    #[test]
    fn a_changed_schema_has_another_hash() {
        let resource = |kind: &str| Resource {
            schema: crate::Schema::new(json!({"type": "object", "properties": {"spec": {"type": kind}}})),
            ..Resource::new("g.io", "v1", "K", "ks")
        };
        let hash = |resource: Resource| {
            document(&Catalog::new([resource]), "t", "g.io", "v1")
                .unwrap()
                .hash
                .clone()
        };
        assert_eq!(hash(resource("object")), hash(resource("object")));
        assert_ne!(hash(resource("object")), hash(resource("array")));
    }
}
