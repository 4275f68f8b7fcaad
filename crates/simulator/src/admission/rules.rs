//! What an API server refuses beyond wrong types: the rules that people run into.

use atoll_kubeapi::{Cause, Status};
use serde_json::Value;

use crate::catalog::Kind;
use crate::fields::{items, name};

/// Checks a completed object.
///
/// # Errors
/// 422 with a cause for each field that is wrong.
pub(super) fn check(kind: Kind, object: &Value) -> Result<(), Status> {
    let mut causes = Vec::new();
    match kind {
        Kind::Pod => check_containers(&object["spec"], "spec", &mut causes),
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet => {
            check_not_negative(object, &["replicas", "minReadySeconds"], &mut causes);
            check_selector(object, &mut causes);
            check_template(kind, object, &["Always"], &mut causes);
        }
        Kind::Job => {
            check_not_negative(object, &["parallelism", "completions", "backoffLimit"], &mut causes);
            check_template(kind, object, &["OnFailure", "Never"], &mut causes);
        }
        Kind::CronJob => check_template(kind, object, &["OnFailure", "Never"], &mut causes),
        Kind::ReplicationController => check_template(kind, object, &["Always"], &mut causes),
        Kind::Service => check_service(&object["spec"], &mut causes),
        Kind::RoleBinding | Kind::ClusterRoleBinding => check_binding(object, &mut causes),
        _ => {}
    }
    if causes.is_empty() {
        return Ok(());
    }
    let resource = kind.resource();
    Err(Status::invalid(&resource.group, &resource.kind, name(object), causes))
}

fn check_template(kind: Kind, object: &Value, policies: &[&str], causes: &mut Vec<Cause>) {
    let Some(place) = kind.pod_template() else { return };
    let Some(template) = object.pointer(place) else { return };
    let field = format!("{}.spec", place.trim_start_matches('/').replace('/', "."));
    check_containers(&template["spec"], &field, causes);
    let policy = &template["spec"]["restartPolicy"];
    if policy.as_str().is_some_and(|policy| !policies.contains(&policy)) {
        let list: Vec<String> = policies.iter().map(|one| format!("{one:?}")).collect();
        causes.push(Cause::new(
            "FieldValueNotSupported",
            format!("{field}.restartPolicy"),
            format!("Unsupported value: {policy}: supported values: {}", list.join(", ")),
        ));
    }
}

