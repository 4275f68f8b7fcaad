//! Hands that write on the hub.

use anyhow::{Context, Result, bail};
use atoll_federation::{FederatedStatus, types};
use atoll_store::{Object, ObjectKey, Propagation, Transaction, Write};
use serde_json::{Value, json};

use super::{World, metadata, record_key, stored_key};

impl World {
    pub(crate) async fn write(&self, writes: Vec<Write>) -> Result<()> {
        self.store.write(Transaction { writes, lease: None }).await?;
        Ok(())
    }

    /// Makes `shop`, federated everywhere.
    pub(crate) async fn federate(&self, namespace: &str) -> Result<()> {
        let key = ObjectKey::new("", "namespaces", "", namespace);
        let body = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": metadata("", namespace, json!({})),
            "spec": {"finalizers": ["kubernetes"]},
        });
        self.write(vec![Write::Create { key, body: body.into() }]).await?;
        self.create(
            "namespaces",
            namespace,
            namespace,
            json!({"placement": {"clusterSelector": {}}}),
        )
        .await
    }

    /// Makes a federated object.
    pub(crate) async fn create(&self, kind: &str, namespace: &str, name: &str, spec: Value) -> Result<()> {
        let row = types::find(kind).unwrap();
        let body = json!({
            "apiVersion": row.federated.api_version(),
            "kind": row.federated.kind,
            "metadata": metadata(namespace, name, json!({})),
            "spec": spec,
        });
        let key = stored_key(row, namespace, name);
        self.write(vec![Write::Create { key, body: body.into() }]).await
    }

    pub(crate) async fn find(&self, kind: &str, namespace: &str, name: &str) -> Result<Option<Object>> {
        let key = stored_key(types::find(kind).unwrap(), namespace, name);
        Ok(self.store.object(&key).await?)
    }

    /// Changes an object of the hub, as often as it takes.
    pub(crate) async fn change(&self, key: &ObjectKey, change: impl Fn(&mut Value)) -> Result<()> {
        for _ in 0..50 {
            let stored = self.store.object(key).await?.context("there is no such object")?;
            let mut body = (*stored.body).clone();
            change(&mut body);
            let update = Write::Update {
                key: key.clone(),
                body: body.into(),
                expected: stored.revision,
            };
            match self
                .store
                .write(Transaction {
                    writes: vec![update],
                    lease: None,
                })
                .await
            {
                Err(atoll_store::Error::Conflict { .. }) => {}
                outcome => return Ok(outcome.map(drop)?),
            }
        }
        bail!("{key} changes all the time")
    }

    /// Changes a federated object as the API would, generation included.
    pub(crate) async fn edit(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        change: impl Fn(&mut Value),
    ) -> Result<()> {
        let key = stored_key(types::find(kind).unwrap(), namespace, name);
        self.change(&key, |body| {
            change(body);
            let generation = body["metadata"]["generation"].as_i64().unwrap_or_default();
            body["metadata"]["generation"] = (generation + 1).into();
        })
        .await
    }

    /// Marks an object for deletion, or removes it when nothing holds it.
    pub(crate) async fn delete(&self, key: &ObjectKey) -> Result<()> {
        let stored = self.store.object(key).await?.context("there is no such object")?;
        let held = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
        if !held(&stored.body["metadata"]["finalizers"]) && !held(&stored.body["spec"]["finalizers"]) {
            let key = key.clone();
            return self.write(vec![Write::Delete { key, expected: None }]).await;
        }
        self.change(key, |body| {
            body["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z".into();
        })
        .await
    }

    pub(crate) async fn delete_federated(&self, kind: &str, namespace: &str, name: &str) -> Result<()> {
        self.delete(&stored_key(types::find(kind).unwrap(), namespace, name))
            .await
    }

    pub(crate) async fn status(&self, kind: &str, namespace: &str, name: &str) -> Result<FederatedStatus> {
        let object = self
            .find(kind, namespace, name)
            .await?
            .context("there is no such object")?;
        Ok(serde_json::from_value(object.body["status"].clone()).unwrap_or_default())
    }

    /// The word for one cluster; empty when all is well, `None` when there is no entry.
    pub(crate) async fn word(&self, kind: &str, namespace: &str, name: &str, cluster: &str) -> Result<Option<String>> {
        let status = self.status(kind, namespace, name).await?;
        let entry = status.clusters.into_iter().find(|entry| entry.name.as_str() == cluster);
        Ok(entry.map(|entry| entry.status))
    }

    pub(crate) async fn records(&self, kind: &str, namespace: &str, name: &str) -> Result<Vec<Propagation>> {
        Ok(self.store.propagations(&record_key(kind, namespace, name)).await?)
    }
}
