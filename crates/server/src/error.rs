//! The one error of every surface: what a caller can do about it, answered as `metav1.Status`.
//!
//! Errors of the other crates become one here, in matches that list every variant, so that a new variant stops this
//! file from compiling until it has an answer. What is our own fault goes out as one plain sentence; its whole chain
//! of causes is logged once, with the request's id, by the router.

mod clusters;
mod controllers;
mod store;

use std::fmt;
use std::sync::Arc;

use atoll_kubeapi::{Cause, Details, Status};
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};

use crate::auth::bearer::Unreadable;
use crate::auth::session::InvalidToken;

/// Result of whatever answers a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Arc<dyn std::error::Error + Send + Sync>;

/// Kubernetes' words for what went wrong, each with its HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// 400: the request makes no sense.
    BadRequest,
    /// 401: nobody is signed in.
    Unauthorized,
    /// 403: they may not.
    Forbidden,
    /// 404.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 406.
    NotAcceptable,
    /// 409: the name, or the thing itself, is taken.
    AlreadyExists,
    /// 409: something has changed, or stands in the way.
    Conflict,
    /// 410: history is gone.
    Expired,
    /// 413.
    RequestEntityTooLarge,
    /// 415.
    UnsupportedMediaType,
    /// 421: the request is for another host.
    Misdirected,
    /// 422: field by field, what is wrong.
    Invalid,
    /// 429.
    TooManyRequests,
    /// 500: our own fault.
    InternalError,
    /// 502: a member answered something that cannot be passed on.
    BadGateway,
    /// 503.
    ServiceUnavailable,
    /// 504.
    Timeout,
}

impl Reason {
    /// The HTTP status.
    pub fn code(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::AlreadyExists | Self::Conflict => StatusCode::CONFLICT,
            Self::Expired => StatusCode::GONE,
            Self::RequestEntityTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// The word on the wire. Kubernetes has none for 421 and 502; clients get the nearest one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest | Self::Misdirected => "BadRequest",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "NotFound",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::NotAcceptable => "NotAcceptable",
            Self::AlreadyExists => "AlreadyExists",
            Self::Conflict => "Conflict",
            Self::Expired => "Expired",
            Self::RequestEntityTooLarge => "RequestEntityTooLarge",
            Self::UnsupportedMediaType => "UnsupportedMediaType",
            Self::Invalid => "Invalid",
            Self::TooManyRequests => "TooManyRequests",
            Self::InternalError => "InternalError",
            Self::BadGateway | Self::ServiceUnavailable => "ServiceUnavailable",
            Self::Timeout => "Timeout",
        }
    }
}

/// What went wrong, as the caller gets it, and what caused it, as the log gets it.
#[derive(Debug, Clone)]
pub struct Error {
    status: Box<Status>,
    source: Option<Source>,
}

impl Error {
    /// An error with a message for people.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Status::failure(reason.code(), reason.as_str(), message).into()
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Reason::BadRequest, message)
    }

    /// 401, which never says which check failed.
    pub fn unauthorized() -> Self {
        Self::new(Reason::Unauthorized, "Unauthorized")
    }

    /// 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Reason::Forbidden, message)
    }

    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Reason::NotFound, message)
    }

    /// 404 for a cluster that is not registered, or that the caller may not know of.
    pub fn no_cluster(name: &str) -> Self {
        Self::new(Reason::NotFound, format!("no cluster {name:?} is registered"))
            .about("", "clusters", name)
            .in_cluster(name)
    }

    /// 405.
    pub fn method_not_allowed(method: &Method) -> Self {
        Status::method_not_allowed(method).into()
    }

    /// 422 with a cause for each field.
    pub fn invalid(kind: &str, name: &str, causes: Vec<Cause>) -> Self {
        Status::invalid("", kind, name, causes).into()
    }

    /// 429.
    pub fn too_many_requests(message: impl Into<String>, retry_after_seconds: i64) -> Self {
        Status::too_many_requests(message, retry_after_seconds).into()
    }

    /// 503 that may pass by itself.
    pub fn unavailable(message: impl Into<String>, retry_after_seconds: i64) -> Self {
        Self::new(Reason::ServiceUnavailable, message)
            .with(|details| details.retry_after_seconds = Some(retry_after_seconds))
    }

    /// 500: one plain sentence goes out, the cause goes to the log.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::from(Status::internal()).because(source)
    }

    /// The same with changed details.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Details)) -> Self {
        change(self.status.details.get_or_insert_default());
        self
    }

    /// The same about an object.
    #[must_use]
    pub fn about(self, group: &str, kind: &str, name: &str) -> Self {
        self.with(|details| {
            details.group = group.into();
            details.kind = kind.into();
            details.name = name.into();
        })
    }

    /// The same, about a member.
    #[must_use]
    pub fn in_cluster(self, name: &str) -> Self {
        self.with(|details| details.cluster = name.into())
    }

    /// The same, at a stage of a connection.
    #[must_use]
    pub fn at_stage(self, stage: &str) -> Self {
        self.with(|details| details.stage = stage.into())
    }

    /// The same with a way out.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        self.with(|details| details.hint = hint.into())
    }

    /// The same with one more thing that is wrong.
    #[must_use]
    pub fn with_cause(self, cause: Cause) -> Self {
        self.with(|details| details.causes.push(cause))
    }

    /// The same with what caused it, for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into().into());
        self
    }

    /// The answer.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The answer, owned.
    pub fn into_status(self) -> Status {
        *self.status
    }

    /// The answer as a value inside another answer, where the router cannot see it: the cause is logged here.
    pub fn logged(self, what: &str) -> Status {
        if let Some(source) = &self.source {
            tracing::warn!(error = %self, cause = %chain(source.as_ref()), "{what}");
        }
        self.into_status()
    }

    /// The HTTP status.
    pub fn code(&self) -> StatusCode {
        self.status.http_status()
    }

    /// Kubernetes' word.
    pub fn reason(&self) -> &str {
        &self.status.reason
    }

    /// Whether the same request may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self.status.code, 429 | 503 | 504)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.status.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

