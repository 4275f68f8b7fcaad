//! Schemas of federated kinds: the target's own structure as `spec.template`, placement and overrides around it.
//!
//! The template keeps fields that nobody knows (a member may be newer than the hub) and requires none: what a cluster's
//! overrides add need not stand in it, and admission says more about what is missing than "required".

use atoll_federation::TypeDescriptor;
use atoll_kubeapi::Schema;
use atoll_kubeapi::structures::Definitions;
use serde_json::{Value, json};

use super::template::{label_selector, template};

/// Schema of the whole federated object. `known` is what a member told of a target that is not Kubernetes' own.
pub(super) fn federated(kind: &TypeDescriptor, known: Option<&Value>, definitions: &Definitions) -> Schema {
    let properties = json!({"spec": spec(kind, known), "status": status()});
    Schema::with_definitions(
        json!({"type": "object", "required": ["spec"], "properties": properties}),
        definitions.clone(),
    )
}

/// A field that holds a text.
pub(super) fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

/// A list that is one value.
pub(super) fn list(description: &str, items: Value) -> Value {
    json!({"type": "array", "items": items, "x-kubernetes-list-type": "atomic", "description": description})
}

fn spec(kind: &TypeDescriptor, known: Option<&Value>) -> Value {
    let cluster = json!({"type": "object", "required": ["name"], "properties": {
        "name": text("Name of a registered cluster."),
    }});
    let selector = label_selector(
        "Selects clusters by the labels of their KubeFedCluster; empty selects all. It counts only without clusters.",
    );
    let operation = json!({"type": "object", "required": ["path"], "properties": {
        "op": {"type": "string", "enum": ["", "add", "remove", "replace"],
            "description": "add, remove or replace; replace when it is left out."},
        "path": text("Where, as a JSON pointer such as /spec/replicas."),
        "value": {"x-kubernetes-preserve-unknown-fields": true, "description": "What to put there."},
    }});
    let entry = json!({"type": "object", "required": ["clusterName"], "properties": {
        "clusterName": text("The cluster that differs."),
        "clusterOverrides": list("How it differs: JSON patch operations, in order, all or none.", operation),
    }});
    let mut properties = json!({
        "template": template(kind, known),
        "placement": {
            "type": "object",
            "description": "Which clusters hold the object: those listed in clusters, or else those selected.",
            "properties": {
                "clusters": list("Exactly these clusters; an empty list means none.", cluster),
                "clusterNames": list("Names as the first releases of KubeFed had them; read as clusters.", json!({"type": "string"})),
                "clusterSelector": selector,
            },
        },
        "overrides": list("Where single clusters differ from the template.", entry),
    });
    if kind.replicas_path.is_some() {
        properties["retainReplicas"] = json!({"type": "boolean",
            "description": "Leaves the number of replicas to each cluster once the object is there, for autoscalers."});
    }
    json!({"type": "object", "description": format!("What clusters hold: {}s.", kind.target.kind), "properties": properties})
}

fn status() -> Value {
    let number = |description: &str| json!({"type": "integer", "format": "int64", "description": description});
    let condition = json!({"type": "object", "required": ["type", "status"], "properties": {
        "type": text("Propagation."),
        "status": text("True when every cluster is as it should be."),
        "reason": text("Why not."),
        "message": text("For people."),
        "lastUpdateTime": text("When this or a cluster last changed."),
        "lastTransitionTime": text("When status or reason last changed."),
    }});
    let cluster = json!({"type": "object", "required": ["name"], "x-kubernetes-preserve-unknown-fields": true, "properties": {
        "name": text("The cluster."),
        "status": text("What is wrong there; left out when all is well."),
        "message": text("For people."),
        "lastTransitionTime": text("When status last changed."),
        "desiredReplicas": number("Replicas that the hub asks for."),
        "replicasReason": text("Why so many, where a preference shares them out."),
        "replicas": number("Replicas there are."),
        "readyReplicas": number("Replicas that are ready."),
        "updatedReplicas": number("Replicas of the newest template."),
        "availableReplicas": number("Replicas that have been ready long enough."),
        "remoteStatus": {"type": "object", "x-kubernetes-preserve-unknown-fields": true,
            "description": "Status of the object there, where an importer left one."},
    }});
    json!({"type": "object", "description": "What became of it, written by the hub.", "x-kubernetes-preserve-unknown-fields": true,
        "properties": {
            "observedGeneration": number("The generation of this object that the status is about."),
            "conditions": list("Whether it is everywhere it should be.", condition),
            "clusters": list("Cluster by cluster, sorted by name.", cluster),
            "placedByPreference": {"type": "boolean",
                "description": "The object is where it is by a replica preference alone: when that goes, nothing is deleted before somebody says so."},
            "plan": plan(),
        },
    })
}

