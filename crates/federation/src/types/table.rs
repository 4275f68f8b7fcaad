//! The types that the hub serves at one moment: an immutable snapshot, replaced as a whole when a type comes or goes.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::{PLAIN_TYPES, TYPES, TypeDescriptor, served_plain};

static INTERNED: LazyLock<Mutex<HashSet<&'static TypeDescriptor>>> = LazyLock::new(|| Mutex::new(HashSet::new()));

/// The one descriptor that equals this one, for as long as the process lives. Keys, caches and queues then carry a
/// reference and are compared by it. There are as many as people have ever written different types, some hundred bytes
/// each; a type that is removed and made again is the same one.
pub fn intern(descriptor: TypeDescriptor) -> &'static TypeDescriptor {
    if let Some(built_in) = TYPES.iter().chain(PLAIN_TYPES.iter()).find(|row| **row == descriptor) {
        return built_in;
    }
    let mut interned = INTERNED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = interned.get(&descriptor) {
        return known;
    }
    let leaked: &'static TypeDescriptor = Box::leak(Box::new(descriptor));
    interned.insert(leaked);
    leaked
}

/// A type as it is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// The type.
    pub row: &'static TypeDescriptor,
    /// Whether its objects are kept in step: its propagation is Enabled and it is not on its way out. Where it is not,
    /// objects can still be read, written and deleted on the hub, and members keep what they have.
    pub propagated: bool,
}

/// The types that the hub serves. At most one has a given federated resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeTable {
    /// By group and plural of what the hub holds.
    rows: BTreeMap<(String, String), Served>,
}

impl TypeTable {
    /// All built-in types and the plain kinds, propagated: what the hub serves from its first start.
    pub fn built_in() -> Self {
        let federated = TYPES.iter().map(|row| Served { row, propagated: true });
        federated.chain(served_plain()).collect()
    }

    /// All types.
    pub fn iter(&self) -> impl Iterator<Item = Served> + '_ {
        self.rows.values().copied()
    }

    /// All federated kinds, without plain objects.
    pub fn federated(&self) -> impl Iterator<Item = Served> + '_ {
        self.iter().filter(|served| !served.row.is_plain())
    }

    /// The type of that resource on the hub.
    pub fn of_resource(&self, group: &str, plural: &str) -> Option<Served> {
        // A tuple of texts cannot be asked for by a tuple of slices.
        self.rows.get(&(group.to_owned(), plural.to_owned())).copied()
    }

    /// The type of that name, in any form people use: `deployments.apps`, `federateddeployments`,
    /// `federateddeployments.types.kubefed.io` or the kind `FederatedDeployment`.
    pub fn find(&self, name: &str) -> Option<Served> {
        self.federated().find(|served| {
            let row = served.row;
            row.name() == name
                || row.federated.plural == name
                || row.federated.kind == name
                || row.federated.resource() == name
        })
    }

    /// The type that makes namespaces in members.
    pub fn namespaces(&self) -> Option<Served> {
        self.federated().find(|served| served.row.is_namespace())
    }
}

impl FromIterator<Served> for TypeTable {
    fn from_iter<T: IntoIterator<Item = Served>>(rows: T) -> Self {
        let place = |served: &Served| {
            let api = &served.row.federated;
            (api.group.to_string(), api.plural.to_string())
        };
        let mut table = BTreeMap::new();
        for served in rows {
            // The first stays: a later type must not take over the objects of another.
            table.entry(place(&served)).or_insert(served);
        }
        Self { rows: table }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::find;

    #[test]
    fn equal_types_are_one_and_the_same() {
        let mut widget = find("deployments.apps").unwrap().clone();
        assert!(std::ptr::eq(intern(widget.clone()), find("deployments.apps").unwrap()));
        widget.target.kind = "Widget".into();
        let first = intern(widget.clone());
        assert!(std::ptr::eq(first, intern(widget)));
        assert_eq!(first.target.kind, "Widget");
    }

    #[test]
    fn a_resource_of_the_hub_belongs_to_one_type_the_first_that_has_it() {
        let deployments = find("deployments.apps").unwrap();
        let mut other = deployments.clone();
        other.target.kind = "Widget".into();
        let both = [deployments, intern(other)].map(|row| Served { row, propagated: true });
        let table: TypeTable = both.into_iter().collect();
        assert_eq!(table.iter().count(), 1);
        let found = table.of_resource("types.kubefed.io", "federateddeployments").unwrap();
        assert!(std::ptr::eq(found.row, deployments));
    }

    #[test]
    fn a_type_is_found_by_each_of_its_names() {
        let table = TypeTable::built_in();
        for name in ["deployments.apps", "federateddeployments", "FederatedDeployment"] {
            assert_eq!(
                table.find(name).map(|served| served.row.name()).as_deref(),
                Some("deployments.apps")
            );
        }
        assert_eq!(table.find("deployments"), None);
        assert_eq!(
            table.namespaces().map(|served| served.row.name()).as_deref(),
            Some("namespaces")
        );
    }
}
