//! A member as the API sees it: its objects, who may do what with them, and what a write means there.

use std::sync::Arc;

use async_trait::async_trait;
use atoll_kubeapi::{
    Admission, Attributes, Backend, Catalog, Commit, Listing, RequestContext, Resource, Status, WatchStream,
};
use axum::extract::Request;
use axum::response::Response;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::catalog::{self, Kind};
use crate::objects::{self, Objects};
use crate::{access, admission, subresource};

/// The backend of one member.
pub(crate) struct MemberBackend {
    objects: Objects,
    catalog: Arc<Catalog>,
    ended: CancellationToken,
}

impl MemberBackend {
    pub(crate) fn new(objects: Objects, ended: CancellationToken) -> Self {
        Self {
            objects,
            catalog: catalog::catalog(),
            ended,
        }
    }
}

#[async_trait]
impl Backend for MemberBackend {
    fn catalog(&self) -> Arc<Catalog> {
        self.catalog.clone()
    }

    async fn authorize(&self, context: &RequestContext, attributes: &Attributes) -> Result<(), Status> {
        access::authorize(self.objects.memory(), context, attributes)
    }

    async fn get(
        &self,
        _context: &RequestContext,
        resource: &Resource,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Arc<Value>>, Status> {
        Ok(self.objects.memory().get(resource, namespace, name))
    }

    async fn list(
        &self,
        _context: &RequestContext,
        resource: &Resource,
        namespace: Option<&str>,
    ) -> Result<Listing, Status> {
        Ok(self.objects.memory().list(resource, namespace))
    }

    async fn admit(
        &self,
        _context: &RequestContext,
        resource: &Resource,
        admission: &Admission<'_>,
        new: &mut Value,
    ) -> Result<Vec<String>, Status> {
        admission::admit(
            self.objects.memory(),
            self.objects.addresses(),
            resource,
            admission,
            new,
        )
    }

    async fn commit(&self, _context: &RequestContext, commit: Commit<'_>) -> Result<Arc<Value>, Status> {
        self.objects.memory().commit(commit)
    }

    async fn watch(
        &self,
        _context: &RequestContext,
        resource: &Resource,
        namespace: Option<&str>,
        from: u64,
    ) -> Result<WatchStream, Status> {
        self.objects.memory().watch(resource, namespace, from)
    }

    fn grace_seconds(&self, resource: &Resource, object: &Value, options: &Value) -> u64 {
        Kind::of(resource).map_or(0, |kind| objects::grace_seconds(kind, object, options))
    }

    fn deletion_finalizers(&self, _resource: &Resource, object: &Value, options: &Value) -> Vec<String> {
        objects::deletion_finalizers(object, options)
    }

    async fn subresource(
        &self,
        _context: &RequestContext,
        resource: &Resource,
        attributes: &Attributes,
        request: Request,
    ) -> Option<Response> {
        let kind = Kind::of(resource)?;
        subresource::serve(&self.objects, &self.ended, kind, attributes, request).await
    }
}
