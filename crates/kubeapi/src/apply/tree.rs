//! Objects seen as trees of fields: what differs between two, and what of a set exists.

use std::collections::BTreeSet;

use serde_json::Value;

use super::FieldSet;
use super::field_set::{key_step, value_step};
use crate::schema::{ListType, Node};

/// The fields of `new` that `old` does not have, or has with another value.
pub(super) fn changed(old: &Value, new: &Value, node: Node<'_>) -> FieldSet {
    let whole = FieldSet::of(new, node);
    below(Some(old), Some(new), &whole, node)
}

/// Of `fields`, which are those of `new`, those that `old` does not have or has with another value.
fn below(old: Option<&Value>, new: Option<&Value>, fields: &FieldSet, node: Node<'_>) -> FieldSet {
    if fields.children.is_empty() {
        return if old == new {
            FieldSet::default()
        } else {
            fields.clone()
        };
    }
    // A list or map that was something else before is new as a whole.
    if !old
        .zip(new)
        .is_some_and(|(old, new)| (old.is_object() && new.is_object()) || (old.is_array() && new.is_array()))
    {
        return fields.clone();
    }
    let children = fields
        .children
        .iter()
        .map(|(step, child)| {
            let (old, new) = (
                old.and_then(|old| find(old, step, node)),
                new.and_then(|new| find(new, step, node)),
            );
            (step.clone(), below(old, new, child, descend(node, step)))
        })
        .filter(|(_, child)| !child.is_empty())
        .collect();
    // The item of a keyed list is a field itself; here it is on both sides.
    FieldSet {
        member: false,
        children,
    }
}

/// Of `fields`, those that the object has.
pub(super) fn existing(fields: &FieldSet, object: &Value, node: Node<'_>) -> FieldSet {
    let children = fields
        .children
        .iter()
        .filter_map(|(step, child)| {
            let value = find(object, step, node)?;
            let child = existing(child, value, descend(node, step));
            (!child.is_empty()).then(|| (step.clone(), child))
        })
        .collect();
    FieldSet {
        member: fields.member,
        children,
    }
}

/// The value one step below.
pub(super) fn find<'a>(value: &'a Value, step: &str, node: Node<'_>) -> Option<&'a Value> {
    match step.split_once(':')? {
        ("f", name) => value.get(name),
        ("v", _) => value.as_array()?.iter().find(|item| value_step(item) == *step),
        ("k", _) => position(value.as_array()?, step, node).and_then(|index| value.get(index)),
        _ => None,
    }
}

/// Where in a keyed list the item of this step is.
pub(super) fn position(items: &[Value], step: &str, node: Node<'_>) -> Option<usize> {
    match node.list_type() {
        ListType::Map(keys) => items
            .iter()
            .position(|item| key_step(item, &keys, node.items()) == step),
        // The structure changed since the step was written.
        ListType::Atomic | ListType::Set => None,
    }
}

/// The structure one step below.
pub(super) fn descend<'a>(node: Node<'a>, step: &str) -> Node<'a> {
    match step.split_once(':') {
        Some(("f", name)) => node.field(name),
        _ => node.items(),
    }
}

/// The names of the keys in a step to an item of a keyed list.
pub(super) fn key_names(step: &str) -> BTreeSet<String> {
    step.strip_prefix("k:")
        .and_then(|text| serde_json::from_str::<serde_json::Map<String, Value>>(text).ok())
        .map(|identity| identity.into_iter().map(|(key, _)| key).collect())
        .unwrap_or_default()
}
