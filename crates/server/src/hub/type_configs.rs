//! Commits of `FederatedTypeConfig`: together with what a member told of the target, one at a time, and answered when
//! this replica serves what was written.
//!
//! No two types may have one federated kind. Admission reads the other types before anything is written, so every commit
//! also writes the object that says which types were built in, at the revision it was read at: of two that are written at
//! the same time the later one conflicts, and is judged again.

use std::time::Duration;

use atoll_controllers::configuration::{TYPE_CONFIGS, seeded_key, structure_key};
use atoll_federation::configuration::{CORE_GROUP, Structure, admit_type_config};
use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_federation::{TypeConfig, TypeDescriptor};
use atoll_kubeapi::{Change, RequestContext, Status};
use atoll_store::{Error, Object, ObjectKey, Result, Revision, Transaction, Write};
use tokio::time::timeout;

use super::admission::refusal;
use super::backend::{status, write_of};
use super::structures::{self, Told};
use crate::state::AppState;

/// How long a commit waits for this replica to have read it.
const FOLLOW: Duration = Duration::from_secs(2);
/// How often a commit is tried against others.
const TRIES: usize = 8;

/// Commits a change of a type.
pub(super) async fn commit(
    state: &AppState,
    context: &RequestContext,
    key: &ObjectKey,
    change: Change,
) -> Result<Object, Status> {
    let told = told(context, &change);
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

/// Refuses a new object of a type that was deleted: such a type takes nothing new, or it would never end.
pub(super) async fn refuse_if_leaving(state: &AppState, row: &TypeDescriptor) -> Result<(), Status> {
    match leaving(state, row).await? {
        None => Ok(()),
        Some(refused) => Err(refused),
    }
}

/// Takes a new object back when its type was deleted while it was being made: whoever looked for what is left of the
/// type may not have seen it, and it would come to light, and to members, when somebody makes the type again.
pub(super) async fn withdraw_if_leaving(state: &AppState, row: &TypeDescriptor, object: &Object) -> Result<(), Status> {
    let Some(refused) = leaving(state, row).await? else {
        return Ok(());
    };
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
        Ok(_) | Err(Error::NotFound(_)) => Err(refused),
        Err(error) => Err(status(error)),
    }
}

/// Why an object of this type is refused, when the type was deleted.
async fn leaving(state: &AppState, row: &TypeDescriptor) -> Result<Option<Status>, Status> {
    let key = ObjectKey::new(CORE_GROUP, TYPE_CONFIGS, SYSTEM_NAMESPACE, &row.name());
    let is_leaving = match state.store.object(&key).await.map_err(status)? {
        Some(config) => config.deletion_at.is_some(),
        // Until the built-in types were given theirs, they are served without.
        None => state.store.object(&seeded_key()).await.map_err(status)?.is_some(),
    };
    let federated = &row.federated;
    let refused = || {
        let message = format!(
            "{} are on their way out: the FederatedTypeConfig {} was deleted",
            federated.resource(),
            row.name()
        );
        Status::forbidden(message).about(&federated.group, &federated.plural, "")
    };
    Ok(is_leaving.then(refused))
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

/// How many objects of a federated kind are stored.
pub(super) async fn instances(state: &AppState, config: &TypeConfig) -> Result<usize> {
    let federated = &config.descriptor.federated;
    let names = state.store.names_of_group(&federated.group).await?;
    Ok(names.iter().filter(|key| *key.resource == *federated.plural).count())
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

/// The type that is written, with what admission was told of its target; nothing where it did not ask, because the
/// structure is known or the target is the same as before.
fn told(context: &RequestContext, change: &Change) -> Option<(TypeDescriptor, Structure)> {
    let (Change::Create(value) | Change::Update { value, .. }) = change else {
        return None;
    };
    let row = TypeConfig::read(value, None)?.descriptor;
    match structures::heard(context, &row.target)? {
        Told::Known(structure) => Some((row, structure)),
        Told::NotServed | Told::Nobody => None,
    }
}

/// What happens to the structure of a type with a change of it.
async fn structure_write(
    state: &AppState,
    key: &ObjectKey,
    change: &Change,
    told: Option<&(TypeDescriptor, Structure)>,
) -> Result<Option<Write>> {
    if let Change::Delete { .. } = change {
        let kept = state.store.object(&structure_key(&key.name)).await?;
        return Ok(kept.map(|kept| Write::Delete {
            key: kept.key,
            expected: Some(kept.revision),
        }));
    }
    match told {
        Some((row, structure)) => structures::keep(state, row, structure.clone()).await.map(Some),
        None => Ok(None),
    }
}
