//! Who may do what in a member: Kubernetes' role-based access control over the roles and bindings that are stored.

use std::sync::Arc;

use atoll_kubeapi::{Attributes, Memory, RequestContext, Status};
use serde_json::Value;

use crate::catalog::Kind;

/// The group that may do everything, whatever the bindings say.
pub(crate) const MASTERS: &str = "system:masters";

/// Whether the caller may.
///
/// # Errors
/// 403, worded as API servers do.
pub(crate) fn authorize(memory: &Memory, context: &RequestContext, attributes: &Attributes) -> Result<(), Status> {
    if context.groups.iter().any(|group| group == MASTERS) || is_allowed(memory, context, attributes) {
        return Ok(());
    }
    Err(forbidden(context, attributes))
}

fn is_allowed(memory: &Memory, context: &RequestContext, attributes: &Attributes) -> bool {
    let cluster_wide = memory.list(Kind::ClusterRoleBinding.resource(), None).items;
    let local = if attributes.namespace.is_empty() {
        Vec::new()
    } else {
        memory
            .list(Kind::RoleBinding.resource(), Some(&attributes.namespace))
            .items
    };
    cluster_wide
        .iter()
        .chain(&local)
        .filter(|binding| binds(binding, context))
        .filter_map(|binding| role(memory, binding))
        .any(|role| allows(&role, attributes))
}

/// Whether a binding names the caller.
fn binds(binding: &Value, context: &RequestContext) -> bool {
    binding["subjects"].as_array().into_iter().flatten().any(|subject| {
        let text = |field: &str| subject[field].as_str().unwrap_or_default();
        match text("kind") {
            "User" => text("name") == context.user,
            "Group" => context.groups.iter().any(|group| group == text("name")),
            "ServiceAccount" => context.user == format!("system:serviceaccount:{}:{}", text("namespace"), text("name")),
            _ => false,
        }
    })
}

fn role(memory: &Memory, binding: &Value) -> Option<Arc<Value>> {
    let name = binding["roleRef"]["name"].as_str()?;
    match binding["roleRef"]["kind"].as_str()? {
        "ClusterRole" => memory.get(Kind::ClusterRole.resource(), "", name),
        "Role" => {
            let namespace = binding["metadata"]["namespace"].as_str()?;
            memory.get(Kind::Role.resource(), namespace, name)
        }
        _ => None,
    }
}

fn allows(role: &Value, attributes: &Attributes) -> bool {
    let resource = qualified(attributes);
    role["rules"].as_array().into_iter().flatten().any(|rule| {
        let has = |field: &str, wanted: &[&str]| {
            rule[field]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .any(|one| one == "*" || wanted.contains(&one))
        };
        let any_parent = format!("*/{}", attributes.subresource);
        let names = rule["resourceNames"].as_array().filter(|names| !names.is_empty());
        has("verbs", &[&attributes.verb])
            && has("apiGroups", &[&attributes.group])
            && has("resources", &[&resource, &any_parent])
            && names.is_none_or(|names| names.iter().any(|name| *name == attributes.name))
    })
}

/// `pods/log`, or the resource alone.
fn qualified(attributes: &Attributes) -> String {
    if attributes.subresource.is_empty() {
        attributes.resource.clone()
    } else {
        format!("{}/{}", attributes.resource, attributes.subresource)
    }
}

/// 403 for a request to a resource.
pub(crate) fn forbidden(context: &RequestContext, attributes: &Attributes) -> Status {
    let Attributes {
        verb,
        group,
        resource,
        namespace,
        name,
        ..
    } = attributes;
    let place = if namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{namespace}\"")
    };
    let why = format!(
        "User \"{}\" cannot {verb} resource \"{}\" in API group \"{group}\" {place}",
        context.user,
        qualified(attributes)
    );
    refused(group, resource, name, &why)
}

/// 403 about an object, for any reason.
pub(crate) fn refused(group: &str, resource: &str, name: &str, why: &str) -> Status {
    let mut what = resource.to_owned();
    if !group.is_empty() {
        what = format!("{what}.{group}");
    }
    if !name.is_empty() {
        what = format!("{what} \"{name}\"");
    }
    Status::forbidden(format!("{what} is forbidden: {why}")).about(group, resource, name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attributes(verb: &str, resource: &str, namespace: &str, name: &str) -> Attributes {
        Attributes {
            verb: verb.into(),
            version: "v1".into(),
            resource: resource.into(),
            namespace: namespace.into(),
            name: name.into(),
            ..Attributes::default()
        }
    }

    #[test]
    fn a_rule_covers_verb_group_resource_and_name() {
        let role = json!({"rules": [
            {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]},
            {"verbs": ["*"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["one"]},
            {"verbs": ["get"], "apiGroups": [""], "resources": ["*/log"]},
        ]});
        assert!(allows(&role, &attributes("get", "pods", "shop", "a")));
        assert!(!allows(&role, &attributes("list", "pods", "shop", "")));
        assert!(allows(&role, &attributes("delete", "configmaps", "shop", "one")));
        assert!(!allows(&role, &attributes("delete", "configmaps", "shop", "two")));
        let mut log = attributes("get", "pods", "shop", "a");
        log.subresource = "exec".into();
        assert!(!allows(&role, &log), "a subresource is not its parent");
        log.subresource = "log".into();
        assert!(allows(&role, &log));
        let mut grouped = attributes("get", "pods", "shop", "a");
        grouped.group = "metrics.k8s.io".into();
        assert!(!allows(&role, &grouped));
    }

    #[test]
    fn a_refusal_reads_as_an_api_server_words_it() {
        let context = RequestContext {
            user: "ann".into(),
            ..RequestContext::default()
        };
        let status = forbidden(&context, &attributes("get", "pods", "shop", "web"));
        assert_eq!(
            status.message,
            "pods \"web\" is forbidden: User \"ann\" cannot get resource \"pods\" in API group \"\" in the namespace \"shop\""
        );
        let mut listed = attributes("list", "deployments", "", "");
        listed.group = "apps".into();
        assert_eq!(
            forbidden(&context, &listed).message,
            "deployments.apps is forbidden: User \"ann\" cannot list resource \"deployments\" in API group \"apps\" at the cluster scope"
        );
    }
}
