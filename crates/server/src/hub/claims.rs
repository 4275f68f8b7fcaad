//! One target, one source: of all the objects of the hub, one at most says what clusters hold under a name.
//!
//! A federated object and a plain one of Federation v1 may aim at the same object of the members, also where the type of
//! the federated one calls its kind by an old group; no two types federate one kind. The first stays; the second is
//! refused with its name. Who aims at what follows from keys, so the rivals of an object are few and known: they are read
//! before the write, and the write fails unless they are still as they were, whichever replica was faster.

use atoll_federation::plain::is_held;
use atoll_federation::plain::view::VIEWS;
use atoll_federation::{TypeDescriptor, TypeTable};
use atoll_kubeapi::{Cause, Status};
use atoll_store::{Object, ObjectKey, Store, Write};
use serde_json::Value;

use super::v1;

/// A kind of member objects, whichever group it is called by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TargetKind {
    group: String,
    plural: String,
}

impl TargetKind {
    fn new(group: &str, plural: &str) -> Self {
        let view = VIEWS.iter().find(|view| view.group == group && view.plural == plural);
        Self {
            group: view.map_or(group, |view| view.stored_group).to_owned(),
            plural: plural.to_owned(),
        }
    }

    fn of(row: &TypeDescriptor) -> Self {
        Self::new(&row.target.group, &row.target.plural)
    }

    fn is_namespaces(&self) -> bool {
        self.group.is_empty() && self.plural == "namespaces"
    }
}

/// An object of members that an object of the hub aims at.
struct Claim {
    target: TargetKind,
    namespace: String,
    name: String,
    /// The object that aims.
    own: ObjectKey,
    /// Every other object that might.
    rivals: Vec<ObjectKey>,
}

impl Claim {
    /// What an object of this resource aims at, if it is one that may be propagated at all.
    fn at(types: &TypeTable, own: &ObjectKey) -> Option<Self> {
        let row = types
            .of_resource(&own.group, &own.resource)
            .map(|served| served.row)
            .filter(|row| !row.is_plain());
        let target = match row {
            Some(row) => TargetKind::of(row),
            None if v1::row(&own.group, &own.resource).is_some() => TargetKind::new(&own.group, &own.resource),
            None => return None,
        };
        // A FederatedNamespace lives in the namespace that it is about.
        let (namespace, name) = if target.is_namespaces() {
            (String::new(), own.name.clone())
        } else {
            (own.namespace.clone(), own.name.clone())
        };
        let mut claim = Self {
            target,
            namespace,
            name,
            own: own.clone(),
            rivals: Vec::new(),
        };
        claim.rivals = claim.sources(types).filter(|key| key != own).collect();
        Some(claim)
    }

    /// The keys of all objects that aim, or might aim, at this target.
    fn sources(&self, types: &TypeTable) -> impl Iterator<Item = ObjectKey> {
        let namespace = if self.target.is_namespaces() {
            &self.name
        } else {
            &self.namespace
        };
        let federated: Vec<ObjectKey> = types
            .federated()
            .filter(|served| TargetKind::of(served.row) == self.target)
            .map(|served| {
                let api = &served.row.federated;
                ObjectKey::new(&api.group, &api.plural, namespace, &self.name)
            })
            .collect();
        let TargetKind { group, plural } = &self.target;
        let plain = v1::row(group, plural).map(|_| ObjectKey::new(group, plural, &self.namespace, &self.name));
        federated.into_iter().chain(plain)
    }

    fn is_plain(&self, key: &ObjectKey) -> bool {
        (&key.group, &key.resource) == (&self.target.group, &self.target.plural)
    }

    /// What must hold for this claim to be the only one.
    async fn conditions(&self, store: &Store) -> Result<Vec<Write>, Status> {
        let mut conditions = Vec::new();
        for key in &self.rivals {
            let rival = store.object(key).await.map_err(crate::Error::from)?;
            conditions.push(Write::Require {
                key: key.clone(),
                expected: rival.as_ref().map(|rival| rival.revision),
            });
            let Some(rival) = rival else { continue };
            if !self.is_plain(key) {
                return Err(self.taken(key));
            }
            let namespace = Surroundings::of(store, key).await?;
            if v1::is_federated(key, &rival.body, namespace.body()) {
                return Err(self.taken(key));
            }
            conditions.extend(namespace.condition());
        }
        Ok(conditions)
    }

    fn taken(&self, by: &ObjectKey) -> Status {
        let Self { target, own, .. } = self;
        let kind = ObjectKey::new(&target.group, &target.plural, "", "").to_string();
        let place = if self.namespace.is_empty() {
            self.name.clone()
        } else {
            format!("{}/{}", self.namespace, self.name)
        };
        let why = format!(
            "{by} on this hub is the source of {} {place} in the clusters already; change that one, or delete it first",
            kind.trim_end()
        );
        Status::conflict(&own.group, &own.resource, &own.name, &why).with(|details| {
            details.causes = vec![Cause::new("TargetTaken", "metadata.name", why.clone())];
        })
    }
}

