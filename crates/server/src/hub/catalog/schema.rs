//! Schemas of federated kinds: the target's own structure as `spec.template`, placement and overrides around it.
//!
//! The template keeps fields that nobody knows (a member may be newer than the hub) and requires none: what a cluster's
//! overrides add need not stand in it, and admission says more about what is missing than "required".

use atoll_federation::TypeDescriptor;
use atoll_kubeapi::structures;
use serde_json::{Map, Value, json};

/// References nest no deeper in the structure of a kind that is propagated.
const MAX_DEPTH: usize = 40;
/// Definition of a label selector.
const LABEL_SELECTOR: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector";

/// Schema of the whole federated object.
pub(super) fn federated(kind: &TypeDescriptor) -> Value {
    json!({"type": "object", "required": ["spec"], "properties": {"spec": spec(kind), "status": status()}})
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn list(description: &str, items: Value) -> Value {
    json!({"type": "array", "items": items, "x-kubernetes-list-type": "atomic", "description": description})
}

fn spec(kind: &TypeDescriptor) -> Value {
    let cluster = json!({"type": "object", "required": ["name"], "properties": {
        "name": text("Name of a registered cluster."),
    }});
    let mut selector = expand(&json!({"$ref": LABEL_SELECTOR}), 0);
    selector["description"] = json!(
        "Selects clusters by the labels of their KubeFedCluster; empty selects all. It counts only without clusters."
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
        "template": template(kind),
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

fn template(kind: &TypeDescriptor) -> Value {
    let target = &kind.target;
    let structure = structures::name_of(&target.group, &target.version, &target.kind);
    let mut template = match structure {
        Some(name) => expand(&json!({ "$ref": name }), 0),
        None => json!({"type": "object"}),
    };
    if let Some(fields) = template.as_object_mut() {
        // The template is no object of its own: clients must not take it for one of that kind.
        fields.remove("x-kubernetes-group-version-kind");
    }
    template["x-kubernetes-preserve-unknown-fields"] = json!(true);
    template["description"] = json!(format!(
        "The {} as clusters get it. Its name and namespace are those of this object.",
        target.kind
    ));
    template
}

/// A structure with its references written out, without required fields, and open to fields that it does not know.
fn expand(schema: &Value, depth: usize) -> Value {
    let reference = schema["$ref"].as_str();
    let definition = reference.and_then(|name| structures::definitions().get(name).cloned());
    let mut fields: Map<String, Value> = match (definition, reference) {
        (Some(Value::Object(fields)), _) if depth < MAX_DEPTH => fields,
        (_, Some(_)) => Map::from_iter([("x-kubernetes-preserve-unknown-fields".to_owned(), json!(true))]),
        (_, None) => Map::new(),
    };
    // What stands beside a reference is about this place.
    fields.extend(schema.as_object().cloned().unwrap_or_default());
    fields.remove("$ref");
    fields.remove("required");
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        for property in properties.values_mut() {
            *property = expand(property, depth + 1);
        }
        fields.insert("x-kubernetes-preserve-unknown-fields".to_owned(), json!(true));
    }
    for name in ["items", "additionalProperties"] {
        if let Some(inner) = fields.get_mut(name)
            && inner.is_object()
        {
            *inner = expand(inner, depth + 1);
        }
    }
    Value::Object(fields)
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
        },
    })
}

#[cfg(test)]
mod tests {
    use atoll_federation::types;
    use atoll_kubeapi::Schema;
    use atoll_kubeapi::schema::ListType;
    use atoll_kubeapi::validate;

    use super::*;

    fn deployments() -> Schema {
        Schema::new(federated(types::find("deployments.apps").unwrap()))
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
    fn no_reference_is_left_and_the_schema_stays_small() {
        let text = federated(types::find("deployments.apps").unwrap()).to_string();
        assert!(!text.contains("$ref"));
        assert!(text.len() < 512 * 1024, "{} bytes", text.len());
    }
}
