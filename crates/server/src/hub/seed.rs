//! What the hub's API has from its first start: the two namespaces that clients take for granted.

use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_store::{Error, ObjectKey, Result, Store, Transaction, Write};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::registry::Registry;

/// Namespaces that are always there and cannot be deleted: where kubectl looks when nobody says where, and where
/// clusters live.
pub(super) const PERMANENT_NAMESPACES: [&str; 2] = ["default", SYSTEM_NAMESPACE];

/// Makes the permanent namespaces where they are missing, and gives clusters the credentials that a crash kept from
/// them. Called at each start, by every replica.
///
/// # Errors
/// When the store fails.
pub async fn seed(store: &Store, now: Timestamp) -> Result<()> {
    for name in PERMANENT_NAMESPACES {
        let key = ObjectKey::new("", "namespaces", "", name);
        if store.object(&key).await?.is_some() {
            continue;
        }
        let body = namespace(name, now).into();
        let transaction = Transaction {
            writes: vec![Write::Create { key, body }],
            lease: None,
        };
        match store.write(transaction).await {
            // Another replica was faster.
            Ok(_) | Err(Error::AlreadyExists(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Registry::new(store, now).heal().await
}

fn namespace(name: &str, now: Timestamp) -> Value {
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "uid": uuid::Uuid::new_v4().to_string(),
            "creationTimestamp": now.to_string(),
            "labels": {super::admission::NAME_LABEL: name},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    })
}
