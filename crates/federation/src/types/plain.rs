//! The kinds that the hub takes as they are, in the manner of Federation v1.
//!
//! They are no types that people add, disable or remove: an object of them rests on the hub until an annotation or its
//! namespace says that it is federated.

use std::borrow::Cow;

use super::{ApiType, Served, Source, TypeDescriptor};

macro_rules! row {
    ($group:literal / $version:literal $kind:literal $plural:literal ($($short:literal),*) $namespaced:literal $replicas:expr) => {
        TypeDescriptor {
            target: row!(@ $group / $version $kind $plural ($($short),*) $namespaced),
            federated: row!(@ $group / $version $kind $plural ($($short),*) $namespaced),
            replicas_path: $replicas,
            source: Source::Plain,
        }
    };
    (@ $group:literal / $version:literal $kind:literal $plural:literal ($($short:literal),*) $namespaced:literal) => {
        ApiType {
            group: Cow::Borrowed($group),
            version: Cow::Borrowed($version),
            kind: Cow::Borrowed($kind),
            plural: Cow::Borrowed($plural),
            short_names: Cow::Borrowed(&[$(Cow::Borrowed($short)),*]),
            namespaced: $namespaced,
        }
    };
}

const REPLICAS: Option<Cow<'static, str>> = Some(Cow::Borrowed("/spec/replicas"));

/// The plain kinds. Their replicas are shared out by annotations; a Job's parallelism and an autoscaler's bounds are
/// shared out too, but are no replicas of the object itself.
#[rustfmt::skip]
pub static PLAIN_TYPES: &[TypeDescriptor] = &[
    row!("" / "v1" "Namespace" "namespaces" ("ns") false None),
    row!("" / "v1" "ConfigMap" "configmaps" ("cm") true None),
    row!("" / "v1" "Secret" "secrets" () true None),
    row!("" / "v1" "Service" "services" ("svc") true None),
    row!("apps" / "v1" "Deployment" "deployments" ("deploy") true REPLICAS),
    row!("apps" / "v1" "ReplicaSet" "replicasets" ("rs") true REPLICAS),
    row!("apps" / "v1" "DaemonSet" "daemonsets" ("ds") true None),
    row!("batch" / "v1" "Job" "jobs" () true None),
    row!("networking.k8s.io" / "v1" "Ingress" "ingresses" ("ing") true None),
    row!("autoscaling" / "v2" "HorizontalPodAutoscaler" "horizontalpodautoscalers" ("hpa") true None),
];

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
    use crate::types::find;

    #[test]
    fn a_plain_kind_is_what_it_becomes_and_the_target_of_a_federated_type() {
        for row in PLAIN_TYPES {
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
