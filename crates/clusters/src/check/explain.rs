//! What a failure means to the person who handed in a kubeconfig.

use jiff::Timestamp;

use super::FailureKind;
use crate::connect::{ConnectError, ConnectFailure};
use crate::connection::ConnectionError;
use crate::request::OwnError;

/// A failure, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) kind: FailureKind,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

const OTHER_ADDRESS: &str =
    "Check that the address is that of the cluster's API server, without a login page in front.";
const OTHER_CREDENTIAL: &str = "Hand in a credential that this cluster knows; `kubectl auth whoami` with the same \
     kubeconfig tells whether it does.";
const CLUSTER_ADMIN: &str = "Bind the credential to the ClusterRole cluster-admin.";

impl Trouble {
    fn new(kind: FailureKind, message: impl Into<String>, hint: Option<&str>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: hint.map(str::to_owned),
        }
    }

    pub(super) fn malformed(error: &ConnectionError) -> Self {
        Self::new(FailureKind::Malformed, error.to_string(), None)
    }

    pub(super) fn connect(error: &ConnectError) -> Self {
        let kind = match &error.failure {
            ConnectFailure::Refused(_) => FailureKind::Address,
            ConnectFailure::Unresolved { .. } => FailureKind::Unresolved,
            ConnectFailure::TimedOut(_) => FailureKind::TimedOut,
            ConnectFailure::Io(_) | ConnectFailure::Handshake(_) => FailureKind::Unreachable,
            ConnectFailure::UnknownIssuer
            | ConnectFailure::WrongName { .. }
            | ConnectFailure::Expired
            | ConnectFailure::BadCertificate(_) => FailureKind::Certificate,
        };
        Self::new(kind, error.to_string(), Some(error.hint()))
    }

    pub(super) fn foreign(message: &str) -> Self {
        Self::new(
            FailureKind::NotKubernetes,
            format!("what answers is no Kubernetes API server: {message}"),
            Some(OTHER_ADDRESS),
        )
    }

    pub(super) fn anonymous() -> Self {
        let message = "the cluster takes the credential for nobody's and lets the hub in as system:anonymous";
        Self::new(FailureKind::Unauthorized, message, Some(OTHER_CREDENTIAL))
    }

    pub(super) fn no_impersonation(missing: &[&str]) -> Self {
        let message = format!(
            "the credential may not impersonate {}, and the hub makes each request as the person who asks",
            missing.join(" and ")
        );
        Self::new(FailureKind::Forbidden, message, Some(CLUSTER_ADMIN))
    }

    /// A credential that is refused may simply have ended.
    pub(super) fn with_expiry(mut self, error: &OwnError, expires_at: Option<Timestamp>) -> Self {
        if let Some(ended) = expires_at.filter(|end| error.is_unauthorized() && *end <= Timestamp::now()) {
            self.hint = Some(format!(
                "It ended on {}: hand in a new one.",
                ended.strftime("%Y-%m-%d")
            ));
        }
        self
    }
}

/// What an error means in a check.
pub(super) fn explain(error: &OwnError) -> Trouble {
    match error {
        OwnError::Malformed(_) => Trouble::new(FailureKind::Malformed, error.to_string(), None),
        OwnError::Connect(error) => Trouble::connect(error),
        OwnError::TimedOut(_) => Trouble::new(
            FailureKind::TimedOut,
            error.to_string(),
            Some("The API server takes connections but does not answer: check its health, and what stands before it."),
        ),
        OwnError::Busy | OwnError::Broken(_) | OwnError::TooLarge(_) => {
            Trouble::new(FailureKind::Broken, error.to_string(), Some(OTHER_ADDRESS))
        }
        OwnError::NotKubernetes(text) => Trouble::foreign(text),
        OwnError::Refused(refusal) => match refusal.code {
            401 => Trouble::new(
                FailureKind::Unauthorized,
                "the cluster does not take the credential",
                Some(OTHER_CREDENTIAL),
            ),
            403 => Trouble::new(FailureKind::Forbidden, refusal.message.clone(), Some(CLUSTER_ADMIN)),
            code => Trouble::new(
                FailureKind::Refused,
                format!("the cluster answered {code}: {}", refusal.message),
                None,
            ),
        },
    }
}
