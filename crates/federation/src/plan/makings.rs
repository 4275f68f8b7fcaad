//! Objects as clusters get them. Most clusters get the same: that is made and hashed once, or an object with a thousand
//! members would be made a thousand times to find out that all is as it should be.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::Input;
use crate::object::{Built, build};
use crate::overrides::Operation;
use crate::{Error, hash};

/// What was made in one plan.
#[derive(Default)]
pub(crate) struct Makings {
    /// By what makes a difference where nothing is overridden and nothing retained: replicas, and the mark of adoption.
    plain: BTreeMap<(Option<i64>, bool), Rc<Made>>,
}

/// An object and the hash to remember it by.
pub(crate) struct Made {
    pub(crate) object: Value,
    pub(crate) hash: String,
}

impl Makings {
    /// The object for one cluster.
    ///
    /// # Errors
    /// As [`build`].
    pub(crate) fn make(
        &mut self,
        input: &Input<'_>,
        operations: &[Operation],
        marks: Built<'_>,
    ) -> Result<Rc<Made>, Error> {
        let make = || {
            let object = build(input.kind, input.object, operations, marks)?;
            let hash = hash(&object);
            Ok(Rc::new(Made { object, hash }))
        };
        if !operations.is_empty() || !marks.retained.is_none_or(Value::is_null) {
            return make();
        }
        let differs_by = (marks.replicas, marks.adopted);
        if let Some(made) = self.plain.get(&differs_by) {
            return Ok(made.clone());
        }
        let made = make()?;
        self.plain.insert(differs_by, made.clone());
        Ok(made)
    }
}