/// What only dry runs answer.
fn plan() -> Value {
    let any = |description: &str| json!({"x-kubernetes-preserve-unknown-fields": true, "description": description});
    let change = json!({"type": "object", "required": ["path"], "properties": {
        "path": text("The field."),
        "before": any("What the cluster has; left out when it has nothing there."),
        "after": any("What it would have; left out when the field goes."),
        "manager": text("Who set what the cluster has, by field manager; left out when that is the hub."),
    }});
    let cluster = json!({"type": "object", "required": ["name"], "properties": {
        "name": text("The cluster."),
        "action": text("create, update, unchanged, delete, keep, wait, fail or none."),
        "reason": text("One word for why."),
        "message": text("For people."),
        "replicas": {"type": "integer", "format": "int64", "description": "Replicas that the hub would ask for."},
        "object": any("What would be made there."),
        "changes": list("Field by field, what would change.", change),
    }});
    json!({"type": "object", "description": "What would happen in each cluster; only dry runs answer it.", "properties": {
        "clusters": list("Every registered cluster, sorted by name.", cluster),
        "warnings": list("What does not stop it but may not be meant.", json!({"type": "string"})),
    }})
}

#[cfg(test)]
mod tests {
    use atoll_federation::types;
    use atoll_kubeapi::Schema;
    use atoll_kubeapi::schema::ListType;
    use atoll_kubeapi::validate;

    use super::super::template::definitions;
    use super::*;

    fn deployments() -> Schema {
        federated(types::find("deployments.apps").unwrap(), None, &definitions())
    }

    #[test]
    fn containers_of_a_template_are_told_apart_by_name_and_overrides_are_one_value() {
        let schema = deployments();
        let spec = schema.node().field("spec");
        let pod = spec.field("template").field("spec").field("template").field("spec");
        assert_eq!(pod.field("containers").list_type(), ListType::Map(vec!["name".into()]));
        assert_eq!(spec.field("overrides").list_type(), ListType::Atomic);
        assert_eq!(spec.field("placement").field("clusters").list_type(), ListType::Atomic);
        assert!(spec.has_field("retainReplicas"));
    }

    #[test]
    fn a_template_keeps_what_nobody_knows_and_requires_nothing() {
        let schema = deployments();
        let mut object = json!({"spec": {"template": {"spec": {"newField": 1, "template": {"spec": {"containers": [{"image": "x", "newer": {}}]}}}}}});
        assert_eq!(validate::take_unknown(&schema, &mut object), Vec::<String>::new());
        assert_eq!(object["spec"]["template"]["spec"]["newField"], 1);
        assert_eq!(validate::causes(&schema, &object), []);
    }

    #[test]
    fn types_within_a_template_are_checked_and_names_around_it_too() {
        let schema = deployments();
        let mut object = json!({"spec": {"placment": {}, "template": {"spec": {"replicas": "two"}}, "overrides": [{"clusterOverrides": [{"op": "move"}]}]}});
        assert_eq!(validate::take_unknown(&schema, &mut object), ["spec.placment"]);
        let fields: Vec<String> = validate::causes(&schema, &object)
            .into_iter()
            .map(|cause| cause.field)
            .collect();
        assert_eq!(
            fields,
            [
                "spec.overrides[0].clusterName",
                "spec.overrides[0].clusterOverrides[0].path",
                "spec.overrides[0].clusterOverrides[0].op",
                "spec.template.spec.replicas"
            ]
        );
    }

    #[test]
    fn the_schemas_of_all_types_together_stay_small() {
        let all: usize = types::TYPES
            .iter()
            .map(|row| federated(row, None, &definitions()).json().to_string().len())
            .sum();
        assert!(all < 256 * 1024, "{all} bytes");
    }
}
