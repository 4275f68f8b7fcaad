//! `metav1.Status`: the one form of an error, on every surface.
//!
//! kubectl prints `details.causes` of a 422 and swallows the message, prints the message of most others, and retries
//! some reasons; client libraries go by `reason`. Where a member cluster is involved `details` also says which one, at
//! which stage, and what to do about it.

use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderValue};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

/// An error of a Kubernetes API, or (with `status: Success`) the answer to a deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename = "Status", rename_all = "camelCase")]
pub struct Status {
    /// `v1`.
    #[serde(skip_deserializing, default = "api_version")]
    api_version: &'static str,
    /// Empty, but clients expect it.
    #[serde(default)]
    metadata: Metadata,
    /// `Failure` or `Success`.
    #[serde(default)]
    pub status: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// For programs; Kubernetes' own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// More for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<Details>>,
    /// The HTTP status.
    #[serde(default)]
    pub code: u16,
}

fn api_version() -> &'static str {
    "v1"
}

/// The metadata of a status, which has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Metadata {}

/// What a status is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// Name of the object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// API group of the object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Kind (or resource) of the object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// UID of the object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Field by field, what is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    /// When to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<i64>,
    /// The member cluster involved.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// The stage of a connection that failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stage: String,
    /// The way out.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cause {
    /// Such as `FieldValueInvalid`.
    pub reason: String,
    /// For people.
    pub message: String,
    /// Path of the field, such as `spec.overrides[0].clusterName`.
    pub field: String,
}

impl Cause {
    /// A cause with these parts.
    pub fn new(reason: &str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            message: message.into(),
            field: field.into(),
        }
    }

    /// A field whose value cannot be used.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new("FieldValueInvalid", field, message)
    }

    /// A field that is missing.
    pub fn required(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new("FieldValueRequired", field, message)
    }
}

impl Status {
    /// A failure.
    pub fn failure(code: StatusCode, reason: &str, message: impl Into<String>) -> Self {
        Self {
            api_version: api_version(),
            metadata: Metadata {},
            status: "Failure".into(),
            message: message.into(),
            reason: reason.into(),
            details: None,
            code: code.as_u16(),
        }
    }

    /// What a deletion answers when the object is gone.
    pub fn deleted(group: &str, resource: &str, name: &str, uid: &str) -> Self {
        Self {
            status: "Success".into(),
            reason: String::new(),
            details: Some(Box::new(Details {
                name: name.into(),
                group: group.into(),
                kind: resource.into(),
                uid: uid.into(),
                ..Details::default()
            })),
            ..Self::failure(StatusCode::OK, "", "")
        }
    }

    /// The same with changed details.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Details)) -> Self {
        change(self.details.get_or_insert_default());
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

    /// 404.
    pub fn not_found(group: &str, resource: &str, name: &str) -> Self {
        let qualified = qualified(group, resource);
        Self::failure(
            StatusCode::NOT_FOUND,
            "NotFound",
            format!("{qualified} \"{name}\" not found"),
        )
        .about(group, resource, name)
    }

    /// 404 for a path that is no API.
    pub fn no_such_path() -> Self {
        Self::failure(
            StatusCode::NOT_FOUND,
            "NotFound",
            "the server could not find the requested resource",
        )
    }

    /// 409 for a name that is taken.
    pub fn already_exists(group: &str, resource: &str, name: &str) -> Self {
        let qualified = qualified(group, resource);
        Self::failure(
            StatusCode::CONFLICT,
            "AlreadyExists",
            format!("{qualified} \"{name}\" already exists"),
        )
        .about(group, resource, name)
    }

    /// 409 for a change made from an old version.
    pub fn conflict(group: &str, resource: &str, name: &str, why: &str) -> Self {
        let qualified = qualified(group, resource);
        Self::failure(
            StatusCode::CONFLICT,
            "Conflict",
            format!("Operation cannot be fulfilled on {qualified} \"{name}\": {why}"),
        )
        .about(group, resource, name)
    }

