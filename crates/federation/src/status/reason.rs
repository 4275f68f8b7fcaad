//! The words of a status. KubeFed's keep their meaning, ours stand beside them.

use std::fmt;

use crate::Error;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// Why an object, or an object in one cluster, is not as it should be.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[doc = $doc])* $name,)*
        }

        impl Reason {
            /// The word in the status.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The reason of that name.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $(stringify!($name) => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

reasons! {
    /// The object there is on its way out.
    WaitingForRemoval,
    /// The cluster does not answer.
    ClusterNotReady,
    /// What the cluster holds has not been read yet.
    CachedRetrievalFailed,
    /// What the cluster holds could not be read.
    RetrievalFailed,
    /// There is no connection to the cluster.
    ClientRetrievalFailed,
    /// The template cannot become an object.
    ComputeResourceFailed,
    /// This cluster's overrides do not apply.
    ApplyOverridesFailed,
    /// It could not be created.
    CreationFailed,
    /// It could not be changed.
    UpdateFailed,
    /// It could not be deleted.
    DeletionFailed,
    /// The marks could not be taken off.
    LabelRemovalFailed,
    /// Creating it took too long.
    CreationTimedOut,
    /// Changing it took too long.
    UpdateTimedOut,
    /// Deleting it took too long.
    DeletionTimedOut,
    /// Taking the marks off took too long.
    LabelRemovalTimedOut,
    /// There is one that is somebody else's.
    AlreadyExists,
    /// The one there says that it must not be touched.
    ManagedLabelFalse,
    /// The member has no such kind.
    ApiMissing,
    /// The member refused the object.
    Invalid,
    /// A delete waits for a confirmation.
    Held,
    /// A foreign change there stays, because the object says so. A note, no error.
    Drifted,
    /// The clusters could not be listed.
    ClusterRetrievalFailed,
    /// The placement cannot be read.
    ComputePlacementFailed,
    /// Some cluster's entry says why.
    CheckClusters,
    /// The namespace is not federated.
    NamespaceNotFederated,
    /// The overrides cannot be read.
    InvalidOverrides,
    /// The replica preference cannot be meant.
    InvalidPreference,
    /// A FederatedNamespace is not called as its namespace.
    InvalidName,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why there is no object for one cluster.
impl From<&Error> for Reason {
    fn from(error: &Error) -> Self {
        match error {
            Error::Patch { .. } | Error::Identity { .. } => Self::ApplyOverridesFailed,
            Error::Template { .. } | Error::TooLarge { .. } | Error::ClusterName(_) => Self::ComputeResourceFailed,
        }
    }
}
