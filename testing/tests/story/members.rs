//! What members hold, asked of them directly and never through the hub.

use anyhow::Result;
use atoll_testing::Cluster;
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::Deployment,
        core::v1::{ConfigMap, Namespace},
    },
};
use kube::{Api, Resource, api::PatchParams};
use serde::de::DeserializeOwned;
use serde_json::json;

/// The namespace of everything that the story federates.
pub(crate) const NAMESPACE: &str = "shop";

/// An object in [`NAMESPACE`], if it is there.
async fn object<K>(cluster: &Cluster, name: &str) -> Result<Option<K>>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
{
    let objects: Api<K> = Api::namespaced(cluster.client().await?, NAMESPACE);
    Ok(objects.get_opt(name).await?)
}

pub(crate) async fn deployment(cluster: &Cluster, name: &str) -> Result<Option<Deployment>> {
    object(cluster, name).await
}

pub(crate) async fn config_map(cluster: &Cluster, name: &str) -> Result<Option<ConfigMap>> {
    object(cluster, name).await
}

pub(crate) async fn has_namespace(cluster: &Cluster) -> Result<bool> {
    let namespaces: Api<Namespace> = Api::all(cluster.client().await?);
    Ok(namespaces.get_opt(NAMESPACE).await?.is_some())
}

/// One value of a config map.
pub(crate) async fn config_value(cluster: &Cluster, name: &str, key: &str) -> Result<Option<String>> {
    let data = config_map(cluster, name).await?.and_then(|map| map.data);
    Ok(data.and_then(|data| data.get(key).cloned()))
}

/// What a Deployment runs: how many, how many of them are available, and which
/// image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) wanted: i32,
    pub(crate) available: i32,
    pub(crate) image: String,
}

impl Running {
    /// All of them available.
    pub(crate) fn all(wanted: i32, image: &str) -> Self {
        Self {
            wanted,
            available: wanted,
            image: image.to_owned(),
        }
    }
}

/// What a Deployment runs, if it is there.
pub(crate) async fn running(cluster: &Cluster, name: &str) -> Result<Option<Running>> {
    let Some(deployment) = deployment(cluster, name).await? else {
        return Ok(None);
    };
    let spec = deployment.spec.unwrap_or_default();
    let status = deployment.status.unwrap_or_default();
    let containers = spec.template.spec.unwrap_or_default().containers;
    Ok(Some(Running {
        wanted: spec.replicas.unwrap_or(1),
        // Of an older generation, the numbers are of no interest.
        available: if status.observed_generation == deployment.metadata.generation {
            status.available_replicas.unwrap_or(0)
        } else {
            0
        },
        image: containers.first().and_then(|c| c.image.clone()).unwrap_or_default(),
    }))
}

/// Deletes a Deployment as somebody with a kubectl of that member would.
pub(crate) async fn delete_deployment(cluster: &Cluster, name: &str) -> Result<()> {
    let deployments: Api<Deployment> = Api::namespaced(cluster.client().await?, NAMESPACE);
    deployments.delete(name, &kube::api::DeleteParams::background()).await?;
    Ok(())
}

/// Scales a Deployment as somebody with a kubectl of that member would.
pub(crate) async fn scale_deployment(cluster: &Cluster, name: &str, replicas: i32) -> Result<()> {
    let deployments: Api<Deployment> = Api::namespaced(cluster.client().await?, NAMESPACE);
    let patch = kube::api::Patch::Merge(json!({ "spec": { "replicas": replicas } }));
    deployments.patch_scale(name, &PatchParams::default(), &patch).await?;
    Ok(())
}

/// What the hub has written of what it manages in a member, and when. A
/// `resourceVersion` moves with the member's own status too.
pub(crate) async fn written(cluster: &Cluster) -> Result<Vec<(String, Vec<String>)>> {
    let client = cluster.client().await?;
    let managed = kube::api::ListParams::default().labels("kubefed.io/managed=true");
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    let namespaces: Api<Namespace> = Api::all(client);
    let mut found = Vec::new();
    for metadata in [
        metadata(deployments.list(&managed).await?.items),
        metadata(maps.list(&managed).await?.items),
        metadata(namespaces.list(&managed).await?.items),
    ] {
        found.extend(metadata);
    }
    Ok(found)
}

fn metadata<K: Resource<DynamicType = ()>>(objects: Vec<K>) -> Vec<(String, Vec<String>)> {
    objects
        .into_iter()
        .map(|object| {
            let meta = object.meta();
            let name = meta.name.clone().unwrap_or_default();
            let entries = meta.managed_fields.iter().flatten();
            let by_the_hub = entries.filter(|entry| entry.manager.as_deref().is_some_and(|by| by.starts_with("atoll")));
            let written = by_the_hub.map(|entry| format!("{:?} {:?} {:?}", entry.manager, entry.time, entry.fields_v1));
            (format!("{}/{name}", K::plural(&())), written.collect())
        })
        .collect()
}
