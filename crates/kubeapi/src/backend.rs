//! What the embedding program provides: which resources there are, who may do what, and where objects live.
//!
//! A backend keeps whole objects and one counter, the *revision*, that grows with each commit: an object's
//! `metadata.resourceVersion` is the revision of the commit that wrote it. Everything else that makes an API server
//! (names, generations, finalizers, patches, apply, dry run, selectors, tables) is done before a backend is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use axum::response::Response;
use futures::stream::BoxStream;
use serde_json::Value;

use crate::resource::{Catalog, Resource};
use crate::status::Status;

/// Who asks: a request extension that the embedding program sets. Requests without it are refused with 401.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// User name, as in access reviews.
    pub user: String,
    /// UID of the user; empty for none.
    pub uid: String,
    /// Groups.
    pub groups: Vec<String>,
    /// More about the user, as in access reviews.
    pub extra: BTreeMap<String, Vec<String>>,
    /// The program that asks; taken from `User-Agent` when empty.
    pub user_agent: String,
    /// Id of the request, for logs.
    pub request_id: String,
    /// What the embedding program wants to find again in its backend, such as a session.
    pub extensions: http::Extensions,
}

/// What is asked, as authorization sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// API version; empty in access reviews that do not say.
    pub version: String,
    /// Plural resource.
    pub resource: String,
    /// Subresource; empty for none.
    pub subresource: String,
    /// Namespace; empty for all or none. For a Namespace its own name.
    pub namespace: String,
    /// Name; empty for a collection.
    pub name: String,
}

impl Attributes {
    /// The same about the resource that has the rows: what a view shows is guarded as what it shows.
    #[must_use]
    pub(crate) fn of(self, stored: &Resource) -> Self {
        Self {
            group: stored.group.clone(),
            version: stored.version.clone(),
            resource: stored.plural.clone(),
            ..self
        }
    }
}

/// What is being done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It is made.
    Create,
    /// It is changed: its main part, or the subresource that [`Admission::subresource`] names.
    Update,
    /// It is to go: removed, or marked while finalizers hold it.
    Delete,
}

/// What admission is asked to judge.
#[derive(Debug, Clone, Copy)]
pub struct Admission<'a> {
    /// What is being done.
    pub operation: Operation,
    /// The subresource that is written (`status`, `finalize`); empty for the main part.
    pub subresource: &'a str,
    /// Whether nothing will be committed: admission must not act on anything outside the object.
    pub dry_run: bool,
    /// The object as it is; `None` for a new one.
    pub old: Option<&'a Value>,
    /// `DeleteOptions` of a deletion; an empty object otherwise.
    pub options: &'a Value,
}

/// Objects of one snapshot.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Sorted by namespace and name, each with `metadata.resourceVersion`.
    pub items: Vec<Arc<Value>>,
    /// The snapshot's revision: a watch from here misses nothing and repeats nothing.
    pub revision: u64,
}

/// One change to one object.
#[derive(Debug, Clone)]
pub struct Commit<'a> {
    /// The resource.
    pub resource: &'a Resource,
    /// Namespace; empty for cluster-scoped resources.
    pub namespace: &'a str,
    /// Name.
    pub name: &'a str,
    /// What changes.
    pub change: Change,
}

/// What a commit changes. The backend stamps `metadata.resourceVersion` with the new revision.
#[derive(Debug, Clone)]
pub enum Change {
    /// A new object; `AlreadyExists` when there is one.
    Create(Value),
    /// The object as it shall be.
    Update {
        /// The whole object.
        value: Value,
        /// The revision it was made from; `Conflict` when the object is no longer at it.
        expected: u64,
    },
    /// The object goes.
    Delete {
        /// The revision the decision was made from; `Conflict` when the object is no longer at it.
        expected: u64,
    },
}

/// What happened to the objects of a resource, in the order of commits.
#[derive(Debug, Clone)]
pub enum WatchEvent {
    /// An object was made.
    Added {
        /// The commit's revision.
        revision: u64,
        /// As it is.
        object: Arc<Value>,
    },
    /// An object was changed.
    Modified {
        /// The commit's revision.
        revision: u64,
        /// As it is.
        object: Arc<Value>,
        /// As it was: selectors need it to see objects leave.
        previous: Arc<Value>,
    },
    /// An object is gone.
    Deleted {
        /// The commit's revision.
        revision: u64,
        /// As it last was; watchers get it with this revision.
        object: Arc<Value>,
    },
    /// Nothing happened to these objects up to this revision.
    Bookmark {
        /// The revision.
        revision: u64,
    },
}

/// Events of a watch. It ends when the backend stops; an error ends it too.
pub type WatchStream = BoxStream<'static, Result<WatchEvent, Status>>;

/// Where objects live, and what they mean.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// The resources now. Asked for on each request, so it should be cheap.
    fn catalog(&self) -> Arc<Catalog>;

    /// Whether the caller may; the error (usually [`Status::forbidden`]) is the answer. Also asked for access reviews,
    /// where the resource may be none of the catalog, or `*`.
    async fn authorize(&self, context: &RequestContext, attributes: &Attributes) -> Result<(), Status>;

    /// One object.
    async fn get(
        &self,
        context: &RequestContext,
        resource: &Resource,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Arc<Value>>, Status>;

    /// Objects of one namespace, or of all.
    async fn list(
        &self,
        context: &RequestContext,
        resource: &Resource,
        namespace: Option<&str>,
    ) -> Result<Listing, Status>;

    /// Judges, completes and normalises an object that is about to be written; answers with warnings for the caller.
    /// `new` already has its name, identity, generation and so on. For a deletion it is the object as it will be if it
    /// is only marked. What belongs together across objects is checked here too, such as that the namespace exists.
    async fn admit(
        &self,
        context: &RequestContext,
        resource: &Resource,
        admission: &Admission<'_>,
        new: &mut Value,
    ) -> Result<Vec<String>, Status>;

    /// Commits one change. Answers with the object as it now is; for a deletion, as it was, at the deletion's revision.
    async fn commit(&self, context: &RequestContext, commit: Commit<'_>) -> Result<Arc<Value>, Status>;

    /// Changes after revision `from`, until the receiver drops the stream; [`Status::expired`] when that history is gone.
    async fn watch(
        &self,
        context: &RequestContext,
        resource: &Resource,
        namespace: Option<&str>,
        from: u64,
    ) -> Result<WatchStream, Status>;

    /// How long a deleted object stays, marked, until the backend removes it by itself (as a kubelet does with its
    /// pods). Zero, the default, removes it with the request. `options` are the caller's `DeleteOptions`.
    fn grace_seconds(&self, _resource: &Resource, _object: &Value, _options: &Value) -> u64 {
        0
    }

    /// Finalizers that the deletion itself puts on an object, such as `foregroundDeletion` when the options ask that
    /// dependents go first. None, the default.
    fn deletion_finalizers(&self, _resource: &Resource, _object: &Value, _options: &Value) -> Vec<String> {
        Vec::new()
    }

    /// Serves a subresource other than `status` and `finalize`, such as `log` or `scale`; `None` for what there is not.
    /// Already authorized.
    async fn subresource(
        &self,
        _context: &RequestContext,
        _resource: &Resource,
        _attributes: &Attributes,
        _request: axum::extract::Request,
    ) -> Option<Response> {
        None
    }
}
