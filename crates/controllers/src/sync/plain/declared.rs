//! Plain objects that say of themselves that they are federated, or were: among the many that only rest on the hub they
//! are few, and to find them again each time would be to read and unseal them all.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use atoll_federation::TypeTable;
use atoll_federation::plain;
use atoll_store::{Object, Store};
use serde_json::Value;

use crate::error::{Doing, Result};
use crate::key::{Key, Kind};

/// Objects that are read together.
const PAGE: usize = 100;

/// Those objects, kept current by changes.
#[derive(Default)]
pub(in crate::sync) struct Declared(Mutex<HashSet<Key>>);

impl Declared {
    fn keys_now(&self) -> MutexGuard<'_, HashSet<Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks through all of them.
    pub(in crate::sync) async fn read(&self, store: &Store, types: &TypeTable) -> Result<()> {
        let mut declared = HashSet::new();
        for kind in Kind::served(types).filter(|kind| kind.row().is_plain()) {
            let api = &kind.row().federated;
            let mut last: Option<Object> = None;
            loop {
                let after = last.as_ref().map(|object| &object.key);
                let page = store.objects_after(&api.group, &api.plural, after, None, PAGE).await;
                let page = page.doing("looking for federated plain objects")?;
                let keys = page.iter().filter(|object| declares(kind, &object.body));
                declared.extend(keys.filter_map(|object| Key::of_stored(types, &object.key)));
                match page.into_iter().next_back() {
                    Some(object) => last = Some(object),
                    None => break,
                }
            }
        }
        *self.keys_now() = declared;
        Ok(())
    }

    /// Takes note of how an object is now, if it is there.
    pub(in crate::sync) fn note(&self, key: &Key, body: Option<&Value>) {
        if body.is_some_and(|body| declares(key.kind, body)) {
            self.keys_now().insert(key.clone());
        } else if key.kind.row().is_plain() {
            self.keys_now().remove(key);
        }
    }

    pub(in crate::sync) fn has(&self, key: &Key) -> bool {
        self.keys_now().contains(key)
    }

    pub(in crate::sync) fn all(&self) -> Vec<Key> {
        self.keys_now().iter().cloned().collect()
    }
}

/// Whether it is held by the hub, or its own annotations or label federate it.
fn declares(kind: Kind, body: &Value) -> bool {
    let row = kind.row();
    row.is_plain() && (plain::is_held(body) || plain::is_federated(row, body, None))
}

#[cfg(test)]
mod tests {
    use atoll_federation::plain::{CLUSTER_SELECTOR, DELETE_FINALIZER};
    use atoll_federation::types;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_known_from_its_annotation_or_finalizer_until_it_has_neither() {
        let declared = Declared::default();
        let key = Key {
            kind: Kind::of(types::find_plain("configmaps").unwrap()),
            namespace: "shop".into(),
            name: "web".into(),
        };
        let resting = json!({"metadata": {"name": "web"}});
        let annotated = json!({"metadata": {"annotations": {CLUSTER_SELECTOR: "[]"}}});
        let held = json!({"metadata": {"finalizers": [DELETE_FINALIZER]}});
        for (body, expected) in [
            (Some(&resting), false),
            (Some(&annotated), true),
            (Some(&held), true),
            (Some(&resting), false),
            (Some(&held), true),
            (None, false),
        ] {
            declared.note(&key, body);
            assert_eq!(declared.has(&key), expected, "{body:?}");
        }
        let federated = Key {
            kind: Kind::of(types::find("configmaps").unwrap()),
            ..key
        };
        declared.note(&federated, Some(&annotated));
        assert!(declared.all().is_empty(), "federated kinds are listed by name");
    }
}
