//! Plain objects of Federation v1: which of them are federated, and what holds them.
//!
//! `atoll_federation` says what may be written; here stands what an API server does around it. A federated object gets
//! v1's two finalizers when it becomes one. `orphan` says that members keep their copies when it is deleted; the options
//! of the deletion decide whether it stays, as in Kubernetes.

use atoll_federation::TypeDescriptor;
use atoll_federation::plain::{self, DELETE_FINALIZER, ORPHAN_FINALIZER, is_held};
use atoll_federation::types::PLAIN_TYPES;
use atoll_kubeapi::Resource;
use atoll_store::ObjectKey;
use serde_json::{Value, json};

/// The plain type of a resource, if it is of one.
pub(super) fn row(group: &str, plural: &str) -> Option<&'static TypeDescriptor> {
    PLAIN_TYPES
        .iter()
        .find(|row| row.target.plural == plural && row.target.group == group)
}

/// Whether a plain object is federated. `namespace` is the one it lies in; a Namespace lies in none.
pub(super) fn is_federated(key: &ObjectKey, object: &Value, namespace: Option<&Value>) -> bool {
    row(&key.group, &key.resource).is_some_and(|row| plain::is_federated(row, object, namespace))
}

/// Puts v1's finalizers on an object that is federated from now on.
pub(super) fn hold(object: &mut Value) {
    let mut held = finalizers(object);
    for name in [DELETE_FINALIZER, ORPHAN_FINALIZER] {
        if !held.iter().any(|one| one == name) {
            held.push(name.into());
        }
    }
    object["metadata"]["finalizers"] = held.into();
}

fn finalizers(object: &Value) -> Vec<Value> {
    object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default()
}

/// What becomes of the copies in members, as the options of a deletion say; `None` when they say nothing: then the
/// finalizer `orphan` decides by being there.
fn orphans(options: &Value) -> Option<bool> {
    match options["propagationPolicy"].as_str() {
        Some(policy) => Some(policy == "Orphan"),
        None => options["orphanDependents"].as_bool(),
    }
}

/// The finalizers that a deletion puts on a plain object.
pub(super) fn finalizers_of_deletion(resource: &Resource, object: &Value, options: &Value) -> Vec<String> {
    let concerned = row(&resource.group, &resource.plural).is_some() && is_held(object);
    if concerned && orphans(options) == Some(true) {
        vec![ORPHAN_FINALIZER.to_owned()]
    } else {
        Vec::new()
    }
}

/// What a deletion makes of the finalizers of a plain object: `orphan` goes, unless it is to be orphaned.
pub(super) fn release_dependents(object: &mut Value, options: &Value) {
    if !is_held(object) || orphans(options) != Some(false) {
        return;
    }
    let mut held = finalizers(object);
    held.retain(|one| one != ORPHAN_FINALIZER);
    object["metadata"]["finalizers"] = json!(held);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_a_deletion_decide_about_orphan() {
        let held = || {
            let mut object = json!({"metadata": {"finalizers": ["example.com/mine"]}});
            hold(&mut object);
            object
        };
        for (options, stays) in [
            (json!({"propagationPolicy": "Background"}), false),
            (json!({"propagationPolicy": "Foreground"}), false),
            (json!({"orphanDependents": false}), false),
            (json!({"propagationPolicy": "Orphan"}), true),
            (json!({"orphanDependents": true}), true),
            (json!({}), true),
        ] {
            let mut object = held();
            release_dependents(&mut object, &options);
            let found = finalizers(&object);
            assert_eq!(found.iter().any(|one| one == ORPHAN_FINALIZER), stays, "{options}");
            assert!(is_held(&object) && found.iter().any(|one| one == "example.com/mine"));
        }
    }

    #[test]
    fn a_deletion_orphans_what_lost_the_finalizer_only_where_v1_holds_the_object() {
        let resource = Resource::new("apps", "v1", "Deployment", "deployments");
        let orphan = json!({"propagationPolicy": "Orphan"});
        let held = json!({"metadata": {"finalizers": [DELETE_FINALIZER]}});
        assert_eq!(finalizers_of_deletion(&resource, &held, &orphan), [ORPHAN_FINALIZER]);
        let resting = json!({"metadata": {}});
        assert_eq!(
            finalizers_of_deletion(&resource, &resting, &orphan),
            Vec::<String>::new()
        );
    }
}
