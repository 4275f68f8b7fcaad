//! What a caller of the store can act on.

use crate::{ObjectKey, Revision};

/// Begins [`Error::Corrupt::what`] when a row of a cluster is meant; its name follows.
pub(crate) const CLUSTER: &str = "cluster ";

/// Result of a store operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object exists.
    #[error("{0} already exists")]
    AlreadyExists(ObjectKey),
    /// The object does not exist.
    #[error("{0} does not exist")]
    NotFound(ObjectKey),
    /// The object has changed since the expected revision.
    #[error("{key} has changed: it is at revision {current}")]
    Conflict {
        /// The object.
        key: ObjectKey,
        /// Its revision now.
        current: Revision,
    },
    /// The object with this name is another one by now.
    #[error("{0} is another object with the same name")]
    OtherUid(ObjectKey),
    /// Another registration leads to the same cluster.
    #[error("the cluster is already registered as {0}")]
    ClusterRegistered(String),
    /// There is a host cluster, and there can be one only.
    #[error("{0} is the host cluster already")]
    HostTaken(String),
    /// History before this revision is gone.
    #[error("changes before revision {oldest} are no longer kept")]
    Expired {
        /// The oldest revision a watch can start from.
        oldest: Revision,
    },
    /// The writer no longer holds the lease it wrote under.
    #[error("the lease {0} is held by somebody else")]
    Fenced(String),
    /// A sealed value does not open: the key is another one, or the value was changed or moved.
    #[error("{0} cannot be opened with the keys of this hub")]
    Sealed(String),
    /// The database holds something that this version cannot read.
    #[error("{what} in the database cannot be read: {why}")]
    Corrupt {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// The database was written by a newer version.
    #[error("the database was made by a newer version of Atoll (schema {found}, this version knows {known})")]
    NewerSchema {
        /// Version of the schema in the database.
        found: i64,
        /// Newest version that this program knows.
        known: i64,
    },
    /// The URL names no database that Atoll can use.
    #[error("{0}")]
    Url(String),
    /// The database does not answer, or refuses.
    #[error("the database failed while {doing}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// The store is closing.
    #[error("the store is closing")]
    Closed,
}

impl Error {
    /// The registered cluster whose row cannot be read, when that is what it is about.
    pub fn cluster(&self) -> Option<&str> {
        match self {
            Self::Corrupt { what, .. } => what.strip_prefix(CLUSTER),
            _ => None,
        }
    }

    /// Whether trying again later may help without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database { .. } | Self::Closed => true,
            Self::AlreadyExists(_)
            | Self::NotFound(_)
            | Self::Conflict { .. }
            | Self::OtherUid(_)
            | Self::ClusterRegistered(_)
            | Self::HostTaken(_)
            | Self::Expired { .. }
            | Self::Fenced(_)
            | Self::Sealed(_)
            | Self::Corrupt { .. }
            | Self::NewerSchema { .. }
            | Self::Url(_) => false,
        }
    }
}

/// Adds what was being done to a driver's error.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T>;
}

impl<T> Doing<T> for std::result::Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T> {
        self.map_err(|source| Error::Database { doing, source })
    }
}
