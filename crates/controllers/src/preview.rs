//! What would happen with an object if it were saved: observed and planned, not carried out.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoll_clusters::Member;
use atoll_federation::{ClusterName, FederatedObject, Observed, Preview, TypeDescriptor, preview};
use futures::future::join_all;
use serde_json::Value;

use crate::error::{Doing, Error, Result};
use crate::fleet;
use crate::hub::Hub;
use crate::key::{Key, Kind};
use crate::preferences;
use crate::sync::context::Context;
use crate::sync::observe::{Seen, look_inside, look_whole};
use crate::sync::plain::{self, Read};
use crate::sync::pods;

/// Looks at every member that matters, by name, and tells. A member that does not answer in time is one that waits.
/// `within` is a FederatedNamespace that would be saved with the object. A plain object that would only rest on the hub
/// goes to no cluster, and not to none for a reason.
pub(crate) async fn tell(
    hub: &Hub,
    row: &'static TypeDescriptor,
    object: &Value,
    within: Option<&Value>,
) -> Result<Preview> {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().into();
    let key = Key {
        kind: Kind::of(row),
        namespace: text("namespace"),
        name: text("name"),
    };
    let (object, plain) = match plain::read(hub, &key, object).await? {
        Read::Federated(object) => (*object, None),
        Read::Plain(plain) => (plain.object.clone(), Some(plain)),
        Read::Resting => {
            return Ok(Preview {
                clusters: Vec::new(),
                warnings: Vec::new(),
            });
        }
    };
    let (fleet, _) = fleet::read(&hub.store).await?;
    let mut context = match within {
        Some(namespace) => {
            let served = hub.configuration().types.namespaces();
            let kind = served.ok_or_else(|| Error::UnknownType("namespaces".to_owned()))?.row;
            let namespace = FederatedObject::parse(kind, namespace).map_err(Error::Object)?;
            Context::load_within(hub, &fleet, &key, object, Some(namespace)).await?
        }
        None => Context::load(hub, &fleet, &key, object).await?,
    };
    if plain.is_some() {
        context.take_plain(plain);
    }
    plan_with(hub, &key, context).await
}

/// What would happen with the object of a preference that is not stored, or not so; `None` when there is no object.
pub(crate) async fn tell_preferred(hub: &Hub, preference: &Value) -> Result<Option<Preview>> {
    let Some((key, stated)) = preferences::assumed(&hub.configuration().types, preference) else {
        return Ok(None);
    };
    let stored = hub.store.object(&key.stored()).await;
    let Some(stored) = stored.doing("reading a federated object")? else {
        return Ok(None);
    };
    let object = FederatedObject::parse(key.kind.row(), &stored.body).map_err(Error::Object)?;
    let (fleet, _) = fleet::read(&hub.store).await?;
    let mut context = Context::load(hub, &fleet, &key, object).await?;
    context.prefer(stated);
    plan_with(hub, &key, context).await.map(Some)
}

async fn plan_with(hub: &Hub, key: &Key, mut context: Context) -> Result<Preview> {
    let deadline = hub.options.observe_deadline;
    let looks = context.reachable().into_iter().filter_map(|name| {
        let member = hub.clusters.member(name.as_str())?;
        let inside = context.needs_contents(&name);
        Some(async move {
            if inside {
                // It is about to be deleted there: nothing in it changes.
                return (name, look_inside(hub, &member, key).await, None);
            }
            let (observed, whole) = look_whole(&member, key, deadline).await;
            let seen = Seen {
                observed,
                unmanaged: None,
            };
            (name, seen, whole)
        })
    });
    let (mut observed, mut live) = (BTreeMap::new(), BTreeMap::new());
    for (name, seen, whole) in join_all(looks).await {
        if let Some(unmanaged) = seen.unmanaged {
            context.note_contents(&name, unmanaged);
        }
        live.extend(whole.map(|whole| (name.clone(), whole)));
        observed.insert(name, seen.observed);
    }
    let without_pods: Vec<(ClusterName, Arc<Member>)> = observed
        .iter()
        .filter_map(|(name, seen)| match seen {
            Observed::Present(present) if context.needs_pods(name, present) => {
                Some((name.clone(), hub.clusters.member(name.as_str())?))
            }
            Observed::Present(_) | Observed::Absent | Observed::Unknown { .. } => None,
        })
        .collect();
    let reads = without_pods
        .iter()
        .map(|(name, member)| async move { (name, pods::read(member, key, deadline).await) });
    for (name, pods) in join_all(reads).await {
        // What cannot be read keeps the replicas where they are.
        if let Ok(pods) = pods {
            context.note_pods(name, pods);
        }
    }
    context.settle(&observed);
    Ok(preview(&context.input(hub, &observed), &live))
}
