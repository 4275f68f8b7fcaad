//! The structure of Kubernetes' own kinds: fields, types, and how lists and maps are merged.
//!
//! `data/structures.json` is the OpenAPI v3 document of a real API server reduced to that, one definition a line
//! (`testing/src/bin/schemas.rs` makes it). It is parsed once, when the first built-in kind is asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use serde_json::Value;

/// Definitions by name, shared.
pub type Definitions = Arc<BTreeMap<String, Value>>;

/// The metadata of every object.
pub const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Merge keys that may be left out, and what they are then. The document states them as defaults of the fields.
const KEY_DEFAULTS: [(&str, &str, &str); 2] = [
    ("io.k8s.api.core.v1.ContainerPort", "protocol", "TCP"),
    ("io.k8s.api.core.v1.ServicePort", "protocol", "TCP"),
];

/// The file: definitions, bare or below `schemas`.
#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    Nested { schemas: BTreeMap<String, Value> },
    Bare(BTreeMap<String, Value>),
}

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| {
    let file = serde_json::from_slice(include_bytes!("../data/structures.json"))
        .expect("the embedded structures are valid JSON");
    let (File::Nested {
        schemas: mut definitions,
    }
    | File::Bare(mut definitions)) = file;
    for (name, field, default) in KEY_DEFAULTS {
        if let Some(property) = definitions
            .get_mut(name)
            .and_then(|one| one["properties"].get_mut(field))
        {
            property["default"] = default.into();
        }
    }
    Arc::new(definitions)
});

static KINDS: LazyLock<BTreeMap<(String, String, String), String>> = LazyLock::new(|| {
    let mut kinds = BTreeMap::new();
    for (name, definition) in DEFINITIONS.iter() {
        for kind in definition["x-kubernetes-group-version-kind"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let text = |field: &str| kind[field].as_str().unwrap_or_default().to_owned();
            kinds.insert((text("group"), text("version"), text("kind")), name.clone());
        }
    }
    kinds
});

/// All definitions.
pub fn definitions() -> Definitions {
    DEFINITIONS.clone()
}

/// The name of a kind's definition, such as `io.k8s.api.apps.v1.Deployment`.
pub fn name_of(group: &str, version: &str, kind: &str) -> Option<&'static str> {
    KINDS
        .get(&(group.to_owned(), version.to_owned(), kind.to_owned()))
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_to_a_definition() {
        fn check(value: &Value, definitions: &Definitions) {
            match value {
                Value::Object(fields) => {
                    if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                        let name = reference.rsplit('/').next().unwrap();
                        assert!(definitions.contains_key(name), "{name}");
                    }
                    fields.values().for_each(|field| check(field, definitions));
                }
                Value::Array(items) => items.iter().for_each(|item| check(item, definitions)),
                _ => {}
            }
        }
        let definitions = definitions();
        definitions
            .values()
            .for_each(|definition| check(definition, &definitions));
        assert!(definitions.contains_key(OBJECT_META));
    }

    #[test]
    fn kinds_are_found_by_group_version_and_kind() {
        assert_eq!(
            name_of("apps", "v1", "Deployment"),
            Some("io.k8s.api.apps.v1.Deployment")
        );
        assert_eq!(name_of("", "v1", "Namespace"), Some("io.k8s.api.core.v1.Namespace"));
        assert_eq!(name_of("apps", "v1beta1", "Deployment"), None);
    }
}
