//! Tables: what `kubectl get` prints, cell by cell.

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::request::IncludeObject;
use crate::resource::{Cell, Resource};
use crate::status::Status;

/// How a client wants an object or a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Object,
    /// As rows.
    Table,
    /// Its metadata alone.
    Metadata,
}

impl Form {
    /// The first form in an `Accept` header that can be served.
    ///
    /// # Errors
    /// 406 when there is none.
    pub fn accepted(accept: &str) -> Result<Self, Status> {
        if accept.trim().is_empty() {
            return Ok(Self::Object);
        }
        for part in accept.split(',') {
            let mut parameters = part.split(';').map(str::trim);
            let media = parameters.next().unwrap_or_default();
            if !matches!(media, "application/json" | "application/*" | "*/*") {
                continue;
            }
            let (mut form, mut version) = ("", "v1");
            for parameter in parameters {
                match parameter.split_once('=') {
                    Some(("as", value)) => form = value,
                    Some(("v", value)) => version = value,
                    _ => {}
                }
            }
            match (form, version) {
                ("", _) => return Ok(Self::Object),
                ("Table", "v1") => return Ok(Self::Table),
                ("PartialObjectMetadata" | "PartialObjectMetadataList", "v1") => return Ok(Self::Metadata),
                _ => {}
            }
        }
        let message = "only the following media types are accepted: application/json";
        Err(Status::failure(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message))
    }
}

/// Whether the columns of a resource are all there is: it states Name itself.
fn is_complete(resource: &Resource) -> bool {
    resource.columns.iter().any(|column| column.name == "Name")
}

/// Where Age stands among the columns of a resource: before the last ones that only `-o wide` shows. None when the
/// resource has such a column itself.
fn age_position(resource: &Resource) -> Option<usize> {
    if is_complete(resource) || resource.columns.iter().any(|column| column.name == "Age") {
        return None;
    }
    Some(
        resource
            .columns
            .iter()
            .rposition(|column| column.priority == 0)
            .map_or(0, |last| last + 1),
    )
}

/// Column definitions of a resource.
fn columns(resource: &Resource) -> Value {
    let mut columns: Vec<Value> = resource
        .columns
        .iter()
        .map(|column| {
            // Dates at a place are written as ages, which are text.
            let is_age = column.kind == "date" && matches!(column.cell, Cell::Path(_));
            let kind = if is_age { "string" } else { column.kind };
            let format = if column.name == "Name" { "name" } else { "" };
            json!({"name": column.name, "type": kind, "format": format, "priority": column.priority, "description": column.description})
        })
        .collect();
    if let Some(position) = age_position(resource) {
        let description = "Time since the object was made.";
        columns.insert(
            position,
            json!({"name": "Age", "type": "string", "format": "", "priority": 0, "description": description}),
        );
    }
    if !is_complete(resource) {
        let description = "Name, unique within a namespace.";
        columns.insert(
            0,
            json!({"name": "Name", "type": "string", "format": "name", "priority": 0, "description": description}),
        );
    }
    Value::Array(columns)
}

fn cells(resource: &Resource, object: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells: Vec<Value> = resource
        .columns
        .iter()
        .map(|column| match &column.cell {
            Cell::Function(cell) => cell(object, now),
            Cell::Path(path) if column.kind == "date" => path
                .first(object)
                .and_then(Value::as_str)
                .map_or(Value::Null, |time| age(Some(time), now).into()),
            Cell::Path(path) => cell(column.kind, &path.values(object)),
        })
        .collect();
    if let Some(position) = age_position(resource) {
        cells.insert(
            position,
            age(object["metadata"]["creationTimestamp"].as_str(), now).into(),
        );
    }
    if !is_complete(resource) {
        cells.insert(0, object["metadata"]["name"].clone());
    }
    cells
}

/// A cell of what a path leads to. Several values are listed; maps and lists are written as JSON.
fn cell(kind: &str, values: &[&Value]) -> Value {
    match values {
        [] => Value::Null,
        [one] if kind != "string" => (*one).clone(),
        [Value::String(text)] => text.as_str().into(),
        [Value::Null] => Value::Null,
        several => {
            let texts: Vec<String> = several
                .iter()
                .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
                .collect();
            texts.join(",").into()
        }
    }
}

/// A table of objects, which are as they are kept; a view shows its own form of them. `with_columns` is false for the later events of a watch.
pub fn table(
    resource: &Resource,
    objects: &[Arc<Value>],
    metadata: Value,
    include: IncludeObject,
    with_columns: bool,
    now: Timestamp,
) -> Value {
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let carried = match include {
                IncludeObject::None => Value::Null,
                IncludeObject::Metadata => partial(object),
                IncludeObject::Object => crate::view::shown(resource, object).into_owned(),
            };
            json!({"cells": cells(resource, object, now), "object": carried})
        })
        .collect();
    let definitions = if with_columns { columns(resource) } else { Value::Null };
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": definitions, "rows": rows})
}

