//! `FederatedTypeConfig`: one kind that members serve and its federated kind on the hub.

use std::borrow::Cow;

use serde_json::Value;

use crate::TypeDescriptor;
use crate::types::{self, ApiType, Source};

/// A stored `FederatedTypeConfig`, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeConfig {
    /// The type, its names as KubeFed defaults them where they are left out.
    pub descriptor: TypeDescriptor,
    /// Whether `spec.propagation` is `Enabled`.
    pub enabled: bool,
    /// Whether it is on its way out.
    pub deleting: bool,
}

impl TypeConfig {
    /// Reads a stored object, that is, one that was admitted. `replicas_path` is where a number of replicas stands in
    /// objects of the target. `None` when it names no kind.
    pub fn read(object: &Value, replicas_path: Option<String>) -> Option<Self> {
        let spec = &object["spec"];
        let name = object["metadata"]["name"].as_str()?;
        let (plural, group) = name.split_once('.').unwrap_or((name, ""));
        let target = api_type(&spec["targetType"], plural, group)?;
        let kind = spec["federatedType"]["kind"].as_str().filter(|kind| !kind.is_empty())?;
        let federated = api_type(&spec["federatedType"], &default_plural(kind), types::FEDERATED_GROUP)?;
        let built_in =
            types::find(name).filter(|row| row.target.kind == target.kind && row.federated.kind == federated.kind);
        let descriptor = TypeDescriptor {
            target: ApiType {
                short_names: built_in.map_or(Cow::Borrowed(&[]), |row| row.target.short_names.clone()),
                ..target
            },
            federated: ApiType {
                short_names: built_in.map_or(Cow::Borrowed(&[]), |row| row.federated.short_names.clone()),
                ..federated
            },
            replicas_path: match built_in {
                Some(row) => row.replicas_path.clone(),
                None => replicas_path.map(Cow::Owned),
            },
            source: Source::Federated,
        };
        Some(Self {
            descriptor,
            enabled: spec["propagation"] == "Enabled",
            deleting: object["metadata"]["deletionTimestamp"].is_string(),
        })
    }
}

fn api_type(spec: &Value, plural: &str, group: &str) -> Option<ApiType> {
    let text = |field: &str| spec[field].as_str().filter(|text| !text.is_empty());
    let owned = |text: &str| Cow::Owned(text.to_owned());
    Some(ApiType {
        group: owned(text("group").unwrap_or(group)),
        version: owned(text("version")?),
        kind: owned(text("kind")?),
        plural: owned(text("pluralName").unwrap_or(plural)),
        short_names: Cow::Borrowed(&[]),
        namespaced: text("scope")? == "Namespaced",
    })
}

/// The plural that KubeFed gives a kind: lower case, `es` after s, x, ch, sh, z and o, `y` to `ies`, else `s`.
pub(crate) fn default_plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    if ["s", "x", "ch", "sh", "z", "o"].iter().any(|end| lower.ends_with(end)) {
        return lower + "es";
    }
    match lower.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => lower + "s",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_that_are_left_out_follow_from_the_others() {
        let read = TypeConfig::read(
            &json!({"metadata": {"name": "proxies.example.com"}, "spec": {
                "targetType": {"version": "v1", "kind": "Proxy", "scope": "Namespaced"},
                "federatedType": {"group": "types.example.com", "version": "v1beta1", "kind": "FederatedProxy", "scope": "Namespaced"},
                "propagation": "Enabled",
            }}),
            None,
        )
        .unwrap();
        assert_eq!(read.descriptor.name(), "proxies.example.com");
        assert_eq!(
            read.descriptor.federated.resource(),
            "federatedproxies.types.example.com"
        );
        assert!(read.enabled && !read.deleting);
    }

    #[test]
    fn a_built_in_type_is_the_row_of_the_table() {
        let read = TypeConfig::read(
            &json!({"metadata": {"name": "deployments.apps"}, "spec": {
                "targetType": {"group": "apps", "version": "v1", "kind": "Deployment", "pluralName": "deployments", "scope": "Namespaced"},
                "federatedType": {"group": "types.kubefed.io", "version": "v1beta1", "kind": "FederatedDeployment", "pluralName": "federateddeployments", "scope": "Namespaced"},
                "propagation": "Disabled",
            }}),
            None,
        )
        .unwrap();
        assert_eq!(Some(&read.descriptor), types::find("deployments.apps"));
        assert!(!read.enabled);
    }

    #[test]
    fn plurals_are_those_of_kubefed() {
        for (kind, plural) in [
            ("Ingress", "ingresses"),
            ("Proxy", "proxies"),
            ("Widget", "widgets"),
            ("Patch", "patches"),
        ] {
            assert_eq!(default_plural(kind), plural);
        }
    }
}
