//! `KubeFedConfig` and `FederatedTypeConfig`: how the control plane behaves and which types it federates, and
//! `CustomResourceDefinition`, which people have beside the latter.

use atoll_federation::configuration::CORE_GROUP;
use atoll_kubeapi::{Column, Resource, Schema};
use serde_json::{Value, json};

use super::schema::{list, text};

/// Plural of `KubeFedConfig`.
pub(in crate::hub) const CONFIGS: &str = "kubefedconfigs";
/// Plural of `FederatedTypeConfig`.
pub(in crate::hub) const TYPE_CONFIGS: &str = "federatedtypeconfigs";
/// Group of `CustomResourceDefinition`.
pub(in crate::hub) const DEFINITIONS_GROUP: &str = "apiextensions.k8s.io";
/// Plural of `CustomResourceDefinition`.
pub(in crate::hub) const DEFINITIONS: &str = "customresourcedefinitions";

pub(super) fn resources() -> [Resource; 4] {
    let definition = definition();
    // As `kubefedctl` printed it up to KubeFed v0.6.
    let warning =
        "apiextensions.k8s.io/v1beta1 is gone from Kubernetes since v1.22; write apiVersion: apiextensions.k8s.io/v1";
    let old = definition.viewed_as(DEFINITIONS_GROUP, "v1beta1", None, warning);
    [config(), type_config(), definition, old]
}

fn config() -> Resource {
    Resource {
        columns: vec![
            Column::path("Scope", "string", ".spec.scope"),
            Column::path("Adopt", "string", ".spec.syncController.adoptResources")
                .described("Whether objects of members that are nobody else's may be taken over."),
            Column::path(
                "Unavailable-Delay",
                "string",
                ".spec.controllerDuration.unavailableDelay",
            )
            .wide(),
        ],
        schema: Schema::new(json!({"type": "object", "required": ["spec"], "properties": {"spec": config_spec()}})),
        description: "How the control plane behaves. There is one, called kubefed; scope, adoptResources, \
             clusterHealthCheck and the delays take effect at once, the rest is kept and changes nothing."
            .into(),
        ..Resource::new(CORE_GROUP, "v1beta1", "KubeFedConfig", CONFIGS)
    }
}

fn section(description: &str, properties: &Value) -> Value {
    json!({"type": "object", "description": description, "properties": properties})
}

fn count(description: &str) -> Value {
    json!({"type": "integer", "format": "int64", "description": description})
}

