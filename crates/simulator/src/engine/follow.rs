//! From changes to keys: whom a change concerns.

use std::sync::Arc;

use atoll_kubeapi::WatchEvent;
use atoll_kubeapi::memory::Changed;
use serde_json::Value;

use super::{Engine, Key, Step};
use crate::catalog::Kind;
use crate::fields::{controller, is_deleting, is_true, items, name, namespace, uid};
use crate::selection;

impl Engine {
    /// Looks at everything there is, as if it had just come.
    pub(super) fn relist(&mut self) {
        self.dependents.clear();
        self.placements.clear();
        self.waiting.clear();
        for kind in Kind::ALL {
            for object in self.objects.list(*kind, None) {
                self.note_object(*kind, None, Some(&object));
            }
        }
    }

    /// Takes note of a change.
    pub(super) fn note(&mut self, changed: &Changed) {
        let Some(kind) = Kind::of_plural(&changed.group, &changed.plural) else {
            return;
        };
        match &changed.event {
            WatchEvent::Added { object, .. } => self.note_object(kind, None, Some(object)),
            WatchEvent::Modified { object, previous, .. } => self.note_object(kind, Some(previous), Some(object)),
            WatchEvent::Deleted { object, .. } => self.note_object(kind, Some(object), None),
            WatchEvent::Bookmark { .. } => {}
        }
    }

    fn note_object(&mut self, kind: Kind, before: Option<&Arc<Value>>, after: Option<&Arc<Value>>) {
        let Some(object) = after.or(before) else { return };
        let key = Key::of(kind, object);
        if kind == Kind::Event {
            self.note_namespace(kind, object, before.is_none(), after.is_none());
            return;
        }
        if let Some(before) = before {
            self.dependents.remove(&key, before);
        }
        if let Some(after) = after {
            self.dependents.add(&key, after);
        }
        for reference in [before, after].into_iter().flatten().flat_map(owner_references) {
            if let Some(owner) = Key::of_owner(reference, namespace(object)) {
                self.enqueue(owner);
            }
        }
        match kind {
            Kind::Pod => self.note_pod(&key, before, after),
            Kind::Node => self.note_node(object, before, after),
            Kind::Service if after.is_none() => self.enqueue(Key {
                kind: Kind::Endpoints,
                ..key.clone()
            }),
            _ => {}
        }
        if after.is_none() {
            for dependent in self.dependents(uid(object)) {
                self.enqueue(dependent);
            }
        } else {
            self.enqueue(key);
        }
        self.note_namespace(kind, object, before.is_none(), after.is_none());
    }

    /// A namespace that is going waits for the last of its objects; what comes into one that is gone has to go; and
    /// what every namespace has is put back.
    fn note_namespace(&mut self, kind: Kind, object: &Value, is_new: bool, is_gone: bool) {
        let home = namespace(object);
        if home.is_empty() || !is_new && !is_gone {
            return;
        }
        let found = self.objects.get(Kind::Namespace, "", home);
        let is_furniture = is_gone && matches!(kind, Kind::ConfigMap | Kind::ServiceAccount);
        if is_furniture || found.is_none_or(|found| is_deleting(&found)) {
            self.enqueue(Key::namespace(home));
        }
    }

    fn note_pod(&mut self, key: &Key, before: Option<&Arc<Value>>, after: Option<&Arc<Value>>) {
        let Some(pod) = after.or(before) else { return };
        let is_over = |pod: &Value| matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
        match after {
            Some(pod) => self.placements.note(pod),
            None => {
                self.placements.remove(uid(pod));
                self.waiting.remove(key);
                for step in [Step::Start, Step::Finish, Step::Stop, Step::Evict] {
                    self.clear(uid(pod), step);
                }
            }
        }
        if after.is_none_or(|pod| is_over(pod)) {
            self.wake_waiting();
            for volume in items(&pod["spec"]["volumes"]) {
                if let Some(claim) = volume["persistentVolumeClaim"]["claimName"].as_str() {
                    self.enqueue(Key {
                        kind: Kind::PersistentVolumeClaim,
                        namespace: namespace(pod).to_owned(),
                        name: claim.to_owned(),
                    });
                }
            }
        }
        for service in self.objects.list(Kind::Service, Some(namespace(pod))) {
            let selector = &service["spec"]["selector"];
            let selects = |pod: &&Arc<Value>| selection::has_labels(selector, &pod["metadata"]["labels"]);
            if before.filter(selects).is_some() || after.filter(selects).is_some() {
                self.enqueue(Key::of(Kind::Service, &service));
            }
        }
        // A pod without a controller may be somebody's.
        if let Some(pod) = after
            && controller(pod).is_none()
            && !pod["metadata"]["labels"].is_null()
        {
            for kind in [Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet] {
                for owner in self.objects.list(kind, Some(namespace(pod))) {
                    if selection::matches(&owner["spec"]["selector"], &pod["metadata"]["labels"]) {
                        self.enqueue(Key::of(kind, &owner));
                    }
                }
            }
        }
    }

    fn note_node(&mut self, node: &Value, before: Option<&Arc<Value>>, after: Option<&Arc<Value>>) {
        self.wake_waiting();
        for set in self.objects.list(Kind::DaemonSet, None) {
            self.enqueue(Key::of(Kind::DaemonSet, &set));
        }
        let is_ready = |node: Option<&Arc<Value>>| node.is_some_and(|node| is_true(node, "Ready"));
        if is_ready(before) != is_ready(after) || after.is_none() {
            for pod in self.objects.list(Kind::Pod, None) {
                if pod["spec"]["nodeName"] == name(node) {
                    self.enqueue(Key::of(Kind::Pod, &pod));
                }
            }
        }
    }

    /// Room came free.
    fn wake_waiting(&mut self) {
        for key in std::mem::take(&mut self.waiting) {
            self.enqueue(key);
        }
    }
}

fn owner_references(object: &Arc<Value>) -> &[Value] {
    items(&object["metadata"]["ownerReferences"])
}
