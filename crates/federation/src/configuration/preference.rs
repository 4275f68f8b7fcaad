//! `ReplicaSchedulingPreference`: how the replicas of one federated object are shared out. KubeFed stores whatever is
//! written and finds out while it reconciles; here it is judged when it is written.

use serde_json::{Value, json};

use super::names::text;
use crate::replicas::Preference;
use crate::{ClusterName, FieldError, TypeTable, Warning};

/// A stored `ReplicaSchedulingPreference`, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreferenceObject {
    /// Its namespace, which is that of the federated object.
    pub namespace: String,
    /// Its name, which is that of the federated object.
    pub name: String,
    /// Kind of the federated object, such as `FederatedDeployment`.
    pub target_kind: String,
    /// Its generation.
    pub generation: i64,
    /// What it says.
    pub preference: Preference,
}

impl PreferenceObject {
    /// Reads a stored object. `None` when it says nothing that can be meant, or is on its way out.
    pub fn read(object: &Value) -> Option<Self> {
        let metadata = &object["metadata"];
        if metadata["deletionTimestamp"].is_string() {
            return None;
        }
        Some(Self {
            namespace: metadata["namespace"].as_str()?.to_owned(),
            name: metadata["name"].as_str()?.to_owned(),
            target_kind: object["spec"]["targetKind"].as_str()?.to_owned(),
            generation: metadata["generation"].as_i64().unwrap_or_default(),
            preference: Preference::parse(&object["spec"], "spec").ok()?,
        })
    }
}

/// Judges a `ReplicaSchedulingPreference` and brings it into today's form. `old` is what is stored; `None` for a new one.
///
/// An update that leaves the spec alone always passes.
///
/// # Errors
/// Every field that is refused.
pub fn admit_preference(
    new: &Value,
    old: Option<&Value>,
    types: &TypeTable,
) -> Result<(Value, Vec<Warning>), Vec<FieldError>> {
    let mut object = new.clone();
    let mut warnings = Vec::new();
    if old.is_some_and(|old| old["spec"] == new["spec"]) {
        return Ok((object, warnings));
    }
    read_nulls(&mut object["spec"], &mut warnings);
    let mut errors = Vec::new();
    check_target(&object["spec"], types, &mut errors);
    check_names(&object["spec"], &mut errors);
    match Preference::parse(&object["spec"], "spec") {
        Ok(preference) => warn_of_sums(&preference, &mut warnings),
        Err(found) => errors.extend(found),
    }
    let intersects = &object["spec"]["intersectWithClusterSelector"];
    if !matches!(intersects, Value::Null | Value::Bool(_)) {
        let message = "must be true or false";
        errors.push(FieldError::invalid("spec.intersectWithClusterSelector", message));
    }
    if errors.is_empty() {
        Ok((object, warnings))
    } else {
        Err(errors)
    }
}

/// The clusters that a preference names, beside `*`.
pub fn preferred_clusters(object: &Value) -> impl Iterator<Item = &str> {
    let names = object["spec"]["clusters"].as_object().into_iter().flatten();
    names.map(|(name, _)| name.as_str()).filter(|name| *name != "*")
}

/// Files in circulation have `weight:` without a value, which is 0.
fn read_nulls(spec: &mut Value, warnings: &mut Vec<Warning>) {
    let Some(spec) = spec.as_object_mut() else {
        return;
    };
    for field in ["clusters", "rebalance", "intersectWithClusterSelector"] {
        if spec.get(field).is_some_and(Value::is_null) {
            spec.remove(field);
        }
    }
    for (name, entry) in spec
        .get_mut("clusters")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        if entry.is_null() {
            *entry = json!({});
        }
        let Some(entry) = entry.as_object_mut() else {
            continue;
        };
        if entry.get("weight").is_some_and(Value::is_null) {
            warnings.push(Warning(format!(
                "spec.clusters[{name}].weight: has no value and is read as 0; write the number"
            )));
            entry.insert("weight".to_owned(), json!(0));
        }
        entry.retain(|_, value| !value.is_null());
    }
}

