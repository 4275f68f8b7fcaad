//! The types that are known from the start.

use std::borrow::Cow;

use super::{ApiType, TypeDescriptor};

macro_rules! text {
    ($($text:expr),*) => { Cow::Borrowed(&[$(Cow::Borrowed($text)),*]) };
}

// One row: `group/version Kind plural (short names) namespaced [replicas path]`.
macro_rules! row {
    ($group:literal / $version:literal $kind:literal $plural:literal ($($short:literal),*) $namespaced:literal $replicas:expr) => {
        TypeDescriptor {
            target: ApiType {
                group: Cow::Borrowed($group),
                version: Cow::Borrowed($version),
                kind: Cow::Borrowed($kind),
                plural: Cow::Borrowed($plural),
                short_names: text![$($short),*],
                namespaced: $namespaced,
            },
            federated: ApiType {
                group: Cow::Borrowed(super::FEDERATED_GROUP),
                version: Cow::Borrowed("v1beta1"),
                kind: Cow::Borrowed(concat!("Federated", $kind)),
                plural: Cow::Borrowed(concat!("federated", $plural)),
                short_names: text![$(concat!("f", $short)),*],
                // A FederatedNamespace lives in the namespace that it is about.
                namespaced: $namespaced || is_namespaces($plural),
            },
            replicas_path: $replicas,
            source: super::Source::Federated,
        }
    };
}

const fn is_namespaces(plural: &str) -> bool {
    matches!(plural.as_bytes(), b"namespaces")
}

const REPLICAS: Option<Cow<'static, str>> = Some(Cow::Borrowed("/spec/replicas"));

/// The built-in types. Each has a `FederatedTypeConfig` from the start, by which it can be switched off or removed.
#[rustfmt::skip]
pub static TYPES: &[TypeDescriptor] = &[
    row!("" / "v1" "Namespace" "namespaces" ("ns") false None),
    row!("" / "v1" "ConfigMap" "configmaps" ("cm") true None),
    row!("" / "v1" "Secret" "secrets" () true None),
    row!("" / "v1" "ServiceAccount" "serviceaccounts" ("sa") true None),
    row!("" / "v1" "Service" "services" ("svc") true None),
    row!("" / "v1" "LimitRange" "limitranges" ("limits") true None),
    row!("" / "v1" "ResourceQuota" "resourcequotas" ("quota") true None),
    row!("" / "v1" "PersistentVolumeClaim" "persistentvolumeclaims" ("pvc") true None),
    row!("apps" / "v1" "Deployment" "deployments" ("deploy") true REPLICAS),
    row!("apps" / "v1" "StatefulSet" "statefulsets" ("sts") true REPLICAS),
    row!("apps" / "v1" "DaemonSet" "daemonsets" ("ds") true None),
    row!("apps" / "v1" "ReplicaSet" "replicasets" ("rs") true REPLICAS),
    row!("batch" / "v1" "Job" "jobs" () true None),
    row!("batch" / "v1" "CronJob" "cronjobs" ("cj") true None),
    row!("networking.k8s.io" / "v1" "Ingress" "ingresses" ("ing") true None),
    row!("networking.k8s.io" / "v1" "NetworkPolicy" "networkpolicies" ("netpol") true None),
    row!("policy" / "v1" "PodDisruptionBudget" "poddisruptionbudgets" ("pdb") true None),
    row!("autoscaling" / "v2" "HorizontalPodAutoscaler" "horizontalpodautoscalers" ("hpa") true None),
    row!("rbac.authorization.k8s.io" / "v1" "Role" "roles" () true None),
    row!("rbac.authorization.k8s.io" / "v1" "RoleBinding" "rolebindings" () true None),
    row!("rbac.authorization.k8s.io" / "v1" "ClusterRole" "clusterroles" () false None),
    row!("rbac.authorization.k8s.io" / "v1" "ClusterRoleBinding" "clusterrolebindings" () false None),
    row!("apiextensions.k8s.io" / "v1" "CustomResourceDefinition" "customresourcedefinitions" ("crd", "crds") false None),
];

/// The built-in type of that name, in any form people use: `deployments.apps`, `federateddeployments`,
/// `federateddeployments.types.kubefed.io` or the kind `FederatedDeployment`.
pub fn find(name: &str) -> Option<&'static TypeDescriptor> {
    TYPES.iter().find(|row| {
        row.name() == name
            || row.federated.plural == name
            || row.federated.kind == name
            || row.federated.resource() == name
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_types_share_a_name_or_a_short_name() {
        let mut seen = BTreeSet::new();
        for row in TYPES {
            let names = [
                row.name(),
                row.federated.plural.to_string(),
                row.federated.kind.to_string(),
            ];
            let shorts = row.federated.short_names.iter().map(ToString::to_string);
            for name in names.into_iter().chain(shorts) {
                assert!(seen.insert(name.clone()), "{name} stands there twice");
            }
        }
    }

    #[test]
    fn short_names_are_those_of_kubefed() {
        let shorts: Vec<&str> = [
            "configmaps",
            "deployments.apps",
            "namespaces",
            "services",
            "replicasets.apps",
        ]
        .iter()
        .flat_map(|name| find(name).unwrap().federated.short_names.iter())
        .map(AsRef::as_ref)
        .collect();
        assert_eq!(shorts, ["fcm", "fdeploy", "fns", "fsvc", "frs"]);
    }

    #[test]
    fn a_federated_kind_is_scoped_as_its_target_except_the_namespace() {
        for row in TYPES {
            let expected = row.target.namespaced || row.is_namespace();
            assert_eq!(row.federated.namespaced, expected, "{}", row.name());
        }
    }

    #[test]
    fn a_type_is_found_by_each_of_its_names() {
        for name in [
            "deployments.apps",
            "federateddeployments",
            "FederatedDeployment",
            "federateddeployments.types.kubefed.io",
        ] {
            assert_eq!(
                find(name).map(TypeDescriptor::name).as_deref(),
                Some("deployments.apps"),
                "{name}"
            );
        }
        assert_eq!(find("deployments"), None);
    }
}
