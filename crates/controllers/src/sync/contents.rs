//! What a member holds in a namespace that the hub is about to delete, beside what it manages and what every namespace
//! has by itself.
//!
//! First the kinds that the hub knows, since what people run is mostly of those. Only where nothing is found there is the
//! member asked which kinds it has besides: custom resources go with a namespace like anything else.

mod discovery;

use std::collections::BTreeSet;
use std::time::Duration;

use atoll_clusters::{Collection, Member, OwnError, OwnRequest};
use atoll_federation::TypeTable;
use atoll_federation::object::{MANAGED_LABEL, OWNER_ANNOTATION};
use atoll_federation::types::TYPES;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use tokio::time::timeout;

use super::observe::ask;
use crate::cache::collection;
use crate::hub::Hub;

/// Objects on a page.
const LIMIT: usize = 100;
/// Pages of one kind that are read for a first stranger. Who has more is not known to have none.
const PAGES: usize = 50;
/// Requests at a time.
const PARALLEL: usize = 4;
/// Everything together may take this many times as long as one request.
const WHOLE: u32 = 10;

/// A kind by group and name, as an owner is named.
type KindName = (String, String);

/// A kind of which a namespace may hold objects.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    collection: Collection,
    kind: String,
}

impl Listed {
    fn name(&self) -> KindName {
        (self.collection.group.clone(), self.kind.clone())
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.collection.group, &self.collection.plural) == (&other.collection.group, &other.collection.plural)
    }
}

/// Tells of how many objects it is known that the hub does not manage them: whether there is one matters more than how
/// many there are. A list that fails is an error: not knowing is no permission to delete.
pub(crate) async fn count_unmanaged(hub: &Hub, member: &Member, namespace: &str) -> Result<u64, OwnError> {
    let deadline = hub.options.observe_deadline;
    let search = Search {
        member,
        namespace,
        hub_uid: &hub.options.hub_uid,
        deadline,
    };
    let types = hub.configuration().types.clone();
    let whole = deadline * WHOLE;
    timeout(whole, search.strangers(&types))
        .await
        .unwrap_or(Err(OwnError::TimedOut(whole)))
}

/// What was found of one kind, or of several.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    strangers: u64,
    /// Owners of what is a stranger unless objects of its owner's kind are looked at, too.
    owners: Vec<KindName>,
}

struct Search<'a> {
    member: &'a Member,
    namespace: &'a str,
    hub_uid: &'a str,
    deadline: Duration,
}

impl Search<'_> {
    async fn strangers(&self, types: &TypeTable) -> Result<u64, OwnError> {
        let known = known(types);
        let mut names: BTreeSet<KindName> = known.iter().map(Listed::name).collect();
        let first = self.list(&known, &names).await?;
        if first.strangers > 0 {
            return Ok(first.strangers);
        }
        let mut others = discovery::deletable(self.member, self.deadline).await?;
        others.retain(|kind| !known.iter().any(|known| known.is_same(kind)));
        names.extend(others.iter().map(Listed::name));
        let rest = self.list(&others, &names).await?;
        let owners = first.owners.iter().chain(&rest.owners);
        let owned = owners.filter(|owner| !names.contains(*owner)).count();
        Ok(rest.strangers.saturating_add(number(owned)))
    }

    async fn list(&self, kinds: &[Listed], names: &BTreeSet<KindName>) -> Result<Found, OwnError> {
        let lists: Vec<_> = kinds.iter().map(|kind| self.list_one(kind, names)).collect();
        let lists = stream::iter(lists).buffer_unordered(PARALLEL);
        lists
            .try_fold(Found::default(), |mut all, found| async move {
                all.strangers = all.strangers.saturating_add(found.strangers);
                all.owners.extend(found.owners);
                Ok(all)
            })
            .await
    }

    async fn list_one(&self, kind: &Listed, names: &BTreeSet<KindName>) -> Result<Found, OwnError> {
        let mut collection = kind.collection.clone();
        collection.namespace = Some(self.namespace.to_owned());
        let first = format!("{}?limit={LIMIT}", collection.path());
        let mut path = first.clone();
        let mut found = Found::default();
        for _ in 0..PAGES {
            let list = match ask(self.member, OwnRequest::get(&path), self.deadline).await {
                Ok(list) => list,
                // A kind that the member does not have has no objects.
                Err(error) if error.is_api_missing() && path == first => return Ok(found),
                Err(error) => return Err(error),
            };
            found.read(self.hub_uid, &collection, &list, names)?;
            match list["metadata"]["continue"].as_str() {
                Some(token) if !token.is_empty() && found.strangers == 0 => {
                    path = format!("{first}&continue={}", discovery::encoded(token));
                }
                Some(_) | None => return Ok(found),
            }
        }
        let plural = &collection.plural;
        Err(OwnError::Broken(format!(
            "it holds more than {} {plural}, and not all of them were read",
            LIMIT * PAGES
        )))
    }
}

/// The kinds that the hub can federate, and pods.
fn known(types: &TypeTable) -> Vec<Listed> {
    let pods = Listed {
        collection: Collection {
            group: String::new(),
            version: "v1".to_owned(),
            plural: "pods".to_owned(),
            namespace: None,
        },
        kind: "Pod".to_owned(),
    };
    let configured = types.federated().map(|served| served.row);
    let rows = configured.chain(TYPES.iter()).filter(|row| row.target.namespaced);
    let mut known = vec![pods];
    for row in rows {
        let listed = Listed {
            collection: collection(row),
            kind: row.target.kind.to_string(),
        };
        if !known.iter().any(|other| other.is_same(&listed)) {
            known.push(listed);
        }
    }
    known
}

impl Found {
    /// Reads a page.
    fn read(
        &mut self,
        hub_uid: &str,
        collection: &Collection,
        list: &Value,
        names: &BTreeSet<KindName>,
    ) -> Result<(), OwnError> {
        let items = list["items"]
            .as_array()
            .ok_or_else(|| OwnError::NotKubernetes(format!("a list of {} without items", collection.plural)))?;
        for object in items.iter().filter(|object| is_unmanaged(hub_uid, collection, object)) {
            // What is owned goes with its owner, which counts for itself.
            let owners = || object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
            let mut unknown = owners().map(kind_of).filter(|owner| !names.contains(owner));
            match (owners().next(), unknown.next()) {
                (None, _) => self.strangers = self.strangers.saturating_add(1),
                (Some(_), Some(owner)) => self.owners.push(owner),
                (Some(_), None) => {}
            }
        }
        Ok(())
    }
}

fn kind_of(reference: &Value) -> KindName {
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
    (group.to_owned(), text("kind").to_owned())
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn is_unmanaged(hub_uid: &str, collection: &Collection, object: &Value) -> bool {
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().unwrap_or_default();
    let made_by_kubernetes = match (collection.group.as_str(), collection.plural.as_str()) {
        ("", "configmaps") => name == "kube-root-ca.crt",
        ("", "serviceaccounts") => name == "default",
        ("", "secrets") => object["type"] == "kubernetes.io/service-account-token",
        _ => false,
    };
    // Whoever else writes as a hub does marks what is its own.
    let owner = metadata["annotations"][OWNER_ANNOTATION].as_str();
    let is_managed = metadata["labels"][MANAGED_LABEL] == "true" && owner.is_none_or(|owner| owner == hub_uid);
    let is_going = metadata["deletionTimestamp"].is_string();
    !(made_by_kubernetes || is_managed || is_going)
}

#[cfg(test)]
mod tests;
