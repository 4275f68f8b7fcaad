//! The console API: one file for each resource, with its parameters, bodies and handlers together.
//!
//! camelCase on the wire, times in RFC 3339, unknown values null. Lists answer `{"items": […], "totalItems": n}` and
//! take `page`, `limit`, `sortBy`, `ascending` and `name` beside filters of their own; a parameter or field that is
//! not known is a 400 that names it, never silently ignored.
#![expect(
    unused_qualifications,
    reason = "utoipa's attribute repeats the types of `Query` parameters with a path"
)]

pub mod clusters;
pub mod connection_checks;
pub mod credential;
pub mod federated;
pub mod holds;
pub mod kubeconfigs;
pub mod me;
pub mod sessions;
pub mod stream;
pub mod stream_tickets;
pub mod tokens;

mod listing;
mod ndjson;

pub use listing::{List, Paging};

use std::borrow::Cow;
use std::fmt;

use atoll_kubeapi::Status;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderMap};
use http::request::Parts;
use secrecy::SecretString;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, Result};

/// An object of a Kubernetes API that was written, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// Such as `rbac.authorization.k8s.io/v1`.
    pub api_version: String,
    /// Such as `ClusterRoleBinding`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl ObjectRef {
    /// A reference of these parts.
    pub fn new(api_version: &str, kind: &str, name: &str) -> Self {
        Self {
            api_version: api_version.into(),
            kind: kind.into(),
            name: name.into(),
        }
    }
}

/// Reads text that is a secret, for fields of bodies.
fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// A JSON body, refused as a `Status` when it cannot be read.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        require_json(request.headers())?;
        let body = Bytes::from_request(request, state).await?;
        // Serde would take an array for a struct, field by field.
        let begins = body.iter().find(|byte| !byte.is_ascii_whitespace());
        if begins.is_some_and(|byte| *byte != b'{') && serde_json::from_slice::<IgnoredAny>(&body).is_ok() {
            return Err(Error::bad_request("the body must be a JSON object"));
        }
        let axum::Json(value) = axum::Json::from_bytes(&body)?;
        Ok(Self(value))
    }
}

/// Pages of other sites cannot send this type unasked, so it is insisted on even where the body is JSON all the same.
fn require_json(headers: &HeaderMap) -> Result<()> {
    let sent = headers
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let essence = sent
        .as_deref()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    Err(Status::unsupported_media_type(sent.as_deref().unwrap_or("none"), &["application/json"]).into())
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Parameters of the path, refused as a `Status` when they cannot be read.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        let axum::extract::Path(value) = path.map_err(|rejection| Error::bad_request(rejection.body_text()))?;
        Ok(Self(value))
    }
}

/// Query parameters; the type denies unknown ones.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let deserializer = serde::de::value::MapDeserializer::new(pairs.map(|(name, value)| {
            let word = Word {
                name: name.clone(),
                value,
            };
            (name, word)
        }));
        T::deserialize(deserializer)
            .map(Self)
            .map_err(|error: serde::de::value::Error| Error::bad_request(format!("query: {error}")))
    }
}

/// A value of a query, which is text, a number or a boolean as the parameter wants it.
struct Word<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

impl Word<'_> {
    fn refused(&self, why: impl fmt::Display) -> serde::de::value::Error {
        serde::de::Error::custom(format!("{}: {why}", self.name))
    }
}

impl<'de> serde::de::IntoDeserializer<'de, serde::de::value::Error> for Word<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parse_word {
    ($($method:ident => $visit:ident: $type:ty, $wanted:literal);* $(;)?) => {
        $(fn $method<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            let parsed = self.value.parse::<$type>();
            let value = parsed.map_err(|_| self.refused(format_args!("{:?} is not {}", self.value, $wanted)))?;
            visitor.$visit(value)
        })*
    };
}

impl<'de> serde::Deserializer<'de> for Word<'de> {
    type Error = serde::de::value::Error;

    parse_word! {
        deserialize_bool => visit_bool: bool, "true or false";
        deserialize_u32 => visit_u32: u32, "a number from 0";
        deserialize_u64 => visit_u64: u64, "a number from 0";
        deserialize_i64 => visit_i64: i64, "a number";
    }

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_str(&self.value)
    }

    fn deserialize_option<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let variant = serde::de::IntoDeserializer::<Self::Error>::into_deserializer(self.value.as_ref());
        visitor.visit_enum(variant).map_err(|error| self.refused(error))
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 u8 u16 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Managed {
        Orphan,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Parameters {
        limit: Option<u32>,
        ascending: Option<bool>,
        sort_by: Option<String>,
        managed: Option<Managed>,
    }

    async fn read(query: &str) -> Result<Parameters> {
        let (mut parts, ()) = http::Request::builder()
            .uri(format!("/x?{query}"))
            .body(())
            .unwrap()
            .into_parts();
        Query::from_request_parts(&mut parts, &())
            .await
            .map(|Query(value)| value)
    }

    async fn read_body(content_type: &str, body: &'static str) -> Error {
        let request = Request::builder()
            .header(CONTENT_TYPE, content_type)
            .body(body.into())
            .unwrap();
        Json::<Parameters>::from_request(request, &()).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_body_is_one_json_object_and_says_so() {
        let json = "application/json; charset=utf-8";
        for (content_type, body, code, said) in [
            ("text/plain", "{}", 415, "(text/plain)"),
            (json, "[5, true, \"a\", null]", 400, "must be a JSON object"),
            (json, "\"a\"", 400, "must be a JSON object"),
            (json, "", 400, "the body is not valid JSON: EOF"),
            (json, "[", 400, "the body is not valid JSON: EOF"),
            (
                json,
                "{\"limit\": -1}",
                400,
                "the body does not fit: limit: invalid value",
            ),
            (
                json,
                "{\"colour\": 1}",
                400,
                "the body does not fit: colour: unknown field `colour`",
            ),
        ] {
            let error = read_body(content_type, body).await;
            assert_eq!(error.code(), code, "{body}: {error}");
            assert!(error.to_string().contains(said), "{body}: {error}");
        }
    }

    #[tokio::test]
    async fn parameters_are_read_as_what_they_are() {
        let read = read("limit=5&ascending=false&sortBy=a%20b&managed=orphan")
            .await
            .unwrap();
        let expected = Parameters {
            limit: Some(5),
            ascending: Some(false),
            sort_by: Some("a b".into()),
            managed: Some(Managed::Orphan),
        };
        assert_eq!(read, expected);
    }

    #[tokio::test]
    async fn unknown_repeated_and_odd_parameters_are_named() {
        for (query, named) in [
            ("colour=red", "colour"),
            ("limit=1&limit=2", "limit"),
            ("limit=many", "limit: \"many\" is not a number"),
            ("ascending=maybe", "ascending: \"maybe\" is not true or false"),
            ("managed=burn", "managed: unknown variant `burn`"),
        ] {
            let error = read(query).await.unwrap_err();
            assert_eq!(error.code(), 400, "{query}");
            assert!(error.to_string().contains(named), "{query}: {error}");
        }
    }
}
