//! The hub's data: SQLite for one process, PostgreSQL for several replicas. The only crate that names sqlx.
//!
//! * Every statement is written once, with `$n`, which both databases read; `backend` holds what differs.
//! * One counter, the *revision*, is bumped by the first statement of every transaction that writes objects or
//!   clusters. That row is a lock, so the order of revisions is the order of commits, which `resourceVersion` and
//!   watches need; a sequence would show gaps that fill later.
//! * Writers that wait share one commit (`writer`): each has a revision of its own, and none is answered before the
//!   commit is on disk.
//! * Credentials and Secrets are sealed (`seal`): the key is outside the database, and a sealed value opens only in
//!   the place it was sealed for.
#![warn(missing_docs)]

mod backend;
mod changes;
mod clusters;
mod data_dir;
mod error;
mod installation;
mod leases;
mod migrate;
mod objects;
mod propagations;
mod queue;
mod recordings;
mod revision;
mod seal;
mod sessions;
mod store;
mod tokens;
mod users;
mod writer;

pub use backend::DatabaseUrl;
pub use changes::{Change, ChangeKind, Changes, Earlier};
pub use clusters::{Cluster, ClusterHealth, Role};
pub use data_dir::{DataDir, DataDirError};
pub use error::{Error, Result};
pub use installation::{Initialised, Installation};
pub use leases::{Lease, LeaseRow};
pub use objects::{Listing, Object, ObjectKey};
pub use propagations::{Propagation, PropagationKey};
pub use revision::Revision;
pub use seal::{KeyFileError, Keys, Sealed};
pub use sessions::Session;
pub use store::{STATEMENTS, Store};
pub use tokens::Token;
pub use users::User;
pub use writer::{Transaction, Write, Written};
