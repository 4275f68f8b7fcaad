//! Whether a `FederatedTypeConfig` may be stored: KubeFed's rules, and those that keep one type from taking over what
//! belongs to another.

use serde_json::{Map, Value, json};

use super::names::{is_label, is_subdomain, text};
use super::type_config::default_plural;
use super::{CORE_GROUP, TypeConfig};
use crate::types::{self, ApiType, FEDERATED_GROUP, SYSTEM_NAMESPACE};
use crate::{FieldError, TypeDescriptor, Warning};

/// Finalizer of every `FederatedTypeConfig`: its kind is served until no instance is left.
pub const TYPE_CONFIG_FINALIZER: &str = "core.kubefed.io/federated-type-config";

/// Groups that the hub serves kinds of its own in.
const OWN_GROUPS: [&str; 4] = [
    CORE_GROUP,
    super::SCHEDULING_GROUP,
    "multiclusterdns.kubefed.io",
    "atoll.dev",
];
/// Groups by which the first releases of KubeFed called the one of federated kinds.
const OLD_FEDERATED_GROUPS: [&str; 2] = ["types.kubefed.k8s.io", "types.federation.k8s.io"];
/// Kinds that Kubernetes serves in several groups: the same objects, whichever is asked.
const FAMILIES: [(&str, &[&str]); 8] = [
    ("Deployment", &["apps", "extensions"]),
    ("DaemonSet", &["apps", "extensions"]),
    ("StatefulSet", &["apps", "extensions"]),
    ("ReplicaSet", &["apps", "extensions"]),
    ("NetworkPolicy", &["networking.k8s.io", "extensions"]),
    ("PodSecurityPolicy", &["policy", "extensions"]),
    ("Ingress", &["networking.k8s.io", "extensions"]),
    ("Event", &["", "events.k8s.io"]),
];

/// The `FederatedTypeConfig` of a built-in type, as the hub makes it at its first start.
pub fn built_in_type_config(row: &TypeDescriptor) -> Value {
    let api = |api: &ApiType| {
        let mut fields = json!({
            "version": api.version,
            "kind": api.kind,
            "pluralName": api.plural,
            "scope": if api.namespaced { "Namespaced" } else { "Cluster" },
        });
        if !api.group.is_empty() {
            fields["group"] = json!(api.group);
        }
        fields
    };
    json!({
        "apiVersion": format!("{CORE_GROUP}/v1beta1"),
        "kind": "FederatedTypeConfig",
        "metadata": {
            "name": row.name(),
            "namespace": SYSTEM_NAMESPACE,
            "finalizers": [TYPE_CONFIG_FINALIZER],
        },
        "spec": {
            "targetType": api(&row.target),
            "federatedType": api(&row.federated),
            "propagation": "Enabled",
        },
    })
}

/// Judges a `FederatedTypeConfig` and completes its names as KubeFed does. `old` is what is stored, `None` for a new
/// one; `others` are all other types.
///
/// An update that leaves the spec alone always passes.
///
/// # Errors
/// Every field that is refused.
pub fn admit_type_config(
    new: &Value,
    old: Option<&Value>,
    others: &[TypeConfig],
) -> Result<(Value, Vec<Warning>), Vec<FieldError>> {
    let mut object = new.clone();
    let mut warnings = Vec::new();
    hold(&mut object);
    if old.is_some_and(|old| old["spec"] == new["spec"]) {
        return Ok((object, warnings));
    }
    complete(&mut object, &mut warnings);
    let mut errors = Vec::new();
    check_identity(&object, &mut errors);
    check_shape(&object["spec"], &mut errors);
    if errors.is_empty() {
        match TypeConfig::read(&object, None) {
            Some(config) => {
                check_scopes(&config.descriptor, &mut errors);
                check_others(&config.descriptor, others, &mut errors);
                if let Some(before) = old.and_then(|old| TypeConfig::read(old, None)) {
                    check_change(&before.descriptor, &config.descriptor, &mut errors);
                }
            }
            None => errors.push(FieldError::invalid(
                "spec",
                "names no type: give targetType and federatedType",
            )),
        }
    }
    if errors.is_empty() {
        Ok((object, warnings))
    } else {
        Err(errors)
    }
}

/// Puts the finalizer on, unless the object is on its way out: somebody's file that replaces it must not drop it.
fn hold(object: &mut Value) {
    if object["metadata"]["deletionTimestamp"].is_string() {
        return;
    }
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    let finalizers = metadata.entry("finalizers").or_insert_with(|| json!([]));
    match finalizers.as_array_mut() {
        Some(list) if list.iter().any(|one| one == TYPE_CONFIG_FINALIZER) => {}
        Some(list) => list.push(json!(TYPE_CONFIG_FINALIZER)),
        None => *finalizers = json!([TYPE_CONFIG_FINALIZER]),
    }
}

