//! Field by field, what an apply would change in a member's object.
//!
//! A field that the object states and the member has otherwise is changed. A field that the hub stated before, that the
//! object states no more, and that nobody else states either, is taken away. Whatever else the member has stays, and is
//! no change. `managedFields` say which lists are merged item by item, and by which fields; every other list is one value.
//! They also say who set what is there.

mod owners;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use self::owners::{Holders, Owner, below, is_leaf, merged_by, owners_of, owners_of_item};
use crate::TypeDescriptor;

/// What stands in place of a value that must not be shown.
pub const MASK: &str = "******";
/// Fields that say which object it is, rather than what is in it.
const IDENTITY: [&str; 4] = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];
/// Maps whose values are quantities, which servers write in their own way.
const QUANTITIES: [&str; 5] = ["requests", "limits", "capacity", "hard", "allocatable"];

/// One field that would change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// Where, such as `spec.template.spec.containers[web].image`.
    pub path: String,
    /// What the member has; absent when it has nothing there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it would have; absent when the field goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// The field manager that set what the member has, when that is not the hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
}

struct Found {
    change: FieldChange,
    /// Whether the hub holds the field.
    is_hubs: bool,
}

/// What applying `stated` would change in `live`, a member's whole object. `takes_over` are field managers whose fields
/// become the hub's before it applies. Values of Secrets are masked.
pub(super) fn changes(kind: &TypeDescriptor, live: &Value, stated: &Value, takes_over: &[&str]) -> Vec<FieldChange> {
    let is_ours = |owner: &Owner<'_>| owner.is_hub || takes_over.contains(&owner.manager);
    let (whole, parts) = owners_of(live);
    let (ours, others): (Vec<Owner<'_>>, Vec<Owner<'_>>) = whole.into_iter().partition(is_ours);
    let others: Vec<Owner<'_>> = others.into_iter().chain(parts).collect();
    let all: Vec<Owner<'_>> = ours.iter().chain(&others).copied().collect();
    let mut found = Vec::new();
    differ(
        stated,
        Some(live),
        &all,
        Holders::default(),
        &mut Vec::new(),
        &mut found,
    );
    for owner in &ours {
        vanish(owner.fields, live, Some(stated), &others, &mut Vec::new(), &mut found);
    }
    told(kind, found.into_iter().map(|found| found.change))
}

/// What is stated, is otherwise in the member, and is not the hub's there any more: what others changed, as opposed to
/// what the hub is yet to change, and to what the server writes in its own way. Values of Secrets are masked.
pub(crate) fn foreign(kind: &TypeDescriptor, live: &Value, stated: &Value) -> Vec<FieldChange> {
    let (mut owners, parts) = owners_of(live);
    owners.extend(parts);
    let mut found = Vec::new();
    differ(
        stated,
        Some(live),
        &owners,
        Holders::default(),
        &mut Vec::new(),
        &mut found,
    );
    // Servers take `stringData` in and never give it out.
    let is_written_only = |path: &str| kind.is_core("Secret") && path.starts_with("stringData");
    let foreign = found.into_iter().filter(|found| !found.is_hubs);
    told(
        kind,
        foreign
            .map(|found| found.change)
            .filter(|change| !is_written_only(&change.path)),
    )
}

/// Each place once, without what says which object it is, and without what must not be shown.
fn told(kind: &TypeDescriptor, found: impl Iterator<Item = FieldChange>) -> Vec<FieldChange> {
    let mut by_path: BTreeMap<String, FieldChange> = BTreeMap::new();
    for change in found {
        let is_version = change.path == "metadata.uid" || change.path == "metadata.resourceVersion";
        if !IDENTITY.contains(&change.path.as_str()) && !is_version {
            by_path.entry(change.path.clone()).or_insert(change);
        }
    }
    let mut changes: Vec<FieldChange> = by_path.into_values().collect();
    if kind.is_core("Secret") {
        changes.iter_mut().for_each(mask_change);
    }
    changes
}

/// An object with nothing in it that must not be shown.
pub(super) fn masked(kind: &TypeDescriptor, mut object: Value) -> Value {
    if kind.is_core("Secret") {
        for field in ["data", "stringData"] {
            let values = object.get_mut(field).and_then(Value::as_object_mut);
            values
                .into_iter()
                .flat_map(Map::values_mut)
                .for_each(|value| *value = MASK.into());
        }
    }
    object
}

fn mask_change(change: &mut FieldChange) {
    if change.path.starts_with("data") || change.path.starts_with("stringData") {
        for value in [&mut change.before, &mut change.after].into_iter().flatten() {
            *value = match value {
                Value::Object(map) => map.keys().map(|key| (key.clone(), Value::from(MASK))).collect(),
                Value::Null => Value::Null,
                _ => MASK.into(),
            };
        }
    }
}

