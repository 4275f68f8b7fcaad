//! Namespaces: what each has from the start, and how one that is deleted is emptied before it goes.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::authority;
use crate::catalog::Kind;
use crate::engine::Engine;
use crate::fields::{is_deleting, items, name, set_condition};
use crate::objects::{Propagation, now_text};

pub(super) fn reconcile(engine: &mut Engine, namespace: &Arc<Value>) {
    if is_deleting(namespace) {
        empty(engine, namespace);
    } else {
        furnish(engine, name(namespace));
    }
}

/// The service account and the CA that pods of every namespace find.
fn furnish(engine: &Engine, namespace: &str) {
    let account = json!({"metadata": {"name": "default", "namespace": namespace}});
    let root = json!({
        "metadata": {
            "name": "kube-root-ca.crt",
            "namespace": namespace,
            "annotations": {"kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."},
        },
        "data": {"ca.crt": authority::certificate()},
    });
    for (kind, object) in [(Kind::ServiceAccount, account), (Kind::ConfigMap, root)] {
        if engine.objects.get(kind, namespace, name(&object)).is_none() {
            // Refused only while the namespace is on its way out.
            let _ = engine.objects.create(kind, namespace, object);
        }
    }
}

/// Deletes all that is left in a namespace, and lets it go when nothing is.
fn empty(engine: &mut Engine, namespace: &Arc<Value>) {
    let own_name = name(namespace);
    let mut left: Vec<(Kind, usize, usize)> = Vec::new();
    for kind in Kind::ALL.iter().copied().filter(|kind| kind.is_namespaced()) {
        for object in engine.objects.list(kind, Some(own_name)) {
            engine.objects.delete(kind, &object, Propagation::Background);
        }
        let rest = engine.objects.list(kind, Some(own_name));
        if !rest.is_empty() {
            let held = rest
                .iter()
                .filter(|object| !items(&object["metadata"]["finalizers"]).is_empty());
            left.push((kind, rest.len(), held.count()));
        }
    }
    let mut new = (**namespace).clone();
    if left.is_empty()
        && let Some(finalizers) = new["spec"]["finalizers"].as_array_mut()
    {
        finalizers.retain(|one| one != "kubernetes");
    }
    tell(&mut new, &left);
    // Whoever was faster brings the namespace here again; so does the end of each object.
    let _ = engine.objects.update(Kind::Namespace, namespace, new);
}

/// States what the namespace waits for.
fn tell(namespace: &mut Value, left: &[(Kind, usize, usize)]) {
    let now = now_text();
    let list = |count: fn(&(Kind, usize, usize)) -> usize| -> Vec<String> {
        left.iter()
            .filter(|one| count(one) > 0)
            .map(|one| {
                let resource = one.0.resource();
                let qualified = [resource.plural.as_str(), resource.group.as_str()]
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join(".");
                format!("{qualified} has {} resource instances", count(one))
            })
            .collect()
    };
    let (content, held) = (list(|one| one.1), list(|one| one.2));
    let conditions = [
        (
            "NamespaceDeletionDiscoveryFailure",
            false,
            "ResourcesDiscovered",
            "All resources successfully discovered".to_owned(),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            false,
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed".to_owned(),
        ),
        (
            "NamespaceDeletionContentFailure",
            false,
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization".to_owned(),
        ),
        if content.is_empty() {
            (
                "NamespaceContentRemaining",
                false,
                "ContentRemoved",
                "All content successfully removed".to_owned(),
            )
        } else {
            (
                "NamespaceContentRemaining",
                true,
                "SomeResourcesRemain",
                format!("Some resources are remaining: {}", content.join(", ")),
            )
        },
        if held.is_empty() {
            (
                "NamespaceFinalizersRemaining",
                false,
                "ContentHasNoFinalizers",
                "All content-preserving finalizers finished".to_owned(),
            )
        } else {
            (
                "NamespaceFinalizersRemaining",
                true,
                "SomeFinalizersRemain",
                format!(
                    "Some content in the namespace has finalizers remaining: {}",
                    held.join(", ")
                ),
            )
        },
    ];
    for (kind, is_true, reason, message) in conditions {
        let status = if is_true { "True" } else { "False" };
        set_condition(namespace, kind, status, reason, &message, &now);
    }
}
