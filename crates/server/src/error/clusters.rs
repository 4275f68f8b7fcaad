//! What members and connections to them say, as callers get it.
//!
//! A member that cannot be reached is nobody's mistake in the request: 503, 504 or 502, with the stage at which it
//! failed and the way out. A kubeconfig that cannot be used is: 422, with the field.

use atoll_clusters::kubeconfig::KubeconfigError;
use atoll_clusters::{
    CheckFailure, ConnectError, ConnectFailure, FailureKind, ForwardError, IdentityError, OwnError, Refusal,
};
use atoll_kubeapi::Cause;

use super::{Error, Reason};

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        let reason = match error.failure {
            ConnectFailure::TimedOut(_) => Reason::Timeout,
            ConnectFailure::Unresolved { .. }
            | ConnectFailure::Refused(_)
            | ConnectFailure::Io(_)
            | ConnectFailure::UnknownIssuer
            | ConnectFailure::WrongName { .. }
            | ConnectFailure::Expired
            | ConnectFailure::BadCertificate(_)
            | ConnectFailure::Handshake(_) => Reason::ServiceUnavailable,
        };
        Self::new(reason, format!("the cluster cannot be reached: {error}"))
            .at_stage(error.stage.as_str())
            .with_hint(error.hint())
    }
}

impl From<IdentityError> for Error {
    fn from(error: IdentityError) -> Self {
        Self::forbidden(format!("nobody can be this on a cluster: {error}"))
    }
}

impl From<ForwardError> for Error {
    fn from(error: ForwardError) -> Self {
        match error {
            ForwardError::Malformed(why) => malformed(&why),
            ForwardError::Busy => busy(),
            ForwardError::Connect(error) => error.into(),
            ForwardError::TimedOut(after) => timed_out(after),
            ForwardError::Broken(why) => broken(&why),
            ForwardError::Identity(error) => error.into(),
        }
    }
}

impl From<OwnError> for Error {
    fn from(error: OwnError) -> Self {
        match error {
            OwnError::Malformed(why) => malformed(&why),
            OwnError::Busy => busy(),
            OwnError::Connect(error) => error.into(),
            OwnError::TimedOut(after) => timed_out(after),
            OwnError::Broken(why) => broken(&why),
            OwnError::TooLarge(most) => broken(&format!("the answer is larger than {} MiB", most >> 20)),
            OwnError::Refused(refusal) => refused(&refusal),
            OwnError::NotKubernetes(what) => Self::new(
                Reason::BadGateway,
                format!("the cluster's address does not answer as a Kubernetes API: {what}"),
            ),
        }
    }
}

fn malformed(why: &str) -> Error {
    Error::new(
        Reason::ServiceUnavailable,
        format!("what is registered for this cluster makes no connection: {why}"),
    )
    .at_stage("kubeconfig")
    .with_hint("Replace the cluster's credential.")
}

fn busy() -> Error {
    Error::too_many_requests("too many requests to this cluster are under way", 2)
}

fn timed_out(after: std::time::Duration) -> Error {
    Error::new(
        Reason::Timeout,
        format!("the cluster did not answer within {} s", after.as_secs_f32()),
    )
}

fn broken(why: &str) -> Error {
    Error::new(Reason::BadGateway, format!("the cluster broke off: {why}"))
}

fn refused(refusal: &Refusal) -> Error {
    let stage = match refusal.code {
        401 => "signIn",
        403 => "permissions",
        _ => "",
    };
    let error = Error::new(Reason::BadGateway, format!("the cluster refused: {}", refusal.message));
    if stage.is_empty() { error } else { error.at_stage(stage) }
}

impl From<CheckFailure> for Error {
    fn from(failure: CheckFailure) -> Self {
        let reason = match failure.kind {
            FailureKind::Malformed
            | FailureKind::Address
            | FailureKind::Unresolved
            | FailureKind::Certificate
            | FailureKind::Unauthorized
            | FailureKind::Forbidden
            | FailureKind::NotKubernetes => Reason::Invalid,
            FailureKind::Unreachable => Reason::ServiceUnavailable,
            FailureKind::TimedOut => Reason::Timeout,
            FailureKind::Refused | FailureKind::Broken => Reason::BadGateway,
        };
        let error = Self::new(reason, failure.message.clone())
            .at_stage(failure.stage.as_str())
            .with_cause(Cause::invalid("kubeconfig", failure.message));
        match failure.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

impl From<KubeconfigError> for Error {
    fn from(error: KubeconfigError) -> Self {
        let field = match error.field() {
            Some(field) => format!("kubeconfig.{field}"),
            None if matches!(
                error,
                KubeconfigError::UnknownContext { .. } | KubeconfigError::ContextRequired { .. }
            ) =>
            {
                "context".to_owned()
            }
            None => "kubeconfig".to_owned(),
        };
        Self::new(Reason::Invalid, error.to_string())
            .at_stage("kubeconfig")
            .with_hint(error.hint())
            .with_cause(Cause::invalid(field, error.to_string()))
    }
}
