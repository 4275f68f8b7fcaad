//! Replica preferences in annotations: JSON whose field names have no case, about the number that the object itself
//! asks for.

use serde_json::{Map, Value, json};

use crate::replicas::Preference;
use crate::{FieldError, TypeDescriptor};

/// Preferences of a `ReplicaSet`.
pub const REPLICA_SET_PREFERENCES: &str = "federation.kubernetes.io/replica-set-preferences";
/// Preferences of a `Deployment`.
pub const DEPLOYMENT_PREFERENCES: &str = "federation.kubernetes.io/deployment-preferences";
/// Preferences of a `Job`.
pub const JOB_PREFERENCES: &str = "federation.kubernetes.io/job-preferences";

/// All of them.
pub(super) const ALL: [&str; 3] = [REPLICA_SET_PREFERENCES, DEPLOYMENT_PREFERENCES, JOB_PREFERENCES];

/// Longest text that is shown as it should be, in bytes.
const MENDED: usize = 1024;

/// The annotation that counts for a kind.
pub(super) fn annotation(row: &TypeDescriptor) -> Option<&'static str> {
    match (row.target.group.as_ref(), row.target.kind.as_ref()) {
        ("apps", "Deployment") => Some(DEPLOYMENT_PREFERENCES),
        ("apps", "ReplicaSet") => Some(REPLICA_SET_PREFERENCES),
        ("batch", "Job") => Some(JOB_PREFERENCES),
        _ => None,
    }
}

/// Reads an annotation for this total. Without one, everybody gets the same; one that speaks of no cluster gives nobody
/// anything, as in v1.
///
/// # Errors
/// Every part that cannot be meant: v1 took bad ones for none, which put replicas where nobody wanted them.
pub(super) fn parse(text: Option<&str>, total: i64, field: &str) -> Result<Preference, Vec<FieldError>> {
    let Some(text) = text else {
        return Preference::parse(&json!({"totalReplicas": total}), field);
    };
    let example = r#"write JSON such as {"rebalance": true, "clusters": {"*": {"weight": 1}}}"#;
    let map = match serde_json::from_str(text) {
        Ok(Value::Object(map)) => map,
        Ok(_) => return Err(vec![FieldError::invalid(field, format!("is no object; {example}"))]),
        Err(error) => {
            let mended = mended(text).map(|mended| format!("write {mended}"));
            let message = format!("is no JSON ({error}); {}", mended.as_deref().unwrap_or(example));
            return Err(vec![FieldError::invalid(field, message)]);
        }
    };
    let known = with_case(&map, &["rebalance", "clusters"]);
    let clusters = match known.get("clusters") {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(Value::Object(entries)) => {
            let entries = entries.iter().map(|(name, entry)| {
                let entry = match entry.as_object() {
                    Some(entry) => with_case(entry, &["minReplicas", "maxReplicas", "weight"]).into(),
                    None => entry.clone(),
                };
                (name.clone(), entry)
            });
            entries.collect::<Map<_, _>>().into()
        }
        Some(other) => other.clone(),
    };
    let says_nothing = clusters.as_object().is_some_and(Map::is_empty);
    let mut spec = json!({"totalReplicas": total, "clusters": clusters});
    if let Some(rebalance) = known.get("rebalance") {
        spec["rebalance"] = rebalance.clone();
    }
    let mut preference = Preference::parse(&spec, field)?;
    if says_nothing {
        preference.clusters.clear();
    }
    Ok(preference)
}

/// What people write in YAML, as JSON, unless it is too long to be read in a message.
fn mended(text: &str) -> Option<String> {
    let read = || serde_saphyr::from_str::<Value>(text).ok();
    let object = Some(text).filter(|text| text.len() <= MENDED).and_then(|_| read())?;
    object.is_object().then(|| object.to_string())
}

/// Fields that nobody reads, at the top and of each cluster.
pub(super) fn unknown_fields(text: &str) -> Vec<String> {
    let is_none_of = |key: &str, names: &[&str]| !names.iter().any(|name| key.eq_ignore_ascii_case(name));
    let Ok(Value::Object(map)) = serde_json::from_str(text) else {
        return Vec::new();
    };
    let mut unknown: Vec<String> = map
        .keys()
        .filter(|key| is_none_of(key, &["rebalance", "clusters"]))
        .cloned()
        .collect();
    let known = with_case(&map, &["clusters"]);
    for (name, entry) in known.get("clusters").and_then(Value::as_object).into_iter().flatten() {
        let keys = entry.as_object().into_iter().flatten().map(|(key, _)| key);
        let strange = keys.filter(|key| is_none_of(key, &["minReplicas", "maxReplicas", "weight"]));
        unknown.extend(strange.map(|key| format!("clusters[{name}].{key}")));
    }
    unknown
}

/// The fields of these names, whatever their case, and no others.
fn with_case(map: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let mut found = Map::new();
    for (key, value) in map {
        if let Some(name) = names.iter().find(|name| key.eq_ignore_ascii_case(name)) {
            found.insert((*name).to_owned(), value.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<String> {
        let errors = parse(Some(text), 5, "f").unwrap_err();
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn field_names_have_no_case_and_cluster_names_have() {
        let text = r#"{"Rebalance": true, "CLUSTERS": {"EU": {"MINREPLICAS": 1, "MaxReplicas": 4, "Weight": 3}}}"#;
        let preference = parse(Some(text), 9, "f").unwrap();
        assert!(preference.rebalance && preference.total_replicas == 9);
        let eu = &preference.clusters["EU"];
        assert_eq!((eu.min_replicas, eu.max_replicas, eu.weight), (1, Some(4), 3));
    }

    #[test]
    fn without_an_annotation_all_get_the_same_and_without_clusters_nobody_gets_any() {
        assert_eq!(parse(None, 3, "f").unwrap().clusters["*"].weight, 1);
        for text in [
            "{}",
            r#"{"rebalance": true}"#,
            r#"{"clusters": null}"#,
            r#"{"clusters": {}}"#,
        ] {
            assert!(parse(Some(text), 3, "f").unwrap().clusters.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_not_taken_for_nothing() {
        assert_eq!(fields("{clusters}"), ["f"]);
        assert_eq!(fields("[]"), ["f"]);
        assert_eq!(fields(r#"{"clusters": []}"#), ["f.clusters"]);
        assert_eq!(fields(r#"{"rebalance": "yes"}"#), ["f.rebalance"]);
        assert_eq!(
            fields(r#"{"clusters": {"*": {"weight": -1}}}"#),
            ["f.clusters[*].weight"]
        );
        let reversed = r#"{"clusters": {"a": {"minReplicas": 3, "maxReplicas": 2}}}"#;
        assert_eq!(fields(reversed), ["f.clusters[a].minReplicas"]);
    }

    #[test]
    fn fields_that_nobody_reads_are_told() {
        let text = r#"{"rebalance": true, "Clusters": {"a": {"wieght": 1, "Weight": 2}}, "cluster": {}}"#;
        assert_eq!(unknown_fields(text), ["cluster", "clusters[a].wieght"]);
        assert!(unknown_fields("no json").is_empty());
    }
}
