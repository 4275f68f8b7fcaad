//! Namespaces: completed as Kubernetes does, so that they end only when what is in them has ended.

use atoll_kubeapi::{Admission, Operation, Status};
use serde_json::{Value, json};

use super::never;
use crate::hub::seed::PERMANENT_NAMESPACES;

/// Label that every namespace carries, so that selectors can name it.
pub(in crate::hub) const NAME_LABEL: &str = "kubernetes.io/metadata.name";

pub(super) fn admit(admission: &Admission<'_>, new: &mut Value) -> Result<(), Status> {
    let name = new["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    match admission.operation {
        Operation::Create => {
            new["spec"]["finalizers"] = json!(["kubernetes"]);
            new["status"]["phase"] = json!("Active");
            new["metadata"]["labels"][NAME_LABEL] = json!(name);
        }
        // Its finalizers are released by the subresource alone.
        Operation::Update if admission.subresource.is_empty() => {
            let held = admission
                .old
                .map(|old| old["spec"]["finalizers"].clone())
                .unwrap_or_default();
            if !held.is_null() {
                new["spec"]["finalizers"] = held;
            } else if let Some(spec) = new["spec"].as_object_mut() {
                spec.remove("finalizers");
            }
            new["metadata"]["labels"][NAME_LABEL] = json!(name);
        }
        Operation::Update => {}
        Operation::Delete if PERMANENT_NAMESPACES.contains(&name.as_str()) => {
            return Err(never("namespaces", &name, "this namespace may not be deleted"));
        }
        Operation::Delete => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission<'a>(operation: Operation, old: Option<&'a Value>) -> Admission<'a> {
        static NONE: Value = Value::Null;
        Admission {
            operation,
            subresource: "",
            dry_run: false,
            old,
            options: &NONE,
        }
    }

    #[test]
    fn a_new_namespace_is_active_and_held() {
        let mut namespace = json!({"metadata": {"name": "shop"}});
        admit(&admission(Operation::Create, None), &mut namespace).unwrap();
        assert_eq!(namespace["status"]["phase"], "Active");
        assert_eq!(namespace["spec"]["finalizers"], json!(["kubernetes"]));
        assert_eq!(namespace["metadata"]["labels"][NAME_LABEL], "shop");
    }

    #[test]
    fn an_update_cannot_release_it() {
        let old = json!({"metadata": {"name": "shop"}, "spec": {"finalizers": ["kubernetes"]}});
        let mut new = json!({"metadata": {"name": "shop"}});
        admit(&admission(Operation::Update, Some(&old)), &mut new).unwrap();
        assert_eq!(new["spec"]["finalizers"], json!(["kubernetes"]));
    }

    #[test]
    fn permanent_namespaces_are_not_deleted() {
        for name in PERMANENT_NAMESPACES {
            let mut namespace = json!({"metadata": {"name": name}});
            let status = admit(&admission(Operation::Delete, None), &mut namespace).unwrap_err();
            assert_eq!(status.code, 403, "{name}");
        }
        let mut other = json!({"metadata": {"name": "shop"}});
        assert!(admit(&admission(Operation::Delete, None), &mut other).is_ok());
    }
}
