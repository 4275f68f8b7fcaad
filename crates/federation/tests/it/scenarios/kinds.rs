//! The type that a scenario is about.

use atoll_federation::{ApiType, TypeDescriptor, types};
use serde_json::Value;

/// A built-in type, or one that people added while the hub ran.
pub(super) fn read_kind(file: &Value) -> &'static TypeDescriptor {
    if let Some(resource) = file["plain"].as_str() {
        return types::find_plain(resource).unwrap();
    }
    let added = &file["type"];
    if added.is_null() {
        return types::find(file["kind"].as_str().unwrap_or("configmaps")).unwrap();
    }
    let text = |field: &str| added[field].as_str().unwrap_or_default().to_owned();
    let (kind, plural) = (text("kind"), text("plural"));
    let target = ApiType {
        group: text("group").into(),
        version: text("version").into(),
        kind: kind.clone().into(),
        plural: plural.clone().into(),
        short_names: Vec::new().into(),
        namespaced: added["namespaced"].as_bool().unwrap_or(true),
    };
    types::intern(TypeDescriptor {
        federated: ApiType {
            group: types::FEDERATED_GROUP.into(),
            version: "v1beta1".into(),
            kind: format!("Federated{kind}").into(),
            plural: format!("federated{plural}").into(),
            ..target.clone()
        },
        target,
        replicas_path: added["replicasPath"].as_str().map(|path| path.to_owned().into()),
        source: types::Source::Federated,
    })
}
