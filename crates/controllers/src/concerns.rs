//! Which objects are to be looked at when something happens in a cluster, and which collections are worth watching.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atoll_federation::ClusterName;

use crate::interned::Interned;
use crate::key::{Key, Kind};

/// Objects and the clusters where they are, shall be, or still have something to be removed.
#[derive(Default)]
pub(crate) struct Concerns {
    inner: Mutex<Inner>,
    names: Interned<Key>,
}

#[derive(Default)]
struct Inner {
    by_key: HashMap<Arc<Key>, BTreeSet<ClusterName>>,
    by_collection: HashMap<ClusterName, HashMap<Kind, HashSet<Arc<Key>>>>,
    /// Objects of which it is not known yet.
    expected: HashSet<Key>,
}

impl Concerns {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of an object, as all share it who keep it.
    pub(crate) fn name(&self, key: &Key) -> Arc<Key> {
        self.names.of(key)
    }

    /// These clusters, and no others, concern the object. Returns the collections that now concern nobody any more.
    pub(crate) fn set(&self, key: &Key, clusters: BTreeSet<ClusterName>) -> Vec<(ClusterName, Kind)> {
        let name = self.name(key);
        let mut inner = self.inner();
        inner.expected.remove(key);
        let before = if clusters.is_empty() {
            inner.by_key.remove(key)
        } else {
            inner.by_key.insert(name.clone(), clusters.clone())
        };
        let before = before.unwrap_or_default();
        for cluster in clusters.difference(&before) {
            let collections = inner.by_collection.entry(cluster.clone()).or_default();
            collections.entry(name.kind).or_default().insert(name.clone());
        }
        let mut deserted = Vec::new();
        for cluster in before.difference(&clusters) {
            let Some(collections) = inner.by_collection.get_mut(cluster) else {
                continue;
            };
            if let Some(keys) = collections.get_mut(&key.kind) {
                keys.remove(key);
                if keys.is_empty() {
                    collections.remove(&key.kind);
                    deserted.push((cluster.clone(), key.kind));
                }
            }
            if collections.is_empty() {
                inner.by_collection.remove(cluster);
            }
        }
        deserted
    }

    /// Whether the cluster concerns the object.
    pub(crate) fn has(&self, key: &Key, cluster: &ClusterName) -> bool {
        self.inner()
            .by_key
            .get(key)
            .is_some_and(|clusters| clusters.contains(cluster))
    }

    /// These objects are about to be looked at for the first time: until then any cluster may concern them.
    pub(crate) fn expect<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) {
        let mut inner = self.inner();
        for key in keys {
            if !inner.by_key.contains_key(key) {
                inner.expected.insert(key.clone());
            }
        }
    }

    /// Whether the cluster concerns the object, or may.
    pub(crate) fn may_have(&self, key: &Key, cluster: &ClusterName) -> bool {
        self.has(key, cluster) || self.inner().expected.contains(key)
    }

    /// All objects that any cluster concerns.
    pub(crate) fn all(&self) -> Vec<Key> {
        self.inner().by_key.keys().map(|key| Key::clone(key)).collect()
    }

    /// Objects that a cluster concerns.
    pub(crate) fn of_cluster(&self, cluster: &str) -> Vec<Key> {
        let inner = self.inner();
        let kinds = inner.by_collection.get(cluster).into_iter().flatten();
        kinds.flat_map(|(_, keys)| keys).map(|key| (**key).clone()).collect()
    }

    /// Objects of one kind that a cluster concerns.
    pub(crate) fn of_collection(&self, cluster: &ClusterName, kind: Kind) -> Vec<Key> {
        let inner = self.inner();
        let keys = inner.by_collection.get(cluster).and_then(|kinds| kinds.get(&kind));
        keys.into_iter().flatten().map(|key| (**key).clone()).collect()
    }

    /// Whether the cluster concerns no object of this kind.
    pub(crate) fn is_deserted(&self, cluster: &ClusterName, kind: Kind) -> bool {
        let inner = self.inner();
        let kinds = inner.by_collection.get(cluster);
        kinds.is_none_or(|kinds| !kinds.contains_key(&kind))
    }

    /// Objects in a namespace.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Vec<Key> {
        let inner = self.inner();
        inner
            .by_key
            .keys()
            .filter(|key| key.namespace == namespace)
            .map(|key| (**key).clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use atoll_federation::types;

    use super::*;

    fn key(kind: &str, name: &str) -> Key {
        Key {
            kind: Kind::of(types::find(kind).unwrap()),
            namespace: "shop".into(),
            name: name.into(),
        }
    }

    fn clusters(names: &[&str]) -> BTreeSet<ClusterName> {
        names.iter().map(|name| ClusterName::parse(name).unwrap()).collect()
    }

    #[test]
    fn a_collection_is_deserted_with_its_last_object() {
        let concerns = Concerns::default();
        let (one, other) = (key("configmaps", "one"), key("configmaps", "other"));
        let eu = ClusterName::parse("eu-1").unwrap();
        assert!(concerns.set(&one, clusters(&["eu-1", "us-1"])).is_empty());
        assert!(concerns.set(&other, clusters(&["eu-1"])).is_empty());
        assert!(concerns.has(&one, &eu));
        assert_eq!(concerns.of_collection(&eu, one.kind).len(), 2);
        assert_eq!(
            concerns.set(&one, clusters(&[])),
            [(ClusterName::parse("us-1").unwrap(), one.kind)]
        );
        assert!(!concerns.has(&one, &eu));
        assert_eq!(concerns.of_cluster("eu-1"), std::slice::from_ref(&other));
        assert_eq!(concerns.set(&other, clusters(&["us-1"])), [(eu.clone(), one.kind)]);
        assert!(concerns.of_cluster("eu-1").is_empty());
    }

    #[test]
    fn what_is_expected_may_be_anywhere_until_it_is_known() {
        let concerns = Concerns::default();
        let (one, other) = (key("configmaps", "one"), key("configmaps", "other"));
        let (eu, us) = (ClusterName::parse("eu-1").unwrap(), ClusterName::parse("us-1").unwrap());
        concerns.set(&other, clusters(&["eu-1"]));
        concerns.expect([&one, &other]);
        assert!(concerns.may_have(&one, &us) && !concerns.has(&one, &us));
        assert!(concerns.may_have(&other, &eu) && !concerns.may_have(&other, &us));
        concerns.set(&one, clusters(&["eu-1"]));
        assert!(concerns.may_have(&one, &eu) && !concerns.may_have(&one, &us));
    }

    #[test]
    fn kinds_are_told_apart() {
        let concerns = Concerns::default();
        let (map, web) = (key("configmaps", "web"), key("deployments.apps", "web"));
        concerns.set(&map, clusters(&["eu-1"]));
        concerns.set(&web, clusters(&["eu-1"]));
        let eu = ClusterName::parse("eu-1").unwrap();
        assert_eq!(concerns.of_collection(&eu, web.kind), std::slice::from_ref(&web));
        assert_eq!(concerns.of_cluster("eu-1").len(), 2);
        assert_eq!(concerns.in_namespace("shop").len(), 2);
        assert!(concerns.in_namespace("other").is_empty());
    }
}
