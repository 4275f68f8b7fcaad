//! Deletes that were confirmed, kept in the store until they have happened: a hub that restarts in the middle asks no
//! second time.

use std::collections::BTreeSet;

use atoll_federation::{ClusterName, TypeTable};
use atoll_store::{Object, ObjectKey, PropagationKey, Store, Transaction, Write};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Going;
use crate::configuration::OWN_GROUP;
use crate::error::{Doing, Result};
use crate::key::Key;
use crate::leader::Leadership;

/// What was confirmed, as it is kept.
#[derive(Debug, Default)]
pub(super) struct Approvals {
    stored: Option<Object>,
    pub(super) going: BTreeSet<Going>,
}

fn place() -> ObjectKey {
    ObjectKey::new(OWN_GROUP, "approvals", "", "deletes")
}

impl Approvals {
    /// Reads them.
    pub(super) async fn read(store: &Store, types: &TypeTable) -> Result<Self> {
        let stored = store.object(&place()).await.doing("reading confirmed deletes")?;
        let entries = stored.iter().flat_map(|stored| stored.body["deletes"].as_array());
        let going = entries.flatten().filter_map(|entry| parse(types, entry)).collect();
        Ok(Self { stored, going })
    }

    /// Keeps them as they are now. What is written `beside` them is written with them or not at all.
    pub(super) async fn keep(&mut self, store: &Store, leadership: &Leadership, beside: Vec<Write>) -> Result<()> {
        leadership.check()?;
        let deletes: Vec<Value> = self.going.iter().map(entry).collect();
        let write = match &self.stored {
            None if deletes.is_empty() => return Ok(()),
            None => Write::Create {
                key: place(),
                body: json!({
                    "metadata": {
                        "name": "deletes",
                        "uid": "confirmed-deletes",
                        "creationTimestamp": Timestamp::now().to_string(),
                    },
                    "deletes": deletes,
                })
                .into(),
            },
            Some(stored) if deletes.is_empty() => Write::Delete {
                key: place(),
                expected: Some(stored.revision),
            },
            Some(stored) => {
                let mut body = (*stored.body).clone();
                body["deletes"] = deletes.into();
                Write::Update {
                    key: place(),
                    body: body.into(),
                    expected: stored.revision,
                }
            }
        };
        let is_delete = matches!(write, Write::Delete { .. });
        let transaction = Transaction {
            writes: std::iter::once(write).chain(beside).collect(),
            lease: Some(leadership.lease().clone()),
        };
        let written = store.write(transaction).await.doing("keeping confirmed deletes")?;
        self.stored = written.objects.into_iter().next().filter(|_| !is_delete);
        Ok(())
    }
}

fn entry((key, cluster, uid): &Going) -> Value {
    let PropagationKey {
        resource,
        namespace,
        name,
    } = key.record();
    json!({"resource": resource, "namespace": namespace, "name": name, "cluster": cluster, "uid": uid})
}

/// What cannot be read was confirmed for nobody.
fn parse(types: &TypeTable, entry: &Value) -> Option<Going> {
    let text = |field: &str| entry[field].as_str().map(str::to_owned);
    let key = PropagationKey {
        resource: text("resource")?,
        namespace: text("namespace")?,
        name: text("name")?,
    };
    let cluster = ClusterName::parse(entry["cluster"].as_str()?).ok()?;
    Some((Key::of_record(types, &key)?, cluster, text("uid")?))
}

#[cfg(test)]
mod tests {
    use atoll_federation::types;

    use super::*;
    use crate::key::Kind;

    #[test]
    fn what_is_kept_is_read_again_and_nonsense_is_not() {
        let types = TypeTable::built_in();
        let key = Key {
            kind: Kind::of(types::find("deployments.apps").unwrap()),
            namespace: "shop".into(),
            name: "web".into(),
        };
        let going = (key, ClusterName::parse("eu-1").unwrap(), "u-1".to_owned());
        assert_eq!(parse(&types, &entry(&going)), Some(going.clone()));
        let mut unknown = entry(&going);
        unknown["resource"] = "federatedmars.types.kubefed.io".into();
        assert_eq!(parse(&types, &unknown), None);
        assert_eq!(parse(&types, &json!({"cluster": "eu-1"})), None);
    }
}