fn check_target(spec: &Value, types: &TypeTable, errors: &mut Vec<FieldError>) {
    const FIELD: &str = "spec.targetKind";
    let kind = text(&spec["targetKind"]);
    let scaled = || {
        let kinds = types.federated().filter(|served| served.row.replicas_path.is_some());
        kinds.map(|served| served.row.federated.kind.to_string())
    };
    let known = || scaled().collect::<Vec<_>>().join(", ");
    if kind.is_empty() {
        errors.push(FieldError::required(FIELD, format!("write one of {}", known())));
        return;
    }
    let of_kind: Vec<_> = types
        .federated()
        .filter(|served| served.row.federated.kind == kind)
        .collect();
    if of_kind.iter().any(|served| served.row.replicas_path.is_some()) {
        return;
    }
    let message = if of_kind.is_empty() {
        // `Deployment`, `federateddeployment` or `deployments` for FederatedDeployment.
        let meant = scaled().find(|known| {
            let (known, kind) = (known.to_lowercase(), kind.to_lowercase());
            let bare = known.trim_start_matches("federated");
            [known.as_str(), bare]
                .iter()
                .any(|name| kind == *name || kind.strip_suffix('s') == Some(name))
        });
        match meant {
            Some(meant) => format!("{kind:?} is no federated kind: write {meant}"),
            None => format!("{kind:?} is no federated kind: write one of {}", known()),
        }
    } else {
        format!(
            "{kind} has no number of replicas to share out: write one of {}",
            known()
        )
    };
    errors.push(FieldError::invalid(FIELD, message));
}

fn check_names(spec: &Value, errors: &mut Vec<FieldError>) {
    for (name, _) in spec["clusters"].as_object().into_iter().flatten() {
        if name != "*" && ClusterName::parse(name).is_err() {
            errors.push(FieldError::invalid(
                format!("spec.clusters[{name}]"),
                format!("{name:?} cannot be a cluster: write the name of one, or * for all others"),
            ));
        }
    }
}