fn config_spec() -> Value {
    let gate = json!({"type": "object", "required": ["name"], "properties": {
        "name": text("Name of the gate."),
        "configuration": text("Enabled or Disabled."),
    }});
    section(
        "What is not said is as in KubeFed.",
        &json!({
            "scope": text("Cluster, or Namespaced: then only objects of kube-federation-system are federated. It cannot be changed."),
            "controllerDuration": section("Waits, as in 30s or 1m30s.", &json!({
                "availableDelay": text("How long a cluster that came back answers before it gets replicas again."),
                "unavailableDelay": text("How long a cluster that does not answer keeps its replicas."),
                "cacheSyncTimeout": text("Kept; nothing follows it."),
                "clusterMonitorPeriod": text("Of KubeFed's first releases; nothing follows it."),
            })),
            "leaderElect": section("Kept; the hub's replicas agree by their database.", &json!({
                "leaseDuration": text("Longer than renewDeadline."),
                "renewDeadline": text("Longer than 1.2 times retryPeriod."),
                "retryPeriod": text("Between two tries."),
                "resourceLock": text("configmaps or endpoints."),
            })),
            "featureGates": {"type": "array", "items": gate, "description": "Kept, sorted by name; nothing follows them.",
                "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
            "clusterHealthCheck": section("How clusters are probed.", &json!({
                "period": text("Between two probes."),
                "timeout": text("How long an answer may take."),
                "failureThreshold": count("Probes without an answer, in a row, until a cluster counts as away."),
                "successThreshold": count("Good probes, in a row, until it counts as back."),
                "periodSeconds": count("Of KubeFed's first releases; nothing follows it."),
                "timeoutSeconds": count("Of KubeFed's first releases; nothing follows it."),
            })),
            "syncController": section("How objects are brought to members.", &json!({
                "maxConcurrentReconciles": count("Kept; nothing follows it."),
                "adoptResources": text("Enabled or Disabled: whether objects of members that are nobody else's may be taken over."),
            })),
            "statusController": section("Kept.", &json!({
                "maxConcurrentReconciles": count("Kept; nothing follows it."),
            })),
        }),
    )
}

fn type_config() -> Resource {
    Resource {
        short_names: vec!["ftc".into()],
        status: true,
        columns: vec![
            Column::path("Federated", "string", ".spec.federatedType.kind")
                .described("The kind that people write here."),
            Column::path("Propagation", "string", ".spec.propagation").described("What was asked for."),
            Column::path("Controller", "string", ".status.propagationController")
                .described("Whether its objects are kept in step."),
            Column::path("Target-Version", "string", ".spec.targetType.version").wide(),
            Column::path("Group", "string", ".spec.federatedType.group").wide(),
            Column::path("Status-Controller", "string", ".status.statusController").wide(),
        ],
        schema: Schema::new(type_config_schema()),
        description: "One kind that members serve, and the kind by which it is federated here. It starts when it is \
             written. When it is deleted, members keep what they have, and the federated kind is served until its last \
             object is gone."
            .into(),
        ..Resource::new(CORE_GROUP, "v1beta1", "FederatedTypeConfig", TYPE_CONFIGS)
    }
}

fn api_type(description: &str) -> Value {
    json!({"type": "object", "description": description, "properties": {
        "group": text("API group; left out in the core group."),
        "version": text("API version."),
        "kind": text("Kind."),
        "pluralName": text("Plural, as in paths. Without it, that of the name or of the kind."),
        "scope": text("Namespaced or Cluster."),
    }})
}

fn type_config_schema() -> Value {
    let state =
        |description: &str| json!({"type": "string", "enum": ["Running", "NotRunning"], "description": description});
    json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "description": "What is federated, and how it is called here.", "properties": {
            "targetType": api_type("What members hold. Plural and group are the name of this object."),
            "federatedType": api_type("What people write here. The group needs a dot."),
            "propagation": text("Enabled, or Disabled: then objects can be read and written, and members keep what they have."),
            "statusType": api_type("Kept. The status of every object is always collected."),
            "statusCollection": text("Enabled or Disabled. Kept; the status of every object is always collected."),
        }},
        "status": {"type": "object", "required": ["propagationController"], "description": "Whether it runs, written by the hub.", "properties": {
            "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0,
                "description": "The generation of this object that the status is about."},
            "propagationController": state("Whether its objects are kept in step."),
            "statusController": state("Of KubeFed; NotRunning."),
        }},
    }})
}

fn definition() -> Resource {
    Resource {
        namespaced: false,
        short_names: vec!["crd".into(), "crds".into()],
        status: true,
        columns: vec![
            Column::path("Kind", "string", ".spec.names.kind"),
            Column::path("Created At", "string", ".metadata.creationTimestamp"),
            Column::path("Age", "date", ".metadata.creationTimestamp").wide(),
        ],
        schema: Schema::new(definition_schema()),
        description: "Definition of a federated kind, as people have it beside its FederatedTypeConfig. It is kept and \
             changes nothing: the FederatedTypeConfig alone says what is served. Definitions of other kinds are refused; \
             a FederatedCustomResourceDefinition brings them to members."
            .into(),
        ..Resource::new(DEFINITIONS_GROUP, "v1", "CustomResourceDefinition", DEFINITIONS)
    }
}

fn definition_schema() -> Value {
    let anything = |description: &str| json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "description": description});
    let names = json!({"type": "object", "required": ["plural", "kind"], "description": "How the kind is called.",
    "x-kubernetes-preserve-unknown-fields": true,
    "properties": {
        "plural": text("Plural, as in paths."),
        "singular": text("Singular."),
        "kind": text("Kind."),
        "listKind": text("Kind of lists."),
        "shortNames": list("Short names.", json!({"type": "string"})),
        "categories": list("Categories.", json!({"type": "string"})),
    }});
    json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "required": ["group", "names"], "x-kubernetes-preserve-unknown-fields": true,
            "description": "The kind. Its schemas are ignored.", "properties": {
            "group": text("API group."),
            "scope": text("Namespaced or Cluster."),
            "names": names,
            "versions": list("Its versions; their schemas are ignored.", anything("One version.")),
        }},
        "status": anything("That its names are accepted, so that tools need not wait."),
    }})
}
