//! The kinds that the hub takes as they are, in the manner of Federation v1.
//!
//! They are no types that people add, disable or remove: an object of them rests on the hub until an annotation or its
//! namespace says that it is federated.

use std::sync::LazyLock;

use super::{Served, Source, TypeDescriptor, find};

/// Their names, as those of the built-in types that have the same target.
const NAMES: [&str; 10] = [
    "namespaces",
    "configmaps",
    "secrets",
    "services",
    "deployments.apps",
    "replicasets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "ingresses.networking.k8s.io",
    "horizontalpodautoscalers.autoscaling",
];

/// The plain kinds. Their replicas are shared out by annotations; a Job's parallelism and an autoscaler's bounds are
/// shared out too, but are no replicas of the object itself.
pub static PLAIN_TYPES: LazyLock<Vec<TypeDescriptor>> = LazyLock::new(|| {
    let plain = |name: &&str| {
        let built_in = find(name).expect("each of the names is that of a built-in type");
        TypeDescriptor {
            federated: built_in.target.clone(),
            source: Source::Plain,
            ..built_in.clone()
        }
    };
    NAMES.iter().map(plain).collect()
});

/// The plain kind of that resource, `deployments.apps` or `configmaps`.
pub fn find_plain(resource: &str) -> Option<&'static TypeDescriptor> {
    PLAIN_TYPES.iter().find(|row| row.name() == resource)
}

/// The plain kinds as every table of types has them: nobody can switch them off.
pub fn served_plain() -> impl Iterator<Item = Served> {
    PLAIN_TYPES.iter().map(|row| Served { row, propagated: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_kind_is_what_it_becomes_and_the_target_of_a_federated_type() {
        for row in PLAIN_TYPES.iter() {
            assert!(row.is_plain() && row.federated == row.target, "{}", row.name());
            assert_eq!(find(&row.name()).unwrap().target, row.target, "{}", row.name());
        }
    }

    #[test]
    fn a_plain_kind_is_found_by_its_resource() {
        assert_eq!(find_plain("deployments.apps").unwrap().target.kind, "Deployment");
        assert_eq!(find_plain("statefulsets.apps"), None);
    }
}
