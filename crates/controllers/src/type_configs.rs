//! `FederatedTypeConfig`s: what runs for a type stands in its status, and one that is deleted goes when nothing of its
//! kind is left.
//!
//! Starting and stopping a type is nobody's act: whether it is propagated is read anew wherever it matters.

use std::time::Duration;

use atoll_federation::TypeConfig;
use atoll_federation::configuration::{CORE_GROUP, TYPE_CONFIG_FINALIZER};
use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_store::{Object, ObjectKey, Transaction, Write};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::configuration::{Configuration, TYPE_CONFIGS, structure_key};
use crate::error::{Doing, Error, Result, chain};
use crate::hub::Hub;
use crate::leader::Leadership;

/// Changes are events; this is for what nobody told.
const RECHECK: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_secs(1);

/// Whether this is the place of a `FederatedTypeConfig`.
pub(crate) fn is_type_config(key: &ObjectKey) -> bool {
    key.group == CORE_GROUP && key.resource == TYPE_CONFIGS
}

/// Keeps the objects of types.
#[derive(Default)]
pub(crate) struct TypeConfigs {
    wake: Notify,
}

impl TypeConfigs {
    /// Something has happened that may concern one.
    pub(crate) fn look(&self) {
        self.wake.notify_one();
    }

    /// Looks at all of them whenever there is a reason, until the leadership ends.
    pub(crate) async fn run(self: std::sync::Arc<Self>, hub: Hub, leadership: Leadership) {
        let lost = leadership.lost().clone();
        let work = async {
            let mut configured = hub.configured.clone();
            loop {
                let configuration = configured.borrow_and_update().clone();
                let wait = match keep_all(&hub, &leadership, &configuration).await {
                    Ok(()) => RECHECK,
                    Err(error) if error.is_lost_leadership() => return lost.cancel(),
                    Err(error) => {
                        if !error.is_conflict() {
                            tracing::warn!(error = %chain(&error), "the types cannot be kept");
                        }
                        RETRY
                    }
                };
                tokio::select! {
                    () = self.wake.notified() => {}
                    Ok(()) = configured.changed() => {}
                    () = sleep(wait) => {}
                }
            }
        };
        lost.run_until_cancelled(work).await;
    }
}

