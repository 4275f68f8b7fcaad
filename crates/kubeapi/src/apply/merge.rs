//! Merging a configuration into an object, and removing what was given up.

use serde_json::Value;

use super::FieldSet;
use super::field_set::{key_step, value_step};
use super::tree::{descend, key_names, position};
use crate::schema::{ListType, Node};

/// Merges `config` into `live`.
pub(super) fn merge(live: &mut Value, config: &Value, node: Node<'_>) {
    match (config, &mut *live) {
        (Value::Object(stated), Value::Object(fields)) if !node.is_atomic_map() => {
            for (name, value) in stated {
                match fields.get_mut(name) {
                    Some(field) => merge(field, value, node.field(name)),
                    None => {
                        fields.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(stated), Value::Array(items)) => match node.list_type() {
            ListType::Atomic => items.clone_from(stated),
            ListType::Set => {
                for value in stated {
                    if !items.contains(value) {
                        items.push(value.clone());
                    }
                }
            }
            ListType::Map(keys) => merge_keyed(items, stated, &keys, node),
        },
        _ => live.clone_from(config),
    }
}

/// Items that are there keep their order; new ones come before the next stated item that is there, or at the end.
fn merge_keyed(items: &mut Vec<Value>, stated: &[Value], keys: &[String], node: Node<'_>) {
    let step = |item: &Value| key_step(item, keys, node.items());
    let mut rest: Vec<Value> = std::mem::take(items);
    let mut fresh = Vec::new();
    for value in stated {
        let identity = step(value);
        if let Some(index) = rest.iter().position(|item| step(item) == identity) {
            let mut later = rest.split_off(index).into_iter();
            items.append(&mut rest);
            items.append(&mut fresh);
            if let Some(mut item) = later.next() {
                merge(&mut item, value, node.items());
                items.push(item);
            }
            rest = later.collect();
        } else if let Some(item) = items.iter_mut().chain(&mut fresh).find(|item| step(item) == identity) {
            merge(item, value, node.items());
        } else {
            fresh.push(value.clone());
        }
    }
    items.append(&mut rest);
    items.append(&mut fresh);
}

/// Removes the fields that were given up, except for what `owned` has, and maps and lists that become empty by it.
pub(super) fn remove(value: &mut Value, given_up: &FieldSet, owned: &FieldSet, node: Node<'_>) {
    let nothing = FieldSet::default();
    for (step, child) in &given_up.children {
        let owners = owned.children.get(step).unwrap_or(&nothing);
        let goes = child.member && owners.is_empty();
        match (step.split_once(':'), &mut *value) {
            (Some(("f", name)), Value::Object(fields)) => {
                let Some(field) = fields.get_mut(name) else { continue };
                if !goes {
                    remove(field, child, owners, descend(node, step));
                }
                if goes || (is_hollow(field) && owners.is_empty()) {
                    fields.remove(name);
                }
            }
            (Some(("v", _)), Value::Array(items)) if goes => items.retain(|item| value_step(item) != *step),
            (Some(("k", _)), Value::Array(items)) => {
                let Some(index) = position(items, step, node) else {
                    continue;
                };
                if goes {
                    items.remove(index);
                } else if let Some(item) = items.get_mut(index) {
                    // An item that stays keeps its keys.
                    let mut child = child.clone();
                    let keys = key_names(step);
                    child
                        .children
                        .retain(|step, _| !step.strip_prefix("f:").is_some_and(|name| keys.contains(name)));
                    remove(item, &child, owners, node.items());
                }
            }
            _ => {}
        }
    }
}

fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
