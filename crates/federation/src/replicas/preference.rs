//! What people say about replicas: the spec of a ReplicaSchedulingPreference, and the input of `atoll plan`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::AvailableCluster;
use crate::{ClusterName, FieldError};

/// `spec` of a ReplicaSchedulingPreference.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preference {
    /// Replicas in all clusters together.
    pub total_replicas: i64,
    /// Whether replicas that run may move.
    pub rebalance: bool,
    /// By cluster name; `*` is for all others.
    pub clusters: BTreeMap<String, ClusterPreference>,
}

/// What one cluster should get.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterPreference {
    /// Before anybody's weight counts.
    pub min_replicas: i64,
    /// Never more.
    pub max_replicas: Option<i64>,
    /// Its part of the rest.
    pub weight: i64,
}

/// One document for `atoll plan`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRequest {
    /// `namespace/name`.
    pub key: String,
    /// The preference.
    pub preference: Preference,
    /// The clusters that are available.
    pub clusters: Vec<AvailableCluster>,
}

impl Preference {
    /// Reads a spec; `field` is where it stands.
    ///
    /// # Errors
    /// Every field that cannot be meant.
    pub fn parse(spec: &Value, field: &str) -> Result<Self, Vec<FieldError>> {
        let Value::Object(map) = spec else {
            return Err(vec![FieldError::required(
                field,
                "must be an object with totalReplicas",
            )]);
        };
        let mut errors = Vec::new();
        let total = format!("{field}.totalReplicas");
        let total_replicas = match read_count(map, "totalReplicas", &total, &mut errors) {
            Some(count) if count > i64::from(i32::MAX) => {
                errors.push(FieldError::invalid(
                    total,
                    format!("{count} is more than {} replicas", i32::MAX),
                ));
                0
            }
            Some(count) => count,
            None if errors.is_empty() => {
                errors.push(FieldError::required(
                    total,
                    "how many replicas there are in all clusters together",
                ));
                0
            }
            None => 0,
        };
        let mut clusters = BTreeMap::new();
        match map.get("clusters") {
            None | Some(Value::Null) => {}
            Some(Value::Object(entries)) => {
                for (name, entry) in entries {
                    let preference = ClusterPreference::parse(entry, &format!("{field}.clusters[{name}]"), &mut errors);
                    clusters.insert(name.clone(), preference);
                }
            }
            Some(_) => errors.push(FieldError::invalid(
                format!("{field}.clusters"),
                "must be a map, such as {\"*\": {weight: 1}}",
            )),
        }
        if clusters.is_empty() {
            let even = ClusterPreference {
                weight: 1,
                ..ClusterPreference::default()
            };
            clusters.insert("*".to_owned(), even);
        }
        let rebalance = match map.get("rebalance") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(rebalance)) => *rebalance,
            Some(_) => {
                errors.push(FieldError::invalid(
                    format!("{field}.rebalance"),
                    "must be true or false",
                ));
                false
            }
        };
        let preference = Self {
            total_replicas,
            rebalance,
            clusters,
        };
        if errors.is_empty() { Ok(preference) } else { Err(errors) }
    }

    /// What is said about this cluster, by its name or by `*`.
    pub fn of(&self, cluster: &ClusterName) -> Option<&ClusterPreference> {
        self.clusters.get(cluster.as_str()).or_else(|| self.clusters.get("*"))
    }
}

impl ClusterPreference {
    fn parse(entry: &Value, field: &str, errors: &mut Vec<FieldError>) -> Self {
        let empty = Map::new();
        let map = match entry {
            Value::Object(map) => map,
            Value::Null => &empty,
            _ => {
                errors.push(FieldError::invalid(
                    field,
                    "must be an object with minReplicas, maxReplicas or weight",
                ));
                &empty
            }
        };
        let mut count = |name: &str| read_count(map, name, &format!("{field}.{name}"), errors);
        let preference = Self {
            min_replicas: count("minReplicas").unwrap_or_default(),
            max_replicas: count("maxReplicas"),
            weight: count("weight").unwrap_or_default(),
        };
        if let Some(max) = preference.max_replicas.filter(|max| *max < preference.min_replicas) {
            errors.push(FieldError::invalid(
                format!("{field}.minReplicas"),
                format!(
                    "{} is more than maxReplicas, {max}; raise the maximum or lower the minimum",
                    preference.min_replicas
                ),
            ));
        }
        preference
    }
}

fn read_count(map: &Map<String, Value>, name: &str, field: &str, errors: &mut Vec<FieldError>) -> Option<i64> {
    match map.get(name) {
        None | Some(Value::Null) => None,
        Some(value) => match value.as_i64() {
            Some(count) if count >= 0 => Some(count),
            _ => {
                errors.push(FieldError::invalid(
                    field,
                    format!("{value} is no count: write a whole number, 0 or more"),
                ));
                None
            }
        },
    }
}

