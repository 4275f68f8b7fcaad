//! Which objects name which owners, by the owners' UIDs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Key;
use crate::fields::items;

#[derive(Default)]
pub(super) struct Dependents(BTreeMap<String, BTreeSet<Key>>);

fn owners(object: &Value) -> impl Iterator<Item = &str> {
    items(&object["metadata"]["ownerReferences"])
        .iter()
        .filter_map(|reference| reference["uid"].as_str())
}

impl Dependents {
    pub(super) fn add(&mut self, key: &Key, object: &Value) {
        for uid in owners(object) {
            self.0.entry(uid.to_owned()).or_default().insert(key.clone());
        }
    }

    pub(super) fn remove(&mut self, key: &Key, object: &Value) {
        for uid in owners(object) {
            if let Some(keys) = self.0.get_mut(uid) {
                keys.remove(key);
                if keys.is_empty() {
                    self.0.remove(uid);
                }
            }
        }
    }

    pub(super) fn of(&self, uid: &str) -> Vec<Key> {
        self.0.get(uid).into_iter().flatten().cloned().collect()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
