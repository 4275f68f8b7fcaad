//! Objects that are to be looked at again when a member is back.
//!
//! A member that is away, or that has not answered lately, is not asked again and again for each object: thousands of
//! them would do nothing but that, and others would wait. Each is noted here, and the return of the member brings about
//! the look.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atoll_federation::ClusterName;

use crate::key::Key;

/// Objects by the member that they missed.
#[derive(Default)]
pub(super) struct Missed {
    inner: Mutex<HashMap<ClusterName, HashSet<Arc<Key>>>>,
}

impl Missed {
    fn inner(&self) -> MutexGuard<'_, HashMap<ClusterName, HashSet<Arc<Key>>>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object missed these members, and no others.
    pub(super) fn set(&self, key: &Arc<Key>, members: &BTreeSet<ClusterName>) {
        let mut inner = self.inner();
        inner.retain(|name, keys| {
            if !members.contains(name) {
                keys.remove(key);
            }
            !keys.is_empty()
        });
        for name in members {
            inner.entry(name.clone()).or_default().insert(key.clone());
        }
    }

    /// The object missed this member too.
    pub(super) fn add(&self, key: Arc<Key>, member: &ClusterName) {
        self.inner().entry(member.clone()).or_default().insert(key);
    }

    /// At most so many of those that missed the member; they are noted no more.
    pub(super) fn take(&self, member: &str, most: usize) -> Vec<Arc<Key>> {
        let mut inner = self.inner();
        let Some(keys) = inner.get_mut(member) else {
            return Vec::new();
        };
        if keys.len() <= most {
            return inner.remove(member).into_iter().flatten().collect();
        }
        let taken: Vec<_> = keys.iter().take(most).cloned().collect();
        for key in &taken {
            keys.remove(key);
        }
        taken
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn key(name: &str) -> Arc<Key> {
        Arc::new(Key::config_map(name))
    }

    fn members(names: &[&str]) -> BTreeSet<ClusterName> {
        names.iter().map(|name| ClusterName::parse(name).unwrap()).collect()
    }

    #[test]
    fn what_missed_a_member_is_given_once() {
        let missed = Missed::default();
        for name in ["a", "b", "c"] {
            missed.set(&key(name), &members(&["eu-1", "us-1"]));
        }
        assert_eq!(missed.take("eu-1", 2).len(), 2);
        assert_eq!(missed.take("eu-1", 2).len(), 1);
        assert!(missed.take("eu-1", 2).is_empty());
        assert_eq!(missed.take("us-1", usize::MAX).len(), 3);
    }

    #[test]
    fn what_misses_a_member_no_more_is_forgotten() {
        let missed = Missed::default();
        missed.set(&key("a"), &members(&["eu-1", "us-1"]));
        missed.set(&key("a"), &members(&["us-1"]));
        assert!(missed.take("eu-1", 1).is_empty());
        missed.add(key("a"), &ClusterName::parse("ap-1").unwrap());
        missed.set(&key("a"), &members(&[]));
        assert!(missed.inner().is_empty());
    }
}
