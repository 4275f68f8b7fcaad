//! Overrides: what differs from the template in one cluster, as a list of JSON-patch operations.
//!
//! The list is read as a whole before anything is applied; how one operation changes an object is in [`patch`].

mod patch;

use serde_json::Value;

pub use patch::apply;

use crate::{ClusterName, FieldError};

/// The most operations one cluster may have: beyond it somebody is generating them by mistake.
pub const MAX_OPERATIONS: usize = 1000;

/// Paths that say which object this is.
const IDENTITY: [&[&str]; 4] = [
    &["metadata", "namespace"],
    &["metadata", "name"],
    &["metadata", "generateName"],
    &["kind"],
];

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Put a value in, moving list items on.
    Add,
    /// Take a value out; it must be there.
    Remove,
    /// Put a value in the place of another; in a map it need not be there.
    Replace,
}

impl Op {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What to do.
    pub op: Op,
    /// The JSON pointer, as written.
    pub path: String,
    /// The pointer's segments, unescaped.
    pub(crate) segments: Vec<String>,
    /// The value; null when none is given, as in KubeFed. Of no account for `remove`.
    pub value: Value,
}

/// The operations for one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterOverrides {
    /// The cluster's name. A name that nobody registered is no error: the cluster may come later.
    pub cluster: String,
    /// What to do, in order.
    pub operations: Vec<Operation>,
}

/// `spec.overrides`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides(Vec<ClusterOverrides>);

impl Overrides {
    /// Reads `spec.overrides`, the whole list.
    ///
    /// # Errors
    /// Every field that cannot be meant.
    pub fn parse(overrides: Option<&Value>) -> Result<Self, Vec<FieldError>> {
        let items = match overrides {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::Array(items)) => items,
            Some(_) => {
                return Err(vec![FieldError::invalid(
                    "spec.overrides",
                    "must be a list with one entry for each cluster",
                )]);
            }
        };
        let mut errors = Vec::new();
        let mut entries: Vec<ClusterOverrides> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let field = format!("spec.overrides[{index}]");
            let cluster = item.get("clusterName").and_then(Value::as_str).unwrap_or_default();
            if cluster.is_empty() {
                errors.push(FieldError::required(
                    format!("{field}.clusterName"),
                    "names the cluster these overrides are for",
                ));
            } else if entries.iter().any(|entry| entry.cluster == cluster) {
                errors.push(FieldError::duplicate(
                    format!("{field}.clusterName"),
                    format!("{cluster} has overrides already; put all its operations into one entry"),
                ));
            }
            entries.push(ClusterOverrides {
                cluster: cluster.to_owned(),
                operations: read_operations(item, &format!("{field}.clusterOverrides"), &mut errors),
            });
        }
        if errors.is_empty() {
            Ok(Self(entries))
        } else {
            Err(errors)
        }
    }

    /// The operations for this cluster, none if it has no entry.
    pub fn for_cluster(&self, cluster: &ClusterName) -> &[Operation] {
        self.0
            .iter()
            .find(|entry| entry.cluster == cluster.as_str())
            .map_or(&[], |entry| entry.operations.as_slice())
    }

    /// All entries in the order of the list.
    pub fn entries(&self) -> &[ClusterOverrides] {
        &self.0
    }
}

