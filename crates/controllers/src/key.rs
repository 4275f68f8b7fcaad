//! Names of federated objects, and the rows of the type table that they belong to.

use std::fmt;

use atoll_federation::types::{FEDERATED_GROUP, TYPES};
use atoll_federation::{TypeDescriptor, types};
use atoll_store::{ObjectKey, PropagationKey};
use serde_json::Value;

/// A row of the type table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Kind(usize);

impl Kind {
    /// The types that the hub serves.
    pub(crate) fn served() -> impl Iterator<Item = Self> {
        TYPES
            .iter()
            .enumerate()
            .filter(|(_, row)| row.enabled)
            .map(|(index, _)| Self(index))
    }

    fn find(is_it: impl Fn(&TypeDescriptor) -> bool) -> Option<Self> {
        TYPES.iter().position(is_it).map(Self)
    }

    /// The row of the table that is about this type.
    pub(crate) fn of(row: &TypeDescriptor) -> Option<Self> {
        Self::find(|other| other.federated.plural == row.federated.plural)
    }

    /// The type of that federated resource.
    pub(crate) fn of_resource(group: &str, plural: &str) -> Option<Self> {
        if group != FEDERATED_GROUP {
            return None;
        }
        Self::find(|row| row.federated.plural == plural)
    }

    /// The row itself.
    pub(crate) fn row(self) -> &'static TypeDescriptor {
        &TYPES[self.0]
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
    pub(crate) fn of_stored(key: &ObjectKey) -> Option<Self> {
        Some(Self {
            kind: Kind::of_resource(&key.group, &key.resource)?,
            namespace: key.namespace.clone(),
            name: key.name.clone(),
        })
    }

    /// The federated object that a record is about.
    pub(crate) fn of_record(key: &PropagationKey) -> Option<Self> {
        Some(Self {
            kind: Kind::of(types::find(&key.resource)?)?,
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
        let namespace = if kind.row().is_namespace() { name } else { namespace };
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
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_leads_to_the_store_and_back() {
        let key = Key {
            kind: Kind::of(types::find("deployments.apps").unwrap()).unwrap(),
            namespace: "shop".into(),
            name: "web".into(),
        };
        assert_eq!(key.to_string(), "FederatedDeployment shop/web");
        assert_eq!(Key::of_stored(&key.stored()), Some(key.clone()));
        assert_eq!(Key::of_record(&key.record()), Some(key.clone()));
        assert_eq!(key.target_namespace(), Some("shop"));
        let object = json!({"metadata": {"namespace": "shop", "name": "web"}});
        assert_eq!(Key::of_member_object(key.kind, &object), Some(key));
    }

    #[test]
    fn a_members_namespace_belongs_to_the_federated_namespace_in_it() {
        let kind = Kind::of(types::find("namespaces").unwrap()).unwrap();
        let key = Key::of_member_object(kind, &json!({"metadata": {"name": "shop"}})).unwrap();
        assert_eq!((key.namespace.as_str(), key.name.as_str()), ("shop", "shop"));
        assert_eq!(key.target_namespace(), None);
    }

    #[test]
    fn other_objects_have_no_key() {
        assert_eq!(Key::of_stored(&ObjectKey::new("", "configmaps", "shop", "web")), None);
        assert_eq!(
            Key::of_stored(&ObjectKey::new(FEDERATED_GROUP, "deployments", "shop", "web")),
            None
        );
    }
}
