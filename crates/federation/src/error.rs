//! What can be wrong with what people wrote, in words that name the field and the way out.
//!
//! Errors here are data: admission shows them to whoever writes, the plan puts them into a status.

use std::fmt;

use serde::Serialize;

/// Why one field is refused, in Kubernetes' own words (`details.causes[].reason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum FieldReason {
    /// The value cannot be meant.
    #[serde(rename = "FieldValueInvalid")]
    Invalid,
    /// The value is missing.
    #[serde(rename = "FieldValueRequired")]
    Required,
    /// The value stands there twice.
    #[serde(rename = "FieldValueDuplicate")]
    Duplicate,
    /// The field may not be set.
    #[serde(rename = "FieldValueForbidden")]
    Forbidden,
}

impl FieldReason {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "FieldValueInvalid",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Forbidden => "FieldValueForbidden",
        }
    }
}

/// One field that is refused. Serialised it is one of `details.causes` of a `metav1.Status`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[error("{field}: {message}")]
pub struct FieldError {
    /// Path of the field, such as `spec.overrides[0].clusterName`.
    pub field: String,
    /// Why.
    pub reason: FieldReason,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl FieldError {
    /// The value cannot be meant.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FieldReason::Invalid, field, message)
    }

    /// The value is missing.
    pub fn required(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FieldReason::Required, field, message)
    }

    /// The value stands there twice.
    pub fn duplicate(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FieldReason::Duplicate, field, message)
    }

    /// The field may not be set.
    pub fn forbidden(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FieldReason::Forbidden, field, message)
    }

    fn new(reason: FieldReason, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason,
            message: message.into(),
        }
    }
}

/// Several refused fields in one line.
pub fn join(errors: &[FieldError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

/// Something accepted but not quite as written; travels as a `Warning:` header that kubectl prints.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Warning(pub String);

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What can go wrong while a member object is made from a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Text that is no cluster name.
    #[error(
        "{0:?} cannot be the name of a cluster: use 1 to 63 lower-case letters, digits and dashes, with a letter or digit at both ends"
    )]
    ClusterName(String),
    /// One operation of an override does not apply.
    #[error("operation {} of this cluster's overrides, {op} {path:?}: {problem}", index + 1)]
    Patch {
        /// Its place in the list, from 0.
        index: usize,
        /// `add`, `remove` or `replace`.
        op: &'static str,
        /// Its path as written.
        path: String,
        /// Why.
        problem: String,
    },
    /// An override changed which object this is.
    #[error(
        "the overrides change {field} from {before:?} to {after:?}: an override may not turn the object into another one"
    )]
    Identity {
        /// The field.
        field: &'static str,
        /// What it must be.
        before: String,
        /// What it became.
        after: String,
    },
    /// The template cannot become an object.
    #[error("{field}: {problem}")]
    Template {
        /// The field, as in `metadata.labels`.
        field: String,
        /// Why.
        problem: String,
    },
    /// More than one request to a member can carry.
    #[error(
        "the object would have {bytes} bytes, and {limit} are the most that a cluster accepts: move data out of it"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
}
