//! Commits of `FederatedTypeConfig`: together with what a member tells of the target, one at a time, and answered when
//! this replica serves what was written.
//!
//! No two types may have one federated kind. Admission reads the other types before anything is written, so every commit
//! also writes the object that says which types were built in, at the revision it was read at: of two that are written at
//! the same time the later one conflicts, and is judged again.

use std::time::Duration;

use atoll_controllers::configuration::{TYPE_CONFIGS, seeded_key, structure_key};
use atoll_federation::configuration::{CORE_GROUP, Structure, admit_type_config, keep_list_types};
use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_federation::{TypeConfig, TypeDescriptor};
use atoll_kubeapi::{Change, Status};
use atoll_store::{Error, Object, ObjectKey, Result, Revision, Transaction, Write};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::admission::refusal;
use super::backend::write_of;
use super::seed::made;
use super::structures::{self, Told};
use crate::state::AppState;

/// How long a commit waits for this replica to have read it.
const FOLLOW: Duration = Duration::from_secs(2);
/// How often a commit is tried against others.
const TRIES: usize = 8;

/// Commits a change of a type.
pub(super) async fn commit(state: &AppState, key: &ObjectKey, change: Change) -> Result<Object, Status> {
    let told = match &change {
        // What an earlier type of this name left behind may be of long ago.
        Change::Create(value) => told(state, value, None).await,
        Change::Update { value, .. } => {
            let known = state.store.object(&structure_key(&key.name)).await.map_err(status)?;
            told(state, value, known.as_ref()).await
        }
        Change::Delete { .. } => None,
    };
    for _ in 0..TRIES {
        let marker = state.store.object(&seeded_key()).await.map_err(status)?;
        judge_again(state, key, &change).await?;
        let mut writes = vec![write_of(key, change.clone())];
        writes.extend(
            structure_write(state, key, &change, told.as_ref())
                .await
                .map_err(status)?,
        );
        writes.extend(marker.map(|marker| Write::Update {
            key: marker.key,
            body: marker.body,
            expected: marker.revision,
        }));
        match state.store.write(Transaction { writes, lease: None }).await {
            // Another type was written meanwhile, not this one.
            Err(Error::Conflict { key: moved, .. } | Error::AlreadyExists(moved) | Error::NotFound(moved))
                if moved != *key => {}
            Err(error) => return Err(status(error)),
            Ok(written) => {
                follow(state, written.revision).await;
                let first = written.objects.into_iter().next();
                return first.ok_or_else(Status::internal);
            }
        }
    }
    Err(Status::unavailable("types are being written by many; try again"))
}

/// Waits until this replica serves what was written, so that the next request of the same client meets it.
pub(super) async fn follow(state: &AppState, revision: Revision) {
    if timeout(FOLLOW, state.controllers.configured_at(revision))
        .await
        .is_err()
    {
        tracing::warn!("what was configured is not served yet; it will be in a moment");
    }
}

/// Whether a type was deleted; then it takes nothing new, or it would never end.
pub(super) async fn is_leaving(state: &AppState, type_name: &str) -> Result<bool> {
    let key = ObjectKey::new(CORE_GROUP, TYPE_CONFIGS, SYSTEM_NAMESPACE, type_name);
    Ok(match state.store.object(&key).await? {
        Some(config) => config.deletion_at.is_some(),
        // Until the built-in types were given theirs, they are served without.
        None => state.store.object(&seeded_key()).await?.is_some(),
    })
}

/// Why an object of such a type is refused.
pub(super) fn leaving(row: &TypeDescriptor) -> Status {
    let federated = &row.federated;
    let message = format!(
        "{} are on their way out: the FederatedTypeConfig {} was deleted",
        federated.resource(),
        row.name()
    );
    Status::forbidden(message).about(&federated.group, &federated.plural, "")
}

