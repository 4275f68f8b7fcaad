//! Who states what in an object, as its `managedFields` tell.

use serde_json::{Map, Value};

use super::is_same_item;
use crate::observed::FIELD_MANAGER;

/// What one field manager states at one place.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    pub(super) manager: &'a str,
    pub(super) is_hub: bool,
    pub(super) fields: &'a Value,
}

/// Who holds one place.
#[derive(Clone, Copy, Default)]
pub(super) struct Holders<'a> {
    pub(super) is_hub: bool,
    /// The one that was last to write, the hub aside.
    pub(super) other: Option<&'a str>,
}

impl<'a> Holders<'a> {
    pub(super) fn of(owners: impl Iterator<Item = Owner<'a>>) -> Self {
        owners.fold(Self::default(), |holders, owner| {
            if owner.is_hub {
                Self {
                    is_hub: true,
                    ..holders
                }
            } else {
                Self {
                    other: Some(owner.manager),
                    ..holders
                }
            }
        })
    }
}

/// What managers state in an object, those that wrote last at the end; apart from it, what they state in parts of it
/// that are written by themselves.
pub(super) fn owners_of(live: &Value) -> (Vec<Owner<'_>>, Vec<Owner<'_>>) {
    let entries = live["metadata"]["managedFields"].as_array().into_iter().flatten();
    let mut entries: Vec<&Value> = entries.collect();
    entries.sort_by(|one, other| one["time"].as_str().cmp(&other["time"].as_str()));
    let (whole, parts): (Vec<&Value>, Vec<&Value>) = entries
        .into_iter()
        .partition(|entry| entry["subresource"].as_str().unwrap_or_default().is_empty());
    (
        whole.into_iter().map(|entry| owner(entry, true)).collect(),
        parts.into_iter().map(|entry| owner(entry, false)).collect(),
    )
}

fn owner(entry: &Value, is_whole: bool) -> Owner<'_> {
    let manager = entry["manager"].as_str().unwrap_or_default();
    Owner {
        manager,
        is_hub: is_whole && manager == FIELD_MANAGER && entry["operation"] == "Apply",
        fields: &entry["fieldsV1"],
    }
}

pub(super) fn is_leaf(fields: &Value) -> bool {
    fields.as_object().is_none_or(Map::is_empty)
}

pub(super) fn below<'a>(owners: &[Owner<'a>], key: &str) -> Vec<Owner<'a>> {
    let inside = |owner: &Owner<'a>| {
        let fields = owner.fields.get(key)?;
        Some(Owner { fields, ..*owner })
    };
    owners.iter().filter_map(inside).collect()
}

/// The fields by which items of this list are told apart, if it is one that is merged item by item.
pub(super) fn merged_by(owners: &[Owner<'_>]) -> Option<Vec<String>> {
    let mut keys = owners
        .iter()
        .filter_map(|owner| owner.fields.as_object())
        .flat_map(Map::keys);
    let key = keys.find(|key| key.starts_with("k:") || key.starts_with("v:"))?;
    match key.strip_prefix("k:") {
        Some(text) => {
            let keys: Map<String, Value> = serde_json::from_str(text).ok()?;
            Some(keys.keys().cloned().collect())
        }
        None => Some(Vec::new()),
    }
}

pub(super) fn owners_of_item<'a>(owners: &[Owner<'a>], item: &Value, keys: &[String]) -> Vec<Owner<'a>> {
    let is_its = |key: &str| {
        let stated = key
            .strip_prefix("k:")
            .and_then(|text| serde_json::from_str::<Value>(text).ok());
        stated.is_some_and(|stated| is_same_item(&stated, item, keys))
    };
    let mut its = Vec::new();
    for owner in owners {
        for (key, fields) in owner.fields.as_object().into_iter().flatten() {
            if is_its(key) {
                its.push(Owner { fields, ..*owner });
            }
        }
    }
    its
}
