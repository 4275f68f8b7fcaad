//! Which clusters a federated object goes to.
//!
//! A list of names wins over a selector, even an empty list; no selector selects nothing, an empty selector selects
//! everything. An object in a namespace goes nowhere that its FederatedNamespace does not go.

pub(crate) mod selector;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use selector::LabelSelector;

use crate::status::Reason;
use crate::{Cluster, ClusterName, FederatedObject, FieldError, Scope, TypeDescriptor, error};

/// `spec.placement`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placement {
    /// Names, if the list is there at all: an empty list means nowhere, an absent one lets the selector speak.
    pub clusters: Option<Vec<String>>,
    /// Labels to select by.
    pub selector: Option<LabelSelector>,
}

impl Placement {
    /// Reads `spec.placement`.
    ///
    /// # Errors
    /// Every field that cannot be meant.
    pub fn parse(placement: Option<&Value>) -> Result<Self, Vec<FieldError>> {
        let map = match placement {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::Object(map)) => map,
            Some(_) => {
                return Err(vec![FieldError::invalid(
                    "spec.placement",
                    "must be an object with clusters or clusterSelector",
                )]);
            }
        };
        let mut errors = Vec::new();
        let clusters = match map.get("clusters") {
            None | Some(Value::Null) => None,
            Some(Value::Array(items)) => Some(read_names(items, &mut errors)),
            Some(_) => {
                errors.push(FieldError::invalid(
                    "spec.placement.clusters",
                    "must be a list, such as [{name: eu-1}]",
                ));
                None
            }
        };
        let selector = match map.get("clusterSelector") {
            None | Some(Value::Null) => None,
            Some(value) => match LabelSelector::parse(value, "spec.placement.clusterSelector") {
                Ok(selector) => Some(selector),
                Err(found) => {
                    errors.extend(found);
                    None
                }
            },
        };
        if errors.is_empty() {
            Ok(Self { clusters, selector })
        } else {
            Err(errors)
        }
    }

    /// Which of these clusters are meant. Names that nobody registered fall away.
    pub fn select(&self, clusters: &BTreeMap<ClusterName, Cluster>) -> BTreeSet<ClusterName> {
        let chosen = clusters
            .values()
            .filter(|cluster| match (&self.clusters, &self.selector) {
                (Some(names), _) => names.iter().any(|name| name == cluster.name.as_str()),
                (None, Some(selector)) => selector.matches(&cluster.labels),
                (None, None) => false,
            });
        chosen.map(|cluster| cluster.name.clone()).collect()
    }

    /// Whether it has neither a name nor a selector: nowhere by itself, everywhere beside a replica preference.
    pub(crate) fn is_blank(&self) -> bool {
        self.clusters.as_ref().is_none_or(Vec::is_empty) && self.selector.is_none()
    }

    /// [`Self::select`] with the habits of replica preferences: without a selector, no names means all clusters.
    pub(crate) fn select_for_preference(&self, clusters: &BTreeMap<ClusterName, Cluster>) -> BTreeSet<ClusterName> {
        if self.is_blank() {
            clusters.keys().cloned().collect()
        } else {
            self.select(clusters)
        }
    }

    /// Names in the list that nobody registered.
    pub fn unknown<'a>(&'a self, clusters: &'a BTreeMap<ClusterName, Cluster>) -> impl Iterator<Item = &'a str> {
        self.clusters
            .iter()
            .flatten()
            .map(String::as_str)
            .filter(|name| !clusters.contains_key(*name))
    }
}

fn read_names(items: &[Value], errors: &mut Vec<FieldError>) -> Vec<String> {
    let mut names = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.get("name").and_then(Value::as_str) {
            Some("") | None => errors.push(FieldError::required(
                format!("spec.placement.clusters[{index}].name"),
                "each entry names a cluster, such as {name: eu-1}",
            )),
            Some(name) => names.push(name.to_owned()),
        }
    }
    names
}

/// Where an object goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// To these clusters, ready or not.
    Clusters(BTreeSet<ClusterName>),
    /// Its namespace is not federated: what is there stays, nothing new is made.
    NamespaceNotFederated,
}