/// What is stated and is otherwise in the member. `owners` are the fields of all managers at this place, `around` who
/// holds what lies around it as one value.
fn differ<'a>(
    stated: &Value,
    live: Option<&Value>,
    owners: &[Owner<'a>],
    around: Holders<'a>,
    path: &mut Vec<String>,
    found: &mut Vec<Found>,
) {
    let here = if owners.is_empty() {
        around
    } else {
        Holders::of(owners.iter().copied())
    };
    // Whoever states a place and nothing below it states all that is below it.
    let inside = if owners.is_empty() {
        around
    } else {
        Holders::of(owners.iter().copied().filter(|owner| is_leaf(owner.fields)))
    };
    match (stated, live) {
        (Value::Null, None) => {}
        (Value::Object(stated), Some(Value::Object(live))) => {
            for (key, value) in stated {
                path.push(field(key));
                let owners = below(owners, &format!("f:{key}"));
                differ(value, live.get(key), &owners, inside, path, found);
                path.pop();
            }
        }
        (Value::Array(items), Some(Value::Array(live_items))) => match merged_by(owners) {
            Some(keys) => {
                for item in items {
                    let there = live_items.iter().find(|one| is_same_item(item, one, &keys));
                    path.push(item_name(item, &keys));
                    let owners = there.map(|one| owners_of_item(owners, one, &keys)).unwrap_or_default();
                    differ(item, there, &owners, inside, path, found);
                    path.pop();
                }
            }
            None if items.len() == live_items.len() => {
                for (index, (item, live)) in items.iter().zip(live_items).enumerate() {
                    path.push(format!("[{index}]"));
                    differ(item, Some(live), &[], inside, path, found);
                    path.pop();
                }
            }
            None => push(path, live, Some(stated), here, found),
        },
        (stated, Some(live)) if is_same(stated, live, path) => {}
        (stated, live) => push(path, live, Some(stated), here, found),
    }
}

/// What is in the member because `fields` of the hub's said so, and is stated by nobody any more.
fn vanish(
    fields: &Value,
    live: &Value,
    stated: Option<&Value>,
    others: &[Owner<'_>],
    path: &mut Vec<String>,
    found: &mut Vec<Found>,
) {
    for (key, inner) in fields.as_object().into_iter().flatten() {
        let Some((kind, name)) = key.split_once(':') else {
            continue;
        };
        let (there, wanted, step) = match kind {
            "f" => (live.get(name), stated.and_then(|stated| stated.get(name)), field(name)),
            "k" => {
                let Ok(Value::Object(keys)) = serde_json::from_str::<Value>(name) else {
                    continue;
                };
                let names: Vec<String> = keys.keys().cloned().collect();
                let keys = Value::Object(keys);
                let of = |list: &'_ Value| {
                    list.as_array()
                        .and_then(|items| items.iter().position(|item| is_same_item(item, &keys, &names)))
                };
                let there = of(live).map(|index| &live[index]);
                let wanted = stated.and_then(|list| of(list).map(|index| &list[index]));
                (there, wanted, item_name(&keys, &names))
            }
            "v" => {
                let Ok(value) = serde_json::from_str::<Value>(name) else {
                    continue;
                };
                let of = |list: &'_ Value| {
                    list.as_array()
                        .and_then(|items| items.iter().position(|item| *item == value))
                };
                let there = of(live).map(|index| &live[index]);
                let wanted = stated.and_then(|list| of(list).map(|index| &list[index]));
                (there, wanted, format!("[{}]", plain(&value)))
            }
            _ => continue,
        };
        let Some(there) = there else { continue };
        let kept_by = below(others, key);
        let is_leaf = is_leaf(inner);
        path.push(step);
        match wanted {
            None if kept_by.is_empty() => {
                let hub = Holders {
                    is_hub: true,
                    other: None,
                };
                push(path, Some(there), None, hub, found);
            }
            Some(_) if is_leaf => {}
            None if is_leaf => {}
            wanted => vanish(inner, there, wanted, &kept_by, path, found),
        }
        path.pop();
    }
}

fn push(path: &[String], before: Option<&Value>, after: Option<&Value>, holders: Holders<'_>, found: &mut Vec<Found>) {
    let mut text = String::new();
    for step in path {
        if !text.is_empty() && !step.starts_with('[') {
            text.push('.');
        }
        text.push_str(step);
    }
    found.push(Found {
        change: FieldChange {
            path: text,
            before: before.cloned(),
            after: after.cloned(),
            manager: holders.other.filter(|_| before.is_some()).map(str::to_owned),
        },
        is_hubs: holders.is_hub,
    });
}

/// A name with dots in it would read as several.
fn field(name: &str) -> String {
    if name.contains(['.', '/', '[']) {
        format!("[{name}]")
    } else {
        name.to_owned()
    }
}

/// Whether two items are one; a key that the server fills in need not be stated.
fn is_same_item(item: &Value, other: &Value, keys: &[String]) -> bool {
    if keys.is_empty() {
        return item == other;
    }
    keys.iter().all(|key| match (item.get(key), other.get(key)) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => true,
    }) && keys
        .iter()
        .any(|key| item.get(key).is_some() && item.get(key) == other.get(key))
}

fn item_name(item: &Value, keys: &[String]) -> String {
    let named: Vec<String> = keys.iter().filter_map(|key| item.get(key)).map(plain).collect();
    if keys.is_empty() {
        format!("[{}]", plain(item))
    } else {
        format!("[{}]", named.join("/"))
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_same(stated: &Value, live: &Value, path: &[String]) -> bool {
    let is_quantity = path
        .iter()
        .rev()
        .skip(1)
        .take(1)
        .any(|step| QUANTITIES.contains(&step.as_str()));
    stated == live || (is_quantity && amount(stated).is_some_and(|one| Some(one) == amount(live)))
}

/// A quantity in thousandths; `None` for what is none, or finer than that.
fn amount(value: &Value) -> Option<i128> {
    let text = plain(value);
    let digits = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let scale: i128 = match suffix {
        "m" => 1,
        "" => 1000,
        "k" => 1_000_000,
        "M" => 1_000_000_000,
        "G" => 1_000_000_000_000,
        "T" => 1_000_000_000_000_000,
        "Ki" => 1000 << 10,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        "Ti" => 1000 << 40,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let part = part.trim_end_matches('0');
    let factor = 10_i128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let all: i128 = format!("{whole}{part}").parse().ok()?;
    let scaled = all.checked_mul(scale)?;
    (scaled % factor == 0).then_some(scaled / factor)
}

#[cfg(test)]
mod tests;