async fn keep_all(hub: &Hub, leadership: &Leadership, configuration: &Configuration) -> Result<()> {
    let doing = "listing types";
    let listing = hub.store.objects(CORE_GROUP, TYPE_CONFIGS, Some(SYSTEM_NAMESPACE));
    let mut failed: Option<Error> = None;
    for stored in listing.await.doing(doing)?.objects {
        // What is newer than the configuration is judged when that has been read.
        if stored.revision > configuration.revision && stored.deletion_at.is_none() {
            continue;
        }
        let kept = if stored.deletion_at.is_some() {
            let_go(hub, leadership, configuration, &stored).await
        } else {
            keep(hub, leadership, configuration, &stored).await
        };
        match kept {
            Err(error) if error.is_lost_leadership() => return Err(error),
            Err(error) => failed = Some(error),
            Ok(()) => {}
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Status and finalizer of a type that is there.
async fn keep(hub: &Hub, leadership: &Leadership, configuration: &Configuration, stored: &Object) -> Result<()> {
    let mut body = (*stored.body).clone();
    hold(&mut body);
    body["status"] = status(configuration, stored);
    if body == *stored.body {
        return Ok(());
    }
    write(hub, leadership, update(stored, body)).await
}

fn is_running(configuration: &Configuration, name: &str) -> bool {
    let mut types = configuration.types.federated();
    types.any(|served| served.propagated && served.row.name() == name)
}

fn status(configuration: &Configuration, stored: &Object) -> Value {
    let mut status = stored.body["status"].clone();
    if !status.is_object() {
        status = json!({});
    }
    let running = is_running(configuration, &stored.key.name);
    status["observedGeneration"] = stored.generation.into();
    status["propagationController"] = if running { "Running" } else { "NotRunning" }.into();
    // Statuses of members are collected by the controller that propagates.
    status["statusController"] = "NotRunning".into();
    status
}

fn hold(body: &mut Value) {
    let finalizers = &mut body["metadata"]["finalizers"];
    match finalizers.as_array_mut() {
        Some(list) if list.iter().any(|finalizer| finalizer == TYPE_CONFIG_FINALIZER) => {}
        Some(list) => list.push(TYPE_CONFIG_FINALIZER.into()),
        None => *finalizers = json!([TYPE_CONFIG_FINALIZER]),
    }
}

/// A type that is on its way out stays until nothing of its kind is left on the hub. What is recorded of it then is
/// forgotten: members keep what they have.
async fn let_go(hub: &Hub, leadership: &Leadership, configuration: &Configuration, stored: &Object) -> Result<()> {
    if let Some(config) = TypeConfig::read(&stored.body, None) {
        let federated = &config.descriptor.federated;
        let instances = hub.store.objects(&federated.group, &federated.plural, None).await;
        if !instances.doing("listing what is left of a type")?.objects.is_empty() {
            return keep_deleted(hub, leadership, configuration, stored).await;
        }
        let others = configuration.types.of_resource(&federated.group, &federated.plural);
        if others.is_none_or(|served| served.row.name() == stored.key.name) {
            forget_records(hub, leadership, &federated.resource()).await?;
        }
    }
    let mut body = (*stored.body).clone();
    let is_free = match body["metadata"]["finalizers"].as_array_mut() {
        Some(list) => {
            let before = list.len();
            list.retain(|finalizer| finalizer != TYPE_CONFIG_FINALIZER);
            if before == list.len() && before > 0 {
                // Somebody else holds it.
                return Ok(());
            }
            list.is_empty()
        }
        None => true,
    };
    let last = if is_free {
        forget_structure(hub, leadership, &stored.key.name).await?;
        Write::Delete {
            key: stored.key.clone(),
            expected: Some(stored.revision),
        }
    } else {
        update(stored, body)
    };
    write(hub, leadership, last).await
}

/// Its status goes on telling the truth while it waits.
async fn keep_deleted(
    hub: &Hub,
    leadership: &Leadership,
    configuration: &Configuration,
    stored: &Object,
) -> Result<()> {
    let mut body = (*stored.body).clone();
    body["status"] = status(configuration, stored);
    if stored.revision > configuration.revision || body == *stored.body {
        return Ok(());
    }
    write(hub, leadership, update(stored, body)).await
}

/// What a member told of its target goes with a type.
async fn forget_structure(hub: &Hub, leadership: &Leadership, type_name: &str) -> Result<()> {
    let key = structure_key(type_name);
    let known = hub.store.object(&key).await;
    match known.doing("reading the structure of a type")? {
        Some(known) => {
            let expected = Some(known.revision);
            write(hub, leadership, Write::Delete { key, expected }).await
        }
        None => Ok(()),
    }
}

async fn forget_records(hub: &Hub, leadership: &Leadership, resource: &str) -> Result<()> {
    leadership.check()?;
    let rows = hub
        .store
        .propagations_in(None)
        .await
        .doing("reading records of propagation")?;
    let of_type = rows.into_iter().filter(|row| row.key.resource == resource);
    let dropped: Vec<_> = of_type.map(|row| (row.key, row.cluster)).collect();
    let lease = Some(leadership.lease());
    let recorded = hub.store.record_propagations(lease, &[], &dropped).await;
    recorded.doing("forgetting a type")
}

fn update(stored: &Object, body: Value) -> Write {
    Write::Update {
        key: stored.key.clone(),
        body: body.into(),
        expected: stored.revision,
    }
}

async fn write(hub: &Hub, leadership: &Leadership, write: Write) -> Result<()> {
    leadership.check()?;
    let transaction = Transaction {
        writes: vec![write],
        lease: Some(leadership.lease().clone()),
    };
    let written = hub.store.write(transaction).await;
    written.map(drop).doing("writing a type")
}
