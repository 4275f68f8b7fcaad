//! What a member holds, asked of it directly and never through the hub.

use anyhow::{Context, Result, bail};
use atoll_testing::{Cluster, Options};
use http::{Method, Request, header::CONTENT_TYPE};
use kube::Client;
use serde_json::Value;

/// A cluster and its admin.
pub(crate) struct Member {
    pub(crate) cluster: Cluster,
    client: Client,
}

impl Member {
    pub(crate) async fn start(name: &str, options: Options) -> Result<Self> {
        let cluster = Cluster::start_with(name, options).await?;
        let client = cluster.client().await?;
        Ok(Self { cluster, client })
    }

    pub(crate) fn name(&self) -> &str {
        self.cluster.name()
    }

    /// An object by its path, if it is there.
    pub(crate) async fn find(&self, path: &str) -> Result<Option<Value>> {
        let request = Request::get(path).body(Vec::new())?;
        match self.client.request(request).await {
            Ok(object) => Ok(Some(object)),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{}: GET {path}", self.name())),
        }
    }

    /// An object that has to be there.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        let found = self.find(path).await?;
        found.with_context(|| format!("{}: there is no {path}", self.name()))
    }

    /// Fails as long as an object is there.
    pub(crate) async fn lacks(&self, path: &str) -> Result<()> {
        match self.find(path).await? {
            None => Ok(()),
            Some(object) => bail!("{}: there is still {path}: {}", self.name(), object["metadata"]),
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::POST, path, "application/json", body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::PUT, path, "application/json", body).await
    }

    /// A JSON merge patch.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::PATCH, path, "application/merge-patch+json", body)
            .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value> {
        self.send(Method::DELETE, path, "application/json", &Value::Null).await
    }

    async fn send(&self, method: Method, path: &str, content: &str, body: &Value) -> Result<Value> {
        let what = format!("{}: {method} {path}", self.name());
        let body = if body.is_null() {
            Vec::new()
        } else {
            serde_json::to_vec(body)?
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(CONTENT_TYPE, content)
            .body(body)?;
        self.client.request(request).await.context(what)
    }
}