impl PlanRequest {
    /// Reads one document of `atoll plan`.
    ///
    /// # Errors
    /// Every field that cannot be meant.
    pub fn parse(document: &Value) -> Result<Self, Vec<FieldError>> {
        let Value::Object(map) = document else {
            return Err(vec![FieldError::invalid(
                "document",
                "must be an object with key, preference and clusters",
            )]);
        };
        let mut errors = Vec::new();
        for field in map
            .keys()
            .filter(|field| !matches!(field.as_str(), "key" | "preference" | "clusters"))
        {
            errors.push(FieldError::invalid(
                field.as_str(),
                "unknown field; there are key, preference and clusters",
            ));
        }
        let key = match map.get("key") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(key)) => key.clone(),
            Some(_) => {
                errors.push(FieldError::invalid("key", "must be text, namespace/name"));
                String::new()
            }
        };
        let preference =
            Preference::parse(map.get("preference").unwrap_or(&Value::Null), "preference").unwrap_or_else(|found| {
                errors.extend(found);
                Preference::default()
            });
        let clusters = read_clusters(map.get("clusters"), &mut errors);
        let request = Self {
            key,
            preference,
            clusters,
        };
        if errors.is_empty() { Ok(request) } else { Err(errors) }
    }
}

fn read_clusters(value: Option<&Value>, errors: &mut Vec<FieldError>) -> Vec<AvailableCluster> {
    let items = match value {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            errors.push(FieldError::invalid(
                "clusters",
                "must be a list, such as [{name: eu-1, current: 3}]",
            ));
            return Vec::new();
        }
    };
    let mut clusters: Vec<AvailableCluster> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let field = format!("clusters[{index}]");
        match serde_json::from_value::<AvailableCluster>(item.clone()) {
            Err(error) => errors.push(FieldError::invalid(field, error.to_string())),
            Ok(cluster) if clusters.iter().any(|other| other.name == cluster.name) => {
                errors.push(FieldError::duplicate(
                    format!("{field}.name"),
                    format!("{} stands there twice; keep one", cluster.name),
                ));
            }
            Ok(cluster)
                if [cluster.current, cluster.capacity]
                    .into_iter()
                    .flatten()
                    .any(|count| count < 0) =>
            {
                errors.push(FieldError::invalid(
                    field,
                    "current and capacity are counts, 0 or more; leave out what is unknown",
                ));
            }
            Ok(cluster) => clusters.push(cluster),
        }
    }
    clusters
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(spec: Value) -> Vec<String> {
        Preference::parse(&spec, "spec")
            .unwrap_err()
            .into_iter()
            .map(|error| error.field)
            .collect()
    }

    #[test]
    fn no_clusters_means_an_even_spread() {
        for spec in [
            json!({"totalReplicas": 3}),
            json!({"totalReplicas": 3, "clusters": {}}),
            json!({"totalReplicas": 3, "clusters": null}),
        ] {
            assert_eq!(
                Preference::parse(&spec, "spec").unwrap().clusters["*"].weight,
                1,
                "{spec}"
            );
        }
    }

    #[test]
    fn a_null_weight_is_none() {
        let spec = json!({"totalReplicas": 3, "clusters": {"eu-1": {"weight": null, "minReplicas": 1}}});
        assert_eq!(Preference::parse(&spec, "spec").unwrap().clusters["eu-1"].weight, 0);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert_eq!(fields(json!({})), ["spec.totalReplicas"]);
        assert_eq!(fields(json!({"totalReplicas": -1})), ["spec.totalReplicas"]);
        assert_eq!(
            fields(json!({"totalReplicas": 3_000_000_000_i64})),
            ["spec.totalReplicas"]
        );
        assert_eq!(fields(json!({"totalReplicas": "3"})), ["spec.totalReplicas"]);
        assert_eq!(
            fields(json!({"totalReplicas": 1, "rebalance": "yes"})),
            ["spec.rebalance"]
        );
        assert_eq!(
            fields(json!({"totalReplicas": 1, "clusters": {"*": {"minReplicas": 3, "maxReplicas": 2}}})),
            ["spec.clusters[*].minReplicas"]
        );
        assert_eq!(
            fields(json!({"totalReplicas": 1, "clusters": {"*": {"weight": -1}}})),
            ["spec.clusters[*].weight"]
        );
    }

    #[test]
    fn a_plan_request_names_a_cluster_once_and_nothing_unknown() {
        let request =
            |clusters: Value| PlanRequest::parse(&json!({"preference": {"totalReplicas": 1}, "clusters": clusters}));
        assert!(request(json!([{"name": "a", "current": 3}, {"name": "b", "capacity": 0}])).is_ok());
        for clusters in [
            json!([{"name": "a"}, {"name": "a"}]),
            json!([{"name": "a", "curent": 3}]),
            json!([{"name": "a", "current": -1}]),
            json!({}),
        ] {
            assert!(request(clusters.clone()).is_err(), "{clusters}");
        }
        assert!(PlanRequest::parse(&json!({"preference": {"totalReplicas": 1}, "cluster": []})).is_err());
    }
}