fn complete(object: &mut Value, warnings: &mut Vec<Warning>) {
    let name = text(&object["metadata"]["name"]).to_owned();
    let (plural, group) = name.split_once('.').unwrap_or((&name, ""));
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(target) = spec.get_mut("targetType").and_then(Value::as_object_mut) {
        default_to(target, "pluralName", plural);
        default_to(target, "group", group);
    }
    if let Some(federated) = spec.get_mut("federatedType").and_then(Value::as_object_mut) {
        let kind = federated.get("kind").map(text).unwrap_or_default().to_owned();
        default_to(federated, "pluralName", &default_plural(&kind));
        if let Some(old) = federated
            .get("group")
            .map(text)
            .filter(|group| OLD_FEDERATED_GROUPS.contains(group))
        {
            warnings.push(Warning(format!(
                "spec.federatedType.group: {old} is called {FEDERATED_GROUP} today; write it so"
            )));
            federated.insert("group".to_owned(), json!(FEDERATED_GROUP));
        }
    }
    let federated = spec.get("federatedType").cloned().unwrap_or_default();
    if let Some(status) = spec.get_mut("statusType").and_then(Value::as_object_mut) {
        let kind = status.get("kind").map(text).unwrap_or_default().to_owned();
        default_to(status, "pluralName", &default_plural(&kind));
        default_to(status, "group", text(&federated["group"]));
        default_to(status, "version", text(&federated["version"]));
    }
}

fn default_to(fields: &mut Map<String, Value>, field: &str, default: &str) {
    if fields.get(field).map(text).unwrap_or_default().is_empty() && !default.is_empty() {
        fields.insert(field.to_owned(), json!(default));
    }
}

fn check_identity(object: &Value, errors: &mut Vec<FieldError>) {
    let metadata = &object["metadata"];
    if text(&metadata["namespace"]) != SYSTEM_NAMESPACE {
        errors.push(FieldError::invalid(
            "metadata.namespace",
            format!("types are configured in {SYSTEM_NAMESPACE}: write namespace: {SYSTEM_NAMESPACE}"),
        ));
    }
    let target = &object["spec"]["targetType"];
    let (plural, group) = (text(&target["pluralName"]), text(&target["group"]));
    let wanted = if group.is_empty() {
        plural.to_owned()
    } else {
        format!("{plural}.{group}")
    };
    let name = text(&metadata["name"]);
    if target.is_object() && name != wanted {
        errors.push(FieldError::invalid(
            "metadata.name",
            format!("{name:?} is not the target's plural and group: write name: {wanted}"),
        ));
    }
}

fn check_shape(spec: &Value, errors: &mut Vec<FieldError>) {
    check_api(&spec["targetType"], "spec.targetType", false, errors);
    check_api(&spec["federatedType"], "spec.federatedType", true, errors);
    if !spec["statusType"].is_null() {
        check_api(&spec["statusType"], "spec.statusType", true, errors);
    }
    check_switch(spec, "propagation", true, errors);
    check_switch(spec, "statusCollection", false, errors);
    let group = text(&spec["federatedType"]["group"]);
    let is_kubernetes = ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|domain| group == *domain || group.ends_with(&format!(".{domain}")));
    if OWN_GROUPS.contains(&group) || is_kubernetes {
        errors.push(FieldError::forbidden(
            "spec.federatedType.group",
            format!("the hub has kinds of its own in {group}; use {FEDERATED_GROUP} or a group of yours"),
        ));
    }
}

fn check_switch(spec: &Value, field: &str, is_required: bool, errors: &mut Vec<FieldError>) {
    let path = format!("spec.{field}");
    match &spec[field] {
        Value::Null if is_required => {
            errors.push(FieldError::required(path, "write Enabled or Disabled"));
        }
        Value::Null => {}
        Value::String(word) if word == "Enabled" || word == "Disabled" => {}
        other => errors.push(FieldError::invalid(
            path,
            format!("{other} is neither Enabled nor Disabled"),
        )),
    }
}