fn warn_of_sums(preference: &Preference, warnings: &mut Vec<Warning>) {
    let entries = preference.clusters.values();
    let minimums = entries
        .clone()
        .fold(0_i64, |sum, one| sum.saturating_add(one.min_replicas));
    if minimums > preference.total_replicas {
        warnings.push(Warning(format!(
            "spec.totalReplicas: {} are fewer than the minimums ask for, {minimums}; some clusters get less than their minimum",
            preference.total_replicas
        )));
    }
    if preference.total_replicas > 0 && entries.clone().all(|one| one.weight == 0 && one.min_replicas == 0) {
        warnings.push(Warning(
            "spec.clusters: no cluster has a weight or a minimum, so none gets replicas; give one a weight".to_owned(),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preference(spec: Value) -> Value {
        json!({"metadata": {"name": "web", "namespace": "shop", "generation": 3}, "spec": spec})
    }

    fn admit(spec: Value) -> Result<(Value, Vec<Warning>), Vec<FieldError>> {
        admit_preference(&preference(spec), None, &TypeTable::built_in())
    }

    fn refused(spec: Value) -> Vec<String> {
        admit(spec).unwrap_err().into_iter().map(|error| error.field).collect()
    }

    fn of_kind(kind: &str) -> Value {
        json!({"targetKind": kind, "totalReplicas": 3})
    }

    #[test]
    fn every_federated_kind_with_replicas_is_a_target() {
        for kind in ["FederatedDeployment", "FederatedReplicaSet", "FederatedStatefulSet"] {
            let (admitted, warnings) = admit(of_kind(kind)).unwrap();
            assert_eq!((&admitted["spec"], warnings), (&of_kind(kind), vec![]));
        }
    }

    #[test]
    fn a_target_without_replicas_or_of_an_unknown_kind_is_refused_with_what_to_write() {
        for (kind, said) in [
            ("FederatedConfigMap", "no number of replicas"),
            ("FederatedWidget", "write one of FederatedDeployment"),
            ("Deployment", "write FederatedDeployment"),
            ("federatedstatefulsets", "write FederatedStatefulSet"),
            ("", "write one of"),
        ] {
            let errors = admit(of_kind(kind)).unwrap_err();
            assert_eq!(errors.len(), 1);
            assert_eq!(errors[0].field, "spec.targetKind");
            assert!(errors[0].message.contains(said), "{}", errors[0].message);
        }
    }

    #[test]
    fn numbers_that_cannot_be_meant_are_refused() {
        let with =
            |clusters: Value| json!({"targetKind": "FederatedDeployment", "totalReplicas": 3, "clusters": clusters});
        for (clusters, field) in [
            (
                json!({"*": {"minReplicas": 3, "maxReplicas": 2}}),
                "spec.clusters[*].minReplicas",
            ),
            (json!({"eu-1": {"minReplicas": -1}}), "spec.clusters[eu-1].minReplicas"),
            (json!({"eu-1": {"maxReplicas": -1}}), "spec.clusters[eu-1].maxReplicas"),
            (json!({"eu-1": {"weight": -1}}), "spec.clusters[eu-1].weight"),
            (json!({"EU 1": {"weight": 1}}), "spec.clusters[EU 1]"),
        ] {
            assert_eq!(refused(with(clusters)), [field]);
        }
        assert_eq!(
            refused(json!({"targetKind": "FederatedDeployment"})),
            ["spec.totalReplicas"]
        );
        assert_eq!(
            refused(json!({"targetKind": "FederatedDeployment", "totalReplicas": -1})),
            ["spec.totalReplicas"]
        );
    }

    #[test]
    fn a_weight_without_a_value_is_read_as_none() {
        let spec = json!({"targetKind": "FederatedDeployment", "totalReplicas": 3,
            "clusters": {"eu-1": {"weight": null, "minReplicas": 1, "maxReplicas": null}, "us-1": null}});
        let (admitted, warnings) = admit(spec).unwrap();
        assert_eq!(
            admitted["spec"]["clusters"],
            json!({"eu-1": {"weight": 0, "minReplicas": 1}, "us-1": {}})
        );
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].0.starts_with("spec.clusters[eu-1].weight"));
    }

    #[test]
    fn preferences_that_place_less_than_they_ask_for_are_warned_of() {
        let with =
            |clusters: Value| json!({"targetKind": "FederatedDeployment", "totalReplicas": 3, "clusters": clusters});
        for clusters in [json!({"eu-1": {"minReplicas": 4}}), json!({"eu-1": {"maxReplicas": 4}})] {
            assert_eq!(admit(with(clusters.clone())).unwrap().1.len(), 1, "{clusters}");
        }
        assert_eq!(admit(with(json!({"*": {"weight": 1}}))).unwrap().1, []);
    }

    #[test]
    fn a_stored_preference_is_read_with_its_target() {
        let read = PreferenceObject::read(&preference(of_kind("FederatedDeployment"))).unwrap();
        assert_eq!((read.namespace.as_str(), read.name.as_str()), ("shop", "web"));
        assert_eq!((read.target_kind.as_str(), read.generation), ("FederatedDeployment", 3));
        assert_eq!(read.preference.total_replicas, 3);
        let mut leaving = preference(of_kind("FederatedDeployment"));
        leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(PreferenceObject::read(&leaving), None);
    }

    #[test]
    fn the_clusters_that_it_names_are_told_without_the_star() {
        let object = preference(json!({"clusters": {"*": {}, "eu-1": {}, "us-1": {}}}));
        assert_eq!(preferred_clusters(&object).collect::<Vec<_>>(), ["eu-1", "us-1"]);
    }

    #[test]
    fn what_was_stored_under_looser_rules_can_still_be_labelled() {
        let old = preference(of_kind("FederatedWidget"));
        let mut new = old.clone();
        new["metadata"]["labels"] = json!({"a": "b"});
        assert!(admit_preference(&new, Some(&old), &TypeTable::built_in()).is_ok());
    }
}