/// Where this object goes, given the FederatedNamespace of its namespace.
///
/// # Errors
/// With the reason for the condition when a placement cannot be read.
pub fn place(
    kind: &TypeDescriptor,
    object: &FederatedObject,
    namespace: Option<&FederatedObject>,
    scope: Scope,
    clusters: &BTreeMap<ClusterName, Cluster>,
    has_preference: bool,
) -> Result<Placed, (Reason, String)> {
    let unreadable = |errors: &[FieldError], whose: String| {
        (
            Reason::ComputePlacementFailed,
            format!("{whose}: {}", error::join(errors)),
        )
    };
    let own = object
        .placement
        .as_ref()
        .map_err(|errors| unreadable(errors, "this object".to_owned()))?;
    let own = if has_preference {
        own.select_for_preference(clusters)
    } else {
        own.select(clusters)
    };
    if !kind.target.namespaced {
        return Ok(Placed::Clusters(own));
    }
    match (namespace, scope) {
        // A namespace on its way out takes nothing new, and what is in it goes with it, not one by one.
        (Some(namespace), _) if !namespace.is_deleting() => {
            let theirs = namespace
                .placement
                .as_ref()
                .map_err(|errors| unreadable(errors, format!("FederatedNamespace {}", namespace.name)))?
                .select(clusters);
            Ok(Placed::Clusters(own.intersection(&theirs).cloned().collect()))
        }
        (None, Scope::Namespaced) => Ok(Placed::Clusters(own)),
        (Some(_) | None, _) => Ok(Placed::NamespaceNotFederated),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn clusters() -> BTreeMap<ClusterName, Cluster> {
        [("eu-1", "eu"), ("eu-2", "eu"), ("us-1", "us")]
            .into_iter()
            .map(|(name, region)| {
                let name = ClusterName::parse(name).unwrap();
                let labels = BTreeMap::from([("region".to_owned(), region.to_owned())]);
                (name.clone(), Cluster::ready(name, labels))
            })
            .collect()
    }

    fn selected(placement: Value) -> Vec<String> {
        let placement = Placement::parse(Some(&placement)).unwrap();
        placement.select(&clusters()).into_iter().map(String::from).collect()
    }

    #[test]
    fn names_win_over_a_selector_even_when_the_list_is_empty() {
        let everything = json!({"matchLabels": {}});
        assert_eq!(
            selected(json!({"clusters": [{"name": "us-1"}], "clusterSelector": everything})),
            ["us-1"]
        );
        assert!(selected(json!({"clusters": [], "clusterSelector": everything})).is_empty());
        assert_eq!(
            selected(json!({"clusters": null, "clusterSelector": everything})).len(),
            3
        );
    }

    #[test]
    fn no_selector_selects_nothing_and_an_empty_one_everything() {
        assert!(selected(json!({})).is_empty());
        assert!(selected(json!({"clusterSelector": null})).is_empty());
        assert_eq!(selected(json!({"clusterSelector": {}})).len(), 3);
        assert_eq!(
            selected(json!({"clusterSelector": {"matchLabels": null, "matchExpressions": []}})).len(),
            3
        );
    }

    #[test]
    fn unknown_and_repeated_names_fall_away() {
        assert_eq!(
            selected(json!({"clusters": [{"name": "eu-1"}, {"name": "mars"}, {"name": "eu-1"}]})),
            ["eu-1"]
        );
    }

    #[test]
    fn a_preference_reads_no_names_as_all_clusters() {
        for placement in [json!({}), json!({"clusters": []})] {
            assert_eq!(
                Placement::parse(Some(&placement))
                    .unwrap()
                    .select_for_preference(&clusters())
                    .len(),
                3
            );
        }
        let selector = Placement::parse(Some(&json!({"clusters": [], "clusterSelector": {}}))).unwrap();
        assert!(selector.select_for_preference(&clusters()).is_empty());
    }

    #[test]
    fn a_placement_is_blank_without_names_and_without_a_selector() {
        let is_blank = |placement: Value| Placement::parse(Some(&placement)).unwrap().is_blank();
        for blank in [
            Value::Null,
            json!({}),
            json!({"clusters": []}),
            json!({"clusterSelector": null}),
        ] {
            assert!(is_blank(blank.clone()), "{blank}");
        }
        assert!(!is_blank(json!({"clusters": [{"name": "mars"}]})));
        assert!(!is_blank(json!({"clusters": [], "clusterSelector": {}})));
    }

    #[test]
    fn a_placement_that_cannot_be_read_names_its_fields() {
        let errors = Placement::parse(Some(&json!({
            "clusters": [{"name": ""}, "eu-1"],
            "clusterSelector": {"matchExpressions": [{"key": "region", "operator": "Within", "values": ["eu"]}]},
        })))
        .unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "spec.placement.clusters[0].name",
                "spec.placement.clusters[1].name",
                "spec.placement.clusterSelector.matchExpressions[0].operator"
            ]
        );
    }
}
