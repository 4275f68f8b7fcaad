//! Bodies of requests: JSON, YAML or protobuf, bounded, with the fields that come twice.

use axum::body::Body as Stream;
use axum::extract::Request;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::patch::PatchType;
use crate::patch::json::MAX_RESULT;
use crate::protobuf;
use crate::request::content_type;
use crate::status::Status;

/// A body that was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Body {
    /// What it says; null for an empty body. Of a field that comes twice the last counts.
    pub value: Value,
    /// Fields that come twice, as paths.
    pub duplicates: Vec<String>,
}

/// Reads the object of a create, an update, a review or a deletion.
///
/// # Errors
/// 400 for what cannot be read, 413 for too much, 415 for another type.
pub async fn read_object(request: Request, limit: usize) -> Result<Body, Status> {
    let kind = content_type(request.headers()).to_owned();
    let bytes = read(request.into_body(), limit).await?;
    if bytes.is_empty() {
        return Ok(Body::default());
    }
    match kind.as_str() {
        "application/json" | "" => json(&bytes),
        "application/yaml" => yaml(&bytes),
        "application/vnd.kubernetes.protobuf" => Ok(Body {
            value: protobuf::decode(&bytes)?,
            duplicates: Vec::new(),
        }),
        other => Err(Status::unsupported_media_type(
            other,
            &[
                "application/json",
                "application/yaml",
                "application/vnd.kubernetes.protobuf",
            ],
        )),
    }
}

/// Reads a patch of a type.
///
/// # Errors
/// 400 for what cannot be read, 413 for too much.
pub async fn read_patch(request: Request, patch_type: PatchType, limit: usize) -> Result<Body, Status> {
    let bytes = read(request.into_body(), limit).await?;
    if patch_type == PatchType::Apply {
        yaml(&bytes)
    } else {
        json(&bytes)
    }
}

async fn read(body: Stream, limit: usize) -> Result<Bytes, Status> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Status::too_large(limit)),
        Err(_) => Err(Status::bad_request("the body of the request ended early")),
    }
}

/// Reads JSON, and notes fields that come twice.
///
/// # Errors
/// 400 for what is no JSON, or nested more than 128 deep.
pub fn json(bytes: &[u8]) -> Result<Body, Status> {
    let bad = |error: serde_json::Error| Status::bad_request(format!("the body is not valid JSON: {error}"));
    let mut notes = Notes::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Noting(&mut notes).deserialize(&mut deserializer).map_err(bad)?;
    deserializer.end().map_err(bad)?;
    Ok(Body {
        value,
        duplicates: notes.found,
    })
}

/// Reads YAML, of which JSON is a part.
///
/// # Errors
/// 400 for what is no YAML or grows too large by its aliases, 413 for too much.
pub fn yaml(bytes: &[u8]) -> Result<Body, Status> {
    if bytes.trim_ascii_start().starts_with(b"{") {
        return json(bytes);
    }
    if bytes.len() > MAX_RESULT {
        return Err(Status::too_large(MAX_RESULT));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Status::bad_request("the body is not UTF-8"))?;
    let value = serde_saphyr::from_str(text)
        .map_err(|error| Status::bad_request(format!("the body is not valid YAML: {error}")))?;
    Ok(Body {
        value,
        duplicates: Vec::new(),
    })
}

/// Where the reader is, and what came twice.
#[derive(Default)]
struct Notes {
    path: Vec<String>,
    found: Vec<String>,
}

/// Reads a value, taking notes.
struct Noting<'a>(&'a mut Notes);

impl<'de> DeserializeSeed<'de> for Noting<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Noting<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            self.0.path.push(format!("[{}]", values.len()));
            let item = items.next_element_seed(Noting(&mut *self.0))?;
            self.0.path.pop();
            match item {
                Some(item) => values.push(item),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            self.0.path.push(if self.0.path.is_empty() {
                key.clone()
            } else {
                format!(".{key}")
            });
            let value = fields.next_value_seed(Noting(&mut *self.0))?;
            if map.insert(key, value).is_some() && self.0.found.len() < 20 {
                self.0.found.push(self.0.path.concat());
            }
            self.0.path.pop();
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_that_come_twice_are_noted_and_the_last_counts() {
        let body = json(br#"{"spec": {"a": 1, "l": [{"x": 1, "x": 2}], "a": 3}, "n": -1.5, "z": null}"#).unwrap();
        assert_eq!(
            body.value,
            json!({"spec": {"a": 3, "l": [{"x": 2}]}, "n": -1.5, "z": null})
        );
        assert_eq!(body.duplicates, ["spec.l[0].x", "spec.a"]);
    }

    #[test]
    fn hostile_text_is_refused() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for text in [
            deep.as_bytes(),
            b"{\"a\": 1e999}",
            b"{",
            b"{} {}",
            b"\"\xff\"",
            b"{\"a\": .5}",
        ] {
            assert_eq!(json(text).unwrap_err().code, 400, "{}", String::from_utf8_lossy(text));
        }
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let row = vec![format!("*a{}", level - 1); 9].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{row}]\n"));
        }
        assert_eq!(yaml(bomb.as_bytes()).unwrap_err().code, 400);
    }

    #[test]
    fn yaml_and_json_say_the_same() {
        let expected = json!({"metadata": {"name": "web"}, "spec": {"replicas": 2, "on": "true"}});
        assert_eq!(
            yaml(b"metadata:\n  name: web\nspec:\n  replicas: 2\n  \"on\": \"true\"\n")
                .unwrap()
                .value,
            expected
        );
        assert_eq!(yaml(expected.to_string().as_bytes()).unwrap().value, expected);
    }
}
