//! What a member answered, told apart: a value, a refusal in Kubernetes' own form, or somebody else's text.

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{OwnError, Refusal};
use crate::scrub::Scrub;
use crate::transport::SendError;

/// Largest answer that may be a `Status`.
const MAX_STATUS: usize = 256 * 1024;
/// Longest message that is kept of a refusal, in characters.
const MAX_MESSAGE: usize = 8 * 1024;
/// Largest details that are kept of a refusal, in bytes.
const MAX_DETAILS: usize = 64 * 1024;
/// Longest wait that a member may ask for.
const MAX_RETRY_AFTER: u64 = 3600;
/// What an API server says, in plain text, about a path that it does not serve.
const NO_SUCH_PATH: &[u8] = b"404 page not found";

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    content_type: String,
    encoded: bool,
    retry_after: Option<Duration>,
}

/// `metav1.Status`, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    kind: String,
    api_version: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    details: Value,
    #[serde(default)]
    code: Option<u16>,
}

impl Status {
    fn is_failure(&self) -> bool {
        self.kind == "Status" && self.api_version == "v1" && self.status.as_deref() != Some("Success")
    }

    fn into_refusal(self, code: u16, retry_after: Option<Duration>, scrub: &Scrub) -> Refusal {
        let hinted = self
            .details
            .get("retryAfterSeconds")
            .and_then(Value::as_u64)
            .filter(|seconds| *seconds > 0);
        let mut details = self.details;
        let fits = details.is_object() && serde_json::to_vec(&details).is_ok_and(|bytes| bytes.len() <= MAX_DETAILS);
        if fits {
            scrub.clean_value(&mut details);
        } else {
            details = Value::Null;
        }
        let message = self.message.filter(|message| !message.is_empty());
        let message = message.unwrap_or_else(|| format!("the cluster answered {code}"));
        Refusal {
            code,
            reason: scrub.clean(&self.reason.unwrap_or_default(), 80),
            message: scrub.clean(&message, MAX_MESSAGE),
            details,
            retry_after: retry_after.or(hinted.map(|seconds| Duration::from_secs(seconds.min(MAX_RETRY_AFTER)))),
        }
    }
}

impl Answer {
    /// Reads a whole answer of at most so many bytes.
    pub(crate) async fn read(response: Response<Incoming>, most: usize) -> Result<Self, OwnError> {
        let (parts, body) = response.into_parts();
        let body = match Limited::new(body, most).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Err(OwnError::TooLarge(most));
            }
            Err(error) => return Err(SendError::of(&*error).into()),
        };
        let text = |name| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let encoding = text(header::CONTENT_ENCODING);
        Ok(Self {
            status: parts.status,
            body,
            content_type: text(header::CONTENT_TYPE).to_owned(),
            encoded: !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity"),
            retry_after: retry_after(&parts.headers),
        })
    }

    /// The value that was asked for.
    pub(crate) fn json(self, scrub: &Scrub) -> Result<Value, OwnError> {
        let value: Value = self.read_json(scrub)?;
        if value["kind"] == "Status" && value["apiVersion"] == "v1" && value["status"] != "Success" {
            return Err(self.foreign("and yet a failure", scrub));
        }
        if !value.is_object() {
            return Err(self.foreign("where an object was expected", scrub));
        }
        Ok(value)
    }

    /// The same, read as `T`.
    pub(crate) fn read_json<T: DeserializeOwned>(&self, scrub: &Scrub) -> Result<T, OwnError> {
        if self.encoded {
            return Err(self.foreign("compressed without being asked to", scrub));
        }
        // What is longer is no failure, and large enough to be read once.
        let status = (self.body.len() <= MAX_STATUS)
            .then(|| serde_json::from_slice(&self.body).ok())
            .flatten()
            .filter(Status::is_failure);
        if self.status.is_success() {
            if status.is_some() {
                return Err(self.foreign("and yet a failure", scrub));
            }
            return serde_json::from_slice(&self.body).map_err(|error| {
                let broken = match error.classify() {
                    serde_json::error::Category::Eof => "which breaks off",
                    serde_json::error::Category::Data => "of another shape than was asked for",
                    serde_json::error::Category::Syntax | serde_json::error::Category::Io => "where JSON was expected",
                };
                self.foreign(broken, scrub)
            });
        }
        let code = self.status.as_u16();
        if let Some(status) = status {
            return Err(OwnError::Refused(Box::new(status.into_refusal(
                code,
                self.retry_after,
                scrub,
            ))));
        }
        // Two answers that an API server gives in plain text.
        if code == 404 && self.body.trim_ascii() == NO_SUCH_PATH {
            return Err(self.refused("NotFound", "the server could not find the requested resource"));
        }
        if code == 429 {
            return Err(self.refused("TooManyRequests", "the cluster asks for fewer requests"));
        }
        Err(self.foreign("without a Status", scrub))
    }

    fn refused(&self, reason: &str, message: &str) -> OwnError {
        OwnError::Refused(Box::new(Refusal {
            code: self.status.as_u16(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            details: Value::Null,
            retry_after: self.retry_after,
        }))
    }

    fn foreign(&self, what: &str, scrub: &Scrub) -> OwnError {
        let kind = self
            .content_type
            .split(';')
            .next()
            .map(str::trim)
            .filter(|kind| !kind.is_empty());
        let kind = scrub.clean(kind.unwrap_or("no content type"), 80);
        let code = self.status.as_u16();
        let quote = if self.encoded {
            String::new()
        } else {
            scrub.excerpt(&self.body)
        };
        OwnError::NotKubernetes(format!("{code} with {kind}, {what}{quote}"))
    }
}

/// A `Status` that came as an event of a watch.
pub(crate) fn refusal_of(object: Value, scrub: &Scrub) -> Option<Refusal> {
    let status: Status = serde_json::from_value(object).ok().filter(Status::is_failure)?;
    let code = status.code.unwrap_or(500);
    Some(status.into_refusal(code, None, scrub))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(MAX_RETRY_AFTER)))
}
