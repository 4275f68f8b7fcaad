//! A person's request to a member, as that person.
//!
//! What arrives here was judged by the hub; what leaves is built anew. Headers come from an allow-list, so that nothing
//! a caller says can stand for, or remove, what the hub says: who is asking, and with which credential.

mod body;
mod headers;
mod upgrade;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::upgrade::OnUpgrade;

pub use body::ForwardedBody;

use crate::connect::ConnectError;
use crate::identity::{Identity, IdentityError};
use crate::member::{Member, Unavailable};
use crate::transport::{Pool, RequestError, SendError, empty};
use body::Outgoing;
use upgrade::Asked;

/// Any error that ends a body.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// The body of a forwarded request.
pub type RequestBody = UnsyncBoxBody<Bytes, BoxError>;

/// How long a forwarded request may take, which decides about connection, places and deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ForwardClass {
    /// An answer with an end: pooled connection, and a deadline for the head of the answer.
    Short,
    /// A watch or a followed log: a connection of its own, no deadline.
    Long,
    /// A tunnel: a connection of its own that ends in 101 or is closed.
    Upgrade,
}

/// A request to be forwarded.
pub struct ForwardRequest {
    /// Method.
    pub method: Method,
    /// Path, judged and re-encoded, with a leading slash.
    pub path: String,
    /// Query as it was judged, without the question mark.
    pub query: Option<String>,
    /// Headers; those on the allow-list are sent.
    pub headers: HeaderMap,
    /// Body; not sent with an upgrade.
    pub body: RequestBody,
    /// Its class.
    pub class: ForwardClass,
}

/// What the member answered.
#[derive(Debug)]
pub struct Forwarded {
    /// Its answer. For an upgrade, keep it while the tunnel runs: it holds the tunnel's place.
    pub response: Response<ForwardedBody>,
    /// The tunnel, when an upgrade was asked for and the answer is 101.
    pub upgrade: Option<OnUpgrade>,
}

/// Why a request was not forwarded, or not answered.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// What is registered makes no connection.
    #[error("the cluster's registration cannot be used: {0}")]
    Malformed(String),
    /// Too much is under way towards this member.
    #[error("too many requests to this cluster are under way")]
    Busy,
    /// No connection.
    #[error("the cluster cannot be reached: {0}")]
    Connect(ConnectError),
    /// No answer in time.
    #[error("the cluster did not answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The exchange broke off, or broke the rules.
    #[error("the exchange with the cluster failed: {0}")]
    Broken(String),
    /// The person cannot be carried to a member.
    #[error("the request cannot be made as this person: {0}")]
    Identity(IdentityError),
}

impl ForwardError {
    /// The stage of a connection that failed, in the words of the staged check.
    pub fn stage(&self) -> Option<&'static str> {
        match self {
            Self::Malformed(_) => Some("kubeconfig"),
            Self::Connect(error) => Some(error.stage.as_str()),
            Self::Busy | Self::TimedOut(_) | Self::Broken(_) | Self::Identity(_) => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Malformed(_) => Some("Give the cluster a new credential."),
            Self::Busy => Some("Ask again in a moment."),
            Self::Connect(error) => Some(error.hint()),
            Self::TimedOut(_) | Self::Broken(_) | Self::Identity(_) => None,
        }
    }
}

impl From<Unavailable> for ForwardError {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::Malformed(why) => Self::Malformed(why),
            Unavailable::Ended => Self::Broken(Unavailable::ENDED.to_owned()),
        }
    }
}

impl From<RequestError> for ForwardError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Path(error) => Self::Broken(error.to_string()),
            RequestError::Identity(error) => Self::Identity(error),
        }
    }
}

impl From<SendError> for ForwardError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Connect(error) => Self::Connect(error),
            SendError::Broken(text) => Self::Broken(text),
        }
    }
}

impl Member {
    /// Carries a person's request to the member, as `identity`.
    ///
    /// `Host`, `Authorization` and `Impersonate-*` are set last, over whatever is in the headers. An upgrade that is
    /// not answered by 101 comes back as an ordinary answer; its connection is not used again.
    ///
    /// # Errors
    /// When it was not forwarded, or not answered. What the member answers is no error, whatever it says.
    pub async fn forward(&self, request: ForwardRequest, identity: &Identity) -> Result<Forwarded, ForwardError> {
        let transport = self.transport()?;
        let ForwardRequest {
            method,
            path,
            query,
            headers,
            body,
            class,
        } = request;
        if method == Method::CONNECT {
            return Err(ForwardError::Broken("the method CONNECT is not forwarded".to_owned()));
        }
        let (pool, places, end) = match class {
            ForwardClass::Short => (Pool::Shared, &self.places.short, &self.cut),
            ForwardClass::Long => (Pool::Single, &self.places.long, &self.ended),
            ForwardClass::Upgrade => (Pool::Single, &self.places.upgrade, &self.ended),
        };
        let asked = match class {
            ForwardClass::Short | ForwardClass::Long => None,
            ForwardClass::Upgrade => {
                Some(Asked::read(&headers).map_err(|error| ForwardError::Broken(error.to_owned()))?)
            }
        };
        let place = places.take().await.ok_or(ForwardError::Busy)?;

        let body = if asked.is_some() { empty() } else { body };
        let (body, progress) = Outgoing::new(body);
        let headers = headers::outgoing(&headers, asked.as_ref());
        let request =
            transport
                .origin
                .request_as(identity, method, &path, query.as_deref(), headers, body.boxed_unsync())?;
        let sent = end.run_until_cancelled(transport.send(pool, request));
        let sent = match class {
            ForwardClass::Short => {
                let limit = self.network.deadlines.response_header;
                progress
                    .within(limit, sent)
                    .await
                    .ok_or(ForwardError::TimedOut(limit))?
            }
            ForwardClass::Long | ForwardClass::Upgrade => sent.await,
        };
        let mut response = sent.ok_or(Unavailable::Ended)??;

        let upgrade = if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let fits = asked
                .as_ref()
                .map_or(Err("the cluster switched protocols without being asked to"), |asked| {
                    asked.judge(response.headers())
                });
            fits.map_err(|error| ForwardError::Broken(error.to_owned()))?;
            Some(hyper::upgrade::on(&mut response))
        } else {
            None
        };
        let response = response.map(|body| ForwardedBody::new(body, end.clone(), place));
        Ok(Forwarded { response, upgrade })
    }
}