/// Rides on a response so that the router can log what caused it, beside the request's id.
#[derive(Debug, Clone)]
pub struct Answered(pub Error);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.status.as_ref().clone().into_response();
        response.extensions_mut().insert(Answered(self));
        response
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self {
            status: Box::new(status),
            source: None,
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        if let Some(source) = error.source.as_ref().filter(|_| error.code().is_server_error()) {
            // The Kubernetes API answers with the status alone, so this is where the cause is handled.
            tracing::error!(error = %error, cause = %chain(source.as_ref()), "a request of the hub's API failed");
        }
        error.into_status()
    }
}

impl From<Unreadable> for Error {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Several | Unreadable::Malformed => Self::bad_request(unreadable.to_string()),
            Unreadable::Scheme => Self::unauthorized(),
            Unreadable::CrossSite => Self::forbidden(unreadable.to_string()),
        }
    }
}

impl From<InvalidToken> for Error {
    fn from(_: InvalidToken) -> Self {
        Self::unauthorized()
    }
}

impl From<JsonRejection> for Error {
    fn from(rejection: JsonRejection) -> Self {
        match rejection {
            JsonRejection::JsonSyntaxError(error) => {
                Self::bad_request(body_fault("the body is not valid JSON", &error))
            }
            JsonRejection::JsonDataError(error) => Self::bad_request(body_fault("the body does not fit", &error)),
            JsonRejection::BytesRejection(rejection) => rejection.into(),
            other => Self::bad_request(other.body_text()),
        }
    }
}

/// What is wrong with a body, without the words of the library that found it.
fn body_fault(what: &str, rejection: &dyn std::error::Error) -> String {
    match rejection.source() {
        Some(fault) => format!("{what}: {fault}"),
        None => what.to_owned(),
    }
}

impl From<BytesRejection> for Error {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Self::new(Reason::RequestEntityTooLarge, "the body of the request is too large")
        } else {
            Self::bad_request(rejection.body_text())
        }
    }
}

impl From<QueryRejection> for Error {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

/// An error and everything that caused it, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_chain_names_each_cause_once() {
        let error = Error::internal(Outer(std::io::Error::other("disk on fire")));
        assert_eq!(
            chain(&error),
            "Internal error occurred; the log of the server says more: outer: disk on fire"
        );
    }

    #[tokio::test]
    async fn our_own_faults_tell_the_caller_nothing() {
        let response = Error::internal(Outer(std::io::Error::other("password hunter2"))).into_response();
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("InternalError") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn every_reason_has_a_code_of_its_kind() {
        let client = [
            Reason::BadRequest,
            Reason::Invalid,
            Reason::Misdirected,
            Reason::TooManyRequests,
        ];
        assert!(client.iter().all(|reason| reason.code().is_client_error()));
        let server = [Reason::InternalError, Reason::BadGateway, Reason::Timeout];
        assert!(server.iter().all(|reason| reason.code().is_server_error()));
    }
}
