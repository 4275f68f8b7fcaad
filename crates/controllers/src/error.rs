//! Why a controller could not do what it set out to do. What a member answers is no error: it goes into a status.

use atoll_federation::{FieldError, join};

/// Result of a controller.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can act on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The hub's data could not be read or written.
    #[error("{doing} failed")]
    Store {
        /// What was being done.
        doing: &'static str,
        /// What the store said.
        #[source]
        source: atoll_store::Error,
    },
    /// This replica does not lead, or no longer: whatever it was about to do is somebody else's.
    #[error("another replica leads")]
    NotLeading,
    /// There is no such cluster.
    #[error("no cluster {0:?} is registered")]
    UnknownCluster(String),
    /// The hub does not federate this type.
    #[error("the hub does not know the type {0:?}")]
    UnknownType(String),
    /// The federated object cannot be read.
    #[error("the object cannot be read: {}", join(.0))]
    Object(Vec<FieldError>),
}

impl Error {
    /// Somebody else was faster; the same is decided anew from what is there now.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(
            self,
            Self::Store {
                source: atoll_store::Error::Conflict { .. }
                    | atoll_store::Error::NotFound(_)
                    | atoll_store::Error::AlreadyExists(_)
                    | atoll_store::Error::OtherUid(_),
                ..
            }
        )
    }

    /// This replica no longer leads.
    pub(crate) fn is_lost_leadership(&self) -> bool {
        matches!(
            self,
            Self::NotLeading
                | Self::Store {
                    source: atoll_store::Error::Fenced(_),
                    ..
                }
        )
    }
}

/// Adds what was being done to an error of the store.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T>;
}

impl<T> Doing<T> for atoll_store::Result<T> {
    fn doing(self, doing: &'static str) -> Result<T> {
        self.map_err(|source| Error::Store { doing, source })
    }
}

/// An error and what caused it, in one line for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
