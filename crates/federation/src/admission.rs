//! Whether a federated object may be stored: whatever a plan could only stumble over later is refused here, with the
//! field and the way out. What people have in their repositories is accepted and brought into today's form.

mod keyed_lists;
mod normalise;
mod rules;

use serde_json::Value;

pub use normalise::normalise;
pub(crate) use rules::{check_plain, no_ttl};

use crate::{FederatedObject, FieldError, TypeDescriptor, Warning};

/// Judges a federated object. `old` is what is stored; `None` for a new one.
///
/// An update that touches neither spec nor annotations always passes: an object that was stored when rules were looser
/// must still be able to lose its finalizer.
///
/// # Errors
/// Every field that is refused.
pub fn admit(
    kind: &TypeDescriptor,
    new: &Value,
    old: Option<&Value>,
) -> Result<(Value, Vec<Warning>), Vec<FieldError>> {
    let (normalised, mut warnings) = normalise(kind, new, old.is_none());
    let object = FederatedObject::parse(kind, &normalised)?;
    let is_same = |old: &Value| {
        let same = |pointer: &str| old.pointer(pointer) == normalised.pointer(pointer);
        same("/spec") && same("/metadata/annotations")
    };
    if !old.is_some_and(is_same) {
        let errors = rules::check(kind, &normalised, &object, &mut warnings);
        if !errors.is_empty() {
            return Err(errors);
        }
    }
    Ok((normalised, warnings))
}

#[cfg(test)]
mod tests;
