//! `KubeFedConfig`, `FederatedTypeConfig` and definitions of federated kinds.

use atoll_federation::TypeConfig;
use atoll_federation::configuration::{admit_config, admit_type_config};
use atoll_kubeapi::{Admission, Catalog, Cause, Operation, RequestContext, Resource, Status};
use serde_json::{Value, json};

use super::{judged, refuse};
use crate::hub::backend::status;
use crate::hub::structures::{self, Told};
use crate::hub::type_configs;
use crate::state::AppState;

pub(super) fn admit_settings(
    resource: &Resource,
    admission: &Admission<'_>,
    new: &mut Value,
) -> Result<Vec<String>, Status> {
    if admission.operation == Operation::Delete {
        return Ok(vec![
            "until there is a KubeFedConfig again, everything is as in a new one of scope Cluster".to_owned(),
        ]);
    }
    let outcome = admit_config(new, admission.old);
    judged(resource, new, outcome)
}

pub(super) async fn admit_type(
    state: &AppState,
    context: &RequestContext,
    resource: &Resource,
    admission: &Admission<'_>,
    new: &mut Value,
) -> Result<Vec<String>, Status> {
    if !admission.subresource.is_empty() {
        return Ok(Vec::new());
    }
    let name = new["metadata"]["name"].as_str().unwrap_or_default();
    if admission.operation == Operation::Delete {
        return leaving(state, new).await;
    }
    let others = type_configs::others(state, name).await.map_err(status)?;
    let outcome = admit_type_config(new, admission.old, &others);
    let mut warnings = judged(resource, new, outcome)?;
    warnings.extend(unknown_target(state, context, admission.old, new).await);
    Ok(warnings)
}

/// What a deletion leaves behind.
async fn leaving(state: &AppState, object: &Value) -> Result<Vec<String>, Status> {
    let Some(config) = TypeConfig::read(object, None) else {
        return Ok(Vec::new());
    };
    let count = type_configs::instances(state, &config).await.map_err(status)?;
    let federated = config.descriptor.federated.resource();
    Ok(match count {
        0 => Vec::new(),
        count => vec![format!(
            "{federated} are served until the last of {count} is deleted; members keep what they have until then"
        )],
    })
}

/// Warns when nothing is known of a target whose structure a member would have to tell.
async fn unknown_target(
    state: &AppState,
    context: &RequestContext,
    old: Option<&Value>,
    new: &Value,
) -> Option<String> {
    let config = TypeConfig::read(new, None)?;
    let target = &config.descriptor.target;
    let before = old.and_then(|old| TypeConfig::read(old, None));
    if structures::is_known(target) || before.is_some_and(|before| before.descriptor.target == *target) {
        return None;
    }
    let why = match structures::ask_once(state, context, target).await {
        Told::Known(_) => return None,
        Told::NotServed => "no cluster that answers serves",
        Told::Nobody => "no cluster could be asked for",
    };
    Some(format!(
        "spec.targetType: {why} {} of {}; templates are kept as they are written, unchecked",
        target.kind,
        target.api_version()
    ))
}

/// A definition of a kind that is federated here is kept beside its `FederatedTypeConfig`.
pub(super) fn admit_definition(
    catalog: &Catalog,
    resource: &Resource,
    admission: &Admission<'_>,
    new: &mut Value,
) -> Result<Vec<String>, Status> {
    if admission.operation == Operation::Delete || !admission.subresource.is_empty() {
        return Ok(Vec::new());
    }
    if admission.old.is_some_and(|old| old["spec"] == new["spec"]) {
        return Ok(Vec::new());
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let spec = &new["spec"];
    let (group, plural, kind) = (
        text(&spec["group"]),
        text(&spec["names"]["plural"]),
        text(&spec["names"]["kind"]),
    );
    let mut causes = Vec::new();
    let name = format!("{plural}.{group}");
    if new["metadata"]["name"] != name.as_str() {
        causes.push(Cause::invalid(
            "metadata.name",
            format!("Invalid value: must be spec.names.plural and spec.group: write name: {name}"),
        ));
    }
    let is_served = catalog.iter().any(|one| one.group == group && one.plural == plural);
    let is_federated = kind.starts_with("Federated") && plural.starts_with("federated");
    if !is_served && !is_federated {
        causes.push(Cause::new(
            "FieldValueForbidden",
            "spec.names.kind",
            format!(
                "Forbidden: the hub serves no {kind}: to have {plural}.{group} in members write a \
                 FederatedCustomResourceDefinition with this definition as its template, then a FederatedTypeConfig \
                 {plural}.{group} to federate its objects"
            ),
        ));
    }
    refuse(resource, new, causes)?;
    if admission.old.is_none() {
        new["status"] = accepted(new);
    }
    Ok(if is_served {
        Vec::new()
    } else {
        vec![format!(
            "spec.names.kind: {kind} is served once a FederatedTypeConfig has it as its federatedType"
        )]
    })
}

/// What tools wait for after they have sent a definition.
fn accepted(definition: &Value) -> Value {
    let since = &definition["metadata"]["creationTimestamp"];
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": since});
    let spec = &definition["spec"];
    // Old definitions have one version, beside the list or without it.
    let listed = spec["versions"].as_array().into_iter().flatten();
    let mut versions: Vec<&Value> = listed.map(|version| &version["name"]).collect();
    versions.push(&spec["version"]);
    versions.retain(|version| version.is_string());
    versions.dedup();
    json!({
        "acceptedNames": spec["names"],
        "storedVersions": versions,
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the FederatedTypeConfig says what is served"),
        ],
    })
}
