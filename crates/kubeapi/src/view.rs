//! Views: a resource that shows the rows of another one under a group, version and kind of its own, such as an older
//! version of a kind, or a group that was renamed.
//!
//! Objects are kept, owned (`managedFields`), admitted and authorized as the resource that has the rows. What a client
//! sends to a view is brought into that form before anything is decided about it, and what it gets is brought back; so
//! a field set through one name is the same field, with the same owner, through every other. Patches are made of the
//! form that the client saw. `managedFields` are shown as they are kept: their entries name the version they are in,
//! which is all that clients look for.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::object;
use crate::resource::Resource;
use crate::status::Status;

/// What a view shows, and how.
#[derive(Debug, Clone)]
pub struct View {
    /// Group of the resource that has the rows.
    pub group: String,
    /// Its version.
    pub version: String,
    /// Its plural.
    pub plural: String,
    /// How the content differs; `None` when only group and version do.
    pub conversion: Option<Conversion>,
    /// What every answer warns of: what to write instead. Empty for nothing.
    pub warning: String,
}

/// Two functions between the forms of an object. Group, version and kind are set by whoever calls them. An object that
/// is shown and stored again must come back as it was: otherwise a write that changes nothing would change something.
#[derive(Debug, Clone, Copy)]
pub struct Conversion {
    /// From the form of the view, which is the resource given. The object may be a part of one, as server-side apply
    /// has it.
    pub to_stored: fn(&Resource, Value) -> Result<Value, Status>,
    /// To the form of the view.
    pub to_view: fn(&Resource, Value) -> Value,
}

impl Resource {
    /// This resource under another group or version, with rows, columns and structure of this one. It has no short
    /// names and no categories: what is listed by them is listed once.
    #[must_use]
    pub fn viewed_as(&self, group: &str, version: &str, conversion: Option<Conversion>, warning: &str) -> Self {
        Self {
            group: group.into(),
            version: version.into(),
            short_names: Vec::new(),
            categories: Vec::new(),
            view: Some(View {
                group: self.group.clone(),
                version: self.version.clone(),
                plural: self.plural.clone(),
                conversion,
                warning: warning.into(),
            }),
            ..self.clone()
        }
    }
}

/// An object as the resource that was asked for shows it.
pub(crate) fn shown<'a>(asked: &Resource, object: &'a Value) -> Cow<'a, Value> {
    let Some(view) = &asked.view else {
        return Cow::Borrowed(object);
    };
    let mut shown = object.clone();
    if let Some(conversion) = view.conversion {
        shown = (conversion.to_view)(asked, shown);
    }
    shown["apiVersion"] = json!(asked.api_version());
    shown["kind"] = json!(asked.kind);
    Cow::Owned(shown)
}

/// An object that was sent to the resource that was asked for, as it is kept.
///
/// # Errors
/// 400 when it says that it is of another kind or version, and what the conversion refuses.
pub(crate) fn stored(asked: &Resource, resource: &Resource, object: Value) -> Result<Value, Status> {
    let Some(view) = &asked.view else {
        return Ok(object);
    };
    let mut object = object;
    object::prepare_kind(asked, &mut object)?;
    if let Some(conversion) = view.conversion {
        object = (conversion.to_stored)(asked, object)?;
    }
    object["apiVersion"] = json!(resource.api_version());
    object["kind"] = json!(resource.kind);
    Ok(object)
}
