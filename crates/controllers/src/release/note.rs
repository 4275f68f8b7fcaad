//! What was released last, noted in the store so that the leader looks at it again, wherever it runs: releasing drops
//! records, and records wake nobody.

use atoll_store::{ObjectKey, PropagationKey, Transaction, Write};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::configuration::OWN_GROUP;
use crate::error::{Doing, Result};
use crate::hub::Hub;

/// How often a note is tried that another one overtakes.
const TRIES: usize = 5;
/// Resource of the note that says which objects are to be looked at again.
const RELEASES: &str = "releases";

/// Its place.
fn place() -> ObjectKey {
    ObjectKey::new(OWN_GROUP, RELEASES, "", "last")
}

/// Whether this is that note.
pub(crate) fn is_release(key: &ObjectKey) -> bool {
    *key == place()
}

/// The objects that such a note names.
pub(crate) fn released(body: &Value) -> impl Iterator<Item = PropagationKey> {
    let entries = body["objects"].as_array().into_iter().flatten();
    entries.filter_map(|entry| {
        let text = |field: &str| entry[field].as_str().map(str::to_owned);
        Some(PropagationKey {
            resource: text("resource")?,
            namespace: text("namespace")?,
            name: text("name")?,
        })
    })
}

/// Notes which objects were released.
pub(super) async fn note(hub: &Hub, keys: impl Iterator<Item = PropagationKey>) -> Result<()> {
    let objects: Vec<Value> = keys
        .map(|key| json!({"resource": key.resource, "namespace": key.namespace, "name": key.name}))
        .collect();
    let doing = "noting what was released";
    for attempt in 1.. {
        let stored = hub.store.object(&place()).await.doing(doing)?;
        let body = json!({
            "metadata": {"name": "last", "uid": "releases", "creationTimestamp": Timestamp::now().to_string()},
            "objects": objects,
        });
        let write = match stored {
            None => Write::Create {
                key: place(),
                body: body.into(),
            },
            Some(stored) => Write::Update {
                key: place(),
                body: body.into(),
                expected: stored.revision,
            },
        };
        let transaction = Transaction {
            writes: vec![write],
            lease: None,
        };
        match hub.store.write(transaction).await.doing(doing) {
            // Somebody else's note came first; it is read by now, or soon.
            Err(error) if error.is_conflict() && attempt < TRIES => {}
            outcome => return outcome.map(drop),
        }
    }
    Ok(())
}
