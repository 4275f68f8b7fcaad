//! What the hub's API has from its first start: the two namespaces that clients take for granted, the configuration,
//! and the types that are built in.
//!
//! Each is made once. What a person deletes or switches off stays so: beside the types stands which of them were made,
//! and a later release makes only those that it adds.

use std::collections::BTreeSet;

use atoll_controllers::configuration::{CONFIGS, TYPE_CONFIGS, seeded_key};
use atoll_federation::TYPES;
use atoll_federation::configuration::{CONFIG_NAME, TypeConfig, built_in_type_config, default_config};
use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_store::{Error, Object, ObjectKey, Result, Store, Transaction, Write};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::catalog::CORE_GROUP;
use super::registry::Registry;

/// Namespaces that are always there and cannot be deleted: where kubectl looks when nobody says where, and where
/// clusters live.
pub(super) const PERMANENT_NAMESPACES: [&str; 2] = ["default", SYSTEM_NAMESPACE];

/// How often the types are tried against replicas that start at the same time.
const TRIES: usize = 8;

/// Makes the permanent namespaces where they are missing, the configuration and the built-in types where they never
/// were, and gives clusters the credentials that a crash kept from them. Called at each start, by every replica.
///
/// # Errors
/// When the store fails.
pub async fn seed(store: &Store, now: Timestamp) -> Result<()> {
    for name in PERMANENT_NAMESPACES {
        let key = ObjectKey::new("", "namespaces", "", name);
        if store.object(&key).await?.is_some() {
            continue;
        }
        let body = made(namespace(name), now).into();
        match write(store, vec![Write::Create { key, body }]).await {
            // Another replica was faster.
            Ok(()) | Err(Error::AlreadyExists(_)) => {}
            Err(error) => return Err(error),
        }
    }
    seed_configuration(store, now).await?;
    Registry::new(store, now).heal().await
}

async fn write(store: &Store, writes: Vec<Write>) -> Result<()> {
    store.write(Transaction { writes, lease: None }).await.map(drop)
}

async fn seed_configuration(store: &Store, now: Timestamp) -> Result<()> {
    let mut tries = 0;
    loop {
        let marker = store.object(&seeded_key()).await?;
        let writes = missing(store, marker.as_ref(), now).await?;
        if writes.is_empty() {
            return Ok(());
        }
        tries += 1;
        match write(store, writes).await {
            // Another replica was faster: look again.
            Err(Error::AlreadyExists(_) | Error::Conflict { .. } | Error::NotFound(_)) if tries < TRIES => {}
            outcome => return outcome,
        }
    }
}

/// What to write so that everything was made once; nothing when it was.
async fn missing(store: &Store, marker: Option<&Object>, now: Timestamp) -> Result<Vec<Write>> {
    let types = marker.and_then(|marker| marker.body["types"].as_array());
    let mut seeded: BTreeSet<&str> = types.into_iter().flatten().filter_map(Value::as_str).collect();
    let is_configured = marker.is_some_and(|marker| marker.body["config"] == true);
    let names: Vec<String> = TYPES.iter().map(|row| row.name()).collect();
    if is_configured && names.iter().all(|name| seeded.contains(name.as_str())) {
        return Ok(Vec::new());
    }
    let mut writes = Vec::new();
    let there = store
        .objects(CORE_GROUP, TYPE_CONFIGS, Some(SYSTEM_NAMESPACE))
        .await?
        .objects;
    let read: Vec<TypeConfig> = there
        .iter()
        .filter_map(|object| TypeConfig::read(&object.body, None))
        .collect();
    for (row, name) in TYPES.iter().zip(&names) {
        let is_there = there.iter().any(|object| object.key.name == *name);
        // Somebody may have given its federated kind to a type of their own before the release that built it in.
        let is_taken = read
            .iter()
            .any(|one| one.descriptor.federated.resource() == row.federated.resource());
        if !seeded.contains(name.as_str()) && !is_there && !is_taken {
            let key = ObjectKey::new(CORE_GROUP, TYPE_CONFIGS, SYSTEM_NAMESPACE, name);
            writes.push(create(key, built_in_type_config(row), now));
        }
        seeded.insert(name);
    }
    let config = ObjectKey::new(CORE_GROUP, CONFIGS, SYSTEM_NAMESPACE, CONFIG_NAME);
    if !is_configured && store.object(&config).await?.is_none() {
        writes.push(create(config, default_config(), now));
    }
    let said = json!({"types": seeded, "config": true});
    writes.push(match marker {
        None => create(seeded_key(), said, now),
        Some(marker) => {
            let mut body = (*marker.body).clone();
            for field in ["types", "config"] {
                body[field] = said[field].clone();
            }
            Write::Update {
                key: seeded_key(),
                body: body.into(),
                expected: marker.revision,
            }
        }
    });
    Ok(writes)
}

fn create(key: ObjectKey, body: Value, now: Timestamp) -> Write {
    Write::Create {
        key,
        body: made(body, now).into(),
    }
}

/// A new object of the hub's own, with what every object has.
pub(super) fn made(mut object: Value, now: Timestamp) -> Value {
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    object["metadata"]["uid"] = json!(uuid::Uuid::new_v4().to_string());
    object["metadata"]["creationTimestamp"] = json!(now.to_string());
    if object["spec"].is_object() && object["kind"] != "Namespace" {
        object["metadata"]["generation"] = json!(1);
    }
    object
}

fn namespace(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {super::admission::NAME_LABEL: name},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    })
}