/// The metadata of an object, as an object of its own.
pub fn partial(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

/// Time since `created`, in kubectl's short form.
pub fn age(created: Option<&str>, now: Timestamp) -> String {
    let Some(created) = created.and_then(|text| text.parse::<Timestamp>().ok()) else {
        return "<unknown>".into();
    };
    short_duration(now.duration_since(created).as_secs())
}

fn short_duration(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;
    let pair = |big: i64, big_unit: &str, small: i64, small_unit: &str| {
        let (whole, rest) = (seconds / big, seconds % big / small);
        if rest == 0 {
            format!("{whole}{big_unit}")
        } else {
            format!("{whole}{big_unit}{rest}{small_unit}")
        }
    };
    match seconds {
        i64::MIN..0 => "0s".into(),
        s if s < 2 * MINUTE => format!("{s}s"),
        s if s < 10 * MINUTE => pair(MINUTE, "m", 1, "s"),
        s if s < 3 * HOUR => format!("{}m", s / MINUTE),
        s if s < 8 * HOUR => pair(HOUR, "h", MINUTE, "m"),
        s if s < 2 * DAY => format!("{}h", s / HOUR),
        s if s < 8 * DAY => pair(DAY, "d", HOUR, "h"),
        s if s < 2 * YEAR => format!("{}d", s / DAY),
        s if s < 8 * YEAR => pair(YEAR, "y", DAY, "d"),
        s => format!("{}y", s / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Column;

    #[test]
    fn ages_read_as_kubectl_writes_them() {
        for (seconds, text) in [
            (5, "5s"),
            (119, "119s"),
            (130, "2m10s"),
            (3600, "60m"),
            (4 * 3600, "4h"),
            (50 * 3600, "2d2h"),
            (30 * 86400, "30d"),
        ] {
            assert_eq!(short_duration(seconds), text);
        }
    }

    #[test]
    fn the_first_form_that_can_be_served_is_taken() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        for (accept, form) in [
            (table, Form::Table),
            (
                "application/json;as=Table;g=meta.k8s.io;v=v1beta1, application/json",
                Form::Object,
            ),
            (
                "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
                Form::Metadata,
            ),
            ("application/vnd.kubernetes.protobuf,application/json", Form::Object),
            ("", Form::Object),
            ("*/*", Form::Object),
        ] {
            assert_eq!(Form::accepted(accept).unwrap(), form, "{accept}");
        }
        assert_eq!(
            Form::accepted("application/vnd.kubernetes.protobuf").unwrap_err().code,
            406
        );
    }

    #[test]
    fn age_stands_before_the_wide_columns() {
        let resource = Resource {
            columns: vec![
                Column::path("Replicas", "integer", ".spec.replicas"),
                Column::path("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
                Column::path("Image", "string", ".spec.images[*]").wide(),
                Column::path("Since", "date", ".status.since").wide(),
            ],
            ..Resource::new("g.io", "v1", "K", "ks")
        };
        let object = json!({"metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"replicas": 2, "images": ["x", "y"]}, "status": {"conditions": [{"type": "Ready", "status": "True"}], "since": "2026-01-01T00:00:30Z"}});
        let now = "2026-01-01T00:01:00Z".parse().unwrap();
        let table = table(
            &resource,
            &[Arc::new(object)],
            json!({}),
            IncludeObject::None,
            true,
            now,
        );
        let names: Vec<&str> = table["columnDefinitions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["Name", "Replicas", "Ready", "Age", "Image", "Since"]);
        assert_eq!(table["rows"][0]["cells"], json!(["a", 2, "True", "60s", "x,y", "30s"]));
    }

    #[test]
    fn columns_that_state_the_name_are_complete() {
        let resource = Resource {
            columns: vec![
                Column::path("Message", "string", ".message"),
                Column::path("Name", "string", ".metadata.name").wide(),
            ],
            ..Resource::new("g.io", "v1", "K", "ks")
        };
        let object = Arc::new(json!({"metadata": {"name": "a"}, "message": "m"}));
        let now = "2026-01-01T00:01:00Z".parse().unwrap();
        let table = table(&resource, &[object], json!({}), IncludeObject::None, true, now);
        assert_eq!(table["rows"][0]["cells"], json!(["m", "a"]));
        assert_eq!(table["columnDefinitions"].as_array().unwrap().len(), 2);
    }
}
