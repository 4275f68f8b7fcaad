//! What would happen with an object if it were saved: observed and planned, not carried out.

use std::collections::BTreeMap;

use atoll_federation::{FederatedObject, Observed, Preview, TypeDescriptor, preview};
use futures::future::join_all;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::fleet;
use crate::hub::Hub;
use crate::key::{Key, Kind};
use crate::sync::context::Context;
use crate::sync::observe::{Seen, look, look_inside};

/// Looks at every member that matters, by name, and tells. A member that does not answer in time is one that waits.
/// `within` is a FederatedNamespace that would be saved with the object.
pub(crate) async fn tell(
    hub: &Hub,
    row: &'static TypeDescriptor,
    object: &Value,
    within: Option<&Value>,
) -> Result<Preview> {
    let object = FederatedObject::parse(row, object).map_err(Error::Object)?;
    let key = Key {
        kind: Kind::of(row),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
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
    let deadline = hub.options.observe_deadline;
    let looks = context.reachable().into_iter().filter_map(|name| {
        let member = hub.clusters.member(name.as_str())?;
        let (key, inside) = (&key, context.needs_contents(&name));
        Some(async move {
            let seen = if inside {
                look_inside(&member, key, deadline).await
            } else {
                Seen {
                    observed: look(&member, key, deadline).await,
                    unmanaged: None,
                }
            };
            (name, seen)
        })
    });
    let mut observed: BTreeMap<_, Observed> = BTreeMap::new();
    for (name, seen) in join_all(looks).await {
        if let Some(unmanaged) = seen.unmanaged {
            context.note_contents(&name, unmanaged);
        }
        observed.insert(name, seen.observed);
    }
    Ok(preview(&context.input(hub, &observed)))
}