/// Whether one of these operations changes the value at this pointer, or what holds it.
pub(crate) fn touch(operations: &[Operation], pointer: &str) -> bool {
    operations.iter().any(|operation| {
        pointer
            .strip_prefix(operation.path.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn read_operations(entry: &Value, field: &str, errors: &mut Vec<FieldError>) -> Vec<Operation> {
    let items = match entry.get("clusterOverrides") {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            errors.push(FieldError::invalid(
                field,
                "must be a list of operations, such as [{path: /spec/replicas, value: 3}]",
            ));
            return Vec::new();
        }
    };
    if items.len() > MAX_OPERATIONS {
        errors.push(FieldError::invalid(
            field,
            format!(
                "has {} operations, and {MAX_OPERATIONS} are the most; replace a whole map or list with one operation",
                items.len()
            ),
        ));
        return Vec::new();
    }
    let mut operations: Vec<Operation> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let field = format!("{field}[{index}]");
        if let Some(operation) = read_operation(item, &field, errors) {
            if operations.iter().any(|other| other.segments == operation.segments) {
                errors.push(FieldError::duplicate(
                    format!("{field}.path"),
                    format!("{} stands there twice for this cluster; keep one", operation.path),
                ));
            }
            operations.push(operation);
        }
    }
    operations
}

fn read_operation(item: &Value, field: &str, errors: &mut Vec<FieldError>) -> Option<Operation> {
    let op = match item.get("op") {
        None | Some(Value::Null) => Some(Op::Replace),
        Some(Value::String(word)) => match word.as_str() {
            "" | "replace" => Some(Op::Replace),
            "add" => Some(Op::Add),
            "remove" => Some(Op::Remove),
            _ => None,
        },
        Some(_) => None,
    };
    if op.is_none() {
        errors.push(FieldError::invalid(
            format!("{field}.op"),
            format!(
                "{} is no operation; use add, remove or replace (the default)",
                item["op"]
            ),
        ));
    }
    let path_field = format!("{field}.path");
    let path = match item.get("path").and_then(Value::as_str) {
        None | Some("") => {
            errors.push(FieldError::required(
                path_field,
                "names the value to change, such as /spec/replicas",
            ));
            return None;
        }
        Some(path) => path,
    };
    let Some(pointer) = path.strip_prefix('/') else {
        errors.push(FieldError::invalid(
            path_field,
            format!("{path:?} is no path; begin it with '/', as in /spec/replicas"),
        ));
        return None;
    };
    let segments: Vec<String> = pointer
        .split('/')
        .map(|segment| segment.replace("~1", "/").replace("~0", "~"))
        .collect();
    if IDENTITY.iter().any(|identity| *identity == segments) {
        errors.push(FieldError::forbidden(
            path_field,
            format!(
                "{path} may not be overridden: it says which object this is; make a second federated object instead"
            ),
        ));
        return None;
    }
    Some(Operation {
        op: op?,
        path: path.to_owned(),
        segments,
        value: item.get("value").cloned().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::FieldReason;

    fn refused(overrides: Value) -> Vec<(String, FieldReason)> {
        let errors = Overrides::parse(Some(&overrides)).unwrap_err();
        errors.into_iter().map(|error| (error.field, error.reason)).collect()
    }

    fn one(operations: Value) -> Value {
        json!([{"clusterName": "eu-1", "clusterOverrides": operations}])
    }

    #[test]
    fn a_missing_or_empty_op_means_replace_and_a_missing_value_null() {
        let read = Overrides::parse(Some(&one(
            json!([{"path": "/a"}, {"op": "", "path": "/b", "value": 0}]),
        )))
        .unwrap();
        let operations = &read.entries()[0].operations;
        assert_eq!((operations[0].op, &operations[0].value), (Op::Replace, &Value::Null));
        assert_eq!((operations[1].op, &operations[1].value), (Op::Replace, &json!(0)));
    }

    #[test]
    fn a_cluster_may_stand_there_once() {
        let twice = json!([{"clusterName": "eu-1"}, {"clusterName": "us-1"}, {"clusterName": "eu-1"}]);
        assert_eq!(
            refused(twice),
            [("spec.overrides[2].clusterName".to_owned(), FieldReason::Duplicate)]
        );
    }

    #[test]
    fn a_path_may_stand_there_once_for_a_cluster() {
        let field = "spec.overrides[0].clusterOverrides[1].path".to_owned();
        assert_eq!(
            refused(one(json!([{"path": "/a/b"}, {"op": "remove", "path": "/a/b"}]))),
            [(field, FieldReason::Duplicate)]
        );
    }

    #[test]
    fn paths_of_identity_are_forbidden() {
        for path in [
            "/metadata/namespace",
            "/metadata/name",
            "/metadata/generateName",
            "/kind",
        ] {
            let field = "spec.overrides[0].clusterOverrides[0].path".to_owned();
            assert_eq!(
                refused(one(json!([{"path": path, "value": "x"}]))),
                [(field, FieldReason::Forbidden)],
                "{path}"
            );
        }
        assert!(Overrides::parse(Some(&one(json!([{"path": "/apiVersion", "value": "apps/v1"}])))).is_ok());
    }

    #[test]
    fn test_move_and_copy_are_no_operations() {
        for op in ["test", "move", "copy", "Add"] {
            assert_eq!(
                refused(one(json!([{"op": op, "path": "/a"}])))[0].1,
                FieldReason::Invalid,
                "{op}"
            );
        }
    }

    #[test]
    fn more_than_a_thousand_operations_are_refused() {
        let operations = |count: usize| {
            Value::Array(
                (0..count)
                    .map(|index| json!({"path": format!("/data/{index}")}))
                    .collect(),
            )
        };
        assert!(Overrides::parse(Some(&one(operations(MAX_OPERATIONS)))).is_ok());
        assert_eq!(refused(one(operations(MAX_OPERATIONS + 1))).len(), 1);
    }

    #[test]
    fn an_operation_touches_a_field_through_what_holds_it() {
        let touches = |path: &str| {
            let read = Overrides::parse(Some(&one(json!([{"path": path}])))).unwrap();
            touch(&read.entries()[0].operations, "/spec/replicas")
        };
        assert!(touches("/spec/replicas") && touches("/spec"));
        assert!(!touches("/spec/replicasX") && !touches("/sp") && !touches("/spec/template"));
    }
}
