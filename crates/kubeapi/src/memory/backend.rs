//! A whole backend over [`Memory`]: everybody may do everything, and admission is a function.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use serde_json::Value;

use super::Memory;
use crate::backend::{Admission, Attributes, Backend, Commit, Listing, RequestContext, WatchStream};
use crate::resource::{Catalog, Resource};
use crate::status::Status;

/// Admission as a function; see [`Backend::admit`].
pub type Admit = fn(&Memory, &Resource, &Admission<'_>, &mut Value) -> Result<Vec<String>, Status>;

/// Objects in memory behind a catalog that may change. Programs that authorize, or that keep more than objects, write
/// a backend of their own over [`Memory`].
pub struct MemoryBackend {
    memory: Memory,
    catalog: RwLock<Arc<Catalog>>,
    admit: Admit,
}

impl MemoryBackend {
    /// An empty backend that admits everything.
    pub fn new(catalog: Catalog) -> Self {
        Self::with_admission(catalog, |_, _, _, _| Ok(Vec::new()))
    }

    /// An empty backend with this admission.
    pub fn with_admission(catalog: Catalog, admit: Admit) -> Self {
        Self {
            memory: Memory::default(),
            catalog: RwLock::new(Arc::new(catalog)),
            admit,
        }
    }

    /// The objects.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Serves other resources from now on.
    pub fn set_catalog(&self, catalog: Catalog) {
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    fn catalog(&self) -> Arc<Catalog> {
        self.catalog.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn authorize(&self, _context: &RequestContext, _attributes: &Attributes) -> Result<(), Status> {
        Ok(())
    }

    async fn get(
        &self,
        _context: &RequestContext,
        resource: &Resource,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Arc<Value>>, Status> {
        Ok(self.memory.get(resource, namespace, name))
    }

    async fn list(
        &self,
        _context: &RequestContext,
        resource: &Resource,
        namespace: Option<&str>,
    ) -> Result<Listing, Status> {
        Ok(self.memory.list(resource, namespace))
    }

    async fn admit(
        &self,
        _context: &RequestContext,
        resource: &Resource,
        admission: &Admission<'_>,
        new: &mut Value,
    ) -> Result<Vec<String>, Status> {
        (self.admit)(&self.memory, resource, admission, new)
    }

    async fn commit(&self, _context: &RequestContext, commit: Commit<'_>) -> Result<Arc<Value>, Status> {
        self.memory.commit(commit)
    }

    async fn watch(
        &self,
        _context: &RequestContext,
        resource: &Resource,
        namespace: Option<&str>,
        from: u64,
    ) -> Result<WatchStream, Status> {
        self.memory.watch(resource, namespace, from)
    }
}