/// Takes a new object back when its type was deleted while it was being made: whoever looked for what is left of the
/// type may not have seen it, and it would come to light, and to members, when somebody makes the type again.
pub(super) async fn withdraw_if_leaving(state: &AppState, row: &TypeDescriptor, object: &Object) -> Result<(), Status> {
    if !is_leaving(state, &row.name()).await.map_err(status)? {
        return Ok(());
    }
    // Whatever became of it in this moment: removing a type leaves what members have.
    let withdrawn = Write::Delete {
        key: object.key.clone(),
        expected: None,
    };
    let transaction = Transaction {
        writes: vec![withdrawn],
        lease: None,
    };
    match state.store.write(transaction).await {
        Ok(_) | Err(Error::NotFound(_)) => Err(leaving(row)),
        Err(error) => Err(status(error)),
    }
}

fn status(error: Error) -> Status {
    crate::Error::from(error).into()
}

/// All types but the one of this name.
pub(super) async fn others(state: &AppState, name: &str) -> Result<Vec<TypeConfig>> {
    let stored = state
        .store
        .objects(CORE_GROUP, TYPE_CONFIGS, Some(SYSTEM_NAMESPACE))
        .await?;
    let others = stored.objects.into_iter().filter(|object| object.key.name != name);
    Ok(others
        .filter_map(|object| TypeConfig::read(&object.body, None))
        .collect())
}

/// Whether anything of a federated kind is stored.
pub(super) async fn instances(state: &AppState, config: &TypeConfig) -> Result<usize> {
    let federated = &config.descriptor.federated;
    let stored = state.store.objects(&federated.group, &federated.plural, None).await?;
    Ok(stored.objects.len())
}

/// Holds a change against the other types as they are now; whatever else there is to judge was judged.
async fn judge_again(state: &AppState, key: &ObjectKey, change: &Change) -> Result<(), Status> {
    let (Change::Create(value) | Change::Update { value, .. }) = change else {
        return Ok(());
    };
    let old = state.store.object(key).await.map_err(status)?;
    let others = others(state, &key.name).await.map_err(status)?;
    match admit_type_config(value, old.as_ref().map(|object| &*object.body), &others) {
        Ok(_) => Ok(()),
        Err(errors) => Err(refusal(CORE_GROUP, "FederatedTypeConfig", &key.name, errors)),
    }
}

/// What members tell of the target with its version, where that is not known.
async fn told(state: &AppState, value: &Value, known: Option<&Object>) -> Option<(String, Structure)> {
    let config = TypeConfig::read(value, None).filter(|config| !config.deleting)?;
    let target = &config.descriptor.target;
    if structures::is_known(target) || known.is_some_and(|known| known.body["version"] == *target.version) {
        return None;
    }
    match structures::ask(state, target).await {
        Told::Known(structure) => Some((target.version.to_string(), structure)),
        Told::NotServed | Told::Nobody => None,
    }
}

async fn structure_write(
    state: &AppState,
    key: &ObjectKey,
    change: &Change,
    told: Option<&(String, Structure)>,
) -> Result<Option<Write>> {
    let key = structure_key(&key.name);
    let stored = state.store.object(&key).await?;
    let value = match change {
        Change::Create(value) | Change::Update { value, .. } => value,
        Change::Delete { .. } => {
            return Ok(stored.map(|stored| Write::Delete {
                key,
                expected: Some(stored.revision),
            }));
        }
    };
    let Some((version, structure)) = told else {
        return Ok(None);
    };
    let mut schema = structure.schema.clone();
    // Objects that are stored were merged by what was known then.
    if let Some(config) = TypeConfig::read(value, None)
        && instances(state, &config).await? > 0
    {
        let known = stored.as_ref().map(|stored| &stored.body["structure"]);
        schema = keep_list_types(known.unwrap_or(&Value::Null), schema);
    }
    let Some(stored) = stored else {
        let body = json!({"version": version, "structure": schema, "replicasPath": structure.replicas_path});
        let body = made(body, state.now()).into();
        return Ok(Some(Write::Create { key, body }));
    };
    let mut body = (*stored.body).clone();
    body["version"] = json!(version);
    body["structure"] = schema;
    body["replicasPath"] = json!(structure.replicas_path);
    Ok(Some(Write::Update {
        key,
        body: body.into(),
        expected: stored.revision,
    }))
}
