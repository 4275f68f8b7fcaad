//! Server-side apply: who owns which field, and what follows when somebody applies again.
//!
//! Everything is computed from values: the set of fields that an applied configuration states ([`FieldSet`]), the merge
//! of that configuration into the live object, what the merge changes, and what changes hands. Lists and maps merge as
//! the structure of the kind says: keyed lists by key, sets by value, atomic ones whole. Where the structure says
//! nothing, maps are merged and lists are atomic.

mod field_set;
mod managers;
mod merge;
mod tree;

pub use field_set::FieldSet;
pub use managers::{Manager, ManagerOperation, Managers};

use serde_json::Value;

use crate::schema::Schema;
use crate::status::{Cause, Status};

/// What an apply request asks, beside the configuration.
#[derive(Debug, Clone)]
pub struct ApplyOptions<'a> {
    /// Who applies.
    pub manager: &'a str,
    /// Whether fields of others are taken over.
    pub force: bool,
    /// The subresource that is applied to; empty for the main resource.
    pub subresource: &'a str,
    /// Time for the manager's entry, RFC 3339.
    pub now: &'a str,
}

/// The object after `config` has been applied to `live` (null for an object that does not exist).
///
/// Fields that this manager stated before, states no longer and nobody else owns are removed. An object that already is
/// as applied comes back unchanged, entry and time included.
///
/// # Errors
/// 409 with a cause per field that somebody else has set to another value, unless `force`.
pub fn apply(live: &Value, config: &Value, schema: &Schema, options: &ApplyOptions<'_>) -> Result<Value, Status> {
    let config = bare(config);
    let node = schema.node();
    let stated = FieldSet::of(&config, node);
    let mut managers = Managers::read(&live["metadata"]["managedFields"]);
    if !live.is_null() && managers.is_empty() {
        managers.claim_unowned(live, FieldSet::of(&bare(live), node));
    }
    let mut result = live.clone();
    merge::merge(&mut result, &config, node);
    let changed = tree::changed(&bare(live), &bare(&result), node);
    let mut conflicts = Vec::new();
    for other in managers
        .iter_mut()
        .filter(|other| !other.is(options.manager, ManagerOperation::Apply, options.subresource))
    {
        let kept = other.fields.yielding(&changed);
        if kept != other.fields {
            conflicts.push((other.label(), other.fields.without(&kept)));
            other.fields = kept;
        }
    }
    if !conflicts.is_empty() && !options.force {
        return Err(conflict_status(live, &conflicts));
    }
    if let Some(before) = managers.applied_by(options.manager, options.subresource) {
        let given_up = before.without(&stated);
        let mut owned = stated.clone();
        for other in managers
            .iter()
            .filter(|other| !other.is(options.manager, ManagerOperation::Apply, options.subresource))
        {
            owned = owned.union(&other.fields);
        }
        merge::remove(&mut result, &given_up, &owned, node);
    }
    managers.set_applied(options, &config, stated);
    managers.write(&mut result);
    Ok(result)
}

/// Brings `managedFields` of `new` up to date after a write that is no apply: what changed belongs to `manager`, what is
/// gone belongs to nobody. Entries that the client wrote itself are the starting point: kubectl moves fields from one
/// manager to another that way.
pub fn record_update(
    old: Option<&Value>,
    new: &mut Value,
    schema: &Schema,
    manager: &str,
    subresource: &str,
    now: &str,
) {
    let old = old.map_or(Value::Null, bare);
    let current = bare(new);
    let node = schema.node();
    let changed = tree::changed(&old, &current, node);
    let mut managers = Managers::read(&new["metadata"]["managedFields"]);
    for one in managers.iter_mut() {
        if !one.is(manager, ManagerOperation::Update, subresource) {
            one.fields = one.fields.yielding(&changed);
        }
        one.fields = tree::existing(&one.fields, &current, node);
    }
    if !changed.is_empty() {
        let api_version = current["apiVersion"].as_str().unwrap_or_default();
        managers.add_updated(manager, subresource, api_version, now, &changed);
    }
    managers.write(new);
}

/// The object without the metadata that the server sets: that is never owned by anybody.
fn bare(object: &Value) -> Value {
    const SYSTEM: [&str; 8] = [
        "managedFields",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    ];
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !SYSTEM.contains(&name.as_str()));
    }
    object
}

fn conflict_status(live: &Value, conflicts: &[(String, FieldSet)]) -> Status {
    let causes: Vec<Cause> = conflicts
        .iter()
        .flat_map(|(manager, fields)| {
            fields
                .paths()
                .into_iter()
                .map(move |path| Cause::new("FieldManagerConflict", path, format!("conflict with {manager}")))
        })
        .collect();
    let message = match causes.as_slice() {
        [only] => format!("Apply failed with 1 conflict: {}: {}", only.message, only.field),
        several => {
            let parts: Vec<String> = conflicts
                .iter()
                .map(|(manager, fields)| {
                    let list: Vec<String> = fields.paths().iter().map(|path| format!("\n- {path}")).collect();
                    format!("conflicts with {manager}:{}", list.concat())
                })
                .collect();
            format!("Apply failed with {} conflicts: {}", several.len(), parts.join("\n"))
        }
    };
    Status::failure(http::StatusCode::CONFLICT, "Conflict", message).with(|details| {
        details.name = live["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        details.causes = causes;
    })
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
