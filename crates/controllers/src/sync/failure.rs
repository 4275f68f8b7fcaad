//! What it means that a member gave no answer, or said no.

use std::time::Duration;

use atoll_clusters::OwnError;
use atoll_federation::{Failure, FailureKind, Observed, Reason};
use serde_json::Value;

/// What is known of an object after it could not be read: nothing, and why.
pub(crate) fn unknown(error: &OwnError) -> Observed {
    let reason = match error {
        OwnError::Malformed(_) | OwnError::Connect(_) => Reason::ClientRetrievalFailed,
        _ if error.is_api_missing() => Reason::ApiMissing,
        OwnError::Busy
        | OwnError::TimedOut(_)
        | OwnError::Broken(_)
        | OwnError::TooLarge(_)
        | OwnError::Refused(_)
        | OwnError::NotKubernetes(_) => Reason::RetrievalFailed,
    };
    Observed::Unknown {
        reason,
        message: error.to_string(),
    }
}

/// What became of a step that did not work.
pub(crate) fn failure(error: &OwnError) -> Failure {
    let kind = match error {
        OwnError::Malformed(_) | OwnError::Connect(_) => FailureKind::NotReady,
        OwnError::TimedOut(_) => FailureKind::TimedOut,
        OwnError::Busy | OwnError::Broken(_) | OwnError::TooLarge(_) | OwnError::NotKubernetes(_) => FailureKind::Other,
        OwnError::Refused(refusal) => refused(error, refusal.code, &refusal.message, &refusal.details),
    };
    Failure {
        kind,
        message: error.to_string(),
    }
}

fn refused(error: &OwnError, code: u16, message: &str, details: &Value) -> FailureKind {
    match code {
        409 => FailureKind::Conflict,
        // The object with this name is another one by now.
        422 if is_about_uid(details) => FailureKind::Conflict,
        400 | 413 | 415 | 422 => FailureKind::Invalid,
        // Apply is stricter than the rest of the API, and says so in an odd place.
        500 if message.contains("failed to create typed patch object") => FailureKind::Invalid,
        404 if error.is_api_missing() => FailureKind::ApiMissing,
        _ => FailureKind::Other,
    }
}

fn is_about_uid(details: &Value) -> bool {
    let causes = details["causes"].as_array().into_iter().flatten();
    causes.into_iter().any(|cause| cause["field"] == "metadata.uid")
}

/// When the member wants to be asked again.
pub(crate) fn retry_after(error: &OwnError) -> Duration {
    error.retry_after().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use atoll_clusters::Refusal;
    use serde_json::json;

    use super::*;

    fn refusal(code: u16, message: &str, details: Value) -> OwnError {
        OwnError::Refused(Box::new(Refusal {
            code,
            reason: String::new(),
            message: message.into(),
            details,
            retry_after: None,
        }))
    }

    #[test]
    fn a_read_that_failed_says_nothing_about_the_object() {
        let reason = |error: OwnError| match unknown(&error) {
            Observed::Unknown { reason, .. } => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            reason(OwnError::TimedOut(Duration::from_secs(3))),
            Reason::RetrievalFailed
        );
        assert_eq!(
            reason(OwnError::NotKubernetes("<html>".into())),
            Reason::RetrievalFailed
        );
        assert_eq!(
            reason(refusal(401, "Unauthorized", Value::Null)),
            Reason::RetrievalFailed
        );
        assert_eq!(reason(refusal(403, "forbidden", Value::Null)), Reason::RetrievalFailed);
        assert_eq!(reason(refusal(404, "no such path", Value::Null)), Reason::ApiMissing);
        assert_eq!(
            reason(OwnError::Malformed("no token".into())),
            Reason::ClientRetrievalFailed
        );
    }

    #[test]
    fn refusals_are_told_apart_by_what_can_be_done_about_them() {
        let kind = |code, message: &str, details| failure(&refusal(code, message, details)).kind;
        let uid = json!({"causes": [{"field": "metadata.uid", "reason": "FieldValueInvalid"}]});
        let spec = json!({"name": "web", "causes": [{"field": "spec.replicas", "reason": "FieldValueInvalid"}]});
        let namespace = json!({"kind": "namespaces", "name": "shop"});
        assert_eq!(
            kind(409, "the object has been modified", Value::Null),
            FailureKind::Conflict
        );
        assert_eq!(kind(422, "field is immutable", uid), FailureKind::Conflict);
        assert_eq!(kind(422, "is invalid", spec), FailureKind::Invalid);
        assert_eq!(
            kind(500, "failed to create typed patch object (shop/web)", Value::Null),
            FailureKind::Invalid
        );
        assert_eq!(kind(500, "internal error", Value::Null), FailureKind::Other);
        assert_eq!(
            kind(404, "namespaces \"shop\" not found", namespace),
            FailureKind::Other
        );
        assert_eq!(
            kind(404, "the server could not find the requested resource", Value::Null),
            FailureKind::ApiMissing
        );
        assert_eq!(kind(403, "exceeded quota", Value::Null), FailureKind::Other);
        assert_eq!(
            failure(&OwnError::TimedOut(Duration::from_secs(10))).kind,
            FailureKind::TimedOut
        );
    }
}
