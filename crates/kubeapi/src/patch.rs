//! The patches that clients send, as functions of values.

pub mod json;
pub mod merge;
pub mod strategic;

use serde_json::Value;

use crate::schema::Schema;
use crate::status::Status;

/// What kind of patch a body is, by its content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchType {
    /// RFC 7386.
    Merge,
    /// RFC 6902.
    Json,
    /// Kubernetes' own, for kinds that clients have compiled in.
    Strategic,
    /// Server-side apply.
    Apply,
}

impl PatchType {
    /// The content types, in the order in which they are offered.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Merge => "application/merge-patch+json",
            Self::Json => "application/json-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }

    /// The patch types a resource takes.
    pub fn accepted(strategic: bool) -> Vec<Self> {
        let mut types = vec![Self::Json, Self::Merge, Self::Apply];
        if strategic {
            types.push(Self::Strategic);
        }
        types
    }

    /// The type of a body with this content type.
    ///
    /// # Errors
    /// 415 that lists the accepted types.
    pub fn of(content_type: &str, strategic: bool) -> Result<Self, Status> {
        let accepted = Self::accepted(strategic);
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        accepted
            .iter()
            .copied()
            .find(|patch| patch.media_type() == essence)
            .ok_or_else(|| {
                let names: Vec<&str> = accepted.iter().map(|patch| patch.media_type()).collect();
                Status::unsupported_media_type(essence, &names)
            })
    }
}

/// The object after a merge, JSON or strategic patch.
///
/// # Errors
/// 400 or 422 when the patch does not apply.
pub fn apply_patch(patch_type: PatchType, object: &Value, patch: &Value, schema: &Schema) -> Result<Value, Status> {
    match patch_type {
        PatchType::Merge => {
            let mut patched = object.clone();
            merge::apply(&mut patched, patch);
            Ok(patched)
        }
        PatchType::Json => json::apply(object, patch),
        PatchType::Strategic => strategic::apply(object, patch, schema),
        PatchType::Apply => Err(Status::bad_request(
            "an apply patch is no change to an object but a state to reach",
        )),
    }
}
