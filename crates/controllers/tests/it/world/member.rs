//! Hands and eyes in members, and patience.

use std::time::Duration;

use anyhow::Result;
use atoll_clusters::{OwnError, OwnRequest};
use atoll_federation::FederatedStatus;
use serde_json::Value;
use tokio::time::Instant;

use super::{World, path, until};

impl World {
    pub(crate) async fn ask(&self, cluster: &str, request: OwnRequest) -> Result<Value, OwnError> {
        match self.clusters.member(cluster) {
            Some(member) => member.request(request).await,
            None => Err(OwnError::Busy),
        }
    }

    /// The member's object, if it is there.
    pub(crate) async fn get(&self, cluster: &str, kind: &str, namespace: &str, name: &str) -> Result<Option<Value>> {
        match self.ask(cluster, OwnRequest::get(path(kind, namespace, name))).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found_object() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until the member's object is there, and is so.
    pub(crate) async fn until(
        &self,
        cluster: &str,
        kind: &str,
        namespace: &str,
        name: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        until(&format!("{kind} {namespace}/{name} in {cluster}"), async || {
            Ok(self
                .get(cluster, kind, namespace, name)
                .await?
                .filter(|object| is_so(object)))
        })
        .await
    }

    pub(crate) async fn until_gone(&self, cluster: &str, kind: &str, namespace: &str, name: &str) -> Result<()> {
        until(&format!("no {kind} {namespace}/{name} in {cluster}"), async || {
            Ok(self.get(cluster, kind, namespace, name).await?.is_none().then_some(()))
        })
        .await
    }

    /// Waits until a federated object is everywhere it should be, and says so of the newest generation.
    pub(crate) async fn until_ok(&self, kind: &str, namespace: &str, name: &str) -> Result<FederatedStatus> {
        until(&format!("{kind} {namespace}/{name} is in step"), async || {
            let Some(object) = self.find(kind, namespace, name).await? else {
                return Ok(None);
            };
            let status: FederatedStatus = serde_json::from_value(object.body["status"].clone()).unwrap_or_default();
            let is_ok = status.propagation().is_some_and(|condition| condition.status == "True");
            Ok((is_ok && status.observed_generation == object.generation).then_some(status))
        })
        .await
    }

    pub(crate) async fn until_word(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        cluster: &str,
        word: &str,
    ) -> Result<()> {
        until(
            &format!("{kind} {namespace}/{name} is {word:?} in {cluster}"),
            async || {
                let found = self.word(kind, namespace, name, cluster).await?;
                Ok((found.as_deref() == Some(word)).then_some(()))
            },
        )
        .await
    }

    pub(crate) async fn until_deleted(&self, kind: &str, namespace: &str, name: &str) -> Result<()> {
        until(&format!("{kind} {namespace}/{name} is gone from the hub"), async || {
            Ok(self.find(kind, namespace, name).await?.is_none().then_some(()))
        })
        .await
    }

    pub(crate) async fn until_ready(&self, cluster: &str, ready: bool) -> Result<()> {
        until(&format!("{cluster} is ready: {ready}"), async || {
            let is_ready = self.clusters.member(cluster).is_some_and(|member| member.is_ready());
            Ok((is_ready == ready).then_some(()))
        })
        .await
    }

    /// Waits until the controllers have nothing to do, and have not had for a while.
    pub(crate) async fn until_quiet(&self) -> Result<()> {
        let mut last = (self.controllers.counts(), self.store.revision().await?);
        let mut since = Instant::now();
        until("nothing happens any more", async || {
            let now = (self.controllers.counts(), self.store.revision().await?);
            if now != last || now.0.queued > 0 || !self.controllers.is_leader() {
                (last, since) = (now, Instant::now());
            }
            Ok((since.elapsed() > Duration::from_millis(1200)).then_some(()))
        })
        .await
    }
}
