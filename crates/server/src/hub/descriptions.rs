//! What Kubernetes says of the fields of its own kinds. The hub carries their structure, not the prose; a member that is
//! connected tells it, once for as long as the hub runs, and `kubectl explain` shows it within templates.

use std::collections::{BTreeMap, BTreeSet};

use atoll_clusters::{Member, OwnRequest};
use atoll_federation::TYPES;
use atoll_federation::configuration::short_description;
use atoll_kubeapi::structures;
use serde_json::Value;

/// Texts by definition and field; the field without a name is the definition itself.
pub(super) type Descriptions = BTreeMap<String, BTreeMap<String, String>>;

/// Reads them from a member. `None` when it did not answer all questions; empty when it says nothing.
pub(super) async fn read(member: &Member) -> Option<Descriptions> {
    let versions: BTreeSet<(&str, &str)> = TYPES
        .iter()
        .map(|row| (row.target.group.as_ref(), row.target.version.as_ref()))
        .collect();
    let mut found = Descriptions::new();
    for (group, version) in versions {
        let path = if group.is_empty() {
            format!("/openapi/v3/api/{version}")
        } else {
            format!("/openapi/v3/apis/{group}/{version}")
        };
        match member.request(OwnRequest::get(path)).await {
            Ok(document) => collect(&document, &mut found),
            // An old member may lack a version; what it has is worth having.
            Err(error) if error.refusal().is_some_and(|refusal| refusal.code == 404) => {}
            Err(error) => {
                tracing::debug!(cluster.name = member.name(), %error, "the cluster did not describe its kinds");
                return None;
            }
        }
    }
    Some(found)
}

/// Takes the texts about definitions that the hub has too.
fn collect(document: &Value, found: &mut Descriptions) {
    let known = structures::definitions();
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    for (name, schema) in schemas.filter(|(name, _)| known.contains_key(*name)) {
        let text = |schema: &Value| schema["description"].as_str().map(short_description);
        let own = text(schema).map(|text| (String::new(), text));
        let properties = schema["properties"].as_object().into_iter().flatten();
        let fields = properties.filter_map(|(field, property)| Some((field.clone(), text(property)?)));
        let texts: BTreeMap<String, String> = own.into_iter().chain(fields).collect();
        if !texts.is_empty() {
            found.insert(name.clone(), texts);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_of_definitions_that_the_hub_has_are_taken() {
        let document = json!({"components": {"schemas": {
            "io.k8s.api.apps.v1.DeploymentSpec": {"description": "DeploymentSpec is the behavior.\n\nMore.", "properties": {
                "replicas": {"type": "integer", "description": "Number of desired pods."},
                "paused": {"type": "boolean"},
            }},
            "com.example.v1.Widget": {"description": "A widget."},
            "io.k8s.api.apps.v1.StatefulSetSpec": {"properties": {}},
        }}});
        let mut found = Descriptions::new();
        collect(&document, &mut found);
        let texts = [
            ("", "DeploymentSpec is the behavior."),
            ("replicas", "Number of desired pods."),
        ];
        let texts = texts.map(|(field, text)| (field.to_owned(), text.to_owned()));
        assert_eq!(
            found,
            [("io.k8s.api.apps.v1.DeploymentSpec".to_owned(), texts.into())].into()
        );
    }
}
