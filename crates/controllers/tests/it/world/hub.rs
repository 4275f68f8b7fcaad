//! Hands that write on the hub.

use anyhow::{Context, Result, bail};
use atoll_controllers::configuration::seeded_key;
use atoll_federation::configuration::built_in_type_config;
use atoll_federation::{FederatedStatus, types};
use atoll_store::{Object, ObjectKey, Propagation, Transaction, Write};
use serde_json::{Value, json};

use super::{World, metadata, record_key, stored_key};

pub(crate) fn preference_key(namespace: &str, name: &str) -> ObjectKey {
    ObjectKey::new("scheduling.kubefed.io", "replicaschedulingpreferences", namespace, name)
}

pub(crate) fn type_key(name: &str) -> ObjectKey {
    ObjectKey::new(
        "core.kubefed.io",
        "federatedtypeconfigs",
        "kube-federation-system",
        name,
    )
}

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

    /// Says how the control plane behaves, as often as it is said.
    pub(crate) async fn configure(&self, spec: Value) -> Result<()> {
        let key = ObjectKey::new("core.kubefed.io", "kubefedconfigs", "kube-federation-system", "kubefed");
        if self.store.object(&key).await?.is_some() {
            return self.change(&key, |body| body["spec"] = spec.clone()).await;
        }
        let body = json!({
            "apiVersion": "core.kubefed.io/v1beta1",
            "kind": "KubeFedConfig",
            "metadata": metadata("kube-federation-system", "kubefed", json!({})),
            "spec": spec,
        });
        self.write(vec![Write::Create { key, body: body.into() }]).await
    }

    /// From now on these types are federated, each by its `FederatedTypeConfig`, and no others.
    pub(crate) async fn configure_types(&self, names: &[&str]) -> Result<()> {
        let mut writes = Vec::new();
        for name in names {
            let mut body = built_in_type_config(types::find(name).context("a built-in type")?);
            let finalizers = body["metadata"]["finalizers"].clone();
            body["metadata"] = metadata("kube-federation-system", name, json!({"finalizers": finalizers}));
            let key = type_key(name);
            writes.push(Write::Create { key, body: body.into() });
        }
        let seeds = json!({"metadata": metadata("", "types", json!({})), "types": names});
        writes.push(Write::Create {
            key: seeded_key(),
            body: seeds.into(),
        });
        self.write(writes).await
    }

    /// Changes a `FederatedTypeConfig` as the API would, generation included.
    pub(crate) async fn edit_type(&self, name: &str, change: impl Fn(&mut Value)) -> Result<()> {
        self.change(&type_key(name), |body| {
            change(body);
            let generation = body["metadata"]["generation"].as_i64().unwrap_or_default();
            body["metadata"]["generation"] = (generation + 1).into();
        })
        .await
    }

    pub(crate) async fn switch_type(&self, name: &str, propagation: &str) -> Result<()> {
        self.edit_type(name, |body| body["spec"]["propagation"] = propagation.into())
            .await
    }

    /// Events about the object of that name, by reason.
    pub(crate) async fn events(&self, namespace: &str, name: &str) -> Result<Vec<Value>> {
        let listing = self.store.objects("", "events", Some(namespace)).await?;
        let events = listing.objects.into_iter().map(|event| (*event.body).clone());
        let mut of_object: Vec<Value> = events.filter(|event| event["involvedObject"]["name"] == name).collect();
        of_object.sort_by_key(|event| event["reason"].to_string());
        Ok(of_object)
    }

    /// Says how the replicas of an object are to be shared out.
    pub(crate) async fn prefer(&self, namespace: &str, name: &str, spec: Value) -> Result<()> {
        let body = json!({
            "apiVersion": "scheduling.kubefed.io/v1alpha1",
            "kind": "ReplicaSchedulingPreference",
            "metadata": metadata(namespace, name, json!({})),
            "spec": spec,
        });
        let key = preference_key(namespace, name);
        self.write(vec![Write::Create { key, body: body.into() }]).await
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