    /// 422 with a cause for each field. The message repeats them, for clients that print nothing else.
    pub fn invalid(group: &str, kind: &str, name: &str, causes: Vec<Cause>) -> Self {
        let list: Vec<String> = causes
            .iter()
            .map(|cause| {
                if cause.field.is_empty() {
                    cause.message.clone()
                } else {
                    format!("{}: {}", cause.field, cause.message)
                }
            })
            .collect();
        let list = if list.len() == 1 {
            list.concat()
        } else {
            format!("[{}]", list.join(", "))
        };
        let message = format!("{} \"{name}\" is invalid: {list}", qualified(group, kind));
        Self::failure(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message)
            .about(group, kind, name)
            .with(|details| details.causes = causes)
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::failure(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 401.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::failure(StatusCode::UNAUTHORIZED, "Unauthorized", message)
    }

    /// 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::failure(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    /// 405.
    pub fn method_not_allowed(method: &Method) -> Self {
        Self::failure(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            format!("{method} is not supported on this path"),
        )
    }

    /// 415 that lists what is accepted.
    pub fn unsupported_media_type(given: &str, accepted: &[&str]) -> Self {
        Self::failure(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            format!(
                "the body of the request was in an unknown format ({given}) - accepted media types include: {}",
                accepted.join(", ")
            ),
        )
    }

    /// 410: the version asked for is no longer kept.
    pub fn expired(oldest: u64) -> Self {
        Self::failure(
            StatusCode::GONE,
            "Expired",
            format!("the requested resource version is too old; the oldest that is kept is {oldest}"),
        )
    }

    /// 413.
    pub fn too_large(limit: usize) -> Self {
        Self::failure(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            format!("Request entity too large: limit is {limit} bytes"),
        )
    }

    /// 429.
    pub fn too_many_requests(message: impl Into<String>, retry_after_seconds: i64) -> Self {
        Self::failure(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message)
            .with(|details| details.retry_after_seconds = Some(retry_after_seconds))
    }

    /// 422 for one field.
    pub fn invalid_field(group: &str, kind: &str, name: &str, field: &str, message: impl Into<String>) -> Self {
        Self::invalid(group, kind, name, vec![Cause::invalid(field, message)])
    }

    /// 504: something behind this server did not answer in time.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::failure(StatusCode::GATEWAY_TIMEOUT, "Timeout", message)
    }

    /// 503.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::failure(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)
    }

    /// 500; the cause belongs in the log, not in the answer.
    pub fn internal() -> Self {
        Self::failure(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            "Internal error occurred; the log of the server says more",
        )
    }

    /// The HTTP status of this failure.
    pub fn http_status(&self) -> StatusCode {
        StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Whether this is the reason.
    pub fn is(&self, reason: &str) -> bool {
        self.reason == reason
    }
}

fn qualified(group: &str, resource: &str) -> String {
    if group.is_empty() {
        resource.to_owned()
    } else {
        format!("{resource}.{group}")
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Status {}

impl IntoResponse for Status {
    fn into_response(self) -> Response {
        let mut response = (self.http_status(), axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
        if let Some(seconds) = self.details.as_ref().and_then(|details| details.retry_after_seconds)
            && let Ok(value) = HeaderValue::from_str(&seconds.to_string())
        {
            headers.insert(header::RETRY_AFTER, value);
        }
        if self.code == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_object_names_each_field_in_message_and_causes() {
        let status = Status::invalid(
            "g",
            "K",
            "n",
            vec![
                Cause::required("spec.a", "is missing"),
                Cause::invalid("spec.b", "is bad"),
            ],
        );
        assert_eq!(
            status.message,
            "K.g \"n\" is invalid: [spec.a: is missing, spec.b: is bad]"
        );
        assert_eq!(status.details.unwrap().causes.len(), 2);
    }

    #[test]
    fn a_status_written_and_read_is_the_same() {
        let status = Status::not_found("", "pods", "x").with(|details| details.hint = "look elsewhere".into());
        let text = serde_json::to_string(&status).unwrap();
        assert!(text.contains(r#""metadata":{}"#));
        assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status);
    }
}
