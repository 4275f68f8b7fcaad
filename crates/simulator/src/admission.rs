//! What happens to an object before it is written: namespaces are checked, defaults filled in, addresses given out,
//! and what an API server refuses is refused.

pub(crate) mod defaults;
mod immutable;
mod pod_defaults;
mod rules;
pub(crate) mod services;

use atoll_kubeapi::{Admission, Cause, Memory, Operation, Resource, Status};
use serde_json::Value;

use crate::access::refused;
use crate::catalog::Kind;
use crate::fields::{is_deleting, name, namespace};
use services::Addresses;

/// Namespaces that cannot be deleted.
const PROTECTED: [&str; 3] = ["default", "kube-system", "kube-public"];

/// Judges and completes an object that a client writes.
///
/// # Errors
/// What an API server would answer.
pub(crate) fn admit(
    memory: &Memory,
    addresses: &Addresses,
    resource: &Resource,
    admission: &Admission<'_>,
    new: &mut Value,
) -> Result<Vec<String>, Status> {
    let Some(kind) = Kind::of(resource) else {
        return Ok(Vec::new());
    };
    match admission.operation {
        Operation::Delete => check_deletion(kind, new)?,
        Operation::Create => {
            if kind.is_namespaced() {
                check_namespace(memory, resource, namespace(new), name(new))?;
            }
            defaults::complete_new(kind, new);
            rules::check(kind, new)?;
            if kind == Kind::Service {
                addresses.assign(memory, None, new)?;
            }
        }
        Operation::Update if admission.subresource.is_empty() => {
            defaults::complete(kind, new);
            if let Some(old) = admission.old {
                if kind == Kind::Service {
                    services::keep(old, new);
                    addresses.assign(memory, Some(old), new)?;
                }
                immutable::check(kind, old, new)?;
            }
            rules::check(kind, new)?;
        }
        Operation::Update => {}
    }
    Ok(Vec::new())
}

fn check_deletion(kind: Kind, object: &Value) -> Result<(), Status> {
    let name = name(object);
    if kind == Kind::Namespace && PROTECTED.contains(&name) {
        return Err(refused("", "namespaces", name, "this namespace may not be deleted"));
    }
    Ok(())
}

/// Whether something new may be put into a namespace.
///
/// # Errors
/// 404 when there is no such namespace, 403 when it is going.
pub(crate) fn check_namespace(memory: &Memory, resource: &Resource, namespace: &str, name: &str) -> Result<(), Status> {
    let namespaces = Kind::Namespace.resource();
    let found = memory
        .get(namespaces, "", namespace)
        .ok_or_else(|| namespaces.not_found(namespace))?;
    if !is_deleting(&found) {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let cause = Cause::new(
        "NamespaceTerminating",
        "metadata.namespace",
        format!("namespace {namespace} is being terminated"),
    );
    Err(refused(&resource.group, &resource.plural, name, &why).with(|details| details.causes = vec![cause]))
}
