//! What was found changed in members, for as long as the object there is the same: drift that is to stay is looked into
//! once and not with every run.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use atoll_federation::{ClusterName, Drift, Drifted, Present, hash};
use serde_json::json;

use crate::key::Key;

/// How many are remembered. Whatever is forgotten is asked for again.
const MOST: usize = 4096;

/// Which object it is about, and against what it was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version(String);

impl Version {
    pub(super) fn of(present: &Present, drifted: &Drifted) -> Self {
        // A generation stays while only a status moves; what has none has no status that moves much.
        let moved = match present.generation {
            0 => present.resource_version.clone(),
            generation => generation.to_string(),
        };
        Self(hash(&json!([
            present.uid,
            moved,
            present.managed_hash,
            drifted.pending,
            drifted.stated
        ])))
    }
}

/// What was found, by object and cluster.
#[derive(Default)]
pub(super) struct Drifts {
    found: Mutex<HashMap<(Key, ClusterName), (Version, Drift)>>,
}

impl Drifts {
    fn found(&self) -> MutexGuard<'_, HashMap<(Key, ClusterName), (Version, Drift)>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found in this version.
    pub(super) fn known(&self, key: &Key, cluster: &ClusterName, version: &Version) -> Option<Drift> {
        let found = self.found();
        let (of, drift) = found.get(&(key.clone(), cluster.clone()))?;
        (of == version).then(|| drift.clone())
    }

    /// Remembers what was found.
    pub(super) fn learn(&self, key: &Key, cluster: &ClusterName, version: Version, drift: Drift) {
        let mut found = self.found();
        if found.len() >= MOST {
            found.clear();
        }
        found.insert((key.clone(), cluster.clone()), (version, drift));
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn key(name: &str) -> Key {
        Key::config_map(name)
    }

    fn version(generation: i64, resource_version: &str, color: &str) -> Version {
        let present = Present {
            uid: "u".into(),
            generation,
            resource_version: resource_version.into(),
            ..Present::default()
        };
        let drifted = Drifted {
            stated: json!({"data": {"color": color}}),
            pending: false,
            found: None,
        };
        Version::of(&present, &drifted)
    }

    #[test]
    fn a_status_that_moves_is_the_same_version_and_another_object_or_intent_is_not() {
        assert_eq!(version(3, "7", "blue"), version(3, "8", "blue"));
        assert_ne!(version(3, "7", "blue"), version(4, "7", "blue"));
        assert_ne!(version(0, "7", "blue"), version(0, "8", "blue"));
        assert_ne!(version(3, "7", "blue"), version(3, "7", "red"));
    }

    #[test]
    fn what_was_found_serves_its_version_only_and_does_not_pile_up() {
        let (drifts, eu) = (Drifts::default(), ClusterName::parse("eu-1").unwrap());
        drifts.learn(&key("a"), &eu, version(1, "1", "blue"), Drift::default());
        assert_eq!(
            drifts.known(&key("a"), &eu, &version(1, "1", "blue")),
            Some(Drift::default())
        );
        assert_eq!(drifts.known(&key("a"), &eu, &version(2, "2", "blue")), None);
        assert_eq!(drifts.known(&key("b"), &eu, &version(1, "1", "blue")), None);
        for index in 0..2 * MOST {
            drifts.learn(&key(&index.to_string()), &eu, version(1, "1", "blue"), Drift::default());
        }
        assert!(drifts.found().len() <= MOST);
    }
}