/// What a write rests on, as writes that go before it and fail when it has moved.
///
/// # Errors
/// 409 with the name of the object that was first.
pub(super) async fn conditions(
    store: &Store,
    types: &TypeTable,
    key: &ObjectKey,
    new: &Value,
    is_new: bool,
) -> Result<Vec<Write>, Status> {
    let Some(claim) = Claim::at(types, key) else {
        return Ok(Vec::new());
    };
    if !claim.is_plain(key) {
        // A federated object aims at its target from the first day on.
        return if is_new {
            claim.conditions(store).await
        } else {
            Ok(Vec::new())
        };
    }
    let namespace = Surroundings::of(store, key).await?;
    let is_federated = v1::is_federated(key, new, namespace.body());
    if is_new && is_federated && !is_held(new) {
        let why = "the namespace has come to federate everything in it meanwhile; try again";
        return Err(Status::conflict(&key.group, &key.resource, &key.name, why));
    }
    // Whether it is federated may be said by its namespace.
    let mut conditions: Vec<Write> = namespace
        .condition()
        .filter(|_| is_new || is_federated)
        .into_iter()
        .collect();
    if is_federated {
        conditions.extend(claim.conditions(store).await?);
        if claim.target.is_namespaces() {
            conditions.extend(contents_conditions(store, types, key, new).await?);
        }
    }
    Ok(conditions)
}

/// The namespace that an object lies in, as it was read.
pub(super) struct Surroundings(Option<(ObjectKey, Option<Object>)>);

impl Surroundings {
    pub(super) async fn of(store: &Store, key: &ObjectKey) -> Result<Self, Status> {
        if key.namespace.is_empty() {
            return Ok(Self(None));
        }
        let key = ObjectKey::new("", "namespaces", "", &key.namespace);
        let found = store.object(&key).await.map_err(crate::Error::from)?;
        Ok(Self(Some((key, found))))
    }

    pub(super) fn body(&self) -> Option<&Value> {
        let (_, found) = self.0.as_ref()?;
        found.as_ref().map(|found| &*found.body)
    }

    fn condition(&self) -> Option<Write> {
        let (key, found) = self.0.as_ref()?;
        Some(Write::Require {
            key: key.clone(),
            expected: found.as_ref().map(|found| found.revision),
        })
    }
}

/// What a namespace rests on that is federated from now on, with everything in it.
async fn contents_conditions(
    store: &Store,
    types: &TypeTable,
    key: &ObjectKey,
    new: &Value,
) -> Result<Option<Write>, Status> {
    let before = store.object(key).await.map_err(crate::Error::from)?;
    if before.is_some_and(|before| v1::is_federated(key, &before.body, None)) {
        return Ok(None);
    }
    let since = store.revision().await.map_err(crate::Error::from)?;
    check_contents(store, types, new).await?;
    Ok(Some(Write::RequireQuiet {
        namespace: key.name.clone(),
        since,
    }))
}

/// Refuses a namespace that would make plain objects in it the second source of their targets.
async fn check_contents(store: &Store, types: &TypeTable, namespace: &Value) -> Result<(), Status> {
    let name = namespace["metadata"]["name"].as_str().unwrap_or_default();
    let contents = store.objects_in_namespace(name).await.map_err(crate::Error::from)?;
    for object in &contents {
        let Some(claim) = Claim::at(types, &object.key).filter(|claim| claim.is_plain(&object.key)) else {
            continue;
        };
        if v1::is_federated(&object.key, &object.body, Some(namespace))
            && let Some(first) = contents.iter().find(|other| claim.rivals.contains(&other.key))
        {
            return Err(claim.taken(&first.key));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rivals(group: &str, resource: &str) -> Vec<String> {
        let own = ObjectKey::new(group, resource, "shop", "web");
        let claim = Claim::at(&TypeTable::built_in(), &own).unwrap();
        claim.rivals.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_federated_object_and_the_plain_one_of_its_target_are_rivals() {
        assert_eq!(
            rivals("types.kubefed.io", "federateddeployments"),
            ["deployments.apps shop/web"]
        );
        assert_eq!(
            rivals("apps", "deployments"),
            ["federateddeployments.types.kubefed.io shop/web"]
        );
        // A kind that v1 did not have.
        assert_eq!(
            rivals("types.kubefed.io", "federatedstatefulsets"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_namespace_and_its_federated_namespace_are_rivals() {
        let types = TypeTable::built_in();
        let plain = Claim::at(&types, &ObjectKey::new("", "namespaces", "", "shop")).unwrap();
        let federated = ObjectKey::new("types.kubefed.io", "federatednamespaces", "shop", "shop");
        assert_eq!(plain.rivals, std::slice::from_ref(&federated));
        let claim = Claim::at(&types, &federated).unwrap();
        assert_eq!(claim.rivals, [ObjectKey::new("", "namespaces", "", "shop")]);
    }

    #[test]
    fn what_is_never_propagated_claims_nothing() {
        let types = TypeTable::built_in();
        for (group, resource) in [("", "events"), ("core.kubefed.io", "kubefedclusters")] {
            assert!(
                Claim::at(&types, &ObjectKey::new(group, resource, "shop", "a")).is_none(),
                "{resource}"
            );
        }
    }

    #[test]
    fn a_kind_is_the_same_under_every_group_that_it_is_known_by() {
        for view in VIEWS {
            assert_eq!(
                TargetKind::new(view.group, view.plural),
                TargetKind::new(view.stored_group, view.plural),
                "{} of {}",
                view.kind,
                view.group
            );
        }
        assert_eq!(TargetKind::new("extensions", "ingresses").group, "networking.k8s.io");
        assert_ne!(
            TargetKind::new("extensions", "widgets"),
            TargetKind::new("apps", "widgets")
        );
    }
}
