//! The hub's own calls to a member: JSON in and out, within bounds of time and size, as the stored credential.

mod answer;

use std::time::Duration;

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::connect::ConnectError;
use crate::member::{Member, Unavailable};

pub(crate) use answer::{Answer, refusal_of};

/// Largest answer about one object: it may have 1.5 MiB in etcd, of which `<`, `>` and `&` are six bytes each in JSON.
pub(crate) const MAX_OBJECT: usize = 10 * 1024 * 1024;
/// Largest answer of any other kind.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// A call of the hub's own.
#[derive(Debug, Clone)]
pub struct OwnRequest {
    /// Method.
    pub method: Method,
    /// Path and query, with a leading slash.
    pub path: String,
    /// What the body is; JSON when it is not said.
    pub content_type: Option<&'static str>,
    /// Body.
    pub body: Option<Value>,
    /// Bytes of an answer that are read; one that is longer is none.
    pub(crate) most: usize,
}

impl OwnRequest {
    fn new(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        Self {
            method,
            path: path.into(),
            content_type: None,
            body,
            most: MAX_OBJECT,
        }
    }

    /// Reads.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            most: MAX_ANSWER,
            ..Self::new(Method::GET, path, None)
        }
    }

    /// Reads one object.
    pub fn get_object(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, None)
    }

    /// Deletes; `options` is a `DeleteOptions`, with the UID that is meant as a precondition.
    pub fn delete(path: impl Into<String>, options: Option<Value>) -> Self {
        Self::new(Method::DELETE, path, options)
    }

    /// Server-side apply.
    pub fn apply_patch(path: impl Into<String>, manager: &str, force: bool, object: Value) -> Self {
        let path = path.into();
        let separator = if path.contains('?') { '&' } else { '?' };
        let manager = utf8_percent_encode(manager, NON_ALPHANUMERIC);
        let path = format!("{path}{separator}fieldManager={manager}&force={force}");
        Self {
            content_type: Some("application/apply-patch+yaml"),
            ..Self::new(Method::PATCH, path, Some(object))
        }
    }

    /// JSON merge patch.
    pub fn merge_patch(path: impl Into<String>, patch: Value) -> Self {
        Self {
            content_type: Some("application/merge-patch+json"),
            ..Self::new(Method::PATCH, path, Some(patch))
        }
    }

    /// Any method with a JSON body.
    pub fn json(method: Method, path: impl Into<String>, body: Value) -> Self {
        Self::new(method, path, Some(body))
    }
}

/// A `metav1.Status` by which a member refuses.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub code: u16,
    /// Kubernetes' word, such as `NotFound`; empty when the member gave none.
    pub reason: String,
    /// For people.
    pub message: String,
    /// `details` as they came, `Null` when there were none.
    pub details: Value,
    /// When the member wants to be asked again.
    pub retry_after: Option<Duration>,
}

/// Why a call of the hub's own did not succeed. No text holds the credential.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// What is registered makes no connection.
    #[error("the cluster's registration cannot be used: {0}")]
    Malformed(String),
    /// Too many calls to this member are under way.
    #[error("too many requests to this cluster are under way")]
    Busy,
    /// No connection.
    #[error("the cluster cannot be reached: {0}")]
    Connect(ConnectError),
    /// No complete answer in time.
    #[error("the cluster did not answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The exchange broke off.
    #[error("the exchange with the cluster failed: {0}")]
    Broken(String),
    /// The answer has more bytes than this.
    #[error("the exchange with the cluster failed: the answer is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
    /// The member says no.
    #[error("{}", .0.message)]
    Refused(Box<Refusal>),
    /// Something answers, but not as a Kubernetes API server does.
    #[error("the answer is not Kubernetes': {0}")]
    NotKubernetes(String),
}

impl OwnError {
    /// What the member said, when it refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Malformed(_)
            | Self::Busy
            | Self::Connect(_)
            | Self::TimedOut(_)
            | Self::Broken(_)
            | Self::TooLarge(_)
            | Self::NotKubernetes(_) => None,
        }
    }

    fn is(&self, code: u16) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code == code)
    }

    fn detail(&self, name: &str) -> Option<&str> {
        self.refusal()?
            .details
            .get(name)?
            .as_str()
            .filter(|text| !text.is_empty())
    }

    /// The object that was asked for does not exist. Its namespace may be what is missing: see
    /// [`OwnError::is_namespace_missing`].
    pub fn is_not_found_object(&self) -> bool {
        self.is(404) && self.detail("name").is_some()
    }

    /// The namespace that was written to does not exist.
    pub fn is_namespace_missing(&self) -> bool {
        self.is(404) && self.detail("kind") == Some("namespaces")
    }

    /// The kind that was asked for does not exist in this member: nothing is known about objects.
    pub fn is_api_missing(&self) -> bool {
        self.is(404) && self.detail("name").is_none()
    }

    /// The member takes the credential for nobody's.
    pub fn is_unauthorized(&self) -> bool {
        self.is(401)
    }

    /// The credential may not do this.
    pub fn is_forbidden(&self) -> bool {
        self.is(403)
    }

    /// Somebody else's change or field is in the way.
    pub fn is_conflict(&self) -> bool {
        self.refusal()
            .is_some_and(|refusal| refusal.code == 409 && refusal.reason != "AlreadyExists")
    }

    /// There is such an object already.
    pub fn is_already_exists(&self) -> bool {
        self.refusal()
            .is_some_and(|refusal| refusal.code == 409 && refusal.reason == "AlreadyExists")
    }

    /// The member does not take this object.
    pub fn is_invalid(&self) -> bool {
        self.is(422)
    }

    /// The revision that was asked for is compacted.
    pub fn is_expired(&self) -> bool {
        self.is(410)
    }

    /// When the member wants to be asked again.
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal()?.retry_after
    }

    /// Whether the same call may succeed later, without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy
            | Self::Connect(_)
            | Self::TimedOut(_)
            | Self::Broken(_)
            | Self::TooLarge(_)
            | Self::NotKubernetes(_) => true,
            Self::Malformed(_) => false,
            Self::Refused(refusal) => matches!(refusal.code, 408 | 429 | 500..=599),
        }
    }
}

impl From<Unavailable> for OwnError {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::Malformed(why) => Self::Malformed(why),
            Unavailable::Ended => Self::Broken(Unavailable::ENDED.to_owned()),
        }
    }
}

impl Member {
    /// One call of the hub's own, as the stored credential.
    ///
    /// # Errors
    /// When there is no answer, or one that says no.
    pub async fn request(&self, request: OwnRequest) -> Result<Value, OwnError> {
        let transport = self.transport()?;
        let _place = self.places.own.take().await.ok_or(OwnError::Busy)?;
        let _calm = self.places.calm.take().await;
        let answer = transport.ask(request, self.network.deadlines.own_request).await?;
        answer.json(&transport.origin.scrub)
    }
}
