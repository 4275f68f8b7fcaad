//! The objects of a member, as its own controllers read and write them.
//!
//! Controllers do what clients of an API server do: new objects get an identity and the defaults of their kind, changes
//! are tied to the version they were made from and counted, deletions leave what finalizers or a grace period hold.

use std::sync::Arc;

use atoll_kubeapi::object::{self, Deletion, Identity, revision_of};
use atoll_kubeapi::{Change, Commit, Memory, Status};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::admission::defaults;
use crate::admission::services::Addresses;
use crate::catalog::Kind;
use crate::fields::{is_controlled_by, is_deleting, name, namespace};

/// How dependents fare when their owner goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Propagation {
    /// They follow.
    Background,
    /// They go first.
    Foreground,
}

/// Holds an object until its dependents are gone.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// Holds an object until its dependents have forgotten it.
pub(crate) const ORPHAN: &str = "orphan";

/// The objects of a member.
#[derive(Clone)]
pub(crate) struct Objects {
    memory: Memory,
    addresses: Arc<Addresses>,
}

/// The time, to the second as Kubernetes keeps it.
pub(crate) fn now_text() -> String {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

impl Objects {
    pub(crate) fn new(memory: Memory) -> Self {
        Self {
            memory,
            addresses: Arc::default(),
        }
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What Services get their addresses from.
    pub(crate) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    pub(crate) fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.memory.get(kind.resource(), namespace, name)
    }

    pub(crate) fn list(&self, kind: Kind, namespace: Option<&str>) -> Vec<Arc<Value>> {
        self.memory.list(kind.resource(), namespace).items
    }

    /// The objects of a kind that this one controls.
    pub(crate) fn controlled(&self, kind: Kind, owner: &Value) -> Vec<Arc<Value>> {
        let mut found = self.list(kind, Some(namespace(owner)));
        let uid = crate::fields::uid(owner);
        found.retain(|one| is_controlled_by(one, uid));
        found
    }

    /// Makes an object. A status that it brings is kept.
    ///
    /// # Errors
    /// `AlreadyExists`, `Forbidden` in a namespace that is going, `NotFound` without one, `Invalid`.
    pub(crate) fn create(&self, kind: Kind, namespace: &str, mut new: Value) -> Result<Arc<Value>, Status> {
        let resource = kind.resource();
        if kind.is_namespaced() {
            crate::admission::check_namespace(&self.memory, resource, namespace, name(&new))?;
        }
        let status = new["status"].take();
        object::drop_nulls(&mut new);
        object::prepare_create(resource, namespace, &mut new, &Identity::random(), &now_text())?;
        if !status.is_null() {
            new["status"] = status;
        }
        defaults::complete_new(kind, &mut new);
        if kind == Kind::Service {
            self.addresses.assign(&self.memory, None, &mut new)?;
        }
        let name = name(&new).to_owned();
        self.memory.commit(Commit {
            resource,
            namespace,
            name: &name,
            change: Change::Create(new),
        })
    }

    /// Replaces an object by what was made from `old`. What changes nothing is no commit.
    ///
    /// # Errors
    /// `Conflict` when it moved on meanwhile, `NotFound` when it is gone.
    pub(crate) fn update(&self, kind: Kind, old: &Value, mut new: Value) -> Result<(), Status> {
        let resource = kind.resource();
        object::count_generation(old, &mut new);
        let expected = revision_of(old);
        let change = if object::is_released(resource, &new) {
            Change::Delete { expected }
        } else {
            Change::Update { value: new, expected }
        };
        let (namespace, name) = (namespace(old), name(old));
        self.memory
            .commit(Commit {
                resource,
                namespace,
                name,
                change,
            })
            .map(|_| ())
    }

    /// Deletes an object as a client does. What is gone or going already stays as it is.
    pub(crate) fn delete(&self, kind: Kind, object: &Value, propagation: Propagation) {
        let options = match propagation {
            Propagation::Background => json!({}),
            Propagation::Foreground => json!({"propagationPolicy": "Foreground"}),
        };
        let resource = kind.resource();
        let (namespace, name) = (namespace(object), name(object));
        while let Some(current) = self.get(kind, namespace, name) {
            if crate::fields::uid(&current) != crate::fields::uid(object) || is_deleting(&current) {
                return;
            }
            let grace = grace_seconds(kind, &current, &options);
            let finalizers = deletion_finalizers(&current, &options);
            let expected = revision_of(&current);
            let change = match object::deletion(resource, &current, Timestamp::now(), grace, &finalizers) {
                Deletion::Remove => Change::Delete { expected },
                Deletion::Mark(value) => Change::Update { value, expected },
                Deletion::Marked => return,
            };
            let outcome = self.memory.commit(Commit {
                resource,
                namespace,
                name,
                change,
            });
            if !outcome.is_err_and(|status| status.is("Conflict")) {
                return;
            }
        }
    }
}

/// How long a deleted object stays until its node has stopped it: only pods that run somewhere do.
pub(crate) fn grace_seconds(kind: Kind, object: &Value, options: &Value) -> u64 {
    let is_on_a_node = object["spec"]["nodeName"].as_str().is_some_and(|node| !node.is_empty());
    let is_over = matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if kind != Kind::Pod || !is_on_a_node || is_over {
        return 0;
    }
    options["gracePeriodSeconds"]
        .as_u64()
        .or_else(|| object["spec"]["terminationGracePeriodSeconds"].as_u64())
        .unwrap_or(30)
}

/// The finalizers that a deletion with these options puts on an object.
pub(crate) fn deletion_finalizers(object: &Value, options: &Value) -> Vec<String> {
    let is_namespace = object["kind"] == "Namespace";
    match options["propagationPolicy"].as_str() {
        Some("Foreground") if !is_namespace => vec![FOREGROUND.into()],
        Some("Orphan") if !is_namespace => vec![ORPHAN.into()],
        None if orphans_by_default(object, options) && !is_namespace => vec![ORPHAN.into()],
        _ => Vec::new(),
    }
}

/// Without a word about it, Jobs and `ReplicationControllers` leave their pods, as their API always has.
fn orphans_by_default(object: &Value, options: &Value) -> bool {
    let is_old = object["kind"] == "Job" || object["kind"] == "ReplicationController";
    options["orphanDependents"].as_bool().unwrap_or(is_old)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pods_on_a_node_take_time_to_go() {
        let pod =
            json!({"spec": {"nodeName": "n", "terminationGracePeriodSeconds": 5}, "status": {"phase": "Running"}});
        assert_eq!(grace_seconds(Kind::Pod, &pod, &json!({})), 5);
        assert_eq!(grace_seconds(Kind::Pod, &pod, &json!({"gracePeriodSeconds": 0})), 0);
        let pending = json!({"spec": {}, "status": {"phase": "Pending"}});
        assert_eq!(grace_seconds(Kind::Pod, &pending, &json!({})), 0);
        assert_eq!(grace_seconds(Kind::ConfigMap, &pod, &json!({})), 0);
    }
}