fn check_containers(spec: &Value, field: &str, causes: &mut Vec<Cause>) {
    let containers = items(&spec["containers"]);
    if containers.is_empty() {
        causes.push(Cause::required(format!("{field}.containers"), "Required value"));
    }
    for (index, container) in containers.iter().enumerate() {
        let place = format!("{field}.containers[{index}]");
        if container["image"].as_str().unwrap_or_default().is_empty() {
            causes.push(Cause::required(format!("{place}.image"), "Required value"));
        }
        let name = &container["name"];
        if containers[..index].iter().any(|other| other["name"] == *name) {
            causes.push(Cause::new(
                "FieldValueDuplicate",
                format!("{place}.name"),
                format!("Duplicate value: {name}"),
            ));
        }
        let text = name.as_str().unwrap_or_default();
        if !text.is_empty() && !atoll_kubeapi::names::is_dns_label(text) {
            let why = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character \
                (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
            causes.push(Cause::invalid(
                format!("{place}.name"),
                format!("Invalid value: {name}: {why}"),
            ));
        }
        for (at, port) in items(&container["ports"]).iter().enumerate() {
            check_port(
                &port["containerPort"],
                &format!("{place}.ports[{at}].containerPort"),
                causes,
            );
        }
    }
}

fn check_port(port: &Value, field: &str, causes: &mut Vec<Cause>) {
    if port.as_i64().is_none_or(|port| port == 0) {
        causes.push(Cause::required(field, "Required value"));
    } else if !port.as_i64().is_some_and(|port| (1..=65535).contains(&port)) {
        causes.push(Cause::invalid(
            field,
            format!("Invalid value: {port}: must be between 1 and 65535, inclusive"),
        ));
    }
}

fn check_selector(object: &Value, causes: &mut Vec<Cause>) {
    let selector = &object["spec"]["selector"];
    let labels = &object["spec"]["template"]["metadata"]["labels"];
    let wanted = selector["matchLabels"].as_object();
    let is_empty = wanted.is_none_or(serde_json::Map::is_empty) && items(&selector["matchExpressions"]).is_empty();
    if is_empty {
        let message = "Invalid value: {}: empty selector is invalid for deployment";
        causes.push(Cause::invalid("spec.selector", message));
    } else if wanted.into_iter().flatten().any(|(key, value)| labels[key] != *value) {
        causes.push(Cause::invalid(
            "spec.template.metadata.labels",
            format!("Invalid value: {labels}: `selector` does not match template `labels`"),
        ));
    }
}

fn check_not_negative(object: &Value, fields: &[&str], causes: &mut Vec<Cause>) {
    for field in fields {
        let value = &object["spec"][*field];
        if value.as_i64().is_some_and(|number| number < 0) {
            causes.push(Cause::invalid(
                format!("spec.{field}"),
                format!("Invalid value: {value}: must be greater than or equal to 0"),
            ));
        }
    }
}

fn check_service(spec: &Value, causes: &mut Vec<Cause>) {
    let kind = spec["type"].as_str().unwrap_or_default();
    if !["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"].contains(&kind) {
        causes.push(Cause::new(
            "FieldValueNotSupported",
            "spec.type",
            format!(
                "Unsupported value: {}: supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\"",
                spec["type"]
            ),
        ));
    }
    let ports = items(&spec["ports"]);
    let may_be_without = kind == "ExternalName" || spec["clusterIP"] == "None";
    if ports.is_empty() && !may_be_without {
        causes.push(Cause::required("spec.ports", "Required value"));
    }
    for (index, port) in ports.iter().enumerate() {
        check_port(&port["port"], &format!("spec.ports[{index}].port"), causes);
        if ports.len() > 1 && port["name"].as_str().unwrap_or_default().is_empty() {
            causes.push(Cause::required(format!("spec.ports[{index}].name"), "Required value"));
        }
    }
}

fn check_binding(binding: &Value, causes: &mut Vec<Cause>) {
    let role = &binding["roleRef"];
    if !matches!(role["kind"].as_str(), Some("Role" | "ClusterRole")) {
        causes.push(Cause::new(
            "FieldValueNotSupported",
            "roleRef.kind",
            format!(
                "Unsupported value: {}: supported values: \"Role\", \"ClusterRole\"",
                role["kind"]
            ),
        ));
    }
    if role["name"].as_str().unwrap_or_default().is_empty() {
        causes.push(Cause::required("roleRef.name", "Required value"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::defaults::complete;
    use serde_json::json;

    fn fields(kind: Kind, mut object: Value) -> Vec<String> {
        complete(kind, &mut object);
        check(kind, &object)
            .err()
            .and_then(|status| status.details)
            .map(|details| details.causes.into_iter().map(|cause| cause.field).collect())
            .unwrap_or_default()
    }

    #[test]
    fn a_selector_has_to_select_the_template() {
        let deployment = |labels: Value, containers: Value| {
            json!({"metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": {"app": "a"}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}}}})
        };
        let container = json!([{"name": "c", "image": "i"}]);
        assert!(
            fields(
                Kind::Deployment,
                deployment(json!({"app": "a", "more": "b"}), container.clone())
            )
            .is_empty()
        );
        assert_eq!(
            fields(Kind::Deployment, deployment(json!({"app": "b"}), container)),
            ["spec.template.metadata.labels"]
        );
        assert_eq!(
            fields(
                Kind::Deployment,
                deployment(json!({"app": "a"}), json!([{"name": "c"}]))
            ),
            ["spec.template.spec.containers[0].image"]
        );
        assert_eq!(
            fields(Kind::Deployment, deployment(json!({"app": "a"}), json!([]))),
            ["spec.template.spec.containers"]
        );
    }

    #[test]
    fn a_service_needs_ports_that_exist() {
        let service = |spec: Value| json!({"metadata": {"name": "a"}, "spec": spec});
        assert_eq!(fields(Kind::Service, service(json!({}))), ["spec.ports"]);
        assert!(fields(Kind::Service, service(json!({"clusterIP": "None"}))).is_empty());
        assert_eq!(
            fields(Kind::Service, service(json!({"ports": [{"port": 70000}]}))),
            ["spec.ports[0].port"]
        );
    }
}
