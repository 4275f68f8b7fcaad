//! Names of federated objects, and the rows of the type table that they belong to.

use std::fmt;

use std::hash::{Hash, Hasher};

use atoll_federation::{TypeDescriptor, TypeTable};
use atoll_store::{ObjectKey, PropagationKey};
use serde_json::Value;

/// A federated type. Types are interned (`atoll_federation::types::intern`), so that one is told from another by where it
/// is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind(&'static TypeDescriptor);

impl Kind {
    /// The kind of this type, which is interned.
    pub(crate) fn of(row: &'static TypeDescriptor) -> Self {
        Self(row)
    }

    /// The types that the hub serves.
    pub(crate) fn served(types: &TypeTable) -> impl Iterator<Item = Self> + '_ {
        types.iter().map(|served| Self(served.row))
    }

    /// The type itself.
    pub(crate) fn row(self) -> &'static TypeDescriptor {
        self.0
    }

    fn place(self) -> *const TypeDescriptor {
        self.0
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Kind {}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kind {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

impl Hash for Kind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place().hash(state);
    }
}

/// Names a federated object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    /// The federated object at that place in the store.
    pub(crate) fn of_stored(types: &TypeTable, key: &ObjectKey) -> Option<Self> {
        Some(Self {
            kind: Kind::of(types.of_resource(&key.group, &key.resource)?.row),
            namespace: key.namespace.clone(),
            name: key.name.clone(),
        })
    }

    /// The federated object that a record is about.
    pub(crate) fn of_record(types: &TypeTable, key: &PropagationKey) -> Option<Self> {
        let (plural, group) = key.resource.split_once('.').unwrap_or((&key.resource, ""));
        Some(Self {
            kind: Kind::of(types.of_resource(group, plural)?.row),
            namespace: key.namespace.clone(),
            name: key.name.clone(),
        })
    }

    /// The federated object that a member's object would come from.
    pub(crate) fn of_member_object(kind: Kind, object: &Value) -> Option<Self> {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        let name = text("name");
        (!name.is_empty()).then(|| Self::of_target(kind, text("namespace"), name))
    }

    /// The same by the place of the member's object. A FederatedNamespace lies in the namespace that it makes.
    pub(crate) fn of_target(kind: Kind, namespace: &str, name: &str) -> Self {
        let row = kind.row();
        let namespace = if row.is_namespace() && !row.is_plain() {
            name
        } else {
            namespace
        };
        Self {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Its place in the store.
    pub(crate) fn stored(&self) -> ObjectKey {
        let federated = &self.kind.row().federated;
        ObjectKey::new(&federated.group, &federated.plural, &self.namespace, &self.name)
    }

    /// What its records are filed under.
    pub(crate) fn record(&self) -> PropagationKey {
        PropagationKey {
            resource: self.kind.row().federated.resource(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    /// The namespace of the member object; none for what lives in no namespace.
    pub(crate) fn target_namespace(&self) -> Option<&str> {
        self.kind.row().target.namespaced.then_some(self.namespace.as_str())
    }
}

#[cfg(test)]
impl Key {
    /// A `FederatedConfigMap` in the namespace `shop`.
    pub(crate) fn config_map(name: &str) -> Self {
        Self {
            kind: Kind::of(atoll_federation::types::find("configmaps").unwrap()),
            namespace: "shop".into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = &self.kind.row().federated.kind;
        if self.namespace.is_empty() {
            write!(formatter, "{kind} {}", self.name)
        } else {
            write!(formatter, "{kind} {}/{}", self.namespace, self.name)
        }
    }
}

/// Namespaces take turns, so that a large one delays no other.
impl crate::queue::Fair for Key {
    fn lane(&self) -> &str {
        &self.namespace
    }
}

#[cfg(test)]
mod tests {
    use atoll_federation::types;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_leads_to_the_store_and_back() {
        let key = Key {
            kind: Kind::of(types::find("deployments.apps").unwrap()),
            namespace: "shop".into(),
            name: "web".into(),
        };
        assert_eq!(key.to_string(), "FederatedDeployment shop/web");
        assert_eq!(Key::of_stored(&TypeTable::built_in(), &key.stored()), Some(key.clone()));
        assert_eq!(Key::of_record(&TypeTable::built_in(), &key.record()), Some(key.clone()));
        assert_eq!(key.target_namespace(), Some("shop"));
        let object = json!({"metadata": {"namespace": "shop", "name": "web"}});
        assert_eq!(Key::of_member_object(key.kind, &object), Some(key));
    }

    #[test]
    fn a_members_namespace_belongs_to_the_federated_namespace_in_it() {
        let kind = Kind::of(types::find("namespaces").unwrap());
        let key = Key::of_member_object(kind, &json!({"metadata": {"name": "shop"}})).unwrap();
        assert_eq!((key.namespace.as_str(), key.name.as_str()), ("shop", "shop"));
        assert_eq!(key.target_namespace(), None);
    }

    #[test]
    fn other_objects_have_no_key() {
        assert_eq!(
            Key::of_stored(&TypeTable::built_in(), &ObjectKey::new("", "events", "shop", "web")),
            None
        );
        assert_eq!(
            Key::of_stored(
                &TypeTable::built_in(),
                &ObjectKey::new("types.kubefed.io", "deployments", "shop", "web")
            ),
            None
        );
    }
}