/// One of the three types that the spec names.
fn check_api(api: &Value, path: &str, needs_group: bool, errors: &mut Vec<FieldError>) {
    if !api.is_object() {
        let message = "says group, version, kind, pluralName and scope of the type";
        errors.push(FieldError::required(path, message));
        return;
    }
    let field = |name: &str| format!("{path}.{name}");
    for name in ["version", "kind", "pluralName"] {
        let value = text(&api[name]);
        if value.is_empty() {
            errors.push(FieldError::required(field(name), "must be given"));
        } else if !is_label(&value.to_lowercase()) || (name != "kind" && value.to_lowercase() != value) {
            errors.push(FieldError::invalid(
                field(name),
                format!("{value:?} is no such name: begin with a letter, then letters, digits and dashes, 63 at most"),
            ));
        }
    }
    match text(&api["scope"]) {
        "Cluster" | "Namespaced" => {}
        "" => errors.push(FieldError::required(field("scope"), "write Namespaced or Cluster")),
        other => errors.push(FieldError::invalid(
            field("scope"),
            format!("{other:?} is neither Namespaced nor Cluster"),
        )),
    }
    let group = text(&api["group"]);
    if group.is_empty() {
        if needs_group {
            let message = format!("must be given, such as {FEDERATED_GROUP}");
            errors.push(FieldError::required(field("group"), message));
        }
    } else if !is_subdomain(group) {
        let message = format!("{group:?} is no domain: lower-case letters, digits, dashes and dots");
        errors.push(FieldError::invalid(field("group"), message));
    } else if needs_group && !group.contains('.') {
        let message = format!("{group:?} needs a dot, as in {FEDERATED_GROUP}");
        errors.push(FieldError::invalid(field("group"), message));
    }
}

fn check_scopes(row: &TypeDescriptor, errors: &mut Vec<FieldError>) {
    if let Some(built_in) = types::TYPES.iter().find(|one| one.name() == row.name()) {
        let known = &built_in.target;
        if row.target.kind != known.kind {
            let message = format!("{} are {}: write kind: {}", row.name(), known.kind, known.kind);
            errors.push(FieldError::invalid("spec.targetType.kind", message));
        }
        if row.target.namespaced != known.namespaced {
            let scope = scope(known.namespaced);
            let message = format!("{} are of scope {scope} in every cluster", row.name());
            errors.push(FieldError::invalid("spec.targetType.scope", message));
        }
    }
    // A FederatedNamespace lives in the namespace that it is about.
    let wanted = row.target.namespaced || row.name() == "namespaces";
    if row.federated.namespaced != wanted {
        let message = format!("must be {}, as the target demands", scope(wanted));
        errors.push(FieldError::invalid("spec.federatedType.scope", message));
    }
}

fn scope(namespaced: bool) -> &'static str {
    if namespaced { "Namespaced" } else { "Cluster" }
}

fn check_others(row: &TypeDescriptor, others: &[TypeConfig], errors: &mut Vec<FieldError>) {
    let (target, federated) = (&row.target, &row.federated);
    for other in others.iter().map(|config| &config.descriptor) {
        if other.name() == row.name() {
            continue;
        }
        let theirs = &other.federated;
        if theirs.group == federated.group && (theirs.plural == federated.plural || theirs.kind == federated.kind) {
            errors.push(FieldError::duplicate(
                "spec.federatedType",
                format!(
                    "{} {} is the federated kind of {} already; choose another kind and plural, or another group",
                    theirs.kind,
                    theirs.resource(),
                    other.name()
                ),
            ));
        }
        let same = FAMILIES.iter().any(|(kind, groups)| {
            let in_family = |api: &ApiType| api.kind == *kind && groups.contains(&api.group.as_ref());
            in_family(target) && in_family(&other.target)
        });
        if same {
            errors.push(FieldError::forbidden(
                "spec.targetType",
                format!(
                    "{} are the same objects as {}, which are federated already; use these",
                    row.name(),
                    other.name()
                ),
            ));
        }
    }
}

/// What makes a type the one that it is stays: objects are stored and members are watched by it.
fn check_change(before: &TypeDescriptor, after: &TypeDescriptor, errors: &mut Vec<FieldError>) {
    let mut refuse = |field: &str, before: &str, after: &str| {
        if before != after {
            errors.push(FieldError::forbidden(
                field,
                format!(
                    "stays {before:?} for as long as the type is there; delete the FederatedTypeConfig, and when its \
                     last object is gone create it anew"
                ),
            ));
        }
    };
    refuse("spec.targetType.kind", &before.target.kind, &after.target.kind);
    refuse(
        "spec.targetType.scope",
        scope(before.target.namespaced),
        scope(after.target.namespaced),
    );
    let (old, new) = (&before.federated, &after.federated);
    refuse("spec.federatedType.group", &old.group, &new.group);
    refuse("spec.federatedType.version", &old.version, &new.version);
    refuse("spec.federatedType.kind", &old.kind, &new.kind);
    refuse("spec.federatedType.pluralName", &old.plural, &new.plural);
    refuse("spec.federatedType.scope", scope(old.namespaced), scope(new.namespaced));
}

#[cfg(test)]
mod tests;
