//! Owners and what belongs to them: dependents of an owner that is gone follow it; an owner that is deleted in the
//! foreground waits for them; one that orphans them is forgotten by them.

use std::sync::Arc;

use serde_json::Value;

use crate::catalog::Kind;
use crate::engine::{Engine, Key};
use crate::fields::{is_deleting, items, namespace, uid};
use crate::objects::{FOREGROUND, ORPHAN, Objects, Propagation};

/// Whether the object went, or waits to go, because of its owners or its dependents.
pub(super) fn collect(engine: &mut Engine, key: &Key, object: &Arc<Value>) -> bool {
    if is_deleting(object) {
        return release(engine, key, object);
    }
    let references = items(&object["metadata"]["ownerReferences"]);
    if references.is_empty() {
        return is_lost(engine, key, object);
    }
    let (present, absent): (Vec<&Value>, Vec<&Value>) = references
        .iter()
        .partition(|reference| exists(&engine.objects, reference, namespace(object)));
    if absent.is_empty() {
        return is_lost(engine, key, object);
    }
    if present.is_empty() {
        engine.objects.delete(key.kind, object, Propagation::Background);
        return true;
    }
    let mut new = (**object).clone();
    new["metadata"]["ownerReferences"] = present.into_iter().cloned().collect();
    // Whoever was faster brings the object here again.
    let _ = engine.objects.update(key.kind, object, new);
    true
}

/// Deletes what came into a namespace just when that went.
fn is_lost(engine: &Engine, key: &Key, object: &Arc<Value>) -> bool {
    let is_lost = key.kind.is_namespaced() && engine.objects.get(Kind::Namespace, "", &key.namespace).is_none();
    if is_lost {
        engine.objects.delete(key.kind, object, Propagation::Background);
    }
    is_lost
}

/// Whether an owner is there. Of kinds that are not served nobody can say that they are not.
fn exists(objects: &Objects, reference: &Value, namespace: &str) -> bool {
    let Some(owner) = Key::of_owner(reference, namespace) else {
        return true;
    };
    objects
        .get(owner.kind, &owner.namespace, &owner.name)
        .is_some_and(|found| reference["uid"] == uid(&found))
}

/// Does for an object that is being deleted what its finalizers wait for. Answers whether there were any.
fn release(engine: &mut Engine, key: &Key, object: &Arc<Value>) -> bool {
    let holds = |finalizer: &str| {
        items(&object["metadata"]["finalizers"])
            .iter()
            .any(|one| one == finalizer)
    };
    if holds(ORPHAN) {
        for dependent in engine.dependents(uid(object)) {
            forget_owner(&engine.objects, &dependent, uid(object));
        }
        drop_finalizer(engine, key, object, ORPHAN);
        return true;
    }
    if !holds(FOREGROUND) {
        return false;
    }
    let mut is_blocked = false;
    for key in engine.dependents(uid(object)) {
        let Some(dependent) = engine.objects.get(key.kind, &key.namespace, &key.name) else {
            continue;
        };
        let reference = items(&dependent["metadata"]["ownerReferences"])
            .iter()
            .find(|reference| reference["uid"] == uid(object));
        is_blocked |= reference.is_some_and(|reference| reference["blockOwnerDeletion"] == true);
        let has_dependents = !engine.dependents(uid(&dependent)).is_empty();
        let propagation = if has_dependents {
            Propagation::Foreground
        } else {
            Propagation::Background
        };
        engine.objects.delete(key.kind, &dependent, propagation);
    }
    if is_blocked {
        // The end of the last dependent brings the owner here again.
        return true;
    }
    drop_finalizer(engine, key, object, FOREGROUND);
    true
}

fn drop_finalizer(engine: &Engine, key: &Key, object: &Arc<Value>, finalizer: &str) {
    let mut new = (**object).clone();
    if let Some(list) = new["metadata"]["finalizers"].as_array_mut() {
        list.retain(|one| one != finalizer);
    }
    // Whoever was faster brings the object here again.
    let _ = engine.objects.update(key.kind, object, new);
}

fn forget_owner(objects: &Objects, key: &Key, owner: &str) {
    let outcome = objects
        .memory()
        .modify(key.kind.resource(), &key.namespace, &key.name, |dependent| {
            let Some(metadata) = dependent["metadata"].as_object_mut() else {
                return;
            };
            let Some(list) = metadata.get_mut("ownerReferences").and_then(Value::as_array_mut) else {
                return;
            };
            list.retain(|reference| reference["uid"] != owner);
            if list.is_empty() {
                metadata.remove("ownerReferences");
            }
        });
    if let Err(status) = outcome {
        tracing::debug!(%status, "an object could not forget its owner");
    }
}
