//! The Kubernetes API conventions over any [`Backend`]: what kubectl, GitOps tools and client libraries need of an API
//! server, apart from where objects live and what they mean.
//!
//! * [`router`]: requests in, responses out; every verb, dry run, retries, warnings.
//! * [`object`], [`patch`], [`apply`], [`selector`], [`names`], [`validate`]: what a write means, as functions of values.
//! * [`discovery`], [`openapi`], [`structures`], [`schema`], [`table`], [`columns`]: what clients learn about kinds.
//! * [`view`]: resources that show the rows of others, such as older versions of a kind.
//! * [`memory`]: objects in memory with revisions and history, for simulated clusters and tests.
//!
//! The embedding program puts a [`RequestContext`] into each request's extensions; without one nothing is answered.

mod api;
pub mod apply;
pub mod backend;
pub mod body;
pub mod columns;
pub mod discovery;
pub mod memory;
pub mod names;
pub mod object;
pub mod openapi;
pub mod patch;
pub mod path;
pub mod protobuf;
pub mod request;
pub mod resource;
pub mod scale;
pub mod schema;
pub mod selector;
pub mod status;
pub mod structures;
pub mod table;
pub mod validate;
pub mod view;
mod watch;

pub use api::Options;
pub use backend::{
    Admission, Attributes, Backend, Change, Commit, Listing, Operation, RequestContext, WatchEvent, WatchStream,
};
pub use memory::{Memory, MemoryBackend};
pub use path::Path;
pub use resource::{Catalog, Cell, Column, Resource, Subresource};
pub use schema::Schema;
pub use status::{Cause, Details, Status};
pub use view::{Conversion, View};

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};

/// The API of a backend as a router: `/api`, `/apis`, `/openapi`, `/version`, below wherever it is nested. Everything
/// is answered by its fallback, so that routes of the embedding program (merged, or put before it) come first.
pub fn router<B: Backend>(backend: Arc<B>, options: Options) -> Router {
    let api = Arc::new(api::Api { backend, options });
    Router::new()
        .fallback(|State(api): State<Arc<api::Api<B>>>, request: Request| async move { api.handle(request).await })
        .with_state(api)
}
